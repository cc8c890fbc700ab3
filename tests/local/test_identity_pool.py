"""The local identity pool, and AppSync's IAM rules for its identities."""

from __future__ import annotations

import dataclasses
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from seedctl import connect
from seedctl.errors import SeedctlError, UnauthorizedError
from seedctl.local import LocalSandbox
from seedctl.local.identity_pool import IdentityPool
from seedctl.local.protocol import Call, ServiceError
from seedctl.local.state_folder import prepare
from seedctl.local.store import Store
from seedctl.outputs import load_outputs
from tests.cases import case

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


class _Pool:
    """An identity pool without a server; the token of a user is the user's name."""

    def __init__(self, store: Store, **auth: Any) -> None:
        self.now = 1_800_000_000.0
        section = load_outputs(OUTPUTS).auth
        assert section is not None
        changed = dataclasses.replace(section, **auth)
        self._id = changed.identity_pool_id
        self.pool = IdentityPool(
            changed, store, lambda: self.now, lambda name: {"sub": name, "token_use": "id"}
        )

    def _call(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        call = Call(operation, given, "InvalidParameterException")
        return self.pool.operations[operation].handler(call)

    def identity(self, **logins: str) -> str:
        given = {"IdentityPoolId": self._id, "Logins": logins}
        identity: str = self._call("GetId", given)["IdentityId"]
        return identity

    def credentials(self, identity: str, **logins: str) -> dict[str, Any]:
        given = {"IdentityId": identity, "Logins": logins}
        reply: dict[str, Any] = self._call("GetCredentialsForIdentity", given)["Credentials"]
        return reply


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(prepare(tmp_path))) as opened:
        yield opened


def test_credentials_last_an_hour(store: Store) -> None:
    """Expired credentials have no holder, and are deleted when others are issued."""
    found = _Pool(store)
    identity = found.identity()
    issued = found.credentials(identity)
    holder = found.pool.principal(issued["AccessKeyId"])
    assert holder is not None
    assert (holder.identity_id, holder.secret) == (identity, issued["SecretKey"])
    assert (holder.is_guest, holder.token) == (True, issued["SessionToken"])
    found.now += 3599
    assert found.pool.principal(issued["AccessKeyId"]) == holder
    found.now += 1
    assert found.pool.principal(issued["AccessKeyId"]) is None
    found.credentials(identity)
    with store.reading() as view:
        assert view.execute("SELECT count(*) FROM credentials").fetchone() == (1,)


def test_without_guests(store: Store) -> None:
    """If the pool allows no guests, only users get an identity and credentials."""
    guest = _Pool(store).identity()
    found = _Pool(store, unauthenticated_identities_enabled=False)
    for call in (found.identity, lambda: found.credentials(guest)):
        with pytest.raises(ServiceError, match="Unauthenticated access is not supported"):
            call()
    issued = found.credentials(found.identity(**{ISSUER: "ann"}), **{ISSUER: "ann"})
    holder = found.pool.principal(issued["AccessKeyId"])
    assert holder is not None
    assert not holder.is_guest
    # What the outputs file does not say is the default of Gen 2.
    assert _Pool(store, unauthenticated_identities_enabled=None).identity()


def test_identities_of_others(store: Store) -> None:
    """A user gets no credentials of another user, and a guest none of another pool."""
    found = _Pool(store)
    ann = found.identity(**{ISSUER: "ann"})
    assert found.credentials(ann, **{ISSUER: "ann"})
    other = _Pool(store, identity_pool_id="us-east-1:other")
    assert other.identity(**{ISSUER: "ann"}) != ann
    guest = found.identity()
    for refused, identity, logins, error in (
        (found, ann, {ISSUER: "eve"}, "not found"),
        (found, ann, {ISSUER: "ann", "accounts.example.com": "ann"}, "supported provider"),
        (other, guest, {}, "not found"),
    ):
        with case(identity, logins), pytest.raises(ServiceError, match=error):
            refused.credentials(identity, **logins)
    key = found.credentials(guest)["AccessKeyId"]
    assert other.pool.principal(key) is None


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
