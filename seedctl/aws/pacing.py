"""Limit the rate of botocore's calls to AWS's quotas, and retry throttled calls.

Each attempt waits for a slot right before it is sent, including botocore's own retries. Throttled
calls are retried here instead of in botocore, so that the retry waits for a slot too.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from seedctl.aws.failures import THROTTLED
from seedctl.aws.rates import Clock, Limiter, shared_limiter
from seedctl.project.quotas import CATEGORIES, DEFAULTS, PACED_SERVICES, Quotas

_MAX_TRIES = 8


@dataclass(frozen=True, slots=True)
class CallStatistics:
    """Counts for the calls of one operation."""

    calls: int = 0
    """Retries included."""
    throttled: int = 0
    """How many AWS throttled."""
    seconds_waited: float = 0.0
    """Waiting time because of the quotas, summed over all threads."""


class RateLimitedCaller:
    """Makes calls within the quotas, for one ``seedctl.aws.calls.AWS``. Thread-safe."""

    def __init__(self, quotas: Quotas, *, is_paced: bool, clock: Clock) -> None:
        """*quotas* are the user's; with *is_paced* AWS's defaults apply to all others."""
        self._quotas: Quotas = {**(DEFAULTS if is_paced else {}), **quotas}
        self._clock = clock
        self._lock = threading.Lock()
        self._statistics: dict[str, CallStatistics] = defaultdict(CallStatistics)
        self._thread = threading.local()

    def attach(self, client: Any, service: str, quota_key: tuple[object, ...]) -> None:
        """Limit the calls of *client*. Clients with the same *quota_key* share the quotas."""
        events, name = client.meta.events, client.meta.service_model.service_id.hyphenize()
        events.register_last(f"before-send.{name}", partial(self._before_send, service, quota_key))
        events.register_first(f"response-received.{name}", self._response_received)
        events.register_first(f"needs-retry.{name}", partial(_suppress_botocore_retry, service))

    def call(
        self, method: Callable[..., dict[str, Any]], parameters: Mapping[str, Any], *, tries: int
    ) -> dict[str, Any]:
        """Call *method* of a client, at most *tries* times while AWS throttles it."""
        for attempt in range(1, tries):
            try:
                return self._attempt(method, parameters)
            except ClientError as error:
                if _code(error.response) not in THROTTLED:
                    raise
            # Random pauses, so that calls throttled together are not retried together.
            longest = min(0.25 * 2**attempt, 4.0)
            self._clock.sleep(random.uniform(0.5, 1.0) * longest)  # noqa: S311 - jitter
        return self._attempt(method, parameters)

    def statistics(self) -> dict[str, CallStatistics]:
        """Return the counts so far, by operation."""
        with self._lock:
            return dict(self._statistics)

    def count(
        self, operation: str, *, calls: int = 0, throttled: int = 0, waited: float = 0.0
    ) -> None:
        """Add to the counts of *operation*."""
        with self._lock:
            old = self._statistics[operation]
            self._statistics[operation] = CallStatistics(
                old.calls + calls, old.throttled + throttled, old.seconds_waited + waited
            )

    def _before_send(
        self, service: str, quota_key: tuple[object, ...], event_name: str, **_: object
    ) -> None:
        operation = event_name.rpartition(".")[2]
        name = CATEGORIES.get((service, operation), "")
        quota = self._quotas.get(name)
        waited = 0.0
        if quota is not None:
            limiter = shared_limiter((name, *quota_key), quota, self._clock)
            began, waited = limiter.acquire()
            self._thread.slot = (limiter, began)
        self.count(operation, calls=1, waited=waited)

    def _response_received(
        self, event_name: str, parsed_response: dict[str, Any] | None, **_: object
    ) -> None:
        is_throttled = parsed_response is not None and _code(parsed_response) in THROTTLED
        self._release(is_throttled=is_throttled)
        if is_throttled:
            self.count(event_name.rpartition(".")[2], throttled=1)

    def _attempt(
        self, method: Callable[..., dict[str, Any]], parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        try:
            return method(**parameters)
        finally:  # also after a call without a valid response, which triggers no event
            self._release()

    def _release(self, *, is_throttled: bool = False) -> None:
        slot: tuple[Limiter, float] | None = getattr(self._thread, "slot", None)
        if slot is None:
            return
        self._thread.slot = None
        limiter, began = slot
        if is_throttled:
            limiter.slow_down()
        limiter.release(began)


def tries_for(service: str, configured: int | None, *, uses_session_up: bool) -> int:
    """Return how many times a call is attempted at most while AWS throttles it.

    *configured* is the user's number of attempts. A call with a single-use session is attempted
    once: it is not documented whether a throttled call uses up the session.
    """
    if service not in PACED_SERVICES or uses_session_up:
        return 1
    return configured or _MAX_TRIES


def _suppress_botocore_retry(service: str, response: Any, operation: Any, **_: object) -> None:
    """Raise errors that botocore must not retry: daily limits, and throttling, see call()."""
    if response is None:
        return
    code = _code(response[1])
    is_retried_here = service in PACED_SERVICES and code in THROTTLED
    # botocore's standard mode would retry this code, which can be a daily limit.
    if is_retried_here or code == "LimitExceededException":
        raise ClientError(response[1], operation.name)


def _code(response: Mapping[str, Any]) -> str:
    return str(response.get("Error", {}).get("Code", ""))
