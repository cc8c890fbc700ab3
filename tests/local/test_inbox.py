"""The outbox of one-time codes, as read by code that signs users in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import LocalSandboxError
from seedctl.local import InboxMessage, LocalSandbox, inbox, read_inbox
from seedctl.local import state_folder as folders
from seedctl.local.store import Store

ANN = "ann@example.com"
EVE = "Eve@Example.com"


@pytest.fixture
def client(start: Any) -> Any:
    """A pool that sends an e-mail at every sign-in."""
    return start(mfa_configuration="REQUIRED", mfa_methods=("EMAIL",))


def send(client: Any, name: str) -> str:
    """Send a code to a user with the temporary password; return the internal user name."""
    username: str = client.create(name)["Username"]
    challenge = client.sign_in(name, "Temp-123-word")
    client.cognito("RespondToAuthChallenge", **client.new_password(challenge))
    return username


def test_messages(client: Any, state_folder: Path) -> None:
    """Newest first, with all facts to find the right one; the repr hides the code."""
    assert client.sandbox.inbox() == []
    send(client, ANN)
    client.clock.advance(5)
    username = send(client, EVE)
    newest, older = client.sandbox.inbox()
    assert newest == InboxMessage(
        user=EVE,
        username=username,
        names=(EVE, username),
        method="EMAIL",
        destination=EVE,
        code=newest.code,
        sent_at=client.clock(),
    )
    assert older.user == ANN
    assert newest.code not in repr(newest)
    assert newest.is_for("EVE@example.com")
    assert newest.is_for(username)
    assert not newest.is_for(ANN)
    assert read_inbox(state_folder) == client.sandbox.inbox()


def test_messages_outlast_the_server(client: Any, state_folder: Path) -> None:
    """They can be read without a server, and a later server finds them."""
    send(client, ANN)
    messages = client.sandbox.inbox()
    client.sandbox.stop()
    assert read_inbox(state_folder) == messages
    with LocalSandbox.start(state_folder=state_folder, outputs=None) as sandbox:
        assert sandbox.inbox() == messages


def test_last_hundred_are_kept(tmp_path: Path) -> None:
    """Older messages are deleted."""
    store = Store.open(folders.prepare(tmp_path))
    sent = [
        InboxMessage(ANN, "ann", (ANN,), "EMAIL", ANN, f"{number:08}", number)
        for number in range(102)
    ]
    for message in sent:
        with store.transaction() as view:
            inbox.deliver(view, message)
    store.close()
    assert read_inbox(tmp_path) == sent[:1:-1]


def test_messages_of_the_same_moment(tmp_path: Path) -> None:
    """The one that was sent last comes first, whatever the clock says: a clock may be set back."""
    store = Store.open(folders.prepare(tmp_path))
    for code, moment in (("1", 20.0), ("2", 10.0), ("3", 10.0)):
        with store.transaction() as view:
            inbox.deliver(view, InboxMessage(ANN, "ann", (ANN,), "EMAIL", ANN, code, moment))
    store.close()
    assert [message.code for message in read_inbox(tmp_path)] == ["3", "2", "1"]


def test_no_state(tmp_path: Path) -> None:
    """Without a state there are no messages, and reading creates no state."""
    assert read_inbox(tmp_path / "nothing") == []
    assert list(tmp_path.iterdir()) == []


def test_broken_state(client: Any, state_folder: Path) -> None:
    """A state that cannot be read is an error."""
    client.sandbox.stop()
    (state_folder / folders.FOLDER / folders.KEY).write_bytes(b"x" * 32)
    with pytest.raises(LocalSandboxError, match="does not match"):
        read_inbox(state_folder)


def test_unreadable_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without permission is an error, not an empty outbox."""

    def denied(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(LocalSandboxError, match="Permission denied"):
        read_inbox(tmp_path)
