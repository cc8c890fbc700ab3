"""What ``client.models.<Model>`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from seedctl.appsync.auth_modes import Options
from seedctl.appsync.bulk import IfExists
from seedctl.appsync.index_keys import completed, is_partial
from seedctl.appsync.many import BulkOptions, BulkRequests, check_choice
from seedctl.appsync.requests import CallOptions, ModelRequests, Paging
from seedctl.errors import ConditionalCheckFailedError, InvalidInputError, UnknownOperationError
from seedctl.nearest import advice

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from seedctl.appsync.api import API
    from seedctl.appsync.auth_modes import AuthMode
    from seedctl.appsync.bulk import RowResult
    from seedctl.appsync.many import OnError
    from seedctl.appsync.record_builder import RecordBuilder
    from seedctl.appsync.records import Page, Record
    from seedctl.appsync.requests import SortDirection
    from seedctl.appsync.row_keys import KeyOf
    from seedctl.appsync.values import InputBuilder
    from seedctl.outputs.models import Model

_OPERATIONS = ("create", "get", "list", "update", "delete")
_OURS = ("create_many", "delete_many", "list_all", "upsert")


class ModelClient:
    """One model's records, for one client: each secondary index is a method too.

    Options are those of the JavaScript client in Python's spelling. ``validate=False`` sends what
    is given without checking it against the schema.
    """

    def __init__(
        self, api: API, model: Model, inputs: InputBuilder, results: RecordBuilder
    ) -> None:
        self._model = model
        self._inputs = inputs
        self._requests = ModelRequests(api, model, inputs, results)
        self._bulk = BulkRequests(api, model, inputs, self._requests)

    def __repr__(self) -> str:
        return f"<ModelClient {self._model.name}>"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._model.indexes})

    def __getattr__(self, name: str) -> Callable[..., Page]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Callable[..., Page]:
        """Return the query of a secondary index: by subscript its name may be any."""
        index = self._model.indexes.get(name)
        if index is None:
            known = [*(each for each in _OPERATIONS if each not in self._model.disabled)]
            raise UnknownOperationError(
                f"{self._model.name} has no operation {name}.",
                resolution=advice(name, [*known, *_OURS, *self._model.indexes]),
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
            options = _call_options(
                auth_mode, auth_token, headers, selection_set, validate=validate
            )
            paging = Paging(filter, limit, next_token, sort_direction)
            return self._requests.page(keys, index, options, paging)

        query.__name__ = query.__qualname__ = name
        query.__doc__ = f"Return a page of {self._model.name} by the index {index.name}."
        return query

    def create(
        self,
        record: Mapping[str, Any] | None = None,
        *,
        if_exists: IfExists = "error",
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record:
        """Create a record and return it as AppSync stored it.

        For a record whose key is there already *if_exists* decides: "error" raises
        ConditionalCheckFailedError, "skip" returns the one that is there as it is, "update" gives it
        the fields of this one. The last two need the whole key.
        """
        check_choice("if_exists", if_exists, get_args(IfExists))
        options = _call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        given = record or {}
        key = self._whole_key(given) if if_exists != "error" else {}
        variables = self._inputs.create(self._model, given, validate=validate)
        stored = None
        if if_exists != "error" and validate and is_partial(self._model, variables):
            # AppSync would refuse the create for its index key before it looks for the record.
            stored = self._requests.readable(key, options.call)
        if stored is None:
            try:
                return self._requests.mutate("create", variables, options)
            except ConditionalCheckFailedError:
                if if_exists == "error":
                    raise
        if if_exists == "skip":
            return self._requests.existing(key, options)
        return self._update(given, options, stored)

    def update(
        self,
        record: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record:
        """Change the given fields of the record with the given key; null takes a value away.

        Where a secondary index is sorted by several fields and only some of them are given, the
        others are read from the record, since AppSync takes them together. Raises
        ConditionalCheckFailedError when there is none.
        """
        options = _call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        return self._update(record, options)

    def upsert(
        self,
        record: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record:
        """Create the record, or update the one with this key: what makes a seed repeatable."""
        return self.create(
            record,
            if_exists="update",
            selection_set=selection_set,
            auth_mode=auth_mode,
            auth_token=auth_token,
            headers=headers,
            validate=validate,
        )

    def delete(
        self,
        key: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record:
        """Delete the record with this key, and return what it was. Other fields are not sent.

        Raises ConditionalCheckFailedError when there is none.
        """
        options = _call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        variables = self._inputs.key(self._model, key, validate=validate)
        return self._requests.mutate("delete", variables, options)

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
        options = _call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        return self._requests.get(self._inputs.key(self._model, key, validate=validate), options)

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
        options = _call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        paging = Paging(filter, limit, next_token, sort_direction)
        return self._requests.page(keys or {}, None, options, paging)

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
        options = _call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        paging = Paging(filter, limit, None, sort_direction)
        while True:
            page = self._requests.page(keys or {}, None, options, paging)
            yield from page
            if page.next_token is None:
                return
            paging = paging._replace(next_token=page.next_token)

    def create_many(
        self,
        rows: Iterable[Mapping[str, Any]],
        *,
        key: KeyOf | None = None,
        concurrency: int = 8,
        batch_size: int = 25,
        if_exists: IfExists = "error",
        on_error: OnError = "raise",
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> builtins.list[RowResult]:
        """Create a record of each of *rows*, *batch_size* in a request, many requests at once.

        *key* names the fields that ids are derived from, or is a function of the row: the next run
        then meets the same records. Without it a row that has no id gets a random one. A generator
        is drawn as far as there is room. Raises BulkError, when all rows were tried, if any failed.
        """
        call = Options(auth_mode, auth_token, None, headers)
        options = BulkOptions(call, validate, concurrency, batch_size, on_error)
        return self._bulk.create(rows, key, if_exists, options)

    def delete_many(
        self,
        keys: Iterable[Mapping[str, Any]],
        *,
        concurrency: int = 8,
        batch_size: int = 25,
        on_error: OnError = "raise",
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> builtins.list[RowResult]:
        """Delete the records with these keys; one that is not there is no failure.

        Raises BulkError, when all were tried, if any failed.
        """
        call = Options(auth_mode, auth_token, None, headers)
        options = BulkOptions(call, validate, concurrency, batch_size, on_error)
        return self._bulk.delete(keys, options)

    def _update(
        self, given: Mapping[str, Any], options: CallOptions, stored: Record | None = None
    ) -> Record:
        """Update a record; *stored* is it as far as it was read already."""
        variables = self._inputs.update(self._model, given, validate=options.validate)
        if options.validate:
            key = {name: variables[name] for name in self._model.primary_key}
            unread = options._replace(paths=None)
            variables = completed(
                self._model, variables, lambda: stored or self._requests.get(key, unread)
            )
        return self._requests.mutate("update", variables, options)

    def _whole_key(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the key of *record*. Raises InvalidInputError where a part of it is missing."""
        key = self._inputs.key(self._model, record, validate=False)
        missing = [name for name in self._model.primary_key if key.get(name) is None]
        if missing:
            raise InvalidInputError(
                f"The whole key of {self._model.name} is needed to find a record that is there; "
                f"missing: {', '.join(missing)}.",
                resolution="Give it: a record without its key would be a new one at each run.",
            )
        return key


def _call_options(
    auth_mode: AuthMode | None,
    auth_token: str | None,
    headers: Mapping[str, str] | None,
    selection_set: Sequence[str] | None,
    *,
    validate: bool,
) -> CallOptions:
    return CallOptions(Options(auth_mode, auth_token, None, headers), selection_set, validate)
