"""Run the project's packages in Node, in a temporary folder that is removed afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl import interruption
from seedctl.errors import FileAccessError, NodeNotFoundError
from seedctl.project import namespace_of
from seedctl.source.environment import synthesis_environment
from seedctl.source.failures import Outcome, failure
from seedctl.uninterrupted import run_in_thread

if TYPE_CHECKING:
    from seedctl.project import Project
    from seedctl.source.toolchain import Toolchain

DEFAULT_SECONDS = 120
"""How long the synthesis may take; it needs 5 to 10 seconds of processor time."""
_GRACE_SECONDS = 10
"""How long the script may take to report where the project's code was at the time limit."""
_POLL_SECONDS = 0.5
_LONGEST_OUTPUT = 100_000  # bytes
_LARGEST_FILE = 50_000_000
"""How many bytes of output are stored at most, so that a loop does not fill the disk."""
_SCRIPT = Path(__file__).with_name("synth.mjs")


@dataclass(frozen=True, slots=True)
class Synthesized:
    """The result of a synthesis."""

    assembly: Path
    """The folder of the cloud assembly; it is removed at the end of the block."""
    loaded: tuple[Path, ...]
    """The source files that were loaded, those of packages included."""


@contextmanager
def synthesize(
    project: Project, entry: Path, toolchain: Toolchain, *, seconds: int = DEFAULT_SECONDS
) -> Iterator[Synthesized]:
    """Synthesize the backend *entry* of *project*; the result is removed at the end of the block.

    The project's code runs without AWS variables and files, in the project's folder, and what it
    prints is not shown. *seconds* is how long it may take. Raises BackendSourceError, which says
    where the project's code failed and what it printed.
    """
    namespace = namespace_of(project)
    with temporary_folder() as folder:
        assembly = folder / "assembly"
        for each in (assembly, folder / "home", folder / "tmp"):
            each.mkdir()
        task = {
            "entry": str(entry),
            "tsx": str(toolchain.tsx),
            "folder": str(folder),
            "seconds": seconds,
        }
        status = _run(
            [toolchain.node, str(_SCRIPT), json.dumps(task)],
            project.root,
            synthesis_environment(folder, assembly, namespace),
            folder / "output.txt",
            seconds + _GRACE_SECONDS,
        )
        outcome = Outcome(
            project.root,
            entry,
            seconds,
            status,
            _json(folder / "result.json"),
            _json(assembly / "manifest.json"),
            _end_of(folder / "output.txt"),
        )
        problem = failure(outcome)
        if problem is not None:
            raise problem
        yield Synthesized(assembly, tuple(map(Path, outcome.result.get("loaded", ()))))


def _run(
    command: list[str], cwd: Path, environment: dict[str, str], output: Path, seconds: float
) -> int | None:
    """Run *command* in *cwd* and return its exit status, or None if it took longer than *seconds*.

    What it prints goes into the file *output*. Its children end with it.
    """

    def run(must_stop: Callable[[], bool]) -> int | None:
        # Append mode: after the file is truncated, Node continues at its beginning.
        with output.open("ab") as file:
            process = subprocess.Popen(  # noqa: S603 - the user's own Node
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        with interruption.cleaned_up(lambda: _kill(process)):
            end = time.monotonic() + seconds
            while time.monotonic() < end and not must_stop():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(_POLL_SECONDS)
                if output.stat().st_size > _LARGEST_FILE:
                    os.truncate(output, 0)
        return None

    try:
        return run_in_thread(run)
    except OSError as error:
        raise NodeNotFoundError(
            f"{command[0]} cannot be run: {error.strerror}.",
            resolution="Reinstall Node.js, or put another one first into PATH.",
        ) from error


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill *process* and what it started, such as the compiler of tsx, which may still run."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new folder, removed at the end of the block or when the process ends inside it."""
    try:
        # Its real path, since Node uses that. The name is short, since tsx creates a socket in it.
        folder = Path(tempfile.mkdtemp(prefix="seedctl-")).resolve()
    except OSError as error:
        raise FileAccessError(
            f"A temporary folder cannot be made: {error.strerror}.",
            resolution="Set TMPDIR to a folder that this account may write to.",
        ) from error
    with interruption.cleaned_up(lambda: shutil.rmtree(folder, ignore_errors=True)):
        yield folder


def _end_of(path: Path) -> str:
    """Return the last part of the text in the file at *path*, which code in a loop can make huge."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_OUTPUT))
        return file.read().decode("utf-8", "replace")


def _json(path: Path) -> dict[str, Any]:
    """Return the JSON object in the file at *path*; empty if Node ended before it was complete."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
