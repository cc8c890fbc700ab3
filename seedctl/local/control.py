"""What seedctl's own commands ask a running server for: its nonce, and snapshots."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seedctl.errors import SeedctlError
from seedctl.local.http1 import Request, Response
from seedctl.local.running import PROBE_PATH, SNAPSHOTS_PATH

if TYPE_CHECKING:
    from seedctl.local.snapshots import Snapshots


class Control:
    """Answers seedctl's own requests, and passes every other request to *answer*."""

    def __init__(
        self, nonce: str, snapshots: Callable[[], Snapshots], answer: Callable[[Request], Response]
    ) -> None:
        self._nonce = nonce
        self._snapshots = snapshots
        self._answer = answer

    def answer(self, request: Request) -> Response:
        if (request.method, request.path) == ("GET", PROBE_PATH):
            return _reply({"nonce": self._nonce})
        if (request.method, request.path) == ("POST", SNAPSHOTS_PATH):
            return self._answer_command(request.body)
        return self._answer(request)

    def _answer_command(self, body: bytes) -> Response:
        """Save or load a snapshot. The reply has the error, if there is one."""
        try:
            command: dict[str, Any] = json.loads(body)
            name = command["name"]
            # The nonce shows that the command is meant for this server.
            is_valid = command["nonce"] == self._nonce and isinstance(name, str)
            action = command["action"] if is_valid else ""
        except (ValueError, KeyError, TypeError):
            action = ""
        try:
            if action == "save":
                self._snapshots().save(
                    name,
                    is_replacing=command.get("is_replacing") is True,
                    is_portable=command.get("is_portable") is True,
                )
            elif action == "load":
                self._snapshots().load(name)
            else:
                return Response.text(400, "This is not a command of seedctl.")
        except SeedctlError as error:
            return _reply({"error": [error.message, error.resolution]})
        return _reply({"error": None})


def _reply(document: dict[str, Any]) -> Response:
    return Response.json(200, document, content_type="application/json")
