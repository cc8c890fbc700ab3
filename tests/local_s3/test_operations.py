"""Which operation a request selects, and the errors for those that are not served."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

FORM = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\na.txt\r\n--x--\r\n'


def code_of(answer: bytes) -> str | None:
    return ET.fromstring(answer).findtext("Code")


def message_of(answer: bytes) -> str:
    return ET.fromstring(answer).findtext("Message") or ""


@pytest.mark.parametrize(
    ("method", "path", "headers", "operation"),
    [
        pytest.param(
            "GET",
            "/{bucket}/x?attributes",
            {"x-amz-object-attributes": "ETag,ObjectSize"},
            "GetObjectAttributes",
            id="attributes",
        ),
        pytest.param("GET", "/{bucket}/x?tagging", {}, "GetObjectTagging", id="object tags"),
        pytest.param("PUT", "/{bucket}/x?tagging", {}, "PutObjectTagging", id="new object tags"),
        pytest.param("DELETE", "/{bucket}/x?tagging", {}, "DeleteObjectTagging", id="no tags"),
        pytest.param("PUT", "/{bucket}/x?acl", {}, "PutObjectAcl", id="object acl"),
        pytest.param("GET", "/{bucket}?acl", {}, "GetBucketAcl", id="bucket acl"),
        pytest.param("GET", "/{bucket}/x?torrent", {}, "GetObjectTorrent", id="torrent"),
        pytest.param("PUT", "/{bucket}/x?legal-hold", {}, "PutObjectLegalHold", id="hold"),
        pytest.param(
            "POST", "/{bucket}/x?select&select-type=2", {}, "SelectObjectContent", id="select"
        ),
        pytest.param("POST", "/{bucket}/x?restore", {}, "RestoreObject", id="restore"),
        pytest.param("GET", "/{bucket}?versions", {}, "ListObjectVersions", id="versions"),
        pytest.param("PUT", "/{bucket}?versioning", {}, "PutBucketVersioning", id="versioning"),
        pytest.param("DELETE", "/{bucket}?lifecycle", {}, "DeleteBucketLifecycle", id="lifecycle"),
        pytest.param(
            "GET", "/{bucket}?lifecycle", {}, "GetBucketLifecycleConfiguration", id="rules"
        ),
        pytest.param("PUT", "/{bucket}", {}, "CreateBucket", id="new bucket"),
        pytest.param("DELETE", "/{bucket}", {}, "DeleteBucket", id="no bucket"),
        pytest.param("GET", "/?acl", {}, "GetBucketAcl", id="acl of nothing"),
        pytest.param(
            "GET", "/{bucket}/x?versionId=1", {}, "The parameter 'versionId' of GetObject", id="id"
        ),
    ],
)
def test_unserved_operations_are_named(
    shared: Any, signed: Any, method: str, path: str, headers: dict[str, str], operation: str
) -> None:
    """The error names an operation that is not served."""
    path = path.format(bucket=shared.bucket)
    status, _, answer = shared.send(method, path, None, {**signed(), **headers})
    assert (status, code_of(answer)) == (501, "NotImplemented")
    assert message_of(answer) == f"{operation} is not available on the local sandbox."


def test_form_upload(shared: Any) -> None:
    """The error names the upload of a form, although its signature is within the form."""
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    status, _, answer = shared.send("POST", f"/{shared.bucket}", FORM, headers)
    assert (status, code_of(answer)) == (501, "NotImplemented")
    assert message_of(answer).startswith("PostObject, the upload of a form, is not available")


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        pytest.param(
            "POST",
            "/?delete",
            "DeleteObjects needs a bucket, which the path does not have: send POST /BUCKET?delete.",
            id="delete",
        ),
        pytest.param(
            "GET",
            "/?list-type=2&prefix=a",
            "ListObjectsV2 needs a bucket, which the path does not have: send GET "
            "/BUCKET?list-type&prefix.",
            id="list",
        ),
        pytest.param(
            "POST",
            "/{bucket}?uploads",
            "CreateMultipartUpload needs a key, which the path does not have: send POST "
            "/BUCKET/KEY?uploads.",
            id="upload",
        ),
        pytest.param(
            "PUT",
            "/?partNumber=1&uploadId=x",
            "UploadPart needs a bucket and a key, which the path does not have: send PUT "
            "/BUCKET/KEY?partNumber&uploadId.",
            id="part",
        ),
    ],
)
def test_paths_that_are_too_short(shared: Any, method: str, path: str, message: str) -> None:
    """If the path lacks a bucket or key that the operation needs, the error says so."""
    status, _, answer = shared.send(method, path.format(bucket=shared.bucket))
    assert (status, code_of(answer)) == (400, "InvalidRequest")
    assert message_of(answer) == message


def test_deletion_without_bucket_and_signature(shared: Any) -> None:
    """An unsigned POST /?delete goes to S3, since no other service has such a request."""
    status, _, answer = shared.send("POST", "/?delete", b"<Delete/>", {})
    assert (status, code_of(answer)) == (400, "InvalidRequest")
    assert message_of(answer).startswith("DeleteObjects needs a bucket")
