"""A refusal as an answer: a document that repeats the ids in its headers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seedctl.local.s3.context import reply, request_ids
from seedctl.local.s3.documents import document, element

if TYPE_CHECKING:
    from seedctl.local.http1 import Response
    from seedctl.local.s3.errors import S3Error


def refusal(error: S3Error, method: str) -> Response:
    """Return the answer to a request by *method* that ends with *error*."""
    ids = request_ids()
    if method == "HEAD" or error.status == 304:
        return with_ids(reply(error.status, headers=error.headers), ids)
    request_id, host_id = ids
    content = (
        element("Code", error.code),
        element("Message", error.message),
        *(element(name, text) for name, text in error.details.items()),
        element("RequestId", request_id),
        element("HostId", host_id),
    )
    body = document("Error", content, namespace=False)
    return with_ids(reply(error.status, body, error.headers), ids)


def with_ids(response: Response, ids: tuple[str, str]) -> Response:
    request_id, host_id = ids
    headers = (("x-amz-request-id", request_id), ("x-amz-id-2", host_id))
    return replace(response, headers=(*response.headers, *headers))
