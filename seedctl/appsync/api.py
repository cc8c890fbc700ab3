"""Send GraphQL documents to the backend's AppSync API, authenticated as the client's user."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl import masking
from seedctl.appsync.auth_modes import AuthOptions, authorize, resolve_auth_mode
from seedctl.appsync.graphql_errors import graphql_error, parse_response
from seedctl.errors import InvalidInputError, InvalidResponseError, NoEndpoint
from seedctl.outputs.models import NO_SCHEMA, Introspection
from seedctl.report import Event
from seedctl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from seedctl.appsync.auth_modes import (
        AuthMode,
        Authorization,
        RequestIdentity,
        ResolvedAuthMode,
    )
    from seedctl.appsync.transport import HTTPResponse, Transport
    from seedctl.aws.credentials import Credentials
    from seedctl.errors import GraphQLError
    from seedctl.outputs import AmplifyOutputs
    from seedctl.report import Observer, State

_AUTH_MODES: dict[str | None, AuthMode] = {
    "AMAZON_COGNITO_USER_POOLS": "userPool",
    "API_KEY": "apiKey",
    "AWS_IAM": "iam",
    "AWS_LAMBDA": "lambda",
    "OPENID_CONNECT": "oidc",
}


@dataclass(frozen=True, slots=True)
class DataSection:
    """The ``data`` section of the outputs file."""

    url: str
    aws_region: str
    default_auth_mode: AuthMode
    api_key: str | None = field(repr=False)
    schema: Introspection = field(repr=False)


def parse_data_section(outputs: AmplifyOutputs) -> DataSection:
    """Return the data section of *outputs*. Raises NoEndpoint when it has none."""
    data = outputs.data
    if data is None:
        raise NoEndpoint(
            f"{outputs.path} has no data section: this backend has no data resource.",
            resolution="Add one in amplify/data/resource.ts, deploy, and run again.",
        )
    return DataSection(
        url=data.url,
        aws_region=data.aws_region,
        # amplify-js also uses "iam" for an authorization type that it does not know.
        default_auth_mode=_AUTH_MODES.get(data.default_authorization_type, "iam"),
        api_key=data.api_key,
        schema=data.schema or NO_SCHEMA,
    )


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One document with its variables and auth options."""

    text: str
    variables: Mapping[str, Any]
    auth: AuthOptions
    operation: str
    """Names the request in errors and in the counts of AWS calls."""
    is_write: bool
    is_repeatable: bool
    """Whether it may be sent again when no response shows if it was executed."""


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

    def error(self, data: Any = None) -> GraphQLError:
        """Return the error to raise for ``errors``, with the partial *data*."""
        return graphql_error(self.errors, self.operation, self.auth_mode, data)


class API:
    """The AppSync API of one backend, for one client. Thread-safe."""

    def __init__(
        self,
        section: DataSection,
        transport: Transport,
        identity: RequestIdentity,
        auth: AuthOptions,
        *,
        caller_credentials: Callable[[], Credentials] | None,
        observer: Observer,
        before_write: Callable[[], None],
        clock: Callable[[], datetime] | None = None,
        user_agent: str = f"seedctl/{__version__}",
    ) -> None:
        """*caller_credentials* returns the developer's credentials, if requests are signed with
        them instead of those of *identity*.
        """
        self.section = section
        self.transport = transport
        self._identity = identity
        self._auth = auth
        self._caller_credentials = caller_credentials
        self.observer = observer
        self._before_write = before_write
        self._clock = clock
        self._user_agent = user_agent
        masking.register(auth.auth_token)
        masking.register(auth.api_key)

    def send(self, request: GraphQLRequest) -> GraphQLResponse:
        """Send *request*. The errors of a GraphQL result are in the response, others are raised."""
        return self.parse(self.post(request), request)

    def post(self, request: GraphQLRequest) -> HTTPResponse:
        """Send *request* and return the response, whatever it is."""
        url = self.transport.url(self.section.url)
        masking.register(request.auth.auth_token)
        body = _encode(request)
        if request.is_write:
            self._before_write()
        return self.transport.post(
            url,
            body,
            lambda: self._headers(url, body, self.authorization(request.auth)),
            is_repeatable=request.is_repeatable,
            operation=request.operation,
        )

    def parse(self, http: HTTPResponse, request: GraphQLRequest) -> GraphQLResponse:
        """Return the GraphQL result in *http*. Raises UnauthorizedError and others without one."""
        auth_mode = self._resolve_auth_mode(request.auth)
        result = parse_response(http, request.operation, auth_mode)
        data, errors = result.get("data"), result.get("errors") or []
        return GraphQLResponse(data, errors, auth_mode, request.operation, http.may_have_run_before)

    def _resolve_auth_mode(self, auth: AuthOptions) -> ResolvedAuthMode:
        return resolve_auth_mode(auth, self._auth, self.section.default_auth_mode)

    def authorization(self, auth: AuthOptions) -> Authorization:
        """Return the authorization of a call with *auth*. Raises NoSignedUser and others."""
        return authorize(
            self._resolve_auth_mode(auth),
            auth,
            self._auth,
            api_key=self.section.api_key,
            identity=self._identity,
            caller_credentials=self._caller_credentials,
        )

    def _headers(self, url: str, body: bytes, authorization: Authorization) -> Mapping[str, str]:
        headers = {
            "content-type": "application/json; charset=UTF-8",
            "x-amz-user-agent": self._user_agent,
            **authorization.headers,
        }
        if authorization.credentials is None:
            return headers
        from seedctl.aws.signing import signed_headers  # noqa: PLC0415 - loads botocore

        return signed_headers(
            url,
            body,
            headers,
            credentials=authorization.credentials,
            service="appsync",
            region=self.section.aws_region,
            moment=self._clock() if self._clock is not None else None,
        )

    def report_record(self, model: str, state: State) -> None:
        """Report to the observer what was done with a record of *model*."""
        self.observer.on_event(Event("record", model, state))


def _encode(request: GraphQLRequest) -> bytes:
    # Without spaces, as JSON.stringify writes it.
    body = {"query": request.text, "variables": request.variables}
    try:
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{request.operation} cannot be sent: a value is not valid Unicode text.",
            resolution="Check where the text was read from; encode binary values.",
        ) from error
