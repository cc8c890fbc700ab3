"""The client of a script: ``generate_client()``, ``.models``, ``.queries``, ``.mutations``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seedctl.data.auth_modes import Options
from seedctl.data.documents import operation_document
from seedctl.data.models import ModelClient
from seedctl.data.nearest import advice
from seedctl.data.results import Results
from seedctl.data.scalars import plain
from seedctl.data.selection import type_selection
from seedctl.data.values import Inputs
from seedctl.errors import UnknownModelError, UnknownOperationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seedctl.data.api import API
    from seedctl.data.auth_modes import AuthMode
    from seedctl.data.documents import OperationType
    from seedctl.project.models import Operation

_COMMENT_OR_TEXT = re.compile(r'"""(?:\\"""|.)*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*', re.DOTALL)


class DataClient:
    """Reads and writes the models of one API. Thread-safe."""

    def __init__(self, api: API) -> None:
        schema = api.section.schema
        inputs = Inputs(schema)
        results = Results(schema, lambda name: self.models[name])
        self.models = Models(
            {
                name: ModelClient(api, model, inputs, results)
                for name, model in schema.models.items()
            }
        )
        self.queries = Operations(
            "query",
            {
                name: CustomOperation(api, "query", operation, inputs, results)
                for name, operation in schema.queries.items()
            },
        )
        self.mutations = Operations(
            "mutation",
            {
                name: CustomOperation(api, "mutation", operation, inputs, results)
                for name, operation in schema.mutations.items()
            },
        )
        self.enums = Enums(schema.enums)
        self._api = api

    def graphql(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a GraphQL *document* as it is, and return its data as plain dicts.

        Raises GraphQLError, with the partial data, when the answer has errors.
        """
        is_write = bool(re.search(r"\bmutation\b", _COMMENT_OR_TEXT.sub(" ", document)))
        reply = self._api.send(
            document,
            plain(variables or {}),
            Options(auth_mode, auth_token, api_key, headers),
            operation="graphql",
            is_write=is_write,
            is_safe=not is_write,
        )
        if reply.errors:
            raise reply.error(reply.data)
        data: dict[str, Any] = reply.data or {}
        return data


class Models:
    """``client.models``: the models of the schema, as attributes and by subscript."""

    def __init__(self, models: Mapping[str, ModelClient]) -> None:
        self._models = models

    def __getitem__(self, name: str) -> ModelClient:
        return self.__getattr__(name)

    def __getattr__(self, name: str) -> ModelClient:
        if name.startswith("_"):
            raise AttributeError(name)
        model = self._models.get(name)
        if model is None:
            raise UnknownModelError(
                f"The schema has no model {name}.", resolution=advice(name, self._models)
            )
        return model

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._models]


class Operations:
    """``client.queries`` or ``client.mutations``: the schema's custom operations."""

    def __init__(self, kind: OperationType, operations: Mapping[str, CustomOperation]) -> None:
        self._kind = kind
        self._operations = operations

    def __getattr__(self, name: str) -> CustomOperation:
        if name.startswith("_"):
            raise AttributeError(name)
        operation = self._operations.get(name)
        if operation is None:
            raise UnknownOperationError(
                f"The schema has no custom {self._kind} {name}.",
                resolution=advice(name, self._operations),
            )
        return operation

    def __iter__(self) -> Iterator[str]:
        return iter(self._operations)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._operations]


class CustomOperation:
    """A custom query or mutation, to be called."""

    def __init__(
        self, api: API, kind: OperationType, operation: Operation, inputs: Inputs, results: Results
    ) -> None:
        self._api = api
        self._operation = operation
        self._inputs = inputs
        self._results = results
        selection = type_selection(api.section.schema, operation.result.type)
        self._document = operation_document(kind, operation, selection)

    def __call__(
        self,
        arguments: Mapping[str, Any] | None = None,
        *,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Any:
        """Return what the operation answers: records, custom-type values, or scalars."""
        is_write = self._document.type == "mutation"
        call = Options(auth_mode, auth_token, None, headers)
        reply = self._api.send(
            self._document.text,
            self._inputs.arguments(self._operation, arguments or {}, validate=validate),
            call,
            operation=self._operation.name,
            is_write=is_write,
            is_safe=not is_write,
        )
        data = reply.value(self._operation.name)
        value = self._results.value(self._operation.result.type, data, call)
        if reply.errors:
            raise reply.error(value)
        return value


class EnumValues:
    """One enum of the schema."""

    def __init__(self, values: tuple[str, ...]) -> None:
        self._values = values

    def values(self) -> list[str]:
        return list(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)


class Enums:
    """``client.enums``: the enums of the schema."""

    def __init__(self, enums: Mapping[str, tuple[str, ...]]) -> None:
        self._enums = enums

    def __getattr__(self, name: str) -> EnumValues:
        if name.startswith("_"):
            raise AttributeError(name)
        values = self._enums.get(name)
        if values is None:
            raise UnknownModelError(
                f"The schema has no enum {name}.", resolution=advice(name, self._enums)
            )
        return EnumValues(values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._enums)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._enums]
