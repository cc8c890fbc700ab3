"""The user's machine: a full disk, and folders and files without permission."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from seedctl import connect
from seedctl.errors import FileAccessError
from seedctl.runner.report_file import write_file
from tests import restricted
from tests.running import make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.running import CommandLine, Result

pytestmark = pytest.mark.skipif(os.name == "nt", reason="modes and limits are POSIX's")

SEED = """
from seedctl import data, sign_in_user, create_and_sign_up_user, set_secret, storage
create_and_sign_up_user("ann@example.com", "Password123!", if_exists="sign_in")
{}
"""
SIGN_IN = 'sign_in_user("ann@example.com", "Password123!")\n'
TODOS = 'data.generate_client(credentials="caller").models.Todo'


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = make_project(tmp_path / "app")
    yield root
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700)  # so that pytest can remove it


def _seed(root: Path, last_lines: str) -> None:
    (root / "amplify" / "seed" / "seed.py").write_text(SEED.format(last_lines), encoding="utf-8")


def _is_set_up_error(ended: Result, name: str, reason: str) -> None:
    assert ended.code == 3, ended
    assert f"[{name}] " in ended.err
    assert reason in ended.err
    assert "\nResolution: " in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("last_lines", "file_size", "operation", "kind", "reason"),
    [
        pytest.param("", 1000, "", "", "disk I/O error", id="at the start"),
        pytest.param(
            'for n in range(99): set_secret(f"n{n}", "x" * 4000)',
            400_000,
            "PutParameter",
            "secret",
            "disk I/O error",
            id="secrets",
        ),
        pytest.param(
            f'todos = {TODOS}\nfor n in range(99): todos.create({{"content": "x" * 9000}})',
            400_000,
            "createTodo",
            "record",
            "disk I/O error",
            id="records",
        ),
        pytest.param(
            SIGN_IN + 'storage.upload_data("pictures/x", b"x" * 999_999)',
            700_000,
            "PutObject",
            "file",
            "File too large",
            id="a file",
        ),
    ],
)
def test_a_full_disk_is_reported_at_once(
    root: Path, last_lines: str, file_size: int, operation: str, kind: str, reason: str
) -> None:
    """A write that fails is a LocalSandboxError with the reason, and is not retried."""
    _seed(root, last_lines)
    ended = restricted.run(root, "seed", "--local", "--report", "/dev/stdout", file_size=file_size)
    _is_set_up_error(ended, "LocalSandboxError", reason)
    report = json.loads(ended.out)
    calls = {each["operation"]: each["calls"] for each in report["calls"]}
    assert bool(calls) == bool(operation)
    written = [each for each in (*report["things"], *report["counts"]) if each["kind"] == kind]
    succeeded = sum(each.get("count", 1) for each in written)
    assert calls.get(operation, 0) == succeeded + bool(operation)  # one call failed


def _state(root: Path) -> Path:
    """Return the folder with the state of a sandbox that has one secret."""
    with connect(root, local=True) as backend:
        backend.secrets.set("a", "one-value")
    return root / ".amplify" / "seedctl" / "local"


def _no_state_folder(root: Path) -> None:
    (root / ".amplify").mkdir(mode=0o500)


def _read_only_files(root: Path) -> None:
    for path in _state(root).iterdir():
        path.chmod(0o400)


def _unreadable_files(root: Path) -> None:
    for path in _state(root).iterdir():
        path.chmod(0)


def _unreadable_folder(root: Path) -> None:
    _state(root).parent.chmod(0)


LOCAL = {
    "seed": ("seed", "--local"),
    "list": ("secret", "list", "--local"),
    "start": ("local", "start"),
    "inbox": ("local", "inbox"),
    "status": ("local", "status"),
    "reset": ("local", "reset"),
    "stop": ("local", "stop"),
}


@pytest.mark.parametrize(
    ("spoil", "commands", "reason"),
    [
        pytest.param(
            _no_state_folder,
            "seed list start",
            "Permission denied",
            id="a folder that may not be made",
        ),
        pytest.param(_read_only_files, "seed", "readonly database", id="read-only files"),
        pytest.param(
            _unreadable_files, "seed list start inbox", "Permission denied", id="unreadable files"
        ),
        pytest.param(
            _unreadable_folder,
            "seed list start inbox status reset stop",
            "Permission denied",
            id="an unreadable folder",
        ),
    ],
)
def test_a_state_that_cannot_be_used_is_reported(
    root: Path, spoil: Callable[[Path], None], commands: str, reason: str
) -> None:
    """Every command that needs the local state names path and reason, and exits with 3."""
    _seed(root, "")
    spoil(root)
    for command in commands.split():
        ended = restricted.run(root, *LOCAL[command])
        _is_set_up_error(ended, "LocalSandboxError", reason)
        assert str(root / ".amplify") in ended.err


def _no_permission(path: Path) -> None:
    path.chmod(0)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _utf_16(path: Path) -> None:
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))


def _link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


FILES = pytest.mark.parametrize(
    ("file", "error"),
    [
        ("amplify_outputs.json", "InvalidAmplifyOutputsError"),
        ("package.json", "InvalidPackageJsonError"),
    ],
)


@FILES
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(_folder, "Is a directory", id="a folder"),
        pytest.param(_utf_16, "it is UTF-16 text; save it as UTF-8", id="UTF-16"),
        pytest.param(_link_to_itself, "Too many levels of symbolic links", id="a link to itself"),
    ],
)
def test_a_file_of_the_project_that_cannot_be_read(
    root: Path,
    seedctl: CommandLine,
    file: str,
    error: str,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    """A file that exists but cannot be read is reported with the reason, not as missing."""
    _seed(root, "")
    spoil(root / file)
    for command in (("seed", "--local"), ("secret", "list", "--local"), ("generate-policy",)):
        ended = seedctl("-C", str(root), *command)
        _is_set_up_error(ended, error, f"{root / file} cannot be read: {reason}")


@FILES
def test_a_file_of_the_project_without_permission(root: Path, file: str, error: str) -> None:
    """A file whose mode forbids to read it is reported in the same way."""
    _seed(root, "")
    _no_permission(root / file)
    ended = restricted.run(root, "seed", "--local")
    _is_set_up_error(ended, error, f"{root / file} cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("spoil", "error", "reason"),
    [
        pytest.param(_no_permission, "FileAccessError", "Permission denied", id="no permission"),
        pytest.param(_folder, "SeedScriptNotFoundError", "There is no seed script", id="a folder"),
        pytest.param(_link_to_itself, "FileAccessError", "Too many levels", id="a link to itself"),
    ],
)
def test_a_script_that_cannot_be_read(
    root: Path, spoil: Callable[[Path], None], error: str, reason: str
) -> None:
    """A script that cannot be opened is an error of the set-up, not of the script."""
    _seed(root, "")
    spoil(root / "amplify" / "seed" / "seed.py")
    _is_set_up_error(restricted.run(root, "seed", "--local"), error, reason)


def test_other_files_that_cannot_be_read(root: Path) -> None:
    """Settings that cannot be read are not ignored, and neither are folders."""
    _seed(root, "")
    settings = root / "pyproject.toml"
    settings.write_text("[tool.seedctl.quotas]\n", encoding="utf-8")
    settings.chmod(0)
    ended = restricted.run(root, "secret", "list", "--local")
    _is_set_up_error(ended, "FileAccessError", f"{settings} cannot be read: Permission denied")
    (root / "amplify").chmod(0)
    ended = restricted.run(root, "secret", "list", "--local")
    _is_set_up_error(ended, "ProjectNotFoundError", "cannot be read: Permission denied")
    root.chmod(0)
    ended = restricted.run(root.parent, "secret", "list", "--local", "-C", str(root))
    _is_set_up_error(ended, "InvalidPackageJsonError", "cannot be read: Permission denied")
    outputs = root.parent / "outputs.json"
    outputs.touch(mode=0)
    root.chmod(0o700)
    (root / "amplify").chmod(0o700)
    settings.unlink()
    ended = restricted.run(root, "secret", "list", "--local", "--outputs", str(outputs))
    _is_set_up_error(ended, "InvalidAmplifyOutputsError", "cannot be read: Permission denied")


# --- files that commands write --------------------------------------------------------------------


def test_init_leaves_the_old_file_where_the_new_one_cannot_be_written(root: Path) -> None:
    """With --force the old file is replaced only when the new one is complete."""
    path = root / "amplify" / "seed" / "local_outputs.json"
    path.write_text("kept", encoding="utf-8")
    ended = restricted.run(root, "local", "init", "--force", file_size=100)
    _is_set_up_error(ended, "FileAccessError", f"{path} cannot be written: File too large.")
    path.parent.chmod(0o500)
    ended = restricted.run(root, "local", "init", "--force")
    _is_set_up_error(ended, "FileAccessError", f"{path} cannot be written: Permission denied.")
    assert path.read_text(encoding="utf-8") == "kept"
    assert [each.name for each in path.parent.iterdir()] == ["local_outputs.json"]


def test_init_treats_an_inaccessible_file_as_existing(root: Path) -> None:
    """A file that cannot be examined counts as existing."""
    (root / "amplify" / "seed").chmod(0)
    _is_set_up_error(restricted.run(root, "local", "init"), "FileAccessError", "is there already")


def test_a_file_is_replaced_with_its_mode_and_through_its_link(tmp_path: Path) -> None:
    """A symbolic link stays a link, the file keeps its mode; a new file has the usual mode."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    link.symlink_to(target)
    write_file(link, "new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    write_file(tmp_path / "a" / "b", "first")
    assert (tmp_path / "a" / "b").read_text(encoding="utf-8") == "first"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "link", "target"]


def test_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file is not replaced, although its folder is writable; nor is a folder."""
    path = tmp_path / "file"
    path.write_text("kept", encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(FileAccessError, match="Permission denied"):
        write_file(path, "new")
    (tmp_path / "folder").mkdir()
    monkeypatch.undo()
    with pytest.raises(FileAccessError, match="cannot be written"):
        write_file(tmp_path / "folder", "new")
    assert path.read_text(encoding="utf-8") == "kept"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]
