"""Which backend the module-level functions act on: only that of the block around the call."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect, current_backend, get_secret, process_state, set_secret
from seedctl.current import ActiveBackends
from seedctl.embedded import EmbeddedSandboxes
from seedctl.errors import InvalidCommandInputError, LocalSandboxError, NoBackendError
from seedctl.report import Report
from tests.cases import case
from tests.running import PASSWORD, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl import Backend


class FakeBackend:
    def __init__(self, name: str) -> None:
        self.name = name

    def describe(self) -> str:
        return f"the sandbox {self.name}"


def refuse() -> FakeBackend:
    raise AssertionError("nothing may be connected here")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def _local(root: Path, name: str) -> Backend:
    return connect(root, identifier=name, local=True, target="none")


def test_functions_act_on_the_backend_of_their_block(root: Path) -> None:
    """Inside a connect() block, functions use its backend and not the one from the environment."""
    with _local(root, "alice") as backend:
        set_secret("color", "green-apple")
        assert current_backend() is backend
        assert backend.secrets.get("color") == "green-apple"


def test_the_address_of_a_closed_sandbox_is_forgotten(root: Path) -> None:
    """Calls to another server that gets the same port later have quotas again."""
    with _local(root, "alice") as backend:
        assert set(process_state.instance(EmbeddedSandboxes)) == {backend.aws.endpoint("ssm")}
    assert not process_state.instance(EmbeddedSandboxes)


def test_the_innermost_block_counts(root: Path) -> None:
    """Blocks nest, and after an inner block the outer one applies again."""
    with _local(root, "alice") as outer:
        with _local(root, "bob") as inner:
            assert current_backend() is inner
        assert current_backend() is outer


def test_an_exception_closes_the_block(root: Path) -> None:
    """A block that ends with an exception is closed like any other."""
    with pytest.raises(ZeroDivisionError), _local(root, "alice"):
        _ = 1 / 0
    with pytest.raises(NoBackendError):
        current_backend()


def test_blocks_may_end_in_any_order() -> None:
    """Blocks may be closed in another order than they were opened in, without leftovers."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()
    first, second = ExitStack(), ExitStack()
    a, b = FakeBackend("a"), FakeBackend("b")
    first.enter_context(active.block(a))
    second.enter_context(active.block(b))
    first.close()
    assert active.current(refuse) is b
    second.close()
    assert active.is_empty


@pytest.mark.parametrize("is_closed", [False, True], ids=["outside", "after the block"])
def test_no_automatic_connection_after_connect(root: Path, is_closed: bool) -> None:
    """A function outside of all blocks raises, and the error says how to name the backend."""
    backend = _local(root, "alice")
    if is_closed:
        with backend:
            pass
    with pytest.raises(NoBackendError, match="outside of every with block") as caught:
        get_secret("color")
    assert "backend.secrets" in (caught.value.resolution or "")
    backend.close()


def test_no_automatic_connection_after_a_failed_connect(root: Path) -> None:
    """After a failed connect(local=True), no function connects to the real AWS."""
    (root / ".amplify").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(LocalSandboxError):
        connect(root, local=True)
    with pytest.raises(NoBackendError, match="outside of every with block"):
        get_secret("color")


def test_pool_threads_use_the_open_block() -> None:
    """Pool threads have no block of their own, so they use the one that is open."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()
    backend = FakeBackend("a")
    with active.block(backend), ThreadPoolExecutor(2) as pool:
        assert pool.submit(active.current, refuse).result() is backend


def test_threads_with_different_blocks_do_not_interfere() -> None:
    """Each thread uses its own block; in a thread without one, the error names both backends."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()
    entered, ends = threading.Barrier(3), threading.Event()
    found: dict[str, FakeBackend] = {}

    def work(name: str) -> None:
        backend = FakeBackend(name)
        with active.block(backend):
            entered.wait()
            assert active.current(refuse) is backend
            found[name] = backend
            ends.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("alice", "bob")]
    for thread in threads:
        thread.start()
    try:
        entered.wait()
        with pytest.raises(NoBackendError) as caught:
            active.current(refuse)
        assert "the sandbox alice" in caught.value.message
        assert "the sandbox bob" in caught.value.message
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    assert set(found) == {"alice", "bob"}
    assert active.is_empty


def test_blocks_of_one_backend_in_several_threads() -> None:
    """If all open blocks have the same backend, every thread uses it."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()
    backend = FakeBackend("a")

    def nested() -> FakeBackend:
        with active.block(backend):
            return active.current(refuse)

    with active.block(backend), ThreadPoolExecutor(1) as pool:
        assert pool.submit(nested).result() is backend
        assert active.current(refuse) is backend


def test_tasks_with_different_blocks_do_not_interfere() -> None:
    """Each task of one thread uses its own block, as each thread does."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()

    async def work(name: str, others: asyncio.Event) -> str:
        with active.block(FakeBackend(name)):
            await others.wait()
            return active.current(refuse).name

    async def both() -> list[str]:
        ready = asyncio.Event()
        tasks = [asyncio.ensure_future(work(name, ready)) for name in ("alice", "bob")]
        await asyncio.sleep(0)
        ready.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(both()) == ["alice", "bob"]


def test_a_script_connects_automatically_once_at_most() -> None:
    """Once a script calls connect() itself, the automatic connection is not used any more."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()
    made: list[FakeBackend] = []

    def connect_for_script() -> FakeBackend:
        made.append(FakeBackend("of the script"))
        return made[-1]

    assert active.current(connect_for_script) is active.current(connect_for_script)
    active.count_explicit_connection()
    with pytest.raises(NoBackendError):
        active.current(connect_for_script)
    assert len(made) == 1


def test_threads_of_a_script_share_the_automatic_connection() -> None:
    """Threads whose first calls come at the same time make one connection."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()
    made: list[FakeBackend] = []
    start = threading.Barrier(4)

    def connect_slowly() -> FakeBackend:
        made.append(FakeBackend("of the script"))
        time.sleep(0.01)
        return made[-1]

    def use(_: int) -> FakeBackend:
        start.wait()
        return active.current(connect_slowly)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(use, range(4)))
    assert len(made) == 1
    assert found == made * 4


@pytest.mark.parametrize(
    "option", ["project_dir", "identifier", "profile", "region", "endpoint_url", "outputs"]
)
def test_an_empty_option_is_refused(root: Path, option: str) -> None:
    """An empty text usually comes from an unset variable and must not mean "the default"."""
    given: dict[str, Any] = {"project_dir": root, option: ""}
    with pytest.raises(InvalidCommandInputError, match=option):
        connect(**given)


@pytest.mark.parametrize(
    ("value", "is_local"),
    [("1", True), ("YES", True), ("on", True), ("", False), ("0", False), ("Off", False)],
)
def test_the_values_of_seedctl_local(
    root: Path, monkeypatch: pytest.MonkeyPatch, value: str, is_local: bool
) -> None:
    """SEEDCTL_LOCAL accepts the usual words for yes and no, in any case."""
    monkeypatch.setenv("SEEDCTL_LOCAL", value)
    with connect(root, identifier="alice", target="none") as backend:
        assert backend.aws.is_local is is_local
    with connect(root, identifier="alice", target="none", local=False) as backend:
        assert not backend.aws.is_local  # the argument counts more


@pytest.mark.parametrize("value", ["y", "true!", "local", " "])
def test_an_unknown_value_of_seedctl_local(
    root: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """An unknown word is refused: to treat it as no would write to the real AWS."""
    monkeypatch.setenv("SEEDCTL_LOCAL", value)
    with pytest.raises(InvalidCommandInputError, match="SEEDCTL_LOCAL"):
        connect(root)


def test_every_option_reaches_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """connect() passes on each of its arguments, to the choice of the backend or the connection."""
    passed: list[Any] = []
    monkeypatch.setattr("seedctl.backend.Connection", passed.append)
    monkeypatch.setattr("seedctl.backend.Backend", lambda connection: connection)
    given: dict[str, Any] = {name: object() for name in inspect.signature(connect).parameters}
    connect(**given)
    (options,) = passed
    for name, value in given.items():
        with case(name):
            owner = options.choice if hasattr(options.choice, name) else options
            assert getattr(owner, name) is value


def test_closing_signs_out_before_the_sandbox_stops(root: Path) -> None:
    """The end of a backend signs out its sessions while its local sandbox still answers."""
    report = Report()
    with connect(root, identifier="alice", local=True, observer=report) as backend:
        backend.auth.create_user("ann@example.com", PASSWORD)
        session = backend.auth.sign_in("ann@example.com", PASSWORD)
    assert not session.is_signed_in
    assert report.warnings == []
