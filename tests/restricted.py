"""Run the command line in a process with fewer rights: file modes apply, or files stay small."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
from pathlib import Path

from tests.forking import QuickProcess
from tests.running import Result

ROOT = Path(__file__).parents[1]
# Rights to read, write and search files and folders whatever their modes, and to change the modes.
_POWERS = (1, 2, 3)
_VERSION_3 = 0x20080522


def run(folder: Path, *arguments: str, file_size: int = 0) -> Result:
    """Run seedctl with *arguments* in *folder*; *file_size* limits every file, 0 none."""
    with QuickProcess(
        *arguments,
        cwd=folder,
        environment={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
        file_size=file_size,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        out, err = process.communicate(timeout=300)
    return Result(process.returncode, out, err)


def restrict(*, file_size: int) -> None:
    """Give up the rights that only root has, and limit the size of files."""
    if file_size:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    if os.geteuid() == 0:
        _drop_powers()


def _drop_powers() -> None:
    """Give up root's rights over files, which Linux calls capabilities."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, twice 32 bits
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for power in _POWERS:
        for place in range(3):
            sets[place] &= ~(1 << power)
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")
