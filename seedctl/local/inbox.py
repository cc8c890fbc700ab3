"""The outbox of one-time codes: what Cognito would send by SMS and e-mail is kept here instead."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.local.store import Store, View

_KEPT = 100

MFA = "MFA"
"""The purpose of a code that a sign-in asks for."""


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A one-time code on its way to a user."""

    user: str
    """The name people know: the address the user signs in by, else the user name."""
    username: str
    """The pool's internal name."""
    names: tuple[str, ...]
    """Every name that signs this user in."""
    method: str
    """``SMS`` or ``EMAIL``."""
    destination: str
    """The full address, where Cognito's own replies show a masked one."""
    code: str = field(repr=False)
    sent_at: float
    """Epoch seconds."""
    purpose: str = MFA
    """``MFA``, ``sign-up``, ``password reset``, or ``verification of`` an attribute."""

    def is_for(self, name: str) -> bool:
        """Whether *name*, in whatever case, is one of the user's."""
        return name.lower() in (known.lower() for known in self.names)


def deliver(view: View, message: InboxMessage) -> None:
    document = asdict(message)
    secret = view.seal.close(document.pop("code"), "message", message.username)
    view.put("message", **document, secret=secret)
    view.execute(
        "DELETE FROM message WHERE number <= (SELECT max(number) FROM message) - ?", (_KEPT,)
    )


def messages(store: Store) -> list[InboxMessage]:
    """Return what was sent last, newest first."""
    found = []
    with store.reading() as view:
        for row in view.rows("SELECT * FROM message ORDER BY number DESC"):
            code = view.seal.open(row.pop("secret"), "message", row["username"])
            del row["number"]
            found.append(InboxMessage(**{**row, "names": tuple(row["names"])}, code=code))
    return found


def read_inbox(state_folder: Path) -> list[InboxMessage]:
    """Return the last codes sent by the local sandbox of *state_folder*, newest first.

    A sandbox may be running on that state or not; without any state there are none.
    Raises LocalSandboxError.
    """
    from seedctl.local.state_folder import has_state, prepare  # noqa: PLC0415
    from seedctl.local.store import Store  # noqa: PLC0415

    if not has_state(state_folder):
        return []
    with closing(Store.open(prepare(state_folder))) as store:
        return messages(store)
