"""What seedctl reads of each answer: one that lacks it did not come from the service.

A proxy's login page, half an answer or another server's JSON can arrive with status 200. botocore
takes most of them for an answer without members, and tells of a page with an error status only the
number.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from seedctl.aws.foreign import (
    is_from_proxy,
    is_page,
    is_redirection,
    not_the_services,
    summary,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.errors import InvalidResponseError

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
        check = _Check(
            service, model.operation_model(operation), alternatives, client.meta.endpoint_url
        )
        names = f"{model.service_id.hyphenize()}.{operation}"
        client.meta.events.register(f"before-parse.{names}", check.unparsed)
        # Before botocore decides on a repeat: to it, a body of S3's that is no XML is half an
        # answer, for which the same call is made again.
        client.meta.events.register(f"response-received.{names}", check.parsed)


class _Check:
    """Looks at each answer to one operation. Its repr is short: botocore's debug log shows it."""

    def __init__(self, service: str, operation: Any, alternatives: Alternatives, url: str) -> None:
        self._service = service
        self._operation = operation
        self._alternatives = alternatives
        self._url = url

    def unparsed(self, response_dict: Any, **_: Any) -> None:
        """Look at an answer with an error's status, as it came."""
        if not self._is_foreign_error(response_dict):
            return
        if response_dict["status_code"] < 500:
            raise self._invalid(response_dict)
        # A gateway on the way, or AWS's own, which a repeat may get past. botocore's parsers take an
        # empty body for that, and not every page.
        response_dict["body"] = b""

    def parsed(self, response_dict: Any, parsed_response: Any, **_: Any) -> None:
        """Look for what seedctl reads in an answer that is not an error."""
        if response_dict is None:
            return
        if response_dict["status_code"] >= 300:
            if self._is_foreign_error(response_dict):
                words = summary(
                    response_dict["status_code"], response_dict["headers"], response_dict["body"]
                )
                parsed_response["Error"]["Message"] = words
            return
        if not _is_body_of(self._operation, self._alternatives, response_dict["body"]):
            raise self._invalid(response_dict)
        if "Error" in parsed_response:
            return  # S3 may begin an answer with status 200 and end it with a failure
        shape = self._operation.output_shape
        missing = [_first_missing(paths, parsed_response, shape) for paths in self._alternatives]
        if all(missing):
            lacks = f": it has no {' and no '.join(filter(None, missing))}"
            raise self._invalid(response_dict, lacks)

    def _invalid(self, response_dict: Any, lacks: str = "") -> InvalidResponseError:
        streams = self._operation.has_streaming_output and response_dict["status_code"] < 300
        if streams:
            response_dict["body"].close()  # nobody will read it
        return not_the_services(
            self._service,
            self._operation.name,
            lacks,
            url=self._url,
            status=response_dict["status_code"],
            headers=response_dict["headers"],
            body=b"" if streams else response_dict["body"],
        )

    def _is_foreign_error(self, response_dict: Any) -> bool:
        """Whether an error's answer is a proxy's, or of another protocol than the operation's."""
        status, body = response_dict["status_code"], response_dict["body"]
        if status < 300:
            return False
        if is_from_proxy(status) or is_redirection(status, response_dict["headers"]):
            return True
        return bool(body) and (is_page(body) or not _is_of_protocol(self._operation, body))


def _is_of_protocol(operation: Any, body: bytes) -> bool:
    is_json = operation.service_model.resolved_protocol == "json"
    return _is_object(body) if is_json else _is_xml(body)


def _is_body_of(operation: Any, alternatives: Alternatives, body: Any) -> bool:
    """Whether *body* is of the operation's protocol; where nothing is read it may be missing."""
    if operation.has_streaming_output or not body:
        return True
    is_json = operation.service_model.resolved_protocol == "json"
    return (is_json or alternatives is not _NOTHING) and _is_of_protocol(operation, body)


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
