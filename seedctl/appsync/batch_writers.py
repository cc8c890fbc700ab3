"""Create or delete a batch of rows, and decide the result of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from seedctl.appsync.batch_sender import BatchOutcome, BatchSender
from seedctl.appsync.batches import BatchResult, Row, RowResult, failed_row
from seedctl.appsync.keys import complete_index_keys, may_lack_key_part
from seedctl.appsync.model_requests import CallOptions
from seedctl.errors import (
    ConditionalCheckFailedError,
    EndpointUnreachableError,
    GraphQLError,
    SeedctlError,
    ServiceFailedError,
    ThrottledError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.appsync.auth_modes import AuthOptions
    from seedctl.appsync.model_requests import ModelRequests, Verb
    from seedctl.appsync.records import Record

IfExists = Literal["error", "skip", "update"]
OnError = Literal["raise", "collect"]

# AppSync returns these scalars as they were sent. Others may be spelled differently.
_RETURNED_UNCHANGED = {"ID", "String", "Int", "Boolean", "AWSEmail"}

_MAX_READS = 4  # of one record; the transport makes several attempts each time
_UNREADABLE = (
    "A response was lost. The record that exists has other values or cannot be read; it may still be "
    'this row\'s own. Run again with if_exists="skip" to continue.'
)


class BulkOptions(NamedTuple):
    """The options of a bulk call."""

    auth: AuthOptions
    validate: bool
    concurrency: int
    batch_size: int
    on_error: OnError


class _BatchWriter:
    """The common part of BatchCreator and BatchDeleter."""

    _verb: ClassVar[Verb]

    def __init__(self, requests: ModelRequests, options: BulkOptions) -> None:
        self._requests = requests
        self._api = requests.api
        self._model = requests.model
        self._options = options
        self._sender = BatchSender(self._api, self._model, self._verb, options.auth)

    @property
    def bytes_per_row(self) -> int:
        return self._sender.documents.bytes_per_row

    def _done(
        self, row: Row, state: Literal["created", "existed", "present", "updated", "deleted"]
    ) -> RowResult:
        self._api.report_record(self._model.name, state)
        return RowResult(row.index, row.key, state)

    def _read(self, key: Mapping[str, object]) -> tuple[bool, Record | None]:
        """Read a record, with retries, to find out what a lost response had said.

        Return whether it could be read, and the record or as much of it as was read.
        """
        for attempt in range(1, _MAX_READS + 1):
            try:
                return True, self._requests.get(key, CallOptions(self._options.auth, None, True))
            except GraphQLError as error:
                return False, error.data
            except (EndpointUnreachableError, ServiceFailedError, ThrottledError):
                if attempt < _MAX_READS:
                    self._api.transport.sleep(2.0 ** (attempt - 1))
            except SeedctlError:
                break
        return False, None


class BatchCreator(_BatchWriter):
    """Creates batches of rows. For records that exist, *if_exists* decides."""

    _verb = "create"

    def __init__(self, requests: ModelRequests, options: BulkOptions, if_exists: IfExists) -> None:
        super().__init__(requests, options)
        self._if_exists = if_exists
        self._update_sender = BatchSender(self._api, self._model, "update", options.auth)

    def write(self, rows: list[Row]) -> BatchResult:
        results: dict[int, RowResult] = {}
        to_update: list[Row] = []
        stored = self._read_incomplete(rows)
        new = [row for row in rows if row.index not in stored]
        for row in rows:
            if row.index in stored and self._if_exists == "update":
                to_update.append(row)
            elif row.index in stored:
                results[row.index] = self._done(row, "existed")
        outcome = self._sender.send(new) if new else BatchOutcome()
        for row in new:
            result = self._create_result(row, outcome.errors[row.index])
            if result is None:
                to_update.append(row)
            else:
                results[row.index] = result
        fatal = outcome.fatal or self._update(to_update, stored, results)
        return BatchResult([results[row.index] for row in rows], fatal)

    def _create_result(self, row: Row, error: SeedctlError | None) -> RowResult | None:
        """Return the result of creating *row*, or None if its record exists and is to be updated.

        When an earlier attempt got no response, that attempt may have created the record. With a
        random key it must have; otherwise the record is read and compared.
        """
        if error is None:
            return self._done(row, "created")
        if not isinstance(error, ConditionalCheckFailedError):
            return failed_row(row, error)
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
        return failed_row(row, error)

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
                ready.append(self._update_row(row, stored.get(row.index)))
            except SeedctlError as error:
                results[row.index] = failed_row(row, error)
        if not ready:
            return None
        outcome = self._update_sender.send(ready)
        for row in ready:
            failure = outcome.errors[row.index]
            results[row.index] = (
                self._done(row, "updated") if failure is None else failed_row(row, failure)
            )
        return outcome.fatal

    def _update_row(self, row: Row, stored: Record | None) -> Row:
        """Return the row with the input of an update. *stored* is the record, if it was read."""
        given = {**row.original, **row.key}
        variables = self._requests.inputs.update(
            self._model, given, validate=self._options.validate
        )
        if self._options.validate:
            options = CallOptions(self._options.auth, None, True)
            variables = complete_index_keys(
                self._model, variables, lambda: stored or self._requests.get(row.key, options)
            )
        return Row(row.index, row.key, variables, row.original)

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


class BatchDeleter(_BatchWriter):
    """Deletes batches of records. A record that does not exist is not a failure."""

    _verb = "delete"

    def write(self, rows: list[Row]) -> BatchResult:
        outcome = self._sender.send(rows)
        results = [self._result(row, outcome.errors[row.index]) for row in rows]
        return BatchResult(results, outcome.fatal)

    def _result(self, row: Row, error: SeedctlError | None) -> RowResult:
        if error is not None and not self._is_missing(row, error):
            return failed_row(row, error)
        if error is not None and not row.may_have_run:
            return RowResult(row.index, row.key, "missing")
        return self._done(row, "deleted")

    def _is_missing(self, row: Row, error: SeedctlError) -> bool:
        if isinstance(error, UnauthorizedError) and _is_of_field(error):
            # Owner rules refuse to delete a record that does not exist; only reading it can tell.
            is_read, stored = self._read(row.key)
            return is_read and stored is None
        return isinstance(error, ConditionalCheckFailedError)


def _is_of_field(error: GraphQLError) -> bool:
    """Whether AppSync ran the document and refused one field of it."""
    return bool(error.errors) and error.errors[0].get("path") is not None
