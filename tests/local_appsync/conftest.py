"""A sandbox with a GraphQL API on a fake clock, and callers of every kind."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.local import LocalSandbox
from seedctl.local.appsync import engine
from seedctl.local.appsync.documents import read_document
from seedctl.local.appsync.introspection import deployed_models
from seedctl.local.appsync.schema import build
from seedctl.outputs import AmplifyOutputs, AuthSection, load_outputs, parse_outputs
from seedctl.srp import ClientExchange, format_timestamp
from tests.fake_clock import FakeClock
from tests.keep_alive import KeepAlive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from graphql import GraphQLSchema

    from seedctl.local.appsync.introspection import Model
    from seedctl.outputs.model_schema import ModelSources
    from seedctl.outputs.models import Introspection

DATA = Path(__file__).parent.parent / "data"
PASSWORD = "Final-456-word"
_EXAMPLES: dict[str, AmplifyOutputs] = {}
_SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/appsync/aws4_request, "
    "SignedHeaders=host, Signature=00"
)


@dataclass
class API:
    """Sends requests to one sandbox; each request has the headers of its caller."""

    sandbox: LocalSandbox
    outputs: AmplifyOutputs
    clock: FakeClock

    def __post_init__(self) -> None:
        # Not at the first use, which may be in several threads at once.
        self.connection = KeepAlive(int(self.sandbox.url.rpartition(":")[2]))

    @property
    def auth(self) -> AuthSection:
        assert self.outputs.auth is not None
        return self.outputs.auth

    @property
    def key(self) -> dict[str, str]:
        return {"x-api-key": self.outputs.document["data"]["api_key"]}

    @property
    def developer(self) -> dict[str, str]:
        return self.signed("local")

    def signed(self, access_key_id: str) -> dict[str, str]:
        return {"Authorization": _SIGNATURE.format(key=access_key_id)}

    def post(
        self, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], Any]:
        status, lowered, answer = self.connection.send("POST", path, body, headers)
        return status, lowered, json.loads(answer)

    def send(
        self, headers: dict[str, str], query: object, variables: object = None
    ) -> tuple[int, dict[str, str], Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        return self.post("/graphql", body, {"content-type": "application/json", **headers})

    def execute(self, headers: dict[str, str], query: str, variables: object = None) -> Any:
        """Return the whole response to a request that is executed."""
        status, _, document = self.send(headers, query, variables)
        assert status == 200, document
        return document

    def data(self, headers: dict[str, str], query: str, variables: object = None) -> Any:
        """Return the only root field of a response without errors."""
        document = self.execute(headers, query, variables)
        assert "errors" not in document, document
        (value,) = document["data"].values()
        return value

    def error(self, headers: dict[str, str], query: str, variables: object = None) -> Any:
        """Return the only error of a response."""
        document = self.execute(headers, query, variables)
        (error,) = document["errors"]
        return error

    def cognito(self, operation: str, **given: object) -> Any:
        headers = {
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": _SIGNATURE.format(key="local").replace("appsync", "cognito-idp"),
        }
        status, _, document = self.post("/", json.dumps(given).encode(), headers)
        assert status == 200, document
        return document

    def sign_in(self, name: str, *groups: str) -> dict[str, Any]:
        """Create a user in *groups* and return the tokens of a sign-in."""
        auth = self.auth
        pool = {"UserPoolId": auth.user_pool_id, "Username": name}
        known = self.cognito("ListUsers", UserPoolId=auth.user_pool_id)["Users"]
        if not any(name in {each["Value"] for each in user["Attributes"]} for user in known):
            self.cognito("AdminCreateUser", **pool, MessageAction="SUPPRESS")
            self.cognito("AdminSetUserPassword", **pool, Password=PASSWORD, Permanent=True)
        present = self.cognito("ListGroups", UserPoolId=auth.user_pool_id)["Groups"]
        for group in groups:
            if group not in {each["GroupName"] for each in present}:
                self.cognito("CreateGroup", UserPoolId=auth.user_pool_id, GroupName=group)
            self.cognito("AdminAddUserToGroup", **pool, GroupName=group)
        exchange = ClientExchange.start()
        challenge = self.cognito(
            "InitiateAuth",
            ClientId=auth.user_pool_client_id,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": name, "SRP_A": exchange.srp_a},
        )["ChallengeParameters"]
        stamp = format_timestamp(datetime.fromtimestamp(self.clock(), timezone.utc))
        signature = exchange.sign(
            pool_name=auth.user_pool_name,
            user_id=challenge["USER_ID_FOR_SRP"],
            password=PASSWORD,
            salt=challenge["SALT"],
            srp_b=challenge["SRP_B"],
            secret_block=challenge["SECRET_BLOCK"],
            timestamp=stamp,
        )
        answer = self.cognito(
            "RespondToAuthChallenge",
            ClientId=auth.user_pool_client_id,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses={
                "USERNAME": challenge["USER_ID_FOR_SRP"],
                "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
                "TIMESTAMP": stamp,
                "PASSWORD_CLAIM_SIGNATURE": signature,
            },
        )
        result: dict[str, Any] = answer["AuthenticationResult"]
        return result

    def user(self, name: str, *groups: str) -> dict[str, str]:
        """Return the headers of a signed-in user."""
        return {"Authorization": self.sign_in(name, *groups)["AccessToken"]}


def example(name: str) -> AmplifyOutputs:
    if name not in _EXAMPLES:
        _EXAMPLES[name] = load_outputs(DATA / "outputs" / name)
    return _EXAMPLES[name]


@cache
def _models_and_schema(name: str) -> tuple[dict[str, Model], GraphQLSchema]:
    introspection = _introspection(name)
    models = deployed_models(introspection)
    return models, build(introspection, models)


def _introspection(name: str) -> Any:
    data = example(name).data
    return data and data.schema


@pytest.fixture(scope="module", autouse=True)
def _quick_engines() -> Iterator[None]:
    """Let engines share what is the same in every sandbox: an example's schema, and documents.

    The work for these would be most of the processor time of the tests of the API.
    """

    def models_of(introspection: Introspection, sources: ModelSources) -> Mapping[str, Model]:
        for name in () if sources else _EXAMPLES:
            if _introspection(name) is introspection:
                return _models_and_schema(name)[0]
        return deployed_models(introspection, sources)

    def schema_of(introspection: Introspection, models: Mapping[str, Model]) -> GraphQLSchema:
        for name in _EXAMPLES:
            if _introspection(name) is introspection and models is _models_and_schema(name)[0]:
                return _models_and_schema(name)[1]
        return build(introspection, models)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "deployed_models", models_of)
        patch.setattr(engine, "build", schema_of)
        patch.setattr(engine, "read_document", lru_cache(1024)(read_document))
        yield


@pytest.fixture(scope="session")
def _keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with its tables and the key of the examples' pool, which is quicker to copy."""
    folder = tmp_path_factory.mktemp("template") / "state"
    outputs = example("todo_userpool.json")
    with LocalSandbox.start(state_folder=folder, outputs=outputs) as sandbox:
        api = API(sandbox, outputs, FakeClock())
        path = f"/{api.auth.user_pool_id}/.well-known/jwks.json"
        assert api.connection.send("GET", path, None, {})[0] == 200
        api.connection.close()
    return folder


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def start(tmp_path: Path, clock: FakeClock, _keys: Path) -> Iterator[Callable[..., API]]:
    """Start sandboxes on one state; none may have had an internal error at the end."""
    with _starting(tmp_path / "state", clock, _keys) as start_one:
        yield start_one


@pytest.fixture(scope="module")
def start_shared(
    tmp_path_factory: pytest.TempPathFactory, _keys: Path
) -> Iterator[Callable[..., API]]:
    """Start sandboxes for the tests of a module that only read."""
    with _starting(tmp_path_factory.mktemp("shared") / "state", FakeClock(), _keys) as start_one:
        yield start_one


@contextmanager
def _starting(folder: Path, clock: FakeClock, keys: Path) -> Iterator[Callable[..., API]]:
    shutil.copytree(keys, folder)
    started = []

    def start_one(outputs: AmplifyOutputs | str | dict[str, object]) -> API:
        if isinstance(outputs, str):
            outputs = example(outputs)
        elif isinstance(outputs, dict):
            outputs = parse_outputs(outputs, Path("amplify_outputs.json"))
        sandbox = LocalSandbox.start(state_folder=folder, outputs=outputs, clock=clock)
        started.append(API(sandbox, outputs, clock))
        return started[-1]

    yield start_one
    for api in started:
        api.connection.close()
        api.sandbox.stop()
        assert api.sandbox.handler_errors == []


@pytest.fixture
def todo(start: Callable[..., API]) -> API:
    return start("todo_userpool.json")


@pytest.fixture
def blog(start: Callable[..., API]) -> API:
    return start("blog_apikey.json")


@pytest.fixture
def store(start: Callable[..., API]) -> API:
    return start("store_userpool.json")


@pytest.fixture
def ruled(start: Callable[..., API]) -> API:
    """Models with one kind of rule each."""
    return start("auth_rules.json")


@pytest.fixture
def people(start: Callable[..., API]) -> API:
    return start("people_apikey.json")
