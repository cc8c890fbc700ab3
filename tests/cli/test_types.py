"""``seedctl types``: it writes the file, compares it, and leaves other files alone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.running import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import CommandLine

STALE = "Warning: amplify/seed/schema.py describes other models than amplify_outputs.json: "


def use_models(folder: Path, name: str, *, file: str = "amplify_outputs.json") -> None:
    shutil.copy(DATA / "outputs" / f"{name}.json", folder / file)


@pytest.fixture
def folder(project: Callable[..., Path]) -> Path:
    found = project(outputs=None)
    use_models(found, "todo_userpool")
    return found


@pytest.fixture
def schema(folder: Path) -> Path:
    return folder / "amplify" / "seed" / "schema.py"


def test_the_file_is_written_and_compared(schema: Path, seedctl: CommandLine) -> None:
    """--check fails while there is no file, and passes after the command that it names."""
    missing = seedctl("types", "--check")
    assert (missing.code, schema.exists()) == (1, False)
    assert "Resolution: Run seedctl types.\n" in missing.err
    written = seedctl("types")
    assert (written.code, written.err) == (0, "✔ Wrote amplify/seed/schema.py.\n")
    first = schema.read_bytes()
    assert b"    class TodoCreate(" in first
    assert seedctl("types", "--check").err == "✔ amplify/seed/schema.py is up to date.\n"
    assert seedctl("types").code == 0
    assert schema.read_bytes() == first


def test_a_file_for_other_models_is_stale(folder: Path, schema: Path, seedctl: CommandLine) -> None:
    """After a change of the models --check fails and writes nothing; the command updates the file."""
    assert seedctl("types").code == 0
    before = schema.read_bytes()
    use_models(folder, "blog_apikey")
    checked = seedctl("types", "--check")
    assert (checked.code, schema.read_bytes()) == (1, before)
    assert "[StaleSchemaFileError]" in checked.err
    assert seedctl("types").code == 0
    assert seedctl("types", "--check").code == 0


def test_a_changed_file_is_not_up_to_date(schema: Path, seedctl: CommandLine) -> None:
    """--check compares the whole text, and the command names the options that it was given."""
    assert seedctl("types", "--out", "my types.py").code == 0
    with (schema.parents[2] / "my types.py").open("a", encoding="utf-8") as file:
        file.write("x = 1\n")
    result = seedctl("types", "--check", "--out", "my types.py", "-C", ".", "--local")
    assert result.code == 1
    assert "Run seedctl types -C . --out 'my types.py' --local.\n" in result.err


def test_another_file_is_left_alone(schema: Path, seedctl: CommandLine) -> None:
    """A file that seedctl did not write is replaced with --force only; an empty one may be filled."""
    schema.write_text("class Schema: ...\n", encoding="utf-8")
    refused = seedctl("types")
    assert refused.code == 3
    assert "was not written by seedctl types" in refused.err
    assert schema.read_text(encoding="utf-8") == "class Schema: ...\n"
    assert seedctl("types", "--force").code == 0
    assert seedctl("types", "--check").code == 0
    schema.write_text("", encoding="utf-8")
    assert seedctl("types").code == 0


def test_an_unreadable_file_is_an_error(schema: Path, seedctl: CommandLine) -> None:
    """What cannot be read, such as a folder, is neither replaced nor up to date."""
    schema.mkdir()
    for arguments in ([], ["--check"], ["--force"]):
        result = seedctl("types", *arguments)
        assert result.code == 3, arguments
        assert "[FileAccessError]" in result.err


def test_check_and_force_exclude_each_other(folder: Path, seedctl: CommandLine) -> None:
    """--check writes nothing, so --force makes no sense with it."""
    assert seedctl("types", "--check", "--force").code == 2


def test_the_local_outputs_describe_models_too(folder: Path, seedctl: CommandLine) -> None:
    """With --local the file of the local sandbox is read where nothing is deployed, or --outputs."""
    (folder / "amplify_outputs.json").rename(folder / "amplify" / "seed" / "local_outputs.json")
    assert seedctl("types").code == 3
    assert seedctl("types", "--local").code == 0
    use_models(folder, "blog_apikey", file="other.json")
    assert seedctl("types", "--outputs", "other.json", "--out", "a.py").code == 0
    assert "class PostCreate" in (folder / "a.py").read_text(encoding="utf-8")


def test_outputs_without_models_are_an_error(folder: Path, seedctl: CommandLine) -> None:
    """Without a data resource, or without its description, there is nothing to write."""
    use_models(folder, "storage_only_multi_bucket")
    assert "[NoEndpoint]" in seedctl("types").err
    use_models(folder, "todo_userpool")
    path = folder / "amplify_outputs.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["data"]["model_introspection"]
    path.write_text(json.dumps(document), encoding="utf-8")
    result = seedctl("types")
    assert result.code == 3
    assert "data.model_introspection is missing" in result.err


def test_seed_uses_the_file_and_warns_if_it_is_stale(
    folder: Path, schema: Path, seedctl: CommandLine
) -> None:
    """A script imports the class; one line warns when the models are others, and only then."""
    script = "from schema import Schema\nfrom seedctl import data\n"
    script += "print(type(data.generate_client(Schema)).__name__)\n"
    (schema.parent / "seed.py").write_text(script, encoding="utf-8")
    assert seedctl("types").code == 0
    fresh = seedctl("seed", "--local")
    assert (fresh.code, fresh.out) == (0, "Schema\n"), fresh.err
    assert "schema.py describes" not in fresh.err
    use_models(folder, "blog_apikey")
    stale = seedctl("seed", "--local")
    assert stale.code == 0
    assert f"{STALE}run seedctl types --local.\n" in stale.err


@pytest.mark.parametrize("text", ["class Schema: ...\n", "", None])
def test_seed_is_silent_about_other_files(
    schema: Path, seedctl: CommandLine, text: str | None
) -> None:
    """A schema.py that seedctl did not write, or cannot read, is the project's own business."""
    if text is None:
        schema.mkdir()
    else:
        schema.write_text(text, encoding="utf-8")
    (schema.parent / "seed.py").write_text("", encoding="utf-8")
    result = seedctl("seed", "--local")
    assert result.code == 0
    assert "schema.py" not in result.err
