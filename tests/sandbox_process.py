"""Run a local sandbox in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = """
import sys
from pathlib import Path
from seedctl.local import LocalSandbox
from seedctl.outputs import load_outputs
state_folder, *files = map(Path, sys.argv[1:])
outputs = load_outputs(files[0]) if files else None
print(LocalSandbox.start(state_folder=state_folder, outputs=outputs).url, flush=True)
sys.stdin.read()
"""


@contextmanager
def sandbox_process(
    state_folder: Path, outputs: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that starts a sandbox; it is killed in the end."""
    files = [state_folder] if outputs is None else [state_folder, outputs]
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *map(str, files)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(process: subprocess.Popen[str]) -> str:
    """Wait until the sandbox in *process* has started, and return its URL."""
    assert process.stdout is not None
    return process.stdout.readline().strip()
