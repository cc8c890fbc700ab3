"""The variables of the Node process: the project's own, and nothing that leads elsewhere."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from seedctl.source.environment import synthesis_environment

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_variables_of_a_synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Node gets the variables of this process, without AWS, caches, debuggers and other folders."""
    own = {"PATH": "/bin", "MY_SETTING": "yes", "AWSOME": "1", "NODE_ENV": "test"}
    removed = (
        *("AWS_PROFILE", "CDK_DEFAULT_REGION", "SEEDCTL_LOCAL", "FORCE_COLOR"),
        *("NODE_COMPILE_CACHE", "NODE_V8_COVERAGE", "VSCODE_INSPECTOR_OPTIONS"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"),
    )
    options = {"NODE_OPTIONS": "--inspect=1 --max-old-space-size=1 --inspect-brk"}
    before = {**own, **dict.fromkeys((*removed, "HOME", "TMPDIR", "CDK_OUTDIR"), "x"), **options}
    monkeypatch.setattr(os, "environ", dict(before))
    found = synthesis_environment(tmp_path, tmp_path / "out", "my-app")
    assert os.environ == before
    assert json.loads(found.pop("CDK_CONTEXT_JSON")) == {
        "amplify-backend-namespace": "my-app",
        "amplify-backend-name": "local",
        "amplify-backend-type": "sandbox",
        "secretLastUpdated": 1,
        "aws:cdk:bundling-stacks": [],
    }
    assert found == {
        **own,
        "NODE_OPTIONS": "--max-old-space-size=1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_OUTDIR": str(tmp_path / "out"),
        "CDK_VALIDATION": "false",
        **dict.fromkeys(("HOME", "USERPROFILE"), str(tmp_path / "home")),
        **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(tmp_path / "tmp")),
        "NO_COLOR": "1",
    }
