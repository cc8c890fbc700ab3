"""S3: the local sandbox gives the same responses as moto, except for paths and signatures."""

from __future__ import annotations

import hashlib
import io
import uuid
from itertools import product
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.boto3_clients import error_code as _code

MIB = 1024 * 1024

# Where moto is known to differ from S3: test name and case -> what moto does instead.
MOTO_DIFFERS = {
    "test_condition_of_a_copy": "ignores the conditions on a copy's source",
    "test_order_of_parts": "checks the sizes first",
    "test_presigned_for_a_missing_object": "answers 403",
    "test_refused_uploads[checksum]": "does not compare a checksum",
    "test_refused_uploads[digest]": "does not compare a Content-MD5",
    "test_refused_uploads[key]": "has no limit on keys here",
    "test_refused_uploads[metadata]": "has no limit on metadata here",
    "test_refused_uploads[owner]": "does not compare owners",
    "test_unknown_upload": "fails",
}


@pytest.fixture
def at(service: Any) -> dict[str, str]:
    """Return a prefix for one test, since all tests share moto's bucket."""
    return {"Bucket": service.bucket, "Key": f"{uuid.uuid4().hex}/a b/ü+c.txt"}


def _folder(at: dict[str, str]) -> str:
    return at["Key"].partition("/")[0] + "/"


def test_round_trip(service: Any, at: Any) -> None:
    """An object is read with its headers and metadata."""
    put = service.s3.put_object(
        **at,
        Body=b"hello",
        ContentType="text/plain",
        ContentDisposition="inline",
        ContentEncoding="gzip",
        ContentLanguage="de",
        CacheControl="no-cache",
        Metadata={"key1": "v1"},
    )
    assert put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    got = service.s3.get_object(**at)
    assert got["Body"].read() == b"hello"
    for found in (got, service.s3.head_object(**at)):
        assert found["ETag"] == put["ETag"]
        assert (found["ContentType"], found["ContentLength"]) == ("text/plain", 5)
        assert (found["ContentDisposition"], found["ContentLanguage"]) == ("inline", "de")
        assert (found["ContentEncoding"], found["CacheControl"]) == ("gzip", "no-cache")
        assert found["Metadata"] == {"key1": "v1"}


def test_ranges(service: Any, at: Any) -> None:
    """A range returns its bytes and the size of the object."""
    service.s3.put_object(**at, Body=b"0123456789")
    ranges = {"bytes=2-4": b"234", "bytes=7-": b"789", "bytes=-2": b"89", "bytes=8-99": b"89"}
    for requested, expected in ranges.items():
        got = service.s3.get_object(**at, Range=requested)
        assert got["Body"].read() == expected, requested
        assert got["ContentRange"].endswith("/10"), requested
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206, requested


def test_range_beyond_the_end(service: Any, at: Any) -> None:
    """A range beyond the object is rejected."""
    service.s3.put_object(**at, Body=b"0123456789")
    assert _code(service.s3.get_object, **at, Range="bytes=10-") == "InvalidRange"


def test_missing(service: Any, at: Any) -> None:
    """Missing objects have their error codes, but can be deleted without an error."""
    assert _code(service.s3.get_object, **at) == "NoSuchKey"
    assert _code(service.s3.head_object, **at) == "404"
    assert _code(service.s3.list_objects_v2, Bucket="no-such-bucket") == "NoSuchBucket"
    reply = service.s3.delete_object(**at)
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_unknown_upload(service: Any, at: Any) -> None:
    """A part of an unknown upload is rejected."""
    call = service.s3.upload_part
    assert _code(call, **at, PartNumber=1, UploadId="x", Body=b"x") == "NoSuchUpload"


def test_conditions(service: Any, at: Any) -> None:
    """Reading and writing may have conditions on the existing object."""
    etag = service.s3.put_object(**at, Body=b"x", IfNoneMatch="*")["ETag"]
    assert _code(service.s3.put_object, **at, Body=b"y", IfNoneMatch="*") == "PreconditionFailed"
    assert _code(service.s3.get_object, **at, IfMatch='"other"') == "PreconditionFailed"
    assert _code(service.s3.get_object, **at, IfNoneMatch=etag) == "304"
    assert service.s3.get_object(**at, IfMatch=etag)["Body"].read() == b"x"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param({"ContentMD5": "A" * 22 + "=="}, "BadDigest", id="digest"),
        pytest.param({"ChecksumCRC32": "AAAAAA=="}, "BadDigest", id="checksum"),
        pytest.param({"ExpectedBucketOwner": "210987654321"}, "AccessDenied", id="owner"),
        pytest.param({"Key": "k" * 1025}, "KeyTooLongError", id="key"),
        pytest.param({"Metadata": {"a": "x" * 2049}}, "MetadataTooLarge", id="metadata"),
    ],
)
def test_refused_uploads(service: Any, at: Any, given: dict[str, Any], code: str) -> None:
    """An upload with wrong checksums, or beyond a limit, is rejected."""
    assert _code(service.s3.put_object, **{**at, "Body": b"hello", **given}) == code


def test_listing(service: Any, at: Any) -> None:
    """Keys are listed in the order of their bytes, grouped at the delimiter, in pages."""
    folder = _folder(at)
    for name in ("b/2", "a", "ü", "b/1", "a-", "z z+"):
        service.s3.put_object(Bucket=service.bucket, Key=folder + name, Body=b"x")
    for delimiter, size in product(("", "/"), (1, 2, 1000)):
        pages = service.s3.get_paginator("list_objects_v2").paginate(
            Bucket=service.bucket,
            Prefix=folder,
            Delimiter=delimiter,
            PaginationConfig={"PageSize": size},
        )
        keys, prefixes = [], []
        for page in pages:
            keys += [entry["Key"].removeprefix(folder) for entry in page.get("Contents", [])]
            prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
            assert (page["Name"], page["Prefix"]) == (service.bucket, folder)
            assert page["MaxKeys"] == size
        below = [] if delimiter else ["b/1", "b/2"]
        assert keys == ["a", "a-", *below, "z z+", "ü"], (delimiter, size)
        assert prefixes == ([f"{folder}b/"] if delimiter else []), (delimiter, size)


def test_copy(service: Any, at: Any) -> None:
    """A copy has the metadata of its source, unless it is replaced."""
    service.s3.put_object(**at, Body=b"x", ContentType="text/plain", Metadata={"a": "b"})
    target = {"Bucket": service.bucket, "Key": f"{_folder(at)}copy"}
    service.s3.copy_object(**target, CopySource=at)
    assert service.s3.head_object(**target)["Metadata"] == {"a": "b"}
    service.s3.copy_object(
        **target, CopySource=at, MetadataDirective="REPLACE", Metadata={"c": "d"}
    )
    assert service.s3.head_object(**target)["Metadata"] == {"c": "d"}
    assert service.s3.get_object(**target)["Body"].read() == b"x"
    missing = {**at, "Key": "missing"}
    assert _code(service.s3.copy_object, **target, CopySource=missing) == "NoSuchKey"


def test_condition_of_a_copy(service: Any, at: Any) -> None:
    """A copy may have conditions on its source."""
    service.s3.put_object(**at, Body=b"x")
    given = {"Bucket": service.bucket, "Key": f"{_folder(at)}copy", "CopySource": at}
    assert _code(service.s3.copy_object, **given, CopySourceIfMatch='"x"') == "PreconditionFailed"


def test_copy_onto_itself(service: Any, at: Any) -> None:
    """A copy that would change nothing is rejected."""
    service.s3.put_object(**at, Body=b"x")
    assert _code(service.s3.copy_object, **at, CopySource=at) == "InvalidRequest"


def test_delete_many(service: Any, at: Any) -> None:
    """Many objects are deleted in one call."""
    service.s3.put_object(**at, Body=b"x")
    objects = [{"Key": at["Key"]}, {"Key": f"{_folder(at)}none"}]
    reply = service.s3.delete_objects(Bucket=service.bucket, Delete={"Objects": objects})
    assert sorted(entry["Key"] for entry in reply["Deleted"]) == sorted(
        entry["Key"] for entry in objects
    )
    assert _code(service.s3.get_object, **at) == "NoSuchKey"


def test_multipart(service: Any, at: Any) -> None:
    """Parts become one object; its etag is computed from theirs."""
    body = bytes(range(256)) * (12 * 4096)
    service.s3.upload_fileobj(io.BytesIO(body), at["Bucket"], at["Key"])
    head = service.s3.head_object(**at)
    parts = (body[: 8 * MIB], body[8 * MIB :])
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts))
    assert head["ETag"] == f'"{digest.hexdigest()}-2"'
    got = io.BytesIO()
    service.s3.download_fileobj(at["Bucket"], at["Key"], got)
    assert got.getvalue() == body


@pytest.fixture
def upload(service: Any, at: Any) -> Any:
    """Return an upload with two small parts, and a check that completing given parts fails."""
    target = {**at, "UploadId": service.s3.create_multipart_upload(**at)["UploadId"]}
    etags = {
        number: service.s3.upload_part(**target, PartNumber=number, Body=b"x")["ETag"]
        for number in (1, 2)
    }

    def refusal(*parts: tuple[int, str | None]) -> str:
        listed = [{"PartNumber": number, "ETag": etag or etags[number]} for number, etag in parts]
        call = service.s3.complete_multipart_upload
        return _code(call, **target, MultipartUpload={"Parts": listed})

    return target, refusal


def test_multipart_errors(service: Any, upload: Any) -> None:
    """A wrong list of parts is rejected; an aborted upload no longer exists."""
    target, refusal = upload
    listed = service.s3.list_parts(**target)["Parts"]
    assert [part["PartNumber"] for part in listed] == [1, 2]
    assert refusal((1, '"other"')) == "InvalidPart"
    assert refusal((1, None), (2, None)) == "EntityTooSmall"
    service.s3.abort_multipart_upload(**target)
    assert _code(service.s3.list_parts, **target) == "NoSuchUpload"


def test_order_of_parts(upload: Any) -> None:
    """Parts must be listed in ascending order."""
    assert upload[1]((2, None), (1, None)) == "InvalidPartOrder"


def test_presigned(service: Any, at: Any) -> None:
    """A presigned URL reads the object with the requested content type."""
    service.s3.put_object(**at, Body=b"hello")
    url = service.s3.generate_presigned_url(
        "get_object", Params={**at, "ResponseContentType": "image/png"}
    )
    with urlopen(url, timeout=20) as response:
        assert (response.read(), response.headers["Content-Type"]) == (b"hello", "image/png")


def test_presigned_for_a_missing_object(service: Any, at: Any) -> None:
    """A presigned URL of a missing object is valid, but returns 404."""
    url = service.s3.generate_presigned_url("get_object", Params=at)
    with pytest.raises(HTTPError) as caught, urlopen(url, timeout=20):
        pass
    with caught.value as error:
        assert error.code == 404
