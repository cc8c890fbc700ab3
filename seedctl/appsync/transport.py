"""Send requests to AppSync: one pool of connections, and repeats where a repeat is safe."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from seedctl.aws.endpoints import is_aws, is_loopback
from seedctl.aws.foreign_responses import proxy_failure
from seedctl.errors import EndpointUnreachableError, MixedEndpointsError
from seedctl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import urllib3

    from seedctl.aws.credentials import Credentials

_ATTEMPTS = 3
_TIMEOUT = 30.0
_CONNECTIONS = 64  # kept per host; more threads than that open one for each request
_REPEATED = {429, 500, 502, 503, 504}


class Network(Protocol):
    """How this machine reaches AWS, and whether it does."""

    @property
    def is_local(self) -> bool: ...

    @property
    def is_emulator(self) -> bool: ...

    def endpoint(self, service: str) -> str | None: ...

    def credentials(self) -> Credentials: ...

    def certificates(self) -> str: ...

    def proxy(self, url: str) -> str | None: ...

    def count(self, operation: str, *, is_throttled: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    may_have_run_before: bool
    """An earlier attempt of the same request got no clear answer."""
    url: str = ""
    """Where the request went."""

    @property
    def error_type(self) -> str:
        return self.headers.get("x-amzn-errortype", "").partition(":")[0]

    @property
    def is_throttled(self) -> bool:
        return self.status == 429 or "Throttl" in self.error_type


class Transport:
    """The connections of one backend to AppSync. Thread-safe."""

    def __init__(self, network: Network, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._network = network
        self._sleep = sleep
        self._lock = threading.Lock()
        self._pools: dict[str | None, urllib3.PoolManager] = {}
        self._proxies: dict[str, str | None] = {}

    def url(self, data_url: str) -> str:
        """Return where requests for the API at *data_url* go.

        Raises MixedEndpointsError when that would be AWS in a run against an emulator, or this
        machine in a run against AWS.
        """
        if self._network.is_local:
            return f"{(self._network.endpoint('appsync') or '').rstrip('/')}/graphql"
        # A domain of the user's own may lead to either, so it is taken at its word.
        if is_aws(data_url) if self._network.is_emulator else is_loopback(data_url):
            elsewhere = (
                ("an emulator", "AWS") if self._network.is_emulator else ("AWS", "this machine")
            )
            raise MixedEndpointsError(
                f"Cognito would be reached at {elsewhere[0]}, but AppSync at {elsewhere[1]}: the "
                f"outputs file says {data_url}.",
                resolution="Use an outputs file of the place that --endpoint-url or "
                "AWS_ENDPOINT_URL names, or --local.",
            )
        return data_url

    def post(
        self,
        url: str,
        body: bytes,
        headers: Callable[[], Mapping[str, str]],
        *,
        is_safe: bool,
        operation: str,
    ) -> Answer:
        """Send *body* and return what comes back, whatever its status; *operation* is counted.

        *headers* are options for anew at each attempt, since a signature ages. Without *is_safe* only
        what was surely not done is repeated. Raises EndpointUnreachableError.
        """
        from urllib3.exceptions import (  # noqa: PLC0415 - at need
            ConnectTimeoutError,
            HTTPError,
            NewConnectionError,
        )

        from seedctl.aws.logs import redacted_logs  # noqa: PLC0415 - loads botocore

        may_have_run = False
        for attempt in range(1, _ATTEMPTS + 1):
            is_last = attempt == _ATTEMPTS
            try:
                with redacted_logs():
                    reply = self._pool(url).request(
                        "POST",
                        url,
                        body=body,
                        headers={"user-agent": f"seedctl/{__version__}", **headers()},
                        retries=False,
                        redirect=False,
                    )
            except HTTPError as error:
                self._network.count(operation, is_throttled=False)
                was_sent = not isinstance(error, NewConnectionError | ConnectTimeoutError)
                if is_last or (was_sent and not is_safe):
                    raise _unreachable(url, error, may_have_run or was_sent) from error
                may_have_run = may_have_run or was_sent
            else:
                found = {name.lower(): value for name, value in reply.headers.items()}
                answer = Answer(reply.status, found, reply.data, may_have_run, url)
                self._network.count(operation, is_throttled=answer.is_throttled)
                again = answer.is_throttled or (is_safe and answer.status in _REPEATED)
                if is_last or not again:
                    return answer
                may_have_run = may_have_run or not answer.is_throttled
            # As amplify-js waits; the random part keeps threads from coming back all at once.
            self._sleep(0.1 * 2**attempt + 0.1 * random.random())  # noqa: S311 - no secret
        raise AssertionError("the last attempt returns or raises")

    def pause(self, seconds: float) -> None:
        self._sleep(seconds)

    def close(self) -> None:
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.clear()

    def _pool(self, url: str) -> urllib3.PoolManager:
        with self._lock:
            if url not in self._proxies:
                self._proxies[url] = self._network.proxy(url)
            proxy = self._proxies[url]
            if proxy not in self._pools:
                is_tls = url.startswith("https:")
                self._pools[proxy] = _new_pool(
                    proxy, self._network.certificates() if is_tls else None
                )
            return self._pools[proxy]


def _new_pool(proxy: str | None, certificates: str | None) -> urllib3.PoolManager:
    import urllib3  # noqa: PLC0415 - not needed by scripts that write no data

    timeout = urllib3.Timeout(connect=_TIMEOUT, read=_TIMEOUT)
    if proxy is None:
        return urllib3.PoolManager(
            maxsize=_CONNECTIONS,
            timeout=timeout,
            cert_reqs="CERT_REQUIRED",
            ca_certs=certificates,
        )
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = None
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return urllib3.ProxyManager(
        parts.geturl(),
        proxy_headers=urllib3.make_headers(proxy_basic_auth=login) if login else None,
        maxsize=_CONNECTIONS,
        timeout=timeout,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certificates,
    )


def _unreachable(url: str, error: Exception, was_sent: bool) -> EndpointUnreachableError:
    from urllib3.exceptions import ProxyError  # noqa: PLC0415 - at need

    state = "The request may have been carried out." if was_sent else "Nothing was sent."
    words, advice = type(error).__name__, None
    if isinstance(error, ProxyError):
        words, advice = proxy_failure(str(error.original_error), url)
    return EndpointUnreachableError(
        f"AppSync at {urlsplit(url).netloc} gave no answer: {words}. {state}",
        service="appsync",
        resolution=advice
        or "Check the network, proxy and the outputs file's data.url, then run again.",
    )
