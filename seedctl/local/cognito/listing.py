"""ListUsers: filters, pages and the selection of attributes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.users import User
from seedctl.local.protocol import Call
from seedctl.local.seal import InvalidTokenError, issue_token, read_token
from seedctl.local.store import prefix_end

_PAGE = 60
_FILTER = re.compile(r'\s*"?([A-Za-z_:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*', re.DOTALL)
_COLUMNS = {
    "cognito:user_status": "lowercase(status)",
    "email": "lower_email",
    "phone_number": "lower_phone_number",
    "status": "CASE WHEN enabled THEN 'enabled' ELSE 'disabled' END",
    "sub": "sub",
    "username": "lower_username",
}
_SEARCHABLE = (*_COLUMNS, "family_name", "given_name", "name", "preferred_username")
_INDEXED = ("lower_email", "lower_phone_number", "lower_username", "sub")

_Item = TypeVar("_Item")


class PageRequest:
    """The page that a call requests by its Limit and by its token, which is at *token_key*."""

    def __init__(self, service: UserPoolService, call: Call, token_key: str, scope: str) -> None:
        self._seal = service.store.seal
        self._call = call
        self._token_key = token_key
        self._scope = f"{call.operation} {scope}"
        # As in Cognito [?], 0 means the largest page.
        self.size = call.optional_integer("Limit", minimum=0, maximum=_PAGE) or _PAGE

    def after(self, *first: object) -> Sequence[Any]:
        """Return the position that the page follows: from the token, else *first*."""
        token = self._call.optional_text(self._token_key, maximum=131072)
        if token is None:
            return first
        try:
            return read_token(self._seal, self._scope, token)
        except InvalidTokenError:
            self._call.fail(f"Invalid {self._token_key}")

    def cut(
        self, items: Sequence[_Item], position: Callable[[_Item], list[Any]]
    ) -> tuple[Sequence[_Item], dict[str, str]]:
        """Return the page, and the token of the next one if *items* holds one item more."""
        shown = items[: self.size]
        if len(items) == len(shown):
            return shown, {}
        return shown, {self._token_key: issue_token(self._seal, self._scope, position(shown[-1]))}


def list_users(service: UserPoolService, call: Call) -> dict[str, Any]:
    text = call.optional_text("Filter", minimum=0, maximum=256) or ""
    condition, values = _filter(call, text)
    wanted = call.texts("AttributesToGet")
    page_request = PageRequest(service, call, "PaginationToken", text)
    # The plus keeps SQLite from scanning all users by age if another index finds the few matches.
    age = "+created" if any(column in condition for column in _INDEXED) else "created"
    condition += f" AND ({age}, username) > (?, ?)"
    with service.reading_users() as users:
        values += page_request.after(0.0, "")
        found = users.page(condition, values, f"{age}, username", page_request.size + 1)
    shown, token = page_request.cut(found, lambda user: [user.created, user.username])
    return {"Users": [_described(user, wanted) for user in shown], **token}


def _filter(call: Call, text: str) -> tuple[str, list[Any]]:
    """Translate the filter *text* to an SQL condition and its values."""
    if not text.strip():
        return "TRUE", []
    match = _FILTER.fullmatch(text)
    if match is None:
        call.fail('Invalid search filter: write attribute = "value" or attribute ^= "value".')
    name, operator, quoted = match.groups()
    if name not in _SEARCHABLE:
        # Custom attributes cannot be searched in Cognito either.
        call.fail(f"Invalid search attribute: {name}")
    value = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL).lower()
    column = _COLUMNS.get(name, f"lowercase(json_extract(attributes, '$.{name}'))")
    if operator == "=":
        return f"{column} = ?", [value]
    return f"{column} >= ? AND {column} < ?", [value, prefix_end(value)]


def _described(user: User, wanted: list[str]) -> dict[str, Any]:
    described = user.described()
    if wanted:
        described["Attributes"] = [
            item for item in described["Attributes"] if item["Name"] in wanted
        ]
    return described
