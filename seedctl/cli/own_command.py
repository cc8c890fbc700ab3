"""The command line that runs seedctl again, for the same project."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.cli.options import Settings

_ROOT = Path(__file__).resolve().parents[2]
# Not -m, which would let a file of the user's in the working directory stand in for a module.
_PROGRAM = (
    "import sys; sys.path = [*filter(None, sys.path), sys.argv.pop(1)]; "
    "from seedctl.__main__ import main; sys.exit(main())"
)


def command_line(settings: Settings, *arguments: str) -> list[str]:
    """Return the command that runs seedctl with *arguments* for the same project."""
    words = [sys.executable, "-c", _PROGRAM, str(_ROOT), *arguments, "--local"]
    words += ["-C", str(settings.project.root)]
    if settings.outputs:
        words += ["--outputs", str(Path(settings.outputs).resolve())]
    for option, value in (("--identifier", settings.identifier), ("--region", settings.region)):
        if value:
            words += [option, value]
    for flag in ("quiet", "verbose", "debug"):
        if getattr(settings, flag):
            words.append(f"--{flag}")
    return words
