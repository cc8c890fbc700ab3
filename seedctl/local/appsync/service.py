"""``POST /graphql``: identify the caller, then parse and execute the request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seedctl.errors import InvalidAmplifyOutputsError, LocalSandboxError
from seedctl.local.appsync.callers import Callers
from seedctl.local.appsync.errors import (
    JSON_TYPE,
    NO_SUBSCRIPTIONS,
    NOT_AVAILABLE,
    InvalidInputError,
    RefusedCallError,
    malformed,
)
from seedctl.local.http1 import Request, Response
from seedctl.local.identity_pool import Principal
from seedctl.local.store import Store
from seedctl.local.websocket import refuse_by_message
from seedctl.outputs.reader import REGENERATE
from seedctl.outputs.sections import DataOutputs

if TYPE_CHECKING:
    from seedctl.local.appsync.engine import Engine
    from seedctl.outputs.model_schema import ModelSources

# The JavaScript client shows only this part of the error, and does not reconnect after code 400.
_ERROR = {
    "errorType": "SubscriptionsNotAvailableLocally",
    "errorCode": 400,
    "message": NO_SUBSCRIPTIONS,
}
# AppSync's GraphQL endpoint puts the errors into a payload, its Events endpoint beside the type.
_REJECTION = {"type": "connection_error", "payload": {"errors": [_ERROR]}, "errors": [_ERROR]}


class GraphQLService:
    """The API of one outputs file's ``data`` section."""

    def __init__(
        self,
        data: DataOutputs,
        *,
        read_sources: Callable[[], ModelSources],
        store: Store,
        clock: Callable[[], float],
        read_token: Callable[[str], dict[str, Any]],
        find_principal: Callable[[str], Principal | None],
    ) -> None:
        """*read_sources* returns what the outputs file has of the models' source.

        *find_principal* returns the holder of a key id of the identity pool, else None.
        """
        self._data = data
        self._read_sources = read_sources
        self._store = store
        self._clock = clock
        self._callers = Callers(data, read_token=read_token, find_principal=find_principal)
        self._lock = threading.Lock()
        self._cached_engine: Engine | None = None

    def answer(self, request: Request) -> Response:
        try:
            caller = self._callers.identify(request.headers)
            text, variables, name = _parse_body(request.body)
            document = self._engine().execute(text, variables, name, caller)
        except RefusedCallError as error:
            return error.response()
        except InvalidInputError as error:
            document = error.document()
        return Response.json(200, document, content_type=JSON_TYPE)

    def clear_caches(self) -> None:
        """Forget what was read from the state, which was replaced. The schema stays."""
        with self._lock:
            if self._cached_engine is not None:
                self._cached_engine.clear_tables()

    def _engine(self) -> Engine:
        schema = self._data.schema
        if schema is None:
            raise RefusedCallError(
                400,
                NOT_AVAILABLE,
                "The outputs file has no model_introspection, so the API cannot be served locally.",
            )
        with self._lock:
            if self._cached_engine is None:
                # graphql-core takes longer to load than the rest of the sandbox.
                from seedctl.local.appsync.engine import Engine  # noqa: PLC0415

                try:
                    self._cached_engine = Engine(
                        schema,
                        self._read_sources(),
                        api=self._data.url,
                        store=self._store,
                        clock=self._clock,
                    )
                except InvalidAmplifyOutputsError as error:
                    raise LocalSandboxError(error.message, resolution=error.resolution) from error
                except (TypeError, ValueError) as error:
                    # Reading the file validates its parts, but not the schema made of them.
                    raise LocalSandboxError(
                        f"The data section of the outputs file gives no valid GraphQL schema: {error}",
                        resolution=REGENERATE,
                    ) from error
            return self._cached_engine


def refuse_subscriptions(request: Request) -> Response:
    """Return the response to a WebSocket handshake: it rejects the client's first message."""
    return refuse_by_message(request, json.dumps(_REJECTION))


def _parse_body(body: bytes) -> tuple[str, dict[str, Any], str | None]:
    """Return the query, its variables and the operation's name. Raises RefusedCallError."""
    if not body:
        raise malformed("Request body is empty.")
    try:
        document = json.loads(body)
        # JSON may contain unpaired surrogates, which cannot be encoded later.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise malformed("Unable to parse GraphQL query.") from error
    if isinstance(document, dict):
        query, variables, name = map(document.get, ("query", "variables", "operationName"))
        if (
            isinstance(query, str)
            and isinstance(variables, dict | None)
            and isinstance(name, str | None)
        ):
            return query, variables or {}, name
    raise malformed("Unable to parse GraphQL query.")
