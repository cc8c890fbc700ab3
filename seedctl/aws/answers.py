"""What seedctl reads of each answer: one that lacks it did not come from the service.

A proxy's login page, half an answer or another server's JSON can arrive with status 200. botocore
takes most of them for an answer without members.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from seedctl.errors import InvalidResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Alternatives = tuple[tuple[str, ...], ...]
    """Of one of them, every member has to be there, named by its path."""

_NOTHING: Alternatives = ((),)
_SIGN_IN: Alternatives = (
    ("AuthenticationResult.AccessToken", "AuthenticationResult.IdToken"),
    ("ChallengeName",),
)


def _all(*paths: str) -> Alternatives:
    return (paths,)


# By service and operation. Every operation that seedctl calls has a row.
READ: Mapping[str, Mapping[str, Alternatives]] = {
    "cloudformation": {"DescribeStacks": _all("Stacks")},
    "cognito-identity": {
        "GetCredentialsForIdentity": _all(
            "IdentityId",
            "Credentials.AccessKeyId",
            "Credentials.SecretKey",
            "Credentials.SessionToken",
            "Credentials.Expiration",
        ),
        "GetId": _all("IdentityId"),
    },
    "cognito-idp": {
        "AdminAddUserToGroup": _NOTHING,
        "AdminCreateUser": _all("User.Username"),
        "AssociateSoftwareToken": _all("SecretCode"),
        "ConfirmDevice": _NOTHING,
        "GlobalSignOut": _NOTHING,
        "InitiateAuth": _SIGN_IN,
        "RespondToAuthChallenge": _SIGN_IN,
        "RevokeToken": _NOTHING,
        "SetUserMFAPreference": _NOTHING,
        "UpdateUserAttributes": _NOTHING,
        "VerifySoftwareToken": _all("Status"),
    },
    "s3": {
        "AbortMultipartUpload": _NOTHING,
        "CompleteMultipartUpload": _all("ETag"),
        "CopyObject": _all("CopyObjectResult.ETag"),
        "CreateMultipartUpload": _all("UploadId"),
        "DeleteObject": _NOTHING,
        "DeleteObjects": (("Deleted",), ("Errors",)),
        "GetObject": _all("ETag"),
        "HeadBucket": _NOTHING,  # botocore's own, to find a bucket's region
        "HeadObject": _all("ETag"),
        "ListObjectsV2": _all("IsTruncated"),
        "PutObject": _all("ETag"),
        "UploadPart": _all("ETag"),
    },
    "ssm": {
        "DeleteParameter": _NOTHING,
        "DeleteParameters": (("DeletedParameters",), ("InvalidParameters",)),
        "GetParameter": _all("Parameter.Version", "Parameter.LastModifiedDate"),
        "GetParametersByPath": _all("Parameters[].Name"),
        "PutParameter": _all("Version"),
    },
    "sts": {"GetCallerIdentity": _all("Account", "Arn")},
}

_TYPES: Mapping[str, type] = {
    "boolean": bool,
    "integer": int,
    "list": list,
    "long": int,
    "string": str,
    "structure": dict,
    "timestamp": datetime,
}


def attach(client: Any, service: str) -> None:
    """Have *client* raise InvalidResponseError for each answer that is not the service's.

    Calls that are not in the table are none of seedctl's own.
    """
    model = client.meta.service_model
    for operation, alternatives in READ[service].items():
        # Before botocore decides on a repeat: to it, a body of S3's that is no XML is half an
        # answer, for which the same call is made again.
        event = f"response-received.{model.service_id.hyphenize()}.{operation}"
        check = _checking(service, model.operation_model(operation), alternatives)
        client.meta.events.register(event, check)


def _checking(service: str, operation: Any, alternatives: Alternatives) -> Callable[..., None]:
    # A function of its own: botocore's debug log shows what a partial() was made of.
    def check(response_dict: Any, parsed_response: Any, **_: Any) -> None:
        _check(service, operation, alternatives, response_dict, parsed_response)

    return check


def _check(
    service: str,
    operation: Any,
    alternatives: Alternatives,
    response_dict: Any,
    parsed_response: Any,
) -> None:
    if response_dict is None or response_dict["status_code"] >= 300:
        return
    if not _is_body_of(operation, alternatives, response_dict["body"]):
        raise InvalidResponseError.of(service, operation.name)
    if "Error" in parsed_response:
        return  # S3 may begin an answer with status 200 and end it with a failure
    missing = [
        _first_missing(paths, parsed_response, operation.output_shape) for paths in alternatives
    ]
    if all(missing):
        if operation.has_streaming_output:
            response_dict["body"].close()  # nobody will read it
        lacks = f": it has no {' and no '.join(filter(None, missing))}"
        raise InvalidResponseError.of(service, operation.name, lacks)


def _is_body_of(operation: Any, alternatives: Alternatives, body: Any) -> bool:
    """Whether *body* is of the operation's protocol; where nothing is read it may be missing."""
    if operation.has_streaming_output or not body:
        return True
    if operation.service_model.resolved_protocol == "json":
        return _is_object(body)
    return alternatives is not _NOTHING and _is_xml(body)


def _first_missing(paths: tuple[str, ...], parsed: Any, shape: Any) -> str | None:
    return next((path for path in paths if not _has(path.split("."), parsed, shape)), None)


def _has(names: list[str], value: Any, shape: Any) -> bool:
    """Whether *value* has the member that *names* lead to, of the type that *shape* says."""
    is_there = isinstance(value, _TYPES[shape.type_name]) and value != ""
    if not names or not is_there:
        return is_there
    name = names[0].removesuffix("[]")
    member, inner = value.get(name), shape.members[name]
    if name == names[0]:
        return _has(names[1:], member, inner)
    return _has([], member, inner) and all(_has(names[1:], each, inner.member) for each in member)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _is_xml(body: bytes) -> bool:
    try:
        ET.fromstring(body)  # noqa: S314 - as botocore reads it next
    except ET.ParseError:
        return False
    return True
