"""What a failed seed script shows: its own part of the traceback, and where it failed."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

from seedctl.causes import causes
from seedctl.errors import SeedctlError, SeedingFailedError
from seedctl.masked_output import mask_trace
from seedctl.masking import mask_message

_PACKAGE = Path(__file__).parents[1]


def failure_text(error: SeedctlError, script: Path | None = None) -> str:
    """Return *error* as ``seedctl seed`` shows it, with every secret masked.

    That is: the traceback of the script's own exception, the message, the line of *script*, the
    causes, and what to do.
    """
    is_script_error = isinstance(error, SeedingFailedError)
    source = error.__cause__ if is_script_error else error
    lines = []
    if is_script_error and source is not None:
        lines.append(mask_trace(script_trace(source)).rstrip())
    lines.append(mask_message(f"[{error.name}] {error.message}"))
    place = location(source, script) if source is not None and script is not None else None
    if place is not None:
        lines.append(mask_message(f"  at {place[0]}, line {place[1]}"))
    for depth, cause in enumerate(causes(error), start=1):
        lines.append(mask_message(f"{'  ' * depth}∟ Caused by: {cause}"))
    if error.resolution:
        lines.append(mask_message(f"Resolution: {error.resolution}"))
    return "\n".join(lines)


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


def user_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return *trace* without the frames of seedctl, botocore and Python's runner; None if none is left."""
    shown = []
    while trace is not None:
        if not is_library(trace.tb_frame.f_code.co_filename):
            shown.append(trace)
        trace = trace.tb_next
    result: TracebackType | None = None
    for each in reversed(shown):
        result = TracebackType(result, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return result


def _remove_library_frames(trace: traceback.TracebackException) -> None:
    frames = [frame for frame in trace.stack if not is_library(frame.filename)]
    trace.stack = traceback.StackSummary.from_list(frames)
    members = getattr(trace, "exceptions", None) or ()  # of a group, since Python 3.11
    for part in (trace.__cause__, trace.__context__, *members):
        if part is not None:
            _remove_library_frames(part)


def is_library(filename: str) -> bool:
    """Whether *filename* belongs to seedctl, botocore or Python's runner, not to the user."""
    path = Path(filename)
    return (
        filename.startswith("<frozen")
        or path.is_relative_to(_PACKAGE)
        or path.name in {"contextlib.py", "runpy.py"}
        or "botocore" in path.parts
    )
