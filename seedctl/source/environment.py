"""The environment variables of the Node processes.

The project's code gets the variables of this process, since it may read its settings from them, except
for those that configure AWS access or make Node wait for a debugger.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_REMOVED_PREFIXES = ("AWS_", "CDK_", "SEEDCTL_")
# With most of these, Node or the packages would write elsewhere than into the temporary folder.
_REMOVED = (
    "FORCE_COLOR",
    "NODE_COMPILE_CACHE",
    "NODE_V8_COVERAGE",
    "VSCODE_INSPECTOR_OPTIONS",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
)
_SANDBOX = "local"
"""The name of the sandbox; the same everywhere, as it may be in names that end up in the result."""


def node_options() -> dict[str, str]:
    """Return the variables of this process, without options that make Node wait for a debugger."""
    variables = dict(os.environ)
    options = variables.pop("NODE_OPTIONS", "").split()
    options = [option for option in options if not option.startswith("--inspect")]
    if options:
        variables["NODE_OPTIONS"] = " ".join(options)
    return variables


def synthesis_environment(folder: Path, assembly: Path, namespace: str) -> dict[str, str]:
    """Return the variables for the synthesis into *assembly*.

    What Node, tsx and CDK store in the home folder and in the one for temporary files goes into
    *folder*. *namespace* is the name of the project's package.
    """
    context = {
        "amplify-backend-namespace": namespace,
        "amplify-backend-name": _SANDBOX,
        "amplify-backend-type": "sandbox",
        "secretLastUpdated": 1,
        # No function is bundled: its code changes nothing of what is read from the result.
        "aws:cdk:bundling-stacks": [],
    }
    variables = {
        name: value
        for name, value in node_options().items()
        if not name.startswith(_REMOVED_PREFIXES) and name not in _REMOVED
    }
    return variables | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(assembly),
        # Checking the templates takes half of the time, and Amplify's own checks are elsewhere.
        "CDK_VALIDATION": "false",
        "HOME": str(folder / "home"),
        "USERPROFILE": str(folder / "home"),
        **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(folder / "tmp")),
        "NO_COLOR": "1",
    }
