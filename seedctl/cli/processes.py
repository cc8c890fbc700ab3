"""seedctl in another process: a server that outlives this one, or a seed beside a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl.cli.connection import project_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedctl.cli.options import Settings

_ROOT = Path(__file__).resolve().parents[2]
# Not -m, which would import a user's module from the working directory in the place of another.
_PROGRAM = (
    "import sys; sys.path = [*filter(None, sys.path), sys.argv.pop(1)]; "
    "from seedctl.__main__ import main; sys.exit(main())"
)


def command_line(settings: Settings, *arguments: str) -> list[str]:
    """Return the command that runs seedctl with *arguments* for the same project."""
    words = [sys.executable, "-c", _PROGRAM, str(_ROOT), *arguments, "--local"]
    words += ["-C", str(project_of(settings).root)]
    if settings.outputs:
        words += ["--outputs", str(Path(settings.outputs).resolve())]
    for option, value in (("--identifier", settings.identifier), ("--region", settings.region)):
        if value:
            words += [option, value]
    for flag in ("quiet", "verbose", "debug"):
        if getattr(settings, flag):
            words.append(f"--{flag}")
    return words


def start_detached(command: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start *command* in a session of its own; its output goes to the new file *log*."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env={**os.environ, "PYTHONUTF8": "1"},  # the log is read as UTF-8
        )
    finally:
        os.close(descriptor)


def leave_running(process: subprocess.Popen[bytes]) -> None:
    """Let *process* outlive this one, without Python's warning about it."""
    process.returncode = 0


def end(process: subprocess.Popen[bytes], *, patience: float) -> None:
    """Wait *patience* seconds for *process* to end, then terminate it, then kill it."""
    for then in (process.terminate, process.kill):
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            then()
    process.wait()


def exit_code_of(process: subprocess.Popen[bytes]) -> int:
    """Wait for *process* and return its exit code as a shell does: 128 + the signal's number."""
    code = process.wait()
    return 128 - code if code < 0 else code
