"""A local sandbox with Cognito's quotas and a network's latency, in a process of its own.

`python benchmarks/quota_server.py STATE OUTPUTS LATENCY JITTER [pow]` prints its address, and at the end of
its input what it saw: calls and refusals by operation, and the CPU seconds it took. A call is
refused when the second before it, by the server's clock, holds as many as the quota allows.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections import Counter, defaultdict, deque
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.local.http1 import Request, Response


class QuotaServer:
    def __init__(self, state: Path, outputs: Path, latency: float, jitter: float) -> None:
        from seedctl.local.server import Server
        from seedctl.local.services import Services
        from seedctl.local.state_folder import prepare
        from seedctl.local.store import Store
        from seedctl.project import load_outputs

        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._latency = latency
        self._jitter = jitter
        self._lock = threading.Lock()
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)
        self._services = Services(Store.open(prepare(state)), load_outputs(outputs), time.time)
        self.server = Server.start(self._answer, port=0)

    def _answer(self, request: Request) -> Response:
        from seedctl.aws.quotas import DEFAULTS, category
        from seedctl.local.http1 import Response

        self._travel()
        service, _, operation = request.headers.get("x-amz-target", "").partition(".")
        name = category("ssm" if service == "AmazonSSM" else "cognito-idp", operation)
        now = time.monotonic()
        with self._lock:
            self.calls[operation] += 1
            seen = self._seen[name or operation]
            while seen and seen[0] <= now - 1.0:
                seen.popleft()
            is_refused = name is not None and len(seen) >= DEFAULTS[name]
            if is_refused:
                self.refused[operation] += 1
            else:
                seen.append(now)
        self._travel()
        if is_refused:
            return Response.json(
                400, {"__type": "TooManyRequestsException", "message": "Too many requests"}
            )
        return self._services.answer(request)

    def _travel(self) -> None:
        # One way; the jitter too is that of the way there and the way back.
        time.sleep((self._latency + random.uniform(0, self._jitter)) / 2)


def main() -> None:
    latency, jitter = float(sys.argv[3]), float(sys.argv[4])
    served = QuotaServer(Path(sys.argv[1]), Path(sys.argv[2]), latency, jitter)
    print(f"http://127.0.0.1:{served.server.port}", flush=True)
    for line in sys.stdin:
        if line.strip() == "report":
            report = {
                "calls": served.calls,
                "refused": served.refused,
                "cpu": time.process_time(),
                "faults": len(served.server.faults),
            }
            print(json.dumps(report), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    if "pow" in sys.argv:
        sys.modules["gmpy2"] = None  # type: ignore[assignment]
    main()
