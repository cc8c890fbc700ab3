"""The recorded sequence of sessions: who a guest and a signed-in user are to the identity pool."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.aws.calls import AWS
from seedctl.cognito.identity import IdentityPool
from seedctl.masking import mask
from seedctl.users.signed_in import AmbientAuth, GuestIdentity
from tests.cognito.fake_cognito import ISSUER, AuthHarness, KnownAuth, jwt, services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.aws.credentials import Identity
    from seedctl.cognito.types import AuthSession
    from seedctl.users.session import UserSession

DATA = Path(__file__).parent.parent / "data"
STEPS = {
    step["id"]: step
    for step in json.loads((DATA / "auth_session.json").read_text(encoding="utf-8"))["steps"]
}
USER, PASSWORD = "ann@example.com", "Password123!"
POOL_ID = "us-east-1:11111111-2222-3333-4444-555555555555"


class Identities(AWS):
    """Answers as the recorded identity pool did, and records the requests."""

    is_local = False
    is_emulator = True
    max_attempts = 1
    lifetime = timedelta(hours=1)

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        assert (service, region) == ("cognito-identity", "us-east-1")
        self.requests.append((operation, dict(parameters)))
        name = "auth-identity" if parameters.get("Logins") else "guest-identity"
        if operation == "GetId":
            return {"IdentityId": f"us-east-1:{name}"}
        keys: dict[str, Any] = {"AccessKeyId": "ASIAX", "SecretKey": "sk", "SessionToken": "st"}
        keys["Expiration"] = datetime.now(timezone.utc) + self.lifetime
        return {"IdentityId": parameters["IdentityId"], "Credentials": keys}

    def take_requests(self) -> list[tuple[str, dict[str, Any]]]:
        found, self.requests = self.requests, []
        return found


class Scene:
    """A backend with an identity pool, a user, and the module-level functions."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        options = {"identity_pool_id": POOL_ID, "unauthenticated_identities_enabled": True}
        self.harness = AuthHarness(folder, **{**options, **settings})
        self.aws = Identities()
        self.pool = IdentityPool(self.aws, KnownAuth(self.harness.settings))
        self.auth = AmbientAuth(self.harness.auth, self.pool)
        self.harness.auth.create_user(USER, PASSWORD)

    def sign_in(self) -> UserSession:
        session = self.auth.sign_in(USER, PASSWORD)
        session._services = services(self.pool)
        return session

    def check(self, step: str) -> AuthSession:
        """Fetch the session, and compare it and the requests it made with the recorded ones."""
        found = self.auth.fetch_auth_session(force_refresh=False)
        returned = STEPS[step]["returned"]
        assert found.identity_id == returned["identityId"]
        assert found.credentials is not None
        assert found.credentials.access_key_id == returned["credentials"]["accessKeyId"]
        assert found.credentials.secret_access_key == returned["credentials"]["secretAccessKey"]
        assert found.credentials.session_token == returned["credentials"]["sessionToken"]
        issuer = f"cognito-idp.us-east-1.amazonaws.com/{self.harness.settings.user_pool_id}"
        assert self.aws.take_requests() == [
            (
                request["headers"]["x-amz-target"].partition(".")[2],
                _with_login(request["body"], issuer, found.id_token),
            )
            for request in STEPS[step]["http_requests"]
        ]
        return found


def _with_login(body: dict[str, Any], issuer: str, token: str | None) -> dict[str, Any]:
    return {**body, "Logins": {issuer: token}} if body.get("Logins") else body


def test_the_recorded_sequence(tmp_path: Path) -> None:
    """Guest, user, and guest again: the same requests, cached as long, and the same results."""
    scene = Scene(tmp_path)
    guest = scene.check("guest-fetchAuthSession")
    assert guest.access_token is None
    assert guest.user_sub is None
    scene.check("guest-fetchAuthSession-cached")
    with pytest.raises(errors.UserUnAuthenticatedException):
        scene.auth.session().current_user()
    session = scene.sign_in()
    user = scene.check("signedin-fetchAuthSession")
    assert user.user_sub == session.user_id
    assert user.access_token == session.tokens().access
    assert scene.auth.session().current_user().login_id == USER
    scene.check("signedin-fetchAuthSession-cached")
    scene.auth.sign_out()
    with pytest.raises(errors.UserUnAuthenticatedException):
        scene.auth.session().current_user()
    scene.check("after-signOut-fetchAuthSession")


@pytest.mark.parametrize("is_guest", [True, False], ids=["guest", "user"])
def test_threads_share_the_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_guest: bool
) -> None:
    """Threads that need credentials at the same time request them once."""
    scene = Scene(tmp_path)
    call, start = scene.aws.call, threading.Barrier(4)

    def call_slowly(*arguments: Any, **options: Any) -> dict[str, Any]:
        time.sleep(0.01)
        return call(*arguments, **options)

    monkeypatch.setattr(scene.aws, "call", call_slowly)
    get = scene.pool.for_guest if is_guest else scene.sign_in().identity.credentials

    def use(_: int) -> object:
        start.wait()
        return get()

    with ThreadPoolExecutor(4) as pool:
        assert len({id(each) for each in list(pool.map(use, range(4)))}) == 1
    operations = [operation for operation, _ in scene.aws.take_requests()]
    assert operations == ["GetId", "GetCredentialsForIdentity"]


def test_a_forced_refresh_gets_new_credentials(tmp_path: Path) -> None:
    """force_refresh refreshes tokens and credentials, of a user and of a guest."""
    scene = Scene(tmp_path)
    scene.auth.fetch_auth_session(force_refresh=True)
    scene.auth.fetch_auth_session(force_refresh=True)
    assert len(scene.aws.take_requests()) == 4
    session = scene.sign_in()
    session.fetch_auth_session()
    scene.aws.take_requests()
    session.fetch_auth_session(force_refresh=True)
    assert [operation for operation, _ in scene.aws.take_requests()] == [
        "GetId",
        "GetCredentialsForIdentity",
    ]


def test_new_tokens_get_new_credentials(tmp_path: Path) -> None:
    """Credentials are cached for one token: after a refresh they are requested with the new one."""
    scene = Scene(tmp_path)
    scene.harness.cognito.call = _renewing(scene.harness.cognito.call)  # type: ignore[method-assign]
    session = scene.sign_in()
    asked = []
    for _ in range(2):
        session.identity.credentials()
        session.identity.credentials()  # cached
        token = session.tokens().id
        login = {
            f"cognito-idp.us-east-1.amazonaws.com/{scene.harness.settings.user_pool_id}": token
        }
        asked += scene.aws.take_requests()
        assert [parameters["Logins"] for _, parameters in asked] == [login, login]
        asked.clear()
        session.tokens(force_refresh=True)  # refreshes the tokens only


def test_credentials_are_renewed_before_they_expire(tmp_path: Path) -> None:
    """Five minutes before, so that they do not expire during an upload; a guest's too."""
    scene = Scene(tmp_path)
    identities: list[Identity] = [GuestIdentity(scene.pool), scene.sign_in().identity]
    for minutes, requests in ((6, 2), (4, 4)):
        scene.aws.lifetime = timedelta(minutes=minutes)
        for identity in identities:
            identity.credentials(renew=True)
            identity.credentials()
            assert len(scene.aws.take_requests()) == requests


def test_the_guest_is_forgotten_at_each_sign_in_and_sign_out(tmp_path: Path) -> None:
    """As in the JavaScript client, another guest follows."""
    scene = Scene(tmp_path)
    scene.pool.for_guest()
    scene.sign_in()
    for is_signed_in in (True, False):
        if not is_signed_in:
            scene.auth.sign_out()
        scene.aws.take_requests()
        scene.pool.for_guest()
        assert len(scene.aws.take_requests()) == 2
        scene.pool.for_guest()
        assert scene.aws.take_requests() == []


def test_the_groups_of_a_user(tmp_path: Path) -> None:
    """They are those of the user's tokens, by which rules of buckets allow access; a guest has none."""
    scene = Scene(tmp_path)
    session = scene.sign_in()
    assert session.identity.groups() == ()
    assert session._tokens is not None
    token = jwt(**{"cognito:groups": ["admin", "staff"]})
    session._tokens = replace(session._tokens, id=token)
    assert session.identity.groups() == ("admin", "staff")
    assert GuestIdentity(scene.pool).groups() is None


def _renewing(call: Any) -> Any:
    """Have Cognito give another ID token with each refresh."""

    def renewing(service: str, operation: str, parameters: Any, **options: Any) -> dict[str, Any]:
        reply: dict[str, Any] = call(service, operation, parameters, **options)
        if parameters.get("AuthFlow") == "REFRESH_TOKEN_AUTH":
            reply["AuthenticationResult"]["IdToken"] = jwt(
                sub="another", token_use="id", iss=ISSUER
            )
        return reply

    return renewing


def test_no_guest_session_if_guests_are_not_allowed(tmp_path: Path) -> None:
    """Without a user, a backend that allows no guests gives an empty session and no error."""
    for settings in ({"unauthenticated_identities_enabled": False}, {"identity_pool_id": None}):
        scene = Scene(tmp_path, **settings)
        found = scene.auth.fetch_auth_session(force_refresh=False)
        assert (found.identity_id, found.credentials) == (None, None)
        assert scene.aws.take_requests() == []
    assert IdentityPool(Identities(), KnownAuth(None)).for_guest() is None


def test_credentials_are_shown_without_their_secret(tmp_path: Path) -> None:
    """The repr of a session contains neither key nor token, and what shows them is masked."""
    scene = Scene(tmp_path)
    scene.aws.call = _secretive(scene.aws.call)  # type: ignore[method-assign]
    shown = repr(scene.auth.fetch_auth_session(force_refresh=False))
    assert "very-secret" not in shown
    assert "us-east-1:guest-identity" in shown
    assert mask("very-secret-1 very-secret-2") == "*** ***"


def _secretive(call: Any) -> Any:
    def secretive(*arguments: Any, **options: Any) -> dict[str, Any]:
        reply: dict[str, Any] = call(*arguments, **options)
        if "Credentials" in reply:
            reply["Credentials"].update(SecretKey="very-secret-1", SessionToken="very-secret-2")
        return reply

    return secretive
