"""The data client of a script: ``generate_client()``, ``.models``, ``.queries``, ``.mutations``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from seedctl.appsync.api import API, GraphQLRequest
from seedctl.appsync.auth_modes import AuthMode, AuthOptions
from seedctl.appsync.documents import Document, OperationType, operation_document, type_selection
from seedctl.appsync.input_builder import InputBuilder
from seedctl.appsync.model_client import ModelClient
from seedctl.appsync.model_requests import ModelRequests
from seedctl.appsync.records import RecordBuilder
from seedctl.appsync.values import to_json
from seedctl.errors import InvalidInputError, UnknownModelError, UnknownOperationError
from seedctl.masking import mask
from seedctl.nearest import advice
from seedctl.outputs.models import OperationSignature

ClientT = TypeVar("ClientT", bound="BaseDataClient")
_Entry = TypeVar("_Entry")

_COMMENT_OR_STRING = re.compile(r'"""(?:\\"""|.)*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*', re.DOTALL)


class BaseDataClient:
    """The base of ``DataClient`` and of the ``Schema`` class that ``seedctl types`` writes.

    The subclasses declare the types of ``models``, ``queries``, ``mutations`` and ``enums``.
    """

    def __init__(self, api: API) -> None:
        schema = api.schema
        inputs = InputBuilder(schema)
        results = RecordBuilder(schema, lambda name: models[name])

        def operations(
            kind: OperationType, found: Mapping[str, OperationSignature]
        ) -> Namespace[CustomOperation]:
            entries = {}
            for name, operation in found.items():
                selection = type_selection(schema, operation.result.type)
                document = operation_document(kind, operation, selection)
                entries[name] = CustomOperation(api, document, operation, inputs, results)
            return Namespace(f"custom {kind}", entries, UnknownOperationError)

        models = {
            name: ModelClient(ModelRequests(api, model, inputs, results))
            for name, model in schema.models.items()
        }
        enums = {name: EnumValues(values) for name, values in schema.enums.items()}
        vars(self).update(
            models=Namespace("model", models, UnknownModelError),
            queries=operations("query", schema.queries),
            mutations=operations("mutation", schema.mutations),
            enums=Namespace("enum", enums, UnknownModelError),
        )
        self._api = api

    def with_schema(self, schema: type[ClientT]) -> ClientT:
        """Return a client that does the same as this one, as an object of the class *schema*.

        ``session.data.with_schema(Schema)`` gives the client of a session the types of the models.

        Args:
            schema: The class ``Schema`` of the file that ``seedctl types`` writes.

        Raises:
            InvalidInputError: *schema* is something else.
        """
        if not isinstance(schema, type) or not issubclass(schema, BaseDataClient):
            advice = "Give the class Schema of the file that seedctl types writes."
            if isinstance(schema, str):
                advice = f'To choose how requests authenticate, write auth_mode="{mask(schema)}".'
            kind = schema.__name__ if isinstance(schema, type) else f"a {type(schema).__name__}"
            raise InvalidInputError(
                f"The schema of a client is a class that seedctl types wrote, not {kind}.",
                resolution=advice,
            )
        return schema(self._api)

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
        """Send a GraphQL document as it is, and return its data as plain dicts.

        Args:
            document: The text of the query or mutation.
            variables: Their values, by name without ``$``. They are not checked.
            auth_mode: How this request authenticates. None uses the client's auth mode.
            auth_token: The Authorization header of this request.
            api_key: Replaces the client's API key.
            headers: HTTP headers that replace the client's.

        Raises:
            GraphQLError: The response has errors. Its ``data`` is the partial result.
        """
        # The word "mutation" in a comment or a string does not count.
        is_write = bool(re.search(r"\bmutation\b", _COMMENT_OR_STRING.sub(" ", document)))
        auth = AuthOptions(auth_mode, auth_token, api_key, headers)
        sent = Document(document, "graphql", "mutation" if is_write else "query")
        request = GraphQLRequest(sent, to_json(variables or {}), auth, not is_write)
        response = self._api.send(request)
        if response.errors:
            raise response.error(response.data)
        data: dict[str, Any] = response.data or {}
        return data


class DataClient(BaseDataClient):
    """Reads and writes the models of one API. Thread-safe."""

    models: Namespace[ModelClient]
    """The models of the schema, by name: ``client.models.Todo``."""
    queries: Namespace[CustomOperation]
    """The custom queries, to be called: ``client.queries.echo({"message": "hi"})``."""
    mutations: Namespace[CustomOperation]
    """The custom mutations, to be called."""
    enums: Namespace[EnumValues]
    """The enums of the schema: ``client.enums.Status.values()``."""


@dataclass(eq=False, repr=False)
class Namespace(Generic[_Entry]):
    """The models, operations or enums of the schema, as attributes and by subscript.

    A subscript takes any name, such as one that Python reserves: ``client.queries["import"]``.
    """

    _what: str
    """What the entries are, such as "model"."""
    _entries: Mapping[str, _Entry]
    _error: type[UnknownModelError | UnknownOperationError]
    """Raised for an unknown name."""

    def __getitem__(self, name: str) -> _Entry:
        if name not in self._entries:
            raise self._error(
                f"The schema has no {self._what} {name}.", resolution=advice(name, self._entries)
            )
        return self._entries[name]

    def __getattr__(self, name: str) -> _Entry:
        # copy and pickle look for private names before _entries exists.
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._entries]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CustomOperation:
    """A custom query or mutation of the schema."""

    _api: API
    _document: Document
    _operation: OperationSignature
    _inputs: InputBuilder
    _results: RecordBuilder

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
        """Run the operation and return its result: records, custom-type values, or scalars.

        Args:
            arguments: The arguments in the schema, by name.
            auth_mode: How this request authenticates. None uses the client's auth mode.
            auth_token: The Authorization header of this request.
            headers: HTTP headers that replace the client's.
            validate: False sends the arguments without checking them against the schema.

        Raises:
            GraphQLError: The response has errors. Its ``data`` is the partial result.
            InvalidInputError: The arguments do not fit the schema.
        """
        auth = AuthOptions(auth_mode, auth_token, None, headers)
        variables = self._inputs.arguments(self._operation, arguments or {}, validate=validate)
        is_query = self._document.type == "query"
        response = self._api.send(GraphQLRequest(self._document, variables, auth, is_query))
        data = response.value(self._operation.name)
        value = self._results.value(self._operation.result.type, data, auth)
        if response.errors:
            raise response.error(value)
        return value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EnumValues:
    """One enum of the schema. Iterating it yields its values."""

    _values: tuple[str, ...]

    def values(self) -> list[str]:
        """Return the values in the order of the schema."""
        return list(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)
