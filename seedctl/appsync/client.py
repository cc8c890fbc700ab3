"""The client of a script: ``generate_client()``, ``.models``, ``.queries``, ``.mutations``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from seedctl.appsync.auth_modes import Options
from seedctl.appsync.documents import operation_document
from seedctl.appsync.models import ModelClient
from seedctl.appsync.record_builder import RecordBuilder
from seedctl.appsync.scalars import plain
from seedctl.appsync.selection import type_selection
from seedctl.appsync.values import InputBuilder
from seedctl.errors import UnknownModelError, UnknownOperationError
from seedctl.nearest import advice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seedctl.appsync.api import API
    from seedctl.appsync.auth_modes import AuthMode
    from seedctl.appsync.documents import OperationType
    from seedctl.outputs.models import OperationSignature

_Entry = TypeVar("_Entry")

_COMMENT_OR_TEXT = re.compile(r'"""(?:\\"""|.)*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*', re.DOTALL)


class DataClient:
    """Reads and writes the models of one API. Thread-safe."""

    def __init__(self, api: API) -> None:
        schema = api.section.schema
        inputs = InputBuilder(schema)
        results = RecordBuilder(schema, lambda name: self.models[name])

        def operations(
            kind: OperationType, found: Mapping[str, OperationSignature]
        ) -> Names[CustomOperation]:
            entries = {
                name: CustomOperation(api, kind, operation, inputs, results)
                for name, operation in found.items()
            }
            return Names(f"custom {kind}", entries, UnknownOperationError)

        models = {
            name: ModelClient(api, model, inputs, results) for name, model in schema.models.items()
        }
        enums = {name: EnumValues(values) for name, values in schema.enums.items()}
        self.models = Names("model", models, UnknownModelError)
        self.queries = operations("query", schema.queries)
        self.mutations = operations("mutation", schema.mutations)
        self.enums = Names("enum", enums, UnknownModelError)
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


class Names(Generic[_Entry]):
    """What the schema names: as attributes, and by subscript, where any name can stand.

    ``client.queries["import"]`` has a name that Python reserves.
    """

    def __init__(
        self,
        what: str,
        entries: Mapping[str, _Entry],
        error: type[UnknownModelError | UnknownOperationError],
    ) -> None:
        """*what* the entries are, such as "model"; *error* is raised for a name that is none."""
        self._what = what
        self._entries = entries
        self._error = error

    def __getitem__(self, name: str) -> _Entry:
        if name not in self._entries:
            raise self._error(
                f"The schema has no {self._what} {name}.", resolution=advice(name, self._entries)
            )
        return self._entries[name]

    def __getattr__(self, name: str) -> _Entry:
        # Names that begin so are options for by copy and pickle, before there are any entries.
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._entries]


class CustomOperation:
    """A custom query or mutation, to be called."""

    def __init__(
        self,
        api: API,
        kind: OperationType,
        operation: OperationSignature,
        inputs: InputBuilder,
        results: RecordBuilder,
    ) -> None:
        self._api = api
        self._operation = operation
        self._inputs = inputs
        self._results = results
        selection = type_selection(api.section.schema, operation.result.type)
        self._document = operation_document(kind, operation, selection)

    def __repr__(self) -> str:
        return f"<CustomOperation {self._operation.name}>"

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
