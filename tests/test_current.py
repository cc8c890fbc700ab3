"""Which backend a function acts on: the one whose block it is called in, and never another."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect, current_backend, get_secret, set_secret
from seedctl.current import ActiveBackends
from seedctl.errors import InvalidCommandInputError, LocalSandboxError, NoBackendError
from tests.running import make_project

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
    """Entering with connect(...) is enough: no call goes to the backend of the environment."""
    with _local(root, "alice") as backend:
        set_secret("color", "green-apple")
        assert current_backend() is backend
        assert backend.secrets.get("color") == "green-apple"


def test_the_innermost_block_counts(root: Path) -> None:
    """Blocks nest, and leaving one goes back to the one around it."""
    with _local(root, "alice") as outer:
        with _local(root, "bob") as inner:
            assert current_backend() is inner
        assert current_backend() is outer


def test_a_block_left_by_an_exception_is_left(root: Path) -> None:
    """An error inside of a block ends the block all the same."""
    with pytest.raises(ZeroDivisionError), _local(root, "alice"):
        _ = 1 / 0
    with pytest.raises(NoBackendError):
        current_backend()


def test_blocks_may_end_in_any_order() -> None:
    """Two blocks of an ExitStack that is closed crosswise leave nothing behind."""
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
def test_a_process_that_connects_itself_connects_to_nothing_else(
    root: Path, is_closed: bool
) -> None:
    """A function outside of every block raises, and says how to name the backend."""
    backend = _local(root, "alice")
    if is_closed:
        with backend:
            pass
    with pytest.raises(NoBackendError, match="outside of every with block") as caught:
        get_secret("color")
    assert "backend.secrets" in (caught.value.resolution or "")
    backend.close()


def test_a_connection_that_failed_counts_too(root: Path) -> None:
    """After a connect(local=True) that failed, no function finds its way to the real AWS."""
    (root / ".amplify").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(LocalSandboxError):
        connect(root, local=True)
    with pytest.raises(NoBackendError, match="outside of every with block"):
        get_secret("color")


def test_threads_find_the_block_that_was_open_when_they_are_called() -> None:
    """The threads of a pool have no block of their own: they act on the one that is open."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()
    backend = FakeBackend("a")
    with active.block(backend), ThreadPoolExecutor(2) as pool:
        assert pool.submit(active.current, refuse).result() is backend


def test_overlapping_blocks_of_threads_stay_apart() -> None:
    """Each thread acts on its own block; a thread without one is told of both, and acts on none."""
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


def test_threads_in_blocks_of_one_backend_agree() -> None:
    """The same backend entered twice is one backend."""
    active: ActiveBackends[FakeBackend] = ActiveBackends()
    backend = FakeBackend("a")

    def nested() -> FakeBackend:
        with active.block(backend):
            return active.current(refuse)

    with active.block(backend), ThreadPoolExecutor(1) as pool:
        assert pool.submit(nested).result() is backend
        assert active.current(refuse) is backend


def test_overlapping_blocks_of_tasks_stay_apart() -> None:
    """Tasks of one thread have blocks of their own, as threads have."""
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


def test_a_script_connects_once_and_not_after_a_block_of_its_own() -> None:
    """What a script was connected to is not what is meant once it names a backend itself."""
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


@pytest.mark.parametrize(
    "option", ["project_dir", "identifier", "profile", "region", "endpoint_url", "outputs"]
)
def test_an_empty_option_is_refused(root: Path, option: str) -> None:
    """An empty text comes from a variable that was never set; it must not mean "the default"."""
    given: dict[str, Any] = {"project_dir": root, option: ""}
    with pytest.raises(InvalidCommandInputError, match=option):
        connect(**given)


@pytest.mark.parametrize(
    ("value", "is_local"),
    [("1", True), ("YES", True), ("on", True), ("", False), ("0", False), ("Off", False)],
)
def test_the_variable_says_yes_or_no(
    root: Path, monkeypatch: pytest.MonkeyPatch, value: str, is_local: bool
) -> None:
    """SEEDCTL_LOCAL takes the usual words, in any case."""
    monkeypatch.setenv("SEEDCTL_LOCAL", value)
    with connect(root, identifier="alice", target="none") as backend:
        assert backend.aws.is_local is is_local


@pytest.mark.parametrize("value", ["y", "true!", "local", " "])
def test_another_word_is_not_taken_for_no(
    root: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """An unknown word would lead to the real AWS, which may not be what is meant."""
    monkeypatch.setenv("SEEDCTL_LOCAL", value)
    with pytest.raises(InvalidCommandInputError, match="SEEDCTL_LOCAL"):
        connect(root)
