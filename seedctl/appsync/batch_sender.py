"""Send a batch of rows, and retry or split it until each row has a result of its own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seedctl import errors
from seedctl.appsync.api import API, GraphQLRequest, GraphQLResponse
from seedctl.appsync.auth_modes import AuthOptions
from seedctl.appsync.batches import BatchDocuments, Row, alias
from seedctl.appsync.documents import Document
from seedctl.appsync.field_rules import explain_denial
from seedctl.appsync.graphql_errors import graphql_error
from seedctl.appsync.model_requests import Verb
from seedctl.errors import SeedctlError
from seedctl.outputs.models import Model

# How often a batch is sent. The transport makes several attempts each time.
_MAX_SENDS_WHEN_UNCLEAR = 3
_MAX_SENDS_WHEN_THROTTLED = 5
# So many rows that failed although sent alone, and none that succeeded: the service is the cause.
_MAX_SINGLE_ROW_FAILURES = 3

# DynamoDB's errors for one row that are worth a retry [?]. After an unclear one, the row may be stored.
_THROTTLED = ("Throttl", "ThroughputExceeded", "RequestLimitExceeded")
_UNCLEAR = ("InternalServerError", "InternalFailure")


@dataclass(slots=True)
class BatchOutcome:
    """The result of each row of a batch."""

    errors: dict[int, SeedctlError | None] = field(default_factory=dict)
    """By the row's index; None for a row that succeeded."""
    fatal: SeedctlError | None = None
    """An error that would affect every other batch as well."""

    @property
    def has_success(self) -> bool:
        return None in self.errors.values()


@dataclass(slots=True)
class _Part:
    """Rows that are sent together."""

    rows: list[Row]
    retries: int = 0
    """How often exactly these rows were sent before and throttled."""


class BatchSender:
    """Sends batches of one mutation for one model. Thread-safe if no two batches share a row."""

    def __init__(self, api: API, model: Model, verb: Verb, auth: AuthOptions) -> None:
        self._api = api
        self._auth = auth
        self._model = model
        self._verb = verb
        self.documents = BatchDocuments(verb, model)

    def send(self, rows: Sequence[Row]) -> BatchOutcome:
        """Send *rows* until each has a result. A batch that is refused as a whole is split."""
        outcome = BatchOutcome()
        parts = [_Part(list(rows))]
        single_row_failures = 0
        while parts:
            part = parts.pop()
            unanswered: list[Row] = part.rows
            error: SeedctlError | None
            try:
                response = self._request(part.rows)
            except SeedctlError as failure:
                error = failure
            else:
                unanswered, error = self._collect_results(part, response, outcome, parts)
            if error is None:
                continue
            outcome.errors.update((row.index, error) for row in unanswered if row.is_lost)
            unanswered = [row for row in unanswered if not row.is_lost]
            if _is_fatal(error):
                outcome.fatal = error
            elif len(part.rows) == 1:
                outcome.errors[part.rows[0].index] = error
                single_row_failures += isinstance(error, errors.ServiceFailedError)
                if single_row_failures == _MAX_SINGLE_ROW_FAILURES and not outcome.has_success:
                    outcome.fatal = error
            else:
                middle = (len(unanswered) + 1) // 2
                halves = (unanswered[middle:], unanswered[:middle])
                # The first half is sent next, so that rows are written in order where possible.
                parts += [_Part(half) for half in halves if half]
            if outcome.fatal is not None:
                for row in (*unanswered, *(row for other in parts for row in other.rows)):
                    outcome.errors[row.index] = outcome.fatal
                parts.clear()
        return outcome

    def _request(self, rows: list[Row]) -> GraphQLResponse:
        """Send *rows* in one request, and repeat it if there is no clear response."""
        document = Document(self.documents.text(len(rows)), self.documents.root, "mutation")
        variables = {alias(position): row.variables for position, row in enumerate(rows)}
        # Rows with their keys may be sent again: AppSync refuses to do it twice.
        is_repeatable = not any(row.is_keyless for row in rows)
        request = GraphQLRequest(document, variables, self._auth, is_repeatable)
        sends = 0
        while True:
            sends += 1
            try:
                http = self._api.post(request)
                if http.may_have_run_before:
                    _mark_may_have_run(rows)
                return self._api.parse(http, request)
            except errors.ThrottledError:
                if sends == _MAX_SENDS_WHEN_THROTTLED:
                    raise
            except errors.InvalidResponseError:
                _mark_may_have_run(rows)
                raise
            except (errors.EndpointUnreachableError, errors.ServiceFailedError):
                _mark_may_have_run(rows)
                if sends == _MAX_SENDS_WHEN_UNCLEAR or not is_repeatable:
                    raise
            self._pause(sends)

    def _collect_results(
        self, part: _Part, response: GraphQLResponse, outcome: BatchOutcome, parts: list[_Part]
    ) -> tuple[list[Row], SeedctlError | None]:
        """Enter the results of the rows of *part* into *outcome*, and add those to retry to *parts*.

        Return the rows without a result, and why.
        """
        by_row, for_all = _split_errors(response.errors, len(part.rows))
        data: dict[str, Any] = response.data or {}
        unanswered: list[Row] = []
        throttled: list[Row] = []
        for position, row in enumerate(part.rows):
            name = alias(position)
            entries = by_row.get(name, [])
            of_mutation = [entry for entry in entries if len(entry["path"]) == 1]
            if not of_mutation and (entries or data.get(name) is not None):
                # An error below the mutation is about reading the result: the row was written.
                outcome.errors[row.index] = None
                if row.is_keyless:
                    row.key = self._key_in(data.get(name))
            elif not of_mutation:
                unanswered.append(row)
            elif part.retries < _MAX_SENDS_WHEN_THROTTLED and _is_retryable(row, of_mutation[0]):
                throttled.append(row)
            else:
                failure = graphql_error(of_mutation, response.operation, response.auth_mode)
                explain_denial(failure, self._model, self._verb)
                outcome.errors[row.index] = failure
        if throttled:
            self._pause(part.retries + 1)
            parts.append(_Part(throttled, part.retries + 1))
        if not unanswered:
            return unanswered, None
        error = graphql_error(
            for_all or [{"message": "AppSync's response has no result for this record."}],
            response.operation,
            response.auth_mode,
        )
        was_refused = bool(for_all) and type(error) is errors.GraphQLValidationError
        if not was_refused or len(unanswered) < len(part.rows):
            _mark_may_have_run(unanswered)
        return unanswered, error

    def _key_in(self, result: Any) -> dict[str, Any]:
        """Return the key in the *result* of a mutation; {} if it shows none."""
        found = result if isinstance(result, dict) else {}
        # Only keys of one field are left to the API.
        return {
            name: found[name] for name in self._model.primary_key if found.get(name) is not None
        }

    def _pause(self, sends: int) -> None:
        # 1, 2, 4 … seconds, and a random part so that threads do not retry in step.
        self._api.transport.sleep(2 ** (sends - 1) + random.random())  # noqa: S311 - no secret


def _is_retryable(row: Row, entry: dict[str, Any]) -> bool:
    kind = str(entry.get("errorType"))
    if any(word in kind for word in _UNCLEAR):
        row.may_have_run = True
        return not row.is_keyless
    return any(word in kind for word in _THROTTLED)


def _is_fatal(error: SeedctlError) -> bool:
    """Whether *error*, of a whole request, cannot be caused by one of its rows."""
    if isinstance(error, errors.UnauthorizedError):
        return True
    return not isinstance(error, errors.GraphQLError | errors.ServiceFailedError)


def _mark_may_have_run(rows: list[Row]) -> None:
    for row in rows:
        row.may_have_run = True


def _split_errors(
    entries: list[dict[str, Any]], count: int
) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Return the errors of single rows by alias, and the errors of the whole request."""
    names = {alias(position) for position in range(count)}
    by_row: dict[str, list[dict[str, Any]]] = {}
    for_all = []
    for entry in entries:
        path = entry.get("path")
        if isinstance(path, list) and path and path[0] in names:
            by_row.setdefault(path[0], []).append(entry)
        else:
            for_all.append(entry)
    return by_row, for_all
