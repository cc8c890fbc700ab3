"""Subscriptions, which are not served: said at once, over WebSocket too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from seedctl.local.websocket import refuse_by_message

if TYPE_CHECKING:
    from seedctl.local.http1 import Request, Response

MESSAGE = (
    "Subscriptions are not available on the local sandbox. Read the records again to see changes."
)
# The JavaScript client shows nothing of the error but this, and gives up for good at code 400.
_ERROR = {
    "errorType": "SubscriptionsNotAvailableLocally",
    "errorCode": 400,
    "message": MESSAGE,
}
# AppSync's GraphQL endpoint has the errors in a payload, its Events endpoint beside the type.
_REFUSAL = {"type": "connection_error", "payload": {"errors": [_ERROR]}, "errors": [_ERROR]}


def refuse_subscriptions(request: Request) -> Response:
    """Return the answer to a WebSocket handshake: the client's first message is refused."""
    return refuse_by_message(request, json.dumps(_REFUSAL))
