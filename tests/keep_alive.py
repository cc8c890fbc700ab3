"""Send requests to a local server over a connection that stays open.

That takes a third of the processor time of a connection for each request.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class KeepAlive:
    """Connections to one port of this machine; each thread that sends at the same time has its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[http.client.HTTPConnection] = []

    def send(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers with their names in lower case, and body of the response."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            lowered = {name.lower(): value for name, value in response.getheaders()}
            answer = response.status, lowered, response.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def send_once(
    port: int, method: str, path: str, body: Any, headers: Mapping[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """Send one request over a connection of its own, and return what ``KeepAlive.send`` returns."""
    connections = KeepAlive(port)
    try:
        return connections.send(method, path, body, headers)
    finally:
        connections.close()
