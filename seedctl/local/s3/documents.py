"""The XML that S3 speaks: answers and refusals are written, the few documents of clients read.

The reader stands on expat itself, since a document type (where entities are declared, which grow a
small document without end or name a file to be read) can be refused there as soon as it begins.
"""

from __future__ import annotations

import base64
import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from seedctl.local.http1 import Response
from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedctl.local.s3.errors import Headers

Content = str | int | dict[str, Any] | list[Any]
"""What a document holds: a text, elements by their names, or several such in a row.

An element's is the same, but that a list stands for as many elements of one name; None for none.
"""

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

_XML = ("Content-Type", "application/xml")
_MAX_DEPTH = 8
_MAX_ELEMENTS = 100_000
# Control characters have no place in XML 1.0: S3 writes them as references all the same.
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


def document(name: str, content: Content, *, namespace: bool = True) -> bytes:
    opening = f'<{name} xmlns="{NAMESPACE}">' if namespace else f"<{name}>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}{_inner(content)}</{name}>'
    return text.encode()


def reply(name: str, content: Content, headers: Headers = ()) -> Response:
    """Return the answer that is a document called *name*."""
    return Response(200, document(name, content), (_XML, *headers))


def refusal(error: S3Error, method: str) -> Response:
    """Return the answer to a request by *method* that ends with *error*."""
    (_, request_id), (_, host_id) = ids = id_headers()
    headers = (*error.headers, *ids)
    if method == "HEAD" or error.status == 304:
        return Response(error.status, b"", headers)
    content = {"Code": error.code, "Message": error.message, **error.details}
    content |= {"RequestId": request_id, "HostId": host_id}
    body = document("Error", content, namespace=False)
    return Response(error.status, body, (_XML, *headers))


def id_headers() -> Headers:
    """Return the ids of a request, of the forms that S3 gives; a refusal repeats them."""
    host_id = base64.b64encode(secrets.token_bytes(48)).decode()
    return ("x-amz-request-id", uuid.uuid4().hex[:16].upper()), ("x-amz-id-2", host_id)


def iso(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(slots=True)
class Element:
    """An element that was read; *name* is without its namespace."""

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


class _Reader:
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

    def refuse(self, *_: object) -> None:
        raise S3Error("MalformedXML", "A document type is not allowed here.")


def read(body: bytes, name: str) -> Element:
    """Return the document in *body*, whose root must be *name*. Raises S3Error."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise S3Error("MalformedXML") from error
    (root,) = reader.root.children
    if root.name != name:
        raise S3Error("MalformedXML")
    return root
