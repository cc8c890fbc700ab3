"""The folder of an export: what is in it, and what an interrupted export leaves."""

from __future__ import annotations

import errno
import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import DataFileError, FileAccessError
from seedctl.rows.folder import ExportFolder, has_users, model_files
from seedctl.rows.writers import JSONLineWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODELS = {"Author": "Authors", "Post": "Posts", "Person": "People"}
SUFFIXES = (".csv", ".jsonl")


def _export(folder: Path, *names: str) -> None:
    target = ExportFolder(folder)
    for name in names:
        target.write(
            f"{name}.jsonl", {"model": name, "key": ["id"]}, [{"id": "1"}], JSONLineWriter()
        )
    target.write("users.jsonl", {}, [{"username": "ann"}], JSONLineWriter())
    target.finish(["Author.name"])
    target.discard()


def _found(folder: Path, *wanted: str) -> list[tuple[str, str]]:
    return [(each.model, each.path.name) for each in model_files(folder, MODELS, SUFFIXES, wanted)]


def test_an_export(tmp_path: Path) -> None:
    """The manifest lists the files; nobody else can read them. A later export replaces all."""
    folder = tmp_path / "deep" / "out"
    _export(folder, "Post", "Author")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest == {
        "format": "seedctl rows",
        "version": 1,
        "models": [
            {"file": "Post.jsonl", "model": "Post", "key": ["id"], "rows": 1},
            {"file": "Author.jsonl", "model": "Author", "key": ["id"], "rows": 1},
        ],
        "users": {"file": "users.jsonl", "rows": 1},
        "masked": ["Author.name"],
    }
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert _found(folder) == [("Author", "Author.jsonl"), ("Post", "Post.jsonl")]
    assert _found(folder, "Post") == [("Post", "Post.jsonl")]
    assert has_users(folder)
    _export(folder, "Person")
    assert {path.name for path in folder.iterdir()} == {
        "Person.jsonl",
        "manifest.json",
        "users.jsonl",
    }


def test_an_interrupted_export(tmp_path: Path) -> None:
    """An export that fails leaves nothing of its own, and an earlier one as it was."""

    def rows() -> Iterator[dict[str, Any]]:
        yield {"id": "2"}
        raise KeyboardInterrupt

    _export(tmp_path, "Post")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    target = ExportFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        target.write("Post.jsonl", {"model": "Post"}, rows(), JSONLineWriter())
    assert {path.name for path in tmp_path.iterdir()} > {*before, "Post.jsonl.part"}
    target.discard()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_export_that_fails_at_its_end(tmp_path: Path) -> None:
    """Without its manifest, a folder with files of two exports is not taken for a complete one."""
    _export(tmp_path, "Author", "Post")
    target = ExportFolder(tmp_path)
    for name in ("Author", "Post"):
        target.write(f"{name}.jsonl", {"model": name}, [{"id": "2"}], JSONLineWriter())
    (tmp_path / "users.jsonl").unlink()
    (tmp_path / "users.jsonl").mkdir()
    with pytest.raises(FileAccessError, match="cannot be written"):
        target.finish([])
    target.discard()
    assert not (tmp_path / "manifest.json").exists()


def test_an_export_to_a_new_folder_that_fails(tmp_path: Path) -> None:
    """The folder that it made is removed; one that was there is left, with what is not its own."""
    for folder in (tmp_path / "new", tmp_path):
        target = ExportFolder(folder)
        target.write("Post.jsonl", {"model": "Post"}, [{"id": "1"}], JSONLineWriter())
        assert target.has("POST.jsonl")
        assert not target.has("Posts.jsonl")
        target.discard()
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(target._lock._descriptor)


def test_an_export_without_users(tmp_path: Path) -> None:
    """Nothing is said of users if there are none."""
    target = ExportFolder(tmp_path)
    target.write("Post.jsonl", {"model": "Post"}, [{"id": "1"}], JSONLineWriter())
    target.write("users.jsonl", {}, [], JSONLineWriter())
    target.finish([])
    target.discard()
    assert not has_users(tmp_path)


def test_two_exports_at_once(tmp_path: Path) -> None:
    """The second one is refused, and the first one is complete."""
    target = ExportFolder(tmp_path)
    target.write("Post.jsonl", {"model": "Post"}, [{"id": "1"}], JSONLineWriter())
    with pytest.raises(FileAccessError, match="Another export is writing to"):
        ExportFolder(tmp_path)
    target.finish([])
    target.discard()
    assert {path.name for path in tmp_path.iterdir()} == {"Post.jsonl", "manifest.json"}


def test_a_killed_export_does_not_stop_the_next(tmp_path: Path) -> None:
    """What a killed process leaves is overwritten, whoever was allowed to read it."""
    (tmp_path / "Post.jsonl.part").write_text("half a li")
    (tmp_path / "Post.jsonl.part").chmod(0o644)
    (tmp_path / "lock.part").touch()
    _export(tmp_path, "Post")
    assert (tmp_path / "Post.jsonl").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "Post.jsonl").read_text() == '{"id":"1"}\n'


def test_a_folder_with_other_files(tmp_path: Path) -> None:
    """A folder with files of something else is left alone, and so is one that cannot be made."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileAccessError, match="is not empty, and no earlier export is in it"):
        ExportFolder(tmp_path)
    with pytest.raises(FileAccessError, match="cannot be written"):
        ExportFolder(tmp_path / "notes.txt" / "out")
    (tmp_path / "manifest.json").write_text('{"name": "my web app"}')
    with pytest.raises(DataFileError, match="it is not the manifest of an export"):
        ExportFolder(tmp_path)


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be written is named, also if that shows only when its buffer is written."""
    target = ExportFolder(tmp_path)
    (tmp_path / "Post.jsonl.part").mkdir()
    with pytest.raises(FileAccessError, match=r"Post\.jsonl\.part cannot be written"):
        target.write("Post.jsonl", {}, [], JSONLineWriter())
    target.discard()  # what cannot be deleted is left

    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "open", lambda *_, **__: Full())
    with pytest.raises(FileAccessError, match="cannot be written: No space left"):
        target.write("Other.jsonl", {}, [{"id": "1"}], JSONLineWriter())


def test_files_without_a_manifest(tmp_path: Path) -> None:
    """Files are found by the names of models or their plurals, in any case, parents first."""
    with pytest.raises(DataFileError, match="has no file of any model"):
        _found(tmp_path)
    for name in ("posts.csv", "people.csv", "AUTHOR.jsonl", "Post.jsonl", "notes.txt"):
        (tmp_path / name).touch()
    assert _found(tmp_path) == [
        ("Author", "AUTHOR.jsonl"),
        ("Post", "Post.jsonl"),
        ("Post", "posts.csv"),
        ("Person", "people.csv"),
    ]
    assert not has_users(tmp_path)
    assert _found(tmp_path / "people.csv") == [("Person", "people.csv")]
    (tmp_path / "any.csv").touch()
    assert _found(tmp_path / "any.csv", "Post") == [("Post", "any.csv")]
    (tmp_path / "any.csv").unlink()
    with pytest.raises(FileAccessError, match=r"any\.csv cannot be read: No such file"):
        _found(tmp_path / "any.csv")
    with pytest.raises(DataFileError, match="has no file of Tag"):
        model_files(tmp_path, {**MODELS, "Tag": "Tags"}, SUFFIXES, ["Post", "Tag"])
    (tmp_path / "autor.csv").touch()
    with pytest.raises(DataFileError, match=r"autor\.csv: the schema has no model") as caught:
        _found(tmp_path)
    assert str(caught.value.resolution).startswith("Did you mean Author?")
    (tmp_path / "note.csv").touch()
    with pytest.raises(DataFileError, match="the schema has no model note"):
        model_files(tmp_path / "note.csv", {"Note": "Notes", "NOTE": "Others"}, SUFFIXES, [])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "it is not the manifest of an export"),
        ("[]", "it is not the manifest of an export"),
        ({"format": "other"}, "it is not the manifest of an export"),
        ({"version": 2}, "another version of seedctl has written it"),
        ({"models": None}, "its list of models is wrong"),
        ({"models": [{"model": [], "file": "a.jsonl"}]}, "its list of models is wrong"),
        ({"models": [{"model": "Post"}]}, "it names a file that is not in its folder"),
        (
            {"models": [{"model": "Post", "file": "../secret.csv"}]},
            "it names a file that is not in its folder",
        ),
        (
            {"models": [{"model": "Post", "file": ".."}]},
            "it names a file that is not in its folder",
        ),
        ("[" * 200_000, "it is not the manifest of an export"),
        ({"models": [{"model": "Gone", "file": "a.jsonl"}]}, "the schema has no model Gone"),
    ],
)
def test_a_wrong_manifest(tmp_path: Path, content: Any, why: str) -> None:
    """A manifest that cannot be used is named, with the reason."""
    if isinstance(content, dict):
        content = json.dumps({"format": "seedctl rows", "version": 1, "models": [], **content})
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataFileError, match=why):
        _found(tmp_path)
