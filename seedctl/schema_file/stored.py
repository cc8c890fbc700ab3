"""Check the stored file: whether seedctl wrote it, and for which models."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from seedctl.errors import FileAccessError, StaleSchemaFileError
from seedctl.outputs import AmplifyOutputs
from seedctl.project.root import SCRIPT, UnreadableFileError, read_text

SCHEMA_FILE = SCRIPT.with_name("schema.py")
"""The path in the project."""

_FORMAT = 1
"""The version of the file's text. It is increased when the text for the same models changes."""

_MARK = "# seedctl types: models {digest}"
_MARK_LINE = re.compile(_MARK.format(digest="([0-9a-f]{64})"), re.MULTILINE)


def mark(outputs: AmplifyOutputs) -> str:
    """Return the line that identifies the file, with the digest of the models in *outputs*."""
    return _MARK.format(digest=models_digest(outputs))


def models_digest(outputs: AmplifyOutputs) -> str | None:
    """Return the digest of the models in *outputs*; None if it describes none."""
    data = outputs.document.get("data") or {}
    models = data.get("model_introspection")
    if models is None:
        return None
    canonical = json.dumps([_FORMAT, models], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def is_stale(path: Path, outputs: AmplifyOutputs) -> bool:
    """Whether seedctl wrote the file at *path* for other models than those in *outputs*."""
    try:
        digest = _stored_digest(_read(path))
    except FileAccessError:
        return False  # this is a hint only; the script itself fails if it needs the file
    return digest is not None and digest != models_digest(outputs)


def check_file(path: Path, text: str, command: str) -> None:
    """Raise StaleSchemaFileError unless the file at *path* is *text*. *command* writes it."""
    stored = _read(path)
    if stored == text:
        return
    raise StaleSchemaFileError(
        f"{path} does not exist."
        if stored is None
        else f"{path} is not what seedctl types would write for these models.",
        resolution=f"Run {command}.",
    )


def require_own_file(path: Path) -> None:
    """Raise FileAccessError if there is a file at *path* that ``seedctl types`` did not write."""
    stored = _read(path)
    if stored and _stored_digest(stored) is None:
        raise FileAccessError(
            f"{path} was not written by seedctl types.",
            resolution="Choose another file with --out, or replace this one with --force.",
        )


def _stored_digest(text: str | None) -> str | None:
    found = _MARK_LINE.search(text or "")
    return found[1] if found is not None else None


def _read(path: Path) -> str | None:
    try:
        return read_text(path)
    except FileNotFoundError:
        return None
    except UnreadableFileError as error:
        raise FileAccessError(
            f"{path} cannot be read: {error}.",
            resolution="Make it a file that this account may read, or choose another with --out.",
        ) from error.__cause__
