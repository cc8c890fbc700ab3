"""A sandbox with a fake clock, and a client that uses its HTTP protocol without boto3."""

from __future__ import annotations

import json
import shutil
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyotp
import pytest

from seedctl.local import LocalSandbox, blueprint
from seedctl.outputs import AmplifyOutputs, AuthSection, parse_outputs
from seedctl.srp import ClientExchange, format_timestamp
from tests.fake_clock import FakeClock
from tests.keep_alive import KeepAlive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEMPORARY = "Temp-123-word"
PASSWORD = "Final-456-word"

_WITH_CLIENT = {"InitiateAuth", "RespondToAuthChallenge", "RevokeToken"}
_WITH_CLIENT |= {"GetTokensFromRefreshToken", "SignUp", "ConfirmSignUp"}
_WITH_CLIENT |= {"ResendConfirmationCode", "ForgotPassword", "ConfirmForgotPassword"}
_WITH_TOKEN = {"GetUser", "ChangePassword", "UpdateUserAttributes", "GlobalSignOut"}
_WITH_TOKEN |= {"AssociateSoftwareToken", "VerifySoftwareToken", "SetUserMFAPreference"}
_WITH_TOKEN |= {"GetUserAttributeVerificationCode", "VerifyUserAttribute"}
_WITH_TOKEN |= {"DeleteUserAttributes", "DeleteUser"}


@dataclass
class Client:
    """Calls one sandbox; returns errors as the text ``Code: message``."""

    sandbox: LocalSandbox
    outputs: AmplifyOutputs
    clock: FakeClock

    def __post_init__(self) -> None:
        # Not at the first use, which may be in several threads at once.
        self.connection = KeepAlive(self.port)

    @property
    def port(self) -> int:
        return int(self.sandbox.url.rpartition(":")[2])

    @property
    def auth(self) -> AuthSection:
        assert self.outputs.auth is not None
        return self.outputs.auth

    @property
    def pool_id(self) -> str:
        return self.auth.user_pool_id

    @property
    def client_id(self) -> str:
        return self.auth.user_pool_client_id

    def send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        return self.connection.send(method, path, body, headers)

    def post(
        self, target: str, body: bytes, *, service: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        if service is not None:
            headers["Authorization"] = (
                f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/{service}/"
                "aws4_request, SignedHeaders=host, Signature=00"
            )
        return self.send("POST", "/", body, headers)

    def _call(
        self, prefix: str, service: str, operation: str, given: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        body = json.dumps(given).encode()
        status, _, answer = self.post(f"{prefix}.{operation}", body, service=service)
        document = json.loads(answer)
        assert status in {200, 400}, document
        return status, document

    def _cognito(self, operation: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        defaults = {"UserPoolId": self.pool_id}
        if operation in _WITH_CLIENT:
            defaults = {"ClientId": self.client_id}
        elif operation in _WITH_TOKEN:
            defaults = {}
        return self._call(
            "AWSCognitoIdentityProviderService", "cognito-idp", operation, {**defaults, **given}
        )

    def cognito(self, operation: str, **given: object) -> dict[str, Any]:
        status, document = self._cognito(operation, given)
        assert status == 200, document
        return document

    def cognito_refusal(self, operation: str, **given: object) -> str:
        return _refusal(self._cognito(operation, given))

    def ssm(self, operation: str, **given: object) -> dict[str, Any]:
        status, document = self._call("AmazonSSM", "ssm", operation, given)
        assert status == 200, document
        return document

    def ssm_refusal(self, operation: str, **given: object) -> str:
        return _refusal(self._call("AmazonSSM", "ssm", operation, given))

    def create(self, name: str, password: str = TEMPORARY, /, **attributes: str) -> dict[str, Any]:
        reply = self.cognito(
            "AdminCreateUser",
            Username=name,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
            UserAttributes=pairs(**attributes),
        )
        user: dict[str, Any] = reply["User"]
        return user

    def proof(self, name: str, password: str, **changes: str) -> dict[str, Any]:
        """Begin a sign-in and return the PASSWORD_VERIFIER answer that completes it."""
        exchange = ClientExchange.start()
        challenge = self.cognito(
            "InitiateAuth",
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": name, "SRP_A": exchange.srp_a},
        )
        assert challenge["ChallengeName"] == "PASSWORD_VERIFIER"
        assert "Session" not in challenge
        parameters = challenge["ChallengeParameters"]
        timestamp = changes.get("TIMESTAMP") or format_timestamp(
            datetime.fromtimestamp(self.clock(), timezone.utc)
        )
        signature = exchange.sign(
            pool_name=self.pool_id.partition("_")[2],
            user_id=parameters["USER_ID_FOR_SRP"],
            password=password,
            salt=parameters["SALT"],
            srp_b=parameters["SRP_B"],
            secret_block=parameters["SECRET_BLOCK"],
            timestamp=timestamp,
        )
        return {
            "ChallengeName": "PASSWORD_VERIFIER",
            "ChallengeResponses": {
                "USERNAME": parameters["USER_ID_FOR_SRP"],
                "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
                "TIMESTAMP": timestamp,
                "PASSWORD_CLAIM_SIGNATURE": signature,
                **changes,
            },
        }

    def sign_in(self, name: str, password: str = PASSWORD) -> dict[str, Any]:
        return self.cognito("RespondToAuthChallenge", **self.proof(name, password))

    def sign_in_refusal(self, name: str, password: str = PASSWORD, **changes: str) -> str:
        return self.cognito_refusal(
            "RespondToAuthChallenge", **self.proof(name, password, **changes)
        )

    def new_password(self, challenge: dict[str, Any], **responses: str) -> dict[str, Any]:
        """Return the response to NEW_PASSWORD_REQUIRED."""
        assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED", challenge
        return {
            "ChallengeName": "NEW_PASSWORD_REQUIRED",
            "Session": challenge["Session"],
            "ChallengeResponses": {
                "USERNAME": challenge["ChallengeParameters"]["USER_ID_FOR_SRP"],
                "NEW_PASSWORD": PASSWORD,
                **responses,
            },
        }

    def answering(self, challenge: dict[str, Any], **responses: str) -> dict[str, Any]:
        """Return the response to any challenge with a session."""
        user_id = challenge["ChallengeParameters"]["USER_ID_FOR_SRP"]
        return {
            "ChallengeName": challenge["ChallengeName"],
            "Session": challenge["Session"],
            "ChallengeResponses": {"USERNAME": user_id, **responses},
        }

    def answer(self, challenge: dict[str, Any], **responses: str) -> dict[str, Any]:
        return self.cognito("RespondToAuthChallenge", **self.answering(challenge, **responses))

    def answer_refusal(self, challenge: dict[str, Any], **responses: str) -> str:
        given = self.answering(challenge, **responses)
        return self.cognito_refusal("RespondToAuthChallenge", **given)

    def totp(self, secret: str, *, steps: int = 0) -> str:
        """Return the authenticator's code, *steps* of 30 seconds from now."""
        return pyotp.TOTP(secret).at(int(self.clock()) + 30 * steps)

    def attributes(self, name: str) -> dict[str, str]:
        """Return the attributes of a user that an administrator sees, without ``sub``."""
        shown = self.cognito("AdminGetUser", Username=name)["UserAttributes"]
        return {item["Name"]: item["Value"] for item in shown if item["Name"] != "sub"}

    def last_code(self) -> str:
        return self.sandbox.inbox()[0].code

    def tokens(self, name: str, /, **attributes: str) -> dict[str, Any]:
        """Create a user, set its password as seeding does, and return its tokens."""
        self.create(name, **attributes)
        challenge = self.sign_in(name, TEMPORARY)
        reply = self.cognito("RespondToAuthChallenge", **self.new_password(challenge))
        result: dict[str, Any] = reply["AuthenticationResult"]
        return result


def pairs(**attributes: str) -> list[dict[str, str]]:
    """Return *attributes* of a user as Cognito's calls take them."""
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, without a check of its signature."""
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def _refusal(answer: tuple[int, dict[str, Any]]) -> str:
    status, document = answer
    assert status == 400, document
    return f"{document['__type']}: {document.get('message', '')}"


def _outputs(**options: Any) -> AmplifyOutputs:
    return parse_outputs(blueprint.from_options(**options), Path("local_outputs.json"))


@pytest.fixture(scope="session")
def _state_with_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with its tables and a signing key, which is quicker to copy than to create."""
    folder = tmp_path_factory.mktemp("template") / "state"
    outputs = _outputs()
    with LocalSandbox.start(state_folder=folder, outputs=outputs) as sandbox:
        client = Client(sandbox, outputs, FakeClock())
        path = f"/{client.pool_id}/.well-known/jwks.json"
        assert client.send("GET", path, None, {})[0] == 200
        client.connection.close()
    return folder


@pytest.fixture
def state_folder(tmp_path: Path, _state_with_key: Path) -> Path:
    folder = tmp_path / "state"
    shutil.copytree(_state_with_key, folder)
    return folder


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def start(state_folder: Path, clock: FakeClock) -> Iterator[Callable[..., Client]]:
    """Start sandboxes on one state; at the end, no handler may have raised an exception."""
    started = []

    def start_one(outputs: AmplifyOutputs | None = None, **options: Any) -> Client:
        described = outputs or _outputs(**options)
        sandbox = LocalSandbox.start(state_folder=state_folder, outputs=described, clock=clock)
        started.append(Client(sandbox, described, clock))
        return started[-1]

    yield start_one
    for client in started:
        client.connection.close()
        client.sandbox.stop()
        assert client.sandbox.handler_errors == []


@pytest.fixture
def client(start: Callable[..., Client]) -> Client:
    """An e-mail pool with the groups ``admin``, ``EDITORS`` and ``READERS``."""
    return start(groups=("admin", "EDITORS", "READERS"))


@pytest.fixture(scope="session")
def outputs_of() -> Callable[..., AmplifyOutputs]:
    """Return the outputs of an e-mail pool with some values of the auth section replaced."""

    def make(**changes: object) -> AmplifyOutputs:
        document = blueprint.from_options()
        document["auth"] |= changes
        return parse_outputs(document, Path("local_outputs.json"))

    return make


@pytest.fixture(scope="session")
def passwords() -> tuple[str, str]:
    """Return the client's default temporary and final password."""
    return TEMPORARY, PASSWORD
