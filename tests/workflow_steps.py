"""Run the steps of a workflow without starting seedctl in processes of its own."""

from __future__ import annotations

import stat
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Recorded:
    """A call of seedctl by a step of the workflow."""

    arguments: list[str]
    stdin: bytes


class StepRunner:
    """Runs steps with bash, in which ``seedctl`` only records how it is called."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        programs = folder / "bin"
        programs.mkdir()
        wrapper = programs / "seedctl"
        wrapper.write_text(
            "#!/bin/sh\n"
            'for word in "$@"; do printf "%s\\0" "$word"; done > "$RECORDED/arguments"\n'
            'cat > "$RECORDED/stdin"\n',
            encoding="utf-8",
        )
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        self._environment = {
            **environment,
            "PATH": f"{programs}:/usr/bin:/bin",
            "RECORDED": str(folder),
        }

    def run(self, script: str, project: Path, values: dict[str, str]) -> Recorded | None:
        """Run *script* in *project* with further variables; return its call of seedctl, if any."""
        arguments = self._folder / "arguments"
        arguments.unlink(missing_ok=True)
        subprocess.run(
            ["/bin/bash", "-e", "-c", script],
            cwd=project,
            env={**self._environment, **values},
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )
        if not arguments.exists():
            return None
        words = arguments.read_text(encoding="utf-8").split("\0")[:-1]
        return Recorded(words, (self._folder / "stdin").read_bytes())
