"""The inbox of one-time codes: stores what Cognito would send by SMS and e-mail."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from seedctl.local.state_folder import has_state, prepare
from seedctl.local.store import Store, View

_LIMIT = 100

MFA = "MFA"
"""The purpose of a code that answers an MFA challenge."""


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A one-time code sent to a user."""

    user: str
    """The address the user signs in with, or else the user name."""
    username: str
    """The user name in the pool, which may be a UUID."""
    names: tuple[str, ...]
    """All names that the user can sign in with."""
    method: str
    """``SMS`` or ``EMAIL``."""
    destination: str
    """The unmasked address; Cognito's replies show it masked."""
    code: str = field(repr=False)
    sent_at: float
    """Epoch seconds."""
    purpose: str = MFA
    """``MFA``, ``sign-up``, ``password reset``, or ``verification of`` an attribute."""

    def is_for(self, name: str) -> bool:
        """Whether *name* is one of the user's names, ignoring case."""
        return name.lower() in (known.lower() for known in self.names)


def deliver(view: View, message: InboxMessage) -> None:
    document = asdict(message)
    secret = view.seal.encrypt(document.pop("code"), "message", message.username)
    view.put("message", **document, secret=secret)
    view.execute(
        "DELETE FROM message WHERE number <= (SELECT max(number) FROM message) - ?", (_LIMIT,)
    )


def messages(store: Store) -> list[InboxMessage]:
    """Return the last messages, newest first."""
    found = []
    with store.reading() as view:
        for row in view.rows("SELECT * FROM message ORDER BY number DESC"):
            code = view.seal.decrypt(row.pop("secret"), "message", row["username"])
            del row["number"]
            found.append(InboxMessage(**{**row, "names": tuple(row["names"])}, code=code))
    return found


def read_inbox(state_folder: Path) -> list[InboxMessage]:
    """Return the last codes sent by the local sandbox of *state_folder*, newest first.

    The list is empty if there is no state. The sandbox need not be running. Raises
    LocalSandboxError.
    """
    if not has_state(state_folder):
        return []
    with closing(Store.open(prepare(state_folder))) as store:
        return messages(store)
