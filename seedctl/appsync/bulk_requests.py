"""``create_many`` and ``delete_many``: read and check rows, send them in batches, order the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Any, get_args

from seedctl.appsync.batch_writers import BatchCreator, BatchDeleter, BulkOptions, IfExists, OnError
from seedctl.appsync.batches import MAX_ROWS, Batches, BatchResult, Row, RowResult
from seedctl.appsync.keys import RowKeys
from seedctl.bulk.engine import check_concurrency, run
from seedctl.bulk.failures import bulk_error
from seedctl.bulk.progress import Tally
from seedctl.errors import InvalidInputError, SeedctlError
from seedctl.report import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.appsync.auth_modes import AuthOptions
    from seedctl.appsync.keys import KeyOf
    from seedctl.appsync.model_requests import ModelRequests
    from seedctl.bulk.engine import Outcome

    PreparedRow = tuple[Row, tuple[str, ...] | None]
    """A row, and the key text that no other row may have."""

_RUN_AGAIN = {
    "error": 'With if_exists="skip", and key= for rows without an id of their own, a second run '
    "continues where this one stopped.",
    "skip": "Run again: records that exist are left unchanged.",
    "update": "Run again: records that exist are updated.",
    "delete": "Run again: records that are deleted already are not failures.",
}


class BulkRequests:
    """Creates or deletes many rows of one model, for one client."""

    def __init__(self, requests: ModelRequests) -> None:
        self._requests = requests
        self._api = requests.api
        self._model = requests.model
        self._inputs = requests.inputs

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

        def prepare(index: int, original: Mapping[str, Any]) -> PreparedRow:
            variables = self._inputs.create(self._model, original, validate=options.validate)
            found = keys.key_of(original, variables)
            variables.update(found.values)
            row = Row(index, found.values, variables, original, has_random_key=found.is_random)
            return row, None if found.is_random else found.text

        creator = BatchCreator(self._requests, options, if_exists)
        return self._run(rows, prepare, creator, if_exists, options)

    def delete(self, keys: Iterable[Mapping[str, Any]], options: BulkOptions) -> list[RowResult]:
        self._requests.check_enabled("delete")

        def prepare(index: int, original: Mapping[str, Any]) -> PreparedRow:
            variables = self._inputs.key(self._model, original, validate=options.validate)
            return Row(index, dict(variables), variables, original), None

        deleter = BatchDeleter(self._requests, options)
        return self._run(keys, prepare, deleter, "delete", options)

    def _run(
        self,
        originals: Iterable[Mapping[str, Any]],
        prepare: Callable[[int, Mapping[str, Any]], PreparedRow],
        writer: BatchCreator | BatchDeleter,
        run_again: str,
        options: BulkOptions,
    ) -> list[RowResult]:
        _check_options(originals, options)
        what = f"{self._model.name} records"
        total = len(originals) if isinstance(originals, Sized) else None
        results: dict[int, RowResult] = {}
        with Tally(self._api.observer, what, total) as tally:
            rows = _RowSource(
                originals, prepare, results, lambda row: tally.add(*self._report([row]))
            )
            batches = Batches(iter(rows), options.batch_size, writer.bytes_per_row)
            outcomes = run(
                self._check_authorization(batches, options.auth),
                writer.write,
                concurrency=options.concurrency,
                tally=tally,
                counts=lambda outcome: self._report(outcome.value.rows if outcome.value else []),
                is_fatal=_is_fatal,
            )
            for outcome in outcomes:
                if outcome.value is None:  # not a row's failure: those are in the value
                    raise outcome.error or AssertionError("a batch without a result")
                results.update((each.index, each) for each in outcome.value.rows)
            # Rows that a generator has not yielded yet are not in the results.
            not_tried = [*batches.pending(), *(rows if total is not None else ())]
            for row in not_tried:
                results[row.index] = RowResult(row.index, row.key, "not tried")
        ordered = [results[index] for index in sorted(results)]
        if options.on_error == "raise":
            _raise_failures(what, ordered, _RUN_AGAIN[run_again])
        return ordered

    def _check_authorization(
        self, batches: Iterable[list[Row]], auth: AuthOptions
    ) -> Iterator[list[Row]]:
        """Yield *batches*. Raise first if no request can be sent, as when nobody is signed in."""
        for number, batch in enumerate(batches):
            if not number:
                self._api.authorizer.authorize(auth)
            yield batch

    def _report(self, rows: Sequence[RowResult]) -> tuple[int, int]:
        """Report the failed *rows* to the observer; return how many succeeded and failed."""
        failed = [(row.index, row.error) for row in rows if row.error is not None]
        for index, error in failed:
            event = failure("record", self._model.name, error, row=f"rows[{index}]")
            self._api.observer.on_event(event)
        return len(rows) - len(failed), len(failed)


class _RowSource:
    """Reads rows lazily and checks each; an invalid row fails without affecting the others."""

    def __init__(
        self,
        originals: Iterable[Mapping[str, Any]],
        prepare: Callable[[int, Mapping[str, Any]], PreparedRow],
        results: dict[int, RowResult],
        on_failure: Callable[[RowResult], None],
    ) -> None:
        """Rows that fail here are entered into *results* and passed to *on_failure*."""
        self._prepare = prepare
        self._results = results
        self._on_failure = on_failure
        self._first_with_key: dict[tuple[str, ...], int] = {}
        # All rows of a list are checked before any is sent. Of a generator this is impossible.
        self._is_list = isinstance(originals, Sequence)
        rows = ((index, self._check(index, row)) for index, row in enumerate(originals))
        self._rows = iter(list(rows)) if self._is_list else rows

    def __iter__(self) -> Iterator[Row]:
        for index, row in self._rows:
            if isinstance(row, SeedctlError):
                self._results[index] = failed = RowResult(index, {}, "failed", row)
                self._on_failure(failed)
            else:
                yield row

    def _check(self, index: int, original: Mapping[str, Any]) -> Row | SeedctlError:
        """Return the prepared row, or why it is invalid. In a list, a repeated key is raised."""
        try:
            row, key_text = self._prepare(index, original)
        except SeedctlError as error:
            return error
        if key_text is None:
            return row
        first = self._first_with_key.setdefault(key_text, index)
        if first == index:
            return row
        repeated = InvalidInputError(
            f"Rows {first} and {index} have the same key ({', '.join(row.key)}).",
            resolution="Leave one of them out, or choose a key= that differs between them.",
        )
        if self._is_list:
            raise repeated
        return repeated


def _is_fatal(outcome: Outcome[BatchResult]) -> bool:
    return outcome.value is None or outcome.value.fatal is not None


def _raise_failures(what: str, results: list[RowResult], run_again: str) -> None:
    errors = [each.error for each in results if each.error is not None]
    if errors:
        not_tried = sum(each.state == "not tried" for each in results)
        resolution = " ".join(text for text in (errors[0].resolution, run_again) if text)
        raise bulk_error(
            what, errors, results=results, not_tried=not_tried, resolution=resolution
        ) from errors[0]


def _check_options(originals: Iterable[Mapping[str, Any]], options: BulkOptions) -> None:
    check_concurrency(options.concurrency)
    check_choice("on_error", options.on_error, get_args(OnError))
    size = options.batch_size
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MAX_ROWS:
        raise InvalidInputError(f"batch_size={size!r} is not a whole number from 1 to {MAX_ROWS}.")
    if isinstance(originals, Mapping | str | bytes) or not isinstance(originals, Iterable):
        raise InvalidInputError(
            f"Expected an iterable of mappings, got {type(originals).__name__}.",
            resolution="Give a list or a generator of mappings.",
        )


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise InvalidInputError for a *value* that is not one of *choices*."""
    if value not in choices:
        raise InvalidInputError(f"{name}={value!r} is not one of {', '.join(choices)}.")
