"""The dispatch of requests: by service and operation, with or without a signature."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seedctl.local import LocalSandbox
from seedctl.local.protocol import Call, ServiceError
from tests.cases import case
from tests.keep_alive import send_once

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/{}/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def test_unknown_operations(client: Any) -> None:
    """The error for an unknown operation contains its name."""
    for target in (
        "AWSCognitoIdentityProviderService.CreateUserPool",
        "AmazonSSM.SendCommand",
        "DynamoDB_20120810.ListTables",
        "nonsense",
        "",
    ):
        with case(target):
            status, headers, body = client.post(target, b"{}", service="ssm")
            document = json.loads(body)
            assert status == 400
            assert document["__type"] == headers["x-amzn-errortype"] == "UnknownOperationException"
            assert target in document["message"]
            assert "not available on the local sandbox" in document["message"]


def test_error_form(client: Any) -> None:
    """An error has AWS's content type, error header and request id."""
    status, headers, body = client.post("AmazonSSM.PutParameter", b"{}", service="ssm")
    assert status == 400
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["x-amzn-errortype"] == "ValidationException"
    assert len(headers["x-amzn-requestid"]) == 36
    assert json.loads(body) == {
        "__type": "ValidationException",
        "message": "Missing required parameter Name",
    }


def test_bodies_that_are_no_json_objects(client: Any) -> None:
    """A body that is not a JSON object is a SerializationException."""
    for body in (
        b"{",
        b"[]",
        b"1",
        b'"x"',
        b"\xff\xfe",
        b'{"Name": "\\ud800"}',
        b"[" * 100_000,
        b'{"a": 1' + b"0" * 5000 + b"}",
    ):
        with case(body):
            status, headers, _ = client.post("AmazonSSM.GetParameter", body, service="ssm")
            assert (status, headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_no_body_is_an_empty_object(client: Any) -> None:
    """A call without a body has no parameters."""
    _, headers, _ = client.post("AmazonSSM.GetParameter", b"", service="ssm")
    assert headers["x-amzn-errortype"] == "ValidationException"


def test_signed_calls(client: Any) -> None:
    """Administrators' calls need a signature for the right service, with any access key."""
    for operation in (
        "AdminGetUser",
        "AdminDisableUser",
    ):
        for authorization, code in (
            (None, "MissingAuthenticationTokenException"),
            ("Bearer x", "IncompleteSignatureException"),
            ("AWS4-HMAC-SHA256 Credential=x", "IncompleteSignatureException"),
            (SIGNATURE.format("ssm"), "InvalidSignatureException"),
            (SIGNATURE.format("cognito-idp"), "UserNotFoundException"),
        ):
            with case(operation, authorization, code):
                headers = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}"}
                if authorization is not None:
                    headers["Authorization"] = authorization
                body = json.dumps({"UserPoolId": client.pool_id, "Username": "nobody"}).encode()
                status, answer, _ = client.send("POST", "/", body, headers)
                assert (status, answer["x-amzn-errortype"]) == (400, code)


def test_entries_that_are_null() -> None:
    """In a map, an entry whose value is null is as one left out; other types are refused."""
    call = Call(
        "GetId", {"Logins": {"a": None, "b": "x"}, "Other": {"a": 1}, "List": []}, "Invalid"
    )
    assert call.text_map("Logins") == {"b": "x"}
    assert call.text_map("Missing") == {}
    for key in ("Other", "List"):
        with case(key), pytest.raises(ServiceError, match=f"{key} must be a map of strings"):
            call.text_map(key)


@pytest.mark.parametrize("operation", ["GetUser", "GlobalSignOut", "ChangePassword"])
def test_calls_by_token_need_no_signature(client: Any, operation: str) -> None:
    """Users' own calls work without credentials."""
    body = json.dumps({"AccessToken": "x", "ProposedPassword": "Aaaa-1111"}).encode()
    _, headers, _ = client.post(f"AWSCognitoIdentityProviderService.{operation}", body)
    assert headers["x-amzn-errortype"] == "NotAuthorizedException"


def test_caller_identity(client: Any) -> None:
    """STS returns one fixed caller in the Query protocol's XML."""
    headers = {**FORM, "Authorization": SIGNATURE.format("sts")}
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    status, answer, text = client.send("POST", "/", body, headers)
    assert (status, answer["content-type"]) == (200, "text/xml")
    assert b"<Account>000000000000</Account>" in text
    assert b"<Arn>arn:aws:sts::000000000000:assumed-role/seedctl-local/developer</Arn>" in text


def test_query_refusals(client: Any) -> None:
    """Errors of Query calls use the Query protocol's format."""
    for body, headers, status, code in (
        (b"Action=GetCallerIdentity", {}, 403, b"MissingAuthenticationToken"),
        (
            b"Action=GetCallerIdentity",
            {"Authorization": SIGNATURE.format("ssm")},
            400,
            b"InvalidSignature",
        ),
        (b"Action=AssumeRole<x>", {}, 400, b"InvalidAction"),
        (b"", {}, 400, b"InvalidAction"),
        (b"\xff\xfe", {}, 400, b"InvalidAction"),
        (b"a&" * 2000, {}, 400, b"InvalidAction"),
    ):
        with case(body, headers, status, code):
            answered, _, text = client.send("POST", "/", body, {**FORM, **headers})
            assert answered == status
            assert b"<Type>Sender</Type><Code>" + code + b"</Code>" in text
            assert b"<x>" not in text


def test_other_methods(client: Any) -> None:
    """Other methods are refused, without CORS headers for web pages."""
    for method in (
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
    ):
        with case(method):
            assert client.send(method, "/", b"{}", {})[0] == 405
            status, headers, _ = client.send(method, "/", b"{}", {"Origin": "https://evil.example"})
            assert status == 403
            assert not [name for name in headers if name.startswith("access-control")]


def test_secrets_only(tmp_path: Path) -> None:
    """Without outputs, there are parameters but no user pool."""
    with LocalSandbox.start(state_folder=tmp_path / "s", outputs=None) as sandbox:

        def call(target: str, body: bytes, service: str) -> Any:
            headers = {"X-Amz-Target": target, "Authorization": SIGNATURE.format(service)}
            return json.loads(send_once(sandbox.port, "POST", "/", body, headers)[2])

        for body, message in (
            (b'{"UserPoolId": "us-east-1_x"}', "User pool us-east-1_x does not exist."),
            (b'{"ClientId": "x"}', "User pool client x does not exist."),
            (b"{}", "There is no user pool in this sandbox."),
        ):
            document = call("AWSCognitoIdentityProviderService.AdminGetUser", body, "cognito-idp")
            assert document == {"__type": "ResourceNotFoundException", "message": message}
        document = call(
            "AmazonSSM.PutParameter", b'{"Name": "a", "Value": "b", "Type": "String"}', "ssm"
        )
        assert document["Version"] == 1
        path = "/us-east-1_x/.well-known/jwks.json"
        assert send_once(sandbox.port, "GET", path, None, {})[0] == 404
        assert sandbox.handler_errors == []


def test_import_is_light() -> None:
    """Importing seedctl.local loads no server or database; a start loads no cryptography."""
    script = """
import sys, tempfile, pathlib
before = set(sys.modules)  # measuring coverage loads a database of its own
import seedctl.local
heavy = {"cryptography", "http.server", "sqlite3", "socketserver", "selectors", "boto3"}
assert not heavy & (set(sys.modules) - before)
with tempfile.TemporaryDirectory() as folder:
    seedctl.local.LocalSandbox.start(state_folder=pathlib.Path(folder) / "s", outputs=None).stop()
assert not {"cryptography", "http.server", "boto3", "gmpy2"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
