"""The table of S3's operations: what tells each from the others, and what serves it, if anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seedctl.local.s3 import listing, multipart, reading, writing
from seedctl.local.s3.completion import complete_multipart_upload
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.rules import DELETE, GET, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.local.http1 import Response
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.requests import S3Request

    Handler = Callable[[Context], Response]

DEVELOPER = "developer"
"""The action of the routes that Amplify grants to nobody."""

_COPY = "x-amz-copy-source"
"""A header that tells operations apart as parameters do."""

_ACCOUNT, _BUCKET, _OBJECT = range(3)
"""What the path leads to."""
_MISSING = {_BUCKET: ("a bucket", "/BUCKET"), _OBJECT: ("a key", "/BUCKET/KEY")}


class Route(NamedTuple):
    """An operation that is served."""

    handler: Handler
    action: str | None
    """What the caller must be allowed to do at the path; None where the handler asks."""
    parameters: frozenset[str]
    """Those it takes; any other asks for what is not done here."""

    @property
    def operation(self) -> str:
        """S3's name for it: that of the handler, written as S3 does."""
        return self.handler.__name__.title().replace("_", "")


Known = Route | str
"""What is served, or just the name of what is not."""


def find_route(request: S3Request) -> Route:
    """Return what serves *request*, by its method, path and parameters.

    Raises S3Error: NotImplemented for what is not served, InvalidRequest for a path that is too short.
    """
    level = _OBJECT if request.key else _BUCKET if request.bucket else _ACCOUNT
    method = request.sent.method
    marks = {*request.parameters, *({_COPY} & request.headers.keys())}
    found = _marked(method, level, marks)
    if found is None:
        for longer in range(level + 1, _OBJECT + 1):
            found = found or _marked(method, longer, marks)
            if isinstance(found, Route):
                raise _too_short(request, found, level, longer)
        found = found or _DEFAULTS.get((method, level), "This operation")
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
        f"{route.operation} needs {missing}, which the path does not have: send {request.sent.method} "
        f"{_MISSING[longer][1]}{'?' if query else ''}{query}.",
    )


def _not_served(what: str) -> S3Error:
    return S3Error("NotImplemented", f"{what} is not available on the local sandbox.")


_PAGE = "prefix delimiter max-keys encoding-type"
_PAGE_V2 = f"{_PAGE} continuation-token start-after fetch-owner"
_UPLOADS = "prefix max-uploads key-marker upload-id-marker"
_OVERRIDES = " ".join(reading.OVERRIDE + name for name in writing.KEPT)

# Method, what the path leads to, the parameters that tell (and _COPY), in the order of asking; what
# serves it, what the caller must be allowed, other parameters that it takes.
_SERVED: tuple[tuple[str, int, str, Handler, str | None, str], ...] = (
    ("GET", _ACCOUNT, "", listing.list_buckets, DEVELOPER, ""),
    ("GET", _BUCKET, "location", listing.get_bucket_location, DEVELOPER, ""),
    ("GET", _BUCKET, "uploads", multipart.list_multipart_uploads, DEVELOPER, _UPLOADS),
    ("GET", _BUCKET, "list-type", listing.list_objects_v2, None, _PAGE_V2),
    ("GET", _BUCKET, "", listing.list_objects, None, f"{_PAGE} marker"),
    ("HEAD", _BUCKET, "", listing.head_bucket, DEVELOPER, ""),
    ("POST", _BUCKET, "delete", writing.delete_objects, None, ""),
    ("GET", _OBJECT, "uploadId", multipart.list_parts, WRITE, "max-parts part-number-marker"),
    ("GET", _OBJECT, "", reading.get_object, GET, _OVERRIDES),
    ("HEAD", _OBJECT, "", reading.head_object, GET, _OVERRIDES),
    ("DELETE", _OBJECT, "uploadId", multipart.abort_multipart_upload, WRITE, ""),
    ("DELETE", _OBJECT, "", writing.delete_object, DELETE, ""),
    ("POST", _OBJECT, "uploads", multipart.create_multipart_upload, WRITE, ""),
    ("POST", _OBJECT, "uploadId", complete_multipart_upload, WRITE, ""),
    ("PUT", _OBJECT, f"uploadId {_COPY}", multipart.upload_part_copy, WRITE, "partNumber"),
    ("PUT", _OBJECT, f"partNumber {_COPY}", multipart.upload_part_copy, WRITE, "uploadId"),
    ("PUT", _OBJECT, "uploadId", multipart.upload_part, WRITE, "partNumber"),
    ("PUT", _OBJECT, "partNumber", multipart.upload_part, WRITE, "uploadId"),
    ("PUT", _OBJECT, _COPY, writing.copy_object, WRITE, ""),
    ("PUT", _OBJECT, "", writing.put_object, WRITE, ""),
)

# What is known and not served: what the path leads to, the parameter that tells, the name with {}
# for the verb of the method, the methods.
_ALL = "GET PUT DELETE"
_NOT_SERVED: tuple[tuple[int, str, str, str], ...] = (
    (_BUCKET, "accelerate", "{}BucketAccelerateConfiguration", "GET PUT"),
    (_BUCKET, "acl", "{}BucketAcl", "GET PUT"),
    (_BUCKET, "analytics", "{}BucketAnalyticsConfiguration", _ALL),
    (_BUCKET, "cors", "{}BucketCors", _ALL),
    (_BUCKET, "encryption", "{}BucketEncryption", _ALL),
    (_BUCKET, "intelligent-tiering", "{}BucketIntelligentTieringConfiguration", _ALL),
    (_BUCKET, "inventory", "{}BucketInventoryConfiguration", _ALL),
    (_BUCKET, "lifecycle", "{}BucketLifecycleConfiguration", "GET PUT"),
    (_BUCKET, "lifecycle", "{}BucketLifecycle", "DELETE"),
    (_BUCKET, "logging", "{}BucketLogging", "GET PUT"),
    (_BUCKET, "metrics", "{}BucketMetricsConfiguration", _ALL),
    (_BUCKET, "notification", "{}BucketNotificationConfiguration", "GET PUT"),
    (_BUCKET, "object-lock", "{}ObjectLockConfiguration", "GET PUT"),
    (_BUCKET, "ownershipControls", "{}BucketOwnershipControls", _ALL),
    (_BUCKET, "policy", "{}BucketPolicy", _ALL),
    (_BUCKET, "policyStatus", "{}BucketPolicyStatus", "GET"),
    (_BUCKET, "publicAccessBlock", "{}PublicAccessBlock", _ALL),
    (_BUCKET, "replication", "{}BucketReplication", _ALL),
    (_BUCKET, "requestPayment", "{}BucketRequestPayment", "GET PUT"),
    (_BUCKET, "tagging", "{}BucketTagging", _ALL),
    (_BUCKET, "versioning", "{}BucketVersioning", "GET PUT"),
    (_BUCKET, "website", "{}BucketWebsite", _ALL),
    (_OBJECT, "acl", "{}ObjectAcl", "GET PUT"),
    (_OBJECT, "attributes", "{}ObjectAttributes", "GET"),
    (_OBJECT, "legal-hold", "{}ObjectLegalHold", "GET PUT"),
    (_OBJECT, "retention", "{}ObjectRetention", "GET PUT"),
    (_OBJECT, "tagging", "{}ObjectTagging", _ALL),
    (_OBJECT, "torrent", "{}ObjectTorrent", "GET"),
    (_BUCKET, "session", "CreateSession", "GET"),
    (_BUCKET, "versions", "ListObjectVersions", "GET"),
    (_BUCKET, "", "CreateBucket", "PUT"),
    (_BUCKET, "", "DeleteBucket", "DELETE"),
    (_BUCKET, "", "PostObject, the upload of a form,", "POST"),
    (_OBJECT, "restore", "RestoreObject", "POST"),
    (_OBJECT, "select", "SelectObjectContent", "POST"),
    (_OBJECT, "renameObject", "RenameObject", "PUT"),
)


def _all_known() -> Iterator[tuple[str, int, frozenset[str], Known]]:
    for level, parameter, name, methods in _NOT_SERVED:
        for method in methods.split():
            yield method, level, frozenset(parameter.split()), name.format(method.title())
    for method, level, text, handler, action, others in _SERVED:
        marks = frozenset(text.split())
        yield method, level, marks, Route(handler, action, marks.union(others.split()))


_MARKED: dict[tuple[str, int], list[tuple[frozenset[str], Known]]] = {}
_DEFAULTS: dict[tuple[str, int], Known] = {}
for _method, _level, _marks, _known in _all_known():
    if _marks:
        _MARKED.setdefault((_method, _level), []).append((_marks, _known))
    else:
        _DEFAULTS[_method, _level] = _known
