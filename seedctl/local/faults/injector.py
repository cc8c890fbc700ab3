"""The wrapper around the services that applies the fault settings to each request."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from seedctl.local.bodies import ConnectionEndedError
from seedctl.local.faults.quotas import Quotas, Statistics
from seedctl.local.faults.settings import FaultSettings
from seedctl.local.http1 import Request, Response
from seedctl.local.running import STATISTICS_PATH
from seedctl.local.service_calls import ServiceCall, call_of, failed, throttled, user_of
from seedctl.project.quotas import CATEGORIES


class FaultInjector:
    """Calls *answer* for each request, with the delays, quotas and failures of *settings*.

    For each request it counts the call, waits for the latency, then throttles it, fails it or passes
    it on.
    """

    def __init__(
        self,
        settings: FaultSettings,
        answer: Callable[[Request], Response],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """*clock* returns and *sleep* takes seconds; tests replace both."""
        limits = settings.limits() or {}
        self._settings = settings
        self._answer = answer
        self._clock = clock
        self._ended = threading.Event()
        self._sleep = sleep or self._ended.wait
        # One lock for all of it: quota windows need the times in ascending order, and the same seed
        # must give the random numbers in the same order.
        self._lock = threading.Lock()
        self._quotas = Quotas(limits)
        self._statistics = Statistics(limits)
        self._faults = random.Random(settings.fault_seed)  # noqa: S311 - no secret
        self._delays = random.Random()  # noqa: S311 - no secret

    def end_delays(self) -> None:
        """Stop delaying: requests that wait continue at once, and later ones do not wait."""
        self._ended.set()

    def statistics(self) -> dict[str, Any]:
        """Return the fault settings and the requests counted so far."""
        with self._lock:
            return {"conditions": str(self._settings), **self._statistics.document()}

    def answer(self, request: Request) -> Response:
        """Answer *request*. Raises ConnectionEndedError for a connection that is to be cut."""
        is_plain_get = request.method == "GET" and request.stream is None
        if is_plain_get and request.path == STATISTICS_PATH:
            return Response.json(200, self.statistics(), content_type="application/json")
        call = call_of(request)
        is_allowed = call is None or self._count(call, request)
        self._delay()
        if call is None:
            return self._answer(request)
        if not is_allowed:
            return throttled(request, call.service)
        return self._answer_or_fail(call, request)

    def _count(self, call: ServiceCall, request: Request) -> bool:
        """Count the request; return whether the quotas allow it."""
        category = CATEGORIES.get(call)
        is_limited = bool(self._quotas.limits) and call.service == "cognito-idp"
        user = user_of(request) if is_limited else None
        with self._lock:
            now = self._clock()
            is_allowed = self._quotas.admit(category, user, now)
            self._statistics.add(call.name, category, now, is_refused=not is_allowed)
        return is_allowed

    def _delay(self) -> None:
        latency = self._settings.latency
        if latency is not None:
            with self._lock:
                milliseconds = self._delays.uniform(latency.minimum, latency.maximum)
            self._sleep(milliseconds / 1000)

    def _answer_or_fail(self, call: ServiceCall, request: Request) -> Response:
        fault = self._pick_fault()
        if fault == "throttle":
            return throttled(request, call.service)
        if fault in {"fail-after", "cut-after"}:
            dropped = self._answer(request)
            if dropped.file is not None:
                dropped.file.file.close()  # the server will not send it
        if fault in {"cut", "cut-after"}:
            raise ConnectionEndedError("The connection is cut on purpose.")
        if fault in {"fail", "fail-after"}:
            return failed(request, call.service)
        return self._answer(request)

    def _pick_fault(self) -> str | None:
        faults = self._settings.faults
        if faults is None:
            return None
        with self._lock:
            remaining = self._faults.uniform(0, 100)
            for kind, percentage in faults.percentages():
                remaining -= percentage
                if remaining < 0:
                    self._statistics.faults[kind] += 1
                    return kind
        return None
