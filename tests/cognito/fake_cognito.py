"""A fake Cognito in place of the AWS caller, which behaves as in the recorded flows."""

from __future__ import annotations

import base64
import hmac
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from seedctl import srp
from seedctl.aws.calls import AWS
from seedctl.cognito.identity import IdentityPool
from seedctl.cognito.journal import Journal
from seedctl.cognito.pool import UserPool
from seedctl.errors import CognitoError, MFACodeUnavailableError, NotAuthorizedException
from seedctl.outputs import AuthSection, OutputsSource, UserGroup
from seedctl.report import Report
from seedctl.users.auth import Auth
from seedctl.users.session import SessionServices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedctl.prompter import CodeRequest

INTERNAL = "0f4a1c9e-70b1-4d2e-9c55-3f1f7f1a2b3c"
POOL = "us-east-1_AbCdEfGhI"
ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
SECRET_CODE = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PRIVATE_B = 0xB0B
SECRET_BLOCK = base64.b64encode(b"block" * 40).decode()


class FakeCognito(AWS):
    """Checks every SRP signature, stores one user, and records each request.

    *faults* maps (operation, how many times it was called before) to what is raised in its place;
    with *after* the work is done first, as when only the answer is lost.
    """

    is_local = False
    is_emulator = True
    max_attempts = 3

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.password: str | None = None
        self.must_change = False
        self.faults: dict[tuple[str, int], Exception] = {}
        self.faults_after: dict[tuple[str, int], Exception] = {}
        self.required_attributes = "[]"  # that the user lacks at the new password
        self.sign_in_challenge: str | None = None
        self.sign_in_parameters: dict[str, str] = {}
        # The challenges after the new password, with their parameters, in order.
        self.after_new_password: list[tuple[str, dict[str, str]]] = []
        self.revocation = True
        # NewDeviceMetadata, which a pool that remembers devices sends with the tokens of a sign-in.
        self.new_device: dict[str, str] | None = None
        self._sessions = 0
        self._exchange: tuple[int, int, int] = (0, 0, 0)

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        assert service == "cognito-idp"
        assert region == "us-east-1"
        before = sum(1 for name, _ in self.requests if name == operation)
        self.requests.append((operation, dict(parameters)))
        if (operation, before) in self.faults:
            raise self.faults[(operation, before)]
        reply: dict[str, Any] = getattr(self, f"_{operation}")(parameters)
        if (operation, before) in self.faults_after:
            raise self.faults_after[(operation, before)]
        return reply

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.requests]

    def _AdminCreateUser(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if self.password is not None:
            raise CognitoError("User account already exists", code="UsernameExistsException")
        self.password, self.must_change = parameters["TemporaryPassword"], True
        return {"User": {"Username": INTERNAL}}

    def _AdminAddUserToGroup(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def _InitiateAuth(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if parameters["AuthFlow"] == "REFRESH_TOKEN_AUTH":
            self._check_device(parameters["AuthParameters"])
            return {"AuthenticationResult": {**tokens(self.revocation), "RefreshToken": None}}
        if parameters["AuthParameters"]["USERNAME"] == "nobody@example.com":
            raise CognitoError("User does not exist.", code="UserNotFoundException")
        verifier, public_b = _server_side(self.password or "")
        public_a = int(parameters["AuthParameters"]["SRP_A"], 16)
        self._exchange = (verifier, public_b, public_a)
        return {
            "ChallengeName": "PASSWORD_VERIFIER",
            "ChallengeParameters": {
                "USERNAME": INTERNAL,
                "USER_ID_FOR_SRP": INTERNAL,
                "SALT": "5a17",
                "SRP_B": f"{public_b:x}",
                "SECRET_BLOCK": SECRET_BLOCK,
            },
        }

    def _RespondToAuthChallenge(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        name, answers = parameters["ChallengeName"], parameters["ChallengeResponses"]
        if name == "PASSWORD_VERIFIER":
            self._verify(answers)
            if self.must_change:
                return self._challenge("NEW_PASSWORD_REQUIRED")
        if name == "NEW_PASSWORD_REQUIRED":
            self.password, self.must_change = answers["NEW_PASSWORD"], False
        if name != "PASSWORD_VERIFIER":
            if name == self.sign_in_challenge and not self.after_new_password:
                return self._signed_in()
            if self.after_new_password:
                following, parameters = self.after_new_password.pop(0)
                return self._challenge(following, **parameters)
            if name != "NEW_PASSWORD_REQUIRED":
                return self._signed_in()
        if self.sign_in_challenge is not None:
            return self._challenge(self.sign_in_challenge, **self.sign_in_parameters)
        return self._signed_in()

    def _signed_in(self) -> dict[str, Any]:
        result = tokens(self.revocation)
        if self.new_device is not None:
            result["NewDeviceMetadata"] = self.new_device
        return {"AuthenticationResult": result}

    def _ConfirmDevice(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"UserConfirmationNecessary": False}

    def _check_device(self, parameters: Mapping[str, str]) -> None:
        expected = self.new_device["DeviceKey"] if self.new_device is not None else None
        if parameters.get("DEVICE_KEY") != expected:
            raise NotAuthorizedException("Invalid Refresh Token.")

    def _AssociateSoftwareToken(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"SecretCode": SECRET_CODE, "Session": self._next_session()}

    def _VerifySoftwareToken(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"Status": "SUCCESS", "Session": self._next_session()}

    def _SetUserMFAPreference(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def _RevokeToken(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def _GlobalSignOut(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def _challenge(self, name: str, **parameters: str) -> dict[str, Any]:
        return {
            "ChallengeName": name,
            "Session": self._next_session(),
            "ChallengeParameters": {"requiredAttributes": self.required_attributes, **parameters},
        }

    def _next_session(self) -> str:
        self._sessions += 1
        return f"SESSION-{self._sessions}"

    def _verify(self, answers: Mapping[str, str]) -> None:
        verifier, public_b, public_a = self._exchange
        u = srp.scrambler(public_a, public_b)
        shared = srp.power(public_a * srp.power(verifier, u) % srp.N, PRIVATE_B)
        expected = srp.claim_signature(
            srp.session_key(u, shared), "AbCdEfGhI", INTERNAL, SECRET_BLOCK, answers["TIMESTAMP"]
        )
        if not hmac.compare_digest(expected, answers["PASSWORD_CLAIM_SIGNATURE"]):
            raise NotAuthorizedException("Incorrect username or password.")


@cache
def _server_side(password: str) -> tuple[int, int]:
    """Return the verifier of *password* and the public value B that goes with it."""
    verifier = srp.power(srp.g, srp.private_key("AbCdEfGhI", INTERNAL, password, 0x5A17))
    return verifier, (srp.k * verifier + srp.power(srp.g, PRIVATE_B)) % srp.N


def jwt(**claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJSUzI1NiJ9.{body}.c2lnbmF0dXJl"


def tokens(revocation: bool = True) -> dict[str, Any]:
    access: dict[str, Any] = {"sub": INTERNAL, "username": INTERNAL, "token_use": "access"}
    if revocation:
        access["origin_jti"] = "11111111-2222-3333-4444-555555555555"
    return {
        "AccessToken": jwt(**access),
        "IdToken": jwt(
            **{"sub": INTERNAL, "cognito:username": INTERNAL, "token_use": "id", "iss": ISSUER}
        ),
        "RefreshToken": "opaque-refresh-token-0123456789",
        "ExpiresIn": 3600,
    }


def section(**changes: object) -> AuthSection:
    facts: dict[str, Any] = {
        "aws_region": "us-east-1",
        "user_pool_id": POOL,
        "user_pool_client_id": "client123",
        "username_attributes": ("email",),
        "groups": (UserGroup("admin", 0),),
        "mfa_configuration": "NONE",
    }
    return AuthSection(**{**facts, **changes})


class ScriptedCodes:
    """Returns the given codes in order, and records the requests for them."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.requests: list[CodeRequest] = []
        self.can_repeat = True

    def code(self, request: CodeRequest) -> str:
        self.requests.append(request)
        if not self.codes:
            raise MFACodeUnavailableError("nobody to ask")
        return self.codes.pop(0)


class KnownAuth(OutputsSource):
    """An outputs file with the given auth section."""

    def __init__(self, auth: AuthSection | None) -> None:
        self._auth = auth

    @property
    def auth(self) -> AuthSection | None:
        return self._auth

    def require_auth(self) -> AuthSection:
        assert self._auth is not None
        return self._auth


class _Unused:
    """A service that these tests must not use."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"these tests use no {name}")


def services(identity_pool: IdentityPool | None = None) -> SessionServices:
    """Return the services of a backend with only users, and perhaps an identity pool."""
    unused: Any = _Unused()
    return SessionServices(identity_pool or no_identities(), unused, unused)


def no_identities() -> IdentityPool:
    """Return an IdentityPool for a backend without an identity pool."""
    return IdentityPool(FakeCognito(), KnownAuth(section()))


class AuthHarness:
    """An Auth over a fake Cognito, with its report, journal and announcements."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.cognito = FakeCognito()
        self.report = Report()
        self.slept: list[float] = []
        self.announced = 0
        self.folder = folder
        self.codes = ScriptedCodes()
        self.settings = section(**settings)
        self.pool = UserPool(self.cognito, KnownAuth(self.settings))
        self.journal = Journal(folder, self.report.on_warning)
        self.auth = self.new_auth()

    def new_auth(self) -> Auth:
        return Auth(
            self.pool,
            self.journal,
            self.report,
            self._announce,
            services=services(),
            codes=self.codes,
            sleep=self.slept.append,
        )

    def leave_unfinished(self, username: str, *, was_created: bool = True) -> None:
        """Leave the marker of a run that was killed in the middle."""
        with self.journal.claim(self.settings.user_pool_id, username) as claim:
            if was_created:
                claim.mark_created()

    def markers(self) -> list[str]:
        return [path.name for path in self.folder.rglob("*") if path.is_file()]

    def states(self) -> list[str]:
        return [event.state for event in self.report.events if event.kind == "user"]

    def _announce(self) -> None:
        self.announced += 1
