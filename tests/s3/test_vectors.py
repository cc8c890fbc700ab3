"""Recorded calls of the JavaScript client: ours send the same, except for listed deviations."""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from seedctl import errors
from seedctl.aws.credentials import Credentials
from seedctl.s3.results import (
    DownloadedObject,
    ObjectProperties,
    StoragePage,
    StorageUrl,
    UploadedObject,
)
from seedctl.s3.section import BucketInfo
from tests.cases import case
from tests.s3.s3 import DATA, FakeIdentity, FakeS3, Reply, Sent, StorageHarness

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RECORDED = json.loads((DATA / "storage_requests.json").read_text(encoding="utf-8"))
ROWS = RECORDED["vectors"]
DEVIATIONS = {
    row["id"]: row
    for row in tomllib.loads((DATA / "deviations.toml").read_text(encoding="utf-8"))[
        "storage_requests"
    ]
}

# What makes an object and its conditions; the rest is between an SDK and S3.
_COMPARED = re.compile(
    r"content-(?!length|md5)|x-amz-meta-|if-none-match|range$|x-amz-expected-bucket-owner|"
    r"x-amz-copy-source|x-amz-metadata-directive|x-amz-content-sha256"
)
_SDK_QUERY = {"x-id"}
_SNAKE = re.compile(r"(?<!^)([A-Z])")
_ETAG = re.compile(r"<ETag>(.*?)</ETag>")


def _identity(name: str) -> FakeIdentity:
    if name == "none":
        return FakeIdentity(identity_id=None)
    session = RECORDED["sessions"][name]
    keys = session["credentials"]
    return FakeIdentity(
        session["identity_id"],
        Credentials(keys["accessKeyId"], keys["secretAccessKey"], keys["sessionToken"]),
        None if name == "guest" else (),
    )


def _python(value: Any) -> Any:
    """Return a recorded input as a script in Python would write it."""
    if isinstance(value, dict):
        if "$bytes" in value:
            return bytes(value["$bytes"])
        if "$fn" in value:
            return lambda identity_id: value["$fn"].replace("{identityId}", identity_id)
        if "bucketName" in value:
            return BucketInfo(value["bucketName"], value["region"])
        return {_SNAKE.sub(r"_\1", name).lower(): _python(item) for name, item in value.items()}
    return value


def _call(harness: StorageHarness, row: dict[str, Any]) -> Any:
    given = row["input"]
    name = _SNAKE.sub(r"_\1", row["operation"]).lower()
    if name == "copy":
        return harness.storage.copy(_python(given["source"]), _python(given["destination"]))
    options = _python(given.get("options", {}))
    if "metadata" in options:
        options["metadata"] = given["options"]["metadata"]
    if "bytes_range" in options:
        options["bytes_range"] = (options["bytes_range"]["start"], options["bytes_range"]["end"])
    if options.pop("list_all", False):
        return list(harness.storage.list_all(given["path"], **options))
    if name == "upload_data":
        return harness.storage.upload_data(
            _python(given["path"]), _python(given["data"]), **options
        )
    return getattr(harness.storage, name)(_python(given["path"]), **options)


def _server(row: dict[str, Any]) -> FakeS3:
    if isinstance(row.get("server_replies"), str):
        return FakeS3(answer=_multipart)
    replies = [
        Reply(each["status"], each["headers"], each["body"] or "") for each in row["server_replies"]
    ]
    return FakeS3(*replies)


def _multipart(sent: Sent) -> Reply:
    if "uploads" in sent.query:
        return Reply(
            body="<InitiateMultipartUploadResult><UploadId>UP1</UploadId>"
            "</InitiateMultipartUploadResult>"
        )
    if "partNumber" in sent.query:
        return Reply(headers={"etag": f'"p{sent.query["partNumber"]}"'})
    if sent.method == "POST":
        return Reply(
            body='<CompleteMultipartUploadResult><ETag>"final-3"</ETag>'
            "</CompleteMultipartUploadResult>"
        )
    return Reply(
        headers={
            "content-length": "12582912",
            "etag": '"final-3"',
            "last-modified": "Wed, 15 Jan 2025 12:00:00 GMT",
        }
    )


def _recorded(request: dict[str, Any]) -> dict[str, Any]:
    parts = urlsplit(request["url"])
    assert parts.hostname is not None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    headers = dict(request["headers"])
    if "x-amz-copy-source" in headers:
        headers["x-amz-copy-source"] = unquote(headers["x-amz-copy-source"])
    return {
        "method": request["method"],
        "bucket": parts.hostname.partition(".s3.")[0],
        "region": parts.hostname.partition(".s3.")[2].partition(".")[0],
        "key": unquote(parts.path.removeprefix("/")),
        "query": {name: value for name, value in query.items() if name not in _SDK_QUERY},
        "headers": {name: value for name, value in headers.items() if _COMPARED.match(name)},
        "length": request.get("body_length", 0),
        "body": request.get("body"),
    }


def _ours(sent: Sent, recorded: dict[str, Any]) -> dict[str, Any]:
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/s3/", sent.headers["authorization"])
    assert scope is not None
    headers = {name: value for name, value in sent.headers.items() if _COMPARED.match(name)}
    if "x-amz-copy-source" in headers:
        headers["x-amz-copy-source"] = unquote(headers["x-amz-copy-source"])
    return {
        "method": sent.method,
        "bucket": sent.bucket,
        "region": scope[1],
        "key": sent.key,
        "query": sent.query,
        "headers": headers,
        "length": len(sent.body),
        "body": sent.body.decode() if isinstance(recorded["body"], str) else None,
    }


def _without_the_sdks_own(request: dict[str, Any]) -> dict[str, Any]:
    """Remove what an SDK chooses for parts: their type, and the format of the list of parts."""
    headers = dict(request["headers"])
    if "partNumber" in request["query"]:
        headers.pop("content-type", None)
    elif "uploadId" in request["query"]:
        headers.clear()
        return {**request, "headers": headers, "length": None, "body": None}
    return {**request, "headers": headers}


def _in_order(sent: list[Sent]) -> list[Sent]:
    """Return *sent* with the parts sorted by number: several are sent at a time."""
    parts = sorted(
        (each for each in sent if "partNumber" in each.query),
        key=lambda each: int(each.query["partNumber"]),
    )
    return [parts.pop(0) if "partNumber" in each.query else each for each in sent]


def test_requests_and_results_are_the_recorded_ones() -> None:
    """Each call sends and returns the same as the JavaScript client, or raises the same error."""
    assert len(ROWS) > 30
    for row in ROWS:
        with case(row["id"]), _server(row) as server:
            harness = StorageHarness(server.url, row["outputs"], _identity(row["session"]))
            _check_result(harness, row)
            _check_requests(server, row)


def _check_requests(server: FakeS3, row: dict[str, Any]) -> None:
    expected = [_recorded(each) for each in row["expect"]["http_requests"]]
    for each in expected:
        each["headers"].update(DEVIATIONS.get(row["id"], {}).get("headers", {}))
    assert len(server.sent) == len(expected)
    for sent, recorded in zip(_in_order(server.sent), expected, strict=True):
        assert _without_the_sdks_own(_ours(sent, recorded)) == _without_the_sdks_own(recorded)


def _check_result(harness: StorageHarness, row: dict[str, Any]) -> None:
    expect = row["expect"]
    if "threw" not in expect:
        _check(_call(harness, row), expect["returned"], row)
        return
    with pytest.raises(errors.SeedctlError) as caught:
        _call(harness, row)
    assert caught.value.name == expect["threw"]["name"]
    if row["id"] not in DEVIATIONS:
        assert caught.value.message == expect["threw"]["message"]
    _check_metadata(caught.value, expect["threw"].get("metadata", {}))


def _check_metadata(error: errors.SeedctlError, metadata: dict[str, Any]) -> None:
    if metadata:
        assert isinstance(error, errors.StorageError)
        assert error.http_status == metadata["httpStatusCode"]
        assert error.request_id == metadata["requestId"]
        assert error.extended_request_id == metadata.get("extendedRequestId", "")


def _check(found: Any, returned: dict[str, Any], row: dict[str, Any]) -> None:
    deviation = DEVIATIONS.get(row["id"], {})
    if isinstance(found, StorageUrl):
        _check_url(found, returned)
    elif isinstance(found, UploadedObject):
        assert found.path == returned["path"]
        assert found.e_tag == returned["eTag"]
        assert found.version_id == returned.get("versionId")
        type_ = deviation.get("headers", {}).get("content-type", returned["contentType"])
        assert found.content_type == type_
        # The JavaScript client gives metadata back as it was typed; S3 keeps it in lower case.
        typed = returned.get("metadata", {})
        assert found.metadata == {name.lower(): value for name, value in typed.items()}
        assert found.size == returned.get("size", 12582912)
    elif isinstance(found, StoragePage):
        assert [_item(item) for item in found.items] == returned["items"]
        assert found.next_token == returned.get("nextToken")
        assert list(found.excluded_subpaths) == returned.get("excludedSubpaths", [])
    elif isinstance(found, list):
        assert [_item(item) for item in found] == returned["items"]
    elif isinstance(found, ObjectProperties):
        assert _properties(found) == {
            name: value for name, value in returned.items() if name != "body_text"
        }
        if isinstance(found, DownloadedObject):
            assert found.text() == returned["body_text"]
    else:
        assert found.path == returned["path"]


def _item(item: Any) -> dict[str, Any]:
    return {
        "path": item.path,
        "eTag": item.e_tag,
        "lastModified": _moment(item.last_modified),
        "size": item.size,
    }


def _properties(found: ObjectProperties) -> dict[str, Any]:
    known = {
        "path": found.path,
        "contentType": found.content_type,
        "size": found.size,
        "eTag": found.e_tag,
        "lastModified": _moment(found.last_modified),
    }
    return {**known, **({"metadata": dict(found.metadata)} if found.metadata else {})}


def _moment(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def _check_url(found: StorageUrl, returned: dict[str, Any]) -> None:
    """Compare bucket, key, times and response headers; the signature depends on the SDK."""
    ours, theirs = urlsplit(found.url), urlsplit(returned["url"])
    assert theirs.hostname is not None
    bucket = theirs.hostname.partition(".s3.")[0]
    assert unquote(ours.path) == f"/{bucket}{unquote(theirs.path)}"
    mine, recorded = dict(parse_qsl(ours.query)), dict(parse_qsl(theirs.query))
    for name, value in recorded.items():
        if name.startswith("response-") or name in {"X-Amz-Expires", "X-Amz-Security-Token"}:
            assert mine[name] == value
    assert mine["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"


def test_deviations_are_of_recorded_calls() -> None:
    """Every listed deviation is of a recorded call."""
    assert set(DEVIATIONS) <= {row["id"] for row in ROWS}
