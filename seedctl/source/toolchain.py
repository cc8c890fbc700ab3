"""Find what running an Amplify backend needs: its entry point, Node, and the project's packages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.errors import AmplifyPackagesNotFoundError, NodeNotFoundError
from seedctl.source.environment import node_options

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.project import Project

# In Amplify's order: compiled JavaScript comes before the TypeScript that it was made from.
_ENTRY_SUFFIXES = (".js", ".mjs", ".cjs", ".ts")
_INSTALL_BY_LOCK_FILE = {
    "pnpm-lock.yaml": "pnpm install",
    "yarn.lock": "yarn install",
    "bun.lock": "bun install",
    "bun.lockb": "bun install",
    "package-lock.json": "npm install",
}
_VERSIONS = "18.19 or a later 18.x, 20.6 or a later 20.x, or 22 or later"
_PROBE_SECONDS = 30
# A version manager may have put a script called node into the PATH: ask for the program itself.
_PROBE = "process.stdout.write(JSON.stringify([process.version, process.execPath]))"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """The programs that run a backend."""

    node: str
    """The path of the program."""
    version: str
    """Its version, such as ``v20.20.2``."""
    tsx: Path
    """The file of the package tsx that loads TypeScript: its API, or its loader if it is old."""


def find_backend(project: Project) -> Path | None:
    """Return the file that Amplify loads: amplify/backend.ts, .js, .mjs or .cjs, or None."""
    for suffix in _ENTRY_SUFFIXES:
        path = project.root / "amplify" / f"backend{suffix}"
        if path.is_file():
            return path
    return None


def find_toolchain(project: Project) -> Toolchain:
    """Return the Node in the PATH and the packages in *project*'s ``node_modules``.

    Raises NodeNotFoundError and AmplifyPackagesNotFoundError.
    """
    tsx = find_tsx(project.root)
    node, version = find_node()
    return Toolchain(node, version, tsx)


def find_node() -> tuple[str, str]:
    """Return the path and the version of the Node in the PATH. Raises NodeNotFoundError."""
    found = shutil.which("node")
    fix = f"Install Node.js, version {_VERSIONS}, or put its folder into PATH."
    if found is None:
        raise NodeNotFoundError(
            "The backend's source needs Node.js, and there is no node in the PATH.", resolution=fix
        )
    try:
        ended = subprocess.run(  # noqa: S603 - the user's own Node
            [found, "-e", _PROBE],
            env=node_options(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NodeNotFoundError(f"{found} cannot be run: {error}", resolution=fix) from error
    try:
        version, path = json.loads(ended.stdout)
    except (ValueError, TypeError):
        printed = _error_line(ended.stderr or ended.stdout)
        if "NODE_OPTIONS" in os.environ:
            fix = f"Check NODE_OPTIONS in the environment. {fix}"
        raise NodeNotFoundError(
            f"{found} does not work as Node.js: it ended with exit code {ended.returncode} and "
            f"printed {printed!r}.",
            resolution=fix,
        ) from None
    if not _is_supported(version):
        raise NodeNotFoundError(
            f"{found} is Node.js {version}, which is too old for Amplify's packages.",
            resolution=fix,
        )
    return path, version


def _error_line(printed: bytes) -> str:
    """Return the line of *printed* that names an error, or else the first one."""
    lines = [line.strip() for line in printed.decode("utf-8", "replace").splitlines()]
    errors = (line for line in lines if re.match(r"\w*Error\b", line))
    return next(errors, next(filter(None, lines), ""))[:500]


def _is_supported(version: str) -> bool:
    """Whether backend-cli supports Node's *version*: ``^18.19 || ^20.6 || >=22``."""
    match = re.match(r"v(\d+)\.(\d+)\.", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return major >= 22 or (major == 20 and minor >= 6) or (major == 18 and minor >= 19)


def find_tsx(root: Path) -> Path:
    """Return the file of the tsx that Amplify's command line uses, or else of the project's own.

    A project may have another version of tsx than the one that Amplify's packages were tested with.
    Raises AmplifyPackagesNotFoundError.
    """
    if _find_package("@aws-amplify/backend", root) is None:
        raise _packages_missing(root)
    command_line = _find_package("@aws-amplify/backend-cli", root)
    deployer = _find_package("@aws-amplify/backend-deployer", command_line or root)
    for start in (deployer, command_line, root):
        package = _find_package("tsx", start) if start is not None else None
        entry = _tsx_entry(package) if package is not None else None
        if entry is not None:
            return entry
    raise AmplifyPackagesNotFoundError(
        f"The package tsx, which loads TypeScript, is not installed for {root}: it comes with "
        "@aws-amplify/backend-cli.",
        resolution="In the project, run npm install --save-dev @aws-amplify/backend-cli.",
    )


def _find_package(name: str, start: Path) -> Path | None:
    """Return the folder of the package *name* as Node finds it for a file in the folder *start*.

    With pnpm it is a link; the packages that it depends on are beside its real folder.
    """
    for folder in (start, *start.parents):
        package = folder / "node_modules" / name
        if (package / "package.json").is_file():
            return package.resolve()
    return None


def _tsx_entry(package: Path) -> Path | None:
    """Return the file of the package tsx to load: its API, or its loader in versions before 4.11."""
    try:
        exports = dict(json.loads((package / "package.json").read_bytes())["exports"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    for name in ("./esm/api", "./esm", "."):
        for target in _targets(exports.get(name)):
            if (package / target).is_file():
                return package / target
    return None


def _targets(entry: Any) -> Iterator[str]:
    """Yield the files of an entry of ``exports`` for ``import``.

    Not for ``require``: what that loads cannot load ES modules.
    """
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict):
        for condition in ("import", "default"):
            yield from _targets(entry.get(condition))


def install_command(root: Path) -> str:
    """Return what installs the packages of the project in *root*, by the lock file nearest to it."""
    for folder in (root, *root.parents):
        for name, command in _INSTALL_BY_LOCK_FILE.items():
            if (folder / name).is_file():
                return command
    return "npm install"


def _packages_missing(root: Path) -> AmplifyPackagesNotFoundError:
    folders = (root, *root.parents)
    if any((folder / ".pnp.cjs").is_file() for folder in folders):
        return AmplifyPackagesNotFoundError(
            f"{root} uses Yarn's Plug'n'Play, which Amplify's packages do not support.",
            resolution='Set "nodeLinker: node-modules" in .yarnrc.yml, and run yarn install.',
        )
    where = (
        "node_modules has no"
        if (root / "node_modules").is_dir()
        else "there is no node_modules with"
    )
    return AmplifyPackagesNotFoundError(
        f"The packages of {root} are not installed: {where} @aws-amplify/backend.",
        resolution=f"Run {install_command(root)} in the project. package.json must name @aws-amplify/backend and "
        "@aws-amplify/backend-cli.",
    )
