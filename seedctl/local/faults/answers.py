"""The one wrapper around the services' answers that makes the conditions come true."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

from seedctl.local.bodies import ConnectionEndedError
from seedctl.local.faults.calls import call_of, failed, throttled, user_of
from seedctl.local.faults.quotas import Quotas, Statistics
from seedctl.local.http1 import Request, Response
from seedctl.project.quotas import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.local.faults.calls import ServiceCall
    from seedctl.local.faults.settings import Conditions

STATISTICS_PATH = "/_seedctl/statistics"


class ConditionedAnswers:
    """Answers as *answer* does, under *conditions*.

    A request is counted as it arrives, then delayed, then refused, let fail or answered.
    """

    def __init__(
        self,
        conditions: Conditions,
        answer: Callable[[Request], Response],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """*clock* and *sleep* count seconds and are replaced by tests."""
        limits = conditions.limits() or {}
        self._conditions = conditions
        self._answer = answer
        self._clock = clock
        self._ended = threading.Event()
        self._sleep = sleep or self._ended.wait
        # One lock for all: windows want the times in order, and random numbers theirs.
        self._lock = threading.Lock()
        self._quotas = Quotas(limits)
        self._statistics = Statistics(limits)
        self._faults = random.Random(conditions.fault_seed)  # noqa: S311 - no secret
        self._delays = random.Random()  # noqa: S311 - no secret

    def end_delays(self) -> None:
        """Let the requests that wait go on at once, and delay none any more."""
        self._ended.set()

    def statistics(self) -> dict[str, Any]:
        """Return the conditions, and what came so far."""
        with self._lock:
            return {"conditions": str(self._conditions), **self._statistics.document()}

    def answer(self, request: Request) -> Response:
        """Answer *request*. Raises ConnectionEndedError to have the connection cut."""
        is_plain_get = request.method == "GET" and request.stream is None
        if is_plain_get and request.path == STATISTICS_PATH:
            return Response.json(200, self.statistics(), content_type="application/json")
        call = call_of(request)
        is_granted = call is None or self._arrive(call, request)
        self._delay()
        if call is None:
            return self._answer(request)
        if not is_granted:
            return throttled(request, call.service)
        return self._answer_or_fail(call, request)

    def _arrive(self, call: ServiceCall, request: Request) -> bool:
        """Count the request; whether the quotas grant it."""
        category = CATEGORIES.get(call)
        is_limited = bool(self._quotas.limits) and call.service == "cognito-idp"
        user = user_of(request) if is_limited else None
        with self._lock:
            now = self._clock()
            is_granted = self._quotas.admit(category, user, now)
            self._statistics.add(call.name, category, now, is_refused=not is_granted)
        return is_granted

    def _delay(self) -> None:
        latency = self._conditions.latency
        if latency is not None:
            with self._lock:
                milliseconds = self._delays.uniform(latency.minimum, latency.maximum)
            self._sleep(milliseconds / 1000)

    def _answer_or_fail(self, call: ServiceCall, request: Request) -> Response:
        fault = self._next_fault()
        if fault == "throttle":
            return throttled(request, call.service)
        if fault in {"fail-after", "cut-after"}:
            done = self._answer(request)
            if done.file is not None:
                done.file.file.close()  # nobody will send it
        if fault in {"cut", "cut-after"}:
            raise ConnectionEndedError("The connection is cut on purpose.")
        if fault in {"fail", "fail-after"}:
            return failed(request, call.service)
        return self._answer(request)

    def _next_fault(self) -> str | None:
        faults = self._conditions.faults
        if faults is None:
            return None
        with self._lock:
            left = self._faults.uniform(0, 100)
            for kind, share in faults.shares():
                left -= share
                if left < 0:
                    self._statistics.faults[kind] += 1
                    return kind
        return None
