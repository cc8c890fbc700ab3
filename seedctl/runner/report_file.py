"""The JSON file of ``--report``: checked before the run begins, written when it ends, masked.

A reader of a file that is written here finds either the old content or all of the new one.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl.causes import causes
from seedctl.errors import FileAccessError, SeedctlError
from seedctl.masking import mask, mask_message
from seedctl.version import __version__

if TYPE_CHECKING:
    from seedctl.report import Event, Report, Target

_FORMAT = 1
"""The version of the document's structure."""
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
            mode = _existing_mode(Path(path)) if descriptor is None else None
            if descriptor is not None:
                # A copy: the script may close its own, and the number would be used again.
                self._stream = os.dup(descriptor)
                os.write(self._stream, b"")  # fails if it is open for reading only
            elif mode is not None and not stat.S_ISREG(mode):
                self._stream = Path.cwd() / path
            else:
                _check_replaceable(self._path)

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
        recorded = report.copy()
        seconds = recorded.seconds
        document = {
            "format": _FORMAT,
            "seedctl": __version__,
            "started_at": _time(self._started),
            "ended_at": _time(self._started + timedelta(seconds=seconds)),
            "seconds": round(seconds, 3),
            "exit_code": exit_code,
            "signal": signal,
            "error": _error(error, signal) if error is not None else None,
            **_events(recorded),
            "calls": [
                {"operation": name, **{key: round(count, 3) for key, count in calls[name].items()}}
                for name in sorted(calls)
            ],
            "warnings": [mask_message(text) for text in recorded.warnings],
        }
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        with self._file_access_error():
            if self._stream is None:
                _replace_file(self._path, text, mode=_PRIVATE, errors=_ENCODE_ERRORS)
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


def _events(report: Report) -> dict[str, Any]:
    return {
        "target": _target(report.target),
        "things": [
            _event(event, moment)
            for event, moment in zip(report.events, report.moments, strict=True)
        ],
        "counts": [
            {
                "kind": event.kind,
                "name": mask(event.name),
                "state": event.state,
                "count": count,
                "first_at": round(report.spans[event][0], 3),
                "last_at": round(report.spans[event][1], 3),
            }
            for event, count in report.records.items()
        ],
        "failed": report.failed,
        "failures": [_event(event, moment) for event, moment in report.failures],
    }


def _event(event: Event, moment: float) -> dict[str, Any]:
    # Why something failed is a message; every other detail is a name or an id.
    masked = mask_message if event.state == "failed" else mask
    return {
        "kind": event.kind,
        "name": mask(event.name),
        "state": event.state,
        "detail": masked(event.detail) or None,
        "at": round(moment, 3),
    }


def _error(error: BaseException, signal: str | None) -> dict[str, Any]:
    if isinstance(error, SeedctlError):
        return {
            "name": error.name,
            "message": mask_message(error.message),
            "resolution": mask_message(error.resolution) if error.resolution else None,
            "cause": _caused_by(error),
        }
    message = mask(str(error))
    if isinstance(error, KeyboardInterrupt):
        message = f"Interrupted ({signal})." if signal is not None else "Interrupted."
    return {"name": type(error).__name__, "message": message, "resolution": None, "cause": None}


def _caused_by(error: SeedctlError) -> str | None:
    texts = [": ".join(filter(None, cause)) for cause in causes(error)]
    return mask_message("; ".join(texts)) or None


def _target(target: Target | None) -> dict[str, Any] | None:
    if target is None:
        return None
    return {
        "project": mask(str(target.project)),
        "sandbox": mask(target.name) if target.kind == "sandbox" else None,
        "backend": f"{target.kind} {mask(target.name)}",
        "stage": target.stage or None,
        "outputs": mask(str(target.outputs)) if target.outputs is not None else None,
        "user_pool": target.user_pool,
        "account": target.account,
        "check": mask_message(target.check) or None,
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_file(path: Path, text: str) -> None:
    """Write *text* to *path*, and create missing folders.

    A symbolic link stays a link, and a file that is replaced keeps its mode. A pipe or a device is
    written to. Raises FileAccessError, also for a file that this account may not write.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = _existing_mode(path)
        if mode is not None and not stat.S_ISREG(mode):
            with path.open("a", encoding="utf-8") as stream:
                stream.write(text)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace_file(target, text, mode=mode)
    except OSError as error:
        raise FileAccessError(
            f"{path} cannot be written: {error.strerror}.",
            resolution=f"Make {target.parent} writable for this account, with space on its disk.",
        ) from error


def _existing_mode(path: Path) -> int | None:
    """Return the mode of the file at *path*, or None if there is none.

    Raises OSError for a folder, and for a file that this account may not write: a writable folder
    would allow it to be replaced.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return mode


def _check_replaceable(path: Path) -> None:
    """Raise OSError if no file can be created beside *path*."""
    descriptor, aside = _new_file_beside(path, 0o600)
    os.close(descriptor)
    aside.unlink()


def _replace_file(path: Path, text: str, *, mode: int | None, errors: str = "strict") -> None:
    """Write *text* to a new file beside *path*, then rename that file to *path*.

    *mode* is the mode of the new file, by default what the umask allows; *errors* says what to do
    with text that UTF-8 cannot encode. Raises OSError, and then the old file is unchanged.
    """
    descriptor, aside = _new_file_beside(path, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors=errors) as file:
            file.write(text)
        if mode is not None:
            aside.chmod(stat.S_IMODE(mode))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _new_file_beside(path: Path, mode: int) -> tuple[int, Path]:
    aside = path.with_name(f".seedctl-new-{secrets.token_hex(8)}")
    return os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), aside
