"""Who makes a storage call, with which credentials, and on which object."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Protocol

_RENEW_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials that sign requests. The repr shows no secrets."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expiration: datetime | None = None
    """When they expire; None if unknown."""

    @property
    def is_stale(self) -> bool:
        """Whether they have expired or will expire within five minutes."""
        return (
            self.expiration is not None
            and datetime.now(timezone.utc) >= self.expiration - _RENEW_BEFORE
        )


@dataclass(frozen=True, slots=True)
class IdentityCredentials:
    """One identity of an identity pool, with its temporary credentials."""

    identity_id: str
    credentials: Credentials


class Identity(Protocol):
    """Who makes storage calls: a signed-in user or a guest."""

    def bind(self) -> Identity:
        """Return the current user or guest, fixed for all calls and threads of one operation."""
        ...

    def credentials(self, *, renew: bool = False) -> IdentityCredentials | None:
        """Return the identity with valid credentials; None if the backend gives this caller none.

        With *renew* cached credentials are replaced, since AWS has rejected them.
        """
        ...

    def groups(self) -> tuple[str, ...] | None:
        """Return the user pool groups in the user's tokens; None for a guest."""
        ...


class ObjectLocation(NamedTuple):
    """One object: its bucket, key and region."""

    bucket: str
    key: str
    region: str
    accelerate: bool = False
    """Whether to use the S3 Transfer Acceleration endpoint."""
