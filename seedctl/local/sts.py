"""STS over the Query protocol: GetCallerIdentity, with the same answer for every caller."""

from __future__ import annotations

import uuid
from html import escape

from seedctl.local.http1 import Response
from seedctl.local.protocol import ACCOUNT, ServiceError

OPERATIONS = ("GetCallerIdentity",)

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_CALLER = {
    "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/seedctl-local/developer",
    "UserId": "AROALOCALSANDBOX00000:developer",
    "Account": ACCOUNT,
}


def reply(action: str) -> Response:
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in _CALLER.items())
    return _xml(
        200,
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{members}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        f"</{action}Response>",
    )


def error_response(error: ServiceError) -> Response:
    # In the Query protocol, codes do not end in Exception, and a missing signature is a 403.
    code = error.code.removesuffix("Exception")
    status = 403 if code == "MissingAuthenticationToken" else error.status
    fault = "Sender" if status < 500 else "Receiver"
    return _xml(
        status,
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>{fault}</Type><Code>{code}</Code>'
        f"<Message>{escape(error.message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>",
    )


def _xml(status: int, text: str) -> Response:
    return Response(status, text.encode(), (("Content-Type", "text/xml"),))
