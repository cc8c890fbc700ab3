"""Any bytes as a document or as chunks are either parsed or rejected."""

from __future__ import annotations

import contextlib
import io
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedctl.local.bodies import Body, ClientGoneError, RefusedRequestError
from seedctl.local.s3 import documents
from seedctl.local.s3.chunks import ChunkedBody
from seedctl.local.s3.documents import parse_document, to_xml
from seedctl.local.s3.errors import S3Error
from tests.cases import case

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    b"<Delete><Object><Key>&b;</Key></Object></Delete>"
)
FILE = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete>&x;</Delete>'


def test_refused_documents() -> None:
    """Documents with entities, a document type, or too many elements are rejected."""
    for case_name, body in (
        ("entities", BOMB),
        ("entities in UTF-16", BOMB.decode().encode("utf-16")),
        ("file", FILE),
        ("document type", b"<!DOCTYPE Delete><Delete/>"),
        ("undefined", b"<Delete>&undefined;</Delete>"),
        ("open", b"<Delete>"),
        ("empty", b""),
        ("root", b"<Other/>"),
        ("encoding", b"<?xml version='1.0' encoding='none'?><Delete/>"),
        ("deep", b"<a>" * 20 + b"</a>" * 20),
        ("no text", b"<Delete>\xff</Delete>"),
    ):
        with case(case_name), pytest.raises(S3Error, match="MalformedXML"):
            parse_document(body, "Delete")


def test_too_many_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document with too many elements is rejected."""
    assert documents._MAX_ELEMENTS == 100_000
    monkeypatch.setattr(documents, "_MAX_ELEMENTS", 1000)  # so many would take long to parse
    parse_document(b"<Delete>" + b"<a/>" * 999 + b"</Delete>", "Delete")
    with pytest.raises(S3Error, match="MalformedXML"):
        parse_document(b"<Delete>" + b"<a/>" * 1000 + b"</Delete>", "Delete")


def test_namespace_and_repetition() -> None:
    """The namespace is optional; a repeated element is rejected where one is expected."""
    root = parse_document(
        b'<Delete xmlns="x"><Key>a&amp;<![CDATA[<]]></Key><B/><B/></Delete>', "Delete"
    )
    assert (root.text_of("Key"), root.text_of("Missing")) == ("a&<", None)
    with pytest.raises(S3Error):
        root.text_of("B")


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Any bytes are parsed or rejected."""
    with contextlib.suppress(S3Error):
        assert parse_document(b"<Delete>" + body + b"</Delete>", "Delete").name == "Delete"


@settings(max_examples=50)
@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        max_size=50,
    )
)
def test_what_is_written_can_be_read(text: str) -> None:
    """Any key that is written to a document is parsed back unchanged."""
    written = to_xml("Delete", {"Key": text})
    assert parse_document(written, "Delete").text_of("Key") == text
    assert ET.fromstring(written)[0].text == (text or None)


def test_control_characters_are_references() -> None:
    """Control characters, which XML does not allow, are written as references, as S3 does."""
    assert b"<Key>a&#x1;&#xa;</Key>" in to_xml("Delete", {"Key": "a\x01\n"})


_LINES = st.sampled_from(
    [
        b"3\r\n",
        b"abc",
        b"\r\n",
        b"0\r\n",
        b"x-amz-checksum-crc32:AAAAAA==\r\n",
        b"ffff",
        b";",
        b"\n",
    ]
)


@settings(max_examples=50)
@given(st.lists(st.one_of(_LINES, st.binary(max_size=5)), max_size=12))
def test_any_chunks(parts: list[bytes]) -> None:
    """Any bytes as chunks, signed or not, are decoded or rejected."""
    raw = b"".join(parts)
    for signed in (False, True):
        body = Body(io.BytesIO(raw), len(raw))
        with contextlib.suppress(S3Error):
            got = b"".join(ChunkedBody(body, is_signed=signed, verifier=None))
            rest = iter(raw)
            assert all(byte in rest for byte in got), "the bytes of the chunks, in their order"
            assert body.is_finished
    http = Body(io.BytesIO(raw), None)
    with contextlib.suppress(ClientGoneError, RefusedRequestError):
        while http.read(4):
            pass
        assert http.is_finished


@settings(max_examples=50)
@given(
    pieces=st.lists(st.binary(min_size=1, max_size=20), max_size=5),
    size=st.integers(min_value=1, max_value=9),
)
def test_chunks_of_http(pieces: list[bytes], size: int) -> None:
    """A body in HTTP chunks is decoded completely, whatever the size of the reads."""
    raw = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    body = Body(io.BytesIO(raw + b"next"), None)
    got = b""
    while part := body.read(size):
        got += part
    assert got == b"".join(pieces)
    assert body.is_finished
    by_line = Body(io.BytesIO(raw), None)
    got = b""
    while part := by_line.readline(size):
        got += part
    assert got == b"".join(pieces)


class _Broken(io.BytesIO):
    def read(self, *_: object) -> bytes:
        raise OSError

    readline = read


@pytest.mark.parametrize("length", [5, None])
def test_broken_connection(length: int | None) -> None:
    """A connection error while reading is reported as a client that has gone."""

    def fail() -> None:
        raise OSError

    for stream, proceed in ((_Broken(), None), (io.BytesIO(), None), (io.BytesIO(b"5"), fail)):
        with pytest.raises(ClientGoneError):
            Body(stream, length, proceed).read(5)
        with pytest.raises(ClientGoneError):
            Body(type(stream)(), length).readline(5)
