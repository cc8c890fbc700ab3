"""The XML that S3 speaks: a small writer, and a reader that knows elements and text only.

The reader stands on expat itself, since a document type (where entities are declared, which grow a
small document without end or name a file to be read) can be refused there as soon as it begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
XML_TYPE = "application/xml"

_MAX_DEPTH = 8
_MAX_ELEMENTS = 100_000
# Control characters have no place in XML 1.0: S3 writes them as references all the same.
_SPECIAL = re.compile(r'[&<>"\x00-\x1f\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def element(name: str, content: str | int | bool | Iterable[str]) -> str:
    """Return an element that holds text, or what other calls returned."""
    if isinstance(content, bool):
        content = "true" if content else "false"
    if isinstance(content, (str, int)):
        content = (_escaped(str(content)),)
    return f"<{name}>{''.join(content)}</{name}>"


def document(name: str, content: Iterable[str], *, namespace: bool = True) -> bytes:
    opening = f'<{name} xmlns="{NAMESPACE}">' if namespace else f"<{name}>"
    text = "".join(content)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{opening}{text}</{name}>'.encode()


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0]) or f"&#x{ord(match[0]):x};", text)


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
