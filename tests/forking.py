"""Processes of the command line that start quickly: forked from one that has imported it.

A test that needs a real process (a terminal, signals, exit codes, two runs at once) does not need
a new interpreter: to start one and to import everything takes longer than what most tests do.
One process for each worker, the parent, has imported the command line and forks for each run.
What the tests get are children of their own all the same, to be signalled and waited for.

Elsewhere than on Linux, and where the environment changes how Python itself starts, a run is an
ordinary process.
"""

from __future__ import annotations

import array
import atexit
import ctypes
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

ROOT = Path(__file__).parents[1]
IS_POSSIBLE = sys.platform == "linux"

_SET_CHILD_SUBREAPER = 36  # prctl(2)
_PYTHON = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}

_RESTRICTED = """
import sys
from tests.restricted import restrict
sys.dont_write_bytecode = True
restrict(file_size=int(sys.argv.pop(1)))
from seedctl.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


class Run(TypedDict, total=False):
    """What a new process runs: seedctl with *arguments*."""

    arguments: Sequence[str]
    cwd: str
    environment: dict[str, str]
    file_size: int | None
    """As in tests.restricted."""
    is_session: bool
    """Whether it leads a session of its own, with stdin as its terminal."""


class Parent:
    """The process that forks, from the side of the tests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def can_start(self, environment: dict[str, str]) -> bool:
        """Whether Python would start with this environment as the parent did."""
        words = ("PYTHON", "LC_", "LANG")
        given = {name: value for name, value in environment.items() if name.startswith(words)}
        own = {name: value for name, value in os.environ.items() if name.startswith(words)}
        return IS_POSSIBLE and given == {**own, **_PYTHON}

    def start(self, run: Run, descriptors: tuple[int, int, int]) -> int:
        """Start a process with these as stdin, stdout and stderr, and return its id."""
        with self._lock:
            connection = self._connection()
            body = json.dumps(run).encode()
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
            # Its own parent ends at once: the process becomes a child of this one.
            _become_subreaper(True)
            try:
                connection.sendmsg([len(body).to_bytes(4, "big")], [rights])
                connection.sendall(body)
                return int.from_bytes(_receive(connection, 4), "big")
            finally:
                _become_subreaper(False)

    def stop(self) -> None:
        if self._process is not None and self._socket is not None:
            self._socket.close()
            self._process.wait(timeout=60)
            self._process = self._socket = None

    def _connection(self) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", "from tests.forking import main; main()"],
                    cwd=ROOT,
                    env={**os.environ, **_PYTHON, "SEEDCTL_TEST_SOCKET": str(theirs.fileno())},
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
        return self._socket


PARENT = Parent()


class QuickProcess(subprocess.Popen[str]):
    """``python -m seedctl`` with these arguments; *file_size* as in tests.restricted."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        environment: dict[str, str],
        file_size: int | None = None,
        **options: Any,
    ) -> None:
        self._run: Run = {"arguments": arguments, "file_size": file_size}
        program = ["-m", "seedctl"] if file_size is None else ["-c", _RESTRICTED, str(file_size)]
        super().__init__(
            [sys.executable, *program, *arguments],
            cwd=cwd,
            env=environment,
            text=True,
            encoding="utf-8",
            **options,
        )

    def _execute_child(self, args: Any, *rest: Any, **named: Any) -> None:
        _, _, _, _, cwd, environment, _, _, _, *pipes = rest
        if not PARENT.can_start(environment):
            super()._execute_child(args, *rest, **named)  # type: ignore[misc]
            return
        stdin, _, _, stdout, _, stderr = pipes[:6]
        given = (
            stdin if stdin != -1 else 0,
            stdout if stdout != -1 else 1,
            stderr if stderr != -1 else 2,
        )
        run: Run = {**self._run, "cwd": os.fspath(cwd), "environment": environment}
        self.pid = PARENT.start(run, given)
        self._child_created = True
        self._close_pipe_fds(*pipes[:6])  # type: ignore[attr-defined]


def start_on_terminal(
    arguments: tuple[str, ...], cwd: Path, environment: dict[str, str]
) -> tuple[int, int]:
    """Start the command line on a pseudo-terminal; return its id and the terminal's other end."""
    if not PARENT.can_start(environment):
        import pty  # not everywhere, but this module is

        process, ours = pty.fork()
        if process == 0:  # pragma: no cover - the child
            os.chdir(cwd)
            command = [sys.executable, "-m", "seedctl", *arguments]
            os.execve(sys.executable, command, environment)
        return process, ours
    ours, theirs = os.openpty()
    try:
        run: Run = {"arguments": arguments, "cwd": os.fspath(cwd), "environment": environment}
        return PARENT.start({**run, "is_session": True}, (theirs, theirs, theirs)), ours
    finally:
        os.close(theirs)


def _become_subreaper(is_one: bool) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, int(is_one), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise EOFError
        received += part
    return received


# --- the process that forks -----------------------------------------------------------------------


def main() -> None:
    """Fork for each run that is asked for; in the new process, make the run."""
    connection = socket.socket(fileno=int(os.environ.pop("SEEDCTL_TEST_SOCKET")))
    import gc
    import runpy

    from tests.quick_botocore import quick_sessions
    from tests.restricted import restrict

    with quick_sessions():
        _load_all()
        gc.freeze()
        while (run := _serve(connection)) is None:
            pass
        connection.close()
        _set_up(run)
        if (file_size := run.get("file_size")) is not None:
            sys.dont_write_bytecode = True  # with a limited file size it would be truncated
            restrict(file_size=file_size)
        # As ``python -m seedctl`` does.
        try:
            runpy.run_module("seedctl", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            _end(end.code)


def _load_all() -> None:
    """Import what any run may need, and load the models of the services."""
    import importlib
    import pkgutil

    import botocore.session
    import s3transfer.manager  # noqa: F401

    import seedctl

    for module in pkgutil.walk_packages(seedctl.__path__, "seedctl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    session = botocore.session.Session()
    for service in ("cognito-identity", "cognito-idp", "s3", "ssm", "sts"):
        session.create_client(
            service, "us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
        ).close()


def _serve(connection: socket.socket) -> Run | None:
    """Fork for the next run, and return it in the new process."""
    space = socket.CMSG_SPACE(3 * array.array("i").itemsize)
    head, ancillary, _, _ = connection.recvmsg(4, space)
    if not head:
        os._exit(0)  # the tests have ended
    descriptors = array.array("i")
    descriptors.frombytes(ancillary[0][2])
    run: Run = json.loads(_receive(connection, int.from_bytes(head, "big")))
    reading, writing = os.pipe()
    between = os.fork()
    if between == 0:
        process = os.fork()
        if process:
            os.write(writing, process.to_bytes(4, "big"))
            os._exit(0)
        os.close(reading)
        os.close(writing)
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        for descriptor in descriptors:
            os.close(descriptor)
        return run
    os.waitpid(between, 0)
    connection.sendall(os.read(reading, 4))
    for descriptor in (reading, writing, *descriptors):
        os.close(descriptor)
    return None


def _set_up(run: Run) -> None:
    """Make this process what a new one would be."""
    os.chdir(run["cwd"])
    os.environ.clear()
    os.environ.update(run["environment"])
    time.tzset()
    sys.path[0] = run["cwd"]
    sys.argv[1:] = run["arguments"]
    if run.get("is_session"):
        import fcntl
        import termios

        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.stdin = sys.__stdin__ = _open(0, "r")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _open(1, "w")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _open(2, "w")  # type: ignore[misc]


def _end(code: Any) -> None:
    """End as the interpreter does with this code, but leave the memory to the kernel.

    To delete each object would copy every page that is shared with the parent. Anything but a
    plain end is left to the interpreter.
    """
    if not isinstance(code, int) or threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        sys.exit(code)
    os._exit(code & 0xFF)


def _open(number: int, mode: str) -> io.TextIOWrapper:
    """Open a standard stream as Python does."""
    name = ("<stdin>", "<stdout>", "<stderr>")[number]
    raw = io.FileIO(number, mode, closefd=False)
    raw.name = name
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    errors = "backslashreplace" if number == 2 else "strict"
    is_by_line = number == 2 or os.isatty(number)
    return io.TextIOWrapper(buffer, errors=errors, line_buffering=is_by_line)
