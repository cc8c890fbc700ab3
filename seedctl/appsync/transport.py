"""Send HTTP requests to AppSync over pooled connections, and repeat them where that is safe."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError

from seedctl.aws.credentials import Credentials
from seedctl.aws.foreign_responses import proxy_failure
from seedctl.aws.logs import redacted_logs
from seedctl.aws.settings import is_aws, is_loopback
from seedctl.errors import EndpointUnreachableError, MixedEndpointsError
from seedctl.version import __version__

_ATTEMPTS = 3
_TIMEOUT_SECONDS = 30.0
_MAX_CONNECTIONS = 64  # pooled per host; more threads than that open one for each request
_REPEATED_STATUSES = {429, 500, 502, 503, 504}


class Network(Protocol):
    """How this machine reaches AWS: endpoints, credentials, certificates and proxies."""

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
class HTTPResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes
    may_have_run_before: bool
    """Whether an earlier attempt of the same request may have been executed."""
    url: str = ""

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
        self.sleep = sleep
        self._lock = threading.Lock()
        self._pools: dict[str | None, urllib3.PoolManager] = {}
        self._proxies: dict[str, str | None] = {}

    def url(self, data_url: str) -> str:
        """Return the URL to send requests to, for an API whose outputs file says *data_url*.

        Raises MixedEndpointsError when that would be AWS in a run against an emulator, or this
        machine in a run against AWS.
        """
        if self._network.is_local:
            return f"{(self._network.endpoint('appsync') or '').rstrip('/')}/graphql"
        # A custom domain may belong to AWS or to an emulator, so it is always allowed.
        if is_aws(data_url) if self._network.is_emulator else is_loopback(data_url):
            cognito, appsync = (
                ("an emulator", "AWS") if self._network.is_emulator else ("AWS", "this machine")
            )
            raise MixedEndpointsError(
                f"Cognito would be reached at {cognito}, but AppSync at {appsync}: the outputs "
                f"file says {data_url}.",
                resolution="Use the outputs file of the backend at --endpoint-url or "
                "AWS_ENDPOINT_URL, or use --local.",
            )
        return data_url

    def post(
        self,
        url: str,
        body: bytes,
        headers: Callable[[], Mapping[str, str]],
        *,
        is_repeatable: bool,
        operation: str,
    ) -> HTTPResponse:
        """Send *body* and return the response, whatever its status.

        *headers* is called for each attempt, since a signature expires. A request that is not
        repeatable is sent again only if the attempt before it was certainly not executed.
        *operation* is the name under which attempts are counted. Raises EndpointUnreachableError.
        """
        may_have_run = False
        for attempt in range(1, _ATTEMPTS + 1):
            is_last = attempt == _ATTEMPTS
            try:
                with redacted_logs():
                    response = self._pool(url).request(
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
                if is_last or (was_sent and not is_repeatable):
                    raise _unreachable(url, error, may_have_run or was_sent) from error
                may_have_run = may_have_run or was_sent
            else:
                received = {name.lower(): value for name, value in response.headers.items()}
                answer = HTTPResponse(response.status, received, response.data, may_have_run, url)
                self._network.count(operation, is_throttled=answer.is_throttled)
                is_failure = is_repeatable and answer.status in _REPEATED_STATUSES
                if is_last or not (answer.is_throttled or is_failure):
                    return answer
                may_have_run = may_have_run or not answer.is_throttled
            # The delays of amplify-js, with a random part so that threads do not retry in step.
            self.sleep(0.1 * 2**attempt + 0.1 * random.random())  # noqa: S311 - no secret
        raise AssertionError("the last attempt returns or raises")

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
    options: dict[str, Any] = {
        "maxsize": _MAX_CONNECTIONS,
        "timeout": urllib3.Timeout(connect=_TIMEOUT_SECONDS, read=_TIMEOUT_SECONDS),
        "cert_reqs": "CERT_REQUIRED",
        "ca_certs": certificates,
    }
    if proxy is None:
        return urllib3.PoolManager(**options)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = None
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return urllib3.ProxyManager(
        parts.geturl(),
        proxy_headers=urllib3.make_headers(proxy_basic_auth=login) if login else None,
        **options,
    )


def _unreachable(url: str, error: Exception, was_sent: bool) -> EndpointUnreachableError:
    state = "The request may have been carried out." if was_sent else "Nothing was sent."
    cause, advice = type(error).__name__, None
    if isinstance(error, ProxyError):
        cause, advice = proxy_failure(str(error.original_error), url)
    return EndpointUnreachableError(
        f"AppSync at {urlsplit(url).netloc} gave no answer: {cause}. {state}",
        service="appsync",
        resolution=advice
        or "Check the network, proxy and the outputs file's data.url, then run again.",
    )
