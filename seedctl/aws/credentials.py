"""AWS access keys, and what an identity pool gives along with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol

_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request; shown without what is secret of it."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expiration: datetime | None = None
    """When they end; None for those that do not say."""

    @property
    def is_stale(self) -> bool:
        """Whether they end within five minutes, or have ended."""
        return (
            self.expiration is not None and datetime.now(timezone.utc) >= self.expiration - _MARGIN
        )


@dataclass(frozen=True, slots=True)
class IdentityCredentials:
    """What an identity pool gives for one identity."""

    identity_id: str
    credentials: Credentials


class Identity(Protocol):
    """Whoever acts on files: a signed-in user or a guest."""

    def bind(self) -> Identity:
        """Return whoever that is now, to be the same for all calls and threads of one task."""
        ...

    def credentials(self, *, renew: bool = False) -> IdentityCredentials | None:
        """Return the identity with keys that hold; None when the backend gives this caller none.

        With *renew* kept keys are not good enough: AWS has refused them.
        """
        ...

    def groups(self) -> tuple[str, ...] | None:
        """Return the user pool groups in the user's tokens; None for a guest."""
        ...
