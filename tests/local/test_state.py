"""The state on disk: private, secrets encrypted, durable, shared by processes."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import sqlite3
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import LocalSandboxError
from seedctl.local import LocalSandbox, inbox, read_inbox, reset_state, state_folder, state_use
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.users import UserRecords
from seedctl.local.hosting import host_sandbox
from seedctl.local.running import find_server
from seedctl.local.seal import Seal
from seedctl.local.state_use import StateUse
from seedctl.local.store import FORMAT, Store, prefix_end
from tests.cases import case
from tests.keep_alive import send_once
from tests.sandbox_process import sandbox_process, url_of


def _store(folder: Path) -> Store:
    return Store.open(state_folder.prepare(folder))


def _put(folder: Path) -> None:
    store = _store(folder)
    with store.transaction() as view:
        view.put("guest", pool="p", id="a")
    store.close()


def _guests(store: Store) -> list[str]:
    with store.reading() as view:
        return [row["id"] for row in view.rows("SELECT * FROM guest ORDER BY id")]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_rows(tmp_path: Path) -> None:
    """A row replaces the row with the same key, and JSON columns are returned unchanged."""
    store = _store(tmp_path / "s")
    group: dict[str, Any] = {"pool": "p", "name": "g", "created": 0, "modified": 0, "removed": 0}
    message = {"user": "u", "username": "u", "method": "m", "destination": "d", "purpose": "p"}
    with store.transaction() as view:
        view.put("user_group", **group, description="old")
        view.put("user_group", **group, description="new")
        view.put("message", **message, names=["ä", "b"], sent_at=1.5, secret=b"x")
        assert [row["description"] for row in view.rows("SELECT * FROM user_group")] == ["new"]
        assert view.row("SELECT * FROM user_group WHERE name = ?", "other") is None
        (found,) = view.rows("SELECT names, sent_at FROM message WHERE user = :u", u="u")
    assert found == {"names": ["ä", "b"], "sent_at": 1.5}
    store.close()


def test_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    """A block that raises changes nothing, and the store still works."""
    store = _store(tmp_path / "s")

    def fail() -> None:
        with store.transaction() as view:
            view.put("guest", pool="p", id="a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert _guests(store) == []
    with store.transaction() as view:
        view.put("guest", pool="p", id="b")
    assert _guests(store) == ["b"]
    store.close()


def test_a_transaction_has_the_state_for_itself(tmp_path: Path) -> None:
    """From its beginning no other process can write, so what it reads is still so when it writes."""
    store = _store(tmp_path / "s")
    other = sqlite3.connect(store.path, timeout=0, isolation_level=None)
    with contextlib.closing(other):
        with store.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        with store.reading():
            other.execute("BEGIN IMMEDIATE")
    store.close()


def test_transaction_that_sqlite_ended(tmp_path: Path) -> None:
    """If SQLite has rolled back itself, as for a full disk, the error names the cause."""
    store = _store(tmp_path / "s")

    def fail() -> None:
        with store.transaction() as view:
            view.execute("ROLLBACK")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.reading() as view:
        view.execute("COMMIT")
    store.close()


def test_a_connection_that_stays_in_a_transaction(tmp_path: Path) -> None:
    """A connection whose transaction could not be ended is not used again."""
    store = _store(tmp_path)
    with store._pooled_connection() as connection:
        connection.execute("BEGIN IMMEDIATE")
    with store.transaction() as view:
        view.put("guest", pool="p", id="a")
    assert _guests(store) == ["a"]
    store.close()


def test_closing_while_in_use(tmp_path: Path) -> None:
    """A transaction in progress is finished although the store closes; then nothing is open."""
    before = len(list(Path("/dev/fd").iterdir()))
    store = _store(tmp_path / "s")
    assert _guests(store) == []
    with store.transaction() as view:
        view.put("guest", pool="p", id="a")
        store.close()
    assert len(list(Path("/dev/fd").iterdir())) == before
    again = _store(tmp_path / "s")
    assert _guests(again) == ["a"]
    again.close()


def test_end_of_a_prefix(tmp_path: Path) -> None:
    """Exactly the texts with a prefix sort between it and its end."""
    store = _store(tmp_path / "s")
    for case_name, prefix, inside, behind in (
        ("letter", "a", "a\U0010ffff\U0010ffffz", "b"),
        ("before the surrogates", "a\ud7ff", "a\ud7ff\U0010ffff", "a\ue000"),
        ("last character", "a\U0010ffff", "a\U0010ffffz", "b"),
        ("everything", "", "\U0010ffff\U0010ffff", None),
        ("zero byte", "a/", "a/\0", "a0"),
    ):
        with case(case_name):
            with store.transaction() as view:
                view.execute("DELETE FROM guest")
                for text in (prefix, inside, behind):
                    if text is not None:
                        view.put("guest", pool="p", id=text)
                query = "SELECT id FROM guest WHERE id >= ? AND id < ? ORDER BY id"
                found = [row["id"] for row in view.rows(query, prefix, prefix_end(prefix))]
            assert found == [prefix, inside]
    store.close()


def test_permissions(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600 for any umask; wider permissions are corrected."""
    for umask in (0o000, 0o777):
        folder = tmp_path / f"{umask:o}" / "deep" / "s"
        before = os.umask(umask)
        try:
            store = _store(folder)
            with store.transaction() as view:
                view.put("guest", pool="p", id="a")
            modes = {path.name: _mode(path) for path in (folder / "local").iterdir()}
            store.close()
        finally:
            os.umask(before)
        assert _mode(folder) == _mode(folder / "local") == 0o700
        # Folders above it that did not exist are as the umask says, but usable.
        assert _mode(folder.parent) == 0o777 & ~umask | 0o700
        assert set(modes) == {"key", "state.db", "state.db-shm", "state.db-wal"}
        assert set(modes.values()) == {0o600}
    (folder / "local").chmod(0o755)
    _store(folder).close()
    assert _mode(folder / "local") == 0o700


def test_files_are_private_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other user can open a file of the state before its mode is set."""
    modes = set()
    real, real_mkdir = os.open, Path.mkdir

    def record(path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        descriptor = real(path, flags, mode, **options)
        if flags & os.O_CREAT:
            modes.add(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    def record_folder(path: Path, mode: int = 0o777, **options: Any) -> None:
        real_mkdir(path, mode, **options)
        modes.add(_mode(path))

    monkeypatch.setattr(os, "open", record)
    monkeypatch.setattr(Path, "mkdir", record_folder)
    before = os.umask(0)
    try:
        _store(tmp_path / "s").close()
    finally:
        os.umask(before)
    assert modes == {0o600, 0o700}


def test_existing_state_folder_keeps_its_mode(tmp_path: Path) -> None:
    """The mode of an existing state folder is not changed."""
    folder = tmp_path / "s"
    folder.mkdir(mode=0o755)
    _store(folder).close()
    assert _mode(folder) == 0o755


def test_encrypted_values_do_not_move() -> None:
    """A value that was changed or copied to another row cannot be decrypted."""
    seal = Seal(b"k" * 32)
    body = seal.encrypt({"n": 1}, "row", "here")
    assert seal.decrypt(body, "row", "here") == {"n": 1}
    changed = body[:-1] + bytes([body[-1] ^ 1])
    for broken, place in ((body, "there"), (changed, "here"), (b"", "here")):
        with pytest.raises(LocalSandboxError, match="cannot decrypt"):
            seal.decrypt(broken, "row", place)
    assert seal.digest("ab", "c") != seal.digest("a", "bc")
    # Equal values do not show that they are equal.
    assert seal.encrypt({"n": 1}, "row", "here") != body


def test_damaged_value(tmp_path: Path) -> None:
    """A secret that cannot be decrypted is a LocalSandboxError with a remedy."""
    store = _store(tmp_path)
    message = {"user": "u", "username": "u", "method": "m", "destination": "d", "purpose": "p"}
    with store.transaction() as view:
        view.put("message", **message, names=[], sent_at=0, secret=b"damaged")
    with pytest.raises(LocalSandboxError, match="cannot decrypt") as caught:
        inbox.messages(store)
    assert "seedctl local reset" in (caught.value.resolution or "")
    store.close()


def test_planted_secrets_are_nowhere(client: Any, state_folder: Path) -> None:
    """No secret, password, verifier, key or token is in any file of the state."""
    secret, address, password = "S3cretValue-xyzzy", "planted@example.com", "Planted-Pass-77"
    parameter = "/amplify/plantedapp/me/plantedname"
    client.ssm("PutParameter", Name=parameter, Value=secret, Type="SecureString")
    client.ssm("PutParameter", Name=f"{parameter}2", Value=secret, Type="String")
    tokens = client.tokens(address)
    client.cognito("AdminSetUserPassword", Username=address, Password=password, Permanent=True)
    refresh = client.sign_in(address, password)["AuthenticationResult"]["RefreshToken"]
    pool = UserPool.deployed(client.outputs.auth)
    with client.sandbox._store.reading() as view:
        verifier = UserRecords(view, pool, 0.0).require(address).verifier
    assert verifier is not None
    client.ssm("PutParameter", Name=parameter, Value="other", Overwrite=True)
    client.ssm("DeleteParameter", Name=parameter)
    planted = [
        secret,
        password,
        "Temp-123-word",
        "Final-456-word",
        "PRIVATE KEY",
        *tokens["AccessToken"].split("."),
        refresh,
        refresh.partition(".")[2],
        verifier.salt,
        verifier.value,
    ]
    for checkpointed in (False, True):
        if checkpointed:
            client.sandbox.stop()
            connection = sqlite3.connect(state_folder / "local" / "state.db")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        files = [path for path in state_folder.rglob("*") if path.is_file()]
        assert any(address.encode() in path.read_bytes() for path in files)
        for path in files:
            content = path.read_bytes().lower()
            for value in planted:
                for form in (value.encode(), value.encode().hex().encode()):
                    assert form.lower() not in content, (path.name, value)


def test_planted_codes_are_nowhere(start: Any, state_folder: Path) -> None:
    """No one-time code or software token secret is in any file of the state."""
    client = start(mfa_configuration="OPTIONAL", mfa_methods=("TOTP", "EMAIL"))
    token = client.tokens("planted@example.com")["AccessToken"]
    secret = client.cognito("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
    settings = {"Enabled": True, "PreferredMfa": True}
    client.cognito("SetUserMFAPreference", AccessToken=token, EmailMfaSettings=settings)
    client.sign_in("planted@example.com")
    client.cognito("GetUserAttributeVerificationCode", AccessToken=token, AttributeName="email")
    codes = [message.code for message in client.sandbox.inbox()]
    client.sandbox.stop()
    for path in state_folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for value in (secret, *codes):
                assert f'"{value}"'.encode() not in content, path.name
                assert value.encode() not in content or len(value) < 8, path.name


def test_settings_of_connections(tmp_path: Path) -> None:
    """Every connection overwrites deleted rows, and commits as durably as documented."""
    store = _store(tmp_path / "s")
    with store._pooled_connection() as connection:
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)  # NORMAL
    store.close()


def _ssm(url: str, operation: str, **given: Any) -> Any:
    headers = {
        "X-Amz-Target": f"AmazonSSM.{operation}",
        "Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/ssm/aws4_request, x",
    }
    port = int(url.rpartition(":")[2])
    status, _, answer = send_once(port, "POST", "/", json.dumps(given), headers)
    assert status == 200, answer
    return json.loads(answer)


def test_kill_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """After kill -9 during writes, everything that was acknowledged is stored."""
    folder = tmp_path / "s"
    acknowledged: list[int] = []

    def write(url: str) -> None:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            for number in range(100_000):
                _ssm(url, "PutParameter", Name=f"/n/{number}", Value="x", Type="String")
                acknowledged.append(number)

    with sandbox_process(folder) as process:
        thread = threading.Thread(target=write, args=(url_of(process),))
        thread.start()
        while len(acknowledged) < 20 and thread.is_alive():
            time.sleep(0.005)
        process.kill()
        thread.join()
    assert len(acknowledged) >= 20
    with LocalSandbox.start(state_folder=folder, outputs=None) as sandbox:
        for number in acknowledged:
            assert _ssm(sandbox.url, "GetParameter", Name=f"/n/{number}")
        assert sandbox.handler_errors == []


def test_two_processes_begin_at_once(tmp_path: Path) -> None:
    """Processes that create the state at once share one key and see each other's writes."""
    folder = tmp_path / "s"
    given = {"Name": "/shared", "Type": "String", "Overwrite": True}

    def write(url: str) -> None:
        for count in range(15):
            _ssm(url, "PutParameter", Value=f"{url} {count}", **given)

    with sandbox_process(folder) as one, sandbox_process(folder) as two:
        urls = [url_of(process) for process in (one, two)]
        threads = [threading.Thread(target=write, args=(url,)) for url in urls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for url in urls:
            assert _ssm(url, "GetParameter", Name="/shared")["Parameter"]["Version"] == 30


def test_many_threads_begin_at_once(tmp_path: Path) -> None:
    """Many threads may create the state at once."""
    folders = [tmp_path / str(number) for number in range(5)]
    for folder in folders:
        barrier = threading.Barrier(6)
        failures: list[Exception] = []

        def begin(folder: Path, barrier: threading.Barrier, failures: list[Exception]) -> None:
            barrier.wait()
            try:
                _put(folder)
            except Exception as error:  # noqa: BLE001
                failures.append(error)

        threads = [
            threading.Thread(target=begin, args=(folder, barrier, failures)) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert {path.name for path in (folder / "local").iterdir()} >= {"key", "state.db"}
        assert not [path for path in (folder / "local").iterdir() if "unfinished" in path.name]


def test_other_key(tmp_path: Path) -> None:
    """A key that does not match the database is an error before any other access."""
    folder = tmp_path / "s"
    _put(folder)
    key = folder / "local" / "key"
    for content, match in (
        (b"x" * 32, "does not match the database"),
        (b"short", "is not a key of the local sandbox"),
    ):
        key.write_bytes(content)
        with pytest.raises(LocalSandboxError, match=match) as caught:
            _store(folder)
        assert "seedctl local reset" in (caught.value.resolution or "")
    key.unlink()
    with pytest.raises(LocalSandboxError, match="is missing"):
        _store(folder)
    assert not key.exists()


def test_a_state_of_the_first_format(tmp_path: Path) -> None:
    """A database of sealed documents, which has no number, is an error that recommends a reset."""
    folder = state_folder.prepare(tmp_path / "s")
    (folder / "key").write_bytes(b"k" * 32)
    connection = sqlite3.connect(folder / "state.db")
    connection.execute("CREATE TABLE document (kind BLOB, key BLOB, body BLOB)")
    connection.close()
    with pytest.raises(LocalSandboxError, match="another version of seedctl") as caught:
        Store.open(folder)
    assert "has format 1, " in str(caught.value)
    assert f"this one reads format {FORMAT}." in str(caught.value)
    assert caught.value.exit_code == 3
    assert "seedctl local reset" in (caught.value.resolution or "")
    assert reset_state(tmp_path / "s") is True
    _put(tmp_path / "s")


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"x" * 2000])
def test_corrupt_database(tmp_path: Path, content: bytes) -> None:
    """A corrupt database is an error that recommends a reset."""
    folder = tmp_path / "s"
    _put(folder)
    for path in (folder / "local").glob("state.db*"):
        path.unlink()
    (folder / "local" / "state.db").write_bytes(content)
    with pytest.raises(LocalSandboxError, match=r"state\.db") as caught:
        _store(folder)
    assert "seedctl local reset" in (caught.value.resolution or "")
    assert reset_state(folder) is True
    _put(folder)


def test_file_in_the_way(tmp_path: Path) -> None:
    """If a file exists in place of a folder, the error names it."""
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "s", tmp_path / "file" / "s" / "t"):
        with pytest.raises(LocalSandboxError, match="file"):
            _store(folder)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "local").write_text("x")
    (tmp_path / "s" / "local").chmod(0o640)
    with pytest.raises(LocalSandboxError, match="local: File exists"):
        _store(tmp_path / "s")
    assert _mode(tmp_path / "s" / "local") == 0o640
    assert reset_state(tmp_path / "s") is False
    assert (tmp_path / "s" / "local").read_text() == "x"


def test_advice(tmp_path: Path) -> None:
    """What to do depends on the failure: a full disk, too many open files, or any other."""
    for names, advice in (
        (("ENOSPC", "EDQUOT", "EFBIG"), "Free space"),
        (("EMFILE", "ENFILE"), "ulimit -n"),
        (("EIO",), "seedctl local reset"),
    ):
        for name in names:
            with case(name):
                number = getattr(errno, name)
                error = state_folder.unusable(tmp_path, OSError(number, os.strerror(number)))
                assert os.strerror(number) in error.message
                assert advice in (error.resolution or "")


@pytest.mark.parametrize("name", ["key", "state.db"])
def test_folder_in_the_way(tmp_path: Path, name: str) -> None:
    """If a folder exists in place of a file, the error names it, and reset does not remove it."""
    (tmp_path / "local" / name).mkdir(parents=True)
    if name == "state.db":
        (tmp_path / "local" / "key").write_bytes(b"k" * 32)
    with pytest.raises(LocalSandboxError, match=name):
        _store(tmp_path)
    with pytest.raises(LocalSandboxError, match=name):
        reset_state(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_readonly_folder(tmp_path: Path) -> None:
    """A folder without write permission is an error that says so."""
    (tmp_path / "s").mkdir(mode=0o500)
    with pytest.raises(LocalSandboxError, match="Permission denied"):
        _store(tmp_path / "s")


def test_unwritable_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the key or database cannot be created, the error names the path and a remedy."""
    refused = PermissionError(13, "Permission denied", str(tmp_path / "s"))

    def refuse(*_: Any) -> None:
        raise refused

    folder = state_folder.prepare(tmp_path / "s")
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        with pytest.raises(LocalSandboxError, match="Permission denied") as caught:
            Store.open(folder)
        assert "readable and writable" in (caught.value.resolution or "")
        assert list(folder.iterdir()) == []
        (folder / "key").write_bytes(b"k" * 32)
        with pytest.raises(LocalSandboxError, match="Permission denied"):
            Store.open(folder)


def test_foreign_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A symbolic link of the same user is followed; another user's is refused."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real", target_is_directory=True)
    _put(link)
    assert (tmp_path / "real" / "local" / "key").exists()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    with pytest.raises(LocalSandboxError, match="symbolic link that belongs to another"):
        _store(link)
    monkeypatch.setattr(os, "geteuid", lambda: own)
    inner = tmp_path / "real" / "local"
    inner.rename(tmp_path / "elsewhere")
    inner.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert reset_state(tmp_path / "real") is True
    assert inner.is_symlink()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    for use in (reset_state, _store):
        with pytest.raises(LocalSandboxError, match="symbolic link that belongs to another"):
            use(tmp_path / "real")


def test_uses_of_a_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many use a state side by side; to replace it, one has to be alone, and others then wait."""
    monkeypatch.setattr(state_use, "_JOIN_SECONDS", 0.0)
    monkeypatch.setattr(state_use, "_ALONE_SECONDS", 0.0)
    key = tmp_path / "key"
    key.write_bytes(b"k")
    before = len(list(Path("/dev/fd").iterdir()))
    first, second = StateUse(key), StateUse(key)
    with pytest.raises(LocalSandboxError, match="is in use by"), first.alone():
        pytest.fail("the other use goes on")
    second.end()
    with first.alone():
        with pytest.raises(LocalSandboxError, match="is being replaced by"):
            StateUse(key)
        first.end()
        with pytest.raises(LocalSandboxError, match="is being replaced by"):
            StateUse(key)
    last = StateUse(key)
    with last.alone():
        pass
    StateUse(key).end()
    last.end()
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_reset(tmp_path: Path) -> None:
    """Reset removes the sandbox's files only, and says if there were none."""
    folder = tmp_path / "s"
    assert reset_state(folder) is False
    _put(folder)
    (folder / "journal").write_text("not ours")
    assert reset_state(folder) is True
    assert [path.name for path in folder.iterdir()] == ["journal"]
    _put(folder)
    (folder / "local" / "note").write_text("not ours")
    before = len(list(Path("/dev/fd").iterdir()))
    assert reset_state(folder) is True
    assert len(list(Path("/dev/fd").iterdir())) == before
    assert [path.name for path in (folder / "local").iterdir()] == ["note"]
    assert reset_state(folder) is False


def test_busy_journal_mode(tmp_path: Path) -> None:
    """Turning on WAL waits for another process that does the same, not for other errors."""

    class Connection:
        def __init__(self, *errors: str) -> None:
            self.errors = list(errors)
            self.mode = "delete"

        def execute(self, statement: str) -> Any:
            if "=" in statement:
                if self.errors:
                    raise sqlite3.OperationalError(self.errors.pop(0))
                self.mode = "wal"
            return self

        def fetchone(self) -> tuple[str]:
            return (self.mode,)

    store = _store(tmp_path / "s")
    waiting: Any = Connection("database is locked", "database is locked")
    store._use_wal(waiting)
    assert waiting.mode == "wal"
    failing: Any = Connection("disk I/O error")
    with pytest.raises(sqlite3.OperationalError, match="disk"):
        store._use_wal(failing)
    store.close()


def test_failed_start_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that cannot be set up is closed, and the error is raised."""
    opened = []
    connect = sqlite3.connect

    class Broken(sqlite3.Connection):
        def execute(self, *args: Any) -> Any:
            raise sqlite3.OperationalError("disk I/O error")

    def record(*args: Any, **options: Any) -> Any:
        connection = connect(*args, **options, factory=Broken)
        opened.append(connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", record)
    with pytest.raises(LocalSandboxError, match="disk I/O error"):
        _store(tmp_path / "s")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].commit()


# --- what another version wrote -------------------------------------------------------------------


def _set_format(folder: Path, number: int) -> None:
    connection = sqlite3.connect(folder / "local" / "state.db")
    connection.execute(f"PRAGMA user_version = {number}")
    connection.close()


def _format(folder: Path) -> int:
    connection = sqlite3.connect(folder / "local" / "state.db")
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return found


@pytest.mark.parametrize("number", [1, 99, -1])
def test_another_format_is_refused_by_name(tmp_path: Path, number: int) -> None:
    """An unknown format is an error at the start, and the state can be reset."""
    folder = tmp_path / "s"
    _put(folder)
    assert _format(folder) == FORMAT
    _set_format(folder, number)
    with pytest.raises(LocalSandboxError, match=rf"has format {number}, .* reads format {FORMAT}"):
        LocalSandbox.start(state_folder=folder, outputs=None)
    with pytest.raises(LocalSandboxError, match="another version") as caught:
        read_inbox(folder)
    assert caught.value.exit_code == 3
    assert "seedctl local reset" in (caught.value.resolution or "")
    assert _format(folder) == number
    assert reset_state(folder)
    _store(folder).close()
    assert _format(folder) == FORMAT


@pytest.mark.parametrize(
    ("column", "change"),
    [
        pytest.param("more", {"from_the_future": None}, id="a field more"),
        pytest.param("secret", {"from_the_future": None}, id="a secret more"),
        pytest.param(
            "secret", {"verifier": {"salt": "1", "value": "2", "hash": "3"}}, id="further in"
        ),
        pytest.param("secret", {"verifier": {"salt": "1"}}, id="a field less"),
        pytest.param("secret", {"software_token": {"used_steps": []}}, id="less further in"),
    ],
)
def test_users_of_another_version_are_told(
    start: Any, state_folder: Path, column: str, change: dict[str, Any]
) -> None:
    """A stored user with other fields is an error that reveals nothing about the user."""
    client = start()
    client.create("ann@example.com")
    client.sandbox.stop()
    store = _store(state_folder)
    with store.transaction() as view:
        user = view.row("SELECT * FROM user")
        assert user is not None
        if column == "more":
            user["more"].update(change)
        else:
            place = ("user", user["pool"], user["username"])
            secret = {**view.seal.decrypt(user["secret"], *place), **change}
            user["secret"] = view.seal.encrypt(secret, *place)
        view.put("user", **user)
    store.close()
    again = start()
    status, headers, answer = again.post(
        "AWSCognitoIdentityProviderService.AdminGetUser",
        json.dumps({"UserPoolId": again.pool_id, "Username": "ann@example.com"}).encode(),
        service="cognito-idp",
    )
    assert (status, json.loads(answer)["__type"]) == (507, "LocalSandboxFailure")
    error = LocalSandboxError.from_headers(headers)
    assert error is not None
    assert error.message.startswith("Another version of seedctl wrote the local state: ")
    assert "local reset" in (error.resolution or "")
    assert "ann@" not in error.message


def test_an_address_of_another_version_is_read(tmp_path: Path) -> None:
    """A server whose address file has more fields is found."""
    folder = tmp_path / "s"
    with host_sandbox(folder, None) as server:
        path = folder / "local" / "server.json"
        more = {**json.loads(path.read_text(encoding="utf-8")), "from_the_future": [1]}
        path.write_text(json.dumps(more), encoding="utf-8")
        assert find_server(folder) == server
