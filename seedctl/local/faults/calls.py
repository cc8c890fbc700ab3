"""Which call of which service a request is, and whom it is about, before anything is checked."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.local.protocol import JSON_SERVICES

if TYPE_CHECKING:
    from seedctl.local.http1 import Request

_OPERATION = re.compile(r"[A-Za-z]{1,64}")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]{1,64})(?:&|$)")


@dataclass(frozen=True, slots=True)
class ServiceCall:
    service: str
    """As it is called in credential scopes."""
    operation: str

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


def call_of(request: Request) -> ServiceCall | None:
    """Return the call that *request* makes; None for a document that is just published."""
    if request.stream is not None:
        return ServiceCall("s3", request.method)
    if request.method != "POST":
        return None
    if request.path == "/graphql":
        return ServiceCall("appsync", "GraphQL")
    target = request.headers.get("x-amz-target")
    if target is None:
        action = _ACTION.search(request.body)
        return ServiceCall("sts", action[1].decode()) if action is not None else None
    prefix, _, operation = target.partition(".")
    service = JSON_SERVICES.get(prefix)
    if service is None or not _OPERATION.fullmatch(operation):
        return None
    return ServiceCall(service, operation)


def user_of(request: Request) -> str | None:
    """Return whom a call of the user pool is about, by the name or token that it gives.

    A name and the id of the same user are two here: what they belong to is known only later.
    """
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    names = (
        given.get("Username"),
        _within(given.get("AuthParameters"), "USERNAME"),
        _within(given.get("ChallengeResponses"), "USERNAME"),
        _subject(given.get("AccessToken")),
    )
    return next((name.casefold() for name in names if isinstance(name, str)), None)


def _within(section: Any, key: str) -> Any:
    return section.get(key) if isinstance(section, dict) else None


def _subject(token: Any) -> Any:
    """Return the subject that *token* claims; whether it is true shows when the call is made."""
    if not isinstance(token, str) or token.count(".") != 2:
        return None
    payload = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return None
    return _within(claims, "sub")
