"""The places where Python itself prints, made to mask: tracebacks of threads, warnings, logs."""

from __future__ import annotations

import contextlib
import linecache
import logging
import sys
import threading
import traceback
import warnings
from typing import TYPE_CHECKING, Any, TextIO

from seedctl import interruption
from seedctl.masking import mask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType


def masked_excepthook(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an uncaught exception as Python does, with every secret masked."""
    text = "".join(traceback.format_exception(kind, error, trace))
    resolution = getattr(error, "resolution", None)
    if isinstance(resolution, str):
        text += f"Resolution: {resolution}\n"
    _write(text)


@contextlib.contextmanager
def masked_output() -> Iterator[None]:
    """For the block, mask what Python's own hooks and the logging module put out."""
    saved = (
        sys.excepthook,
        sys.unraisablehook,
        threading.excepthook,
        warnings.showwarning,
        logging.getLogRecordFactory(),
    )
    sys.excepthook = masked_excepthook
    sys.unraisablehook = _masked_unraisable
    threading.excepthook = masked_thread_excepthook
    show = saved[3]

    def masked_warning(  # noqa: PLR0917 - as warnings.showwarning
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if line is None:
            line = linecache.getline(filename, lineno)
        show(mask(str(message)), category, filename, lineno, file, mask(line))

    def masked_record(*arguments: Any, **options: Any) -> logging.LogRecord:
        record = saved[4](*arguments, **options)
        record.msg, record.args = mask(_message(record)), ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = mask("".join(traceback.format_exception(*record.exc_info))).rstrip()
        if record.stack_info:
            record.stack_info = mask(record.stack_info)
        return record

    warnings.showwarning = masked_warning
    logging.setLogRecordFactory(masked_record)
    try:
        yield
    finally:
        (
            sys.excepthook,
            sys.unraisablehook,
            threading.excepthook,
            warnings.showwarning,
            factory,
        ) = saved
        logging.setLogRecordFactory(factory)


def masked_thread_excepthook(arguments: threading.ExceptHookArgs) -> None:
    """Print an exception that ended a thread as Python does, with every secret masked.

    Once the run is being ended by a signal nothing is printed: threads may be cut off by that.
    """
    if arguments.exc_type is SystemExit or arguments.exc_value is None:
        return  # as threading's own hook
    if interruption.is_requested():
        return
    name = arguments.thread.name if arguments.thread else "unknown"
    _write(f"Exception in thread {name}:\n")
    masked_excepthook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _masked_unraisable(arguments: sys.UnraisableHookArgs) -> None:
    _write(f"{arguments.err_msg or 'Exception ignored in'}: {arguments.object!r}\n")
    if arguments.exc_value is not None:
        masked_excepthook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong format must not end the script
        text = record.msg if isinstance(record.msg, str) else f"a {type(record.msg).__name__}"
        return f"{text} (which cannot be formatted)"


def _write(text: str) -> None:
    stream = sys.stderr or sys.__stderr__
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed: nowhere to tell it
        stream.write(mask(text))  # type: ignore[union-attr]
