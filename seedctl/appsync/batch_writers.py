"""``create_many`` and ``delete_many``: the bulk calls that create and delete records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from seedctl.appsync.batch_sender import BatchOutcome, BatchSender
from seedctl.appsync.batches import MAX_BYTES, MAX_ROWS, Row, RowResult
from seedctl.appsync.field_rules import denied_fields, is_of_field
from seedctl.appsync.file_rows import FileRow
from seedctl.appsync.keys import KeyOf, RowKeys, may_lack_key_part
from seedctl.appsync.model_requests import CallOptions, ModelRequests, Verb
from seedctl.appsync.records import Record
from seedctl.bulk.engine import BulkCall, BulkOptions, unwritten_state
from seedctl.errors import (
    ConditionalCheckFailedError,
    GraphQLError,
    InvalidInputError,
    SeedctlError,
    UnauthorizedError,
)
from seedctl.errors.aws import TRANSIENT
from seedctl.report import Event, failure

IfExists = Literal["error", "skip", "update"]

# AppSync returns these scalars as they were sent. Others may be spelled differently.
_RETURNED_UNCHANGED = {"ID", "String", "Int", "Boolean", "AWSEmail"}

_NEXT_RUN_WITHOUT_IDS = (
    "The rules of fields allow no ids here, so a second run does not recognize records of the first: "
    "give it only the rows that failed."
)
_MAX_READS = 4  # of one record; the transport makes several attempts each time
_LOST = (
    "No answer came for rows that were sent without an id, as the rules of fields demand: their records "
    "may exist. Look for them before you run these rows again."
)
_UNREADABLE = (
    "A response was lost. The record that exists has other values or cannot be read; it may still be "
    'this row\'s own. Run again with if_exists="skip" to continue.'
)


class _BulkWriter(BulkCall[Mapping[str, Any], Row, RowResult]):
    """The common part of BulkCreator and BulkDeleter."""

    item_type = "mappings"
    item_example = "mappings"
    list_type = Sequence
    duplicate_advice = "Leave one of them out, or choose a key= that differs between them."
    max_batch_size = MAX_ROWS
    max_batch_bytes = MAX_BYTES
    on_duplicate = "raise"
    _verb: ClassVar[Verb]

    def __init__(
        self, requests: ModelRequests, options: CallOptions, bulk_options: BulkOptions
    ) -> None:
        super().__init__(requests.api.observer, bulk_options)
        requests.check_enabled(self._verb)
        self.noun = f"{requests.model.name} records"
        self._requests = requests
        self._api = requests.api
        self._model = requests.model
        self._options = options
        self._sender = BatchSender(self._api, self._model, self._verb, options.auth)

    def before_first_row(self) -> None:
        """Raise if no request can be sent, as when nobody is signed in."""
        self._api.authorizer.authorize(self._options.auth)

    def bytes_of(self, row: Row) -> int:
        return row.size

    def shared_by(self, row: Row) -> str:
        return f"have the same key ({', '.join(row.key)})"

    def describe_duplicate(self, first: int, index: int, row: Row) -> str:
        place = _place_of(row)
        if place:
            return f"{place}: a row before it has the same key ({', '.join(row.key)})."
        return super().describe_duplicate(first, index, row)

    def unwritten(
        self, index: int, row: Mapping[str, Any] | Row, error: SeedctlError | None
    ) -> RowResult:
        key = row.key if isinstance(row, Row) else {}
        return RowResult(index, key, unwritten_state(error), error, _place_of(row))

    def failure(self, result: RowResult, error: SeedctlError) -> Event:
        row = result.place or f"rows[{result.index}]"
        return failure("record", self._model.name, error, row=row)

    def _done(
        self, row: Row, state: Literal["created", "existed", "present", "updated", "deleted"]
    ) -> RowResult:
        self._api.report_record(self._model.name, state)
        return RowResult(row.index, row.key, state, place=_place_of(row))

    def _read(self, key: Mapping[str, object]) -> tuple[bool, Record | None]:
        """Read a record, with retries, to find out what a lost response had said.

        Return whether it could be read, and the record or as much of it as was read.
        """
        for attempt in range(1, _MAX_READS + 1):
            try:
                return True, self._requests.get(key, CallOptions(self._options.auth, None, True))
            except GraphQLError as error:
                return False, error.data
            except TRANSIENT:
                if attempt < _MAX_READS:
                    self._api.transport.sleep(2.0 ** (attempt - 1))
            except SeedctlError:
                break
        return False, None


class BulkCreator(_BulkWriter):
    """Creates a record of each row. For records that exist, *if_exists* decides."""

    _verb = "create"
    next_runs: ClassVar[Mapping[str, str]] = {
        "error": 'With if_exists="skip", and key= for rows without an id of their own, a second '
        "run continues where this one stopped.",
        "skip": "Run again: records that exist are left unchanged.",
        "update": "Run again: records that exist are updated.",
    }

    def __init__(
        self,
        requests: ModelRequests,
        options: CallOptions,
        bulk_options: BulkOptions,
        key: KeyOf | None,
    ) -> None:
        super().__init__(requests, options, bulk_options)
        self._if_exists = bulk_options.if_exists
        if self._if_exists == "update":
            requests.check_enabled("update")
        self._keys = RowKeys(self._model, key)
        self._may_send_ids = True
        self._update_sender = BatchSender(self._api, self._model, "update", options.auth)

    def check(self, index: int, item: Mapping[str, Any]) -> Row:
        try:
            return self._check(index, item)
        except InvalidInputError as error:
            if isinstance(item, FileRow):
                raise item.explain(error) from None
            raise

    def _check(self, index: int, item: Mapping[str, Any]) -> Row:
        variables = self._requests.inputs.create(self._model, item, validate=self._options.validate)
        found = self._keys.key_of(item, variables)
        variables.update(found.values)
        return Row(index, found.values, variables, item, has_random_key=found.is_random)

    def key(self, row: Row) -> tuple[str, ...] | None:
        # As text: AppSync stores an ID as text, so that 5 and "5" are one record.
        return None if row.has_random_key else tuple(map(str, row.key.values()))

    def write(self, batch: list[tuple[int, Row]]) -> tuple[list[RowResult], SeedctlError | None]:
        rows = [row for _, row in batch]
        results: dict[int, RowResult] = {}
        to_update: list[Row] = []
        stored = self._read_incomplete(rows)
        new = [row for row in rows if row.index not in stored]
        for row in rows:
            if row.index in stored and self._if_exists == "update":
                to_update.append(row)
            elif row.index in stored:
                results[row.index] = self._done(row, "existed")
        outcome = self._send(new) if new else BatchOutcome()
        for row in new:
            result = self._create_result(row, outcome.errors[row.index])
            if result is None:
                to_update.append(row)
            else:
                results[row.index] = result
        fatal = outcome.fatal
        if fatal is None:
            fatal = self._update(to_update, stored, results)
        else:
            for row in to_update:
                results[row.index] = self.unwritten(row.index, row, fatal)
        return [results[row.index] for row in rows], fatal

    def next_run(self) -> str:
        return super().next_run() if self._may_send_ids else _NEXT_RUN_WITHOUT_IDS

    def _send(self, rows: list[Row]) -> BatchOutcome:
        """Send *rows*; leave generated ids to AppSync if the rules of fields deny them."""
        if not self._may_send_ids:
            for row in rows:
                if row.has_random_key:
                    row.remove_key()
        outcome = self._sender.send(rows)
        denied = [row for row in rows if "id" in denied_fields(outcome.errors[row.index])]
        if not denied or len(self._model.primary_key) > 1:  # a composite key is needed whole
            return outcome
        self._may_send_ids = False
        generated = [row for row in denied if row.has_random_key]
        if not generated or outcome.fatal is not None:
            return outcome
        for row in generated:
            row.remove_key()
        again = self._sender.send(generated)
        outcome.errors.update(again.errors)
        outcome.fatal = again.fatal
        return outcome

    def _create_result(self, row: Row, error: SeedctlError | None) -> RowResult | None:
        """Return the result of creating *row*, or None if its record exists and is to be updated.

        When an earlier attempt got no response, that attempt may have created the record. With a
        random key it must have; otherwise the record is read and compared.
        """
        if error is None:
            return self._done(row, "created")
        if row.is_lost:
            error.resolution = _LOST
        if not isinstance(error, ConditionalCheckFailedError):
            return self.unwritten(row.index, row, error)
        if row.may_have_run and row.has_random_key:
            return self._done(row, "created")
        if self._if_exists == "update":
            is_present = row.may_have_run and self._is_equal(row)
            return self._done(row, "present") if is_present else None
        if row.may_have_run and self._may_be_own(row):
            return self._done(row, "present")
        if self._if_exists == "skip":
            return self._done(row, "existed")
        if row.may_have_run:
            error.resolution = _UNREADABLE
        return self.unwritten(row.index, row, error)

    def _read_incomplete(self, rows: list[Row]) -> dict[int, Record]:
        """Return the stored records of rows that lack a part of an index key, by row index.

        AppSync refuses to create such a row before it checks whether the record exists.
        """
        if self._if_exists == "error" or not self._options.validate:
            return {}
        found = {
            row.index: self._requests.get_if_readable(row.key, self._options.auth)
            for row in rows
            if not row.has_random_key and may_lack_key_part(self._model, row.variables)
        }
        return {index: record for index, record in found.items() if record is not None}

    def _update(
        self, rows: list[Row], stored: Mapping[int, Record], results: dict[int, RowResult]
    ) -> SeedctlError | None:
        """Update *rows*, enter their results into *results*, and return the fatal error, if any."""
        ready = []
        for row in rows:
            try:
                given = {**row.original, **row.key}
                known = stored.get(row.index)
                variables = self._requests.update_input(given, self._options, known)
                ready.append(Row(row.index, row.key, variables, row.original))
            except SeedctlError as error:
                results[row.index] = self.unwritten(row.index, row, error)
        if not ready:
            return None
        outcome = self._update_sender.send(ready)
        for row in ready:
            refusal = outcome.errors[row.index]
            if refusal is None:
                results[row.index] = self._done(row, "updated")
            else:
                results[row.index] = self.unwritten(row.index, row, refusal)
        return outcome.fatal

    def _is_equal(self, row: Row) -> bool:
        """Whether the record certainly has all values that an update would set."""
        stored = self._read(row.key)[1]
        return stored is not None and all(
            stored.get(name) == value for name, value in row.variables.items()
        )

    def _may_be_own(self, row: Row) -> bool:
        """Whether the record exists and, as far as it can be read, has the row's values."""
        stored = self._read(row.key)[1]
        return stored is not None and not self._differs(row, stored)

    def _differs(self, row: Row, stored: Record) -> bool:
        """Whether *stored* certainly has another value than *row*, not just another spelling."""
        for name, value in row.variables.items():
            field = self._model.fields.get(name)
            found = stored.get(name)
            if field is None or value is None or found is None or name in self._model.owner_fields:
                # The API may fill in a default, hide the field, or store an owner in another form.
                continue
            if field.type.kind == "enum" or field.type.name in _RETURNED_UNCHANGED:
                is_id = field.type.name == "ID" and not field.is_array
                if found != (str(value) if is_id else value):
                    return True
        return False


class BulkDeleter(_BulkWriter):
    """Deletes records by their keys. A record that does not exist is not a failure."""

    _verb = "delete"
    next_runs: ClassVar[Mapping[str, str]] = {
        "delete": "Run again: records that are deleted already are not failures."
    }

    def check(self, index: int, item: Mapping[str, Any]) -> Row:
        variables = self._requests.inputs.key(self._model, item, validate=self._options.validate)
        return Row(index, dict(variables), variables, item)

    def write(self, batch: list[tuple[int, Row]]) -> tuple[list[RowResult], SeedctlError | None]:
        rows = [row for _, row in batch]
        outcome = self._sender.send(rows)
        results = [self._result(row, outcome.errors[row.index]) for row in rows]
        return results, outcome.fatal

    def _result(self, row: Row, error: SeedctlError | None) -> RowResult:
        if error is not None and not self._is_missing(row, error):
            return self.unwritten(row.index, row, error)
        if error is not None and not row.may_have_run:
            return RowResult(row.index, row.key, "missing", place=_place_of(row))
        return self._done(row, "deleted")

    def _is_missing(self, row: Row, error: SeedctlError) -> bool:
        if isinstance(error, UnauthorizedError) and is_of_field(error):
            # Owner rules refuse to delete a record that does not exist; only reading it can tell.
            is_read, stored = self._read(row.key)
            return is_read and stored is None
        return isinstance(error, ConditionalCheckFailedError)


def _place_of(row: Mapping[str, Any] | Row) -> str:
    """Return the place of *row* in its file, or "" if it was not read from one."""
    original = row.original if isinstance(row, Row) else row
    return original.place if isinstance(original, FileRow) else ""
