"""Send documents to one API, as whoever the client acts as."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl import masking
from seedctl.appsync.auth_modes import Options, authorize, resolve_auth_mode
from seedctl.appsync.failures import graphql_error, parse_answer
from seedctl.bulk.progress import Tally
from seedctl.errors import InvalidInputError, InvalidResponseError
from seedctl.report import Event, failure
from seedctl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from seedctl.appsync.auth_modes import Authorization, RequestIdentity, ResolvedAuthMode
    from seedctl.appsync.section import DataSection
    from seedctl.appsync.transport import Answer, Transport
    from seedctl.aws.credentials import Credentials
    from seedctl.errors import GraphQLError, SeedctlError
    from seedctl.report import Observer, State


@dataclass(frozen=True, slots=True)
class Reply:
    """AppSync's answer to one document."""

    data: Any
    errors: list[dict[str, Any]]
    chosen: ResolvedAuthMode
    operation: str
    may_have_run_before: bool

    def value(self, root: str) -> Any:
        """Return what the answer has for the field *root* of the document.

        Raises InvalidResponseError where it has neither that nor errors.
        """
        data = self.data or {}
        if root not in data and not self.errors:
            raise self.lacks(root)
        return data.get(root)

    def lacks(self, what: str) -> InvalidResponseError:
        """Return the error for an answer that does not hold *what*."""
        return InvalidResponseError.of("appsync", self.operation, f": it has no {what}")

    def error(self, data: Any = None) -> GraphQLError:
        """Return the error to raise for :attr:`errors`, with the partial *data*."""
        return graphql_error(self.errors, self.operation, self.chosen, data)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back for one document, of whatever kind it is."""

    answer: Answer
    chosen: ResolvedAuthMode
    operation: str

    def reply(self) -> Reply:
        """Return the result. Raises UnauthorizedError and others for what is none."""
        result = parse_answer(self.answer, self.operation, self.chosen)
        return Reply(
            result.get("data"),
            result.get("errors") or [],
            self.chosen,
            self.operation,
            self.answer.may_have_run_before,
        )


class API:
    """One API for one client. Thread-safe."""

    def __init__(
        self,
        section: DataSection,
        transport: Transport,
        identity: RequestIdentity,
        options: Options,
        *,
        caller: Callable[[], Credentials] | None,
        observer: Observer,
        before_write: Callable[[], None],
        clock: Callable[[], datetime] | None = None,
        user_agent: str = f"seedctl/{__version__}",
    ) -> None:
        """*caller* has the developer's credentials, when they sign instead of the identity's."""
        self.section = section
        self._transport = transport
        self._identity = identity
        self._options = options
        self._caller = caller
        self._observer = observer
        self._before_write = before_write
        self._clock = clock
        self._user_agent = user_agent
        masking.register(options.auth_token)
        masking.register(options.api_key)

    def send(
        self,
        text: str,
        variables: Mapping[str, Any],
        call: Options,
        *,
        operation: str,
        is_write: bool,
        is_safe: bool,
    ) -> Reply:
        """Send the document *text*; errors of the result are in the reply, others raised.

        *operation* names it in errors; *is_safe* says that doing it twice is as good as once.
        """
        return self.exchange(
            text, variables, call, operation=operation, is_write=is_write, is_safe=is_safe
        ).reply()

    def exchange(
        self,
        text: str,
        variables: Mapping[str, Any],
        call: Options,
        *,
        operation: str,
        is_write: bool,
        is_safe: bool,
    ) -> Exchange:
        """As :meth:`send`, before what came back is looked at."""
        chosen = resolve_auth_mode(call, self._options, self.section.default_auth_mode)
        url = self._transport.url(self.section.url)
        masking.register(call.auth_token)
        # Compact, as JSON.stringify writes it.
        request = {"query": text, "variables": variables}
        try:
            body = json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise InvalidInputError(
                f"{operation} cannot be sent: a value is not valid Unicode text.",
                resolution="Check where the text was read from; encode binary values.",
            ) from error

        def headers() -> Mapping[str, str]:
            authorization = self._authorization(chosen, call)
            found = {
                "content-type": "application/json; charset=UTF-8",
                "x-amz-user-agent": self._user_agent,
                **authorization.headers,
            }
            if authorization.credentials is None:
                return found
            from seedctl.aws.signing import signed_headers  # noqa: PLC0415 - botocore is slow to import

            return signed_headers(
                url,
                body,
                found,
                credentials=authorization.credentials,
                service="appsync",
                region=self.section.aws_region,
                moment=self._clock() if self._clock is not None else None,
            )

        if is_write:
            self._before_write()
        answer = self._transport.post(url, body, headers, is_safe=is_safe, operation=operation)
        return Exchange(answer, chosen, operation)

    def check_caller(self, call: Options) -> None:
        """Raise for what would keep every call from being sent: nobody signed in, no API key."""
        self._authorization(
            resolve_auth_mode(call, self._options, self.section.default_auth_mode), call
        )

    def _authorization(self, chosen: ResolvedAuthMode, call: Options) -> Authorization:
        return authorize(
            chosen,
            call,
            self._options,
            api_key=self.section.api_key,
            identity=self._identity,
            caller=self._caller,
        )

    def pause(self, seconds: float) -> None:
        """Wait before a request is sent once more."""
        self._transport.pause(seconds)

    def tally(self, what: str, total: int | None) -> Tally:
        """Return what counts *what* for the observer."""
        return Tally(self._observer, what, total)

    def tell(self, model: str, state: State) -> None:
        """Let the observer know of a record that was written."""
        self._observer.on_event(Event("record", model, state))

    def tell_failure(self, model: str, index: int, error: SeedctlError) -> None:
        """Let the observer know of a row that failed."""
        self._observer.on_event(failure("record", model, error, row=f"rows[{index}]"))
