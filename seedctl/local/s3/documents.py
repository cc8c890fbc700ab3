"""XML: write responses and error responses, and parse the few documents that clients send.

The parser uses expat directly, so that it can reject a document type declaration as soon as it
begins: entities declared there could expand without limit or read a file.
"""

from __future__ import annotations

import base64
import re
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from xml.parsers import expat

from seedctl.local.http1 import Response
from seedctl.local.s3.errors import Headers, S3Error

Content = str | int | dict[str, Any] | list[Any]
"""The content of a document: a text, elements by their names, or a list of those in sequence.

In the content of an element, a list means one element of that name for each entry, and None means
no element.
"""

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

_XML = ("Content-Type", "application/xml")
_MAX_DEPTH = 8
_MAX_ELEMENTS = 100_000
# XML 1.0 does not allow control characters, but S3 writes them as references.
_SPECIAL = re.compile(r'[&<>"\x00-\x1f\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def _element(name: str, content: Content | None) -> str:
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join([_element(name, each) for each in content])
    return f"<{name}>{_inner(content)}</{name}>"


def _inner(content: Content) -> str:
    if isinstance(content, list):
        return "".join(map(_inner, content))
    if isinstance(content, dict):
        return "".join([_element(name, each) for name, each in content.items()])
    if isinstance(content, bool):
        return "true" if content else "false"
    return _SPECIAL.sub(_reference, str(content))


def _reference(match: re.Match[str]) -> str:
    return _NAMED.get(match[0]) or f"&#x{ord(match[0]):x};"


def to_xml(name: str, content: Content, *, namespace: bool = True) -> bytes:
    opening = f'<{name} xmlns="{NAMESPACE}">' if namespace else f"<{name}>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}{_inner(content)}</{name}>'
    return text.encode()


def xml_response(name: str, content: Content, headers: Headers = ()) -> Response:
    """Return a response whose body is the XML document *name*."""
    return Response(200, to_xml(name, content), (_XML, *headers))


def error_response(error: S3Error, method: str) -> Response:
    """Return the response that reports *error* to a request with *method*."""
    (_, request_id), (_, host_id) = ids = id_headers()
    headers = (*error.headers, *ids)
    if method == "HEAD" or error.status == 304:
        return Response(error.status, b"", headers)
    content = {"Code": error.code, "Message": error.message, **error.details}
    content |= {"RequestId": request_id, "HostId": host_id}
    body = to_xml("Error", content, namespace=False)
    return Response(error.status, body, (_XML, *headers))


def id_headers() -> Headers:
    """Return new request ids in the format of S3; an error document repeats them."""
    host_id = base64.b64encode(secrets.token_bytes(48)).decode()
    return ("x-amz-request-id", uuid.uuid4().hex[:16].upper()), ("x-amz-id-2", host_id)


def iso_time(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(slots=True)
class Element:
    """A parsed element; *name* is without its namespace."""

    name: str
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        return (child for child in self.children if child.name == name)

    def text_of(self, name: str) -> str | None:
        found = list(self.all(name))
        if len(found) > 1:
            raise S3Error("MalformedXML")
        return found[0].text if found else None


class _TreeBuilder:
    def __init__(self) -> None:
        self.root = Element("")
        self._open = [self.root]
        self._count = 0

    def start(self, name: str, _: object) -> None:
        self._count += 1
        if len(self._open) > _MAX_DEPTH or self._count > _MAX_ELEMENTS:
            raise S3Error("MalformedXML")
        child = Element(name.rpartition(" ")[2])
        self._open[-1].children.append(child)
        self._open.append(child)

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, data: str) -> None:
        self._open[-1].text += data

    def reject(self, *_: object) -> None:
        raise S3Error("MalformedXML", "A document type is not allowed here.")


def parse_document(body: bytes, name: str) -> Element:
    """Return the document in *body*, whose root must be *name*. Raises S3Error."""
    builder = _TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.reject
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise S3Error("MalformedXML") from error
    (root,) = builder.root.children
    if root.name != name:
        raise S3Error("MalformedXML")
    return root
