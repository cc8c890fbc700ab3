"""The events of a run, which observers receive: the command line shows them, tests collect them."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from copy import copy
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal, Protocol

from seedctl.causes import causes
from seedctl.errors import SeedctlError
from seedctl.masking import mask, mask_message

Kind = Literal["user", "group membership", "secret", "session", "record", "file"]
COUNTED = ("record", "file")
"""The kinds of which a report stores only the number, since there may be thousands."""
MOST_FAILURES = 100
"""How many failures a report stores one by one; it only counts the others."""
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
""""unfinished" is for users: created, but without a final password. It is temporary, since the next
event about the same user replaces it."""
FAILED = ("failed", "unfinished")
_QUOTES = frozenset("'\"")
_HOW_TO_FINISH = "created, but not finished: run again with the same password"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a run has done and AWS has confirmed, or that has failed."""

    kind: Kind
    name: str
    """For a record the name of its model, for a file the name of its bucket."""
    state: State
    detail: str = ""
    """For a failure: the reason, after *row* if there is one."""
    row: str = field(default="", compare=False)
    """For a failure among many: which item it was, if *name* does not identify it."""
    resolution: str = field(default="", compare=False)
    """For a failure: what to do."""

    @property
    def reason(self) -> str:
        """Why it failed: *detail* without *row*."""
        return self.detail.removeprefix(f"{self.row}: ") if self.row else self.detail


def failure(kind: Kind, name: str, error: SeedctlError, *, row: str = "") -> Event:
    """Return the event for a failed item; *row* identifies it if *name* does not."""
    reason, row = f"{error.name}: {error.message}", mask(row)
    led_to = "; ".join(map(str, causes(error, with_foreign=False)))
    if led_to:
        reason += f" (caused by: {led_to})"
    detail = f"{row}: {reason}" if row else reason
    return Event(kind, name, "failed", detail, row, error.resolution or "")


@dataclass(slots=True)
class FailureGroup:
    """Failures with the same reason: the first of them, and their number."""

    first: Event
    count: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """What a run is about to change."""

    project: Path
    name: str
    """The sandbox's name; of another backend the name that messages use."""
    outputs: Path | None
    outputs_age: float | None
    """Seconds since the outputs file was written."""
    user_pool: str | None
    account: str
    """The AWS account id, "LOCAL", or "unknown"."""
    check: str
    """Whether the outputs file was found to belong to the backend, in words."""
    kind: str = "sandbox"
    """What it is: "sandbox", "branch", "standalone backend" or "stack"."""
    stage: str = ""
    """The stage of the branch that is written to, such as "PRODUCTION"; empty if it is not known."""

    def line(self) -> str:
        """Return the line that is shown before the first write."""
        stage = f" ({self.stage})" if self.stage and self.kind == "branch" else ""
        parts = [f"Target: {mask(str(self.project))}", f"{self.kind} {mask(self.name)}{stage}"]
        if self.outputs is not None:
            age = "" if self.outputs_age is None else f" ({age_in_words(self.outputs_age)} old)"
            parts.append(f"{_relative(self.outputs, self.project)}{age}")
        if self.user_pool is not None:
            parts.append(f"user pool {self.user_pool}")
        parts.append(self.account if self.account == "LOCAL" else f"account {self.account}")
        parts.append(self.check)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a bulk call."""

    what: str
    """What is counted, in the plural, such as "Todo records"."""
    done: int
    failed: int
    total: int | None
    """None if the number is not known in advance."""
    started: float
    """When it began, as time.monotonic() gives it."""
    is_finished: bool = False
    """Whether this is the last progress update, even if not everything was done."""


class Observer(Protocol):
    """Receives what happens during a run. Any thread may call these methods."""

    def on_target(self, target: Target) -> None: ...

    def on_event(self, event: Event) -> None: ...

    def on_note(self, text: str) -> None:
        """Receive an explanation of something that is correct but may surprise the user."""
        ...

    def on_warning(self, text: str) -> None: ...

    def on_progress(self, progress: Progress) -> None:
        """Receive the progress of a bulk call: at its start, ten times a second, at its end."""
        ...


@dataclass
class Report:
    """Collects the events of a run. All times are in seconds since its start."""

    events: list[Event] = field(default_factory=list)
    """All events but those of records and files, of which there may be thousands."""
    moments: list[float] = field(default_factory=list)
    """The time of each of *events*."""
    spans: dict[Event, tuple[float, float]] = field(default_factory=dict)
    """The first and last time of each of *records*."""
    records: Counter[Event] = field(default_factory=Counter)
    """The number of events of records by model and of files by bucket, without their details."""
    failures: list[tuple[Event, float]] = field(default_factory=list)
    """The first failures of any kind, with their times."""
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    target: Target | None = None
    progress: Progress | None = None
    """The latest update."""
    started: float = field(default_factory=time.monotonic)
    failure_groups: dict[tuple[str, ...], FailureGroup] = field(default_factory=dict)
    """The failures by what they have in common: usually few reasons, even for many rows."""
    _unfinished: dict[str, float] = field(default_factory=dict, init=False)
    """The users without a final password so far, and when they were created."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def failed(self) -> int:
        """How many users, records and files have failed."""
        with self._lock:
            counted = sum(n for event, n in self.records.items() if event.state in FAILED)
            counted += sum(event.state in FAILED for event in self.events)
            return counted + len(self._unfinished)

    def copy(self) -> Report:
        """Return a copy, since threads may outlive the run and report more events.

        Its events and failures include the users that are still unfinished.
        """
        with self._lock:
            copied = (each.name for each in fields(Report) if each.init)
            found = Report(**{name: copy(getattr(self, name)) for name in copied})
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
            group = self.failure_groups.get(_failure_key(event))
            if group is None and len(self.failure_groups) < MOST_FAILURES:
                group = self.failure_groups[_failure_key(event)] = FailureGroup(event)
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
    """For scripts started as plain ``python seed.py``: prints the target and warnings on stderr."""

    def on_target(self, target: Target) -> None:
        super().on_target(target)
        sys.stderr.write(mask_message(target.line()) + "\n")

    def on_warning(self, text: str) -> None:
        super().on_warning(text)
        sys.stderr.write(mask_message(f"Warning: {text}") + "\n")


def _failure_key(event: Event) -> tuple[str, ...]:
    """Return what *event* has in common with other failures that have the same reason.

    This leaves out its own name and words with a digit, such as request ids. Words in quotation marks
    stay, because they are values that belong to the reason.
    """
    name = event.name if event.kind not in COUNTED else ""
    reason = event.reason.replace(mask(name), "…") if name else event.reason
    words = [
        "…" if any(map(str.isdigit, word)) and not _QUOTES.intersection(word) else word
        for word in reason.split()
    ]
    return event.kind, event.name if event.kind in COUNTED else "", event.state, *words


def age_in_words(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "under a minute"


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
