"""Dispatch each request to the service it is for.

JSON services are recognised by the prefix of ``X-Amz-Target``, Query services by ``Action=`` in a
form, AppSync by its path, S3 by its signature or by a bucket name at the beginning of the path.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from seedctl.errors import LocalSandboxError
from seedctl.local import sts
from seedctl.local.backend_ids import BackendIds
from seedctl.local.bodies import ConnectionEndedError
from seedctl.local.http1 import Request, Response
from seedctl.local.identity_pool import IdentityPool
from seedctl.local.protocol import JSON_SERVICES, Call, Operation, ServiceError, json_error_response
from seedctl.local.request_gate import RequestGate
from seedctl.local.s3.buckets import buckets_of, is_for_s3
from seedctl.local.service_calls import call_of, error_response
from seedctl.local.ssm import ParameterStore
from seedctl.local.state_folder import unusable
from seedctl.local.store import Store
from seedctl.local.websocket import is_handshake
from seedctl.outputs import AmplifyOutputs
from seedctl.outputs.sections import DataOutputs

if TYPE_CHECKING:
    from seedctl.local.appsync import GraphQLService
    from seedctl.local.cognito import Cognito
    from seedctl.local.s3.service import S3

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=[^/, ]+/[0-9]{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request *,.*"
)


class Services:
    """All services of a sandbox, over one store. Each is loaded at its first call."""

    def __init__(
        self, store: Store, outputs: AmplifyOutputs | None, clock: Callable[[], float]
    ) -> None:
        self.backend = BackendIds.of(outputs)
        self._store = store
        self._auth = outputs.auth if outputs is not None else None
        self._user_pool = outputs.details.user_pool if outputs is not None else None
        self._outputs = outputs
        self._clock = clock
        self._lock = threading.Lock()
        self._gate = RequestGate()
        self._loaded_cognito: Cognito | None = None
        self._loaded_graphql: GraphQLService | None = None
        self._loaded_s3: S3 | None = None
        self._buckets = buckets_of(outputs.storage if outputs is not None else None)
        parameters = ParameterStore(store, clock)
        self._identities = IdentityPool(
            self._auth, store, clock, lambda token: self._cognito().claims_of(token)
        )
        self._operations: dict[str, Callable[[], Mapping[str, Operation]]] = {
            "cognito-idp": lambda: self._cognito().operations,
            "cognito-identity": lambda: self._identities.operations,
            "ssm": lambda: parameters.operations,
        }

    def _cognito(self) -> Cognito:
        # Under a lock: there must be only one instance, since it holds the pending challenges.
        with self._lock:
            if self._loaded_cognito is None:
                from seedctl.local.cognito import Cognito  # noqa: PLC0415

                self._loaded_cognito = Cognito(
                    self._store, self._auth, self._clock, self._user_pool
                )
            return self._loaded_cognito

    def _graphql(self, outputs: AmplifyOutputs, data: DataOutputs) -> GraphQLService:
        cognito = self._cognito()
        # Under a lock: there must be only one instance, since building the schema is slow.
        with self._lock:
            if self._loaded_graphql is None:
                from seedctl.local.appsync import GraphQLService  # noqa: PLC0415

                self._loaded_graphql = GraphQLService(
                    data,
                    read_sources=outputs.model_sources,
                    store=self._store,
                    clock=self._clock,
                    read_token=cognito.unexpired_claims,
                    find_principal=self._identities.principal,
                )
            return self._loaded_graphql

    def _s3(self) -> S3:
        groups = self._cognito().groups
        # Under a lock: there must be only one instance, since it caches the order of the keys.
        with self._lock:
            if self._loaded_s3 is None:
                from seedctl.local.s3.service import S3  # noqa: PLC0415

                self._loaded_s3 = S3(
                    self._buckets,
                    store=self._store,
                    clock=self._clock,
                    groups=groups,
                    find_principal=self._identities.principal,
                )
            return self._loaded_s3

    def is_streamed(self, request: Request) -> bool:
        """Whether the service reads the body itself; decided by the head of *request* alone."""
        return is_for_s3(request, self._buckets)

    def close(self) -> None:
        with self._lock:
            if self._loaded_s3 is not None:
                self._loaded_s3.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Finish the requests in progress, hold back others during the block, then clear caches.

        The block may replace the state. Raises LocalSandboxError if a request does not end.
        """
        with self._gate.closed():
            try:
                yield
            finally:
                self._clear_caches()

    def _clear_caches(self) -> None:
        """Drop everything that was read from the state, and all pending challenges."""
        with self._lock:
            if self._loaded_cognito is not None:
                self._loaded_cognito.clear_caches()
            if self._loaded_graphql is not None:
                self._loaded_graphql.clear_caches()

    def answer(self, request: Request) -> Response:
        """Answer *request*. Raises ConnectionEndedError if the client closed the connection."""
        try:
            with self._gate.request():
                return self._answer(request)
        except ConnectionEndedError:
            raise
        except LocalSandboxError as error:
            return _machine_failure(request, error)
        except OSError as error:
            return _machine_failure(request, unusable(self._store.path.parent, error))

    def _answer(self, request: Request) -> Response:
        if request.stream is not None:
            return self._s3().answer(request)
        if is_handshake(request):
            from seedctl.local.appsync.service import refuse_subscriptions  # noqa: PLC0415

            return refuse_subscriptions(request)
        if request.method == "GET":
            return self._answer_get(request.path)
        if request.method != "POST":
            return Response.text(405, f"{request.method} is not served.")
        outputs = self._outputs
        if request.path == "/graphql" and outputs is not None and outputs.data is not None:
            return self._graphql(outputs, outputs.data).answer(request)
        target = request.headers.get("x-amz-target")
        if target is None:
            return _answer_query(request)
        try:
            return Response.json(200, self._answer_json(target, request))
        except ServiceError as error:
            return json_error_response(error)

    def _answer_json(self, target: str, request: Request) -> dict[str, Any]:
        prefix, _, operation = target.partition(".")
        service, invalid = JSON_SERVICES.get(prefix, ("", ""))
        load = self._operations.get(service)
        known = load().get(operation) if load is not None else None
        if known is None:
            text = f"{target[:200]!a} is not available on the local sandbox."
            raise ServiceError("UnknownOperationException", text)
        region = _signing_region(request, service) if known.signed else None
        return known.handler(Call(operation, _json_object(request.body), invalid, region))

    def _answer_get(self, path: str) -> Response:
        document = self._cognito().well_known(path)
        if document is None:
            return Response.text(404, "There is nothing here.")
        return Response.json(200, document, content_type="application/json")


def _answer_query(request: Request) -> Response:
    try:
        form = parse_qs(request.body.decode("utf-8", "replace"), max_num_fields=1000)
    except ValueError:
        form = {}
    action = form.get("Action", [""])[0]
    if action not in sts.OPERATIONS:
        text = f"{action[:100]!a} is not available locally."
        return sts.error_response(ServiceError("InvalidAction", text))
    try:
        _signing_region(request, "sts")
    except ServiceError as error:
        return sts.error_response(error)
    return sts.reply(action)


def _machine_failure(request: Request, error: LocalSandboxError) -> Response:
    """Return the response for a failure of this machine, which AWS does not have.

    Examples are a full disk, a folder without write permission, a state of another version. A retry
    does not help, so the status is 507, which no client retries. A header contains the message and
    the resolution for seedctl's own client.
    """
    call = call_of(request)
    text = f"{error.message} {error.resolution or ''}".strip()
    failure = ServiceError("LocalSandboxFailure", text, status=507)
    response = error_response(request, call.service if call is not None else None, failure)
    return response.with_headers(error.to_header())


def _signing_region(request: Request, signing_name: str) -> str:
    """Return the region in the signature's scope. Raises ServiceError without a signature.

    Any access key is accepted, and the signature itself is not checked: the sandbox does not know
    the secret keys.
    """
    header = request.headers.get("authorization")
    if header is None:
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _CREDENTIAL.fullmatch(header)
    if match is None:
        raise ServiceError(
            "IncompleteSignatureException", "The Authorization header is not a signature version 4."
        )
    if match[2] != signing_name:
        raise ServiceError(
            "InvalidSignatureException",
            f"Credential should be scoped to correct service: '{signing_name}'.",
        )
    return match[1]


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
        # JSON allows unpaired surrogates, but they cannot be stored as UTF-8.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", "The body is not JSON.") from error
    if not isinstance(document, dict):
        raise ServiceError("SerializationException", "The body is not a JSON object.")
    return document
