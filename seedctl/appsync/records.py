"""The results of a client: records, whose relations are loaded on request, and pages of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.nearest import advice, no_attribute

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_REPR = 60  # characters of one value


class Record(Mapping[str, Any]):
    """One record or custom-type value: a mapping whose keys are also attributes.

    A relation of a record is a method that loads it: ``post.comments(limit=10)`` returns a page,
    ``comment.post()`` a record or None. A field that is named like a method of mappings
    (``items``, ``keys``, ``values``, ``get``) is read by subscript only: ``record["items"]``.
    """

    __slots__ = ("_loaders", "_type_name", "_values")

    def __init__(
        self,
        type_name: str,
        values: Mapping[str, Any],
        loaders: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        """Create a record; scripts get theirs from a client.

        Args:
            type_name: The model or custom type in the schema.
            values: The fields, by name.
            loaders: The relations, by field name: functions that load them.
        """
        self._type_name = type_name
        self._values = dict(values)
        self._loaders = dict(loaders or {})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        # copy and pickle look for private names before _values exists.
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._values:
            return self._values[name]
        if name in self._loaders:
            return self._loaders[name]
        known = [*self._values, *self._loaders]
        raise no_attribute(f"This {self._type_name} has no {name}. {advice(name, known)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._values, *self._loaders})

    def __repr__(self) -> str:
        shown = (f"{name}={_short(value)}" for name, value in self.items() if value is not None)
        return f"{self._type_name}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy in another process has no client to load relations with.
        return (Record, (self._type_name, self._values))

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain dicts and lists, which json.dumps accepts."""
        return {name: _plain(value) for name, value in self._values.items()}


def type_name_of(record: Record) -> str:
    """Return the model or custom type of *record*. No attribute: a field may have any name."""
    return record._type_name  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. Iterating it yields its records.

    AppSync applies the limit before the filter: a page may be short or empty and still have a
    *next_token*. ``list_all`` reads all pages.
    """

    items: list[Record | None] = field(default_factory=list)
    """The records as AppSync returned them. None stands for one that the user may not read."""
    next_token: str | None = None
    """Pass it to the same call to get the next page. None on the last page."""

    def __iter__(self) -> Iterator[Record]:
        return (record for record in self.items if record is not None)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_REPR else f"{text[:_MAX_REPR]}…"


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, list) else value
