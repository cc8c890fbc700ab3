"""Data through a backend, as a script uses it, with the identity of the signed-in user."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect, data, errors
from seedctl.appsync.api import require_data
from seedctl.appsync.auth_modes import AuthOptions
from seedctl.aws.calls import AWS
from seedctl.cli.console import Console
from seedctl.cli.options import Settings
from seedctl.cli.run_report import ConsoleReport
from seedctl.cognito.identity import IdentityPool
from seedctl.outputs import load_outputs
from seedctl.outputs.introspection import parse_introspection
from seedctl.report import Event
from seedctl.users.session import SessionIdentity
from seedctl.users.signed_in import AmbientAuth, AmbientIdentity
from tests.appsync.appsync import DATA, ClientHarness
from tests.cognito.fake_cognito import ISSUER, AuthHarness, KnownAuth, jwt, no_identities
from tests.running import PASSWORD, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedctl import Backend


AUTH = load_outputs(DATA / "outputs" / "todo_userpool.json").auth


class FakeIdentityPool(AWS):
    """A fake identity pool whose credentials last for a given time."""

    is_local = False
    is_emulator = True
    max_attempts = 1

    def __init__(self, lasts: timedelta = timedelta(hours=1)) -> None:
        self.lasts = lasts
        self.calls: list[tuple[str, dict[str, Any], str | None]] = []

    def environment(self) -> dict[str, str | None]:
        return {}

    def call(
        self,
        service: str,
        operation: str,
        parameters: Any,
        *,
        region: str | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        self.calls.append((operation, dict(parameters), region))
        if operation == "GetId":
            return {"IdentityId": "us-east-1:first"}
        keys = {"AccessKeyId": "ASIA", "SecretKey": "secret", "SessionToken": "token"}
        keys["Expiration"] = datetime.now(timezone.utc) + self.lasts  # type: ignore[assignment]
        return {"IdentityId": "us-east-1:second", "Credentials": keys}


def test_guests_get_credentials_once() -> None:
    """A guest's credentials come from GetId and an empty login, and are cached until they expire."""
    assert AUTH is not None
    aws = FakeIdentityPool()
    pool = IdentityPool(aws, KnownAuth(AUTH))
    first = pool.for_guest()
    assert first is not None
    assert first.identity_id == "us-east-1:second"
    assert pool.for_guest() is first
    assert aws.calls == [
        ("GetId", {"IdentityPoolId": AUTH.identity_pool_id, "Logins": {}}, "us-east-1"),
        ("GetCredentialsForIdentity", {"IdentityId": "us-east-1:first"}, "us-east-1"),
    ]
    assert "secret" not in repr(first).replace("secret_access_key", "")
    short = FakeIdentityPool(timedelta(minutes=4))
    pool = IdentityPool(short, KnownAuth(AUTH))
    assert pool.for_guest() is not pool.for_guest()


def test_users_log_in_with_their_id_token(tmp_path: Path) -> None:
    """A user's credentials come from the id token under its issuer, until the user signs out."""
    assert AUTH is not None
    harness = AuthHarness(tmp_path / "state")
    ambient = AmbientAuth(harness.auth, no_identities())
    aws = FakeIdentityPool()
    pool = IdentityPool(aws, KnownAuth(AUTH))
    harness.auth.create_user("ann@example.com", PASSWORD)
    session = harness.auth.sign_in("ann@example.com", PASSWORD)
    user = SessionIdentity(session, pool)
    assert user.credentials() is user.credentials()
    tokens = session.fetch_auth_session()
    assert aws.calls[0][1]["Logins"] == {ISSUER.removeprefix("https://"): tokens.id_token}
    assert user.access_token() == tokens.access_token
    nobody = AmbientIdentity(ambient, pool)
    assert nobody.access_token() is None
    assert nobody.credentials() is not None
    session.sign_out()
    with pytest.raises(errors.UserUnAuthenticatedException):
        user.credentials()


@pytest.mark.parametrize(
    "domain", ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov"]
)
def test_the_logins_name_is_the_tokens_issuer(domain: str) -> None:
    """The name in Logins is the token's issuer, since each partition has its own domain."""
    assert AUTH is not None
    aws = FakeIdentityPool()
    name = f"cognito-idp.eusc-de-east-1.{domain}/eusc-de-east-1_Abc"
    token = jwt(iss=f"https://{name}")
    IdentityPool(aws, KnownAuth(AUTH)).for_user(token)
    assert [call[1]["Logins"] for call in aws.calls] == [{name: token}] * 2


@pytest.mark.parametrize("claims", [{}, {"iss": 5}])
def test_a_token_without_an_issuer_is_not_cognitos(claims: dict[str, Any]) -> None:
    """A token without an issuer raises, and nothing is sent to the identity pool."""
    assert AUTH is not None
    aws = FakeIdentityPool()
    with pytest.raises(errors.InvalidResponseError, match="names no issuer"):
        IdentityPool(aws, KnownAuth(AUTH)).for_user(jwt(**claims))
    assert aws.calls == []


def test_a_script_gets_a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """generate_client() returns a client of the current backend."""
    root = make_project(tmp_path / "app", outputs=None)
    shutil.copy(DATA / "outputs" / "todo_userpool.json", root / "amplify_outputs.json")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with connect(root, identifier="alice", target="none") as backend, backend.activate():
        client = data.generate_client()
        with pytest.raises(errors.MixedEndpointsError):
            client.models.Todo.list()
        with pytest.raises(errors.InvalidAuthModeError):
            data.generate_client(auth_mode="userPool", credentials="caller")
        data.generate_client(auth_mode="identityPool", credentials="caller")
        wrong: Any = "own"
        with pytest.raises(errors.InvalidAuthModeError, match="credentials='own'"):
            data.generate_client(credentials=wrong)
        transport = client._api.transport
        assert data.generate_client()._api.transport is transport
        transport._pool("https://example.com")
    assert transport._pools == {}  # closed with the backend


def test_a_client_reaches_an_emulator_as_its_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The developer's credentials sign, and an unreachable server raises as such."""
    root = make_project(tmp_path / "app", outputs=None)
    outputs = json.loads((DATA / "outputs" / "todo_userpool.json").read_text(encoding="utf-8"))
    outputs["data"]["url"] = "http://127.0.0.1:9/graphql"
    (root / "amplify_outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with connect(root, identifier="alice", target="none") as backend:
        client = backend.data.generate_client(credentials="caller")
        with pytest.raises(errors.InvalidCredentialError, match="no AWS credentials"):
            client.models.Todo.list()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with connect(root, identifier="alice", target="none") as backend:
        client = backend.data.generate_client(credentials="caller")
        with pytest.raises(errors.EndpointUnreachableError, match="Nothing was sent"):
            client.models.Todo.create({"content": "x"})


def test_a_session_has_a_client_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """session.data acts as the session's user, and raises after the sign-out."""
    root = make_project(tmp_path / "app", outputs=None)
    outputs = json.loads((DATA / "outputs" / "todo_userpool.json").read_text(encoding="utf-8"))
    outputs["data"]["url"] = "http://127.0.0.1:9/graphql"
    (root / "amplify_outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    harness = AuthHarness(tmp_path / "state")
    harness.auth.create_user("ann@example.com", PASSWORD)
    with connect(root, identifier="alice", target="none") as backend:
        session = harness.auth.sign_in("ann@example.com", PASSWORD)
        session._services = backend.auth._sessions._services
        assert session.data is session.data
        assert session.identity.access_token() == session.tokens().access
        with pytest.raises(errors.EndpointUnreachableError):
            session.data.models.Todo.list()
        session.sign_out()
        with pytest.raises(errors.NoSignedUser, match="has signed out"):
            session.data.models.Todo.list()


def test_no_data_section() -> None:
    """Without a data resource the error says where to add one."""
    outputs = load_outputs(DATA / "outputs" / "storage_only_multi_bucket.json")
    with pytest.raises(errors.NoEndpoint, match="no data section"):
        require_data(outputs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"models": []}, r"data\.model_introspection\.models is a list", id="models"),
        pytest.param({"models": {"T": {}}}, r"T\.primaryKeyInfo is null", id="no key"),
        pytest.param({"enums": {"E": {"values": [1]}}}, r"E\.values\[0\]", id="enum"),
        pytest.param(
            {"queries": {"q": {"name": "q", "isArray": False, "isRequired": True, "type": {}}}},
            r"q\.type is",
            id="type",
        ),
        pytest.param(
            {
                "queries": {
                    "q": {
                        "name": "q",
                        "isArray": False,
                        "isRequired": True,
                        "type": {"enum": "Nope"},
                    }
                }
            },
            r"queries\.q\.type is 'Nope'; expected a known enum",
            id="unknown type",
        ),
    ],
)
def test_a_broken_schema_names_the_place(change: Any, message: str, tmp_path: Path) -> None:
    """A schema that Amplify would not write raises, with the key path of the fault."""
    with pytest.raises(errors.InvalidAmplifyOutputsError, match=message):
        parse_introspection(change, tmp_path / "amplify_outputs.json")


def test_no_schema_means_no_models(tmp_path: Path) -> None:
    """Outputs without a schema have no models; a missing default auth mode counts as iam."""
    file = tmp_path / "amplify_outputs.json"
    file.write_text('{"version": "1", "data": {"url": "https://api.example", "aws_region": "r"}}')
    harness = ClientHarness(str(file))
    assert list(harness.models) == []
    assert harness.authorizer.resolve(AuthOptions()).mode == "iam"


def test_records_are_counted_by_model_and_state() -> None:
    """The final table counts records by model and state, and the totals sum them."""
    report = ConsoleReport(Console(Settings()))
    for model, state, count in (("Todo", "created", 5000), ("Post", "updated", 1)):
        for _ in range(count):
            report.on_event(Event("record", model, state))  # type: ignore[arg-type]
    assert len(report.records) == 2
    assert report.totals() == "5000 records created, 1 record updated"


class Schema(data.BaseDataClient):
    """A typed client, as ``seedctl types`` writes it."""

    models: Any
    enums: Any


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    root = make_project(tmp_path / "app", outputs=None)
    shutil.copy(DATA / "outputs" / "blog_apikey.json", root / "amplify_outputs.json")
    with connect(root, identifier="alice", target="none") as connected, connected.activate():
        yield connected


def test_a_schema_is_the_class_of_the_client(backend: Backend) -> None:
    """With a schema the client is an object of it, with the same models and options."""
    for generate in (data.generate_client, backend.data.generate_client):
        client = generate(Schema, auth_mode="apiKey", api_key="da2-other")
        assert type(client) is Schema
        assert list(client.models) == list(generate().models)
        assert client.enums.PostStatus.values() == ["DRAFT", "PUBLISHED", "ARCHIVED"]
        assert client._api.authorizer.client == AuthOptions("apiKey", None, "da2-other", None)
    assert type(data.generate_client()) is data.DataClient


def test_a_client_can_take_the_types_of_a_schema_later(backend: Backend) -> None:
    """The client of a session gets types with with_schema, and acts as before."""
    client = backend.data.generate_client(auth_mode="apiKey")
    typed = client.with_schema(Schema)
    assert type(typed) is Schema
    assert typed._api is client._api


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        pytest.param("apiKey", 'write auth_mode="apiKey"', id="an auth mode"),
        pytest.param(Schema.__init__, "Give the class Schema", id="a function"),
        pytest.param(dict, "Give the class Schema", id="another class"),
    ],
)
def test_a_schema_is_a_class_for_clients(backend: Backend, wrong: Any, advice: str) -> None:
    """The first argument was the auth mode before: the error says how to give one."""
    for generate in (data.generate_client, backend.data.generate_client):
        with pytest.raises(errors.InvalidInputError, match="The schema of a client is") as it:
            generate(wrong)
        assert advice in str(it.value.resolution)
