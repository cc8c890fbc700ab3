"""The table of S3 operations: how a request selects one, and which handler serves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from seedctl.local.http1 import Response
from seedctl.local.s3 import listing, multipart, reading, writing
from seedctl.local.s3.call import S3Call
from seedctl.local.s3.completion import complete_multipart_upload
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.requests import S3Request
from seedctl.local.s3.rules import DELETE, GET, WRITE

Handler = Callable[[S3Call], Response]

DEVELOPER = "developer"
"""The action of the routes that Amplify grants to no role: only the developer may use them."""

_COPY = "x-amz-copy-source"
"""A header that selects an operation, as parameters do."""

_ACCOUNT, _BUCKET, _OBJECT = range(3)
"""What the path names."""
_MISSING = {_BUCKET: ("a bucket", "/BUCKET"), _OBJECT: ("a key", "/BUCKET/KEY")}


class Route(NamedTuple):
    """An operation that is served."""

    handler: Handler
    action: str | None
    """The action that the caller must be allowed to do; None if the handler checks that."""
    parameters: frozenset[str]
    """The parameters that it supports."""

    @property
    def operation(self) -> str:
        """The name of the operation in S3, made from the name of the handler."""
        return self.handler.__name__.title().replace("_", "")


RouteOrName = Route | str
"""The route of an operation, or the name of one that is not served."""


def find_route(request: S3Request) -> Route:
    """Return the route of *request*, by its method, path and parameters.

    Raises S3Error: NotImplemented for an operation that is not served, InvalidRequest if the path
    lacks a bucket or key.
    """
    level = _OBJECT if request.key else _BUCKET if request.bucket else _ACCOUNT
    method = request.sent.method
    selectors = {*request.parameters, *({_COPY} & request.headers.keys())}
    found = _select(method, level, selectors)
    if found is None:
        for longer in range(level + 1, _OBJECT + 1):
            found = found or _select(method, longer, selectors)
            if isinstance(found, Route):
                raise _incomplete_path(request, found, level, longer)
        found = found or _DEFAULTS.get((method, level), "This operation")
    if isinstance(found, str):
        raise _not_served(found)
    return found


def check_parameters(request: S3Request, route: Route) -> None:
    """Raise S3Error for a parameter that *route* does not support."""
    unknown = sorted(request.parameters.keys() - route.parameters)
    if unknown:
        raise _not_served(f"The parameter {unknown[0][:100]!a} of {route.operation}")
    if request.parameters.get("list-type", "2") != "2":
        raise _not_served("This operation")


def _select(method: str, level: int, selectors: set[str]) -> RouteOrName | None:
    for expected, found in _BY_SELECTORS.get((method, level), ()):
        if expected <= selectors:
            return found
    return None


def _incomplete_path(request: S3Request, route: Route, level: int, longer: int) -> S3Error:
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
_OVERRIDES = " ".join(reading.OVERRIDE + name for name in writing.STORED_HEADERS)

# Method, what the path names, the parameters (or _COPY) that select the operation, its handler, the
# action that the caller must be allowed, other parameters. The first entry that matches is used.
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

# Operations that are not served: what the path names, the parameter that selects the operation, its
# name with {} for the method, and the methods.
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


def _all_operations() -> Iterator[tuple[str, int, frozenset[str], RouteOrName]]:
    for level, parameter, name, methods in _NOT_SERVED:
        for method in methods.split():
            yield method, level, frozenset(parameter.split()), name.format(method.title())
    for method, level, text, handler, action, others in _SERVED:
        selectors = frozenset(text.split())
        yield method, level, selectors, Route(handler, action, selectors.union(others.split()))


_BY_SELECTORS: dict[tuple[str, int], list[tuple[frozenset[str], RouteOrName]]] = {}
_DEFAULTS: dict[tuple[str, int], RouteOrName] = {}
for _method, _level, _selectors, _found in _all_operations():
    if _selectors:
        _BY_SELECTORS.setdefault((_method, _level), []).append((_selectors, _found))
    else:
        _DEFAULTS[_method, _level] = _found
