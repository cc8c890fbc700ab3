"""The outbox of one-time codes, as those who sign users in read it."""

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
    """Have a code sent to a user with the temporary password; return the internal name."""
    username: str = client.create(name)["Username"]
    challenge = client.sign_in(name, "Temp-123-word")
    client.cognito("RespondToAuthChallenge", **client.new_password(challenge))
    return username


def test_messages(client: Any, state_folder: Path) -> None:
    """Newest first, each with everything one needs to know it by; not with the code in a repr."""
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
    """They are read without a server too, and a next one finds them."""
    send(client, ANN)
    messages = client.sandbox.inbox()
    client.sandbox.stop()
    assert read_inbox(state_folder) == messages
    with LocalSandbox.start(state_folder=state_folder, outputs=None) as sandbox:
        assert sandbox.inbox() == messages


def test_last_hundred_are_kept(tmp_path: Path) -> None:
    """Older ones are forgotten."""
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


def test_no_state(tmp_path: Path) -> None:
    """Without a state there are no messages, and none is made by asking."""
    assert read_inbox(tmp_path / "nothing") == []
    assert list(tmp_path.iterdir()) == []


def test_broken_state(client: Any, state_folder: Path) -> None:
    """A state that cannot be read is said to be so."""
    client.sandbox.stop()
    (state_folder / folders.FOLDER / folders.KEY).write_bytes(b"x" * 32)
    with pytest.raises(LocalSandboxError, match="does not fit"):
        read_inbox(state_folder)


def test_unreadable_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be entered is an error, and not an empty inbox."""

    def denied(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(LocalSandboxError, match="Permission denied"):
        read_inbox(tmp_path)
