"""Whether git ignores the folder ``.amplify/``, which holds local state and must not be committed."""

from __future__ import annotations

from pathlib import Path

from seedctl.project.root import UnreadableFileError, read_text

ENTRY = ".amplify/"
NAME = ".gitignore"
_ENTRIES = {".amplify", ".amplify/", ".amplify/*", ".amplify/**"}
_ANCHORED = {f"{prefix}{entry}" for entry in _ENTRIES for prefix in ("/", "**/")}


def ignores_state(root: Path) -> bool:
    """Whether a ``.gitignore`` of the project in *root*, or of a folder above it, names ``.amplify``.

    Folders above count up to the one that holds ``.git``; a file that cannot be read names nothing.
    """
    for folder in (root, *root.parents):
        entries = _ENTRIES | (_ANCHORED if folder == root else {f"**/{each}" for each in _ENTRIES})
        if not entries.isdisjoint(_lines(folder / NAME)):
            return True
        if (folder / ".git").exists():
            return False
    return False


def with_entry(text: str) -> str:
    """Return *text*, a ``.gitignore``, with a line for ``.amplify/`` at its end."""
    separator = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{separator}{ENTRY}\n"


def _lines(path: Path) -> set[str]:
    try:
        return {line.strip() for line in read_text(path).splitlines()}
    except (FileNotFoundError, UnreadableFileError):
        return set()
