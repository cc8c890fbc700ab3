"""What becomes of each row of a batch that is created, or deleted."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from seedctl.data.batches import Row
from seedctl.data.delivery import Delivery
from seedctl.data.requests import Asked
from seedctl.errors import (
    ConditionalCheckFailedError,
    GraphQLError,
    SeedctlError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.data.api import API
    from seedctl.data.auth_modes import Options
    from seedctl.data.records import Record
    from seedctl.data.requests import ModelRequests
    from seedctl.data.values import Inputs
    from seedctl.project.models import Model

IfExists = Literal["error", "skip", "update"]
RowState = Literal["created", "existed", "updated", "deleted", "missing", "failed", "not tried"]

# Scalars that AppSync answers as they were sent; others may come back spelled otherwise.
_UNCHANGED = {"ID", "String", "Int", "Boolean", "AWSEmail"}


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row."""

    index: int
    """Where the row was among those given."""
    key: Mapping[str, Any]
    """The record's primary key; empty where the row was wrong before it had one."""
    state: RowState
    """"missing": there was no record to delete. "not tried": something went wrong before that
    concerns all rows, such as a network that is down."""
    error: SeedctlError | None = None
    """Why it failed."""


class BatchResult(NamedTuple):
    """What became of a batch."""

    rows: list[RowResult]
    fatal: SeedctlError | None
    """What went wrong with all, so that nothing more need be tried."""


class Creating:
    """Creates batches of rows; what is there already is refused, left or updated."""

    def __init__(
        self,
        api: API,
        model: Model,
        inputs: Inputs,
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
        self._lock = threading.Lock()
        self._created = self._existed = 0  # of rows with a clear answer
        self._creates = Delivery(api, model, "create", call)
        self._updates = Delivery(api, model, "update", call)

    @property
    def bytes_for_row(self) -> int:
        return self._creates.documents.bytes_for_row

    def work(self, rows: list[Row]) -> BatchResult:
        answers = self._creates.deliver(rows)
        results: dict[int, RowResult] = {}
        to_update: list[Row] = []
        for row in rows:
            error = answers.errors[row.index]
            if not row.may_have_run:
                self._count(error)
            if isinstance(error, ConditionalCheckFailedError):
                state = self._state_of_existing(row)
                if state == "updated":
                    to_update.append(row)
                elif state == "failed":
                    results[row.index] = _failed(row, error)
                else:
                    results[row.index] = self._told(row, state)
            elif error is not None:
                results[row.index] = _failed(row, error)
            else:
                results[row.index] = self._told(row, "created")
        fatal = answers.fatal or self._update(to_update, results)
        return BatchResult([results[row.index] for row in rows], fatal)

    def _update(self, rows: list[Row], results: dict[int, RowResult]) -> SeedctlError | None:
        ready = []
        for row in rows:
            try:
                variables = self._inputs.update(
                    self._model, {**row.given, **row.key}, validate=self._validate
                )
                ready.append(Row(row.index, row.key, variables, row.given))
            except SeedctlError as error:
                results[row.index] = _failed(row, error)
        answers = self._updates.deliver(ready) if ready else None
        if answers is None:
            return None
        for row in ready:
            failure = answers.errors[row.index]
            results[row.index] = (
                self._told(row, "updated") if failure is None else _failed(row, failure)
            )
        return answers.fatal

    def _told(self, row: Row, state: Literal["created", "existed", "updated"]) -> RowResult:
        self._api.tell(self._model.name, state)
        return RowResult(row.index, row.key, state)

    def _state_of_existing(self, row: Row) -> Literal["created", "existed", "updated", "failed"]:
        """Return what becomes of *row*, of which there is a record already.

        After an attempt without an answer the record may be that attempt's work. A key made at
        random says so itself. Others are read: one that is surely not the row's own was there. Of
        the rest nobody knows, since an earlier run may have stored the same; they are called what
        most rows with a clear answer are, unless being there is a failure.
        """
        if row.may_have_run and row.is_random:
            return "created"
        if self._if_exists == "error":
            return "created" if row.may_have_run and self._may_be_own(row) else "failed"
        is_new = row.may_have_run and self._created >= self._existed
        if self._if_exists == "skip":
            return "created" if is_new and self._may_be_own(row) else "existed"
        if not row.may_have_run or not self._is_equal(row):
            return "updated"
        return "created" if is_new else "existed"

    def _count(self, error: SeedctlError | None) -> None:
        """Count what became of a row that was sent once."""
        with self._lock:
            self._created += error is None
            self._existed += isinstance(error, ConditionalCheckFailedError)

    def _is_equal(self, row: Row) -> bool:
        """Whether the record surely has what an update would set."""
        _, stored = _stored(self._requests, row.key, self._call)
        return stored is not None and all(
            stored.get(name) == value for name, value in row.variables.items()
        )

    def _may_be_own(self, row: Row) -> bool:
        is_read, stored = _stored(self._requests, row.key, self._call)
        return not is_read or stored is None or not self._differs(row, stored)

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


class Deleting:
    """Deletes batches of records; one that is gone already is no failure."""

    def __init__(self, api: API, model: Model, requests: ModelRequests, call: Options) -> None:
        self._api = api
        self._model = model
        self._requests = requests
        self._call = call
        self._deletes = Delivery(api, model, "delete", call)

    @property
    def bytes_for_row(self) -> int:
        return self._deletes.documents.bytes_for_row

    def work(self, rows: list[Row]) -> BatchResult:
        answers = self._deletes.deliver(rows)
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
            is_read, stored = _stored(self._requests, row.key, self._call)
            return is_read and stored is None
        return isinstance(error, ConditionalCheckFailedError)


def _is_of_field(error: GraphQLError) -> bool:
    return bool(error.errors) and error.errors[0].get("path") is not None


def _stored(
    requests: ModelRequests, key: Mapping[str, Any], call: Options
) -> tuple[bool, Record | None]:
    """Return whether the record could be read, and what it is as far as it was."""
    try:
        return True, requests.get(key, Asked(call, None, True))
    except GraphQLError as error:
        return False, error.data
    except SeedctlError:
        return False, None


def _failed(row: Row, error: SeedctlError) -> RowResult:
    return RowResult(row.index, row.key, "failed", error)
