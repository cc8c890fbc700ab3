"""Digests of the source files of a backend, by which later changes are noticed.

No Node is needed, and the result is the same wherever the project is checked out and whatever its
line endings are.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seedctl.outputs import AmplifyOutputs

_PACKAGE = "package.json"
_PACKAGES = ("@aws-amplify/", "aws-amplify", "aws-cdk-lib", "constructs")
_EXTENDS = re.compile(r'"extends"\s*:\s*\[?\s*"(\.{1,2}/[^"]+)"')
_GENERATED_FOLDERS = {"node_modules", "cdk.out", "__pycache__"}


def source_digests(root: Path, loaded: Iterable[Path] = ()) -> dict[str, str]:
    """Return the digest of each source file of the project in *root*, by its path from there.

    These are all files of ``amplify/``, except for the seed, hidden and generated ones, the
    project's ``package.json`` and ``tsconfig.json``, and the *loaded* files wherever they are, such
    as in another package of a workspace, except for installed packages. Of ``package.json`` only
    what concerns a backend counts. Paths have ``/`` between their parts.
    """
    files = {*_own_files(root), *_configurations(root), root / _PACKAGE}
    files.update(each for each in loaded if "node_modules" not in each.parts)
    names = {Path(os.path.relpath(each, root)).as_posix(): each for each in files}
    digests = {name: _digest(path) for name, path in sorted(names.items())}
    return {name: digest for name, digest in digests.items() if digest is not None}


def changed_source(root: Path, recorded: Mapping[str, str]) -> str | None:
    """Describe what differs between the source files in *root* and the *recorded* digests.

    That is one file with what happened to it, such as "amplify/backend.ts has changed"; None if
    nothing differs. A recorded file outside of ``amplify/`` that does not exist is no difference: it
    may be made by a build that was not run here.
    """
    current = source_digests(root, [root / name for name in recorded])
    if not any(name.startswith("amplify/backend.") for name in current):
        return None  # the sources are not here
    for name in sorted({*recorded, *current}):
        if name not in current:
            if name.startswith("amplify/"):
                return f"{name} was removed"
        elif name not in recorded:
            return f"{name} is new"
        elif current[name] != recorded[name]:
            return f"{name} has changed"
    return None


def stale_warning(root: Path, outputs: AmplifyOutputs | None) -> str | None:
    """Return the warning if source files in *root* have changed since *outputs* were made from them.

    None if not, or if *outputs* were not made from source files.
    """
    recorded = outputs.details.sources if outputs is not None else {}
    changed = changed_source(root, recorded) if recorded else None
    if outputs is None or changed is None:
        return None
    name = os.path.relpath(outputs.path, root)
    return f"{name} is out of date: {changed}. Run seedctl local init."


def _own_files(root: Path) -> Iterator[Path]:
    amplify = root / "amplify"
    for folder, folders, files in os.walk(amplify):
        is_top = Path(folder) == amplify
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in _GENERATED_FOLDERS
            and not (is_top and name == "seed")
        ]
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _configurations(root: Path) -> Iterator[Path]:
    """Yield the ``tsconfig.json`` of *root* and those that it extends: they define aliases."""
    path: Path | None = root / "tsconfig.json"
    seen: set[Path] = set()
    while path is not None and path not in seen and path.is_file():
        seen.add(path)
        yield path
        match = _EXTENDS.search(path.read_text("utf-8", "replace"))
        path = (path.parent / match[1]).resolve() if match is not None else None
        if path is not None and path.suffix != ".json":
            path = path.with_name(f"{path.name}.json")


def _digest(path: Path) -> str | None:
    """Return the digest of the file at *path*, or None if there is no file that can be read."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if path.name == _PACKAGE:
        content = _relevant(content)
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()[:16]


def _relevant(content: bytes) -> bytes:
    """Return the part of the *content* of a ``package.json`` that may change the backend."""
    try:
        package: dict[str, Any] = dict(json.loads(content))
    except (ValueError, TypeError):
        return content
    relevant: dict[str, Any] = {name: package.get(name) for name in ("name", "type", "imports")}
    for section in ("dependencies", "devDependencies"):
        versions = package.get(section)
        if isinstance(versions, dict):
            relevant |= {name: versions[name] for name in versions if name.startswith(_PACKAGES)}
    return json.dumps(relevant, sort_keys=True).encode()
