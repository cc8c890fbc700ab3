"""Digests of source files: which files count, and what counts as a change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from seedctl.outputs import parse_outputs
from seedctl.source.digests import changed_source, source_digests, stale_warning
from tests.outputs.backends import BACKENDS

OWN = {
    "amplify/auth/resource.ts",
    "amplify/backend.ts",
    "amplify/data/resource.ts",
    "amplify/package.json",
    "amplify/storage/resource.ts",
    "amplify/tsconfig.json",
    "package.json",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BACKENDS / "guide-basic" / "project", tmp_path / "a" / "project"))


def _write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sources_are_those_of_amplify(root: Path) -> None:
    """Seed scripts, hidden files, packages and generated files are no source of the backend."""
    for name in (
        "amplify/seed/seed.py",
        "amplify/.cache/x.ts",
        "amplify/.env",
        "amplify/functions/node_modules/x/index.js",
        "amplify/functions/__pycache__/x.pyc",
        "amplify/cdk.out/manifest.json",
        "src/app.ts",
        ".amplify/generated/env/x.ts",
    ):
        _write(root / name)
    assert set(source_digests(root)) == OWN
    _write(root / "amplify/functions/seed/handler.ts")
    _write(root / "tsconfig.json")
    more = {"amplify/functions/seed/handler.ts", "tsconfig.json"}
    assert set(source_digests(root)) == OWN | more
    assert list(source_digests(root)) == sorted(OWN | more)


def test_loaded_files_elsewhere_are_sources(root: Path) -> None:
    """Files of a workspace count by their path from the project; those of packages do not."""
    shared = _write(root.parent / "shared" / "models.ts")
    package = _write(root / "node_modules" / "x" / "index.js")
    gone = root.parent / "gone.ts"
    digests = source_digests(root, [shared, package, gone, root / "amplify/backend.ts"])
    assert set(digests) == OWN | {"../shared/models.ts"}


def test_configurations_of_the_compiler_are_sources(root: Path) -> None:
    """The file that defines aliases may be one that tsconfig.json extends, with a comment in it."""
    _write(root / "tsconfig.json", '{ // a comment\n "extends": "../tsconfig.base" }')
    base = _write(root.parent / "tsconfig.base.json", '{ "extends": ["./tsconfig.base.json"] }')
    assert set(source_digests(root)) == OWN | {"tsconfig.json", "../tsconfig.base.json"}
    base.unlink()
    assert set(source_digests(root)) == OWN | {"tsconfig.json"}
    (root / "tsconfig.json").write_bytes(b'{ // \xff in another encoding\n "extends": "./t" }')
    _write(root / "t.json", '{"extends": "./u.json"}')
    _write(root / "u.json")
    assert set(source_digests(root)) == OWN | {"tsconfig.json", "t.json", "u.json"}


def test_place_and_line_endings_make_no_difference(root: Path, tmp_path: Path) -> None:
    """A checkout elsewhere, or with CRLF, has the same digests."""
    digests = source_digests(root)
    other = Path(shutil.move(root, tmp_path / "elsewhere"))
    for path in other.rglob("*.ts"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert source_digests(other) == digests
    assert changed_source(other, digests) is None


def test_of_package_json_only_what_concerns_a_backend_counts(root: Path) -> None:
    """Another script or library of the front end makes no outputs file out of date."""
    path = root / "package.json"
    digests = source_digests(root)
    package = json.loads(path.read_text())
    path.write_text(json.dumps({**package, "scripts": {"a": "b"}, "dependencies": {"vue": "3"}}))
    assert source_digests(root) == digests
    versions = {"aws-cdk-lib": "2", "constructs": "10"}
    path.write_text(json.dumps({**package, "dependencies": versions}))
    with_versions = source_digests(root)
    path.write_text(json.dumps({"dependencies": dict(reversed(versions.items())), **package}))
    assert source_digests(root) == with_versions != digests
    for change in (
        {"name": "other"},
        {"type": "other"},
        {"dependencies": {"aws-cdk-lib": "2"}},
        {"devDependencies": {"constructs": "10"}},
        {"imports": {"#x": "./x.ts"}},
        {"devDependencies": {"@aws-amplify/backend": "^1"}},
    ):
        path.write_text(json.dumps({**package, **change}))
        assert changed_source(root, digests) == "package.json has changed"
    for broken in ("{", "[1]", "7", '{"dependencies": ["constructs"]}'):
        path.write_text(broken)
        assert changed_source(root, digests) == "package.json has changed"


def test_a_change_is_named(root: Path) -> None:
    """A changed, a new and a removed file are told apart."""
    shared = _write(root.parent / "shared" / "models.ts")
    digests = source_digests(root, [shared])
    assert changed_source(root, digests) is None
    shared.write_text("y")
    assert changed_source(root, digests) == "../shared/models.ts has changed"
    shared.unlink()  # it may be made by a build that was not run here
    assert changed_source(root, digests) is None
    new = _write(root / "amplify/functions/handler.ts")
    assert changed_source(root, digests) == "amplify/functions/handler.ts is new"
    new.unlink()
    (root / "amplify/data/resource.ts").unlink()
    assert changed_source(root, digests) == "amplify/data/resource.ts was removed"
    (root / "amplify/auth/resource.ts").write_text("")
    assert changed_source(root, digests) == "amplify/auth/resource.ts has changed"


def test_a_folder_without_the_sources_is_not_compared(root: Path) -> None:
    """Where only the seed and its outputs file are, nothing can be out of date."""
    digests = source_digests(root)
    shutil.rmtree(root / "amplify")
    _write(root / "amplify/seed/seed.py")
    _write(root / "amplify/package.json")
    assert changed_source(root, digests) is None


def test_a_loaded_file_of_the_seed_is_compared(root: Path) -> None:
    """What the backend itself imports counts, even if it is among the seed scripts."""
    shared = _write(root / "amplify/seed/shared.ts")
    digests = source_digests(root, [shared])
    assert changed_source(root, digests) is None
    _write(shared, "y")
    assert changed_source(root, digests) == "amplify/seed/shared.ts has changed"
    shared.unlink()
    assert changed_source(root, digests) == "amplify/seed/shared.ts was removed"


def test_only_a_file_from_the_source_is_out_of_date(root: Path) -> None:
    """Without digests in the outputs file, or without a file, there is nothing to compare."""
    path = root / "amplify/seed/local_outputs.json"
    made: dict[str, object] = {"format": 1, "sources": {"amplify/backend.ts": "of another"}}
    for custom, expected in (
        ({"seedctl": made}, "amplify/auth/resource.ts is new"),
        ({"seedctl": {"format": 1}}, None),
        ({}, None),
    ):
        warning = stale_warning(root, parse_outputs({"version": "1", "custom": custom}, path))
        if expected is None:
            assert warning is None
        else:
            assert warning == (
                f"amplify/seed/local_outputs.json is out of date: {expected}. "
                "Run seedctl local init."
            )
    assert stale_warning(root, None) is None


def test_a_link_to_nothing_is_left_out(root: Path) -> None:
    """A link to nothing, or a folder instead of a file, is no reason to fail."""
    (root / "amplify" / "link.ts").symlink_to(root / "nothing.ts")
    (root / "amplify" / "package.json").unlink()
    (root / "amplify" / "folder").symlink_to(root)
    (root / "package.json").unlink()
    (root / "package.json").mkdir()
    assert set(source_digests(root)) == OWN - {"package.json", "amplify/package.json"}
