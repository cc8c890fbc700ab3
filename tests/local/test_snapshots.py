"""Snapshots: saved and loaded with users, secrets, records and files, by this process."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect, process_state
from seedctl.embedded import EmbeddedSandboxes
from seedctl.errors import AWSError, InvalidCommandInputError, LocalSandboxError
from seedctl.local import (
    list_snapshots,
    load_snapshot,
    remove_snapshot,
    reset_state,
    save_snapshot,
    snapshot_folder,
    state_use,
)
from seedctl.local.backend_ids import BackendIds
from seedctl.local.reencryption import CONTEXTS, reencrypted_copy
from seedctl.local.s3 import files
from seedctl.local.seal import Seal
from seedctl.local.snapshot_database import open_database, require_intact
from seedctl.local.snapshot_folder import (
    Snapshot,
    check_name,
    remove_unfinished,
    require_snapshot,
)
from seedctl.local.snapshots import Snapshots
from seedctl.local.state_folder import FOLDER, SNAPSHOTS, prepare
from seedctl.local.store import KEY_CHECK, Store, stored_key_check
from seedctl.outputs import load_outputs
from tests.cases import case
from tests.running import DATA, PASSWORD, make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl import Backend
    from seedctl.local import LocalSandbox

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
TODO = DATA / "outputs" / "todo_userpool.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return _project(tmp_path / "app")


def _project(folder: Path) -> Path:
    root = make_project(folder, outputs=None)
    (root / "amplify_outputs.json").write_bytes(TODO.read_bytes())
    return root


@pytest.fixture
def backend(root: Path) -> Iterator[Backend]:
    with connect(root, identifier="alice", local=True, target="none") as connected:
        yield connected


def _sandbox() -> LocalSandbox:
    (sandbox,) = process_state.instance(EmbeddedSandboxes).values()
    return sandbox


def _fill(backend: Backend, name: str) -> None:
    """Create a user, a secret, a record and a file, all called *name*."""
    backend.auth.create_user(f"{name}@example.com", PASSWORD)
    backend.secrets.set(name, f"secret of {name}")
    with backend.auth.sign_in(f"{name}@example.com", PASSWORD) as session:
        session.data.models.Todo.create({"content": name})
        session.storage.upload_data(f"pictures/{name}", f"file of {name}")


def _content(backend: Backend) -> dict[str, Any]:
    """Return the names of users, the secrets, the records and the files with their contents."""
    store = _sandbox()._store
    with store.reading() as view:
        users = [row["attributes"]["email"] for row in view.rows("SELECT attributes FROM user")]
        records = [json.loads(row["item"])["content"] for row in view.rows("SELECT item FROM row")]
        stored = {row["key"]: row["file"] for row in view.rows("SELECT key, file FROM object")}
    objects = store.path.parent / "objects"
    contents = {key: (objects / name).read_text() for key, name in stored.items()}
    # There is no other file than those, and none is missing.
    assert {path.name for path in objects.iterdir()} - {"lock"} == set(stored.values())
    return {
        "users": sorted(users),
        "secrets": {name: backend.secrets.get(name) for name in backend.secrets.list()},
        "records": sorted(records),
        "files": contents,
    }


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of a state with one guest and one object."""
    folder = tmp_path / "state"
    with closing(Store.open(prepare(folder))) as store:
        _put(store, "a")
    return folder


def _put(store: Store, name: str) -> None:
    """Add the guest *name*, and an object with its content."""
    objects = store.path.parent / "objects"
    objects.mkdir(exist_ok=True)
    file = name.encode().hex().zfill(32)
    (objects / file).write_text(name)
    with store.transaction() as view:
        view.put("guest", pool="p", id=name)
        row: dict[str, Any] = {"headers": {}, "metadata": {}, "checksums": {}, "modified": 0}
        row |= {"bucket": "b", "key": name, "file": file, "size": len(name)}
        view.put("object", **row, etag="e", checksum_type="x")


def _guests(folder: Path) -> list[str]:
    with closing(Store.open(prepare(folder))) as store, store.reading() as view:
        return [row["id"] for row in view.rows("SELECT id FROM guest ORDER BY id")]


def _change(folder: Path, name: str = "b") -> None:
    with closing(Store.open(prepare(folder))) as store:
        _put(store, name)


def _save(folder: Path, name: str = "base", **options: Any) -> Path:
    return save_snapshot(folder, lambda: None, name, **options).folder


def _load(folder: Path, name: str = "base", outputs: Any = None) -> None:
    load_snapshot(folder, lambda: outputs, name)


def test_a_snapshot_brings_everything_back(backend: Backend) -> None:
    """Loading twice brings back users, secrets, records and files; what came later is gone."""
    _fill(backend, "ann")
    before = _content(backend)
    snapshot = _sandbox().save("base")
    assert (snapshot.users, snapshot.records, snapshot.files) == (1, 1, 1)
    for _ in range(2):
        _fill(backend, "eve")
        backend.secrets.set("ann", "changed")
        with backend.auth.sign_in("ann@example.com", PASSWORD) as session:
            session.storage.upload_data("pictures/ann", "another content")
        assert _content(backend) != before
        _sandbox().restore("base")
        assert _content(backend) == before
    _fill(backend, "eve")  # what was made between is unknown to the state
    assert _content(backend)["users"] == ["ann@example.com", "eve@example.com"]


def test_nothing_is_cached_from_the_old_state(backend: Backend) -> None:
    """After an empty state is loaded, keys and tables are made again, and sign-ins have ended."""
    _sandbox().save("empty")
    _fill(backend, "ann")
    session = backend.auth.sign_in("ann@example.com", PASSWORD)
    token = session.tokens().access
    _sandbox().restore("empty")
    with pytest.raises(AWSError, match="Invalid Token"):
        session.storage.upload_data("pictures/late", "x")
    _fill(backend, "bob")
    assert _content(backend)["users"] == ["bob@example.com"]
    again = backend.auth.sign_in("bob@example.com", PASSWORD).tokens().access
    assert _key_id(again) != _key_id(token)
    assert [todo["content"] for todo in _todos(backend)] == ["bob"]


def test_no_identity_of_the_old_state_is_used(backend: Backend) -> None:
    """A restore ends the sessions; after it, and after a sign-out, a guest gets a new identity."""
    backend.save_state("empty")
    guest = backend.ambient_auth.fetch_auth_session(force_refresh=False)
    _fill(backend, "ann")
    session = backend.auth.sign_in("ann@example.com", PASSWORD)
    backend.restore_state("empty")
    assert not session.is_signed_in
    after = backend.ambient_auth.fetch_auth_session(force_refresh=False)
    assert after.identity_id != guest.identity_id
    backend.sign_out_all()
    last = backend.ambient_auth.fetch_auth_session(force_refresh=False)
    assert last.identity_id != after.identity_id


def test_tables_are_looked_up_again(backend: Backend) -> None:
    """The tables of the models may have other ids in the loaded state."""
    _sandbox().save("empty")
    store = _sandbox()._store
    with store.transaction() as view:
        view.put("model", api="another", name="Todo", key="[]", indexes="[]")
    _sandbox().save("shifted")
    _sandbox().restore("empty")
    _fill(backend, "ann")
    _sandbox().restore("shifted")
    _fill(backend, "bob")
    query = "SELECT api FROM row JOIN model ON model.id = model_id"
    with store.reading() as view:
        assert [row["api"] for row in view.rows(query)] == [_sandbox()._services.backend.api]


def _key_id(token: str) -> str:
    return token.partition(".")[0]


def _todos(backend: Backend) -> Any:
    return backend.data.generate_client(credentials="caller").models.Todo.list()


def test_a_sign_in_that_has_begun_ends(client: Any) -> None:
    """A challenge from before a restore cannot be answered after it."""
    client.tokens("ann@example.com")
    client.sandbox.save("base")
    answer = client.proof("ann@example.com", "Final-456-word")
    client.sandbox.restore("base")
    refusal = client.cognito_refusal("RespondToAuthChallenge", **answer)
    assert refusal.startswith("NotAuthorizedException")
    assert client.sign_in("ann@example.com")["AuthenticationResult"]


def test_sign_ins_of_the_snapshot_still_work(backend: Backend) -> None:
    """A session that was signed in when the state was saved goes on after loading."""
    _fill(backend, "ann")
    session = backend.auth.sign_in("ann@example.com", PASSWORD)
    _sandbox().save("base")
    session.storage.upload_data("pictures/late", "x")
    _sandbox().restore("base")
    assert [item.path for item in session.storage.list("pictures/").items] == ["pictures/ann"]
    assert [todo["content"] for todo in session.data.models.Todo.list()] == ["ann"]


def test_no_growth(backend: Backend) -> None:
    """Neither files, connections to the database nor threads grow with saves and restores."""
    _fill(backend, "ann")
    counts: list[dict[str, int]] = []
    for _ in range(12):
        _sandbox().save("base", is_replacing=True)
        _sandbox().restore("base")
        store = _sandbox()._store
        counts.append(
            {
                "files": len(list(store.path.parent.rglob("*"))),
                "connections": len(store._idle),
                "threads": threading.active_count(),
                "descriptors": len(list(Path("/dev/fd").iterdir())),
            }
        )
    early, late = counts[2], counts[-1]
    assert {name: count for name, count in late.items() if count > early[name]} == {}


def test_planted_secrets_are_not_in_a_snapshot(client: Any, state_folder: Path) -> None:
    """Values of secrets, passwords, tokens and the key occur in no byte of it, unless portable."""
    secret = "S3cretValue-xyzzy"
    client.ssm("PutParameter", Name="/amplify/a/b/planted", Value=secret, Type="SecureString")
    tokens = client.tokens("planted@example.com")
    key = (state_folder / FOLDER / "key").read_bytes()
    planted = [value.encode() for value in (secret, "Temp-123-word", "Final-456-word")]
    planted += [b"PRIVATE KEY", tokens["AccessToken"].encode(), tokens["RefreshToken"].encode()]

    def occurring(folder: Path) -> list[bytes]:
        content = [path.read_bytes().lower() for path in folder.rglob("*") if path.is_file()]
        assert any(b"planted@example.com" in each for each in content)
        return [
            value
            for value in (*planted, key)
            if any(
                form.lower() in each for form in (value, value.hex().encode()) for each in content
            )
        ]

    assert occurring(client.sandbox.save("base").folder) == []
    assert occurring(client.sandbox.save("base", is_replacing=True, is_portable=True).folder) == [
        key
    ]
    assert occurring(client.sandbox.save("base", is_replacing=True).folder) == []


def test_it_is_private(state: Path) -> None:
    """Folders are 0700 and files 0600 for any umask."""
    for umask, name in ((0o000, "open"), (0o777, "closed")):
        before = os.umask(umask)
        try:
            folder = _save(state, name, is_portable=True)
        finally:
            os.umask(before)
        found = {
            stat.S_IMODE(path.stat().st_mode)
            for path in folder.rglob("*")
            if path.parent.name != "objects"
        }
        assert found == {0o600, 0o700}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_is_on_the_disk_before_it_counts(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the contents of objects is synced before the manifest appears, its folder after."""
    folder = state / FOLDER / "snapshots" / "base"
    before: set[int] = set()
    after: set[int] = set()

    def record(descriptor: int) -> None:
        (after if (folder / "snapshot.json").exists() else before).add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", record)
    _save(state, is_portable=True)
    (key,) = folder.glob("key-*")
    synced = (key, folder / "snapshot.json", folder / "objects", folder, folder.parent)
    assert before == {path.stat().st_ino for path in synced}
    assert after == {folder.stat().st_ino}


def test_its_database_is_one_file(state: Path) -> None:
    """Any SQLite tool can read the database of a snapshot, and adds no file to its folder."""
    folder = _save(state)
    before = sorted(folder.iterdir())
    (database,) = folder.glob("*.db")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT id FROM guest").fetchall() == [("a",)]
        assert sorted(folder.iterdir()) == before
    with (
        pytest.raises(LocalSandboxError, match="readonly"),
        open_database(database) as opened,
    ):
        opened.execute("DELETE FROM guest")


def test_contents_are_shared(state: Path) -> None:
    """A snapshot has a hard link to each file, which costs no space."""
    folder = _save(state)
    (ours,) = (folder / "objects").iterdir()
    assert ours.samefile(state / FOLDER / "objects" / ours.name)


def test_contents_are_copied_where_links_are_not_possible(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without hard links, files are copied, privately, in both directions."""
    link = os.link

    def refuse(source: Any, target: Any) -> None:
        if Path(target).parent.name == "objects":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        link(source, target)

    monkeypatch.setattr(os, "link", refuse)
    folder = _save(state)
    (ours,) = (folder / "objects").iterdir()
    theirs = state / FOLDER / "objects" / ours.name
    assert (ours.read_text(), ours.samefile(theirs), ours.stat().st_mode & 0o777) == (
        "a",
        False,
        0o600,
    )
    theirs.unlink()
    _load(state)
    assert theirs.read_text() == "a"


def test_good_names(state: Path) -> None:
    """Letters and digits of all scripts are allowed, up to 200 bytes; composed or not is the same."""
    others = ("a.b_c-1", "_x", "9", "é" * 100, "x" * 200, "データ", "हिन्दी", "e\u0301")
    for name in ("base", *others):
        with case(name):
            folder = _save(state, name)
            assert folder.parent == state / FOLDER / SNAPSHOTS
            _load(state, name)
            assert list(list_snapshots(state)) == [check_name(name)]
            remove_snapshot(state, name)
    assert check_name("e\u0301") == "\u00e9"


def test_bad_names(state: Path) -> None:
    """Other names are refused with exit code 2 by every command, and nothing is written."""
    for name in (
        *(
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "/etc",
            ".hidden",
            "-x",
            "a.",
            "a b",
            " ",
            "a\0b",
        ),
        *("a\nb", "x" * 201, "é" * 101, "\U0001f600", "con", "NUL.txt", "\udcff", "a:b", "*"),
    ):
        with case(name):
            for call in (_save, _load, remove_snapshot):
                with pytest.raises(InvalidCommandInputError) as caught:
                    call(state, name)
                assert caught.value.exit_code == 2
            assert not (state / FOLDER / SNAPSHOTS).exists()


def test_an_existing_one_stays(state: Path) -> None:
    """Without --force it is refused; with it, the new one takes its place, and no file is left."""
    first = _save(state, is_portable=True)
    _change(state)
    with pytest.raises(LocalSandboxError, match="'base' already") as caught:
        _save(state)
    assert "--force" in (caught.value.resolution or "")
    _load(state)
    assert _guests(state) == ["a"]
    _change(state, "c")
    assert _save(state, is_replacing=True) == first
    assert len(list(first.iterdir())) == 3  # manifest, database, objects
    assert len(list((first / "objects").iterdir())) == 2
    _change(state, "d")
    _load(state)
    assert _guests(state) == ["a", "c"]


def test_ten_saves_at_once(state: Path) -> None:
    """Ten saves under different names all end well; under one name, exactly one does."""
    refusals = []

    def attempt(name: str) -> bool:
        try:
            _save(state, name)
        except LocalSandboxError as error:
            refusals.append(error.message)
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(attempt, [f"n{number}" for number in range(10)]))
        assert sum(pool.map(attempt, ["same"] * 10)) == 1
    assert refusals == ["There is a snapshot 'same' already."] * 9
    assert len(list_snapshots(state)) == 11
    for name in ("n0", "n9", "same"):
        _load(state, name)
        assert _guests(state) == ["a"]


def test_after_a_reset(state: Path) -> None:
    """A reset leaves snapshots and their key; without snapshots it deletes everything."""
    _save(state)
    assert reset_state(state)
    assert sorted(path.name for path in (state / FOLDER).iterdir()) == ["key", SNAPSHOTS]
    _load(state)
    assert _guests(state) == ["a"]
    remove_snapshot(state, "base")
    assert list_snapshots(state) == {}
    assert reset_state(state)
    assert not (state / FOLDER).exists()


def test_a_reset_without_a_usable_key(state: Path) -> None:
    """A reset deletes a damaged key, although there are snapshots: it is of no use to them."""
    _save(state)
    (state / FOLDER / "key").write_bytes(b"short")
    assert reset_state(state)
    assert not (state / FOLDER / "key").exists()
    with pytest.raises(LocalSandboxError, match="another machine"):
        _load(state)


def test_another_key(backend: Backend, tmp_path: Path) -> None:
    """Elsewhere only a portable snapshot loads: its users can sign in and its secrets be read."""
    _fill(backend, "ann")
    stored = _sandbox().save("closed").folder, _sandbox().save("open", is_portable=True).folder
    other = _project(tmp_path / "other")
    target = other / ".amplify" / "seedctl" / FOLDER / SNAPSHOTS
    target.mkdir(parents=True)
    for folder in stored:
        folder.rename(target / folder.name)
    backend.close()
    with connect(other, identifier="alice", local=True, target="none") as moved:
        own = _sandbox().save("own")
        with pytest.raises(LocalSandboxError, match="another machine") as caught:
            _sandbox().restore("closed")
        assert "--portable" in (caught.value.resolution or "")
        for _ in range(2):
            _sandbox().restore("open")
            assert moved.secrets.get("ann") == "secret of ann"
            assert _content(moved)["files"] == {"pictures/ann": "file of ann"}
            with moved.auth.sign_in("ann@example.com", PASSWORD) as session:
                assert [todo["content"] for todo in session.data.models.Todo.list()] == ["ann"]
            _sandbox().restore(own.name)  # its own snapshots still load
    assert sorted(path.name for path in target.iterdir()) == [".lock", "closed", "open", "own"]


def test_a_key_that_does_not_match(state: Path, tmp_path: Path) -> None:
    """A portable snapshot with a wrong key, or a value that it cannot decrypt, is refused."""
    with closing(Store.open(prepare(state))) as store, store.transaction() as view:
        view.put("parameter", name="n", version=1, type="String", modified=0, secret=b"damaged")
    folder = _save(state, is_portable=True)
    other = tmp_path / "other"
    target = prepare(other) / SNAPSHOTS
    target.mkdir()
    (folder).rename(target / "base")
    with pytest.raises(LocalSandboxError, match="cannot decrypt a value"):
        _load(other)
    (key,) = (target / "base").glob("key-*")
    key.write_bytes(b"k" * 32)
    with pytest.raises(LocalSandboxError, match="does not match"):
        _load(other)


def test_all_secrets_are_encrypted_again() -> None:
    """Every table with secrets is in the list of those that a portable snapshot's load rewrites."""
    text = (Path(files.__file__).parents[1] / "tables.sql").read_text(encoding="utf-8")
    tables = [part for part in text.split("CREATE TABLE ") if "secret BLOB" in part]
    assert {part.partition(" ")[0] for part in tables} == set(CONTEXTS)


@pytest.mark.parametrize(
    ("saved", "current", "named"),
    [
        pytest.param({"user_pool": "p1"}, {"user_pool": "p2"}, "user pool p1, not p2", id="pool"),
        pytest.param(
            {"identity_pool": "i"}, {"identity_pool": "j"}, "identity pool i", id="identity"
        ),
        pytest.param({"api": "u"}, {"api": "v"}, "API u, not v", id="API"),
        pytest.param(
            {"buckets": ["a", "b"]}, {"buckets": ["b", "c"]}, "bucket a, not b or c", id="bucket"
        ),
        pytest.param({"user_pool": "p"}, {}, "", id="no outputs file now"),
        pytest.param({}, {"user_pool": "p", "buckets": ["a"]}, "", id="no outputs file then"),
        pytest.param({"buckets": ["a"]}, {"buckets": ["a", "b"]}, "", id="another bucket added"),
    ],
)
def test_another_backend(
    state: Path, saved: dict[str, Any], current: dict[str, Any], named: str
) -> None:
    """A snapshot of another pool, API or bucket is refused; a resource more or less is not."""
    with closing(Store.open(prepare(state))) as store:
        Snapshots(store, BackendIds(**saved)).save("base", is_replacing=False, is_portable=False)
        _put(store, "b")
        snapshots = Snapshots(store, BackendIds(**current))
        if not named:
            snapshots.load("base")
        else:
            with pytest.raises(LocalSandboxError, match=named) as caught:
                snapshots.load("base")
            assert "'base'" in str(caught.value)
            assert "--outputs" in (caught.value.resolution or "")
    assert _guests(state) == (["a", "b"] if named else ["a"])


def test_the_ids_of_an_outputs_file() -> None:
    """A snapshot records the ids of the outputs file."""
    outputs = load_outputs(TODO)
    assert BackendIds.of(outputs) == BackendIds(
        user_pool="us-east-1_EXAMPLE01",
        identity_pool=outputs.document["auth"]["identity_pool_id"],
        api=outputs.document["data"]["url"],
        buckets=[outputs.document["storage"]["bucket_name"]],
    )
    assert BackendIds.of(None) == BackendIds()


def _edit(folder: Path, **changes: Any) -> None:
    path = folder / "snapshot.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _replace_by_folder(folder: Path) -> None:
    (folder / "snapshot.json").unlink()
    (folder / "snapshot.json").mkdir()


def _lose_page(database: Path) -> None:
    """Put zeros into a page of *database* that is not read to load it."""
    with closing(sqlite3.connect(database)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'parameter'"
        (page,) = connection.execute(query).fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "state format": (lambda folder: _edit(folder, state_format=1), "a state of format 1"),
    "snapshot format": (lambda folder: _edit(folder, snapshot_format=9), "has format 9"),
    "format text": (lambda folder: _edit(folder, state_format="2"), "is damaged"),
    "no object": (lambda folder: (folder / "snapshot.json").write_text("[]"), "is damaged"),
    "no JSON": (lambda folder: (folder / "snapshot.json").write_text("{"), "is damaged"),
    "deep": (lambda folder: (folder / "snapshot.json").write_text("[" * 100_000), "is damaged"),
    "no ids": (lambda folder: _edit(folder, backend="x"), "is damaged"),
    "unknown field": (lambda folder: _edit(folder, more=1), "is damaged"),
    "ids": (lambda folder: _edit(folder, backend={"user_pool": 1}), "is damaged"),
    "other database": (lambda folder: _edit(folder, database="../../state.db"), "is damaged"),
    "other key": (lambda folder: _edit(folder, key="../../key"), "is damaged"),
    "text as number": (lambda folder: _edit(folder, users="1"), "is damaged"),
    "database lost": (
        lambda folder: next(folder.glob("*.db")).unlink(),
        "is missing or incomplete",
    ),
    "database cut": (lambda folder: os.truncate(next(folder.glob("*.db")), 4096), "incomplete"),
    "other content": (
        lambda folder: next(folder.glob("*.db")).write_bytes(
            b"x" * next(folder.glob("*.db")).stat().st_size
        ),
        "is damaged: .*not a database",
    ),
    "page lost": (lambda folder: _lose_page(next(folder.glob("*.db"))), "is damaged: .*malformed"),
    "object cut": (lambda folder: os.truncate(next((folder / "objects").iterdir()), 0), "objects/"),
    "manifest is a folder": (
        _replace_by_folder,
        "snapshot.json",
    ),
}


@pytest.mark.parametrize(("damage", "named"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_snapshot(state: Path, damage: Callable[[Path], object], named: str) -> None:
    """It is refused, the state is unchanged, others are listed, and it can be removed."""
    folder = _save(state)
    _save(state, "other")
    _change(state)
    objects = state / FOLDER / "objects"
    (objects / b"a".hex().zfill(32)).unlink()
    damage(folder)
    with pytest.raises(LocalSandboxError, match=named) as caught:
        _load(state)
    assert caught.value.resolution
    assert _guests(state) == ["a", "b"]
    assert set(list_snapshots(state)) == {"base", "other"}
    if (folder / "snapshot.json").is_file():
        remove_snapshot(state, "base")
        assert set(list_snapshots(state)) == {"other"}
        assert not folder.exists()


def test_an_unreadable_database_is_not_called_damaged() -> None:
    """If SQLite cannot read the database, such as for a failed disk, its own error is shown."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.set_progress_handler(lambda: 1, 1)  # interrupts the query
        with pytest.raises(sqlite3.OperationalError):
            require_intact("base", connection)


def test_no_file_outside_is_read_or_written(state: Path, tmp_path: Path) -> None:
    """A snapshot from elsewhere cannot name other files, neither by a path nor by a link."""
    outside = tmp_path / "outside"
    outside.write_text("a")
    folder = _save(state)
    content = next((folder / "objects").iterdir())
    (state / FOLDER / "objects" / content.name).unlink()
    # The path of the second one has the size of the content, so the link has it too.
    for target in (outside, "x"):
        content.unlink(missing_ok=True)
        content.symlink_to(target)
        with pytest.raises(LocalSandboxError, match="missing or incomplete"):
            _load(state)
    with closing(sqlite3.connect(next(folder.glob("*.db")))) as connection, connection:
        connection.execute("UPDATE object SET file = '../../outside'")
    with pytest.raises(LocalSandboxError, match="other files"):
        _load(state)


def test_links_to_folders_are_no_snapshots(state: Path, tmp_path: Path) -> None:
    """A link beside the snapshots is not listed, and nothing behind it is removed."""
    folder = _save(state)
    shutil.copytree(folder, tmp_path / "outside")
    (tmp_path / "empty").mkdir()
    for name in ("outside", "empty"):
        folder.with_name(name).symlink_to(tmp_path / name)
    assert list(list_snapshots(state)) == ["base"]
    remove_unfinished(folder.parent)
    remove_snapshot(state, "base")
    assert (tmp_path / "outside" / "snapshot.json").exists()
    assert (tmp_path / "empty").exists()


def test_the_copy_with_another_key(state: Path) -> None:
    """The copy that another key encrypts is private, has the check of that key, and is removed."""
    folder = _save(state, is_portable=True)
    (database,), (key,) = folder.glob("*.db"), folder.glob("key-*")
    before = os.umask(0)
    try:
        new = Seal(b"n" * 32)
        with reencrypted_copy("base", database, Seal(key.read_bytes()), new) as copy:
            assert stat.S_IMODE(copy.stat().st_mode) == 0o600
            with open_database(copy) as opened:
                assert stored_key_check(opened) == new.digest(KEY_CHECK)
    finally:
        os.umask(before)
    assert not copy.exists()


def test_what_is_not_there(state: Path, tmp_path: Path) -> None:
    """Saving without a state and loading an unknown name are errors that name what there is."""
    with pytest.raises(LocalSandboxError, match="no state to save"):
        _save(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    assert list_snapshots(tmp_path / "nothing") == {}
    for call in (_load, remove_snapshot):
        with pytest.raises(LocalSandboxError, match="no snapshot 'none'") as caught:
            call(state, "none")
        assert "seedctl local save none" in (caught.value.resolution or "")
    _save(state)
    with pytest.raises(LocalSandboxError, match="no snapshot 'none'") as caught:
        _load(state, "none")
    assert caught.value.resolution == "Choose one of these: base."


@pytest.mark.parametrize("is_replacing", [False, True])
@pytest.mark.parametrize("step", ["copy_to", "write"])
def test_a_full_disk(
    state: Path, monkeypatch: pytest.MonkeyPatch, step: str, is_replacing: bool
) -> None:
    """If a save fails, the old snapshot is unchanged, and nothing of the new one is left."""
    if is_replacing:
        _save(state)
        _change(state)
    before = sorted(state.rglob("*"))

    def fail(*_: object) -> None:
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(Store if step == "copy_to" else Snapshot, step, fail)
        with pytest.raises(LocalSandboxError, match="No space left") as caught:
            _save(state, is_replacing=is_replacing)
        assert "Free space" in (caught.value.resolution or "")
    after = [path for path in sorted(state.rglob("*")) if path.name not in (".lock", SNAPSHOTS)]
    assert after == [path for path in before if path.name not in (".lock", SNAPSHOTS)]
    if is_replacing:
        _load(state)
        assert _guests(state) == ["a"]


def test_a_full_disk_while_loading(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a load fails, the state is unchanged, whatever step failed."""
    _save(state)
    _change(state)
    (state / FOLDER / "objects" / b"a".hex().zfill(32)).unlink()

    def fail(*_: object) -> None:
        raise FULL

    for name in ("add_content", "Store.replace_with"):
        with monkeypatch.context() as patch:
            patch.setattr(f"seedctl.local.snapshots.{name}", fail)
            with pytest.raises(LocalSandboxError, match="No space left"):
                _load(state)
        assert _guests(state) == ["a", "b"]
        assert (state / FOLDER / "objects" / b"b".hex().zfill(32)).read_text() == "b"


def test_an_interrupt_while_saving(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted save leaves nothing."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "copy_to", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _save(state)
    assert [path.name for path in (state / FOLDER / SNAPSHOTS).iterdir()] == [".lock"]


def test_other_files_beside_the_contents(state: Path) -> None:
    """A load removes the contents of objects that the snapshot lacks, and no other file."""
    objects = state / FOLDER / "objects"
    (objects / "lock").touch()
    (objects / "note").touch()
    _save(state)
    _change(state)
    _load(state)
    assert {path.name for path in objects.iterdir()} == {b"a".hex().zfill(32), "lock", "note"}


def test_a_state_in_use(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that another command uses is saved, but not replaced; a start waits for a load."""
    monkeypatch.setattr(state_use, "_ALONE_SECONDS", 0.05)
    with closing(Store.open(prepare(state))) as store:
        _save(state)
        _put(store, "b")
        with pytest.raises(LocalSandboxError, match="in use by another command"):
            _load(state)
        with store.use.alone():
            opened: list[Store] = []
            thread = threading.Thread(target=lambda: opened.append(Store.open(prepare(state))))
            thread.start()
            thread.join(0.1)
            assert opened == []
        thread.join()
        opened[0].close()
    assert _guests(state) == ["a", "b"]


def test_nobody_writes_while_contents_are_copied(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the copy of the database and those of the contents, none of them can be removed."""
    added: list[str] = []

    def add(source: Path, target: Path) -> None:
        with (
            closing(sqlite3.connect(state / FOLDER / "state.db", timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
        added.append(target.name)
        files.add_content(source, target)

    monkeypatch.setattr("seedctl.local.snapshots.add_content", add)
    _save(state)
    assert len(added) == 1


def test_pending_uploads(state: Path) -> None:
    """The parts of a multipart upload that is not complete belong to the state too."""
    part = state / FOLDER / "objects" / ("f" * 32)
    part.write_text("part")
    with closing(Store.open(prepare(state))) as store, store.transaction() as view:
        row: dict[str, Any] = {"etag": "e", "modified": 0, "checksums": {}}
        view.put("part", upload_id="u", number=1, file=part.name, size=4, **row)
    _save(state)
    part.unlink()
    _load(state)
    assert part.read_text() == "part"


def test_left_overs_are_no_obstacle(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a left-over cannot be removed, such as a folder without write permission, save goes on."""
    (_save(state).with_name("half") / "objects").mkdir(parents=True)

    def fail(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", fail)
    _save(state, "other")
    assert list(list_snapshots(state)) == ["base", "other"]


def test_a_removal_that_stops(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal that stops half-way leaves no incomplete snapshot, and the next one completes it."""
    snapshots = _save(state).parent

    def fail(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", fail)
        with pytest.raises(LocalSandboxError, match="Permission denied"):
            remove_snapshot(state, "base")
    assert list_snapshots(state) == {}
    _save(state, "other")
    assert sorted(path.name for path in snapshots.iterdir()) == [".lock", "other"]


def test_left_overs_are_removed(state: Path) -> None:
    """The next save removes what killed ones left: folders without a manifest, temporary copies."""
    folder = _save(state)
    snapshots = folder.parent
    (snapshots / "half" / "objects").mkdir(parents=True)
    (snapshots / ".copy.unfinished-1").write_text("x")
    (snapshots / ".removed.unfinished-1" / "objects").mkdir(parents=True)
    (folder / "state-0000000000000000.db").write_text("x")
    assert list(list_snapshots(state)) == ["base"]
    _save(state, is_replacing=True)
    assert sorted(path.name for path in snapshots.iterdir()) == [".lock", "base"]
    assert len(list(folder.glob("*.db"))) == 1
    remove_unfinished(snapshots)
    require_snapshot(snapshots.parent, "base")


@pytest.mark.skipif(os.name == "nt", reason="forks processes")
def test_kills_leave_the_old_or_the_new_one(tmp_path: Path) -> None:
    """Whenever a process is killed that saves or loads, one complete snapshot or state is there."""
    script = Path(__file__).with_name("snapshot_kills.py")
    command = [sys.executable, str(script), str(tmp_path), "14"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 0, ended.stderr
    outcomes = [line.split() for line in ended.stdout.splitlines()]
    assert [action for action, *_ in outcomes] == ["save", "load"]
    for _, calls, old, new in outcomes:
        assert int(calls) > 100
        assert int(old) + int(new) == 14
        assert int(old) > 0  # some were killed before the decisive step


def test_a_state_that_stays_in_use(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start does not wait for ever for a load, and other failures of the lock are named."""
    monkeypatch.setattr(state_use, "_JOIN_SECONDS", 0.05)
    with (
        closing(Store.open(prepare(state))) as store,
        store.use.alone(),
        pytest.raises(LocalSandboxError, match="is being replaced by another command"),
    ):
        _guests(state)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", fail)
    with pytest.raises(LocalSandboxError, match="No locks available"):
        _guests(state)


def test_without_shared_locks(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On systems without shared locks, states are used and loaded all the same."""
    monkeypatch.setattr(state_use, "fcntl", None)
    _save(state)
    _change(state)
    _load(state)
    assert _guests(state) == ["a"]


def test_another_program_writes(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds a transaction, a load waits, then gives up and changes nothing."""
    _save(state)
    _change(state)
    monkeypatch.setattr("seedctl.local.store._BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(state / FOLDER / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LocalSandboxError, match="database is locked"):
            _load(state)
        other.execute("ROLLBACK")
    assert _guests(state) == ["a", "b"]
    _load(state)
    assert _guests(state) == ["a"]


def test_the_snapshots_stay_in_use(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command does not wait for ever for another one that saves; afterwards it can go on."""
    _save(state)
    monkeypatch.setattr(snapshot_folder, "_LOCK_SECONDS", 0.02)
    for call in (_save, _load, lambda folder: remove_snapshot(folder, "base")):
        with (
            pytest.raises(LocalSandboxError, match="Another command is using the snapshots"),
            snapshot_folder.locked(state / FOLDER),
        ):
            call(state)
    _load(state)


def test_a_failure_on_top_of_damage(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a damaged snapshot cannot be replaced, the error is the one of the save."""
    folder = _save(state)
    (folder / "snapshot.json").write_text("{")

    def fail(*_: object) -> None:
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(Store, "copy_to", fail)
        with pytest.raises(LocalSandboxError, match="No space left"):
            _save(state, is_replacing=True)
    _save(state, is_replacing=True)
    assert len(list(folder.iterdir())) == 3
    _load(state)


def test_a_portable_snapshot_without_a_table(state: Path, tmp_path: Path) -> None:
    """If SQLite cannot rewrite the secrets, its own words are in the error."""
    folder = _save(state, is_portable=True)
    with closing(sqlite3.connect(next(folder.glob("*.db")))) as connection:
        connection.execute("DROP TABLE parameter")
    target = prepare(tmp_path / "other") / SNAPSHOTS
    target.mkdir()
    folder.rename(target / "base")
    with pytest.raises(LocalSandboxError, match="no such table: parameter"):
        _load(tmp_path / "other")
    assert [path.name for path in target.iterdir() if "unfinished" in path.name] == []
