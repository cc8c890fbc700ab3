"""graphql-core is loaded at the first request, not before."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.local_appsync.conftest import DATA

if TYPE_CHECKING:
    from pathlib import Path

_START = """
import pathlib, sys
from seedctl.local import LocalSandbox
from seedctl.outputs import load_outputs
outputs = load_outputs(pathlib.Path(sys.argv[1]))
with LocalSandbox.start(state_folder=pathlib.Path(sys.argv[2]), outputs=outputs) as sandbox:
    print("graphql" in sys.modules)
"""


def test_sandbox_start_loads_no_graphql(tmp_path: Path) -> None:
    """A sandbox starts without graphql-core."""
    outputs = DATA / "outputs" / "todo_userpool.json"
    command = [sys.executable, "-c", _START, str(outputs), str(tmp_path / "state")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
