"""The file of ``--report``: checked before the run begins, written when it ends."""

from __future__ import annotations

import json
import os
import stat
import sys
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl.errors import FileAccessError
from seedctl.runner.atomic_write import check_replaceable, existing_mode, replace_file
from seedctl.runner.report_document import report_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seedctl.report import Report

# What UTF-8 cannot encode, such as a file name of arbitrary bytes, is escaped as in JSON.
_ENCODE_ERRORS = "backslashreplace"
_PRIVATE = 0o600  # the report contains names of users
_MAX_LINKS = 40  # as many as Linux follows


class ReportFile:
    """The destination of a run's report: a file to replace, or a stream such as a pipe."""

    def __init__(self, path: str) -> None:
        """Check that *path* can be written. Raises FileAccessError."""
        self._name = path
        # The script may change the working directory, and a symbolic link stays a link.
        self._path = Path(os.path.realpath(path))
        self._stream: Path | int | None = None
        """A file descriptor, or the path of a pipe or device; None for a file to replace."""
        self._is_sent = False
        self._started = datetime.now(timezone.utc)
        with self._file_access_error():
            descriptor = _descriptor(path)
            mode = existing_mode(Path(path)) if descriptor is None else None
            if descriptor is not None:
                # A copy: the script may close its own, and the number would be used again.
                self._stream = os.dup(descriptor)
                os.write(self._stream, b"")  # fails if it is open for reading only
            elif mode is not None and not stat.S_ISREG(mode):
                self._stream = Path.cwd() / path
            else:
                check_replaceable(self._path)

    def finish(
        self,
        report: Report,
        exit_code: int,
        error: BaseException | None,
        calls: Mapping[str, Mapping[str, float]],
        signal: str | None = None,
    ) -> None:
        """Write what *report* recorded. *calls* has the counts of each operation by its name.

        *signal* is the name of the signal that ended the run. A second call replaces the file, but
        writes nothing more to a stream.

        Raises FileAccessError, and then an older report is unchanged.
        """
        document = report_document(
            report.copy(), self._started, exit_code, error, calls, signal=signal
        )
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        with self._file_access_error():
            if self._stream is None:
                replace_file(self._path, text, mode=_PRIVATE, errors=_ENCODE_ERRORS)
            elif not self._is_sent:
                self._is_sent = True
                _flush()  # what was printed before comes before the report
                with open(self._stream, "a", encoding="utf-8", errors=_ENCODE_ERRORS) as file:  # noqa: PTH123 - it may be a number
                    file.write(text)

    @contextmanager
    def _file_access_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            # With the user's name of the file, not that of the new file beside it.
            cause = OSError(problem.errno, problem.strerror, self._name)
            raise FileAccessError(
                f"The report {self._name} cannot be written: {problem.strerror}.",
                resolution="Give --report a path in a folder that is there and writable, of a file "
                "that is not read-only.",
            ) from cause


def _descriptor(path: str) -> int | None:
    """Return the file descriptor that *path* means, such as 1 for /dev/stdout.

    The report is written through that descriptor: the file behind it may have no name, and what is
    written there later must come after the report.
    """
    own_folder = f"/proc/{os.getpid()}/"
    link = Path(path)
    for _ in range(_MAX_LINKS):
        folder = os.path.realpath(link.parent)
        link = Path(folder, link.name)
        is_own = folder == "/dev/fd" or (folder.startswith(own_folder) and folder.endswith("/fd"))
        if is_own and link.name.isdecimal() and os.path.lexists(link):
            return int(link.name)
        if not link.is_symlink():
            break
        link = link.parent / link.readlink()
    return None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
