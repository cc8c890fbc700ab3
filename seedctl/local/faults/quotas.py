"""Enforcement of quotas in requests per second, and the statistics of requests."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seedctl.project.quotas import PER_USER, RESPOND

WINDOW = 1.0

_USER_READS = {"UserAuthentication", RESPOND, "UserRead", "UserResourceRead"}


class Window:
    """The requests of the last second; one made exactly a second ago no longer counts."""

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._times: deque[float] = deque()

    def count(self, now: float) -> int:
        while self._times and now - self._times[0] >= WINDOW:
            self._times.popleft()
        return len(self._times)

    def has_capacity(self, now: float) -> bool:
        """Whether fewer requests than the limit were made in the last second."""
        return self.count(now) < self._limit

    def add(self, now: float) -> None:
        self._times.append(now)


class Quotas:
    """The quota windows of one sandbox. Not thread-safe; call it with ascending times."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.limits = limits
        self._categories = {name: Window(limit) for name, limit in limits.items()}
        self._users: dict[tuple[str, bool], Window] = {}
        self._pruned_at = 0.0

    def admit(self, category: str | None, user: str | None, now: float) -> bool:
        """Whether the quotas allow a request of *category* about *user*.

        A category without a quota is always allowed. Only allowed requests count against the quotas
        [?].
        """
        if category is None or category not in self.limits:
            return True
        windows = [self._categories[category]]
        if category == RESPOND and not windows[0].has_capacity(now):
            # Responses beyond their own quota count against the sign-in quota.
            windows = [self._categories["UserAuthentication"]]
        if user is not None:
            windows.append(self._user_window(user, now, is_read=category in _USER_READS))
        if not all(window.has_capacity(now) for window in windows):
            return False
        for window in windows:
            window.add(now)
        return True

    def _user_window(self, name: str, now: float, *, is_read: bool) -> Window:
        if now - self._pruned_at >= WINDOW:
            self._pruned_at = now
            self._users = {key: window for key, window in self._users.items() if window.count(now)}
        return self._users.setdefault((name, is_read), Window(self.limits[PER_USER]))


@dataclass(slots=True)
class _Count:
    requests: int = 0
    refused: int = 0
    peak: int = 0
    _recent: Window = field(default_factory=Window)

    def add(self, now: float, *, is_refused: bool) -> None:
        self.requests += 1
        self.refused += is_refused
        self._recent.add(now)
        self.peak = max(self.peak, self._recent.count(now))

    def document(self) -> dict[str, int]:
        return {"requests": self.requests, "refused": self.refused, "peak": self.peak}


class Statistics:
    """Counts requests, including refused ones. Not thread-safe."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = limits
        self._operations: dict[str, _Count] = defaultdict(_Count)
        self._categories: dict[str, _Count] = defaultdict(_Count)
        self.faults: Counter[str] = Counter()
        """The number of injected faults of each kind."""

    def add(self, operation: str, category: str | None, now: float, *, is_refused: bool) -> None:
        """Count a request; *is_refused* says whether a quota refused it."""
        self._operations[operation].add(now, is_refused=is_refused)
        if category is not None:
            self._categories[category].add(now, is_refused=is_refused)

    def document(self) -> dict[str, Any]:
        """Return the counts as JSON; ``peak`` is the maximum in one second, including refused ones."""
        operations = self._operations
        return {
            "requests": sum(count.requests for count in operations.values()),
            "refused": sum(count.refused for count in operations.values()),
            "operations": {name: operations[name].document() for name in sorted(operations)},
            "categories": {
                name: {"quota": self._limits.get(name), **self._categories[name].document()}
                for name in sorted(self._categories)
            },
            "faults": dict(sorted(self.faults.items())),
        }


def table(document: Mapping[str, Any]) -> list[str]:
    """Format a ``Statistics.document`` as lines of a table; no lines without requests."""
    if not document["requests"]:
        return []
    rows: list[tuple[str, ...]] = [("", "requests", "refused", "peak/s", "quota")]
    for name, count in (*document["operations"].items(), *document["categories"].items()):
        numbers = (str(count[key]) for key in ("requests", "refused", "peak"))
        quota = count.get("quota")
        rows.append((name, *numbers, "" if quota is None else str(quota)))
    width = max(len(row[0]) for row in rows)
    lines = [
        f"{name:<{width}}" + "".join(f"{cell:>10}" for cell in cells).rstrip()
        for name, *cells in rows
    ]
    if faults := document["faults"]:
        lines.append("faults: " + ", ".join(f"{kind} {count}" for kind, count in faults.items()))
    return lines
