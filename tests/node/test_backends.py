"""Real backends, through Node and the real packages, to a local sandbox that is seeded."""

from __future__ import annotations

import json
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.outputs.local_ids import with_local_ids
from tests.outputs.backends import BACKENDS, SYNTHESIZED, read
from tests.source.recording import tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import CommandLine

WRITTEN = "amplify/seed/local_outputs.json"
SEED = """
from seedctl import create_and_sign_up_user, data, sign_in_user, storage

create_and_sign_up_user("ann@example.com", "Passw0rd!", if_exists="sign_in")
sign_in_user("ann@example.com", "Passw0rd!")
todo = data.generate_client().models.Todo.create({"content": "x"})
storage.upload_data("pictures/a.txt", "a")
print(todo.content)
"""


def _copy(name: str, folder: Path) -> Path:
    """Copy the project of the backend *name*, and return the folder that holds its amplify/."""
    shutil.copytree(BACKENDS / name / "project", folder)
    (root,) = (path.parent for path in folder.rglob("amplify") if path.is_dir())
    return root


def _without_details(document: dict[str, Any]) -> dict[str, Any]:
    del document["custom"]["seedctl"]
    if not document["custom"]:
        del document["custom"]
    return document


@pytest.mark.parametrize("name", SYNTHESIZED)
def test_the_document_is_amplifys(
    name: str,
    tmp_path: Path,
    install: Callable[..., None],
    seedctl: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From source comes what Amplify's tool makes of the deployed stack, but for made-up ids.

    The project has no lock file, and some have functions. Nothing else in it is written, no
    temporary file is left behind, and what is recorded for other tests is what the packages do.
    """
    root = _copy(name, tmp_path / "project")
    install(tmp_path / "project", root)
    (root / "package-lock.json").unlink(missing_ok=True)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = tree(tmp_path / "project")
    result = seedctl("local", "init", "--from", "source")
    assert result.code == 0, result.err
    document = json.loads((root / WRITTEN).read_text(encoding="utf-8"))
    sources = document["custom"]["seedctl"]["sources"]
    golden = json.dumps(with_local_ids(read(name, "amplify_outputs.json")), indent=2)
    region = read(name, "stack.json")["region"]
    expected = json.loads(golden.replace(region, "us-east-1"))
    assert json.dumps(_without_details(document)) == json.dumps(expected)
    after = tree(tmp_path / "project")
    assert after.keys() - before.keys() == {str(root / WRITTEN), str(root / "amplify/seed")}
    assert {path: after[path] for path in before} == before
    assert list(temporary.iterdir()) == []
    if name == "monorepo-aliases":
        assert {"../shared/src/models.ts", "parts/prefixes.json", "tsconfig.json"} <= set(sources)


def test_a_project_is_seeded_from_its_source(
    tmp_path: Path, install: Callable[..., None], seedctl: CommandLine
) -> None:
    """A user, a record and a file, with no AWS account; a second ``local init`` changes no byte."""
    root = _copy("guide-basic", tmp_path / "project")
    install(root)
    assert seedctl("local", "init").code == 0
    text = (root / WRITTEN).read_bytes()
    (root / "amplify/seed/seed.py").write_text(SEED)
    seeded = seedctl("--local", "seed")
    assert seeded.code == 0, seeded.err
    assert seeded.out == "x\n"
    assert "out of date" not in seeded.err
    assert seedctl("local", "init").code == 0
    assert (root / WRITTEN).read_bytes() == text


def test_javascript_is_loaded_too(
    tmp_path: Path, install: Callable[..., None], seedctl: CommandLine
) -> None:
    """A project in JavaScript, of either kind of module, is read like one in TypeScript."""
    root = _copy("mfa-required-totp", tmp_path / "project")
    install(root)
    assert seedctl("local", "init").code == 0
    expected = _without_details(json.loads((root / WRITTEN).read_text()))
    shutil.rmtree(root / "amplify")
    (root / "amplify/seed").mkdir(parents=True)
    (root / "amplify/package.json").write_text('{"type": "commonjs"}')
    (root / "amplify/auth").mkdir()
    (root / "amplify/auth/resource.js").write_text(
        'const { defineAuth } = require("@aws-amplify/backend");\n'
        "exports.auth = defineAuth({ loginWith: { email: true }, "
        'multifactor: { mode: "REQUIRED", totp: true } });\n'
    )
    (root / "amplify/backend.cjs").write_text(
        'const { defineBackend } = require("@aws-amplify/backend");\n'
        'defineBackend({ auth: require("./auth/resource").auth });\n'
    )
    result = seedctl("local", "init")
    assert result.code == 0, result.err
    document = json.loads((root / WRITTEN).read_text())
    assert "amplify/auth/resource.js" in document["custom"]["seedctl"]["sources"]
    assert _without_details(document)["auth"]["mfa_configuration"] == "REQUIRED"
    assert expected["auth"]["mfa_configuration"] == "REQUIRED"
