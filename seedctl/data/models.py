"""What ``client.models.<Model>`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from seedctl.data.auth_modes import Options
from seedctl.data.documents import (
    get_document,
    index_document,
    list_document,
    mutation_document,
)
from seedctl.data.nearest import advice
from seedctl.data.selection import chosen_selection, default_selection
from seedctl.errors import (
    ConditionalCheckFailedError,
    InvalidInputError,
    UnknownOperationError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from seedctl.data.api import API, Reply
    from seedctl.data.auth_modes import AuthMode
    from seedctl.data.documents import Document
    from seedctl.data.introspection import Index, Model
    from seedctl.data.records import Page, Record
    from seedctl.data.results import Results
    from seedctl.data.selection import Selection
    from seedctl.data.values import Inputs

SortDirection = Literal["ASC", "DESC"]
_Verb = Literal["create", "update", "delete"]
_DONE: dict[_Verb, Literal["created", "updated", "deleted"]] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
}
_OPERATIONS = ("create", "get", "list", "update", "delete")


class _Asked(NamedTuple):
    """The options that every operation takes."""

    call: Options
    paths: Sequence[str] | None
    validate: bool


class _Paging(NamedTuple):
    """The options of lists."""

    filter: Mapping[str, Any] | None
    limit: int | None
    next_token: str | None
    sort_direction: SortDirection | None


class ModelClient:
    """One model's records, for one client: each secondary index is a method too.

    Options are those of the JavaScript client in Python's spelling. ``validate=False`` sends what
    is given without checking it against the schema.
    """

    def __init__(self, api: API, model: Model, inputs: Inputs, results: Results) -> None:
        self._api = api
        self._model = model
        self._inputs = inputs
        self._results = results

    def __repr__(self) -> str:
        return f"<ModelClient {self._model.name}>"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._model.indexes})

    def __getattr__(self, name: str) -> Callable[..., Page]:
        if name.startswith("_"):
            raise AttributeError(name)
        index = self._model.indexes.get(name)
        if index is None:
            known = [*(each for each in _OPERATIONS if each not in self._model.disabled)]
            raise UnknownOperationError(
                f"{self._model.name} has no operation {name}.",
                resolution=advice(name, [*known, "list_all", "upsert", *self._model.indexes]),
            )

        def query(
            keys: Mapping[str, Any],
            *,
            filter: Mapping[str, Any] | None = None,  # noqa: A002 - the JavaScript client's name
            limit: int | None = None,
            next_token: str | None = None,
            sort_direction: SortDirection | None = None,
            selection_set: Sequence[str] | None = None,
            auth_mode: AuthMode | None = None,
            auth_token: str | None = None,
            headers: Mapping[str, str] | None = None,
            validate: bool = True,
        ) -> Page:
            asked = _asked(auth_mode, auth_token, headers, selection_set, validate=validate)
            paging = _Paging(filter, limit, next_token, sort_direction)
            return self._page(keys, index, asked, paging)

        query.__name__ = query.__qualname__ = name
        query.__doc__ = f"Return a page of {self._model.name} by the index {index.name}."
        return query

    def create(
        self,
        record: Mapping[str, Any] | None = None,
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record | None:
        """Create a record and return it as AppSync stored it.

        Raises ConditionalCheckFailedError when one with this key is there already.
        """
        asked = _asked(auth_mode, auth_token, headers, selection_set, validate=validate)
        variables = self._inputs.create(self._model, record or {}, validate=validate)
        return self._mutate("create", variables, asked)

    def update(
        self,
        record: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record | None:
        """Change the given fields of the record with the given key; null takes a value away.

        Raises ConditionalCheckFailedError when there is none.
        """
        asked = _asked(auth_mode, auth_token, headers, selection_set, validate=validate)
        variables = self._inputs.update(self._model, record, validate=validate)
        return self._mutate("update", variables, asked)

    def upsert(
        self,
        record: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record | None:
        """Create the record, or update the one with this key: what makes a seed repeatable."""
        asked = _asked(auth_mode, auth_token, headers, selection_set, validate=validate)
        missing = [name for name in self._model.primary_key if record.get(name) is None]
        if missing:
            raise InvalidInputError(
                f"upsert needs the whole key of {self._model.name}; missing: {', '.join(missing)}.",
                resolution="Give it: a record without its key would be a new one at each run.",
            )
        try:
            variables = self._inputs.create(self._model, record, validate=validate)
            return self._mutate("create", variables, asked)
        except ConditionalCheckFailedError:
            variables = self._inputs.update(self._model, record, validate=validate)
            return self._mutate("update", variables, asked)

    def delete(
        self,
        key: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record | None:
        """Delete the record with this key, and return what it was. Other fields are not sent.

        Raises ConditionalCheckFailedError when there is none.
        """
        asked = _asked(auth_mode, auth_token, headers, selection_set, validate=validate)
        return self._mutate("delete", self._inputs.key(self._model, key, validate=validate), asked)

    def get(
        self,
        key: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record | None:
        """Return the record with this key, or None. Other fields are not sent."""
        self._check_enabled("get")
        asked = _asked(auth_mode, auth_token, headers, selection_set, validate=validate)
        document = get_document(self._model, self._selection(asked.paths))
        variables = self._inputs.key(self._model, key, validate=validate)
        reply = self._send(document, variables, asked)
        return self._record(reply, document, asked)

    def list(
        self,
        keys: Mapping[str, Any] | None = None,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the JavaScript client's name
        limit: int | None = None,
        next_token: str | None = None,
        sort_direction: SortDirection | None = None,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Page:
        """Return one page of records. *keys* narrow it, for a model with an identifier of its own.

        The limit comes before the filter: go by ``next_token``, not by how many came, or use
        :meth:`list_all`.
        """
        asked = _asked(auth_mode, auth_token, headers, selection_set, validate=validate)
        paging = _Paging(filter, limit, next_token, sort_direction)
        return self._page(keys or {}, None, asked, paging)

    def list_all(
        self,
        keys: Mapping[str, Any] | None = None,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the JavaScript client's name
        limit: int | None = None,
        sort_direction: SortDirection | None = None,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Iterator[Record]:
        """Yield every record, page after page; *limit* is the size of a page."""
        asked = _asked(auth_mode, auth_token, headers, selection_set, validate=validate)
        paging = _Paging(filter, limit, None, sort_direction)
        while True:
            page = self._page(keys or {}, None, asked, paging)
            yield from page
            if page.next_token is None:
                return
            paging = paging._replace(next_token=page.next_token)

    def _page(
        self, keys: Mapping[str, Any], index: Index | None, asked: _Asked, paging: _Paging
    ) -> Page:
        if index is None:
            self._check_enabled("list")
        model, validate = self._model, asked.validate
        selection = self._selection(asked.paths)
        if index is not None:
            document, fields = index_document(model, index, selection), index.fields
        else:
            document = list_document(model, selection)
            fields = model.primary_key if model.is_custom_key else ()
        variables = self._inputs.key_conditions(model, fields, keys, validate=validate)
        partition = fields[0] if index is not None else None
        if partition is not None and validate and variables.get(partition) is None:
            raise InvalidInputError(
                f"{document.root} is asked by {partition}, which is missing.",
                resolution=f'Write {document.root}({{"{partition}": ...}}).',
            )
        if paging.filter is not None:
            variables["filter"] = self._inputs.filter(model, paging.filter, validate=validate)
        if paging.sort_direction not in {None, "ASC", "DESC"}:
            raise InvalidInputError(
                f"sort_direction is {paging.sort_direction!r}, not ASC or DESC."
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
        if index is None and not model.is_custom_key:
            variables.pop("sortDirection", None)
        reply = self._send(document, variables, asked)
        values = (reply.data or {}).get(document.root)
        page = self._results.page(model, values, asked.call, has_loaders=asked.paths is None)
        if reply.errors:
            raise reply.error(page)
        return page

    def _mutate(self, verb: _Verb, variables: dict[str, Any], asked: _Asked) -> Record | None:
        self._check_enabled(verb)
        document = mutation_document(verb, self._model, self._selection(asked.paths))
        has_key = all(variables.get(name) is not None for name in self._model.primary_key)
        reply = self._send(
            document, {"input": variables}, asked, is_safe=verb == "create" and has_key
        )
        try:
            record = self._record(reply, document, asked)
        except ConditionalCheckFailedError:
            found = None
            if verb == "create" and reply.may_have_run_before:
                found = self._stored_before(variables, asked)
            if found is None:
                raise
            record = found
        self._api.tell(self._model.name, _DONE[verb])
        return record

    def _stored_before(self, given: Mapping[str, Any], asked: _Asked) -> Record | None:
        """Return the record that an earlier attempt of this very create has stored, if it has.

        That attempt got no answer, so that the next one was refused as a duplicate.
        """
        if "get" in self._model.disabled:
            return None
        key = {name: given[name] for name in self._model.primary_key}
        document = get_document(
            self._model, default_selection(self._api.section.schema, self._model)
        )
        stored = self._record(self._send(document, key, asked), document, asked)
        if stored is None or any(stored.get(name) != value for name, value in given.items()):
            return None
        return stored if asked.paths is None else self.get(key, selection_set=asked.paths)

    def _send(
        self,
        document: Document,
        variables: Mapping[str, Any],
        asked: _Asked,
        *,
        is_safe: bool = True,
    ) -> Reply:
        is_write = document.type == "mutation"
        return self._api.send(
            document.text,
            variables,
            asked.call,
            operation=document.root,
            is_write=is_write,
            is_safe=is_safe,
        )

    def _record(self, reply: Reply, document: Document, asked: _Asked) -> Record | None:
        values = (reply.data or {}).get(document.root)
        has_loaders = asked.paths is None
        record = self._results.record(self._model, values, asked.call, has_loaders=has_loaders)
        if reply.errors:
            raise reply.error(record)
        return record

    def _selection(self, paths: Sequence[str] | None) -> Selection:
        schema = self._api.section.schema
        if paths is None:
            return default_selection(schema, self._model)
        return chosen_selection(schema, self._model, paths)

    def _check_enabled(self, operation: str) -> None:
        if operation in self._model.disabled:
            raise UnknownOperationError(
                f"The schema disables {operation} for {self._model.name}.",
                resolution="Take it out of disableOperations in amplify/data/resource.ts.",
            )


def _asked(
    auth_mode: AuthMode | None,
    auth_token: str | None,
    headers: Mapping[str, str] | None,
    selection_set: Sequence[str] | None,
    *,
    validate: bool,
) -> _Asked:
    return _Asked(Options(auth_mode, auth_token, None, headers), selection_set, validate)
