"""A fake AppSync in place of the connection pool: it gives scripted responses and records requests."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, OperationDefinitionNode, parse
from urllib3.exceptions import ProtocolError

from seedctl.appsync.api import API, require_data
from seedctl.appsync.auth_modes import AuthOptions, Authorizer
from seedctl.appsync.client import DataClient
from seedctl.appsync.transport import Transport
from seedctl.aws.credentials import Credentials, IdentityCredentials
from seedctl.errors import UserUnAuthenticatedException
from seedctl.outputs import load_outputs
from seedctl.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    import urllib3

    from seedctl.outputs.sections import DataOutputs

DATA = Path(__file__).parent.parent / "data"
VECTORS = json.loads((DATA / "graphql_requests.json").read_text(encoding="utf-8"))
USER_AGENT = "aws-amplify/6.14.4 api/1 framework/100"
CLOCK = datetime(2025, 1, 15, 12, tzinfo=timezone.utc)


@dataclass
class FakeIdentity:
    """A user, or nobody, as the test says."""

    token: str | None = None
    keys: Credentials | None = None
    error: Exception | None = None

    def access_token(self) -> str | None:
        if self.error is not None:
            raise self.error
        return self.token

    def credentials(self) -> IdentityCredentials | None:
        return IdentityCredentials("us-east-1:id", self.keys) if self.keys is not None else None


@dataclass
class FakeNetwork:
    """AWS or an emulator on this machine, without a socket."""

    is_local: bool = False
    is_emulator: bool = False
    url: str | None = None
    proxies: dict[str, str] = field(default_factory=dict)
    counted: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def endpoint(self, service: str) -> str | None:
        return self.url

    def credentials(self) -> Credentials:
        return Credentials("AKIDEVELOPER", "developers-secret", None)

    def certificates(self) -> str:
        return "/no/such/bundle.pem"

    def count(self, operation: str, *, is_throttled: bool) -> None:
        self.counted[operation, is_throttled] += 1

    def proxy(self, url: str) -> str | None:
        return self.proxies.get(url)


@dataclass(frozen=True)
class Request:
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> str:
        text: str = json.loads(self.body)["query"]
        return text

    @property
    def variables(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["variables"]
        return found


def _empty_result(body: bytes) -> dict[str, Any]:
    """Return a result that has an empty record or page for each requested field."""
    data: dict[str, Any] = {}
    for definition in parse(json.loads(body)["query"]).definitions:
        assert isinstance(definition, OperationDefinitionNode)
        for field_node in definition.selection_set.selections:
            assert isinstance(field_node, FieldNode)
            selected = field_node.selection_set
            names = {each.name.value for each in selected.selections} if selected else set()  # type: ignore[attr-defined]
            name = (field_node.alias or field_node.name).value
            data[name] = {"items": []} if "items" in names else {} if selected else None
    return {"data": data}


@dataclass(frozen=True)
class _Response:
    status: int
    headers: dict[str, str]
    data: bytes


class FakePool:
    """Answers each request with the next of *replies*, then with empty records and pages."""

    def __init__(self) -> None:
        self.replies: list[object] = []
        self.requests: list[Request] = []

    def request(
        self, method: str, url: str, *, body: bytes, headers: Mapping[str, str], **_: object
    ) -> _Response:
        self.requests.append(Request(url, dict(headers), body))
        reply: Any = self.replies.pop(0) if self.replies else _empty_result(body)
        if isinstance(reply, Exception):
            raise reply
        if "networkError" in reply:
            raise ProtocolError("cut")
        if "status" not in reply:
            reply = {"status": 200, "body": reply}
        data = (
            reply["body"]
            if isinstance(reply["body"], bytes)
            else json.dumps(reply["body"]).encode()
        )
        return _Response(reply["status"], reply.get("headers", {}), data)

    def clear(self) -> None:
        """There is nothing to close."""


class FakeTransport(Transport):
    """The real transport over the fake pool. It accepts the address in the recorded vectors."""

    def __init__(self, pool: FakePool) -> None:
        self.slept: list[float] = []
        super().__init__(FakeNetwork(), sleep=self.slept.append)
        self._fake: Any = pool

    def url(self, data_url: str) -> str:
        return data_url

    def _pool(self, url: str) -> urllib3.PoolManager:
        pool: urllib3.PoolManager = self._fake
        return pool


@cache
def _data(outputs: str) -> DataOutputs:
    return require_data(load_outputs(DATA / "outputs" / outputs))


class ClientHarness:
    """A client over the fake pool. By default it acts as the user "signedIn" of the vectors."""

    def __init__(
        self,
        outputs: str,
        *,
        identity: FakeIdentity | None = None,
        options: AuthOptions | None = None,
        signs_as_caller: bool = False,
    ) -> None:
        self.pool = FakePool()
        self.transport = FakeTransport(self.pool)
        self.identity = identity or session("signedIn")
        self.report = Report()
        self.announced = 0
        data = _data(outputs)
        caller = FakeNetwork().credentials if signs_as_caller else None
        self.authorizer = Authorizer(data, self.identity, options or AuthOptions(), caller)
        api = API(
            data,
            self.transport,
            self.authorizer,
            self.report,
            self._announce,
            clock=lambda: CLOCK,
            user_agent=USER_AGENT,
        )
        self.schema = api.schema
        self.client = DataClient(api)
        self.models = self.client.models

    def answer(self, *replies: object) -> None:
        """Set the next responses: bodies, ``{status, headers, body}``, or exceptions to raise."""
        self.pool.replies += replies

    @property
    def requests(self) -> list[Request]:
        return self.pool.requests

    @property
    def sent(self) -> dict[str, Any]:
        """The variables of the last request."""
        return self.pool.requests[-1].variables

    def _announce(self) -> None:
        self.announced += 1


def session(name: str) -> FakeIdentity:
    """Return the identity that the vectors call *name*."""
    if name == "none":
        return FakeIdentity()
    if name == "expired":
        return FakeIdentity(error=UserUnAuthenticatedException("Refresh Token has expired"))
    recorded = VECTORS["sessions"][name]
    keys = recorded["credentials"]
    return FakeIdentity(
        recorded.get("access_token"),
        Credentials(keys["accessKeyId"], keys["secretAccessKey"], keys["sessionToken"]),
    )
