"""Build and send the requests behind a model's methods, and interpret the responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from seedctl import errors
from seedctl.appsync.api import API, GraphQLRequest, GraphQLResponse
from seedctl.appsync.auth_modes import AuthOptions
from seedctl.appsync.documents import (
    Document,
    Selection,
    default_selection,
    get_document,
    index_document,
    list_document,
    mutation_document,
    path_selection,
)
from seedctl.appsync.field_rules import explain_denial, explain_unread
from seedctl.appsync.input_builder import InputBuilder
from seedctl.appsync.keys import complete_index_keys
from seedctl.appsync.records import Page, Record, RecordBuilder
from seedctl.outputs.models import Index, Model

SortDirection = Literal["ASC", "DESC"]
Verb = Literal["create", "update", "delete"]

_STATES: dict[Verb, Literal["created", "updated", "deleted"]] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
}


class CallOptions(NamedTuple):
    """The options that every method of a model takes."""

    auth: AuthOptions
    selection_set: Sequence[str] | None
    validate: bool

    @property
    def loader_auth(self) -> AuthOptions | None:
        """What relations load with; None if the selection set names what to load."""
        return self.auth if self.selection_set is None else None


class Paging(NamedTuple):
    """The options of lists."""

    filter: Mapping[str, Any] | None
    limit: int | None
    next_token: str | None
    sort_direction: SortDirection | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelRequests:
    """Sends the requests for one model, for one client."""

    api: API
    model: Model
    inputs: InputBuilder
    results: RecordBuilder

    def get(self, key: Mapping[str, Any], options: CallOptions) -> Record | None:
        self.check_enabled("get")
        document = get_document(self.model, self._selection(options.selection_set))
        return self._record(self._read(document, key, options), document, options)

    def page(
        self, keys: Mapping[str, Any], index: Index | None, options: CallOptions, paging: Paging
    ) -> Page:
        """Return one page of the list of all records, or of the query of *index*."""
        if index is None:
            self.check_enabled("list")
        selection = self._selection(options.selection_set)
        if index is not None:
            document = index_document(self.model, index, selection)
        else:
            document = list_document(self.model, selection)
        variables = self._page_variables(keys, index, options, paging)
        response = self._read(document, variables, options)
        values = response.value(document.root)
        if not response.errors and not _is_page(values):
            raise response.missing(f"page of {self.model.name} records")
        page = self.results.page(self.model, values, options.loader_auth)
        if response.errors:
            error = response.error(page)
            explain_unread(error)
            raise error
        return page

    def _page_variables(
        self, keys: Mapping[str, Any], index: Index | None, options: CallOptions, paging: Paging
    ) -> dict[str, Any]:
        model, validate = self.model, options.validate
        if index is not None:
            method, fields = f"{model.name}.{index.query_field}", index.fields
        else:
            method, fields = f"{model.name}.list", model.primary_key if model.is_custom_key else ()
        variables = self.inputs.key_conditions(model, method, fields, keys, validate=validate)
        required = fields[0] if index is not None else None
        if required is not None and validate and variables.get(required) is None:
            raise errors.InvalidInputError(
                f"{method} requires {required}, which is missing.",
                resolution=f'Write {method}({{"{required}": ...}}).',
            )
        if paging.filter is not None:
            variables["filter"] = self.inputs.filter(model, paging.filter, validate=validate)
        if paging.sort_direction not in {None, "ASC", "DESC"}:
            raise errors.InvalidInputError(
                f"sort_direction is {paging.sort_direction!r}, not ASC or DESC."
            )
        if paging.sort_direction is not None and (not fields or fields[0] not in variables):
            raise errors.InvalidInputError(
                f"sort_direction needs a partition key, and {method} was called without one.",
                resolution="Leave out sort_direction, or list by a key or a secondary index.",
            )
        variables.update(
            sortDirection=paging.sort_direction, limit=paging.limit, nextToken=paging.next_token
        )
        # Leave out empty values, as amplify-js does. An empty filter counts as a value.
        return {
            name: value
            for name, value in variables.items()
            if name == required or value not in (None, "", 0)
        }

    def mutate(self, verb: Verb, variables: dict[str, Any], options: CallOptions) -> Record:
        self.check_enabled(verb)
        document = mutation_document(verb, self.model, self._selection(options.selection_set))
        has_key = all(variables.get(name) is not None for name in self.model.primary_key)
        is_repeatable = verb == "create" and has_key  # the second create is refused
        request = GraphQLRequest(document, {"input": variables}, options.auth, is_repeatable)
        response = self.api.send(request)
        try:
            record = self._record(response, document, options)
        except errors.ConditionalCheckFailedError:
            record = None
            if verb == "create" and response.may_have_run_before:
                record = self._created_by_lost_attempt(variables, options)
            if record is None:
                raise
            self.api.report_record(self.model.name, "present")
            return record
        except errors.UnauthorizedError as error:
            self._explain(error, verb)
            raise
        if record is None:
            raise response.missing(f"{self.model.name} record")
        self.api.report_record(self.model.name, _STATES[verb])
        return record

    def _explain(self, error: errors.UnauthorizedError, verb: Verb) -> None:
        """Say which rule denied the mutation, or what of its result it denied."""
        if not explain_unread(error):
            explain_denial(error, self.model, verb)
            return
        self.api.report_record(self.model.name, _STATES[verb])
        error.resolution = f"The record was {_STATES[verb]}. {error.resolution}"

    def get_existing(self, key: Mapping[str, Any], options: CallOptions) -> Record:
        """Return a record that is known to exist. Raises UnauthorizedError and others."""
        record = self.get(key, options)
        if record is None:
            raise errors.ConditionalCheckFailedError(
                f"A {self.model.name} record with this key exists, but cannot be read.",
                resolution='Use an auth_mode that may read it, or if_exists="update".',
            )
        self.api.report_record(self.model.name, "existed")
        return record

    def get_if_readable(self, key: Mapping[str, Any], auth: AuthOptions) -> Record | None:
        """Return the record, or None if it does not exist or cannot be read."""
        try:
            return self.get(key, CallOptions(auth, None, True))
        except errors.SeedctlError:
            return None

    def update_input(
        self, given: Mapping[str, Any], options: CallOptions, stored: Record | None = None
    ) -> dict[str, Any]:
        """Return the input of an update. *stored* is the record as far as it was read already.

        Raises InvalidInputError if *given* lacks a part of the key.
        """
        variables = self.inputs.update(self.model, given, validate=options.validate)
        if not options.validate:
            return variables
        key = {name: variables[name] for name in self.model.primary_key}
        all_fields = options._replace(selection_set=None)
        return complete_index_keys(
            self.model, variables, lambda: stored or self.get(key, all_fields)
        )

    def _created_by_lost_attempt(
        self, variables: Mapping[str, Any], options: CallOptions
    ) -> Record | None:
        """Return the record if an earlier attempt of this very create has stored it, else None.

        The response of that attempt was lost, and the next attempt was refused as a duplicate.
        """
        if "get" in self.model.disabled:
            return None
        key = {name: variables[name] for name in self.model.primary_key}
        document = get_document(self.model, self._selection(None))
        stored = self._record(self._read(document, key, options), document, options)
        if stored is None or any(stored.get(name) != value for name, value in variables.items()):
            return None
        return stored if options.selection_set is None else self.get(key, options)

    def _read(
        self, document: Document, variables: Mapping[str, Any], options: CallOptions
    ) -> GraphQLResponse:
        return self.api.send(GraphQLRequest(document, variables, options.auth, True))

    def _record(
        self, response: GraphQLResponse, document: Document, options: CallOptions
    ) -> Record | None:
        values = response.value(document.root)
        if not isinstance(values, dict | None):
            raise response.missing(f"{self.model.name} record")
        record = self.results.record(self.model, values, options.loader_auth)
        if response.errors:
            error = response.error(record)
            explain_unread(error)
            raise error
        return record

    def _selection(self, paths: Sequence[str] | None) -> Selection:
        schema = self.api.schema
        if paths is None:
            return default_selection(schema, self.model)
        return path_selection(schema, self.model, paths)

    def check_enabled(self, operation: str) -> None:
        if operation in self.model.disabled:
            raise errors.UnknownOperationError(
                f"The schema disables {operation} for {self.model.name}.",
                resolution="Remove it from disableOperations in amplify/data/resource.ts.",
            )


def _is_page(values: object) -> bool:
    """Whether *values* is a list of records, with None for those that may not be read."""
    items = values.get("items") if isinstance(values, dict) else None
    return isinstance(items, list) and all(isinstance(item, dict | None) for item in items)
