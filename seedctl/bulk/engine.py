"""The engine of bulk calls: check rows, write them in threads, and return a result for each."""

from __future__ import annotations

import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sized
from typing import ClassVar, Generic, Literal, NamedTuple, Protocol, TypeVar

from seedctl.bulk.threads import run_in_threads
from seedctl.errors import BulkError, InvalidInputError, SeedctlError
from seedctl.report import Event, Observer, Progress

MOST_AT_ONCE = 64
_PROGRESS_SECONDS = 0.1
_HEARTBEAT_SECONDS = 1.0

OnError = Literal["raise", "collect"]
OnInvalidRow = Literal["raise", "refuse", "skip"]
"""What an invalid row of a list does: "raise" raises its error, "refuse" raises a BulkError after all
rows are checked, both before anything is sent; "skip" sends the other rows."""


class BulkOptions(NamedTuple):
    """The options that all bulk calls have."""

    concurrency: int
    if_exists: str
    on_error: OnError
    batch_size: int = 1


class RowOutcome(Protocol):
    """The result of one row."""

    @property
    def index(self) -> int: ...

    @property
    def error(self) -> SeedctlError | None: ...


Item = TypeVar("Item")
Row = TypeVar("Row")
Result = TypeVar("Result", bound=RowOutcome)


class BulkCall(ABC, Generic[Item, Row, Result]):
    """One bulk call. A subclass says what is written and how.

    *Item* is what the script gives, *Row* the same after its check, *Result* what is returned.
    """

    noun: str
    """What is counted, such as "Todo records"."""
    item_type: ClassVar[str]
    """What the script has to give, such as "NewUser"."""
    item_example: ClassVar[str]
    next_runs: ClassVar[Mapping[str, str]]
    """By the values of *if_exists*: how a second run continues after a failure."""
    error_type: ClassVar[type[SeedctlError]] = InvalidInputError
    """The error for invalid options and for duplicates."""
    list_type: ClassVar[type] = Sized
    """Rows of this type are checked completely before the first is sent."""
    duplicate_advice: ClassVar[str] = "Leave one of them out."
    max_batch_size: ClassVar[int] = 1
    max_batch_bytes: ClassVar[int] = 0
    on_invalid: OnInvalidRow = "skip"
    on_duplicate: OnInvalidRow = "skip"

    def __init__(self, observer: Observer, options: BulkOptions) -> None:
        _check_count("concurrency", options.concurrency, MOST_AT_ONCE)
        _check_count("batch_size", options.batch_size, self.max_batch_size)
        check_choice("if_exists", options.if_exists, self.next_runs, self.error_type)
        check_choice("on_error", options.on_error, ("raise", "collect"), self.error_type)
        self._observer = observer
        self._bulk_options = options
        self._results: dict[int, Result] = {}
        self._is_stopped = False

    @abstractmethod
    def check(self, index: int, item: Item) -> Row:
        """Return *item* as it can be sent, or raise why it is invalid."""

    def key(self, row: Row) -> Hashable:  # noqa: ARG002 - for subclasses
        """Return what no other row may have; None if the row cannot be a duplicate."""
        return None

    @abstractmethod
    def shared_by(self, row: Row) -> str:
        """Say what *row* and another with its key share, such as "have the same path"."""

    def describe_duplicate(self, first: int, index: int, row: Row) -> str:
        """Say that *row*, at *index*, and the row at *first* have the same key."""
        return f"Rows {first} and {index} {self.shared_by(row)}."

    def before_first_row(self) -> None:
        """Prepare for sending the first valid row. An error raised here ends the call."""

    def bytes_of(self, row: Row) -> int:  # noqa: ARG002 - for subclasses
        """Return how much of *max_batch_bytes* the row takes."""
        return 0

    @abstractmethod
    def write(self, batch: list[tuple[int, Row]]) -> tuple[list[Result], SeedctlError | None]:
        """Write the rows of a batch, given with their indexes. Called in several threads at once.

        Return their results, and an error that would affect every other batch as well: then no
        further one is sent.
        """

    @abstractmethod
    def unwritten(self, index: int, row: Item | Row, error: SeedctlError | None) -> Result:
        """Return the result of a row that failed with *error*, or was not tried."""

    @abstractmethod
    def failure(self, result: Result, error: SeedctlError) -> Event:
        """Return the event for a failed row."""

    def next_run(self) -> str:
        """Say how a second run continues after a failure."""
        return self.next_runs[self._bulk_options.if_exists]

    def run(self, items: Iterable[Item]) -> list[Result]:
        """Write *items*, and return a result for each, in order.

        Of a generator only as many items are read as there are free threads for, and none after a
        fatal error. Raises BulkError for failed rows, unless *on_error* is "collect".
        """
        if isinstance(items, Mapping | str | bytes) or not isinstance(items, Iterable):
            raise self.error_type(
                f"Expected an iterable of {self.item_type}, got {type(items).__name__}.",
                resolution=f"Give a list or a generator of {self.item_example}.",
            )
        total = len(items) if isinstance(items, Sized) else None
        with Tally(self._observer, self.noun, total) as self._tally:
            rows = self._checked(items)
            if isinstance(items, self.list_type):
                rows = iter(list(rows))
            is_refused = self.on_invalid == "refuse" and self._results
            if not is_refused:
                batches = self._batches(rows)
                run_in_threads(
                    batches,
                    self._write_and_report,
                    concurrency=self._bulk_options.concurrency,
                    on_end=self._collect,
                    on_wait=self._tally.heartbeat,
                )
                rows = itertools.chain.from_iterable(batches)
            not_tried = [self.unwritten(index, row, None) for index, row in rows]
        self._results.update((each.index, each) for each in not_tried)
        results = [self._results[index] for index in sorted(self._results)]
        if self._bulk_options.on_error == "raise":
            self._raise_failures(results, len(not_tried))
        return results

    def _checked(self, items: Iterable[Item]) -> Iterator[tuple[int, Row]]:
        """Read *items* lazily and yield the valid ones; an invalid one gets its result here."""
        first_index: dict[Hashable, int] = {}
        is_list = isinstance(items, self.list_type)
        for index, item in enumerate(items):
            policy = self.on_invalid
            try:
                row = self.check(index, item)
                key = self.key(row)
                first = index if key is None else first_index.setdefault(key, index)
                if first != index:
                    policy = self.on_duplicate
                    raise self.error_type(
                        self.describe_duplicate(first, index, row), resolution=self.duplicate_advice
                    )
            except SeedctlError as error:
                if is_list and policy == "raise":
                    raise
                failed = [self.unwritten(index, item, error)]
                self._report(failed)
                self._collect((failed, None))
                continue
            yield index, row
            if self._is_stopped and not isinstance(items, Sized):
                return

    def _batches(self, rows: Iterator[tuple[int, Row]]) -> Iterator[list[tuple[int, Row]]]:
        """Group *rows* into batches of limited length and size, reading no further than needed."""
        batch: list[tuple[int, Row]] = []
        size = 0
        first = next(rows, None)
        if first is None:
            return
        self.before_first_row()
        for index, row in itertools.chain([first], rows):
            row_size = self.bytes_of(row)
            if batch and size + row_size > self.max_batch_bytes:
                yield batch
                batch, size = [], 0
            batch.append((index, row))
            size += row_size
            if len(batch) == self._bulk_options.batch_size:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _write_and_report(
        self, batch: list[tuple[int, Row]]
    ) -> tuple[list[Result], SeedctlError | None]:
        results, fatal = self.write(batch)
        self._report(results)
        return results, fatal

    def _report(self, results: list[Result]) -> None:
        for result in results:
            if result.error is not None:
                self._observer.on_event(self.failure(result, result.error))

    def _collect(self, written: tuple[list[Result], SeedctlError | None]) -> bool:
        """Store the results of a batch; return whether the other batches would fail too."""
        results, fatal = written
        self._results.update((each.index, each) for each in results)
        failed = sum(each.error is not None for each in results)
        self._tally.add(len(results) - failed, failed)
        self._is_stopped = self._is_stopped or fatal is not None
        return self._is_stopped

    def _raise_failures(self, results: list[Result], not_tried: int) -> None:
        failed = [(each, each.error) for each in results if each.error is not None]
        if not failed:
            return
        first, next_run = failed[0][1], self.next_run()
        row = self.failure(*failed[0]).row
        which = f"the first, {row}" if row else "the first"
        skipped = ""
        if not_tried:
            skipped = f", {not_tried} {'was' if not_tried == 1 else 'were'} not tried"
        raise BulkError(
            f"{len(failed)} of {len(results)} {self.noun} failed{skipped}; {which}: {first.message}",
            results=results,
            resolution=f"{first.resolution} {next_run}" if first.resolution else next_run,
        ) from first


class Tally:
    """Counts finished items, and reports to an observer at most ten times a second.

    A context manager, for one thread: it reports once on entry, and the totals on exit.
    """

    def __init__(self, observer: Observer, what: str, total: int | None = None) -> None:
        """*what* is counted, such as "Todo records"; *total* is None if unknown."""
        self._observer = observer
        self._what = what
        self._total = total
        self._done = self._failed = 0
        self._started = self._reported_at = time.monotonic()

    def __enter__(self) -> Tally:
        self._report(is_finished=False)
        return self

    def __exit__(self, *error: object) -> None:
        self._report(is_finished=True)

    def add(self, done: int = 0, failed: int = 0) -> None:
        self._done += done
        self._failed += failed
        self._report_after(_PROGRESS_SECONDS)

    def heartbeat(self) -> None:
        """Report again after a second without a report, so that the elapsed time goes on."""
        self._report_after(_HEARTBEAT_SECONDS)

    def _report_after(self, seconds: float) -> None:
        if time.monotonic() - self._reported_at >= seconds:
            self._report(is_finished=False)

    def _report(self, *, is_finished: bool) -> None:
        self._reported_at = time.monotonic()
        self._observer.on_progress(
            Progress(self._what, self._done, self._failed, self._total, self._started, is_finished)
        )


def unwritten_state(error: SeedctlError | None) -> Literal["failed", "not tried"]:
    """Return the state of a row that failed with *error*, or was not tried."""
    return "not tried" if error is None else "failed"


def check_choice(
    name: str,
    value: str,
    choices: Collection[str],
    error_type: type[SeedctlError] = InvalidInputError,
) -> None:
    """Raise *error_type* for a *value* that is not one of *choices*."""
    if value not in list(choices):  # not as a key: an invalid value may be unhashable
        raise error_type(f"{name}={value!r} is not one of {', '.join(choices)}.")


def _check_count(name: str, value: int, most: int) -> None:
    """Raise InvalidInputError unless *value* is a whole number from 1 to *most*."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 1 <= value <= most:
        raise InvalidInputError(f"{name}={value!r} is not a whole number from 1 to {most}.")
