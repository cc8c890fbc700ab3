"""Who AppSync and S3 see: a signed-in user, or a guest of the identity pool."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from seedctl.aws import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.auth.ambient import AmbientAuth
    from seedctl.auth.session import UserSession
    from seedctl.aws import Caller
    from seedctl.project import AuthSection

_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class IdentityCredentials:
    """What an identity pool gives for one identity."""

    identity_id: str
    credentials: Credentials
    expiration: datetime

    @property
    def is_stale(self) -> bool:
        return datetime.now(timezone.utc) >= self.expiration - _MARGIN


class IdentityPool:
    """The identity pool of one backend. Thread-safe."""

    def __init__(self, aws: Caller, settings: AuthSection) -> None:
        self._aws = aws
        self._settings = settings
        self._lock = threading.Lock()
        self._guest: IdentityCredentials | None = None

    def for_user(self, id_token: str) -> IdentityCredentials | None:
        """Return credentials of the user of *id_token*; None when there is no identity pool."""
        settings = self._settings
        issuer = f"cognito-idp.{settings.user_pool_region}.amazonaws.com/{settings.user_pool_id}"
        return self._fetch({issuer: id_token})

    def for_guest(self) -> IdentityCredentials | None:
        """Return a guest's credentials; None when the backend lets no guests in."""
        if not self._settings.unauthenticated_identities_enabled:
            return None
        with self._lock:
            if self._guest is None or self._guest.is_stale:
                self._guest = self._fetch({})
            return self._guest

    def _fetch(self, logins: dict[str, str]) -> IdentityCredentials | None:
        pool = self._settings.identity_pool_id
        if pool is None:
            return None
        # For a guest the JavaScript client sends empty Logins here, and none below.
        identity = self._call("GetId", {"IdentityPoolId": pool, "Logins": logins})["IdentityId"]
        known = {"Logins": logins} if logins else {}
        reply = self._call("GetCredentialsForIdentity", {"IdentityId": identity, **known})
        keys = reply["Credentials"]
        return IdentityCredentials(
            # The answer's, which can be another one than was asked for.
            reply["IdentityId"],
            Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"]),
            keys["Expiration"],
        )

    def _call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert self._settings.identity_pool_id is not None
        region = self._settings.identity_pool_id.partition(":")[0]
        return self._aws.call("cognito-identity", operation, parameters, region=region)


class SessionIdentity:
    """One user, as long as its session lasts."""

    def __init__(self, session: UserSession, pool: Callable[[], IdentityPool]) -> None:
        self._session = session
        self._pool = pool
        self._lock = threading.Lock()
        self._kept: IdentityCredentials | None = None

    def access_token(self) -> str | None:
        return self._session.fetch_auth_session().access_token

    def credentials(self) -> Credentials | None:
        # First the token: a session that has ended gets nothing, kept or not.
        token = self._session.fetch_auth_session().id_token
        assert token is not None
        with self._lock:
            if self._kept is None or self._kept.is_stale:
                self._kept = self._pool().for_user(token)
            return self._kept.credentials if self._kept is not None else None


class AmbientIdentity:
    """Whoever is signed in when asked, and a guest when nobody is."""

    def __init__(self, door: AmbientAuth, pool: Callable[[], IdentityPool]) -> None:
        self._door = door
        self._pool = pool

    def access_token(self) -> str | None:
        session = self._door.signed_in()
        return session.identity.access_token() if session is not None else None

    def credentials(self) -> Credentials | None:
        session = self._door.signed_in()
        if session is not None:
            return session.identity.credentials()
        guest = self._pool().for_guest()
        return guest.credentials if guest is not None else None
