"""Find the project, the name of its package, its outputs file and its script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seedctl.errors import (
    AmplifyOutputsNotFoundError,
    InvalidPackageJsonError,
    ProjectNotFoundError,
    SeedScriptNotFoundError,
)
from seedctl.project import Project, find_outputs, find_project, find_script, namespace_of

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = '{"version": "1.4", "data": {}}'
STUB = '{"version": "1.4"}'


def _write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder for a project."""
    root = tmp_path / "app"
    root.mkdir()
    return root


# --- the root ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    [
        "amplify/backend.ts",
        "amplify/backend.js",
        "amplify/backend.mts",
        "amplify/seed/seed.py",
        "amplify/seed/notes.txt",
    ],
)
def test_amplify_marks_the_root(root: Path, file: str) -> None:
    """The project is the folder that has amplify/ with a backend file or a seed folder."""
    _write(root / file)
    (root / "src" / "pages").mkdir(parents=True)
    for start in (root, root / "amplify", root / "src" / "pages"):
        assert find_project(start) == Project(root)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda amplify: amplify.mkdir(), id="empty"),
        pytest.param(_write, id="a file of that name"),
        pytest.param(lambda amplify: _write(amplify / "resource.ts"), id="no backend file"),
        pytest.param(lambda amplify: (amplify / "backend.d").mkdir(parents=True), id="a folder"),
        pytest.param(lambda amplify: _write(amplify / "seed"), id="seed is a file"),
        pytest.param(lambda amplify: _write(amplify / "mybackend.ts"), id="another name"),
    ],
)
def test_an_amplify_folder_alone_is_no_project(root: Path, make: Callable[[Path], object]) -> None:
    """A folder named amplify without Amplify's files does not make a project."""
    make(root / "amplify")
    with pytest.raises(ProjectNotFoundError):
        find_project(root)


def test_the_nearest_amplify_wins(root: Path) -> None:
    """In a project inside another project, the inner one is used."""
    _write(root / "amplify" / "backend.ts")
    inner = root / "packages" / "shop"
    _write(inner / "amplify" / "backend.ts")
    assert find_project(inner / "amplify").root == inner
    assert find_project(root / "packages").root == root


def test_amplify_has_priority_over_a_nearer_package(root: Path) -> None:
    """A named package inside the project, as in a monorepo, is not mistaken for the project."""
    _write(root / "amplify" / "backend.ts")
    _write(root / "packages" / "ui" / "package.json", '{"name": "ui"}')
    assert find_project(root / "packages" / "ui").root == root


def test_the_nearest_named_package_is_the_fallback(root: Path) -> None:
    """Without an amplify/ folder, the nearest package.json with a name marks the project."""
    _write(root / "package.json", '{"name": "outer"}')
    inner = root / "inner"
    _write(inner / "package.json", '{"name": "inner"}')
    (inner / "src").mkdir()
    assert find_project(inner / "src").root == inner


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('{"type": "module"}', id="no name, as amplify/package.json"),
        pytest.param('{"name": ""}', id="empty name"),
        pytest.param('{"name": 1}', id="name not text"),
        pytest.param("[]", id="not an object"),
        pytest.param("{", id="broken"),
        pytest.param("[" * 100_000, id="nested too deep"),
    ],
)
def test_a_package_without_a_name_is_skipped(root: Path, content: str) -> None:
    """A package.json without a name, or a broken one, is skipped."""
    _write(root / "package.json", '{"name": "my-app"}')
    _write(root / "amplify" / "package.json", content)
    assert find_project(root / "amplify").root == root


def test_a_package_that_is_not_text_is_skipped(root: Path) -> None:
    """A package.json in another encoding is skipped."""
    _write(root / "package.json", '{"name": "my-app"}')
    inner = root / "inner"
    inner.mkdir()
    (inner / "package.json").write_bytes(b'\xff\xfe{"name"')
    assert find_project(inner).root == root


def test_no_project(root: Path) -> None:
    """Outside of every project, the error says what was searched for, and names -C."""
    with pytest.raises(ProjectNotFoundError) as caught:
        find_project(root)
    assert str(root) in caught.value.message
    assert "amplify/backend.ts" in caught.value.message
    assert "package.json" in caught.value.message
    assert "-C" in (caught.value.resolution or "")
    assert caught.value.exit_code == 3


def test_an_explicit_folder_has_priority(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """-C has priority over the working directory, and its folder needs no amplify/."""
    _write(root / "amplify" / "backend.ts")
    other = root.parent / "other"
    other.mkdir()
    monkeypatch.chdir(root.parent)
    assert find_project(root, explicit=other).root == other
    assert find_project(root, explicit=Path("other")).root == other


@pytest.mark.parametrize(
    ("name", "reason"), [("nowhere", "does not exist"), ("file", "is not a folder")]
)
def test_an_explicit_folder_must_exist(root: Path, name: str, reason: str) -> None:
    """If the folder of -C does not exist, the error repeats its name."""
    _write(root / "file")
    with pytest.raises(ProjectNotFoundError, match=f"{name} {reason}") as caught:
        find_project(root, explicit=root / name)
    assert "-C" in (caught.value.resolution or "")


def test_a_link_leads_to_the_real_project(root: Path) -> None:
    """Through a symbolic link, the project is the same, with the same state."""
    _write(root / "amplify" / "backend.ts")
    link = root.parent / "link"
    link.symlink_to(root)
    assert find_project(link).root == root
    assert find_project(root, explicit=link).root == root


def test_the_paths_of_state_and_local_outputs(root: Path) -> None:
    """The state is in .amplify/seedctl, and the local outputs file beside the script."""
    project = Project(root)
    assert project.state_folder == root / ".amplify" / "seedctl"
    assert project.local_outputs == root / "amplify" / "seed" / "local_outputs.json"


# --- package.json --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["my-app", "@acme/my-app", " padded ", "MyApp", "café", "\U0001f680"]
)
def test_the_namespace_is_the_raw_name(root: Path, name: str) -> None:
    """The name is not lower-cased, trimmed or normalised, because ampx hashes it unchanged."""
    _write(root / "package.json", json.dumps({"name": name, "type": "commonjs"}))
    assert namespace_of(Project(root)) == name


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "does not exist", id="missing"),
        pytest.param(b'\xef\xbb\xbf{"name": "a"}', "is not JSON", id="byte order mark"),
        pytest.param(b"name: a", "is not JSON", id="not JSON"),
        pytest.param(b"", "is not JSON", id="empty"),
        pytest.param(b'{"name": "\xff"}', "cannot be read: it is not UTF-8", id="not UTF-8"),
        pytest.param('{"name": "a"}'.encode("utf-16"), "read: it is UTF-16 text", id="UTF-16"),
        pytest.param(b"[" * 100_000, "is not JSON", id="nested too deep"),
        pytest.param(b"{}", 'has no "name"', id="no name"),
        pytest.param(b'{"name": ""}', 'has no "name"', id="empty name"),
        pytest.param(b'{"name": 7}', 'has no "name"', id="name not text"),
        pytest.param(b'{"name": null}', 'has no "name"', id="null"),
        pytest.param(b'["name"]', 'has no "name"', id="a list"),
    ],
)
def test_an_unusable_package_json(root: Path, content: bytes | None, complaint: str) -> None:
    """For a package.json that cannot be used, the error names path, reason and resolution."""
    path = root / "package.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidPackageJsonError, match=complaint) as caught:
        namespace_of(Project(root))
    assert caught.value.message.startswith(str(path))
    fix = 'Create it, such as {"name"' if content is None else "package.json"
    assert fix in (caught.value.resolution or "")
    assert (caught.value.__cause__ is None) is (content is None or complaint == 'has no "name"')
    assert caught.value.exit_code == 3


def test_a_package_json_that_cannot_be_opened(root: Path) -> None:
    """A package.json that cannot be opened is reported with the system's reason."""
    (root / "package.json").mkdir()
    with pytest.raises(InvalidPackageJsonError, match=r"cannot be read: Is a directory\."):
        namespace_of(Project(root))


# --- the outputs file ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deployed", "stand_in", "local", "expected"),
    [
        pytest.param(FULL, None, False, "deployed", id="deployed"),
        pytest.param(FULL, FULL, False, "deployed", id="local outputs are for --local"),
        pytest.param(STUB, FULL, False, "deployed", id="a stub is reported on AWS"),
        pytest.param(FULL, FULL, True, "deployed", id="--local prefers what is deployed"),
        pytest.param(None, FULL, True, "local outputs", id="nothing deployed"),
        pytest.param(STUB, FULL, True, "local outputs", id="only the stub"),
        pytest.param('{"version":"1","$schema":"x"}', FULL, True, "local outputs", id="schema too"),
        pytest.param("{", FULL, True, "deployed", id="a broken file is not passed over"),
        pytest.param("[]", FULL, True, "deployed", id="nor one that is no object"),
        pytest.param("[" * 100_000, FULL, True, "deployed", id="nor one nested too deep"),
        pytest.param(STUB, None, True, "deployed", id="a stub and no local outputs"),
    ],
)
def test_which_outputs_file_is_read(
    root: Path, deployed: str | None, stand_in: str | None, local: bool, expected: str
) -> None:
    """With --local, the local outputs file is used until something is deployed, and only then."""
    paths = {
        "deployed": root / "amplify_outputs.json",
        "local outputs": root / "amplify" / "seed" / "local_outputs.json",
    }
    for path, text in zip(paths.values(), (deployed, stand_in), strict=True):
        if text is not None:
            _write(path, text)
    assert find_outputs(Project(root), local=local) == paths[expected]


@pytest.mark.parametrize(
    ("local", "advice"),
    [
        pytest.param(False, "npx ampx sandbox", id="AWS"),
        pytest.param(True, "seedctl local init", id="local"),
    ],
)
def test_no_outputs_file(root: Path, local: bool, advice: str) -> None:
    """Without an outputs file, the error says where it would be and how to create it."""
    with pytest.raises(AmplifyOutputsNotFoundError) as caught:
        find_outputs(Project(root), local=local)
    assert caught.value.message == f"{root / 'amplify_outputs.json'} does not exist."
    assert advice in (caught.value.resolution or "")
    assert caught.value.exit_code == 3


def test_local_outputs_are_not_used_on_aws(root: Path) -> None:
    """Without --local, the local outputs file is never used, but the error mentions it."""
    with pytest.raises(AmplifyOutputsNotFoundError) as caught:
        find_outputs(Project(root))
    assert "--local" not in (caught.value.resolution or "")
    _write(root / "amplify" / "seed" / "local_outputs.json", FULL)
    with pytest.raises(AmplifyOutputsNotFoundError) as caught:
        find_outputs(Project(root))
    assert (caught.value.resolution or "").endswith(
        "; or use --local: amplify/seed/local_outputs.json exists."
    )


def test_an_explicit_outputs_file_wins(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--outputs is relative to the working directory and has priority over both usual files."""
    _write(root / "amplify_outputs.json", FULL)
    mine = _write(root / "other" / "mine.json", STUB)
    monkeypatch.chdir(mine.parent)
    for local in (False, True):
        assert find_outputs(Project(root), explicit=Path("mine.json"), local=local) == mine


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("nowhere.json", "does not exist", id="nothing"),
        pytest.param("folder", "is not a file", id="a folder"),
    ],
)
def test_an_explicit_outputs_file_must_exist(root: Path, name: str, reason: str) -> None:
    """If the file of --outputs does not exist, it is an error, even if the usual file exists."""
    _write(root / "amplify_outputs.json", FULL)
    (root / "folder").mkdir()
    with pytest.raises(AmplifyOutputsNotFoundError, match=rf"{name} {reason}\.$") as caught:
        find_outputs(Project(root), explicit=root / name)
    assert "--outputs" in (caught.value.resolution or "")


# --- the script ----------------------------------------------------------------------------------


def test_the_path_of_the_script(root: Path) -> None:
    """The seed script is amplify/seed/seed.py."""
    script = _write(root / "amplify" / "seed" / "seed.py")
    assert find_script(Project(root)) == script


def test_an_explicit_script_is_relative_to_the_working_directory(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--script is relative to the working directory, and the result is absolute."""
    script = _write(root / "other.py")
    monkeypatch.chdir(root)
    assert find_script(Project(root), explicit=Path("other.py")) == script


@pytest.mark.parametrize(
    ("present", "explicit", "advice"),
    [
        pytest.param(None, None, "Write amplify/seed/seed.py with seedctl init", id="nothing"),
        pytest.param(
            "seed.ts", None, "beside seed.ts, such as with seedctl init", id="ampx's script"
        ),
        pytest.param("seed.ts", "gone.py", "or name the script with --script", id="explicit"),
        pytest.param(
            "seed.py/x", None, "Write amplify/seed/seed.py with seedctl init", id="a folder"
        ),
    ],
)
def test_a_missing_script(
    root: Path, present: str | None, explicit: str | None, advice: str
) -> None:
    """For a missing script, the error names its full path and what to do."""
    folder = root / "amplify" / "seed"
    if present is not None:
        _write(folder / present)
    given = None if explicit is None else folder / explicit
    with pytest.raises(SeedScriptNotFoundError) as caught:
        find_script(Project(root), explicit=given)
    assert caught.value.message == f"There is no seed script at {given or folder / 'seed.py'}."
    assert advice in (caught.value.resolution or "")
    assert caught.value.exit_code == 3
