"""A fake AppSync that stores records, runs aliased mutations in order, and fails on demand."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import ProtocolError

from tests.appsync.appsync import ClientHarness, FakePool, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FIELD = re.compile(r"(?:(a\d+): )?(create|update|delete|get)(\w+)\(")


class Table(FakePool):
    """Stores records by key.

    A fault is what the client sees: "cut" (the connection breaks) or a status such as 500 or 429.
    With " after", as in "cut after", the request is executed first.
    """

    def __init__(self, key: tuple[str, ...] = ("id",)) -> None:
        super().__init__()
        self.key = key
        self.records: dict[str, dict[str, Any]] = {}
        self.faults: list[object] = []
        self.fault_of: Callable[[Request], object] = lambda request: None
        self.is_invalid: Callable[[dict[str, Any]], bool] = lambda values: False
        self.error_of: Callable[[str, dict[str, Any]], dict[str, Any] | None]
        self.error_of = lambda verb, values: None
        self.done: list[tuple[str, str]] = []
        self.lock = threading.Lock()

    def text(self, values: Mapping[str, Any]) -> str:
        return "#".join(str(values[name]) for name in self.key)

    def request(
        self, method: str, url: str, *, body: bytes, headers: Mapping[str, str], **_: object
    ) -> Any:
        request = Request(url, dict(headers), body)
        with self.lock:
            self.requests.append(request)
            fault = self.faults.pop(0) if self.faults else self.fault_of(request)
            if isinstance(fault, BaseException):
                raise fault
            answer = None
            if fault is None or str(fault).endswith("after"):
                answer = self._answer(request)
            self.replies = [self._reply(fault, answer)]
            self.requests.pop()
            return super().request(method, url, body=body, headers=headers)

    @staticmethod
    def _reply(fault: object, answer: object) -> Any:
        if fault is None:
            return answer
        name = str(fault).removesuffix(" after")
        if name == "cut":
            return ProtocolError("cut")
        if isinstance(fault, dict):
            return fault
        return {"status": int(name), "body": {"errors": [{"message": f"status {name}"}]}}

    def _answer(self, request: Request) -> dict[str, Any]:
        variables = request.variables
        if any(isinstance(each, dict) and self.is_invalid(each) for each in variables.values()):
            text = "Variable 'input' has coerced Null value for NonNull type 'String!'"
            return {"data": None, "errors": [{"path": None, "message": text}]}
        data: dict[str, Any] = {}
        errors = []
        for alias, verb, model in _FIELD.findall(request.query):
            name = alias or f"{verb}{model}"
            values = variables[alias] if alias else variables.get("input", variables)
            error = self.error_of(verb, values)
            if error is None:
                if verb == "create" and self.key == ("id",) and "id" not in values:
                    values = {"id": f"generated-{len(self.records)}", **values}
                error = self._do(verb, values)
            data[name] = None
            if error is None:
                found = self.records.get(self.text(values)) if verb == "get" else values
                data[name] = (
                    found if verb == "get" or not alias else {k: values[k] for k in self.key}
                )
            else:
                path = [name, *error.get("below", [])]
                errors.append({"message": "no", **error, "path": path})
        return {"data": data, "errors": errors} if errors else {"data": data}

    def _do(self, verb: str, values: dict[str, Any]) -> dict[str, Any] | None:
        key = self.text(values)
        if verb == "get":
            return None
        if (key in self.records) is (verb == "create"):
            kind = "DynamoDB:ConditionalCheckFailedException"
            return {"errorType": kind, "message": "The conditional request failed"}
        if verb == "delete":
            del self.records[key]
        else:
            self.records[key] = {**self.records.get(key, {}), **values}
        self.done.append((verb, key))
        return None


def with_table(harness: ClientHarness) -> Table:
    """Answer the requests of *harness* from a new table."""
    table = Table()
    harness.pool = table
    harness.transport._fake = table
    return table


def sizes(table: Table) -> list[int]:
    """Return how many rows each request had."""
    return [len(json.loads(request.body)["variables"]) for request in table.requests]
