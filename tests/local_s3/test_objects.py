"""Objects over HTTP, with boto3 as the client: written, read, copied and deleted."""

from __future__ import annotations

import base64
import hashlib
import http.client
import zlib
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from typing import Any

import pytest

from seedctl.local.s3.conditions import check_reading
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.index import StoredObject
from tests.boto3_clients import error_code as _code
from tests.cases import case


def test_round_trip(s3: Any, shared: Any) -> None:
    """An object is read under exactly the same key, with its headers and metadata."""
    for case_name, key in (
        ("plain", "plain.txt"),
        ("encoded", "a b/ü+c&d=e%20f.txt"),
        ("slashes", "a//b///c"),
        ("trailing slash", "folder/"),
        ("unicode", "日本語/😀"),
        ("xml", "quote'\"<>&"),
        ("longest", "k" * 1024),
    ):
        with case(case_name):
            body = key.encode() * 3
            put = s3.put_object(
                Bucket=shared.bucket,
                Key=key,
                Body=body,
                ContentType="text/x-test",
                ContentDisposition='attachment; filename="c.txt"',
                ContentEncoding="gzip",
                ContentLanguage="de",
                CacheControl="no-cache",
                Metadata={"Key1": "v 1", "other": "x"},
            )
            assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
            for got in (
                s3.get_object(Bucket=shared.bucket, Key=key),
                s3.head_object(Bucket=shared.bucket, Key=key),
            ):
                assert got["ContentType"] == "text/x-test"
                assert got["ContentDisposition"] == 'attachment; filename="c.txt"'
                assert got["ContentEncoding"] == "gzip"
                assert (got["ContentLanguage"], got["CacheControl"]) == ("de", "no-cache")
                assert got["Metadata"] == {"key1": "v 1", "other": "x"}
                assert (got["ContentLength"], got["ETag"]) == (len(body), put["ETag"])
                assert got["AcceptRanges"] == "bytes"
                assert abs(datetime.now(timezone.utc) - got["LastModified"]) < timedelta(minutes=5)
                if "Body" in got:
                    assert got["Body"].read() == body
            listed = s3.list_objects_v2(Bucket=shared.bucket, Prefix=key)["Contents"]
            assert key in [entry["Key"] for entry in listed]


def test_dots_stay_in_the_folder(shared: Any) -> None:
    """Dots in a key are text: no file appears outside the folder of objects."""
    for path in (
        "a/../../x",
        "..",
        "./a/.",
        "%2e%2e/%2Fetc",
    ):
        with case(path):
            before = set(shared.folder.parent.rglob("*")) - set(shared.objects.rglob("*"))
            assert shared.send("PUT", f"/{shared.bucket}/{path}", b"dots")[0] == 200
            assert shared.send("GET", f"/{shared.bucket}/{path}")[2] == b"dots"
            assert set(shared.folder.parent.rglob("*")) - set(shared.objects.rglob("*")) == before


def test_percent_decoded_once(s3: Any, shared: Any) -> None:
    """A key that is encoded twice contains a percent sign."""
    shared.send("PUT", f"/{shared.bucket}/once%2520", b"x")
    assert s3.head_object(Bucket=shared.bucket, Key="once%20")["ContentLength"] == 1
    assert _code(s3.head_object, Bucket=shared.bucket, Key="once ") == "404"


def test_defaults(s3: Any, shared: Any) -> None:
    """An object may be empty; without a content type it gets the binary one."""
    status, _, _ = shared.send("PUT", f"/{shared.bucket}/empty", b"")
    assert status == 200
    got = s3.get_object(Bucket=shared.bucket, Key="empty")
    assert (got["ContentType"], got["Body"].read()) == ("binary/octet-stream", b"")
    assert _code(s3.get_object, Bucket=shared.bucket, Key="empty", Range="bytes=0-") == (
        "InvalidRange"
    )


def test_ranges(s3: Any, shared: Any) -> None:
    """A single valid range returns exactly its bytes; any other range is ignored."""
    body = bytes(range(250)) * 1200
    s3.put_object(Bucket=shared.bucket, Key="ranges", Body=body)
    for case_name, requested, first, last in (
        ("one", "bytes=0-0", 0, 0),
        ("middle", "bytes=3-7", 3, 7),
        ("rest", "bytes=5-", 5, 299_999),
        ("suffix", "bytes=-4", 299_996, 299_999),
        ("long suffix", "bytes=-999999", 0, 299_999),
        ("beyond", "bytes=10-999999", 10, 299_999),
        ("backwards", "bytes=7-3", 0, None),
        ("several", "bytes=0-1,4-5", 0, None),
        ("unit", "lines=1-2", 0, None),
        ("nothing", "bytes=-", 0, None),
    ):
        with case(case_name):
            got = s3.get_object(Bucket=shared.bucket, Key="ranges", Range=requested)
            expected = body if last is None else body[first : last + 1]
            assert got["Body"].read() == expected
            if last is None:
                assert "ContentRange" not in got
            else:
                assert got["ContentRange"] == f"bytes {first}-{last}/{len(body)}"
                assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
            head = s3.head_object(Bucket=shared.bucket, Key="ranges", Range=requested)
            assert head["ContentLength"] == len(expected)


@pytest.mark.parametrize("requested", ["bytes=300000-", "bytes=999999-1000000", "bytes=-0"])
def test_range_beyond_the_end(shared: Any, signed: Any, requested: str) -> None:
    """A range beyond the object is rejected with 416 and the size."""
    shared.send("PUT", f"/{shared.bucket}/short", b"x" * 300)
    headers = signed(Range=requested)
    status, got, body = shared.send("GET", f"/{shared.bucket}/short", None, headers)
    assert (status, got["content-range"]) == (416, "bytes */300")
    assert b"<Code>InvalidRange</Code>" in body


def test_if_range(shared: Any, signed: Any) -> None:
    """With If-Range of another version, the whole object is returned."""
    _, put, _ = shared.send("PUT", f"/{shared.bucket}/if-range", b"0123456789")
    for etag, status in ((put["etag"], 206), ('"other"', 200)):
        headers = {**signed(Range="bytes=0-1"), "If-Range": etag}
        assert shared.send("GET", f"/{shared.bucket}/if-range", None, headers)[0] == status


def test_conditional_reading(s3: Any, shared: Any) -> None:
    """Each condition has its status, and an etag takes precedence over a date."""
    etag = s3.put_object(Bucket=shared.bucket, Key="cond", Body=b"x")["ETag"]
    past, future = (datetime.now(timezone.utc) + timedelta(days=days) for days in (-1, 1))
    target = {"Bucket": shared.bucket, "Key": "cond"}
    for good in (
        {"IfMatch": etag},
        {"IfMatch": "*"},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": past},
        {"IfUnmodifiedSince": future},
        {"IfMatch": etag, "IfUnmodifiedSince": past},
        {"IfNoneMatch": '"other"', "IfModifiedSince": future},
    ):
        s3.get_object(**target, **good)["Body"].read()
    assert _code(s3.get_object, **target, IfMatch='"other"') == "PreconditionFailed"
    assert _code(s3.get_object, **target, IfUnmodifiedSince=past) == "PreconditionFailed"
    assert _code(s3.get_object, **target, IfNoneMatch=etag) == "304"
    assert _code(s3.get_object, **target, IfModifiedSince=future) == "304"
    assert _code(s3.head_object, **target, IfMatch='"other"') == "412"


def test_invalid_date(shared: Any, signed: Any) -> None:
    """A condition with an invalid date is ignored."""
    shared.send("PUT", f"/{shared.bucket}/date", b"x")
    headers = {**signed(), "If-Modified-Since": "yesterday", "If-Unmodified-Since": "never"}
    assert shared.send("GET", f"/{shared.bucket}/date", None, headers)[0] == 200


def test_conditional_writing(s3: Any, shared: Any) -> None:
    """An object is not replaced if the client's condition forbids it."""
    target = {"Bucket": shared.bucket, "Key": "guarded"}
    assert _code(s3.put_object, **target, Body=b"0", IfMatch='"x"') == "NoSuchKey"
    etag = s3.put_object(**target, Body=b"1", IfNoneMatch="*")["ETag"]
    assert _code(s3.put_object, **target, Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    assert _code(s3.put_object, **target, Body=b"2", IfMatch='"x"') == "PreconditionFailed"
    assert _code(s3.put_object, **target, Body=b"2", IfNoneMatch=etag) == "NotImplemented"
    assert s3.get_object(**target)["Body"].read() == b"1"
    s3.put_object(**target, Body=b"3", IfMatch=etag)
    assert s3.get_object(**target)["Body"].read() == b"3"


def test_response_overrides(s3: Any, shared: Any) -> None:
    """A presigned URL may override response headers, but not with control characters."""
    target = {"Bucket": shared.bucket, "Key": "shown"}
    s3.put_object(**target, Body=b"x")
    got = s3.get_object(
        **target,
        ResponseContentType="image/png",
        ResponseContentDisposition='inline; filename="ü.png"',
        ResponseCacheControl="no-store",
    )
    assert got["Body"].read() == b"x"
    assert (got["ContentType"], got["CacheControl"]) == ("image/png", "no-store")
    assert got["ContentDisposition"].encode("latin-1").decode() == 'inline; filename="ü.png"'
    bad = s3.get_object
    assert _code(bad, **target, ResponseContentType="a\r\nX-Bad: 1") == "InvalidArgument"


def test_delete(s3: Any, shared: Any) -> None:
    """Deleting an object removes its file; deleting a missing object succeeds."""
    before = shared.files()
    for _ in range(2):
        s3.put_object(Bucket=shared.bucket, Key="gone", Body=b"x")
    assert len(shared.files()) == len(before) + 1
    for _ in range(2):
        reply = s3.delete_object(Bucket=shared.bucket, Key="gone")
        assert reply["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert shared.files() == before
    assert _code(s3.get_object, Bucket=shared.bucket, Key="gone") == "NoSuchKey"
    assert _code(s3.head_object, Bucket=shared.bucket, Key="gone") == "404"
    assert _code(s3.delete_object, Bucket=shared.bucket, Key="gone", IfMatch="*") == (
        "NotImplemented"
    )


def test_delete_many(s3: Any, shared: Any) -> None:
    """Many objects are deleted in one request, which reports each one unless it is quiet."""
    keys = [f"many/{number}<&>" for number in range(1000)]
    s3.put_object(Bucket=shared.bucket, Key=keys[3], Body=b"x")
    objects = [{"Key": key} for key in keys]
    reply = s3.delete_objects(Bucket=shared.bucket, Delete={"Objects": objects})
    assert [entry["Key"] for entry in reply["Deleted"]] == keys
    assert s3.list_objects_v2(Bucket=shared.bucket, Prefix="many/")["KeyCount"] == 0
    s3.put_object(Bucket=shared.bucket, Key=keys[3], Body=b"x")
    quiet = {"Objects": [*objects[:5], {"Key": "k" * 1025}], "Quiet": True}
    reply = s3.delete_objects(Bucket=shared.bucket, Delete=quiet)
    assert "Deleted" not in reply
    assert [entry["Code"] for entry in reply["Errors"]] == ["KeyTooLongError"]
    too_many = {"Objects": [{"Key": str(number)} for number in range(1001)]}
    assert _code(s3.delete_objects, Bucket=shared.bucket, Delete=too_many) == "MalformedXML"
    versions = {"Objects": [{"Key": "a", "VersionId": "1"}]}
    assert _code(s3.delete_objects, Bucket=shared.bucket, Delete=versions) == "NotImplemented"


def test_delete_many_needs_a_checksum(shared: Any) -> None:
    """A list of objects to delete must not be empty, and needs a checksum."""
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    assert shared.send("POST", f"/{shared.bucket}?delete", body)[0] == 400


@pytest.mark.parametrize("archive", [False, True])
def test_copy(s3: Any, shared: Any, archive: bool) -> None:
    """A copy has the content, headers and metadata of its source, and stays if that is deleted."""
    bucket = shared.archive if archive else shared.bucket
    key = "copy/ü a+b.txt"
    s3.put_object(
        Bucket=shared.bucket, Key=key, Body=b"hello", ContentType="text/x", Metadata={"a": "b"}
    )
    source = {"Bucket": shared.bucket, "Key": key}
    reply = s3.copy_object(Bucket=bucket, Key="copied", CopySource=source)
    assert reply["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    s3.delete_object(Bucket=shared.bucket, Key=key)
    got = s3.get_object(Bucket=bucket, Key="copied")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (
        b"hello",
        "text/x",
        {"a": "b"},
    )


def test_copy_with_new_metadata(s3: Any, shared: Any) -> None:
    """With REPLACE a copy has its own metadata; only then may an object be copied to itself."""
    target = {"Bucket": shared.bucket, "Key": "self"}
    s3.put_object(**target, Body=b"x", ContentType="text/x", Metadata={"a": "b"})
    assert _code(s3.copy_object, **target, CopySource=target) == "InvalidRequest"
    s3.copy_object(**target, CopySource=target, MetadataDirective="REPLACE", Metadata={"c": "d"})
    got = s3.get_object(**target)
    assert (got["Body"].read(), got["Metadata"]) == (b"x", {"c": "d"})
    assert got["ContentType"] == "binary/octet-stream"
    bad = {"MetadataDirective": "OTHER"}
    assert _code(s3.copy_object, **target, CopySource=target, **bad) == "InvalidArgument"


def test_dates_and_tags_of_conditions() -> None:
    """Dates are compared in whole seconds, as they are shown; a weak tag is compared as a strong one."""
    stored = StoredObject("b", "k", "f", 1, "tag", 1_000_000_000.7)
    shown = formatdate(stored.modified, usegmt=True)
    for headers, code in (
        ({"if-unmodified-since": shown}, None),
        ({"if-modified-since": shown}, "NotModified"),
        ({"if-unmodified-since": formatdate(stored.modified - 1, usegmt=True)}, "Precondition"),
        ({"if-modified-since": formatdate(stored.modified - 1, usegmt=True)}, None),
        ({"if-unmodified-since": "yesterday", "if-modified-since": "today"}, None),
        ({"if-match": 'W/"tag"'}, None),
        ({"if-none-match": '"other", W/"tag"'}, "NotModified"),
        ({"if-match": '"other"'}, "Precondition"),
    ):
        with case(headers), nullcontext() if code is None else pytest.raises(S3Error, match=code):
            check_reading(headers, stored)


def test_time_and_checksum_of_a_copy(harness: Any) -> None:
    """A copy has the time of the copy, and not the checksum of the parts of its source."""
    s3, target = harness.client(), {"Bucket": harness.bucket, "Key": "source"}
    upload = s3.create_multipart_upload(**target, ChecksumAlgorithm="SHA1")["UploadId"]
    part = s3.upload_part(
        **target, UploadId=upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA1"
    )
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA1": part["ChecksumSHA1"]}]
    s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})
    harness.clock.ahead = 60
    s3.copy_object(Bucket=harness.bucket, Key="copy", CopySource=target)
    source, copy = (
        s3.head_object(Bucket=harness.bucket, Key=key, ChecksumMode="ENABLED")
        for key in ("source", "copy")
    )
    assert source["ChecksumSHA1"].endswith("-1")
    assert "ChecksumSHA1" not in copy
    assert (copy["LastModified"] - source["LastModified"]).total_seconds() >= 59


def test_copy_conditions(s3: Any, shared: Any) -> None:
    """All conditions on the source fail with PreconditionFailed."""
    source = {"Bucket": shared.bucket, "Key": "source"}
    etag = s3.put_object(**source, Body=b"x")["ETag"]
    past, future = (datetime.now(timezone.utc) + timedelta(days=days) for days in (-1, 1))
    target = {"Bucket": shared.bucket, "Key": "target", "CopySource": source}
    for bad in (
        {"CopySourceIfMatch": '"other"'},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfModifiedSince": future},
        {"CopySourceIfUnmodifiedSince": past},
    ):
        assert _code(s3.copy_object, **target, **bad) == "PreconditionFailed"
    s3.copy_object(
        **target,
        CopySourceIfMatch=etag,
        CopySourceIfUnmodifiedSince=future,
        TaggingDirective="COPY",  # newer JavaScript clients send this; there are no tags
    )


def test_copy_sources(shared: Any, signed: Any) -> None:
    """The copy source may be encoded or not, as clients differ."""
    shared.send("PUT", f"/{shared.bucket}/pic%20a.png", b"x")
    for case_name, source, status in (
        ("not encoded", "{bucket}/pic a.png", 200),
        ("leading slash", "/{bucket}/pic%20a.png", 200),
        ("all encoded", "%2F{bucket}%2Fpic%20a.png", 200),
        ("missing", "{bucket}/other", 404),
        ("other bucket", "other-bucket/x", 404),
        ("no key", "{bucket}", 400),
        ("empty key", "{bucket}/", 400),
        ("no text", "{bucket}/%FF", 400),
        ("version", "{bucket}/x?versionId=1", 501),
    ):
        with case(case_name):
            headers = {**signed(), "x-amz-copy-source": source.format(bucket=shared.bucket)}
            assert shared.send("PUT", f"/{shared.bucket}/to", None, headers)[0] == status


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums(s3: Any, shared: Any, algorithm: str) -> None:
    """A checksum is verified, stored and returned on request."""
    target = {"Bucket": shared.bucket, "Key": f"sum-{algorithm}"}
    digest = {
        "CRC32": zlib.crc32(b"hello").to_bytes(4, "big"),
        "SHA1": hashlib.sha1(b"hello").digest(),
        "SHA256": hashlib.sha256(b"hello").digest(),
    }[algorithm]
    name, value = f"Checksum{algorithm}", base64.b64encode(digest).decode()
    assert s3.put_object(**target, Body=b"hello", **{name: value})[name] == value
    assert s3.get_object(**target, ChecksumMode="ENABLED")[name] == value
    wrong = base64.b64encode(bytes(len(digest))).decode()
    assert _code(s3.put_object, **target, Body=b"hello", **{name: wrong}) == "BadDigest"
    assert _code(s3.put_object, **target, Body=b"hello", **{name: "eA=="}) == "InvalidRequest"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({"Content-MD5": base64.b64encode(bytes(16)).decode()}, "BadDigest", id="md5"),
        pytest.param({"Content-MD5": "x"}, "InvalidDigest", id="no md5"),
        pytest.param({"X-Amz-Content-Sha256": "0" * 64}, "XAmzContentSHA256Mismatch", id="sha256"),
        pytest.param(
            {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "A" * 27 + "="},
            "InvalidRequest",
            id="two checksums",
        ),
        pytest.param({"x-amz-meta-a": "x" * 2048}, "MetadataTooLarge", id="metadata"),
        pytest.param({"x-amz-acl": "public-read"}, "AccessControlListNotSupported", id="acl"),
        pytest.param({"x-amz-grant-read": "x"}, "AccessControlListNotSupported", id="grant"),
        pytest.param({"x-amz-tagging": "a=b"}, "NotImplemented", id="tagging"),
        pytest.param({"x-amz-storage-class": "GLACIER"}, "NotImplemented", id="class"),
        pytest.param({"x-amz-server-side-encryption": "aws:kms"}, "NotImplemented", id="kms"),
        pytest.param({"x-amz-expected-bucket-owner": "123456789012"}, "AccessDenied", id="owner"),
        pytest.param({"x-amz-meta-a": "x\ry"}, "InvalidArgument", id="control"),
        pytest.param({"X-Amz-Content-Sha256": "STREAMING-OTHER"}, "NotImplemented", id="streaming"),
    ],
)
def test_refused_uploads(
    shared: Any, signed: Any, headers: dict[str, str], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rejected upload leaves no object and no file."""
    before = shared.files()
    # Send the value unchanged, although the client would reject it.
    monkeypatch.setattr(http.client, "_is_illegal_header_value", lambda _: None)
    status, _, body = shared.send(
        "PUT", f"/{shared.bucket}/refused", b"hello", {**signed(), **headers}
    )
    assert f"<Code>{code}</Code>".encode() in body
    assert status >= 400
    assert shared.files() == before
    assert shared.send("HEAD", f"/{shared.bucket}/refused")[0] == 404


def test_accepted_headers(shared: Any, signed: Any) -> None:
    """Headers that ask for the defaults or name the local account as owner are accepted."""
    headers = {
        "x-amz-expected-bucket-owner": "000000000000",
        "x-amz-storage-class": "STANDARD",
        "x-amz-server-side-encryption": "AES256",
        "x-amz-acl": "bucket-owner-full-control",
        "Content-Encoding": "aws-chunked, gzip",
        "x-amz-meta-a": "x" * 2047,  # with its name, the most that is allowed
    }
    path = f"/{shared.bucket}/accepted"
    assert shared.send("PUT", path, b"x", {**signed(), **headers})[0] == 200
    assert shared.send("HEAD", path)[1]["content-encoding"] == "gzip"


def test_missing_objects(shared: Any) -> None:
    """Errors have a document as in S3, with request ids."""
    for case_name, method, path, status, code in (
        ("bucket", "GET", "/no-such-bucket/x", 404, "NoSuchBucket"),
        ("key", "PUT", "/{bucket}/" + "k" * 1025, 400, "KeyTooLongError"),
        ("not UTF-8", "GET", "/{bucket}/%FF", 400, "InvalidURI"),
        ("acl", "GET", "/{bucket}/x?acl", 501, "NotImplemented"),
        ("version", "GET", "/{bucket}/x?versionId=1", 501, "NotImplemented"),
        ("versioning", "GET", "/{bucket}?versioning", 501, "NotImplemented"),
        ("list type", "GET", "/{bucket}?list-type=3", 501, "NotImplemented"),
        ("make a bucket", "PUT", "/{bucket}", 501, "NotImplemented"),
        ("post", "POST", "/{bucket}/x", 501, "NotImplemented"),
        ("patch", "PATCH", "/{bucket}/x", 501, "NotImplemented"),
        ("delete all", "DELETE", "/", 501, "NotImplemented"),
    ):
        with case(case_name):
            found, headers, body = shared.send(method, path.format(bucket=shared.bucket))
            assert found == status
            assert f"<Code>{code}</Code>".encode() in body
            assert f"<RequestId>{headers['x-amz-request-id']}</RequestId>".encode() in body
            assert b"<Message>" in body
            assert b"<HostId>" in body
            assert headers["content-type"] == "application/xml"


def test_errors_of_head_have_no_body(shared: Any) -> None:
    """An error response to HEAD has no body."""
    status, headers, body = shared.send("HEAD", f"/{shared.bucket}/missing")
    assert (status, headers["content-length"], body) == (404, "0", b"")
    assert "x-amz-request-id" in headers


def test_buckets(s3: Any, shared: Any) -> None:
    """The buckets are those of the outputs file, in their regions."""
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert names == sorted([shared.bucket, shared.archive])
    head = s3.head_bucket(Bucket=shared.archive)
    assert head["BucketRegion"] == "eu-west-1"
    assert s3.get_bucket_location(Bucket=shared.archive)["LocationConstraint"] == "eu-west-1"
    assert s3.get_bucket_location(Bucket=shared.bucket)["LocationConstraint"] is None
    assert _code(s3.head_bucket, Bucket="no-such-bucket") == "404"
