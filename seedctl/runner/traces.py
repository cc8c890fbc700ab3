"""Where in the seed script an error happened, and its traceback without frames of libraries."""

from __future__ import annotations

import traceback
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def script_trace(error: BaseException) -> str:
    """Return *error*'s traceback without the frames of seedctl, botocore and Python's runner."""
    trace = traceback.TracebackException.from_exception(error)
    _remove_library_frames(trace)
    return "".join(trace.format())


def location(error: BaseException, script: Path) -> tuple[Path, int] | None:
    """Return file and line of *error*'s innermost frame in the script's folder."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return Path(error.filename), error.lineno
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(script.parent):
            place = (path, line)
    return place


def _remove_library_frames(trace: traceback.TracebackException) -> None:
    frames = [frame for frame in trace.stack if not _is_library(frame.filename)]
    trace.stack = traceback.StackSummary.from_list(frames)
    members = getattr(trace, "exceptions", None) or ()  # of a group, since Python 3.11
    for part in (trace.__cause__, trace.__context__, *members):
        if part is not None:
            _remove_library_frames(part)


def _is_library(filename: str) -> bool:
    path = Path(filename)
    return (
        filename.startswith("<frozen")
        or path.is_relative_to(_PACKAGE)
        or path.name in {"contextlib.py", "runpy.py"}
        or "botocore" in path.parts
    )
