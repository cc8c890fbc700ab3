"""Read the records of a model: get, list, and the queries of secondary indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from seedctl.appsync.auth_modes import AuthMode, AuthOptions
from seedctl.appsync.model_requests import CallOptions, ModelRequests, Paging, SortDirection
from seedctl.appsync.records import Page, Record
from seedctl.errors import UnknownOperationError
from seedctl.nearest import advice

_OPERATIONS = ("create", "get", "list", "update", "delete")
_MORE_OPERATIONS = ("create_many", "delete_many", "fake", "list_all", "upsert")


class ModelQueries:
    """Reads the records of one model."""

    def __init__(self, requests: ModelRequests) -> None:
        self._requests = requests
        self._model = requests.model
        self._inputs = requests.inputs

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._model.indexes})

    def __getattr__(self, name: str) -> Callable[..., Page]:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Callable[..., Page]:
        """Return the query of a secondary index; a subscript takes any name."""
        index = self._model.indexes.get(name)
        if index is None:
            known = [each for each in _OPERATIONS if each not in self._model.disabled]
            raise UnknownOperationError(
                f"{self._model.name} has no operation {name}.",
                resolution=advice(name, [*known, *_MORE_OPERATIONS, *self._model.indexes]),
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
            """Return one page of the records that this secondary index finds.

            Args:
                keys: The first field of the index, which is required, and a condition on its sort
                    key, such as ``{"gt": 5}``. A sort key of several fields is one argument, such
                    as ``statusDate`` for the fields status and date.
                filter: Conditions on other fields, such as ``{"name": {"eq": "x"}}``.
                limit: How many records AppSync reads for a page, before it applies the filter.
                next_token: The ``next_token`` of the page before this one.
                sort_direction: "ASC", the default, or "DESC".
                selection_set: The fields to return, as for get().
                auth_mode: How this request authenticates. None uses the client's auth mode.
                auth_token: The Authorization header of this request.
                headers: HTTP headers that replace the client's.
                validate: False sends the input without checking it against the schema.

            Raises:
                GraphQLError: AppSync returned errors.
                InvalidInputError: A key, filter or option does not fit the schema.
            """
            options = call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
            paging = Paging(filter, limit, next_token, sort_direction)
            return self._requests.page(keys, index, options, paging)

        query.__name__ = query.__qualname__ = name
        return query

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
        """Return the record with this primary key, or None if there is none.

        Args:
            key: The fields of the primary key. Other fields are ignored.
            selection_set: The fields to return, as dotted paths such as "title", "author.*" or
                "comments.text". None returns all of the model's own fields, and methods that load
                its relations.
            auth_mode: How this request authenticates. None uses the client's auth mode.
            auth_token: The Authorization header of this request.
            headers: HTTP headers that replace the client's.
            validate: False sends the key without checking it against the schema.

        Raises:
            GraphQLError: AppSync returned errors, such as UnauthorizedError.
            InvalidInputError: The key is incomplete or has a wrong value.
        """
        options = call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
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
        """Return one page of records.

        Args:
            keys: For a model with a custom identifier: its first field, and a condition on the
                others, such as ``{"gt": 5}``. Several others are one argument, such as
                ``statusDate`` for the fields status and date.
            filter: Conditions on any fields, such as ``{"name": {"eq": "x"}}``, also below "and",
                "or" and "not". Operands are sent as they are.
            limit: How many records AppSync reads for the page; 100 by default. It applies the
                filter to them afterwards, so a page may be short or empty and not be the last.
            next_token: The ``next_token`` of the page before this one.
            sort_direction: "ASC", the default, or "DESC"; only together with *keys*.
            selection_set: The fields to return, as for ``get``.
            auth_mode: How this request authenticates. None uses the client's auth mode.
            auth_token: The Authorization header of this request.
            headers: HTTP headers that replace the client's.
            validate: False sends keys and filter without checking them against the schema.

        Raises:
            GraphQLError: AppSync returned errors. Its ``data`` is the page as far as it was read.
            InvalidInputError: A key, filter or option does not fit the schema.
        """
        options = call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
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
        """Yield every record, page after page. A page is requested when it is needed.

        Args:
            keys: As for ``list``.
            filter: As for ``list``.
            limit: How many records AppSync reads for one page; it does not limit the sum.
            sort_direction: As for ``list``.
            selection_set: The fields to return, as for ``get``.
            auth_mode: How these requests authenticate. None uses the client's auth mode.
            auth_token: The Authorization header of these requests.
            headers: HTTP headers that replace the client's.
            validate: False sends keys and filter without checking them against the schema.

        Raises:
            GraphQLError: AppSync returned errors for a page.
            InvalidInputError: A key, filter or option does not fit the schema.
        """
        options = call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        paging = Paging(filter, limit, None, sort_direction)
        while True:
            page = self._requests.page(keys or {}, None, options, paging)
            yield from page
            if page.next_token is None:
                return
            paging = paging._replace(next_token=page.next_token)


def requests_of(client: ModelQueries) -> ModelRequests:
    """Return what *client* sends requests with. No attribute: an index may have any name."""
    return client._requests  # noqa: SLF001


def call_options(
    auth_mode: AuthMode | None,
    auth_token: str | None,
    headers: Mapping[str, str] | None,
    selection_set: Sequence[str] | None,
    *,
    validate: bool,
) -> CallOptions:
    """Return the options of one call as one object."""
    return CallOptions(AuthOptions(auth_mode, auth_token, None, headers), selection_set, validate)
