"""Which operation a request selects, and the errors for those that are not served."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from tests.cases import case

FORM = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\na.txt\r\n--x--\r\n'


def code_of(answer: bytes) -> str | None:
    return ET.fromstring(answer).findtext("Code")


def message_of(answer: bytes) -> str:
    return ET.fromstring(answer).findtext("Message") or ""


def test_unserved_operations_are_named(shared: Any, signed: Any) -> None:
    """The error names an operation that is not served."""
    for case_name, method, path, headers, operation in (
        (
            "attributes",
            "GET",
            "/{bucket}/x?attributes",
            {"x-amz-object-attributes": "ETag,ObjectSize"},
            "GetObjectAttributes",
        ),
        ("object tags", "GET", "/{bucket}/x?tagging", {}, "GetObjectTagging"),
        ("new object tags", "PUT", "/{bucket}/x?tagging", {}, "PutObjectTagging"),
        ("no tags", "DELETE", "/{bucket}/x?tagging", {}, "DeleteObjectTagging"),
        ("object acl", "PUT", "/{bucket}/x?acl", {}, "PutObjectAcl"),
        ("bucket acl", "GET", "/{bucket}?acl", {}, "GetBucketAcl"),
        ("torrent", "GET", "/{bucket}/x?torrent", {}, "GetObjectTorrent"),
        ("hold", "PUT", "/{bucket}/x?legal-hold", {}, "PutObjectLegalHold"),
        ("select", "POST", "/{bucket}/x?select&select-type=2", {}, "SelectObjectContent"),
        ("restore", "POST", "/{bucket}/x?restore", {}, "RestoreObject"),
        ("versions", "GET", "/{bucket}?versions", {}, "ListObjectVersions"),
        ("versioning", "PUT", "/{bucket}?versioning", {}, "PutBucketVersioning"),
        ("lifecycle", "DELETE", "/{bucket}?lifecycle", {}, "DeleteBucketLifecycle"),
        ("rules", "GET", "/{bucket}?lifecycle", {}, "GetBucketLifecycleConfiguration"),
        ("new bucket", "PUT", "/{bucket}", {}, "CreateBucket"),
        ("no bucket", "DELETE", "/{bucket}", {}, "DeleteBucket"),
        ("acl of nothing", "GET", "/?acl", {}, "GetBucketAcl"),
        ("id", "GET", "/{bucket}/x?versionId=1", {}, "The parameter 'versionId' of GetObject"),
    ):
        with case(case_name):
            found = path.format(bucket=shared.bucket)
            status, _, answer = shared.send(method, found, None, {**signed(), **headers})
            assert (status, code_of(answer)) == (501, "NotImplemented")
            assert message_of(answer) == f"{operation} is not available on the local sandbox."


def test_form_upload(shared: Any) -> None:
    """The error names the upload of a form, although its signature is within the form."""
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    status, _, answer = shared.send("POST", f"/{shared.bucket}", FORM, headers)
    assert (status, code_of(answer)) == (501, "NotImplemented")
    assert message_of(answer).startswith("PostObject, the upload of a form, is not available")


def test_paths_that_are_too_short(shared: Any) -> None:
    """If the path lacks a bucket or key that the operation needs, the error says so."""
    for case_name, method, path, message in (
        (
            "delete",
            "POST",
            "/?delete",
            "DeleteObjects needs a bucket, which the path does not have: send POST /BUCKET?delete.",
        ),
        (
            "list",
            "GET",
            "/?list-type=2&prefix=a",
            (
                "ListObjectsV2 needs a bucket, which the path does not have: send GET "
                "/BUCKET?list-type&prefix."
            ),
        ),
        (
            "upload",
            "POST",
            "/{bucket}?uploads",
            (
                "CreateMultipartUpload needs a key, which the path does not have: send POST "
                "/BUCKET/KEY?uploads."
            ),
        ),
        (
            "part",
            "PUT",
            "/?partNumber=1&uploadId=x",
            (
                "UploadPart needs a bucket and a key, which the path does not have: send PUT "
                "/BUCKET/KEY?partNumber&uploadId."
            ),
        ),
    ):
        with case(case_name):
            status, _, answer = shared.send(method, path.format(bucket=shared.bucket))
            assert (status, code_of(answer)) == (400, "InvalidRequest")
            assert message_of(answer) == message


def test_deletion_without_bucket_and_signature(shared: Any) -> None:
    """An unsigned POST /?delete goes to S3, since no other service has such a request."""
    status, _, answer = shared.send("POST", "/?delete", b"<Delete/>", {})
    assert (status, code_of(answer)) == (400, "InvalidRequest")
    assert message_of(answer).startswith("DeleteObjects needs a bucket")
