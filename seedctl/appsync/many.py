"""``create_many`` and ``delete_many``: rows drawn, made ready, batched, and their results in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from seedctl.appsync.batches import MOST_ROWS, Batches, Row
from seedctl.appsync.bulk import BatchCreator, BatchDeleter, BatchResult, IfExists, RowResult
from seedctl.appsync.row_keys import RowKeys
from seedctl.bulk.engine import check_concurrency, run
from seedctl.bulk.failures import bulk_error
from seedctl.errors import InvalidInputError, SeedctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.appsync.api import API
    from seedctl.appsync.auth_modes import Options
    from seedctl.appsync.requests import ModelRequests
    from seedctl.appsync.row_keys import KeyOf
    from seedctl.appsync.values import InputBuilder
    from seedctl.bulk.engine import Outcome
    from seedctl.outputs.models import Model

    Ready = tuple[Row, tuple[str, ...] | None]
    """A row, and what no other may be the same in."""

OnError = Literal["raise", "collect"]

_AGAIN = {
    "error": 'With if_exists="skip", and key= for rows without an id of their own, a second run '
    "goes on where this one stopped.",
    "skip": "Run again: records that are there are left as they are.",
    "update": "Run again: records that are there are updated.",
    "delete": "Run again: records that are gone already are no failure.",
}


class BulkOptions(NamedTuple):
    """The options of calls with many rows."""

    call: Options
    validate: bool
    concurrency: int
    batch_size: int
    on_error: OnError


class BulkRequests:
    """Sends many rows of one model, for one client."""

    def __init__(
        self, api: API, model: Model, inputs: InputBuilder, requests: ModelRequests
    ) -> None:
        self._api = api
        self._model = model
        self._inputs = inputs
        self._requests = requests

    def create(
        self,
        rows: Iterable[Mapping[str, Any]],
        key: KeyOf | None,
        if_exists: IfExists,
        options: BulkOptions,
    ) -> list[RowResult]:
        check_choice("if_exists", if_exists, get_args(IfExists))
        self._requests.check_enabled("create")
        if if_exists == "update":
            self._requests.check_enabled("update")
        keys = RowKeys(self._model, key)

        def prepare(index: int, given: Mapping[str, Any]) -> Ready:
            variables = self._inputs.create(self._model, given, validate=options.validate)
            found = keys.of(given, variables)
            variables.update(found.values)
            row = Row(index, found.values, variables, given, is_random=found.is_random)
            return row, None if found.is_random else found.text

        creating = BatchCreator(
            self._api,
            self._model,
            self._inputs,
            self._requests,
            call=options.call,
            if_exists=if_exists,
            validate=options.validate,
        )
        return self._run(rows, prepare, creating, if_exists, options)

    def delete(self, keys: Iterable[Mapping[str, Any]], options: BulkOptions) -> list[RowResult]:
        self._requests.check_enabled("delete")

        def prepare(index: int, given: Mapping[str, Any]) -> Ready:
            variables = self._inputs.key(self._model, given, validate=options.validate)
            return Row(index, dict(variables), variables, given), None

        deleting = BatchDeleter(self._api, self._model, self._requests, options.call)
        return self._run(keys, prepare, deleting, "delete", options)

    def _run(
        self,
        given: Iterable[Mapping[str, Any]],
        prepare: Callable[[int, Mapping[str, Any]], Ready],
        doing: BatchCreator | BatchDeleter,
        again: str,
        options: BulkOptions,
    ) -> list[RowResult]:
        _check_options(given, options)
        what = f"{self._model.name} records"
        results: dict[int, RowResult] = {}
        with self._api.tally(what, len(given) if isinstance(given, Sized) else None) as tally:
            source = _Source(given, prepare, results, lambda row: tally.add(*self._told([row])))
            batches = Batches(iter(source), options.batch_size, doing.bytes_for_row)
            outcomes = run(
                self._by_somebody(batches, options.call),
                doing.work,
                concurrency=options.concurrency,
                tally=tally,
                counts=lambda outcome: self._told(outcome.value.rows if outcome.value else []),
                is_fatal=_is_fatal,
            )
            for outcome in outcomes:
                if outcome.value is None:  # the engine's own error, or none of ours
                    raise outcome.error or AssertionError("a batch without a result")
                results.update((each.index, each) for each in outcome.value.rows)
            # What was drawn from a generator is in the results; what is still in it is not.
            for row in (*batches.kept(), *(source if isinstance(given, Sized) else ())):
                results[row.index] = RowResult(row.index, row.key, "not tried")
        ordered = [results[index] for index in sorted(results)]
        if options.on_error == "raise":
            _raise_failures(what, ordered, _AGAIN[again])
        return ordered

    def _by_somebody(self, batches: Iterable[list[Row]], call: Options) -> Iterator[list[Row]]:
        """Yield *batches*, unless no call can be made at all: that is not said row by row."""
        for number, batch in enumerate(batches):
            if not number:
                self._api.check_caller(call)
            yield batch

    def _told(self, rows: Sequence[RowResult]) -> tuple[int, int]:
        """Tell of those that failed; return how many did not, and how many did."""
        failed = [(row.index, row.error) for row in rows if row.error is not None]
        for index, error in failed:
            self._api.tell_failure(self._model.name, index, error)
        return len(rows) - len(failed), len(failed)


class _Source:
    """Draws rows and makes them ready; one that is wrong fails here, by itself."""

    def __init__(
        self,
        given: Iterable[Mapping[str, Any]],
        prepare: Callable[[int, Mapping[str, Any]], Ready],
        results: dict[int, RowResult],
        tell: Callable[[RowResult], None],
    ) -> None:
        """*tell* is given each row that fails here."""
        self._prepare = prepare
        self._results = results
        self._tell = tell
        self._met: dict[tuple[str, ...], int] = {}
        # Rows that are all at hand are looked at together, before any of them is sent.
        self._is_strict = isinstance(given, Sequence)
        ready = ((index, self._ready(index, row)) for index, row in enumerate(given))
        self._rows = iter(list(ready)) if self._is_strict else ready

    def __iter__(self) -> Iterator[Row]:
        for index, row in self._rows:
            if isinstance(row, SeedctlError):
                self._results[index] = failed = RowResult(index, {}, "failed", row)
                self._tell(failed)
            else:
                yield row

    def _ready(self, index: int, given: Mapping[str, Any]) -> Row | SeedctlError:
        try:
            row, text = self._prepare(index, given)
        except SeedctlError as error:
            return error
        if text is None:
            return row
        first = self._met.setdefault(text, index)
        if first == index:
            return row
        repeat = InvalidInputError(
            f"Rows {first} and {index} have the same key ({', '.join(row.key)}).",
            resolution="Leave one of them out, or have key= tell them apart.",
        )
        if self._is_strict:
            raise repeat
        return repeat


def _is_fatal(outcome: Outcome[BatchResult]) -> bool:
    return outcome.value is None or outcome.value.fatal is not None


def _raise_failures(what: str, results: list[RowResult], again: str) -> None:
    errors = [each.error for each in results if each.error is not None]
    if errors:
        not_tried = sum(each.state == "not tried" for each in results)
        resolution = " ".join(text for text in (errors[0].resolution, again) if text)
        raise bulk_error(
            what, errors, results=results, not_tried=not_tried, resolution=resolution
        ) from errors[0]


def _check_options(given: Iterable[Mapping[str, Any]], options: BulkOptions) -> None:
    check_concurrency(options.concurrency)
    check_choice("on_error", options.on_error, get_args(OnError))
    size = options.batch_size
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MOST_ROWS:
        raise InvalidInputError(f"batch_size={size!r} is not a whole number from 1 to {MOST_ROWS}.")
    if isinstance(given, Mapping | str | bytes) or not isinstance(given, Iterable):
        raise InvalidInputError(
            f"The rows are a {type(given).__name__}, not many mappings.",
            resolution="Give a list or a generator of mappings.",
        )


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise InvalidInputError for a *value* that is none of *choices*."""
    if value not in choices:
        raise InvalidInputError(f"{name}={value!r} is none of {', '.join(choices)}.")
