"""Create the data clients of one backend, which share connections and the parsed schema."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal, overload

from seedctl.appsync.auth_modes import (
    DEFAULT_AUTH,
    SIGNING_MODES,
    AuthMode,
    AuthOptions,
    Authorizer,
    RequestIdentity,
)
from seedctl.errors import InvalidAuthModeError
from seedctl.outputs import OutputsSource
from seedctl.outputs.sections import DataOutputs
from seedctl.report import Observer

if TYPE_CHECKING:
    from seedctl.appsync.client import BaseDataClient, ClientT, DataClient
    from seedctl.appsync.transport import Network, Transport


@dataclass(eq=False, repr=False)
class DataClientFactory:
    """Creates data clients for one backend. Thread-safe."""

    _network: Network
    _outputs: OutputsSource
    _observer: Observer
    _before_write: Callable[[], None]
    """Called before each mutation is sent."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _data: DataOutputs | None = field(default=None, init=False)
    _transport: Transport | None = field(default=None, init=False)

    def client_for(
        self,
        identity: RequestIdentity,
        auth: AuthOptions = DEFAULT_AUTH,
        *,
        signs_as_caller: bool = False,
    ) -> DataClient:
        """Return a client that acts as *identity*.

        With *signs_as_caller* it signs with the developer's own credentials instead. Raises
        NoEndpoint when the backend has no data resource.
        """
        # urllib3 and the schema code are slow to import, and commands for secrets need neither.
        from seedctl.appsync.api import API, require_data  # noqa: PLC0415
        from seedctl.appsync.client import DataClient  # noqa: PLC0415
        from seedctl.appsync.transport import Transport  # noqa: PLC0415

        with self._lock:
            self._data = self._data or require_data(self._outputs.outputs)
            self._transport = self._transport or Transport(self._network)
        caller = self._network.credentials if signs_as_caller else None
        authorizer = Authorizer(self._data, identity, auth, caller)
        return DataClient(
            API(
                self._data,
                self._transport,
                authorizer,
                self._observer,
                self._before_write,
                model_sources=cache(self._outputs.outputs.model_sources),
            )
        )

    def close(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            self._transport.close()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Data:
    """Creates data clients that act as the user who is signed in when they are called. Thread-safe."""

    _factory: DataClientFactory
    _identity: RequestIdentity

    @overload
    def generate_client(
        self,
        schema: None = None,
        *,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        credentials: Literal["caller"] | None = None,
    ) -> DataClient: ...

    @overload
    def generate_client(
        self,
        schema: type[ClientT],
        *,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        credentials: Literal["caller"] | None = None,
    ) -> ClientT: ...

    def generate_client(
        self,
        schema: type[BaseDataClient] | None = None,
        *,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        credentials: Literal["caller"] | None = None,
    ) -> BaseDataClient:
        """Return a client for the backend's models.

        Args:
            schema: The class ``Schema`` that ``seedctl types`` wrote, which has the types of the
                models for editors and type checkers. None returns a ``DataClient``.
            auth_mode: How the client's requests authenticate; each call may choose another. None
                uses the default of the outputs file.
            auth_token: The Authorization header of the client's requests, for "lambda" and "oidc".
            api_key: Replaces the API key of the outputs file.
            headers: HTTP headers of each request that has no headers of its own.
            credentials: "caller" signs with the developer's own AWS credentials, which may write
                to every model; such records have no owner. It needs an *auth_mode* that signs
                ("iam", the default then, or "identityPool").

        Raises:
            InvalidAuthModeError: *auth_mode* is unknown, or cannot be combined with *credentials*.
            InvalidInputError: *schema* is no such class, but an auth mode, for example.
            NoEndpoint: The backend has no data resource.
        """
        if credentials is not None:
            if credentials != "caller" or auth_mode not in {None, *SIGNING_MODES}:
                raise InvalidAuthModeError(
                    f"credentials={credentials!r} cannot be combined with auth_mode={auth_mode!r}.",
                    resolution='Write generate_client(credentials="caller"), which signs (iam).',
                )
            auth_mode = auth_mode or "iam"
        auth = AuthOptions(auth_mode, auth_token, api_key, headers)
        client = self._factory.client_for(
            self._identity, auth, signs_as_caller=credentials is not None
        )
        return client if schema is None else client.with_schema(schema)
