"""Check that each response has the members that seedctl reads; else it is not from the AWS service.

The login page of a proxy, a truncated response or another server's JSON can arrive with status 200.
botocore parses most of them as a response without members, and reports only the status number of a
web page that has an error status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from seedctl.aws.foreign_responses import (
    describe_response,
    foreign_response_error,
    is_from_proxy,
    is_html_page,
)
from seedctl.aws.identity_client import IDENTITY_PARAM, DeveloperIdentity
from seedctl.errors import InvalidResponseError

Alternatives = tuple[tuple[str, ...], ...]
"""Sets of member paths. The response must have every member of one set."""

_NOTHING: Alternatives = ((),)
_SIGN_IN: Alternatives = (
    ("AuthenticationResult.AccessToken", "AuthenticationResult.IdToken"),
    ("ChallengeName",),
)


def _all(*paths: str) -> Alternatives:
    return (paths,)


# By service and operation. Every operation that seedctl calls has a row.
REQUIRED_MEMBERS: Mapping[str, Mapping[str, Alternatives]] = {
    "amplify": {"GetBranch": _all("branch.branchName")},
    "cloudformation": {
        "DescribeStackResources": _all("StackResources"),
        "DescribeStacks": _all("Stacks[].StackName", "Stacks[].StackStatus"),
        # A template without metadata has none here either.
        "GetTemplateSummary": (("Metadata",), ("ResourceTypes",), ("Parameters",)),
    },
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
        "DescribeUserPoolClient": _all("UserPoolClient.ClientId"),
        "GlobalSignOut": _NOTHING,
        "InitiateAuth": _SIGN_IN,
        "ListGroups": _all("Groups"),
        "ListUsers": _all("Users"),
        "ListUsersInGroup": _all("Users"),
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
        "HeadBucket": _NOTHING,  # botocore calls it to find a bucket's region
        "HeadObject": _all("ETag"),
        "ListObjectsV2": _all("IsTruncated"),
        "PutObject": _all("ETag"),
        "UploadPart": _all("ETag"),
    },
    "ssm": {
        "DeleteParameter": _NOTHING,
        "DeleteParameters": (("DeletedParameters",), ("InvalidParameters",)),
        "GetParameter": _all("Parameter.Version", "Parameter.LastModifiedDate"),
        "GetParameters": (("Parameters[].Name",), ("InvalidParameters",)),
        "GetParametersByPath": _all("Parameters[].Name"),
        "PutParameter": _all("Version"),
    },
    "sts": {"GetCallerIdentity": _all("Account", "Arn")},
}

_JSON = ("json", "rest-json")

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
    """Have *client* raise InvalidResponseError for responses that are not from the service."""
    prefix = client.meta.service_model.service_id.hyphenize()
    for operation, alternatives in REQUIRED_MEMBERS[service].items():
        check = _Check(service, operation, alternatives, client.meta)
        names = f"{prefix}.{operation}"
        client.meta.events.register(f"before-parse.{names}", check.before_parse)
        # Check before botocore decides on a retry: it would retry an S3 response that is not XML.
        client.meta.events.register(f"response-received.{names}", check.after_parse)


class _Check:
    """Checks the responses to one operation.

    A class, not a function with bound arguments: botocore's debug log shows the repr of handlers.
    """

    def __init__(self, service: str, operation: str, alternatives: Alternatives, meta: Any) -> None:
        self._service = service
        self._operation = meta.service_model.operation_model(operation)
        self._alternatives = alternatives
        self._url = meta.endpoint_url

    def before_parse(self, response_dict: Any, **_: object) -> None:
        """Check a response with an error status before botocore parses it."""
        if not self._is_foreign_error(response_dict):
            return
        if response_dict["status_code"] < 500:
            raise self._invalid(response_dict)
        # From a gateway, of AWS or on the way to it: a retry may succeed. botocore retries it if
        # the body is empty, but fails to parse some web pages.
        response_dict["body"] = b""

    def after_parse(
        self, response_dict: Any, parsed_response: Any, context: Mapping[str, Any], **_: object
    ) -> None:
        """Check that a successful response has the members that seedctl reads."""
        if response_dict is None:
            return
        # The developer reads JSON, which shows itself what it is; some emulators send no ETag.
        if isinstance(context.get(IDENTITY_PARAM), DeveloperIdentity) and (
            response_dict["status_code"] < 300
        ):
            return
        if response_dict["status_code"] >= 300:
            if self._is_foreign_error(response_dict):
                parsed_response["Error"]["Message"] = describe_response(
                    response_dict["status_code"], response_dict["headers"], response_dict["body"]
                )
            return
        if not _is_body_of(self._operation, self._alternatives, response_dict["body"]):
            raise self._invalid(response_dict)
        if "Error" in parsed_response:
            return  # S3 may send an error with status 200
        shape = self._operation.output_shape
        missing = [_first_missing(paths, parsed_response, shape) for paths in self._alternatives]
        if all(missing):
            details = f": it has no {' and no '.join(filter(None, missing))}"
            raise self._invalid(response_dict, details)

    def _invalid(self, response_dict: Any, details: str = "") -> InvalidResponseError:
        streams = self._operation.has_streaming_output and response_dict["status_code"] < 300
        if streams:
            response_dict["body"].close()
        return foreign_response_error(
            self._service,
            self._operation.name,
            details,
            url=self._url,
            status=response_dict["status_code"],
            headers=response_dict["headers"],
            body=b"" if streams else response_dict["body"],
        )

    def _is_foreign_error(self, response_dict: Any) -> bool:
        """Whether an error response is from a proxy or not in the operation's protocol."""
        status, body = response_dict["status_code"], response_dict["body"]
        if status < 300:
            return False
        if is_from_proxy(status, response_dict["headers"]):
            return True
        return bool(body) and (is_html_page(body) or not _is_of_protocol(self._operation, body))


def _is_of_protocol(operation: Any, body: bytes) -> bool:
    try:
        if operation.service_model.resolved_protocol in _JSON:
            return isinstance(json.loads(body), dict)
        ET.fromstring(body)  # noqa: S314 - botocore parses it next anyway
    except (ValueError, RecursionError, ET.ParseError):
        return False
    return True


def _is_body_of(operation: Any, alternatives: Alternatives, body: Any) -> bool:
    """Whether *body* is in the operation's protocol. It may be empty if no member is required."""
    if operation.has_streaming_output or not body:
        return True
    is_json = operation.service_model.resolved_protocol in _JSON
    return (is_json or alternatives is not _NOTHING) and _is_of_protocol(operation, body)


def _first_missing(paths: tuple[str, ...], parsed: object, shape: object) -> str | None:
    return next((path for path in paths if not _has(path.split("."), parsed, shape)), None)


def _has(names: list[str], value: Any, shape: Any) -> bool:
    """Whether *value* has the member at the path *names*, with the types of *shape*."""
    is_present = isinstance(value, _TYPES[shape.type_name]) and value != ""
    if not names or not is_present:
        return is_present
    name = names[0].removesuffix("[]")
    member, inner = value.get(name), shape.members[name]
    if name == names[0]:
        return _has(names[1:], member, inner)
    return _has([], member, inner) and all(_has(names[1:], each, inner.member) for each in member)
