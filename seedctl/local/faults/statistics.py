"""What came: how many requests of what kind, and how many at most in one second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.local.faults.quotas import WINDOW

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class _Count:
    requests: int = 0
    refused: int = 0
    peak: int = 0
    _recent: deque[float] = field(default_factory=deque)

    def add(self, now: float, *, is_refused: bool) -> None:
        self.requests += 1
        self.refused += is_refused
        recent = self._recent
        recent.append(now)
        while now - recent[0] >= WINDOW:
            recent.popleft()
        self.peak = max(self.peak, len(recent))

    def document(self) -> dict[str, int]:
        return {"requests": self.requests, "refused": self.refused, "peak": self.peak}


class Statistics:
    """Counts requests, those that were refused included. Not thread-safe."""

    def __init__(self, limits: Mapping[str, int] | None) -> None:
        self._limits = limits or {}
        self._operations: dict[str, _Count] = {}
        self._categories: dict[str, _Count] = {}
        self._faults: dict[str, int] = {}

    def add(self, operation: str, category: str | None, now: float, *, is_refused: bool) -> None:
        """Count a request; *is_refused* says whether a quota was against it."""
        self._operations.setdefault(operation, _Count()).add(now, is_refused=is_refused)
        if category is not None:
            self._categories.setdefault(category, _Count()).add(now, is_refused=is_refused)

    def add_fault(self, kind: str) -> None:
        self._faults[kind] = self._faults.get(kind, 0) + 1

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON has it; ``peak`` is of any second, refused ones included."""
        operations = self._operations
        return {
            "requests": sum(count.requests for count in operations.values()),
            "refused": sum(count.refused for count in operations.values()),
            "operations": {name: operations[name].document() for name in sorted(operations)},
            "categories": {
                name: {"quota": self._limits.get(name), **self._categories[name].document()}
                for name in sorted(self._categories)
            },
            "faults": dict(sorted(self._faults.items())),
        }


def table(document: Mapping[str, Any]) -> list[str]:
    """Return the lines that show what :meth:`Statistics.document` holds; none for no requests."""
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
    faults = document["faults"]
    if faults:
        lines.append("faults: " + ", ".join(f"{kind} {count}" for kind, count in faults.items()))
    return lines
