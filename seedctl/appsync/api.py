"""Send GraphQL documents to the backend's AppSync API, authenticated as the client's user."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from seedctl import masking
from seedctl.appsync.auth_modes import AuthOptions, Authorizer, ResolvedAuthMode
from seedctl.appsync.documents import Document
from seedctl.appsync.graphql_errors import graphql_error, parse_response
from seedctl.errors import GraphQLError, InvalidInputError, InvalidResponseError, NoEndpoint
from seedctl.outputs import AmplifyOutputs
from seedctl.outputs.model_schema import ModelSources
from seedctl.outputs.models import NO_SCHEMA
from seedctl.outputs.sections import DataOutputs
from seedctl.report import Event, Observer, State
from seedctl.version import __version__

if TYPE_CHECKING:
    from seedctl.appsync.transport import HTTPResponse, Transport


def require_data(outputs: AmplifyOutputs) -> DataOutputs:
    """Return the data section of *outputs*. Raises NoEndpoint when it has none."""
    if outputs.data is None:
        raise NoEndpoint(
            f"{outputs.path} has no data section: this backend has no data resource.",
            resolution="Add one in amplify/data/resource.ts and deploy; or, for --local, run "
            "seedctl local init.",
        )
    return outputs.data


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One document with its variables and auth options."""

    document: Document
    variables: Mapping[str, Any]
    auth: AuthOptions
    is_repeatable: bool
    """Whether it may be sent again when no response shows if it was executed."""

    @property
    def operation(self) -> str:
        """Names the request in errors and in the counts of AWS calls."""
        return self.document.root


@dataclass(frozen=True, slots=True)
class GraphQLResponse:
    """The data and errors that AppSync returned for one request."""

    data: Any
    errors: list[dict[str, Any]]
    auth_mode: ResolvedAuthMode
    operation: str
    may_have_run_before: bool
    """Whether an earlier attempt of the same request may have been executed."""

    def value(self, name: str) -> Any:
        """Return the result of the document's root field *name*.

        Raises InvalidResponseError when the response has neither this field nor errors.
        """
        data = self.data or {}
        if name not in data and not self.errors:
            raise self.missing(name)
        return data.get(name)

    def missing(self, what: str) -> InvalidResponseError:
        """Return the error for a response without *what*."""
        return InvalidResponseError.of("appsync", self.operation, f": it has no {what}")

    def error(self, data: object = None) -> GraphQLError:
        """Return the error to raise for ``errors``, with the partial *data*."""
        return graphql_error(self.errors, self.operation, self.auth_mode, data)


@dataclass(eq=False, repr=False)
class API:
    """The AppSync API of one backend, for one client. Thread-safe."""

    data: DataOutputs
    transport: Transport
    authorizer: Authorizer
    observer: Observer
    before_write: Callable[[], None]
    clock: Callable[[], datetime] | None = None
    user_agent: str = f"seedctl/{__version__}"
    model_sources: Callable[[], ModelSources] = dict
    """Returns what the project's source says of the models, if the outputs file has it."""

    def __post_init__(self) -> None:
        self.schema = self.data.schema or NO_SCHEMA
        masking.register(self.authorizer.client.auth_token)
        masking.register(self.authorizer.client.api_key)

    def send(self, request: GraphQLRequest) -> GraphQLResponse:
        """Send *request*. The errors of a GraphQL result are in the response, others are raised."""
        return self.parse(self.post(request), request)

    def post(self, request: GraphQLRequest) -> HTTPResponse:
        """Send *request* and return the response, whatever it is."""
        url = self.transport.url(self.data.url)
        masking.register(request.auth.auth_token)
        body = _encode(request)
        if request.document.type == "mutation":
            self.before_write()
        return self.transport.post(
            url,
            body,
            lambda: self._headers(url, body, request.auth),
            is_repeatable=request.is_repeatable,
            operation=request.operation,
        )

    def parse(self, http: HTTPResponse, request: GraphQLRequest) -> GraphQLResponse:
        """Return the GraphQL result in *http*. Raises UnauthorizedError and others without one."""
        auth_mode = self.authorizer.resolve(request.auth)
        result = parse_response(http, request.operation, auth_mode)
        data, errors = result.get("data"), result.get("errors") or []
        return GraphQLResponse(data, errors, auth_mode, request.operation, http.may_have_run_before)

    def _headers(self, url: str, body: bytes, auth: AuthOptions) -> Mapping[str, str]:
        authorization, credentials = self.authorizer.authorize(auth)
        headers = {
            "content-type": "application/json; charset=UTF-8",
            "x-amz-user-agent": self.user_agent,
            **authorization,
        }
        if credentials is None:
            return headers
        from seedctl.aws.signing import signed_headers  # noqa: PLC0415 - loads botocore

        return signed_headers(
            url,
            body,
            headers,
            credentials=credentials,
            service="appsync",
            region=self.data.aws_region,
            moment=self.clock() if self.clock is not None else None,
        )

    def report_record(self, model: str, state: State) -> None:
        """Report to the observer what was done with a record of *model*."""
        self.observer.on_event(Event("record", model, state))


def _encode(request: GraphQLRequest) -> bytes:
    # Without spaces, as JSON.stringify writes it.
    body = {"query": request.document.text, "variables": request.variables}
    try:
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{request.operation} cannot be sent: a value is not valid Unicode text.",
            resolution="Check where the text was read from; encode binary values.",
        ) from error
