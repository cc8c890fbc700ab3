"""The requests behind a model's operations: documents, variables, and what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from seedctl.appsync.documents import (
    get_document,
    index_document,
    list_document,
    mutation_document,
)
from seedctl.appsync.selection import chosen_selection, default_selection
from seedctl.errors import (
    ConditionalCheckFailedError,
    InvalidInputError,
    SeedctlError,
    UnknownOperationError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seedctl.appsync.api import API, Reply
    from seedctl.appsync.auth_modes import Options
    from seedctl.appsync.documents import Document
    from seedctl.appsync.record_builder import RecordBuilder
    from seedctl.appsync.records import Page, Record
    from seedctl.appsync.selection import Selection
    from seedctl.appsync.values import InputBuilder
    from seedctl.outputs.models import Index, Model

SortDirection = Literal["ASC", "DESC"]
Verb = Literal["create", "update", "delete"]

_DONE: dict[Verb, Literal["created", "updated", "deleted"]] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
}


class CallOptions(NamedTuple):
    """The options that every operation takes."""

    call: Options
    paths: Sequence[str] | None
    validate: bool


class Paging(NamedTuple):
    """The options of lists."""

    filter: Mapping[str, Any] | None
    limit: int | None
    next_token: str | None
    sort_direction: SortDirection | None


class ModelRequests:
    """Makes the requests for one model, for one client."""

    def __init__(
        self, api: API, model: Model, inputs: InputBuilder, results: RecordBuilder
    ) -> None:
        self._api = api
        self._model = model
        self._inputs = inputs
        self._results = results

    def get(self, key: Mapping[str, Any], options: CallOptions) -> Record | None:
        self.check_enabled("get")
        document = get_document(self._model, self._selection(options.paths))
        return self._record(self._send(document, key, options), document, options)

    def page(
        self, keys: Mapping[str, Any], index: Index | None, options: CallOptions, paging: Paging
    ) -> Page:
        if index is None:
            self.check_enabled("list")
        model, validate = self._model, options.validate
        selection = self._selection(options.paths)
        if index is not None:
            document, fields = index_document(model, index, selection), index.fields
        else:
            document = list_document(model, selection)
            fields = model.primary_key if model.is_custom_key else ()
        variables = self._inputs.key_conditions(model, fields, keys, validate=validate)
        partition = fields[0] if index is not None else None
        if partition is not None and validate and variables.get(partition) is None:
            raise InvalidInputError(
                f"{document.root} is options by {partition}, which is missing.",
                resolution=f'Write {document.root}({{"{partition}": ...}}).',
            )
        if paging.filter is not None:
            variables["filter"] = self._inputs.filter(model, paging.filter, validate=validate)
        if paging.sort_direction not in {None, "ASC", "DESC"}:
            raise InvalidInputError(
                f"sort_direction is {paging.sort_direction!r}, not ASC or DESC."
            )
        if paging.sort_direction is not None and (not fields or fields[0] not in variables):
            raise InvalidInputError(
                f"{document.root} has an order only with a key to list by.",
                resolution="Leave out sort_direction, or list by a key or a secondary index.",
            )
        variables.update(
            sortDirection=paging.sort_direction, limit=paging.limit, nextToken=paging.next_token
        )
        # What is empty is left out, as amplify-js does; an empty filter is not nothing.
        variables = {
            name: value
            for name, value in variables.items()
            if name == partition or value not in (None, "", 0)
        }
        reply = self._send(document, variables, options)
        values = reply.value(document.root)
        if not reply.errors and not _is_page(values):
            raise reply.lacks(f"page of {model.name} records")
        page = self._results.page(model, values, options.call, has_loaders=options.paths is None)
        if reply.errors:
            raise reply.error(page)
        return page

    def mutate(self, verb: Verb, variables: dict[str, Any], options: CallOptions) -> Record:
        self.check_enabled(verb)
        document = mutation_document(verb, self._model, self._selection(options.paths))
        has_key = all(variables.get(name) is not None for name in self._model.primary_key)
        reply = self._send(
            document, {"input": variables}, options, is_safe=verb == "create" and has_key
        )
        try:
            record = self._record(reply, document, options)
        except ConditionalCheckFailedError:
            record = None
            if verb == "create" and reply.may_have_run_before:
                record = self._stored_before(variables, options)
            if record is None:
                raise
            self._api.tell(self._model.name, "present")
            return record
        if record is None:
            raise reply.lacks(f"{self._model.name} record")
        self._api.tell(self._model.name, _DONE[verb])
        return record

    def existing(self, key: Mapping[str, Any], options: CallOptions) -> Record:
        """Return the record that is there already. Raises UnauthorizedError and others."""
        record = self.get(key, options)
        if record is None:
            raise ConditionalCheckFailedError(
                f"A {self._model.name} record with this key is there, but cannot be read.",
                resolution='Use an auth_mode that may read it, or if_exists="update".',
            )
        self._api.tell(self._model.name, "existed")
        return record

    def readable(self, key: Mapping[str, Any], call: Options) -> Record | None:
        """Return the record, or None where there is none or it cannot be read."""
        try:
            return self.get(key, CallOptions(call, None, True))
        except SeedctlError:
            return None

    def _stored_before(self, given: Mapping[str, Any], options: CallOptions) -> Record | None:
        """Return the record that an earlier attempt of this very create has stored, if it has.

        That attempt got no answer, so that the next one was refused as a duplicate.
        """
        if "get" in self._model.disabled:
            return None
        key = {name: given[name] for name in self._model.primary_key}
        document = get_document(
            self._model, default_selection(self._api.section.schema, self._model)
        )
        stored = self._record(self._send(document, key, options), document, options)
        if stored is None or any(stored.get(name) != value for name, value in given.items()):
            return None
        return stored if options.paths is None else self.get(key, options)

    def _send(
        self,
        document: Document,
        variables: Mapping[str, Any],
        options: CallOptions,
        *,
        is_safe: bool = True,
    ) -> Reply:
        is_write = document.type == "mutation"
        return self._api.send(
            document.text,
            variables,
            options.call,
            operation=document.root,
            is_write=is_write,
            is_safe=is_safe,
        )

    def _record(self, reply: Reply, document: Document, options: CallOptions) -> Record | None:
        values = reply.value(document.root)
        if not isinstance(values, dict | None):
            raise reply.lacks(f"{self._model.name} record")
        has_loaders = options.paths is None
        record = self._results.record(self._model, values, options.call, has_loaders=has_loaders)
        if reply.errors:
            raise reply.error(record)
        return record

    def _selection(self, paths: Sequence[str] | None) -> Selection:
        schema = self._api.section.schema
        if paths is None:
            return default_selection(schema, self._model)
        return chosen_selection(schema, self._model, paths)

    def check_enabled(self, operation: str) -> None:
        if operation in self._model.disabled:
            raise UnknownOperationError(
                f"The schema disables {operation} for {self._model.name}.",
                resolution="Take it out of disableOperations in amplify/data/resource.ts.",
            )


def _is_page(values: Any) -> bool:
    """Whether *values* is a list of records, or of what may not be read, with its page token."""
    items = values.get("items") if isinstance(values, dict) else None
    return isinstance(items, list) and all(isinstance(item, dict | None) for item in items)
