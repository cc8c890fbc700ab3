"""Data clients of one backend, which share connections and the parsed schema."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

from seedctl.appsync.auth_modes import NO_OPTIONS, Options
from seedctl.appsync.transport import Transport
from seedctl.errors import InvalidAuthModeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.appsync.auth_modes import AuthMode, RequestIdentity
    from seedctl.appsync.client import DataClient
    from seedctl.appsync.section import DataSection
    from seedctl.appsync.transport import Network
    from seedctl.outputs import OutputsSource
    from seedctl.report import Observer

_SIGNING = ("iam", "identityPool")


class DataClientFactory:
    """Makes data clients for one backend. Thread-safe."""

    def __init__(
        self,
        network: Network,
        outputs: OutputsSource,
        observer: Observer,
        before_write: Callable[[], None],
    ) -> None:
        self._network = network
        self._outputs = outputs
        self._observer = observer
        self._before_write = before_write
        self._lock = threading.Lock()
        self._section: DataSection | None = None
        self._transport = Transport(network)

    def client_for(
        self,
        identity: RequestIdentity,
        options: Options = NO_OPTIONS,
        *,
        signs_as_caller: bool = False,
    ) -> DataClient:
        """Return a client that acts as *identity*, or *signs_as_caller* with the developer's keys.

        Raises NoEndpoint when the backend has no data resource.
        """
        # Most of the package, which takes its time to load: secrets need none of it.
        from seedctl.appsync.api import API  # noqa: PLC0415
        from seedctl.appsync.client import DataClient  # noqa: PLC0415
        from seedctl.appsync.section import parse_data_section  # noqa: PLC0415

        with self._lock:
            if self._section is None:
                self._section = parse_data_section(self._outputs.outputs)
        api = API(
            self._section,
            self._transport,
            identity,
            options,
            caller=self._network.credentials if signs_as_caller else None,
            observer=self._observer,
            before_write=self._before_write,
        )
        return DataClient(api)

    def close(self) -> None:
        self._transport.close()


class Data:
    """Makes data clients that act as whoever is signed in when they are called. Thread-safe."""

    def __init__(self, factory: DataClientFactory, identity: RequestIdentity) -> None:
        self._factory = factory
        self._identity = identity

    def generate_client(
        self,
        auth_mode: AuthMode | None = None,
        *,
        auth_token: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        credentials: Literal["caller"] | None = None,
    ) -> DataClient:
        """Return a client that acts as whoever is signed in when it is called.

        With ``credentials="caller"`` it signs with the developer's own AWS credentials, which
        may write to every model; records get no owner that way. Raises NoEndpoint when the backend
        has no data resource.
        """
        if credentials is not None:
            if credentials != "caller" or auth_mode not in {None, *_SIGNING}:
                raise InvalidAuthModeError(
                    f"credentials={credentials!r} does not go with auth_mode={auth_mode!r}.",
                    resolution='Write generate_client(credentials="caller"), which signs (iam).',
                )
            auth_mode = auth_mode or "iam"
        options = Options(auth_mode, auth_token, api_key, headers)
        return self._factory.client_for(
            self._identity, options, signs_as_caller=credentials is not None
        )
