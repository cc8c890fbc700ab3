"""The way from a request to its answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seedctl.local.s3 import index
from seedctl.local.s3.callers import identify
from seedctl.local.s3.context import Context
from seedctl.local.s3.documents import id_headers, refusal
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.files import Files
from seedctl.local.s3.operations import DEVELOPER, check_parameters, find_route
from seedctl.local.s3.requests import check_headers, read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seedctl.local.http1 import Request, Response
    from seedctl.local.identity_pool import Principal
    from seedctl.local.s3.requests import S3Request
    from seedctl.local.store import Store
    from seedctl.outputs.document import UserGroup
    from seedctl.outputs.sections import BucketOutputs


class S3:
    """All buckets of one sandbox."""

    def __init__(
        self,
        buckets: Mapping[str, BucketOutputs],
        *,
        store: Store,
        clock: Callable[[], float],
        groups: Sequence[UserGroup],
        principal: Callable[[str], Principal | None],
    ) -> None:
        """*principal* tells who holds an access key. Raises LocalSandboxError."""
        self._buckets = buckets
        self._store = store
        self._files = Files(store.path.parent)
        self._clock = clock
        self._groups = groups
        self._principal = principal
        with store.reading() as view:
            self._files.clean(lambda name: index.is_referred_to(view, name))

    def close(self) -> None:
        self._files.close()

    def answer(self, request: Request) -> Response:
        try:
            response = self._answer(read_request(request))
        except S3Error as error:
            return refusal(error, request.method)
        return replace(response, headers=(*response.headers, *id_headers()))

    def _answer(self, request: S3Request) -> Response:
        # First, since what is not served may have headers and signatures of its own.
        route = find_route(request)
        now = self._clock()
        caller = identify(request, self._principal, self._groups, now)
        call = Context(self._store, self._files, self._buckets, request, caller, now)
        check_headers(request)
        if call.bucket:
            call.outputs_of(call.bucket)
        check_parameters(request, route)
        if route.action == DEVELOPER:
            # Amplify grants none of these to anyone.
            if caller.role is not None:
                raise S3Error("AccessDenied")
        elif route.action is not None:
            call.check(route.action, call.bucket, call.key)
        return route.handler(call)
