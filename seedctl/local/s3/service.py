"""The table of operations, and the way from a request to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import bucket_calls, index, listing, multipart, reading, writing
from seedctl.local.s3.callers import Callers
from seedctl.local.s3.completion import complete_multipart_upload
from seedctl.local.s3.context import Context, Room, request_ids
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.files import Files
from seedctl.local.s3.refusals import refusal, with_ids
from seedctl.local.s3.requests import check_headers, read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seedctl.local.http1 import Request, Response
    from seedctl.local.identity_pool import Principal
    from seedctl.local.s3.buckets import Bucket
    from seedctl.local.s3.requests import S3Request
    from seedctl.local.store import Store
    from seedctl.project.outputs import Group


class Row(NamedTuple):
    handler: Callable[[Context], Response]
    parameters: frozenset[str] = frozenset()
    """Any other asks for what is not done here."""


_PAGE = {"prefix", "delimiter", "max-keys", "encoding-type"}
_UPLOAD = frozenset({"uploadId"})
_PART = frozenset({"uploadId", "partNumber"})

# Method, whether there is a key, and the parameter that tells, in the order of asking.
_ROWS: Mapping[tuple[str, bool], Sequence[tuple[str | None, Row]]] = {
    ("GET", False): (
        ("location", Row(bucket_calls.get_bucket_location, frozenset({"location"}))),
        (
            "uploads",
            Row(
                multipart.list_multipart_uploads,
                frozenset({"uploads", "prefix", "max-uploads", "key-marker", "upload-id-marker"}),
            ),
        ),
        (
            "list-type",
            Row(
                listing.list_objects_v2,
                frozenset(
                    _PAGE | {"list-type", "continuation-token", "start-after", "fetch-owner"}
                ),
            ),
        ),
        (None, Row(listing.list_objects, frozenset(_PAGE | {"marker"}))),
    ),
    ("HEAD", False): ((None, Row(bucket_calls.head_bucket)),),
    ("POST", False): (("delete", Row(writing.delete_objects, frozenset({"delete"}))),),
    ("GET", True): (
        (
            "uploadId",
            Row(multipart.list_parts, _UPLOAD | {"max-parts", "part-number-marker"}),
        ),
        (None, Row(reading.get_object, reading.OVERRIDES)),
    ),
    ("HEAD", True): ((None, Row(reading.head_object, reading.OVERRIDES)),),
    ("DELETE", True): (
        ("uploadId", Row(multipart.abort_multipart_upload, _UPLOAD)),
        (None, Row(writing.delete_object)),
    ),
    ("POST", True): (
        ("uploads", Row(multipart.create_multipart_upload, frozenset({"uploads"}))),
        ("uploadId", Row(complete_multipart_upload, _UPLOAD)),
    ),
}
_PUT = Row(writing.put_object)
_PUT_COPY = Row(writing.copy_object)
_PUT_PART = Row(multipart.upload_part, _PART)
_PUT_PART_COPY = Row(multipart.upload_part_copy, _PART)
_LIST_BUCKETS = Row(bucket_calls.list_buckets)


class S3:
    """All buckets of one sandbox."""

    def __init__(
        self,
        buckets: Mapping[str, Bucket],
        *,
        store: Store,
        clock: Callable[[], float],
        groups: Sequence[Group],
        principal: Callable[[str], Principal | None],
    ) -> None:
        """*principal* tells who holds an access key. Raises LocalSandboxError."""
        self._clock = clock
        self._callers = Callers(principal, groups, clock)
        files = Files(store.path.parent)
        self._room = Room(store, files, index.Keys(store), buckets)
        with store.reading() as view:
            files.clean(lambda name: index.is_referred_to(view, name))

    def close(self) -> None:
        self._room.files.close()

    def answer(self, request: Request) -> Response:
        try:
            return with_ids(self._answer(read_request(request)), request_ids())
        except S3Error as error:
            return refusal(error, request.method)

    def _answer(self, request: S3Request) -> Response:
        caller = self._callers.identify(request)
        check_headers(request, ACCOUNT)
        if request.bucket:
            self._room.bucket(request.bucket)
        row = _row(request)
        return row.handler(Context(self._room, request, caller, self._clock()))


def _row(request: S3Request) -> Row:
    """Return what serves *request*. Raises S3Error NotImplemented rather than guess."""
    given = request.parameters.keys()
    row = None
    if not request.bucket:
        row = _LIST_BUCKETS if request.method == "GET" else None
    elif request.method == "PUT" and request.key:
        is_copy = "x-amz-copy-source" in request.headers
        if given & _PART:
            row = _PUT_PART_COPY if is_copy else _PUT_PART
        else:
            row = _PUT_COPY if is_copy else _PUT
    else:
        for name, candidate in _ROWS.get((request.method, bool(request.key)), ()):
            if name is None or name in given:
                row = candidate
                break
    unknown = sorted(given - row.parameters) if row is not None else []
    if row is None or unknown or request.parameters.get("list-type", "2") != "2":
        what = f"The parameter {unknown[0][:100]!a}" if unknown else "This operation"
        raise S3Error("NotImplemented", f"{what} is not available on the local sandbox.")
    return row
