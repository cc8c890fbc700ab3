"""Masks secrets in what Python itself prints: tracebacks, warnings and log records."""

from __future__ import annotations

import contextlib
import linecache
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TextIO

from seedctl import interruption
from seedctl.masking import mask, mask_message

# Lines of a traceback that Python writes. The others come from the script and from exceptions.
_PYTHONS_LINE = re.compile(
    r'[\s|+]*(File "|(Exception Group )?Traceback \(most recent call last\):)'
)


def masked_excepthook(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an uncaught exception as Python does, with every secret masked."""
    text = mask_trace("".join(traceback.format_exception(kind, error, trace)))
    said = getattr(error, "service_message", "")
    if said and said not in text:
        text += mask_message(f"The service said: {said}\n")
    resolution = getattr(error, "resolution", None)
    if isinstance(resolution, str):
        text += mask_message(f"Resolution: {resolution}\n")
    _write(text)


def mask_trace(text: str) -> str:
    """Return the traceback *text* masked, but with its file names and line numbers readable."""
    lines = mask_message(text).splitlines(keepends=True)
    return "".join(line if _PYTHONS_LINE.match(line) else mask(line) for line in lines)


def mask_record(record: logging.LogRecord, masked: Callable[[str], str] = mask) -> None:
    """Mask *record* in place with *masked*; a record without a secret stays unchanged."""
    text: str | None
    try:
        text = record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong format must not end the script
        text = None
    shown = masked(text if text is not None else _unformatted(record))
    if shown != text:
        record.msg, record.args = shown, ()
    if record.exc_info and record.exc_info[0] is not None:
        trace = "".join(traceback.format_exception(*record.exc_info))
        shown = mask_trace(trace)
        if shown != trace:  # without exc_info, handlers cannot format the exception again
            record.exc_text, record.exc_info = shown.rstrip(), None
    if record.stack_info:
        record.stack_info = mask_trace(record.stack_info)


class MaskingFilter(logging.Filter):
    """A filter for loggers that masks their records for every handler, also without masked_output."""

    def filter(self, record: logging.LogRecord) -> bool:
        mask_record(record, mask_message)
        return True


@contextlib.contextmanager
def masked_output() -> Iterator[None]:
    """Mask the output of Python's hooks and of the logging module during the block."""
    show, create_record = warnings.showwarning, logging.getLogRecordFactory()

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

    def masked_record(*arguments: object, **options: object) -> logging.LogRecord:
        record = create_record(*arguments, **options)
        # If the logger has a MaskingFilter, it runs later and needs the unformatted record.
        filters = logging.getLogger(record.name).filters
        if not any(isinstance(each, MaskingFilter) for each in filters):
            mask_record(record)
        return record

    with contextlib.ExitStack() as stack:
        for module, name, hook in (
            (sys, "excepthook", masked_excepthook),
            (sys, "unraisablehook", _masked_unraisable),
            (threading, "excepthook", masked_thread_excepthook),
            (warnings, "showwarning", masked_warning),
        ):
            stack.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, hook)
        stack.callback(logging.setLogRecordFactory, create_record)
        logging.setLogRecordFactory(masked_record)
        yield


def masked_thread_excepthook(arguments: threading.ExceptHookArgs) -> None:
    """Print an exception that ended a thread as Python does, with every secret masked.

    After a signal nothing is printed: the stopping run itself makes threads fail.
    """
    if arguments.exc_type is SystemExit or arguments.exc_value is None:
        return  # as in threading's own hook
    if interruption.is_requested():
        return
    name = arguments.thread.name if arguments.thread else "unknown"
    _write(f"Exception in thread {mask(name)}:\n")
    masked_excepthook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _masked_unraisable(arguments: sys.UnraisableHookArgs) -> None:
    message = mask_message(arguments.err_msg or "Exception ignored in")
    _write(f"{message}: {mask(repr(arguments.object))}\n")
    if arguments.exc_value is not None:
        masked_excepthook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _unformatted(record: logging.LogRecord) -> str:
    text = record.msg if isinstance(record.msg, str) else f"a {type(record.msg).__name__}"
    return f"{text} (which cannot be formatted)"


def _write(text: str) -> None:
    stream = sys.stderr or sys.__stderr__
    # If the stream is closed or missing, there is nowhere to print.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stream.write(text)  # type: ignore[union-attr]
