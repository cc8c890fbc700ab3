"""Multipart uploads: parts in any order become one object, or nothing."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from seedctl.local.s3 import completion, payload
from seedctl.local.s3.files import Files, NewFile
from tests.boto3_clients import error_code as _code
from tests.cases import case

MIB = 1024 * 1024


def _begin(s3: Any, harness: Any, key: str, **given: Any) -> dict[str, str]:
    target = {"Bucket": harness.bucket, "Key": key}
    return {**target, "UploadId": s3.create_multipart_upload(**target, **given)["UploadId"]}


def _complete(s3: Any, upload: dict[str, str], *parts: tuple[int, str], **given: Any) -> Any:
    listed = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed}, **given)


def test_upload_file(s3: Any, shared: Any, tmp_path: Any) -> None:
    """Content uploaded by boto3 in parts is complete, also when boto3 downloads it in ranges."""
    before = shared.files()
    body = bytes(range(256)) * (12 * 4096 + 1)
    (tmp_path / "big").write_bytes(body)
    s3.upload_file(
        str(tmp_path / "big"),
        shared.bucket,
        "big",
        ExtraArgs={"ContentType": "application/x-demo", "Metadata": {"a": "b"}},
    )
    head = s3.head_object(Bucket=shared.bucket, Key="big")
    parts = [body[start : start + 8 * MIB] for start in range(0, len(body), 8 * MIB)]
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    assert head["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert (head["ContentType"], head["Metadata"]) == ("application/x-demo", {"a": "b"})
    got = io.BytesIO()
    s3.download_fileobj(shared.bucket, "big", got)
    assert got.getvalue() == body
    assert len(shared.files() - before) == 1
    # A copy is not in parts: its etag is that of the content.
    s3.copy_object(
        Bucket=shared.bucket, Key="one", CopySource={"Bucket": shared.bucket, "Key": "big"}
    )
    one = s3.head_object(Bucket=shared.bucket, Key="one")
    assert one["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'


def test_parts_are_replaced_and_listed(s3: Any, shared: Any) -> None:
    """A part that is sent again replaces the first one; parts that are not listed are dropped."""
    before = shared.files()
    upload = _begin(s3, shared, "listed")
    for number, text in ((3, b"last"), (1, b"old"), (1, b"x" * 5 * MIB), (9, b"unused")):
        s3.upload_part(**upload, PartNumber=number, Body=text)
    parts = s3.list_parts(**upload)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in parts] == [
        (1, 5 * MIB),
        (3, 4),
        (9, 6),
    ]
    page = s3.list_parts(**upload, MaxParts=1, PartNumberMarker=1)
    assert [part["PartNumber"] for part in page["Parts"]] == [3]
    assert (page["IsTruncated"], page["NextPartNumberMarker"]) == (True, 3)
    found = s3.list_multipart_uploads(Bucket=shared.bucket, Prefix="listed")["Uploads"]
    assert [entry["UploadId"] for entry in found] == [upload["UploadId"]]
    etags = {part["PartNumber"]: part["ETag"] for part in parts}
    _complete(s3, upload, (1, etags[1]), (3, etags[3]))
    assert s3.get_object(Bucket=shared.bucket, Key="listed")["Body"].read().endswith(b"xlast")
    assert len(shared.files() - before) == 1
    assert _code(s3.list_parts, **upload) == "NoSuchUpload"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=shared.bucket, Prefix="listed")


def test_abort(s3: Any, shared: Any) -> None:
    """An aborted upload leaves neither parts nor object."""
    before = shared.files()
    upload = _begin(s3, shared, "aborted")
    s3.upload_part(**upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(**upload)
    assert shared.files() == before
    with shared.sandbox._store.reading() as view:
        query = "SELECT 1 FROM part WHERE upload_id = ?"
        assert view.row(query, upload["UploadId"]) is None
    assert _code(s3.abort_multipart_upload, **upload) == "NoSuchUpload"
    assert _code(s3.upload_part, **upload, PartNumber=1, Body=b"x") == "NoSuchUpload"
    assert shared.files() == before


def test_upload_belongs_to_its_key(s3: Any, shared: Any) -> None:
    """The id of an upload is valid for its own key and bucket only."""
    upload = _begin(s3, shared, "mine")
    for other in ({**upload, "Key": "yours"}, {**upload, "Bucket": shared.archive}):
        assert _code(s3.upload_part, **other, PartNumber=1, Body=b"x") == "NoSuchUpload"


def test_wrong_lists(s3: Any, shared: Any) -> None:
    """A wrong list of parts is rejected, and the upload stays pending."""
    for case_name, parts, code in (
        ("order", [(2, None), (1, None)], "InvalidPartOrder"),
        ("twice", [(1, None), (1, None)], "InvalidPartOrder"),
        ("etag", [(1, '"other"')], "InvalidPart"),
        ("unknown", [(7, '"x"')], "InvalidPart"),
        ("small", [(1, None), (2, None)], "EntityTooSmall"),
        ("none", [], "MalformedXML"),
    ):
        with case(case_name):
            upload = _begin(s3, shared, "wrong")
            etags = {
                number: s3.upload_part(**upload, PartNumber=number, Body=b"x")["ETag"]
                for number in (1, 2)
            }
            named = [(number, etag or etags[number]) for number, etag in parts]
            with pytest.raises(ClientError) as caught:
                _complete(s3, upload, *named)
            assert caught.value.response["Error"]["Code"] == code
            assert len(s3.list_parts(**upload)["Parts"]) == 2
            s3.abort_multipart_upload(**upload)


def test_part_numbers(s3: Any, shared: Any) -> None:
    """Parts are numbered from 1 to 10000."""
    upload = _begin(s3, shared, "numbers")
    for number in (
        "0",
        "10001",
        "x",
        "",
    ):
        with case(number):
            path = f"/{shared.bucket}/numbers?partNumber={number}&uploadId={upload['UploadId']}"
            assert b"between 1 and 10000" in shared.send("PUT", path, b"x")[2]
    upload = _begin(s3, shared, "numbers")
    for allowed in (1, 10000):
        assert s3.upload_part(**upload, PartNumber=allowed, Body=b"x")["ETag"]
    s3.abort_multipart_upload(**upload)


def test_smallest_part(s3: Any, shared: Any) -> None:
    """Each part but the last has at least 5 MiB."""
    upload = _begin(s3, shared, "small")
    bodies = (bytes(5 * MIB - 1), b"x")
    parts = [
        (number, s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"])
        for number, body in enumerate(bodies, start=1)
    ]
    with pytest.raises(ClientError, match="EntityTooSmall"):
        _complete(s3, upload, *parts)
    s3.abort_multipart_upload(**upload)


def test_prevent_overwrite(s3: Any, shared: Any) -> None:
    """A multipart upload checks the condition that the completion sends."""
    s3.put_object(Bucket=shared.bucket, Key="there", Body=b"1")
    upload = _begin(s3, shared, "there")
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"2")["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        _complete(s3, upload, (1, etag), IfNoneMatch="*")
    assert s3.get_object(Bucket=shared.bucket, Key="there")["Body"].read() == b"1"
    s3.delete_object(Bucket=shared.bucket, Key="there")
    _complete(s3, upload, (1, etag), IfNoneMatch="*")
    assert s3.get_object(Bucket=shared.bucket, Key="there")["Body"].read() == b"2"
    before = shared.files()
    upload = _begin(s3, shared, "there")
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"3")["ETag"]
    _complete(s3, upload, (1, etag))
    assert len(shared.files()) == len(before)  # the file of the replaced object is removed


def test_stated_size(s3: Any, shared: Any) -> None:
    """A size that differs from that of the parts is rejected."""
    upload = _begin(s3, shared, "size")
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"12345")["ETag"]
    with pytest.raises(ClientError, match="InvalidRequest"):
        _complete(s3, upload, (1, etag), MpuObjectSize=4)
    _complete(s3, upload, (1, etag), MpuObjectSize=5)


@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_checksum_of_the_object(s3: Any, shared: Any, kind: str) -> None:
    """The checksum of the object is that of its parts' checksums, or of its content."""
    parts = [b"a" * 5 * MIB, b"tail"]
    upload = _begin(s3, shared, kind, ChecksumAlgorithm="CRC32", ChecksumType=kind)
    sent = [
        s3.upload_part(**upload, PartNumber=number, Body=part, ChecksumAlgorithm="CRC32")
        for number, part in enumerate(parts, start=1)
    ]
    raw = [zlib.crc32(part).to_bytes(4, "big") for part in parts]
    assert [reply["ChecksumCRC32"] for reply in sent] == [
        base64.b64encode(each).decode() for each in raw
    ]
    whole = b"".join(raw if kind == "COMPOSITE" else parts)
    value = base64.b64encode(zlib.crc32(whole).to_bytes(4, "big")).decode()
    expected = f"{value}-2" if kind == "COMPOSITE" else value
    named = [(number, reply["ETag"]) for number, reply in enumerate(sent, start=1)]
    listed = [{"PartNumber": number, "ETag": etag} for number, etag in named]
    listed[1]["ChecksumCRC32"] = "AAAAAA=="
    with pytest.raises(ClientError, match="InvalidPart"):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})
    with pytest.raises(ClientError, match="BadDigest"):
        _complete(s3, upload, *named, ChecksumCRC32="AAAAAA==")
    assert _complete(s3, upload, *named, ChecksumCRC32=value)["ChecksumCRC32"] == expected
    got = s3.head_object(Bucket=shared.bucket, Key=kind, ChecksumMode="ENABLED")
    assert (got["ChecksumCRC32"], got["ChecksumType"]) == (expected, kind)


def test_wrong_checksum_settings(s3: Any, shared: Any) -> None:
    """An unknown checksum algorithm is rejected when the upload is created."""
    target = {"Bucket": shared.bucket, "Key": "x"}
    assert _code(s3.create_multipart_upload, **target, ChecksumAlgorithm="MD99") == (
        "InvalidRequest"
    )


def test_copied_parts(s3: Any, shared: Any) -> None:
    """A part may be a range of an existing object."""
    source = {"Bucket": shared.bucket, "Key": "source"}
    s3.put_object(**source, Body=b"0123456789")
    upload = _begin(s3, shared, "assembled")
    for bad in ("bytes=5-10", "bytes=5-4", "bytes=5-"):
        given = {"PartNumber": 1, "CopySource": source, "CopySourceRange": bad}
        assert _code(s3.upload_part_copy, **upload, **given) == "InvalidArgument"
    reply = s3.upload_part_copy(
        **upload, PartNumber=1, CopySource=source, CopySourceRange="bytes=2-5"
    )
    etag = reply["CopyPartResult"]["ETag"]
    assert etag == f'"{hashlib.md5(b"2345").hexdigest()}"'
    _complete(s3, upload, (1, etag))
    assert s3.get_object(Bucket=shared.bucket, Key="assembled")["Body"].read() == b"2345"
    whole = _begin(s3, shared, "whole")
    reply = s3.upload_part_copy(**whole, PartNumber=1, CopySource=source)
    _complete(s3, whole, (1, reply["CopyPartResult"]["ETag"]))
    assert s3.get_object(Bucket=shared.bucket, Key="whole")["Body"].read() == b"0123456789"


def test_uploads_by_page(s3: Any, shared: Any) -> None:
    """Uploads are listed in pages, sorted by key and then by age."""
    made = [_begin(s3, shared, key) for key in ("page/a", "page/a", "page/b")]
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=shared.bucket, Prefix="page/", PaginationConfig={"PageSize": 1}
    )
    found = [entry["UploadId"] for page in pages for entry in page["Uploads"]]
    assert found == [upload["UploadId"] for upload in made]
    rest = s3.list_multipart_uploads(Bucket=shared.bucket, Prefix="page/", KeyMarker="page/a")
    assert [entry["Key"] for entry in rest["Uploads"]] == ["page/b"]


# --- races ----------------------------------------------------------------------------------------


def _before(monkeypatch: pytest.MonkeyPatch, method: str, act: Any, kind: type = Files) -> None:
    """Call *act* right before *method* first uses a stored file."""
    original, pending = getattr(kind, method), [act]

    def raced(self: Any, *given: Any) -> Any:
        if pending:
            pending.pop()()
        return original(self, *given)

    monkeypatch.setattr(kind, method, raced)


def _copy(s3: Any, harness: Any, source: dict[str, str]) -> None:
    s3.copy_object(Bucket=harness.bucket, Key="copied", CopySource=source)


def _copy_as_part(s3: Any, harness: Any, source: dict[str, str]) -> None:
    upload = _begin(s3, harness, "copied")
    reply = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source)
    _complete(s3, upload, (1, reply["CopyPartResult"]["ETag"]))


COPIES = [pytest.param(_copy, "clone", id="object"), pytest.param(_copy_as_part, "open", id="part")]


@pytest.mark.parametrize(("copy", "method"), COPIES)
def test_source_is_overwritten_meanwhile(
    harness: Any, monkeypatch: pytest.MonkeyPatch, copy: Any, method: str
) -> None:
    """If the source of a copy is replaced before it is read, the new object is copied."""
    s3, source = harness.client(), {"Bucket": harness.bucket, "Key": "source"}
    s3.put_object(**source, Body=b"old")
    other = harness.client()
    _before(monkeypatch, method, lambda: other.put_object(**source, Body=b"newer"))
    copy(s3, harness, source)
    assert s3.get_object(Bucket=harness.bucket, Key="copied")["Body"].read() == b"newer"
    assert len(harness.files()) == 2


@pytest.mark.parametrize(("copy", "method"), COPIES)
def test_source_is_deleted_meanwhile(
    harness: Any, monkeypatch: pytest.MonkeyPatch, copy: Any, method: str
) -> None:
    """If the source of a copy is deleted before it is read, the copy fails with NoSuchKey."""
    s3, source = harness.client(), {"Bucket": harness.bucket, "Key": "source"}
    s3.put_object(**source, Body=b"old")
    other = harness.client()
    _before(monkeypatch, method, lambda: other.delete_object(**source))
    with pytest.raises(ClientError, match="NoSuchKey"):
        copy(s3, harness, source)
    assert harness.files() == set()


@pytest.mark.parametrize(("copy", "method"), COPIES)
def test_source_is_lost(start: Any, copy: Any, method: str) -> None:
    """If the file of the source is lost, the copy reports that instead of retrying forever."""
    harness = start()
    s3, source = harness.client(), {"Bucket": harness.bucket, "Key": "source"}
    s3.put_object(**source, Body=b"old")
    (name,) = harness.files()
    (harness.objects / name).unlink()
    with pytest.raises(ClientError) as caught:
        copy(s3, harness, source)
    assert caught.value.response["Error"]["Code"] == "LocalSandboxFailure"
    assert f"{harness.objects / name}: No such file" in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("what", "is_assembled", "code"),
    [
        pytest.param("complete", False, "NoSuchUpload", id="completed"),
        pytest.param("abort", False, "NoSuchUpload", id="aborted"),
        pytest.param("again", False, "InvalidPart", id="part sent again"),
        pytest.param("lost", False, "LocalSandboxFailure", id="lost"),
        pytest.param("complete", True, "NoSuchUpload", id="completed after assembly"),
        pytest.param("abort", True, "NoSuchUpload", id="aborted after assembly"),
        pytest.param("again", True, "InvalidPart", id="part sent again after assembly"),
    ],
)
def test_upload_changes_while_it_is_completed(
    harness: Any, monkeypatch: pytest.MonkeyPatch, what: str, is_assembled: bool, code: str
) -> None:
    """A completion fails if its upload or parts changed meanwhile, or if a part's file is lost."""
    s3, other = harness.client(), harness.client()
    upload = _begin(s3, harness, "raced")
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"1")["ETag"]
    (name,) = harness.files()
    acts = {
        "complete": lambda: _complete(other, upload, (1, etag)),
        "abort": lambda: other.abort_multipart_upload(**upload),
        "again": lambda: other.upload_part(**upload, PartNumber=1, Body=b"2"),
        "lost": (harness.objects / name).unlink,
    }
    if is_assembled:
        _before(monkeypatch, "finish", acts[what], NewFile)
    else:
        _before(monkeypatch, "open", acts[what])
    with pytest.raises(ClientError) as caught:
        _complete(s3, upload, (1, etag))
    assert caught.value.response["Error"]["Code"] == code


def test_upload_is_aborted_while_a_part_arrives(
    harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of an upload that is aborted meanwhile is refused, and leaves no file."""
    s3, other = harness.client(), harness.client()
    upload = _begin(s3, harness, "raced")
    _before(monkeypatch, "writing", lambda: other.abort_multipart_upload(**upload))
    with pytest.raises(ClientError, match="NoSuchUpload"):
        s3.upload_part(**upload, PartNumber=1, Body=b"x")
    assert harness.files() == set()


def test_upload_ends_before_its_parts_are_looked_up(
    harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that ends while the list of parts is received is reported as unknown."""
    s3, other = harness.client(), harness.client()
    upload = _begin(s3, harness, "raced")
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"1")["ETag"]
    original, pending = payload.read_body, [lambda: _complete(other, upload, (1, etag))]

    def raced(*given: Any, **named: Any) -> bytes:
        if pending:
            pending.pop()()
        return original(*given, **named)

    monkeypatch.setattr(completion, "read_body", raced)
    with pytest.raises(ClientError, match="NoSuchUpload"):
        _complete(s3, upload, (1, etag))
