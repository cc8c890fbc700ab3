"""Ctrl-C, SIGTERM and SIGHUP end seedctl in each phase of its work, on a pseudo-terminal."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import termios
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.local.hosting import host_sandbox
from seedctl.local.services import Services
from seedctl.outputs import load_outputs
from tests.running import PASSWORD, RESOURCES, make_project
from tests.test_processes import ROOT, Terminal, has_ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seedctl.local.http1 import Request, Response

SEED = ("seed", "--local", "--report", "report.json")
HEAD = f"""
import itertools, os, sys, time
from concurrent.futures import ThreadPoolExecutor
from seedctl import *
from seedctl import data, storage
PASSWORD = {PASSWORD!r}

def sleep():
    # A signal that arrives right before one long sleep would not end that sleep.
    while True:
        time.sleep(0.1)

def counted(make):
    for number in itertools.count():
        if number == 10:
            print("at work", flush=True)
        yield make(number)

def create(number, **options):
    create_and_sign_up_user(f"user{{number}}@example.com", PASSWORD, **options)
"""
SIGN_IN = "create('', sign_in_after_creation=True)\n"
WITH_CODE = "create({}, sign_in_flow='MFA', mfa_preference='EMAIL')\n"

# Waits during the import of a module, like a slow disk.
SLOW_IMPORT = """
import os, sys, time

class Slow:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == os.environ.get("SLOW_IMPORT"):
            print("at work", flush=True)
            while True:
                time.sleep(0.1)

sys.meta_path.insert(0, Slow)
"""


@dataclass(frozen=True)
class Phase:
    """A phase of a process: how to start it, and what it prints when it gets there."""

    script: str = ""
    arguments: tuple[str, ...] = SEED
    mark: str = "at work"
    slow_import: str = ""
    says: str = "Interrupted ({}), ending …"


PHASES = {
    "imports at the start": Phase(arguments=("--help",), slow_import="click", says="Interrupted."),
    "imports of a run": Phase(slow_import="botocore"),
    "secret prompt": Phase(arguments=("secret", "set", "x", "--local"), mark="(hidden): "),
    "code prompt": Phase(WITH_CODE.format(1), (*SEED, "--prompt"), "(hidden): "),
    "code prompt of a thread": Phase(
        f"with ThreadPoolExecutor() as pool:\n"
        f"    list(pool.map(lambda n: {WITH_CODE.format('n').strip()}, range(3)))\n",
        (*SEED, "--prompt"),
        "(hidden): ",
    ),
    "code command": Phase(
        WITH_CODE.format(1),
        (*SEED, "--mfa-command", "sh -c 'sleep 600 & echo at work, group $$. >&2; wait'"),
        "at work, group ",
    ),
    "users one by one": Phase("for number in counted(int):\n    create(number)\n"),
    "many users": Phase(
        "create_users(counted(lambda n: NewUser(f'u{n}@example.com', PASSWORD)))\n"
    ),
    "records": Phase(
        f"{SIGN_IN}data.generate_client().models.Todo.create_many(\n"
        "    counted(lambda n: {'content': str(n)}))\n"
    ),
    "files": Phase(f"{SIGN_IN}storage.upload_many(counted(lambda n: (f'pictures/{{n}}', b'x')))\n"),
    "sleep": Phase("print('at work', flush=True)\nsleep()\n"),
    "sign-out": Phase(SIGN_IN),
}


def _settings_of_a_new_terminal() -> list[Any]:
    ours, theirs = os.openpty()
    try:
        return termios.tcgetattr(ours)
    finally:
        os.close(ours)
        os.close(theirs)


class Watched(Terminal):
    """A process on a terminal, which is examined when the process has ended."""

    def __init__(self, *arguments: str, cwd: Path, **extra: str) -> None:
        super().__init__(*arguments, cwd=cwd, **extra)
        self.settings = _settings_of_a_new_terminal()  # this one's may have changed by now
        self.code: int | None = None

    def send(self, number: int, *, until: str) -> None:
        """Send a signal until the process says that it received it.

        Python handles a signal that arrives right before a wait only when the next signal arrives.
        """
        while until not in self.screen:
            os.kill(self.pid, number)
            end = time.monotonic() + 10
            while until not in self.screen and time.monotonic() < end:
                if select.select([self._fd], [], [], 0.1)[0] and not self._read():
                    raise AssertionError(self.screen)

    def close(self) -> int:
        """Close the terminal, as its window is closed, and return the exit code."""
        os.close(self._fd)
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def end(self) -> int:
        while self._read():
            pass
        self.settings_after = termios.tcgetattr(self._fd)
        return self.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Start phases, or scripts, in a project; none of the processes may outlive its test."""
    started: list[Watched] = []
    make_project(tmp_path / "project")
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_text(SLOW_IMPORT)

    def begin(phase: Phase) -> Watched:
        folder = tmp_path / "project"
        if "sign_in_flow='MFA'" in phase.script:
            shutil.copy(RESOURCES / "mfa_email/amplify_outputs.json", folder)
        (folder / "amplify/seed/seed.py").write_text(HEAD + phase.script)
        hook = {
            "PYTHONPATH": f"{tmp_path / 'hook'}{os.pathsep}{ROOT}",
            "SLOW_IMPORT": phase.slow_import,
        }
        started.append(Watched(*phase.arguments, cwd=folder, **(hook if phase.slow_import else {})))
        return started[-1]

    yield begin
    for each in started:
        if each.code is None:
            os.kill(each.pid, signal.SIGKILL)
            each.close()


def report(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(name, number, id=f"{name}-{number.name}")
        for name, number in [
            ("imports at the start", signal.SIGINT),
            ("imports at the start", signal.SIGHUP),
            ("imports of a run", signal.SIGTERM),
            ("secret prompt", signal.SIGTERM),
            ("code prompt", signal.SIGHUP),
            ("code prompt of a thread", signal.SIGTERM),
            ("code command", signal.SIGTERM),
            ("users one by one", signal.SIGHUP),
            ("many users", signal.SIGINT),
            ("records", signal.SIGTERM),
            ("files", signal.SIGHUP),
            ("sleep", signal.SIGTERM),
        ]
    ],
)
def test_a_signal_ends_each_phase(
    start: Callable[..., Watched], tmp_path: Path, name: str, number: signal.Signals
) -> None:
    """A message is printed, exit code and report are the signal's, the terminal is restored."""
    phase = PHASES[name]
    terminal = start(phase)
    terminal.wait_for(phase.mark)
    terminal.send(number, until=phase.says.format(number.name))
    assert terminal.end() == 128 + number
    assert "Traceback" not in terminal.screen
    assert terminal.settings_after == terminal.settings
    assert terminal.screen.rfind("\x1b[?25l") <= terminal.screen.rfind("\x1b[?25h")  # the cursor
    for group in re.findall(r"at work, group (\d+)", terminal.screen):
        assert has_ended(int(group))
    if "--report" in phase.arguments:
        document = report(tmp_path / "project")
        assert (document["exit_code"], document["signal"]) == (128 + number, number.name)
        assert document["error"]["message"] == f"Interrupted ({number.name})."
    if phase.script:
        assert f"Interrupted ({number.name}) after " in terminal.screen


def test_a_signal_ends_sign_outs_that_hang(
    start: Callable[..., Watched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions that cannot be revoked within two seconds stay signed in, with a warning."""
    phase = PHASES["sign-out"]
    asked, go_on = threading.Event(), threading.Event()
    answer = Services.answer

    def slow(self: Services, request: Request) -> Response:
        if request.headers.get("x-amz-target", "").endswith(".RevokeToken"):
            asked.set()
            go_on.wait(60)
        return answer(self, request)

    monkeypatch.setattr(Services, "answer", slow)
    folder = tmp_path / "project"
    outputs = load_outputs(folder / "amplify_outputs.json")
    with host_sandbox(folder / ".amplify/seedctl", outputs):
        try:
            terminal = start(phase)
            assert asked.wait(60), terminal.screen
            terminal.send(signal.SIGTERM, until="(SIGTERM), ending …")
            assert terminal.end() == 143
        finally:
            go_on.set()
    (warning,) = report(folder)["warnings"]
    assert warning == "1 session was left signed in: the sign-out took longer than 2 s."
    assert warning in " ".join(terminal.screen.split())
    assert "Traceback" not in terminal.screen


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("with ThreadPoolExecutor() as pool:\n    pool.submit(work)\n", id="a pool"),
        pytest.param("import threading\nthreading.Thread(target=work).start()\n", id="a thread"),
        pytest.param("import asyncio\nasyncio.run(asyncio.to_thread(work))\n", id="asyncio"),
    ],
)
def test_threads_of_a_script_do_not_delay_its_end(
    start: Callable[..., Watched], tmp_path: Path, script: str
) -> None:
    """Python would wait for them without a limit; seedctl waits two seconds."""
    work = "def work():\n    print('at work', flush=True)\n    sleep()\n"
    terminal = start(Phase(work + script))
    terminal.wait_for("at work")
    terminal.send(signal.SIGTERM, until="(SIGTERM), ending …")
    assert terminal.end() == 143
    assert "Traceback" not in terminal.screen
    assert report(tmp_path / "project")["signal"] == "SIGTERM"


def test_a_closed_terminal_ends_a_run(start: Callable[..., Watched], tmp_path: Path) -> None:
    """The script cleans up although its output is discarded, and the report is written."""
    phase = Phase(
        "try:\n    print('at work', flush=True)\n    sleep()\n"
        "finally:\n    print('cleaning up', flush=True)\n    set_secret('done', 'yes-it-is')\n"
    )
    terminal = start(phase)
    terminal.wait_for(phase.mark)
    assert terminal.close() == 129
    document = report(tmp_path / "project")
    assert (document["exit_code"], document["signal"]) == (129, "SIGHUP")
    assert document["error"]["name"] == "KeyboardInterrupt"
    assert [each["name"] for each in document["things"]] == ["done"]


def test_a_second_signal_ends_a_script_that_goes_on(
    start: Callable[..., Watched], tmp_path: Path
) -> None:
    """A script that catches the interrupt may clean up until the next signal."""
    prompt = Phase(
        "try:\n    print('at work', flush=True)\n    sleep()\n"
        "except BaseException:\n    print('caught', flush=True)\n    sleep()\n"
    )
    terminal = start(prompt)
    terminal.wait_for(prompt.mark)
    terminal.send(signal.SIGTERM, until="caught")
    terminal.send(signal.SIGINT, until="Ended at once.")
    assert terminal.end() == 143
    document = report(tmp_path / "project")
    assert (document["exit_code"], document["signal"]) == (143, "SIGTERM")


def test_ctrl_backslash_at_a_prompt_leaves_a_terminal_that_echoes(
    start: Callable[..., Watched],
) -> None:
    """SIGQUIT ends the process as usual, but the terminal's echo is turned on first."""
    phase = PHASES["secret prompt"]
    terminal = start(phase)
    terminal.wait_for(phase.mark)
    terminal.type("\x1c")
    assert terminal.end() == -signal.SIGQUIT
    assert terminal.settings_after == terminal.settings
