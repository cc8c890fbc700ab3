"""A fake AWS on loopback with given responses, for errors that no emulator can produce."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.error import HTTPError
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import Request, urlopen
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from email.message import Message
    from types import TracebackType

_XML_ERROR = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    "</Error><RequestId>request-1</RequestId></ErrorResponse>"
)
_S3_ERROR = "<Error><Code>{code}</Code><Message>{message}</Message></Error>"


Reply: TypeAlias = "Mapping[str, object] | str | bytes | tuple[str, str] | tuple[str, str, int]"
Replies: TypeAlias = "Reply | Iterator[Reply] | Callable[[Mapping[str, Any]], Reply]"


class FakeAWS:
    """*replies* maps an operation to a JSON body, an XML text or (error code, message[, status]),
    or to an iterator that gives one of these for each call, or to a function of the parameters. The
    default status is 400. A call without an operation is named by its method and path; if there is a
    reply to GetObject, each GET is one, with the parameters Bucket, Key and Authorization."""

    forward_to = ""
    """The server that gets the operations without a reply; "" for none."""

    def __init__(self, **replies: Replies) -> None:
        self.replies = replies
        self.calls: list[tuple[str, dict[str, Any]]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # each response in one write: a second one may wait 40 ms

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                target = self.headers.get("X-Amz-Target", "")
                if self.command == "GET" and "GetObject" in fake.replies:
                    target, body = "S3.GetObject", self._object()
                elif not target and not body.startswith(b"Action="):
                    target = f".{self.command} {self.path.partition('?')[0]}"
                if fake.forward_to and _operation(target, body) not in fake.replies:
                    self._send(*_forward(fake.forward_to + self.path, body, self.headers))
                else:
                    self._send(*fake._answer(target, body))

            def _object(self) -> bytes:
                bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
                signature = self.headers.get("Authorization", "")
                return json.dumps(
                    {"Bucket": bucket, "Key": key, "Authorization": signature}
                ).encode()

            def _send(self, status: int, kind: str, text: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

            def log_message(self, *_: object) -> None:
                """Print no log line."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeAWS:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def _answer(self, target: str, body: bytes) -> tuple[int, str, bytes]:
        if target:
            operation, parameters = target.partition(".")[2], _json(body)
        else:
            parameters = {key: value[0] for key, value in parse_qs(body.decode()).items()}
            operation = parameters["Action"]
        self.calls.append((operation, parameters))
        reply = self.replies.get(
            operation, ("UnknownOperationException", "no reply was given for it")
        )
        if isinstance(reply, Iterator):
            reply = next(reply)
        elif callable(reply):
            reply = reply(parameters)
        if isinstance(reply, bytes):
            return 200, "application/octet-stream", reply
        if isinstance(reply, tuple):
            code, message, status = (*reply, 400)[:3]
            if target and operation != "GetObject":
                text = json.dumps({"__type": code, "message": message})
                return status, "application/x-amz-json-1.1", text.encode()
            template = _S3_ERROR if operation == "GetObject" else _XML_ERROR
            return status, "text/xml", template.format(code=code, message=message).encode()
        if isinstance(reply, str):
            return 200, "text/xml", reply.encode()
        return 200, "application/x-amz-json-1.1", json.dumps(reply).encode()


def _operation(target: str, body: bytes) -> str:
    return target.partition(".")[2] or parse_qs(body.decode())["Action"][0]


def _forward(url: str, body: bytes, headers: Message) -> tuple[int, str, bytes]:
    """Send a request to *url*, and return the response: status, type, body."""
    sent = {name: value for name, value in headers.items() if name.lower() != "host"}
    try:
        response = urlopen(Request(url, body, sent), timeout=60)
    except HTTPError as error:
        response = error
    with response:
        return response.status, response.headers["Content-Type"], response.read()


def _json(body: bytes) -> dict[str, Any]:
    """Return the parameters in *body*; none for the content of a file."""
    found = json.loads(body) if body.startswith(b"{") else {}
    assert isinstance(found, dict)
    return found


CALLER = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/dev</Arn><UserId>U</UserId>"
    "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)

_XMLNS = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@dataclass(frozen=True)
class DeployedStack:
    """A root stack, with a nested stack that has the *resources*."""

    name: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    resources: Sequence[str] = ()
    """Physical ids."""

    @property
    def id(self) -> str:
        return f"arn:aws:cloudformation:us-east-1:123456789012:stack/{self.name}/0001"

    @property
    def nested_id(self) -> str:
        return self.id.replace("/0001", "-authX-1/0002")

    def describe(self, name: str) -> str | None:
        """Return the response of DescribeStacks for the *name* or id of this or the nested stack."""
        if name in {self.name, self.id}:
            return self._stack(self.name, self.id, self.outputs, "")
        if name == self.nested_id:
            root = f"<ParentId>{self.id}</ParentId><RootId>{self.id}</RootId>"
            return self._stack(f"{self.name}-authX-1", self.nested_id, {}, root)
        return None

    def _stack(self, name: str, stack_id: str, outputs: Mapping[str, str], more: str) -> str:
        listed = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>"
            for key, value in outputs.items()
        )
        tags = "".join(
            f"<member><Key>{key}</Key><Value>{escape(value)}</Value></member>"
            for key, value in self.tags.items()
        )
        return (
            f'<DescribeStacksResponse xmlns="{_XMLNS}"><DescribeStacksResult><Stacks><member>'
            f"<StackName>{name}</StackName><StackId>{stack_id}</StackId>{more}"
            "<CreationTime>2026-01-01T00:00:00Z</CreationTime>"
            f"<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{listed}</Outputs>"
            f"<Tags>{tags}</Tags></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )


def cloudformation(*stacks: DeployedStack) -> dict[str, Replies]:
    """Return the replies of a CloudFormation that has these *stacks*."""

    def describe_stacks(parameters: Mapping[str, Any]) -> Reply:
        name = parameters.get("StackName")
        if name is None:  # all of them, a page for each
            page = int(parameters.get("NextToken", "0"))
            text = stacks[page].describe(stacks[page].name) or ""
            more = f"<NextToken>{page + 1}</NextToken>" if page + 1 < len(stacks) else ""
            return text.replace("</DescribeStacksResult>", f"{more}</DescribeStacksResult>")
        found = [text for text in (stack.describe(name) for stack in stacks) if text]
        return found[0] if found else ("ValidationError", f"Stack with id {name} does not exist")

    def describe_resources(parameters: Mapping[str, Any]) -> Reply:
        resource = parameters["PhysicalResourceId"]
        for stack in stacks:
            if resource in stack.resources:
                return (
                    f'<DescribeStackResourcesResponse xmlns="{_XMLNS}"><DescribeStackResourcesResult>'
                    f"<StackResources><member><StackName>{stack.name}-authX-1</StackName>"
                    f"<StackId>{stack.nested_id}</StackId><LogicalResourceId>A</LogicalResourceId>"
                    f"<PhysicalResourceId>{resource}</PhysicalResourceId>"
                    "<ResourceType>AWS::Cognito::UserPool</ResourceType>"
                    "<Timestamp>2026-01-01T00:00:00Z</Timestamp>"
                    "<ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResources>"
                    "</DescribeStackResourcesResult></DescribeStackResourcesResponse>"
                )
        return "ValidationError", f"Stack for {resource} does not exist"

    return {"DescribeStacks": describe_stacks, "DescribeStackResources": describe_resources}
