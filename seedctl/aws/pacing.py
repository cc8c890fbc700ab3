"""Have botocore's clients keep to the quotas, and repeat what AWS refuses for its rate.

Each attempt waits for its place right before it is sent, those that botocore repeats by itself
too. A refusal for the rate is repeated here, so that it has to wait for a place as well, and so is
the only thing that slows the others down.
"""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seedctl.aws.failures import THROTTLED
from seedctl.aws.quotas import DEFAULTS, PACED_SERVICES, category
from seedctl.aws.rates import shared_limiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedctl.aws.quotas import Quotas
    from seedctl.aws.rates import Clock, Limiter

_TRIES = 8


@dataclass(frozen=True, slots=True)
class CallStatistics:
    """What calls of one operation there were; repeats count as calls."""

    calls: int = 0
    throttled: int = 0
    """How many AWS refused for their rate."""
    seconds_waited: float = 0.0
    """For the quotas, summed over all threads."""


class RateLimitedCaller:
    """The pace of one :class:`AWS`. Thread-safe."""

    def __init__(self, quotas: Quotas, *, is_paced: bool, clock: Clock) -> None:
        """*quotas* are the user's own; the others hold where *is_paced*."""
        self._quotas: Quotas = {**(DEFAULTS if is_paced else {}), **quotas}
        self._clock = clock
        self._lock = threading.Lock()
        self._statistics: dict[str, list[float]] = {}
        self._thread = threading.local()

    def attach(self, client: Any, service: str, quota_key: tuple[object, ...]) -> None:
        """Have the calls of *client* keep to the quotas that hold at *quota_key*."""
        events, name = client.meta.events, client.meta.service_model.service_id.hyphenize()
        events.register_last(f"before-send.{name}", partial(self._before_send, service, quota_key))
        events.register_first(f"response-received.{name}", self._response_received)
        events.register_first(f"needs-retry.{name}", partial(_suppress_botocore_retry, service))

    def call(
        self, method: Callable[..., dict[str, Any]], parameters: Mapping[str, Any], *, tries: int
    ) -> dict[str, Any]:
        """Call *method* of a client, at most *tries* times while AWS refuses it for its rate."""
        for attempt in range(1, tries):
            try:
                with self._releasing():
                    return method(**parameters)
            except ClientError as error:
                if _code(error.response) not in THROTTLED:
                    raise
            # Apart from each other: what was refused together must not come back together.
            longest = min(0.25 * 2**attempt, 4.0)
            self._clock.sleep(random.uniform(0.5, 1.0) * longest)  # noqa: S311 - jitter
        with self._releasing():
            return method(**parameters)

    def statistics(self) -> dict[str, CallStatistics]:
        """Return what was called so far, by operation."""
        with self._lock:
            return {
                operation: CallStatistics(int(calls), int(throttled), waited)
                for operation, (calls, throttled, waited) in self._statistics.items()
            }

    def _before_send(
        self, service: str, quota_key: tuple[object, ...], event_name: str, **_: Any
    ) -> None:
        operation = event_name.rpartition(".")[2]
        limiter = self._limiter(service, operation, quota_key)
        waited = 0.0
        if limiter is not None:
            began, waited = limiter.acquire()
            self._thread.slot = (limiter, began)
        self.count(operation, 1, 0, waited)

    def _response_received(
        self, event_name: str, parsed_response: dict[str, Any] | None, **_: Any
    ) -> None:
        is_throttled = parsed_response is not None and _code(parsed_response) in THROTTLED
        self._release(is_throttled=is_throttled)
        if is_throttled:
            self.count(event_name.rpartition(".")[2], 0, 1, 0.0)

    @contextmanager
    def _releasing(self) -> Iterator[None]:
        try:
            yield
        finally:  # also of a call that has no answer: interrupted, or answered with rubbish
            self._release()

    def _release(self, *, is_throttled: bool = False) -> None:
        held: tuple[Limiter, float] | None = getattr(self._thread, "slot", None)
        if held is None:
            return
        self._thread.slot = None
        limiter, began = held
        if is_throttled:
            limiter.slow_down()
        limiter.release(began)

    def _limiter(
        self, service: str, operation: str, quota_key: tuple[object, ...]
    ) -> Limiter | None:
        name = category(service, operation)
        quota = self._quotas.get(name) if name is not None else None
        return shared_limiter((name, *quota_key), quota, self._clock) if quota is not None else None

    def count(self, operation: str, calls: int, throttled: int, waited: float) -> None:
        with self._lock:
            sums = self._statistics.setdefault(operation, [0, 0, 0.0])
            for index, more in enumerate((calls, throttled, waited)):
                sums[index] += more


def tries_for(service: str, configured: int | None, *, uses_session_up: bool) -> int:
    """Return how often a call is made at most while AWS refuses it for its rate.

    *configured* is the user's own number of attempts. A call that answers a single-use session is
    made once: of a refusal nobody knows whether it has used the session up [?].
    """
    if service not in PACED_SERVICES or uses_session_up:
        return 1
    return configured or _TRIES


def _suppress_botocore_retry(service: str, response: Any, operation: Any, **_: Any) -> None:
    """Raise what botocore would repeat and must not: a limit of the day, and what is ours."""
    if response is None:
        return
    code = _code(response[1])
    is_ours = service in PACED_SERVICES and code in THROTTLED
    # botocore's standard mode takes this for a matter of a moment.
    if is_ours or code == "LimitExceededException":
        raise ClientError(response[1], operation.name)


def _code(response: Mapping[str, Any]) -> str:
    return str(response.get("Error", {}).get("Code", ""))
