"""Responses not from the service: a proxy's page, truncated data, another server's JSON."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.session import Session

import seedctl
from seedctl.aws.calls import AWS
from seedctl.aws.identity_client import with_identity
from seedctl.aws.response_checks import REQUIRED_MEMBERS
from seedctl.aws.settings import AWSSettings
from seedctl.errors import InvalidResponseError
from tests.cases import case
from tests.s3.s3 import FakeIdentity

if TYPE_CHECKING:
    from tests.aws.conftest import Endpoint

pytestmark = pytest.mark.usefixtures("environment_keys")

OPERATIONS = [
    (service, operation) for service in REQUIRED_MEMBERS for operation in REQUIRED_MEMBERS[service]
]
PAGE = b"<html><head><title>Login</title></head><body>Corporate proxy login</body></html>"
WRONG = {
    "a page": PAGE,
    "a page that is no XML": b"<html><br><body>Corporate proxy login",
    "half an answer": b'{"User": {"Usern',
    "a list": b"[1, 2]",
    "a text": b'"hello"',
    "nothing of it": b'{"hello": "world"}',
}
# The operations whose response may be empty; stated here, so that no other one becomes so unseen.
MAY_BE_EMPTY = {
    *("AbortMultipartUpload", "AdminAddUserToGroup", "ConfirmDevice", "DeleteObject"),
    *("DeleteParameter", "GlobalSignOut", "HeadBucket", "RevokeToken", "SetUserMFAPreference"),
    "UpdateUserAttributes",
}
SESSION = Session()


def _model(service: str, operation: str) -> Any:
    return SESSION.get_service_model(service).operation_model(operation)


def _example(shape: Any, name: str = "") -> Any:
    """Return a value of *shape* with only its required members."""
    if shape.type_name == "structure":
        return {each: _example(shape.members[each], each) for each in shape.required_members}
    if shape.type_name == "list":
        return [_example(shape.member)]
    if shape.type_name in {"integer", "long"}:
        return 1
    return shape.enum[0] if shape.enum else ("a/b" if name == "CopySource" else "abcdefgh")


@pytest.fixture
def aws(endpoint: Endpoint) -> AWS:
    return AWS(AWSSettings(region="us-east-1", endpoint_url=endpoint.url, is_paced=False))


def _call(aws: AWS, service: str, operation: str) -> Any:
    parameters = _example(_model(service, operation).input_shape)
    with aws.translating(service, operation):
        client = aws.client(service, None, once=True)
        identity = with_identity(FakeIdentity()) if service == "s3" else {}
        return getattr(client, xform_name(operation))(**parameters, **identity)


def test_foreign_responses_are_refused(endpoint: Endpoint, aws: AWS) -> None:
    """A response that is not from the service is an error, also with status 200."""
    for service, operation in OPERATIONS:
        for name, body in _wrong_bodies(service, operation).items():
            with case(service, operation, name):
                endpoint.raw = body
                with pytest.raises(InvalidResponseError, match=f"{service}:{operation}") as caught:
                    _call(aws, service, operation)
                assert caught.value.exit_code == 4
                assert (caught.value.service, caught.value.operation) == (service, operation)
                assert "Corporate" not in caught.value.message
                assert "proxy" in (caught.value.resolution or "")


def _wrong_bodies(service: str, operation: str) -> dict[str, bytes]:
    model = _model(service, operation)
    bodies = dict(WRONG)
    if operation in MAY_BE_EMPTY:
        if model.http["method"] == "HEAD":
            return {}  # such an answer has no body
        if model.service_model.resolved_protocol == "json":
            del bodies["nothing of it"]  # an object is all that such an answer has to be
    return bodies


def test_missing_members_and_wrong_types(endpoint: Endpoint, aws: AWS) -> None:
    """A member of the wrong type counts as missing; the error names the first one."""
    for operation, body, missing in (
        ("GetParameter", b'{"Parameter": 5}', None),
        ("GetParameter", b'{"Parameter": {"Version": "1", "LastModifiedDate": 0}}', "Version"),
        ("GetParameter", b'{"Parameter": {"Version": 1, "LastModifiedDate": "x"}}', None),
        ("GetParametersByPath", b'{"Parameters": [{"Name": "a"}, {}]}', r"Parameters\[\].Name"),
        ("GetParametersByPath", b'{"Parameters": [{"Name": ""}]}', r"Parameters\[\].Name"),
        ("GetParametersByPath", b'{"Parameters": null}', r"Parameters\[\].Name"),
        ("PutParameter", b"", "Version"),
    ):
        with case(operation, body, missing):
            endpoint.raw = body
            with pytest.raises(InvalidResponseError, match=missing or "not AWS's"):
                _call(aws, "ssm", operation)


def test_a_deeply_nested_response(endpoint: Endpoint, aws: AWS) -> None:
    """JSON that is too deep for Python's parser is no response of AWS."""
    endpoint.raw = b"[" * 100_000
    for status in (200, 400):
        with case(status):
            endpoint.status = status
            with pytest.raises(InvalidResponseError, match="ssm:GetParameter"):
                _call(aws, "ssm", "GetParameter")


def test_incomplete_sign_in_responses(endpoint: Endpoint, aws: AWS) -> None:
    """A response to a sign-in must have both tokens, or a challenge."""
    for operation, body in (
        ("InitiateAuth", b'{"AuthenticationResult": {"AccessToken": "a"}}'),
        ("RespondToAuthChallenge", b'{"AuthenticationResult": {"IdToken": "a"}}'),
        ("RespondToAuthChallenge", b'{"ChallengeName": ""}'),
    ):
        with case(operation, body):
            endpoint.raw = body
            with pytest.raises(InvalidResponseError, match=r"IdToken|AccessToken"):
                _call(aws, "cognito-idp", operation)


def test_operations_without_required_members(endpoint: Endpoint, aws: AWS) -> None:
    """If no member is required, the body may be empty, or an empty object as from emulators."""
    for operation in (
        "AdminAddUserToGroup",
        "RevokeToken",
    ):
        for label, body in (
            ("no body", b""),
            ("an empty object", b"{}"),
        ):
            with case(operation, label):
                endpoint.raw = body
                _call(aws, "cognito-idp", operation)


def test_every_operation_that_is_called_has_a_row() -> None:
    """Every operation that seedctl calls is in the table, or its responses would not be checked."""
    names = {
        service: {
            spelled: operation
            for operation in SESSION.get_service_model(service).operation_names
            for spelled in ((operation,) if service != "s3" else (xform_name(operation),))
        }
        for service in REQUIRED_MEMBERS
    }
    package = Path(seedctl.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        if path.is_relative_to(package / "local") or path.name == "quotas.py":
            continue  # the quotas are also for what only other clients call
        # Not with ast, which takes a second for all modules.
        texts = set(re.findall(r"""["'](\w+)["']""", path.read_text(encoding="utf-8")))
        for service, operations in names.items():
            found |= {(service, operations[text]) for text in texts & operations.keys()}
    assert len(found) > 20
    assert found - set(OPERATIONS) == set()
