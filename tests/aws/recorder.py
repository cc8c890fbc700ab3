"""An AWS that makes no calls: it records them and returns prepared replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from seedctl.aws.calls import AWS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Call(NamedTuple):
    service: str
    operation: str
    parameters: dict[str, Any]
    region: str | None = None
    once: bool = False


class Recorder(AWS):
    """Returns the next of *replies* for each call, or raises it if it is an exception."""

    is_local = False
    is_emulator = False
    max_attempts = 3

    def __init__(
        self,
        *replies: dict[str, Any] | Exception,
        is_local: bool = False,
        is_emulator: bool = False,
    ) -> None:
        self.is_local = is_local
        self.is_emulator = is_emulator
        self.calls: list[Call] = []
        self._replies = list(replies)

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        self.calls.append(Call(service, operation, dict(parameters), region, once))
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply
