"""Whether the stored file is seedctl's own, and fits the models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seedctl.errors import FileAccessError, StaleSchemaFileError
from seedctl.outputs import AmplifyOutputs, load_outputs, parse_outputs
from seedctl.schema_file.stored import check_file, is_stale, mark, models_digest, require_own_file
from tests.running import DATA

if TYPE_CHECKING:
    from pathlib import Path

OUTPUTS = DATA / "outputs" / "todo_userpool.json"


def _without_models() -> AmplifyOutputs:
    document = json.loads(OUTPUTS.read_text(encoding="utf-8"))
    del document["data"]["model_introspection"]
    return parse_outputs(document, OUTPUTS)


def test_when_the_file_is_stale(tmp_path: Path) -> None:
    """Only a file that seedctl wrote for other models is stale; this is a hint, and never an error."""
    outputs, path = load_outputs(OUTPUTS), tmp_path / "schema.py"
    assert not is_stale(path, outputs)
    for text, expected in (
        (f"# mine\n{mark(outputs)}\n", False),
        (f"# seedctl types: models {'0' * 64}\n", True),
        ("class Mine: ...\n", False),
        ("", False),
    ):
        path.write_text(text, encoding="utf-8")
        assert is_stale(path, outputs) is expected
    path.write_text(mark(outputs), encoding="utf-8")
    assert is_stale(path, _without_models())
    path.write_bytes(b"\xff\xfe\x00")  # cannot be read as text
    assert not is_stale(path, outputs)


def test_the_digest_stays_the_same() -> None:
    """Another version does not call the files of this one stale, unless their text has changed."""
    digest = models_digest(load_outputs(OUTPUTS))
    assert digest == "56760cd3000476591d853f4c5e4a7ab7b7b8a91b29e35963abd8394d82749b9b"
    assert models_digest(_without_models()) is None


def test_only_its_own_file_is_replaced(tmp_path: Path) -> None:
    """A file that somebody else wrote is left alone; an empty one, or none, is written."""
    path = tmp_path / "schema.py"
    require_own_file(path)
    for text in ("", mark(load_outputs(OUTPUTS))):
        path.write_text(text, encoding="utf-8")
        require_own_file(path)
    path.write_text("class Mine: ...\n", encoding="utf-8")
    with pytest.raises(FileAccessError, match="was not written by seedctl types"):
        require_own_file(path)


def test_the_file_that_is_checked(tmp_path: Path) -> None:
    """In CI each difference is an error, which names the command; a missing file is said to be missing."""
    path = tmp_path / "schema.py"
    with pytest.raises(StaleSchemaFileError, match="does not exist") as caught:
        check_file(path, "text", "seedctl types")
    assert caught.value.resolution == "Run seedctl types."
    path.write_text("other", encoding="utf-8")
    with pytest.raises(StaleSchemaFileError, match="is not what seedctl types would write"):
        check_file(path, "text", "seedctl types")
    path.write_text("text", encoding="utf-8")
    check_file(path, "text", "seedctl types")
