"""What a run does, told to an observer: the command line shows it, tests collect it."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from seedctl.causes import causes
from seedctl.masking import mask, mask_message

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.errors import SeedctlError

Kind = Literal["user", "group membership", "secret", "session", "record", "file"]
COUNTED = ("record", "file")
"""The kinds that are only counted, in tables and totals."""
MOST_FAILURES = 100
"""So many of them are kept one by one; the others are counted."""
State = Literal[
    "created",
    "finished",
    "existed",
    "present",
    "set",
    "read",
    "removed",
    "signed in",
    "updated",
    "deleted",
    "uploaded",
    "copied",
    "failed",
    "unfinished",
]
"""Of a user, "unfinished" is one that was created and has no final password yet. It may be heard
before the user's next event, which takes its place."""
FAILED = ("failed", "unfinished")
_QUOTES = frozenset("'\"")
_HOW_TO_FINISH = "created, but not finished: run again with the same password"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a run has done, after AWS confirmed it."""

    kind: Kind
    name: str
    """Of a record, its model; of a file, its bucket."""
    state: State
    detail: str = ""
    """Of what failed, why."""
    row: str = field(default="", compare=False)
    """Of what failed, which it was where *name* does not say so; *detail* begins with it."""
    resolution: str = field(default="", compare=False)
    """Of what failed, what to do."""

    @property
    def reason(self) -> str:
        """Why it failed, without which it was."""
        return self.detail.removeprefix(f"{self.row}: ") if self.row else self.detail


def failure(kind: Kind, name: str, error: SeedctlError, *, row: str = "") -> Event:
    """Return the event of one that failed; *row* says which, where *name* does not."""
    reason, row = f"{error.name}: {error.message}", mask(row)
    led_to = "; ".join(map(str, causes(error, with_foreign=False)))
    if led_to:
        reason += f" (caused by: {led_to})"
    detail = f"{row}: {reason}" if row else reason
    return Event(kind, name, "failed", detail, row, error.resolution or "")


@dataclass(slots=True)
class FailureGroup:
    """What failed for the same reason."""

    first: Event
    count: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """What a run is about to change."""

    project: Path
    sandbox: str
    outputs: Path | None
    outputs_age: float | None
    """Seconds since the outputs file was written."""
    user_pool: str | None
    account: str
    """The AWS account id, "LOCAL", or "unknown"."""
    check: str
    """Whether the outputs file is known to belong to the sandbox, in words."""

    def line(self) -> str:
        """Return the one line that is shown before the first write."""
        parts = [f"Target: {mask(str(self.project))}", f"sandbox {mask(self.sandbox)}"]
        if self.outputs is not None:
            age = "" if self.outputs_age is None else f" ({_age(self.outputs_age)} old)"
            parts.append(f"{_relative(self.outputs, self.project)}{age}")
        if self.user_pool is not None:
            parts.append(f"user pool {self.user_pool}")
        parts.append(self.account if self.account == "LOCAL" else f"account {self.account}")
        parts.append(self.check)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something has come that is done many times over."""

    what: str
    """What is counted, in the plural, such as "Todo records"."""
    done: int
    failed: int
    total: int | None
    """None where nobody knows how many there will be."""
    started: float
    """When it began, on the clock of time.monotonic()."""
    is_finished: bool = False
    """No more will be told of it, whether or not all was done."""


class Observer(Protocol):
    """Whoever wants to know. Methods may be called from any thread."""

    def on_target(self, target: Target) -> None: ...

    def on_event(self, event: Event) -> None: ...

    def on_note(self, text: str) -> None:
        """Hear of something that goes as it should, and that the user may wonder about."""
        ...

    def on_warning(self, text: str) -> None: ...

    def on_progress(self, progress: Progress) -> None:
        """Hear how far it is with many of a kind: at first, some ten times a second, at last."""
        ...


@dataclass
class Report:
    """Collects a run's events, with the time it took in seconds."""

    events: list[Event] = field(default_factory=list)
    """All but those of records and files, which come by the thousand."""
    moments: list[float] = field(default_factory=list)
    """When each of *events* was heard, in seconds from the start."""
    spans: dict[Event, tuple[float, float]] = field(default_factory=dict)
    """When each of *records* was heard first and last, in seconds from the start."""
    records: Counter[Event] = field(default_factory=Counter)
    """How often each was heard, without its detail: records by model, files by bucket."""
    failures: list[tuple[Event, float]] = field(default_factory=list)
    """The first of all that failed, and when."""
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    target: Target | None = None
    progress: Progress | None = None
    """The newest that was heard."""
    started: float = field(default_factory=time.monotonic)
    failure_groups: dict[tuple[str, ...], FailureGroup] = field(default_factory=dict)
    """All that failed, by what they have in common: a few reasons, whatever the number of rows."""
    _unfinished: dict[str, float] = field(default_factory=dict)
    """The users that were created and not heard of since, and when that was."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def failed(self) -> int:
        """How many users, records and files of many have failed."""
        with self._lock:
            counted = sum(n for event, n in self.records.items() if event.state in FAILED)
            counted += sum(event.state in FAILED for event in self.events)
            return counted + len(self._unfinished)

    def copy(self) -> Report:
        """Return what was heard so far: threads may outlive a run, and tell more.

        Users that are unfinished by now are among its events and failures.
        """
        with self._lock:
            found = Report(
                list(self.events),
                list(self.moments),
                dict(self.spans),
                Counter(self.records),
                list(self.failures),
                list(self.warnings),
                list(self.notes),
                self.target,
                self.progress,
                self.started,
            )
            found.failure_groups = {
                key: replace(group) for key, group in self.failure_groups.items()
            }
            for name, moment in self._unfinished.items():
                found._add(Event("user", name, "unfinished", _HOW_TO_FINISH), moment)
            return found

    def on_target(self, target: Target) -> None:
        self.target = target

    def on_event(self, event: Event) -> None:
        with self._lock:
            now = self.seconds
            if event.kind == "user":
                was_unfinished = self._unfinished.pop(event.name, None) is not None
                if event.state == "unfinished":
                    self._unfinished[event.name] = now
                    return
                if was_unfinished and event.state == "failed":
                    detail = f"{event.detail} ({_HOW_TO_FINISH})"
                    event = replace(event, state="unfinished", detail=detail)
            self._add(event, now)

    def _add(self, event: Event, now: float) -> None:
        if event.state in FAILED:
            if len(self.failures) < MOST_FAILURES:
                self.failures.append((event, now))
            group = self.failure_groups.get(_common(event))
            if group is None and len(self.failure_groups) < MOST_FAILURES:
                group = self.failure_groups[_common(event)] = FailureGroup(event)
            if group is not None:
                group.count += 1
        if event.kind in COUNTED:
            same = Event(event.kind, event.name, event.state)
            self.records[same] += 1
            self.spans[same] = (self.spans.get(same, (now, now))[0], now)
        else:
            self.events.append(event)
            self.moments.append(now)

    def on_note(self, text: str) -> None:
        with self._lock:
            self.notes.append(text)

    def on_warning(self, text: str) -> None:
        with self._lock:
            self.warnings.append(text)

    def on_progress(self, progress: Progress) -> None:
        self.progress = progress


class PlainReport(Report):
    """For scripts started as plain ``python seed.py``: the target and warnings on stderr."""

    def on_target(self, target: Target) -> None:
        super().on_target(target)
        sys.stderr.write(mask_message(target.line()) + "\n")

    def on_warning(self, text: str) -> None:
        super().on_warning(text)
        sys.stderr.write(mask_message(f"Warning: {text}") + "\n")


def _common(event: Event) -> tuple[str, ...]:
    """Return what *event* has in common with others that failed for the same reason.

    Its own name is not, nor a word with a digit in it, such as an id of a request. What stands in
    quotation marks is a value, which the reason is about.
    """
    name = event.name if event.kind not in COUNTED else ""
    reason = event.reason.replace(mask(name), "…") if name else event.reason
    words = [
        "…" if any(map(str.isdigit, word)) and not _QUOTES.intersection(word) else word
        for word in reason.split()
    ]
    return event.kind, event.name if event.kind in COUNTED else "", event.state, *words


def _age(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "under a minute"


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
