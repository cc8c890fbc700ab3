"""The S3 service: from a request to its response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from seedctl.local.http1 import Request, Response
from seedctl.local.identity_pool import Principal
from seedctl.local.s3 import index
from seedctl.local.s3.call import S3Call
from seedctl.local.s3.callers import identify
from seedctl.local.s3.documents import error_response, id_headers
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.files import Files
from seedctl.local.s3.operations import DEVELOPER, check_parameters, find_route
from seedctl.local.s3.requests import S3Request, check_headers, read_request
from seedctl.local.store import Store
from seedctl.outputs.auth import UserGroup
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
        find_principal: Callable[[str], Principal | None],
    ) -> None:
        """*find_principal* returns the holder of a temporary key. Raises LocalSandboxError."""
        self._buckets = buckets
        self._store = store
        self._files = Files(store.path.parent)
        self._clock = clock
        self._groups = groups
        self._find_principal = find_principal
        with store.reading() as view:
            self._files.remove_unreferenced(lambda name: index.is_referenced(view, name))

    def close(self) -> None:
        self._files.close()

    def answer(self, request: Request) -> Response:
        try:
            response = self._answer(read_request(request))
        except S3Error as error:
            return error_response(error, request.method)
        return replace(response, headers=(*response.headers, *id_headers()))

    def _answer(self, request: S3Request) -> Response:
        # First, since operations that are not served may use other headers and signatures.
        route = find_route(request)
        now = self._clock()
        caller = identify(request, self._find_principal, self._groups, now)
        call = S3Call(self._store, self._files, self._buckets, request, caller, now)
        check_headers(request)
        if call.bucket:
            call.outputs_of(call.bucket)
        check_parameters(request, route)
        if route.action == DEVELOPER:
            # Amplify grants these operations to no role.
            if caller.role is not None:
                raise S3Error("AccessDenied")
        elif route.action is not None:
            call.require(route.action, call.bucket, call.key)
        return route.handler(call)
