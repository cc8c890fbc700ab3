"""What becomes of each row of a batch that is created, or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from seedctl.appsync.batch_sender import BatchOutcome, BatchSender
from seedctl.appsync.batches import Row
from seedctl.appsync.index_keys import completed, is_partial
from seedctl.appsync.requests import CallOptions
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

    from seedctl.appsync.api import API
    from seedctl.appsync.auth_modes import Options
    from seedctl.appsync.records import Record
    from seedctl.appsync.requests import ModelRequests
    from seedctl.appsync.values import InputBuilder
    from seedctl.outputs.models import Model

IfExists = Literal["error", "skip", "update"]
RowState = Literal[
    "created", "existed", "present", "updated", "deleted", "missing", "failed", "not tried"
]

# Scalars that AppSync answers as they were sent; others may come back spelled otherwise.
_UNCHANGED = {"ID", "String", "Int", "Boolean", "AWSEmail"}

_READS = 4  # of a record whose row had no answer, each time beyond the connection's own attempts
_UNREADABLE = (
    "An answer was lost, and the record that is there has other values or cannot be read: it may be "
    'this row\'s own. Run again with if_exists="skip" to go on.'
)


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row."""

    index: int
    """Where the row was among those given."""
    key: Mapping[str, Any]
    """The record's primary key; empty where the row was wrong before it had one."""
    state: RowState
    """"present": an answer was lost, and the record is there with these values: this call or an
    earlier run has created it. "missing": there was no record to delete. "not tried": something went wrong before that
    concerns all rows, such as a network that is down."""
    error: SeedctlError | None = None
    """Why it failed."""


class BatchResult(NamedTuple):
    """What became of a batch."""

    rows: list[RowResult]
    fatal: SeedctlError | None
    """What went wrong with all, so that nothing more need be tried."""


class BatchCreator:
    """Creates batches of rows; what is there already is refused, left or updated."""

    def __init__(
        self,
        api: API,
        model: Model,
        inputs: InputBuilder,
        requests: ModelRequests,
        *,
        call: Options,
        if_exists: IfExists,
        validate: bool,
    ) -> None:
        self._api = api
        self._model = model
        self._inputs = inputs
        self._requests = requests
        self._call = call
        self._if_exists = if_exists
        self._validate = validate
        self._creates = BatchSender(api, model, "create", call)
        self._updates = BatchSender(api, model, "update", call)

    @property
    def bytes_for_row(self) -> int:
        return self._creates.documents.bytes_for_row

    def work(self, rows: list[Row]) -> BatchResult:
        results: dict[int, RowResult] = {}
        to_update: list[Row] = []
        stored = self._stored_of_partial(rows)
        new = [row for row in rows if row.index not in stored]
        for row in rows:
            if row.index in stored and self._if_exists == "update":
                to_update.append(row)
            elif row.index in stored:
                results[row.index] = self._told(row, "existed")
        answers = self._creates.send(new) if new else BatchOutcome()
        for row in new:
            error = answers.errors[row.index]
            if isinstance(error, ConditionalCheckFailedError):
                state = self._state_of_existing(row)
                if state == "updated":
                    to_update.append(row)
                elif state == "failed":
                    if row.may_have_run:
                        error.resolution = _UNREADABLE
                    results[row.index] = _failed(row, error)
                else:
                    results[row.index] = self._told(row, state)
            elif error is not None:
                results[row.index] = _failed(row, error)
            else:
                results[row.index] = self._told(row, "created")
        fatal = answers.fatal or self._update(to_update, stored, results)
        return BatchResult([results[row.index] for row in rows], fatal)

    def _stored_of_partial(self, rows: list[Row]) -> dict[int, Record]:
        """Return the records of *rows* that AppSync refuses to create for their index key.

        It does so before it looks for the record, which may be there.
        """
        if self._if_exists == "error" or not self._validate:
            return {}
        found = {
            row.index: self._requests.readable(row.key, self._call)
            for row in rows
            if not row.is_random and is_partial(self._model, row.variables)
        }
        return {index: record for index, record in found.items() if record is not None}

    def _update(
        self, rows: list[Row], stored: Mapping[int, Record], results: dict[int, RowResult]
    ) -> SeedctlError | None:
        ready = []
        for row in rows:
            try:
                variables = self._inputs.update(
                    self._model, {**row.given, **row.key}, validate=self._validate
                )
                if self._validate:
                    variables = completed(
                        self._model,
                        variables,
                        partial(self._read, row, stored),
                    )
                ready.append(Row(row.index, row.key, variables, row.given))
            except SeedctlError as error:
                results[row.index] = _failed(row, error)
        answers = self._updates.send(ready) if ready else None
        if answers is None:
            return None
        for row in ready:
            failure = answers.errors[row.index]
            results[row.index] = (
                self._told(row, "updated") if failure is None else _failed(row, failure)
            )
        return answers.fatal

    def _read(self, row: Row, stored: Mapping[int, Record]) -> Record | None:
        options = CallOptions(self._call, None, self._validate)
        return stored.get(row.index) or self._requests.get(row.key, options)

    def _told(
        self, row: Row, state: Literal["created", "existed", "present", "updated"]
    ) -> RowResult:
        self._api.tell(self._model.name, state)
        return RowResult(row.index, row.key, state)

    def _state_of_existing(
        self, row: Row
    ) -> Literal["created", "existed", "present", "updated", "failed"]:
        """Return what becomes of *row*, of which there is a record already.

        After an attempt without an answer the record may be that attempt's work. A key made at
        random says so itself; others are read.
        """
        if row.may_have_run and row.is_random:
            return "created"
        if self._if_exists == "update":
            return "present" if row.may_have_run and self._is_equal(row) else "updated"
        if row.may_have_run and self._may_be_own(row):
            return "present"
        return "failed" if self._if_exists == "error" else "existed"

    def _is_equal(self, row: Row) -> bool:
        """Whether the record surely has what an update would set."""
        _, stored = _stored(self._api, self._requests, row.key, self._call)
        return stored is not None and all(
            stored.get(name) == value for name, value in row.variables.items()
        )

    def _may_be_own(self, row: Row) -> bool:
        """Whether the record is there with the row's values, as far as they can be read."""
        _, stored = _stored(self._api, self._requests, row.key, self._call)
        return stored is not None and not self._differs(row, stored)

    def _differs(self, row: Row, stored: Record) -> bool:
        """Whether *stored* surely has another value than *row*, and not just another spelling."""
        for name, value in row.variables.items():
            field = self._model.fields.get(name)
            found = stored.get(name)
            if field is None or value is None or found is None or name in self._model.owner_fields:
                continue  # a default, a field that may not be read, a form of its own
            if field.type.kind == "enum" or field.type.name in _UNCHANGED:
                is_id = field.type.name == "ID" and not field.is_array
                if found != (str(value) if is_id else value):
                    return True
        return False


class BatchDeleter:
    """Deletes batches of records; one that is gone already is no failure."""

    def __init__(self, api: API, model: Model, requests: ModelRequests, call: Options) -> None:
        self._api = api
        self._model = model
        self._requests = requests
        self._call = call
        self._deletes = BatchSender(api, model, "delete", call)

    @property
    def bytes_for_row(self) -> int:
        return self._deletes.documents.bytes_for_row

    def work(self, rows: list[Row]) -> BatchResult:
        answers = self._deletes.send(rows)
        return BatchResult(
            [self._result(row, answers.errors[row.index]) for row in rows], answers.fatal
        )

    def _result(self, row: Row, error: SeedctlError | None) -> RowResult:
        if error is not None and not self._is_gone(row, error):
            return _failed(row, error)
        if error is not None and not row.may_have_run:
            return RowResult(row.index, row.key, "missing")
        self._api.tell(self._model.name, "deleted")
        return RowResult(row.index, row.key, "deleted")

    def _is_gone(self, row: Row, error: SeedctlError) -> bool:
        if isinstance(error, UnauthorizedError) and _is_of_field(error):
            # A rule about owners says no to a record that is not there: only a read can tell.
            is_read, stored = _stored(self._api, self._requests, row.key, self._call)
            return is_read and stored is None
        return isinstance(error, ConditionalCheckFailedError)


def _is_of_field(error: GraphQLError) -> bool:
    return bool(error.errors) and error.errors[0].get("path") is not None


def _stored(
    api: API, requests: ModelRequests, key: Mapping[str, Any], call: Options
) -> tuple[bool, Record | None]:
    """Return whether the record could be read, and what it is as far as it was."""
    for attempt in range(1, _READS + 1):
        try:
            return True, requests.get(key, CallOptions(call, None, True))
        except GraphQLError as error:
            return False, error.data
        except (EndpointUnreachableError, ServiceFailedError, ThrottledError):
            if attempt < _READS:
                api.pause(2.0 ** (attempt - 1))
        except SeedctlError:
            break
    return False, None


def _failed(row: Row, error: SeedctlError) -> RowResult:
    return RowResult(row.index, row.key, "failed", error)
