"""``--report FILE``: what a run did, as JSON, with nothing secret in it."""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from seedctl import __version__
from seedctl.errors import FileAccessError, SeedctlError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedctl.report import Report, Target

FORMAT = 1


class ReportFile:
    """The file a run's report goes to. Known to be writable before the run begins."""

    def __init__(self, path: Path) -> None:
        """Raises FileAccessError when nothing can be written there."""
        self._path = path
        self._started = datetime.now(timezone.utc)
        # Written under another name first: a report is whole, or the last run's.
        self._unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        self._write("")

    def finish(
        self,
        report: Report,
        exit_code: int,
        error: BaseException | None,
        calls: Mapping[str, Mapping[str, float]],
    ) -> None:
        """Write what *report* has heard. *calls* has the counts of each operation by its name."""
        document = {
            "format": FORMAT,
            "seedctl": __version__,
            "started_at": _time(self._started),
            "ended_at": _time(self._started + timedelta(seconds=report.seconds)),
            "seconds": round(report.seconds, 3),
            "exit_code": exit_code,
            "error": _error(error) if error is not None else None,
            "target": _target(report.target),
            "things": [
                {
                    "kind": event.kind,
                    "name": event.name,
                    "state": event.state,
                    "detail": event.detail or None,
                    "at": round(moment, 3),
                }
                for event, moment in zip(report.events, report.moments, strict=True)
            ],
            "counts": [
                {
                    "kind": event.kind,
                    "name": event.name,
                    "state": event.state,
                    "count": count,
                    "first_at": round(report.spans[event][0], 3),
                    "last_at": round(report.spans[event][1], 3),
                }
                for event, count in report.records.items()
            ],
            "failed": report.failed,
            "calls": [{"operation": name, **calls[name]} for name in sorted(calls)],
            "warnings": report.warnings,
        }
        self._write(json.dumps(_masked(document), indent=2, ensure_ascii=False) + "\n")
        try:
            self._unfinished.replace(self._path)
        except OSError as problem:
            raise self._refused(problem) from problem

    def abandon(self) -> None:
        """Leave nothing behind of a report that was not finished."""
        self._unfinished.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        try:
            # Names of users are in it: for this account only.
            descriptor = os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            if self._path.is_dir():
                raise IsADirectoryError(21, "Is a directory", str(self._path))
        except OSError as problem:
            self.abandon()
            raise self._refused(problem) from problem

    def _refused(self, problem: OSError) -> FileAccessError:
        return FileAccessError(
            f"The report {self._path} cannot be written: {problem.strerror}.",
            resolution="Give --report a path in a folder that is there and writable.",
        )


def _error(error: BaseException) -> dict[str, Any]:
    if isinstance(error, SeedctlError):
        return {
            "name": error.name,
            "message": error.message,
            "resolution": error.resolution,
            "cause": str(error.__cause__) if error.__cause__ is not None else None,
        }
    return {"name": type(error).__name__, "message": str(error), "resolution": None, "cause": None}


def _target(target: Target | None) -> dict[str, Any] | None:
    if target is None:
        return None
    return {
        "project": str(target.project),
        "sandbox": target.sandbox,
        "outputs": str(target.outputs) if target.outputs is not None else None,
        "user_pool": target.user_pool,
        "account": target.account,
        "check": target.check or None,
    }


def _masked(value: Any) -> Any:
    """Return *value* with what is secret taken out of every text, before JSON escapes any of it."""
    from seedctl.masking import mask  # noqa: PLC0415

    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    return value


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
