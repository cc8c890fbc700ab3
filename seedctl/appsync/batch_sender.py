"""Send a batch until each of its rows has an answer of its own."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.appsync.batches import BatchDocuments, alias
from seedctl.appsync.failures import graphql_error
from seedctl.errors import (
    EndpointUnreachableError,
    GraphQLError,
    GraphQLValidationError,
    InvalidResponseError,
    SeedctlError,
    ServiceFailedError,
    ThrottledError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedctl.appsync.api import API, Reply
    from seedctl.appsync.auth_modes import Options
    from seedctl.appsync.batches import Row
    from seedctl.appsync.requests import Verb
    from seedctl.outputs.models import Model

# How often a batch is sent, beyond the connection's own attempts.
_SENT_WHEN_UNCLEAR = 3
_SENT_WHEN_THROTTLED = 5
_LONE_FAILURES = 3  # of rows sent alone, with none that got through: then it is not the rows

# What DynamoDB says of one row where waiting helps [?]; after the last two it may be written.
_THROTTLED = ("Throttl", "ThroughputExceeded", "RequestLimitExceeded")
_UNCLEAR = ("InternalServerError", "InternalFailure")


@dataclass(slots=True)
class BatchOutcome:
    """What became of each row of a batch."""

    errors: dict[int, SeedctlError | None] = field(default_factory=dict)
    """By the row's index; None for what was done."""
    fatal: SeedctlError | None = None
    """What went wrong with all, so that nothing more need be tried."""

    @property
    def has_success(self) -> bool:
        return None in self.errors.values()


@dataclass(slots=True)
class _Part:
    rows: list[Row]
    sent: int = 0
    """How often these very rows were sent and put off."""


class BatchSender:
    """Sends batches of one verb for one model. Thread-safe, as no two batches share a row."""

    def __init__(self, api: API, model: Model, verb: Verb, call: Options) -> None:
        self._api = api
        self._call = call
        self.documents = BatchDocuments(verb, model)

    def send(self, rows: Sequence[Row]) -> BatchOutcome:
        """Send *rows* until each has its answer; a batch refused as a whole is halved."""
        outcome = BatchOutcome()
        parts = [_Part(list(rows))]
        lone_failures = 0
        while parts:
            part = parts.pop()
            left, error = self._answered(part, outcome, parts)
            if error is None:
                continue
            if _is_fatal_for_batch(error):
                outcome.fatal = error
            elif len(part.rows) == 1:
                outcome.errors[part.rows[0].index] = error
                lone_failures += isinstance(error, ServiceFailedError)
                if lone_failures == _LONE_FAILURES and not outcome.has_success:
                    outcome.fatal = error
            else:
                middle = (len(left) + 1) // 2
                # The first half comes next: rows are done in their order, as far as can be.
                parts += [_Part(half) for half in (left[middle:], left[:middle]) if half]
            if outcome.fatal is not None:
                for row in (*left, *(row for other in parts for row in other.rows)):
                    outcome.errors[row.index] = outcome.fatal
                parts.clear()
        return outcome

    def _answered(
        self, part: _Part, outcome: BatchOutcome, parts: list[_Part]
    ) -> tuple[list[Row], SeedctlError | None]:
        """Enter the outcome of *part*; return the rows that have none, and why."""
        try:
            return self._sort(part, self._sent(part.rows), outcome, parts)
        except SeedctlError as error:
            return part.rows, error

    def _sent(self, rows: list[Row]) -> Reply:
        """Send *rows* in one request, again if no clear answer comes."""
        text = self.documents.text(len(rows))
        variables = {alias(position): row.variables for position, row in enumerate(rows)}
        sent = 0
        while True:
            sent += 1
            try:
                exchange = self._api.exchange(
                    text,
                    variables,
                    self._call,
                    operation=self.documents.root,
                    is_write=True,
                    is_safe=True,  # every row has its key: done twice, it is refused
                )
                if exchange.answer.may_have_run_before:
                    _mark(rows)
                return exchange.reply()
            except ThrottledError:
                if sent == _SENT_WHEN_THROTTLED:
                    raise
            except (EndpointUnreachableError, InvalidResponseError, ServiceFailedError) as error:
                _mark(rows)
                if sent == _SENT_WHEN_UNCLEAR or isinstance(error, InvalidResponseError):
                    raise
            self._pause(sent)

    def _sort(
        self, part: _Part, reply: Reply, outcome: BatchOutcome, parts: list[_Part]
    ) -> tuple[list[Row], SeedctlError | None]:
        own, for_all = _by_alias(reply.errors, len(part.rows))
        data: dict[str, Any] = reply.data or {}
        left: list[Row] = []
        put_off: list[Row] = []
        for position, row in enumerate(part.rows):
            name = alias(position)
            entries = own.get(name, [])
            at_root = [entry for entry in entries if len(entry["path"]) == 1]
            if not at_root and (entries or data.get(name) is not None):
                outcome.errors[row.index] = None  # what is wrong further in is so after the write
            elif not at_root:
                left.append(row)
            elif part.sent < _SENT_WHEN_THROTTLED and self._is_put_off(row, at_root[0]):
                put_off.append(row)
            else:
                outcome.errors[row.index] = graphql_error(at_root, reply.operation, reply.chosen)
        if put_off:
            self._pause(part.sent + 1)
            parts.append(_Part(put_off, part.sent + 1))
        if not left:
            return left, None
        error = graphql_error(
            for_all or [{"message": "AppSync's answer says nothing of this record."}],
            reply.operation,
            reply.chosen,
        )
        if not for_all or len(left) < len(part.rows) or type(error) is not GraphQLValidationError:
            _mark(left)
        return left, error

    @staticmethod
    def _is_put_off(row: Row, entry: dict[str, Any]) -> bool:
        kind = str(entry.get("errorType"))
        if any(word in kind for word in _UNCLEAR):
            row.may_have_run = True
            return True
        return any(word in kind for word in _THROTTLED)

    def _pause(self, sent: int) -> None:
        # 1, 2, 4 … seconds; the random part keeps threads from coming back all at once.
        self._api.pause(2 ** (sent - 1) + random.random())  # noqa: S311 - no secret


def _is_fatal_for_batch(error: SeedctlError) -> bool:
    """Whether *error*, of a whole request, is none that a row in it can be the cause of."""
    if isinstance(error, UnauthorizedError):
        return True
    return not isinstance(error, GraphQLError | ServiceFailedError)


def _mark(rows: list[Row]) -> None:
    for row in rows:
        row.may_have_run = True


def _by_alias(
    entries: list[dict[str, Any]], count: int
) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Return the errors of single rows, and those of the whole request."""
    names = {alias(position) for position in range(count)}
    own: dict[str, list[dict[str, Any]]] = {}
    for_all = []
    for entry in entries:
        path = entry.get("path")
        if isinstance(path, list) and path and path[0] in names:
            own.setdefault(path[0], []).append(entry)
        else:
            for_all.append(entry)
    return own, for_all
