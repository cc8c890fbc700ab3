"""Execute requests on the schema of one API. Importing this module loads graphql-core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, execute_sync

from seedctl.local.appsync.callers import Caller
from seedctl.local.appsync.documents import locations, operation_of, read_document
from seedctl.local.appsync.errors import FieldError, malformed
from seedctl.local.appsync.introspection import deployed_models
from seedctl.local.appsync.request import GraphQLRequest, path_text
from seedctl.local.appsync.rows import prepare
from seedctl.local.appsync.scalars import InvalidScalarError
from seedctl.local.appsync.schema import build
from seedctl.local.appsync.variables import check_variables
from seedctl.local.store import Store
from seedctl.outputs import models as outputs

if TYPE_CHECKING:
    from seedctl.outputs.model_schema import ModelSources

_MAX_CACHED_DOCUMENTS = 128
_MAX_CACHED_LENGTH = 16 * 1024


class Engine:
    def __init__(
        self,
        schema: outputs.Introspection,
        sources: ModelSources,
        *,
        api: str,
        store: Store,
        clock: Callable[[], float],
    ) -> None:
        """*sources* are the models as their source declares them, none if it is not known.

        Raises ValueError or TypeError if *schema* gives no valid GraphQL schema.
        """
        models = deployed_models(schema, sources)
        self._schema = build(schema, models)
        self._parse = partial(read_document, self._schema)
        # A seed script sends the same few documents many times.
        self._parse_cached = lru_cache(_MAX_CACHED_DOCUMENTS)(self._parse)
        self._prepare = partial(prepare, store, api, models)
        self._tables: dict[str, int] | None = self._prepare()
        self._request = partial(GraphQLRequest, store=store, api=api, clock=clock)

    def clear_tables(self) -> None:
        """Look up the tables of the models again at the next request: the state was replaced."""
        self._tables = None

    def execute(
        self, text: str, variables: Mapping[str, Any], name: str | None, caller: Caller
    ) -> dict[str, Any]:
        """Return the response document. Raises RefusedCallError or InvalidInputError."""
        parse = self._parse_cached if len(text) <= _MAX_CACHED_LENGTH else self._parse
        document = parse(text)
        operation = operation_of(document, name)
        if self._tables is None:
            self._tables = self._prepare()
        request = self._request(caller, tables=self._tables)
        try:
            check_variables(self._schema, operation, variables)
            result = execute_sync(
                self._schema,
                document,
                context_value=request,
                variable_values=dict(variables),
                operation_name=name,
            )
        except RecursionError as error:
            raise malformed("Unable to parse GraphQL query.") from error
        if request.internal_errors:
            raise request.internal_errors[0]
        if not result.errors:
            return {"data": result.data}
        return {"data": result.data, "errors": [_error_document(error) for error in result.errors]}


def _error_document(error: GraphQLError) -> dict[str, Any]:
    cause = error.original_error
    message = error.message
    if isinstance(cause, InvalidScalarError):
        message = f"Can't serialize value ({path_text(error.path or [])}) : {cause}"
    document = {"path": error.path, "locations": locations(error), "message": message}
    if isinstance(cause, FieldError):
        document.update(data=None, errorType=cause.error_type, errorInfo=None)
    return document
