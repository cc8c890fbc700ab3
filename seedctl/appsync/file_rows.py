"""A row of a bulk call that was read from a file, and knows its place there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from seedctl.appsync.values import HOW_TO_SKIP
from seedctl.errors import DataFileError, SeedctlError


class FileRow(Mapping[str, Any]):
    """A row read from a file, or why it could not be read: then every use of it raises the error.

    So a bulk call counts a row that cannot be read as a failed row, and goes on with the others.
    """

    __slots__ = ("_columns", "_error", "_values", "place")

    def __init__(
        self,
        place: str,
        values: Mapping[str, Any],
        error: DataFileError | None = None,
        columns: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """*place* is the file and the line, such as "posts.csv, line 3".

        *columns* are the positions of the fields in a CSV file.
        """
        self.place = place
        self._values = values
        self._error = error
        self._columns = columns

    def _checked(self) -> Mapping[str, Any]:
        if self._error is not None:
            raise self._error
        return self._values

    def __getitem__(self, name: str) -> Any:
        return self._checked()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._checked())

    def __len__(self) -> int:
        return len(self._checked())

    def __repr__(self) -> str:
        shown = repr(self._error) if self._error is not None else repr(dict(self._values))
        return f"<FileRow {self.place}: {shown}>"

    def explain(self, error: SeedctlError) -> DataFileError:
        """Return *error*, which the row's values caused, with the place of the row."""
        resolution = (error.resolution or "").replace(HOW_TO_SKIP, "").replace("  ", " ").strip()
        place = self.place
        for name, position in self._columns.items():
            if f".{name} is required" in error.message:  # its cell is empty
                place = f"{place}, column {position}"
        return DataFileError(f"{place}: {error.message}", resolution=resolution or None)
