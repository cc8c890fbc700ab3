"""The data of one backend: makes clients, which share connections and the parsed schema."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

from seedctl.data.auth_modes import Options
from seedctl.data.transport import Transport
from seedctl.errors import InvalidAuthModeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.data.auth_modes import AuthMode, Identity
    from seedctl.data.client import DataClient
    from seedctl.data.section import DataSection
    from seedctl.data.transport import Network
    from seedctl.project import AmplifyOutputs
    from seedctl.report import Observer

_SIGNING = ("iam", "identityPool")


class Data:
    """Makes data clients for one backend. Thread-safe."""

    def __init__(
        self,
        network: Network,
        outputs: Callable[[], AmplifyOutputs],
        identity: Identity,
        observer: Observer,
        before_write: Callable[[], None],
    ) -> None:
        """*identity* is whoever is signed in when a call is made."""
        self._network = network
        self._outputs = outputs
        self._identity = identity
        self._observer = observer
        self._before_write = before_write
        self._lock = threading.Lock()
        self._section: DataSection | None = None
        self._transport = Transport(network)

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
        return self._client(self._identity, options, signs_as_caller=credentials is not None)

    def client_for(self, identity: Identity) -> DataClient:
        """Return a client that always acts as *identity*."""
        return self._client(identity, Options(), signs_as_caller=False)

    def close(self) -> None:
        self._transport.close()

    def _client(self, identity: Identity, options: Options, *, signs_as_caller: bool) -> DataClient:
        # The most of the room, which takes its time to load: secrets need none of it.
        from seedctl.data.api import API  # noqa: PLC0415
        from seedctl.data.client import DataClient  # noqa: PLC0415
        from seedctl.data.section import parse_data_section  # noqa: PLC0415

        with self._lock:
            if self._section is None:
                self._section = parse_data_section(self._outputs())
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
