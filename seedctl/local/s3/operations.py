"""The table of S3's operations: what tells each from the others, and what serves it, if anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seedctl.local.s3 import bucket_calls, listing, multipart, reading, writing
from seedctl.local.s3.completion import complete_multipart_upload
from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.local.http1 import Response
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.requests import S3Request

_COPY = "x-amz-copy-source"
"""A header that tells operations apart as parameters do."""

_ACCOUNT, _BUCKET, _OBJECT = range(3)
"""What the path leads to."""
_MISSING = {_BUCKET: ("a bucket", "/BUCKET"), _OBJECT: ("a key", "/BUCKET/KEY")}


class Route(NamedTuple):
    """An operation that is served."""

    operation: str
    """S3's name for it."""
    handler: Callable[[Context], Response]
    parameters: frozenset[str] = frozenset()
    """Those it takes; any other asks for what is not done here."""


Known = Route | str
"""What is served, or just the name of what is not."""


def find_route(request: S3Request) -> Route:
    """Return what serves *request*, by its method, path and parameters.

    Raises S3Error: NotImplemented for what is not served, InvalidRequest for a path that is too short.
    """
    level = _OBJECT if request.key else _BUCKET if request.bucket else _ACCOUNT
    given = set(request.parameters)
    marks = given | ({_COPY} & request.headers.keys())
    found = _marked(request.method, level, marks)
    if found is None:
        for longer in range(level + 1, _OBJECT + 1):
            found = found or _marked(request.method, longer, marks)
            if isinstance(found, Route):
                raise _too_short(request, found, level, longer)
        found = found or _DEFAULTS.get((request.method, level), "This operation")
    if isinstance(found, str):
        raise _not_served(found)
    return found


def check_parameters(request: S3Request, route: Route) -> None:
    """Refuse a parameter that asks *route* for more than is done here. Raises S3Error."""
    unknown = sorted(request.parameters.keys() - route.parameters)
    if unknown:
        raise _not_served(f"The parameter {unknown[0][:100]!a} of {route.operation}")
    if request.parameters.get("list-type", "2") != "2":
        raise _not_served("This operation")


def _marked(method: str, level: int, marks: set[str]) -> Known | None:
    for expected, known in _MARKED.get((method, level), ()):
        if expected <= marks:
            return known
    return None


def _too_short(request: S3Request, route: Route, level: int, longer: int) -> S3Error:
    missing = " and ".join(_MISSING[each][0] for each in range(level + 1, longer + 1))
    query = "&".join(sorted(request.parameters))
    return S3Error(
        "InvalidRequest",
        f"{route.operation} needs {missing}, which the path does not have: send {request.method} "
        f"{_MISSING[longer][1]}{'?' if query else ''}{query}.",
    )


def _not_served(what: str) -> S3Error:
    return S3Error("NotImplemented", f"{what} is not available on the local sandbox.")


_PAGE = frozenset({"prefix", "delimiter", "max-keys", "encoding-type"})
_PART = frozenset({"uploadId", "partNumber"})
_UPLOAD = frozenset({"uploadId"})
_UPLOAD_PART = Route("UploadPart", multipart.upload_part, _PART)
_UPLOAD_PART_COPY = Route("UploadPartCopy", multipart.upload_part_copy, _PART)

# Method, what the path leads to, the parameters that tell (and _COPY); in the order of asking.
_SERVED: tuple[tuple[str, int, tuple[str, ...], Route], ...] = (
    ("GET", _ACCOUNT, (), Route("ListBuckets", bucket_calls.list_buckets)),
    (
        "GET",
        _BUCKET,
        ("location",),
        Route("GetBucketLocation", bucket_calls.get_bucket_location, frozenset({"location"})),
    ),
    (
        "GET",
        _BUCKET,
        ("uploads",),
        Route(
            "ListMultipartUploads",
            multipart.list_multipart_uploads,
            frozenset({"uploads", "prefix", "max-uploads", "key-marker", "upload-id-marker"}),
        ),
    ),
    (
        "GET",
        _BUCKET,
        ("list-type",),
        Route(
            "ListObjectsV2",
            listing.list_objects_v2,
            _PAGE | {"list-type", "continuation-token", "start-after", "fetch-owner"},
        ),
    ),
    ("GET", _BUCKET, (), Route("ListObjects", listing.list_objects, _PAGE | {"marker"})),
    ("HEAD", _BUCKET, (), Route("HeadBucket", bucket_calls.head_bucket)),
    (
        "POST",
        _BUCKET,
        ("delete",),
        Route("DeleteObjects", writing.delete_objects, frozenset({"delete"})),
    ),
    (
        "GET",
        _OBJECT,
        ("uploadId",),
        Route("ListParts", multipart.list_parts, _UPLOAD | {"max-parts", "part-number-marker"}),
    ),
    ("GET", _OBJECT, (), Route("GetObject", reading.get_object, reading.OVERRIDES)),
    ("HEAD", _OBJECT, (), Route("HeadObject", reading.head_object, reading.OVERRIDES)),
    (
        "DELETE",
        _OBJECT,
        ("uploadId",),
        Route("AbortMultipartUpload", multipart.abort_multipart_upload, _UPLOAD),
    ),
    ("DELETE", _OBJECT, (), Route("DeleteObject", writing.delete_object)),
    (
        "POST",
        _OBJECT,
        ("uploads",),
        Route("CreateMultipartUpload", multipart.create_multipart_upload, frozenset({"uploads"})),
    ),
    (
        "POST",
        _OBJECT,
        ("uploadId",),
        Route("CompleteMultipartUpload", complete_multipart_upload, _UPLOAD),
    ),
    ("PUT", _OBJECT, ("uploadId", _COPY), _UPLOAD_PART_COPY),
    ("PUT", _OBJECT, ("partNumber", _COPY), _UPLOAD_PART_COPY),
    ("PUT", _OBJECT, ("uploadId",), _UPLOAD_PART),
    ("PUT", _OBJECT, ("partNumber",), _UPLOAD_PART),
    ("PUT", _OBJECT, (_COPY,), Route("CopyObject", writing.copy_object)),
    ("PUT", _OBJECT, (), Route("PutObject", writing.put_object)),
)

# What is known and not served. First the settings that are read, written and perhaps deleted by a
# parameter of their own: the parameter, the name after the verb, the methods.
_ALL = "GET PUT DELETE"
_SETTINGS: dict[int, tuple[tuple[str, str, str], ...]] = {
    _BUCKET: (
        ("accelerate", "BucketAccelerateConfiguration", "GET PUT"),
        ("acl", "BucketAcl", "GET PUT"),
        ("analytics", "BucketAnalyticsConfiguration", _ALL),
        ("cors", "BucketCors", _ALL),
        ("encryption", "BucketEncryption", _ALL),
        ("intelligent-tiering", "BucketIntelligentTieringConfiguration", _ALL),
        ("inventory", "BucketInventoryConfiguration", _ALL),
        ("lifecycle", "BucketLifecycleConfiguration", "GET PUT"),
        ("lifecycle", "BucketLifecycle", "DELETE"),
        ("logging", "BucketLogging", "GET PUT"),
        ("metrics", "BucketMetricsConfiguration", _ALL),
        ("notification", "BucketNotificationConfiguration", "GET PUT"),
        ("object-lock", "ObjectLockConfiguration", "GET PUT"),
        ("ownershipControls", "BucketOwnershipControls", _ALL),
        ("policy", "BucketPolicy", _ALL),
        ("policyStatus", "BucketPolicyStatus", "GET"),
        ("publicAccessBlock", "PublicAccessBlock", _ALL),
        ("replication", "BucketReplication", _ALL),
        ("requestPayment", "BucketRequestPayment", "GET PUT"),
        ("tagging", "BucketTagging", _ALL),
        ("versioning", "BucketVersioning", "GET PUT"),
        ("website", "BucketWebsite", _ALL),
    ),
    _OBJECT: (
        ("acl", "ObjectAcl", "GET PUT"),
        ("attributes", "ObjectAttributes", "GET"),
        ("legal-hold", "ObjectLegalHold", "GET PUT"),
        ("retention", "ObjectRetention", "GET PUT"),
        ("tagging", "ObjectTagging", _ALL),
        ("torrent", "ObjectTorrent", "GET"),
    ),
}
_OTHERS: tuple[tuple[str, int, str, str], ...] = (
    ("GET", _BUCKET, "session", "CreateSession"),
    ("GET", _BUCKET, "versions", "ListObjectVersions"),
    ("PUT", _BUCKET, "", "CreateBucket"),
    ("DELETE", _BUCKET, "", "DeleteBucket"),
    ("POST", _BUCKET, "", "PostObject, the upload of a form,"),
    ("POST", _OBJECT, "restore", "RestoreObject"),
    ("POST", _OBJECT, "select", "SelectObjectContent"),
    ("PUT", _OBJECT, "renameObject", "RenameObject"),
)


def _all_known() -> Iterator[tuple[str, int, frozenset[str], Known]]:
    for level, settings in _SETTINGS.items():
        for parameter, name, methods in settings:
            for method in methods.split():
                yield method, level, frozenset({parameter}), f"{method.title()}{name}"
    for method, level, parameter, operation in _OTHERS:
        yield method, level, frozenset({parameter} - {""}), operation
    for method, level, marks, route in _SERVED:
        yield method, level, frozenset(marks), route


_MARKED: dict[tuple[str, int], list[tuple[frozenset[str], Known]]] = {}
_DEFAULTS: dict[tuple[str, int], Known] = {}
for _method, _level, _marks, _known in _all_known():
    if _marks:
        _MARKED.setdefault((_method, _level), []).append((_marks, _known))
    else:
        _DEFAULTS[_method, _level] = _known
