"""Tokens: their claims, their signature, and how they become invalid."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from seedctl.local.cognito.signing import SigningKey
from seedctl.local.state_folder import prepare
from seedctl.local.store import Store
from tests.cases import case
from tests.local.conftest import claims_of as _claims

if TYPE_CHECKING:
    from pathlib import Path

ANN = "ann@example.com"
REVOKED = "NotAuthorizedException: Access Token has been revoked"


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_decode(text), "big")


def test_id_token(client: Any) -> None:
    """The id token has Cognito's claims about the user and no others."""
    result = client.tokens(ANN, email_verified="true", phone_number="+4915112345678", locale="de")
    claims = _claims(result["IdToken"])
    user = client.cognito("AdminGetUser", Username=ANN)
    now = int(client.clock())
    expected = {
        "sub": user["Username"],
        "email": ANN,
        "email_verified": True,
        "phone_number": "+4915112345678",
        "locale": "de",
        "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{client.pool_id}",
        "cognito:username": user["Username"],
        "aud": client.client_id,
        "token_use": "id",
        "auth_time": now,
        "iat": now,
        "exp": now + 3600,
    }
    assert {name: claims[name] for name in expected} == expected
    assert claims.keys() - expected.keys() == {"origin_jti", "event_id", "jti"}


def test_access_token(client: Any) -> None:
    """The access token has the scope that user calls need, and no user attributes."""
    result = client.tokens(ANN)
    claims, id_claims = _claims(result["AccessToken"]), _claims(result["IdToken"])
    now = int(client.clock())
    expected = {
        "sub": claims["username"],
        "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{client.pool_id}",
        "client_id": client.client_id,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": now,
        "iat": now,
        "exp": now + 3600,
        "origin_jti": id_claims["origin_jti"],
        "event_id": id_claims["event_id"],
    }
    assert {name: claims[name] for name in expected} == expected
    assert claims.keys() - expected.keys() == {"jti", "username"}
    assert claims["jti"] != id_claims["jti"]


def test_signature_fits_the_published_key(client: Any) -> None:
    """Both tokens can be verified with the published key of the pool."""
    result = client.tokens(ANN)
    path = f"/{client.pool_id}/.well-known"
    status, headers, body = client.send("GET", f"{path}/jwks.json", None, {})
    assert (status, headers["content-type"]) == (200, "application/json")
    (key,) = json.loads(body)["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
    for token in (result["IdToken"], result["AccessToken"]):
        text, _, signature = token.rpartition(".")
        header = json.loads(_decode(text.partition(".")[0]))
        assert header == {"kid": key["kid"], "alg": "RS256"}
        public.verify(_decode(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    status, _, body = client.send("GET", f"{path}/openid-configuration", None, {})
    assert json.loads(body)["issuer"] == _claims(result["IdToken"])["iss"]


@pytest.mark.parametrize(
    "path", ["/", "/us-east-1_Other/.well-known/jwks.json", "/.well-known/jwks.json"]
)
def test_other_pools_publish_nothing(client: Any, path: str) -> None:
    """Only the deployed pool publishes documents."""
    assert client.send("GET", path, None, {})[0] == 404


def test_groups_in_tokens(client: Any) -> None:
    """Groups are in both tokens, by precedence, and only if the user has any."""
    result = client.tokens(ANN)
    assert "cognito:groups" not in _claims(result["IdToken"])
    for group in ("READERS", "admin"):
        client.cognito("AdminAddUserToGroup", Username=ANN, GroupName=group)
    result = client.sign_in(ANN)["AuthenticationResult"]
    for token in (result["IdToken"], result["AccessToken"]):
        assert _claims(token)["cognito:groups"] == ["admin", "READERS"]


@pytest.mark.parametrize("flow", ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", None])
def test_refresh(client: Any, flow: str | None) -> None:
    """Refreshed tokens belong to the same sign-in and contain later changes."""
    first = client.tokens(ANN)
    client.cognito("AdminAddUserToGroup", Username=ANN, GroupName="admin")
    client.clock.advance(4000)
    result = _refresh(client, first["RefreshToken"], flow)
    assert result.keys() == {"AccessToken", "ExpiresIn", "IdToken", "TokenType"}
    before, after = _claims(first["AccessToken"]), _claims(result["AccessToken"])
    for key in ("origin_jti", "auth_time", "sub"):
        assert after[key] == before[key]
    assert after["jti"] != before["jti"]
    assert after["iat"] == before["iat"] + 4000
    assert after["cognito:groups"] == ["admin"]
    assert client.cognito("GetUser", AccessToken=result["AccessToken"])["Username"]


def test_unknown_refresh_token(client: Any) -> None:
    """An unknown refresh token is invalid."""
    for token in (
        "x",
        "00000000-0000-4000-8000-000000000000.x",
        "ü",
        ".",
    ):
        with case(token):
            expected = "NotAuthorizedException: Invalid Refresh Token"
            assert _refresh_refusal(client, token) == expected
            refusal = client.cognito_refusal("GetTokensFromRefreshToken", RefreshToken=token)
            assert refusal == expected


def test_guessed_refresh_token(client: Any) -> None:
    """The id of a sign-in is not enough to guess its refresh token."""
    token = client.tokens(ANN)["RefreshToken"]
    guessed = token.partition(".")[0] + ".guess"
    assert _refresh_refusal(client, guessed) == "NotAuthorizedException: Invalid Refresh Token"


def test_refresh_token_is_required(client: Any) -> None:
    """A refresh without a token names the missing parameter."""
    refusal = client.cognito_refusal("InitiateAuth", AuthFlow="REFRESH_TOKEN", AuthParameters={})
    assert refusal == "InvalidParameterException: Missing required parameter REFRESH_TOKEN"


def test_refresh_token_lasts_thirty_days(client: Any) -> None:
    """After thirty days the user has to sign in again."""
    token = client.tokens(ANN)["RefreshToken"]
    client.clock.advance(30 * 24 * 3600 - 1)
    assert _refresh(client, token, None)
    client.clock.advance(1)
    assert _refresh_refusal(client, token) == "NotAuthorizedException: Refresh Token has expired"


def test_access_token_lasts_an_hour(client: Any) -> None:
    """An expired access token is refused."""
    token = client.tokens(ANN)["AccessToken"]
    client.clock.advance(3601)
    refusal = client.cognito_refusal("GetUser", AccessToken=token)
    assert refusal == "NotAuthorizedException: Access Token has expired"


def test_revoking_ends_one_sign_in(client: Any) -> None:
    """RevokeToken invalidates the tokens of one sign-in, and of no other."""
    first = client.tokens(ANN)
    other = client.sign_in(ANN)["AuthenticationResult"]
    refreshed = _refresh(client, first["RefreshToken"], None)
    for _ in range(2):
        assert client.cognito("RevokeToken", Token=first["RefreshToken"]) == {}
    refusal = _refresh_refusal(client, first["RefreshToken"])
    assert refusal == "NotAuthorizedException: Refresh Token has been revoked"
    for token in (first["AccessToken"], refreshed["AccessToken"]):
        assert client.cognito_refusal("GetUser", AccessToken=token) == REVOKED
    assert client.cognito("GetUser", AccessToken=other["AccessToken"])
    assert _refresh(client, other["RefreshToken"], None)


def test_only_refresh_tokens_are_revoked(client: Any) -> None:
    """An id or access token is refused; an unknown token is not an error."""
    result = client.tokens(ANN)
    for token in (result["AccessToken"], result["IdToken"]):
        refusal = client.cognito_refusal("RevokeToken", Token=token)
        assert refusal == "UnsupportedTokenTypeException: Unsupported token type"
    assert client.cognito("RevokeToken", Token="unknown") == {}


@pytest.mark.parametrize("operation", ["GlobalSignOut", "AdminUserGlobalSignOut", "disable"])
def test_global_sign_out(client: Any, operation: str) -> None:
    """All earlier tokens become invalid; a sign-in in the same second is not affected."""
    first = client.tokens(ANN)
    second = client.sign_in(ANN)["AuthenticationResult"]
    if operation == "GlobalSignOut":
        client.cognito(operation, AccessToken=first["AccessToken"])
    elif operation == "disable":
        client.cognito("AdminDisableUser", Username=ANN)
        client.cognito("AdminEnableUser", Username=ANN)
    else:
        client.cognito(operation, Username=ANN)
    for result in (first, second):
        for call in ("GetUser", "DeleteUser", "GlobalSignOut"):
            assert client.cognito_refusal(call, AccessToken=result["AccessToken"]) == REVOKED
        refusal = _refresh_refusal(client, result["RefreshToken"])
        assert refusal == "NotAuthorizedException: Refresh Token has been revoked"
    third = client.sign_in(ANN)["AuthenticationResult"]
    assert client.cognito("GetUser", AccessToken=third["AccessToken"])


@pytest.mark.parametrize("sign_in_by", ["email", "username"])
def test_tokens_end_with_their_user(start: Any, outputs_of: Any, sign_in_by: str) -> None:
    """Tokens of a deleted user are invalid for a new user of the same name."""
    # In a pool with free user names, the new user has the old one's user name, but another sub.
    pool = {"username_attributes": [sign_in_by], "standard_required_attributes": []}
    client = start(outputs_of(**pool))
    result = client.tokens(ANN)
    client.cognito("AdminDeleteUser", Username=ANN)
    refusal = client.cognito_refusal("GetUser", AccessToken=result["AccessToken"])
    assert refusal == "UserNotFoundException: User does not exist."
    client.create(ANN)
    refusal = client.cognito_refusal("GetUser", AccessToken=result["AccessToken"])
    assert refusal == "UserNotFoundException: User does not exist."
    refusal = _refresh_refusal(client, result["RefreshToken"])
    assert refusal == "NotAuthorizedException: Invalid Refresh Token"


def test_tokens_of_a_disabled_user(client: Any) -> None:
    """While a user is disabled, the tokens are refused with that error."""
    result = client.tokens(ANN)
    client.cognito("AdminDisableUser", Username=ANN)
    expected = "NotAuthorizedException: User is disabled."
    assert client.cognito_refusal("GetUser", AccessToken=result["AccessToken"]) == expected
    assert _refresh_refusal(client, result["RefreshToken"]) == expected


def test_refresh_token_belongs_to_its_client(client: Any, start: Any) -> None:
    """A refresh token of another app client is invalid."""
    token = client.tokens(ANN)["RefreshToken"]
    auth = dataclasses.replace(client.outputs.auth, user_pool_client_id="another")
    other = start(dataclasses.replace(client.outputs, auth=auth))
    assert _refresh_refusal(other, token) == "NotAuthorizedException: Invalid Refresh Token"


def test_key_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If two processes generate the first key at once, both use the one stored first."""
    store = Store.open(prepare(tmp_path / "s"))
    generate = rsa.generate_private_key
    made: list[SigningKey] = []

    def interrupted(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(rsa, "generate_private_key", generate)
        made.append(SigningKey.of_pool(store, "pool"))
        return generate(*args, **options)

    monkeypatch.setattr(rsa, "generate_private_key", interrupted)
    assert SigningKey.of_pool(store, "pool").id == made[0].id
    store.close()


def test_foreign_tokens_are_refused(client: Any) -> None:
    """A token that this pool did not sign, or of another type, is not an access token."""
    result = client.tokens(ANN)
    header, claims, signature = result["AccessToken"].split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    forged = (
        result["IdToken"],
        f"{unsigned}.{claims}.",
        f"{unsigned}.{claims}.{signature}",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        f"{header}.{claims}.ü",
        "nonsense",
        "a.b.c",
    )
    for token in forged:
        refusal = client.cognito_refusal("GetUser", AccessToken=token)
        assert refusal == "NotAuthorizedException: Invalid Access Token", token


def test_tokens_outlive_the_server(client: Any, start: Any) -> None:
    """A new server on the same state knows the key, the grants and the revocations."""
    first, second = client.tokens(ANN), client.sign_in(ANN)["AuthenticationResult"]
    client.cognito("RevokeToken", Token=second["RefreshToken"])
    client.sandbox.stop()
    later = start(client.outputs)
    assert later.cognito("GetUser", AccessToken=first["AccessToken"])
    assert later.cognito_refusal("GetUser", AccessToken=second["AccessToken"]) == REVOKED
    assert _refresh(later, first["RefreshToken"], None)


def _refresh(client: Any, token: str, flow: str | None) -> dict[str, Any]:
    if flow is None:
        reply = client.cognito("GetTokensFromRefreshToken", RefreshToken=token)
    else:
        reply = client.cognito(
            "InitiateAuth", AuthFlow=flow, AuthParameters={"REFRESH_TOKEN": token}
        )
    result: dict[str, Any] = reply["AuthenticationResult"]
    return result


def _refresh_refusal(client: Any, token: str) -> str:
    refusal: str = client.cognito_refusal(
        "InitiateAuth", AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": token}
    )
    return refusal
