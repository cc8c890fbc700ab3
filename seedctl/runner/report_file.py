"""``--report FILE``: what a run did, as JSON, with nothing secret in it."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl.causes import causes
from seedctl.errors import FileAccessError, SeedctlError
from seedctl.masking import mask, mask_message
from seedctl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seedctl.report import Event, Report, Target

FORMAT = 1
# What UTF-8 has no place for, such as half of a file's name that is none, is escaped as JSON does.
_ESCAPED = "backslashreplace"
_MOST_LINKS = 40  # so many does Linux follow


class ReportFile:
    """The file a run's report goes to. Known to be writable before the run begins."""

    def __init__(self, path: str) -> None:
        """Raises FileAccessError when nothing can be written there."""
        self._named = path
        # As it is now, wherever the script goes; and what a link leads to, so that the link stays.
        self._path = Path(os.path.realpath(path))
        self._stream: Path | int | None = None  # what is written at its end, and not replaced
        self._is_sent = False
        self._started = datetime.now(timezone.utc)
        with self._refusing():
            descriptor = _descriptor(path)
            if descriptor is not None:
                # The script may close its own, and the next file it opens would get the number.
                self._stream = os.dup(descriptor)
                os.write(self._stream, b"")  # is refused where it is open for reading only
                return
            try:
                mode = Path(path).stat().st_mode
            except FileNotFoundError:
                mode = stat.S_IFREG
            else:
                if stat.S_ISDIR(mode):
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                # Its folder would let it be replaced; who made it read-only wants it kept.
                if not os.access(path, os.W_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if not stat.S_ISREG(mode):
                self._stream = Path.cwd() / path
            else:
                self._write_beside("").unlink()

    def finish(
        self,
        report: Report,
        exit_code: int,
        error: BaseException | None,
        calls: Mapping[str, Mapping[str, float]],
        signal: str | None = None,
    ) -> None:
        """Write what *report* has heard. *calls* has the counts of each operation by its name.

        *signal* is the name of the one that ended the run. A second call replaces what the first
        has written, but does not add to a stream.

        Raises FileAccessError, and then an older report is left as it was.
        """
        document = self._document(report.copy(), exit_code, error, calls, signal)
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        with self._refusing():
            if self._stream is not None:
                if self._is_sent:
                    return
                self._is_sent = True
                _flush()  # what was printed stands before the report
                with open(self._stream, "a", encoding="utf-8", errors=_ESCAPED) as file:  # noqa: PTH123 - may be a number
                    file.write(text)
                return
            written = self._write_beside(text)
            try:
                written.replace(self._path)
            except OSError:
                written.unlink()
                raise

    def _document(
        self,
        report: Report,
        exit_code: int,
        error: BaseException | None,
        calls: Mapping[str, Mapping[str, float]],
        signal: str | None,
    ) -> dict[str, Any]:
        seconds = report.seconds
        return {
            "format": FORMAT,
            "seedctl": __version__,
            "started_at": _time(self._started),
            "ended_at": _time(self._started + timedelta(seconds=seconds)),
            "seconds": round(seconds, 3),
            "exit_code": exit_code,
            "signal": signal,
            "error": _error(error, signal) if error is not None else None,
            "target": _target(report.target),
            "things": [
                {**_event(event), "at": round(moment, 3)}
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
            "failures": [
                {**_event(event), "at": round(moment, 3)} for event, moment in report.failures
            ],
            "calls": [{"operation": name, **_rounded(calls[name])} for name in sorted(calls)],
            "warnings": [mask_message(text) for text in report.warnings],
        }

    def _write_beside(self, text: str) -> Path:
        """Write *text* under another name first: a report is whole, or the last run's."""
        path = self._path.with_name(f".seedctl-report-{secrets.token_hex(8)}")
        # Names of users are in it: for this account only.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors=_ESCAPED) as file:
                file.write(text)
        except OSError:
            path.unlink()
            raise
        return path

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            # Without the name that was written first, of which the user knows nothing.
            cause = OSError(problem.errno, problem.strerror, self._named)
            raise FileAccessError(
                f"The report {self._named} cannot be written: {problem.strerror}.",
                resolution="Give --report a path in a folder that is there and writable, of a file "
                "that is not read-only.",
            ) from cause


def _descriptor(path: str) -> int | None:
    """Return the number of the open file that *path* stands for, such as 1 of /dev/stdout.

    What is open is written through that number: the file behind it may have no name, and what else
    is written there has to go on behind the report.
    """
    ours = f"/proc/{os.getpid()}/"
    place = Path(path)
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(place.parent)
        place = Path(folder, place.name)
        is_ours = folder == "/dev/fd" or (folder.startswith(ours) and folder.endswith("/fd"))
        if is_ours and place.name.isdecimal() and os.path.lexists(place):
            return int(place.name)
        if not place.is_symlink():
            break
        place = place.parent / place.readlink()
    return None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()


def _rounded(counts: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in counts.items()}


def _event(event: Event) -> dict[str, Any]:
    # Why something failed is a message; every other detail is a name or an id.
    masked = mask_message if event.state == "failed" else mask
    return {
        "kind": event.kind,
        "name": mask(event.name),
        "state": event.state,
        "detail": masked(event.detail) or None,
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
        "sandbox": mask(target.sandbox),
        "outputs": mask(str(target.outputs)) if target.outputs is not None else None,
        "user_pool": target.user_pool,
        "account": target.account,
        "check": mask_message(target.check) or None,
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
