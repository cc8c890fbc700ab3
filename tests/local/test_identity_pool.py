"""The local identity pool, and AppSync's IAM rules for its identities."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from seedctl import connect
from seedctl.errors import SeedctlError, UnauthorizedError
from seedctl.local import LocalSandbox
from seedctl.outputs import load_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from seedctl.backend import Backend

PASSWORD = "Passw0rd!"
OUTPUTS = Path(__file__).parents[1] / "data" / "outputs" / "auth_rules.json"
POOL = "us-east-1:11111111-2222-3333-4444-555555555555"
ISSUER = "cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE01"


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """Connect to the sandbox of the example with all types of rules."""
    shutil.copy(OUTPUTS, tmp_path / "amplify_outputs.json")
    (tmp_path / "package.json").write_text('{"name": "my-app"}')
    with connect(tmp_path, local=True) as connected:
        yield connected


@pytest.fixture
def identities(tmp_path: Path) -> Iterator[tuple[Any, dict[str, float]]]:
    """Return a boto3 client of a separate pool, and its clock."""
    now = {"now": 1_800_000_000.0}
    with LocalSandbox.start(
        state_folder=tmp_path / "state",
        outputs=load_outputs(OUTPUTS),
        clock=lambda: now["now"],
    ) as sandbox:
        yield (
            boto3.client("cognito-identity", region_name="us-east-1", endpoint_url=sandbox.url),
            now,
        )


def test_without_a_pool_there_is_nobody_to_give_credentials_to(tmp_path: Path) -> None:
    """Without outputs, every identity and provider is unknown."""
    with LocalSandbox.start(state_folder=tmp_path / "state", outputs=None) as sandbox:
        client = boto3.client("cognito-identity", region_name="us-east-1", endpoint_url=sandbox.url)
        with pytest.raises(ClientError, match=r"IdentityPool '.*' not found"):
            client.get_id(IdentityPoolId=POOL)
        with pytest.raises(ClientError, match=r"Identity '.*' not found"):
            client.get_credentials_for_identity(IdentityId=POOL)
        with pytest.raises(ClientError, match="not from a supported provider"):
            client.get_credentials_for_identity(IdentityId=POOL, Logins={ISSUER: "token"})


def test_guests_get_an_identity_each(identities: tuple[Any, dict[str, float]]) -> None:
    """A call without logins is a guest and gets credentials for an hour."""
    client, now = identities
    one, two = (client.get_id(IdentityPoolId=POOL, Logins={})["IdentityId"] for _ in range(2))
    assert one != two
    assert one.startswith("us-east-1:")
    reply = client.get_credentials_for_identity(IdentityId=one)
    assert reply["IdentityId"] == one
    assert reply["Credentials"]["Expiration"].timestamp() == now["now"] + 3600
    assert reply["Credentials"]["AccessKeyId"].startswith("ASIA")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param({"IdentityPoolId": "us-east-1:other"}, "ResourceNotFoundException", id="pool"),
        pytest.param(
            {"IdentityPoolId": POOL, "Logins": {"accounts.example.com": "token"}},
            "NotAuthorizedException",
            id="provider",
        ),
        pytest.param(
            {"IdentityPoolId": POOL, "Logins": {ISSUER: "no.token.atall"}},
            "NotAuthorizedException",
            id="token",
        ),
    ],
)
def test_what_is_not_known_is_refused(
    identities: tuple[Any, dict[str, float]], call: dict[str, Any], code: str
) -> None:
    """An unknown pool or provider or an invalid token gives no identity."""
    with pytest.raises(ClientError) as caught:
        identities[0].get_id(**call)
    assert caught.value.response["Error"]["Code"] == code


def test_nobody_gets_anothers_credentials(
    identities: tuple[Any, dict[str, float]], backend: Backend
) -> None:
    """An unknown identity, or a user's identity, is refused for guests."""
    client, _ = identities
    with pytest.raises(ClientError, match="not found"):
        client.get_credentials_for_identity(IdentityId="us-east-1:made-up")
    user = backend.auth.create_user("ann@example.com", PASSWORD)
    with backend.auth.sign_in(user, PASSWORD) as session:
        tokens = session.fetch_auth_session()

        def call(operation: str, **given: Any) -> dict[str, Any]:
            return backend.aws.call("cognito-identity", operation, given)

        logins = {ISSUER: tokens.id_token}
        known, again = (call("GetId", IdentityPoolId=POOL, Logins=logins) for _ in range(2))
        assert known["IdentityId"] == again["IdentityId"]
        with pytest.raises(SeedctlError, match="not found"):
            call("GetCredentialsForIdentity", IdentityId=known["IdentityId"])
        with pytest.raises(SeedctlError, match="login token"):
            call("GetId", IdentityPoolId=POOL, Logins={ISSUER: tokens.access_token})


def test_a_guest_who_signs_in_goes_on_as_the_user(backend: Backend) -> None:
    """A guest identity with an id token returns the user's identity."""
    client = boto3.client(
        "cognito-identity",
        region_name="us-east-1",
        endpoint_url=backend.environment()["AWS_ENDPOINT_URL"],
    )
    guest = client.get_id(IdentityPoolId=POOL, Logins={})["IdentityId"]
    user = backend.auth.create_user("ann@example.com", PASSWORD)
    with backend.auth.sign_in(user, PASSWORD) as session:
        found = session.fetch_auth_session()
        logins = {ISSUER: found.id_token}
        reply = client.get_credentials_for_identity(IdentityId=guest, Logins=logins)
        assert reply["IdentityId"] == found.identity_id != guest
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            client.get_credentials_for_identity(IdentityId="us-east-1:other", Logins=logins)


def test_the_rules_tell_guests_from_users(backend: Backend) -> None:
    """GuestBook allows guests and users by IAM; a model for groups allows neither."""
    guests = backend.data.generate_client(auth_mode="iam")
    written = guests.models.GuestBook.create({"message": "a guest was here"})
    assert written is not None
    with pytest.raises(UnauthorizedError):
        guests.models.AdminThing.create({"content": "x"})
    user = backend.auth.create_user("ann@example.com", PASSWORD)
    with backend.auth.sign_in(user, PASSWORD) as session:
        found = session.data.models.GuestBook.get({"id": written.id}, auth_mode="identityPool")
        assert found is not None
        assert found.message == "a guest was here"
        with pytest.raises(UnauthorizedError):
            session.data.models.AdminThing.create({"content": "x"}, auth_mode="iam")
