"""Files and lines of the project's source: in stack traces of Node, and where something is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

Place = tuple[Path, int | None]
"""A file, and a line of it if that is known."""

_FRAME = re.compile(
    r"(?:^|\(|\bat |\basync )(?P<url>file://)?(?P<path>/.*?)(?:\?[^\s():]*)?:(?P<line>\d+)(?=[:)\s]|$)"
)
_LONGEST_FRAME = 5000
"""How many characters of a line are searched: a message may be one line of any length."""
_AWAIT = re.compile(r"^(?!.*\basync\b)(?!//)(?:\S.*\W)?await\b")
_LOOK_UP = re.compile(r"\b(?:\w*[lL]ookup|lookup\w*)\s*\(")
_WAIT = re.compile(r"\b(?:(?:exec|execFile|spawn)Sync|Atomics\.wait)\s*\(")
_THROW = re.compile(r"\bthrow\b")
_CODE = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs")


def place_in_stack(root: Path, stack: str) -> Place | None:
    """Return the first file and line in *stack* that are of the project, and not of a package.

    That is a file in the folder *root*, or else any other outside of ``node_modules``, such as one of
    the workspace that the project is in.
    """
    places = list(_places(stack))
    inside = (place for place in places if place[0].is_relative_to(root))
    return next(inside, places[0] if places else None)


def file_in_text(root: Path, text: str) -> Place | None:
    """Return the first file of the project whose path is in *text*."""
    files = (Path(match[0]) for match in re.finditer(r"/[^\s'\"():]+[^\s'\"():.]", text))
    found = (file for file in files if file.is_relative_to(root) and file.is_file())
    return next(((file, None) for file in found if "node_modules" not in file.parts), None)


def _places(stack: str) -> Iterator[Place]:
    own = Path(__file__).parent
    for line in stack.splitlines():
        match = _FRAME.search(line[:_LONGEST_FRAME])
        if match is not None:
            path = Path(unquote(match["path"]) if match["url"] else match["path"])
            if "node_modules" not in path.parts and own not in path.parents and path.is_file():
                yield path, int(match["line"])


def line_of_import(file: Path, name: str) -> int | None:
    """Return the number of the line of *file* that imports something called *name*."""
    quoted = re.compile(rf"""["'][^"']*{re.escape(name)}[^"']*["']""")
    return _first_line(file, quoted)


def defining_call(root: Path, function: str) -> Place | None:
    """Return where the project calls *function*, if it does so exactly once."""
    return _only_place(root, re.compile(rf"\b{re.escape(function)}\s*\("))


def place_of_await(root: Path) -> Place | None:
    """Return where the project awaits something outside of functions, if it is one place."""
    return _only_place(root, _AWAIT)


def place_of_wait(root: Path) -> Place | None:
    """Return where the project waits for another program without an await, if it is one place."""
    return _only_place(root, _WAIT)


def place_of_look_up(root: Path) -> Place | None:
    """Return where the project looks something up in AWS, if it is one place."""
    return _only_place(root, _LOOK_UP)


def place_of_throw(root: Path) -> Place | None:
    """Return where the project throws something, if it is one place."""
    return _only_place(root, _THROW)


def _only_place(root: Path, pattern: re.Pattern[str]) -> Place | None:
    places: list[Place] = []
    for file in sorted((root / "amplify").rglob("*")):
        if file.suffix in _CODE and "node_modules" not in file.parts:
            line = _first_line(file, pattern)
            if line is not None:
                places.append((file, line))
    return places[0] if len(places) == 1 else None


def _first_line(file: Path, pattern: re.Pattern[str]) -> int | None:
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    return next((number for number, line in enumerate(lines, 1) if pattern.search(line)), None)
