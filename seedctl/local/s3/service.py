"""The way from a request to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import index
from seedctl.local.s3.callers import Callers
from seedctl.local.s3.context import Context, Room, request_ids
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.files import Files
from seedctl.local.s3.operations import check_parameters, find_route
from seedctl.local.s3.refusals import refusal, with_ids
from seedctl.local.s3.requests import check_headers, read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seedctl.local.http1 import Request, Response
    from seedctl.local.identity_pool import Principal
    from seedctl.local.s3.buckets import Bucket
    from seedctl.local.s3.requests import S3Request
    from seedctl.local.store import Store
    from seedctl.outputs import UserGroup


class S3:
    """All buckets of one sandbox."""

    def __init__(
        self,
        buckets: Mapping[str, Bucket],
        *,
        store: Store,
        clock: Callable[[], float],
        groups: Sequence[UserGroup],
        principal: Callable[[str], Principal | None],
    ) -> None:
        """*principal* tells who holds an access key. Raises LocalSandboxError."""
        self._clock = clock
        self._callers = Callers(principal, groups, clock)
        files = Files(store.path.parent)
        self._room = Room(store, files, buckets)
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
        # First, since what is not served may have headers and signatures of its own.
        route = find_route(request)
        caller = self._callers.identify(request)
        check_headers(request, ACCOUNT)
        if request.bucket:
            self._room.bucket(request.bucket)
        check_parameters(request, route)
        return route.handler(Context(self._room, request, caller, self._clock()))
