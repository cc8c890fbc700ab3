"""Node and the packages that a backend is run with, and what is said where they are not there."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import AmplifyPackagesNotFoundError, NodeNotFoundError
from seedctl.project import Project
from seedctl.source import toolchain
from seedctl.source.toolchain import find_backend, find_toolchain
from tests.source.conftest import add_package, add_tsx, install

if TYPE_CHECKING:
    from pathlib import Path

    from tests.source.recording import FakeNode


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "amplify").mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["backend.ts"], "backend.ts"),
        (["backend.ts", "backend.cjs", "backend.mjs", "backend.js"], "backend.js"),
        (["backend.ts", "backend.cjs"], "backend.cjs"),
        (["backend.test.ts", "backend.json"], None),
        (["backend.js/index.js", "backend.ts"], "backend.ts"),
        ([], None),
    ],
)
def test_the_entry_point_is_amplifys(root: Path, names: list[str], found: str | None) -> None:
    """Compiled JavaScript comes before TypeScript, as in Amplify's own command line."""
    for name in names:
        path = root / "amplify" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert find_backend(Project(root)) == (None if found is None else root / "amplify" / found)


@pytest.mark.parametrize("version", ["v18.19.0", "v18.20.8", "v20.6.0", "v22.0.0", "v30.1.0"])
def test_a_supported_node_is_used(root: Path, node: FakeNode, version: str) -> None:
    """The program itself is run, which a script in the PATH may only stand for."""
    tsx = install(root)
    node.version(version)
    found = find_toolchain(Project(root))
    assert (found.node, found.version, found.tsx) == (str(node.program), version, tsx)


@pytest.mark.parametrize("version", ["v16.20.2", "v18.18.2", "v19.9.0", "v20.5.1", "v21.7.3", "?"])
def test_an_old_node_is_refused(root: Path, node: FakeNode, version: str) -> None:
    """Versions that Amplify's packages do not support are named, with those that they do."""
    install(root)
    node.version(version)
    with pytest.raises(NodeNotFoundError, match="too old") as caught:
        find_toolchain(Project(root))
    assert version in caught.value.message
    assert "18.19" in str(caught.value.resolution)


def test_a_machine_without_node(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a node in the PATH the error says so."""
    install(root)
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(NodeNotFoundError, match="no node in the PATH"):
        find_toolchain(Project(root))


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("#!/bin/sh\necho 'no version is set' >&2\nexit 1\n", "no version is set"),
        ("#!/bin/sh\necho\necho not-json\n", "exit code 0 and printed 'not-json'"),
        ("#!/bin/sh\necho 18\n", "exit code 0 and printed '18'"),
        (f"#!/bin/sh\necho {'x' * 600}\n", f"printed '{'x' * 500}'\\."),
        (
            "#!/bin/sh\necho 'node:internal/x:1'>&2\necho \"Error: Cannot find '/x.js'\" >&2\nexit 9\n",
            "exit code 9 and printed \"Error: Cannot find '/x.js'\"",
        ),
        ("#!/no/such/interpreter\n", "No such file"),
    ],
)
def test_a_node_that_cannot_be_run(
    root: Path, node: FakeNode, program: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a version manager or Node itself says is shown, in one line; NODE_OPTIONS may be why."""
    install(root)
    node.program.write_text(program)
    with pytest.raises(NodeNotFoundError, match=reason) as caught:
        find_toolchain(Project(root))
    assert "NODE_OPTIONS" not in str(caught.value.resolution)
    monkeypatch.setenv("NODE_OPTIONS", "--require /x.js")
    if "cannot be run" not in caught.value.message:
        with pytest.raises(NodeNotFoundError) as caught:
            find_toolchain(Project(root))
        assert "Check NODE_OPTIONS" in str(caught.value.resolution)


@pytest.mark.parametrize(
    ("lock_file", "command"),
    [
        (None, "npm install"),
        ("package-lock.json", "npm install"),
        ("pnpm-lock.yaml", "pnpm install"),
        ("yarn.lock", "yarn install"),
        ("bun.lockb", "bun install"),
    ],
)
def test_a_project_without_packages(root: Path, lock_file: str | None, command: str) -> None:
    """The resolution names the package manager whose lock file is nearest."""
    if lock_file is not None:
        (root / lock_file).touch()
        (root.parent / "yarn.lock").touch()
    with pytest.raises(AmplifyPackagesNotFoundError, match="no node_modules") as caught:
        find_toolchain(Project(root))
    assert f"Run {command} in" in str(caught.value.resolution)


def test_a_project_with_other_packages_only(root: Path) -> None:
    """A node_modules without Amplify is told apart from none."""
    add_package(root / "node_modules", "react")
    with pytest.raises(AmplifyPackagesNotFoundError, match="node_modules has no @aws-amplify"):
        find_toolchain(Project(root))


def test_plug_and_play_is_named(root: Path) -> None:
    """Yarn's own way of finding packages is not supported, and the setting to change is named."""
    (root.parent / ".pnp.cjs").touch()
    with pytest.raises(AmplifyPackagesNotFoundError, match="Plug'n'Play") as caught:
        find_toolchain(Project(root))
    assert "nodeLinker" in str(caught.value.resolution)


def test_a_project_without_the_command_line(root: Path, node: FakeNode) -> None:
    """tsx comes with backend-cli; the project's own is used where that is not installed."""
    modules = root / "node_modules"
    add_package(modules, "@aws-amplify/backend")
    with pytest.raises(AmplifyPackagesNotFoundError, match="tsx") as caught:
        find_toolchain(Project(root))
    assert "npm install --save-dev @aws-amplify/backend-cli" in str(caught.value.resolution)
    tsx = add_tsx(modules)
    assert find_toolchain(Project(root)).tsx == tsx


def test_tsx_is_taken_from_where_amplify_has_it(root: Path, node: FakeNode) -> None:
    """A tsx of the project's own does not replace the one that Amplify's packages name."""
    install(root)
    nested = add_tsx(root / "node_modules/@aws-amplify/backend-deployer/node_modules")
    assert find_toolchain(Project(root)).tsx == nested


def test_a_node_that_does_not_end(
    root: Path, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that waits, such as a version manager with a question, is ended with an error."""
    install(root)
    node.program.write_text("#!/bin/sh\nexec sleep 300\n")
    monkeypatch.setattr(toolchain, "_PROBE_SECONDS", 0.01)
    with pytest.raises(NodeNotFoundError, match=r"cannot be run: .* timed out"):
        find_toolchain(Project(root))


def test_tsx_may_be_beside_the_command_line(root: Path, node: FakeNode) -> None:
    """Where neither the deployer nor the project has a tsx, that of the command line is taken."""
    install(root)
    shutil.rmtree(root / "node_modules/tsx")
    nested = add_tsx(root / "node_modules/@aws-amplify/backend-cli/node_modules")
    assert find_toolchain(Project(root)).tsx == nested


def test_the_lock_file_may_be_that_of_a_workspace(root: Path) -> None:
    """Where the project has no lock file, the one of a folder above names the package manager."""
    (root.parent / "yarn.lock").touch()
    assert toolchain.install_command(root) == "yarn install"


def test_packages_of_a_workspace_lie_above(root: Path, node: FakeNode) -> None:
    """Packages may be hoisted to the folder of the workspace."""
    tsx = install(root.parent)
    assert find_toolchain(Project(root)).tsx == tsx


def test_packages_of_pnpm_are_links(root: Path, node: FakeNode) -> None:
    """What a package needs lies beside its real folder, and not beside the link to it."""
    store = root / "node_modules/.pnpm"
    for name, others in (
        ("backend", []),
        ("backend-cli", ["backend-deployer"]),
        ("backend-deployer", ["tsx"]),
    ):
        add_package(store / name / "node_modules", f"@aws-amplify/{name}")
        for other in others:
            scope = "" if other == "tsx" else "@aws-amplify/"
            link = store / name / "node_modules" / f"{scope}{other}"
            link.symlink_to(store / other / "node_modules" / f"{scope}{other}")
    for name in ("backend", "backend-cli"):
        link = root / "node_modules/@aws-amplify" / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(store / name / "node_modules/@aws-amplify" / name)
    tsx = add_tsx(store / "tsx/node_modules")
    assert find_toolchain(Project(root)).tsx == tsx


@pytest.mark.parametrize(
    ("exports", "file"),
    [
        ({"./esm/api": {"import": "./api.mjs", "require": "./no.cjs"}}, "api.mjs"),
        ({"./esm/api": "./api.mjs"}, "api.mjs"),
        ({"./esm": "./esm.mjs", ".": "./loader.mjs"}, "esm.mjs"),
        ({".": {"default": "./loader.mjs"}}, "loader.mjs"),
        ({"./esm": "./esm.mjs", "./esm/api": "./api.mjs"}, "api.mjs"),
        ({"./esm/api": "./gone.mjs", "./esm": "./esm.mjs"}, "esm.mjs"),
        ({"./esm/api": {"require": "./api.cjs"}, ".": "./loader.mjs"}, "loader.mjs"),
    ],
)
def test_the_file_of_tsx_is_the_one_for_import(
    root: Path, node: FakeNode, exports: Any, file: str
) -> None:
    """The API for ``import`` is taken, and of old versions the loader."""
    modules = root / "node_modules"
    add_package(modules, "@aws-amplify/backend")
    tsx = add_tsx(modules, exports, file=file)
    for other in {"api.cjs", "esm.mjs"} - {file}:
        if other in str(exports):
            tsx.with_name(other).touch()
    assert find_toolchain(Project(root)).tsx == tsx


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"exports": []}', '{"exports": {".": 1}}'])
def test_a_broken_tsx_counts_as_missing(root: Path, content: str) -> None:
    """A package.json without the file to load is no reason for a trace."""
    modules = root / "node_modules"
    add_package(modules, "@aws-amplify/backend")
    add_tsx(modules)
    (modules / "tsx/package.json").write_text(content)
    with pytest.raises(AmplifyPackagesNotFoundError, match="tsx"):
        find_toolchain(Project(root))


def test_node_is_asked_without_a_debugger(
    root: Path, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options that make Node wait for a debugger are left out, others are not."""
    install(root)
    node.program.write_text(
        f'#!/bin/sh\nprintf %s "$NODE_OPTIONS" > {root}/seen\ncat "$(dirname "$0")/version"\n'
    )
    monkeypatch.setenv("NODE_OPTIONS", "--inspect-brk=9229 --max-old-space-size=4096 --inspect")
    find_toolchain(Project(root))
    assert (root / "seen").read_text() == "--max-old-space-size=4096"
    monkeypatch.setenv("NODE_OPTIONS", "--inspect")
    find_toolchain(Project(root))
    assert (root / "seen").read_text() == ""
    assert "NODE_OPTIONS" in os.environ
