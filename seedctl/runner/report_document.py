"""The JSON document of ``--report``: what a run did, with every secret masked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from seedctl.causes import causes
from seedctl.errors import SeedctlError
from seedctl.masking import mask, mask_message
from seedctl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.report import Event, Report, Target

FORMAT = 1
"""The version of the document's structure."""


def report_document(
    report: Report,
    started: datetime,
    exit_code: int,
    error: BaseException | None,
    calls: Mapping[str, Mapping[str, float]],
    *,
    signal: str | None,
) -> dict[str, Any]:
    """Return what *report* recorded of a run that began at *started*.

    *error* ended the run, or the signal named *signal* did. *calls* has the counts of each
    operation by its name.
    """
    seconds = report.seconds
    return {
        "format": FORMAT,
        "seedctl": __version__,
        "started_at": _time(started),
        "ended_at": _time(started + timedelta(seconds=seconds)),
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
