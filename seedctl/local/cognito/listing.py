"""ListUsers: the filter language, pages, and the attributes asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from seedctl.local.paging import InvalidTokenError, page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.users import User
    from seedctl.local.protocol import Call

_PAGE = 60
_FILTER = re.compile(r'\s*"?([A-Za-z_:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*', re.DOTALL)
_SEARCHABLE = (
    "cognito:user_status",
    "email",
    "family_name",
    "given_name",
    "name",
    "phone_number",
    "preferred_username",
    "status",
    "sub",
    "username",
)

_Item = TypeVar("_Item")


def list_users(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    text = call.optional_text("Filter", minimum=0, maximum=256) or ""
    matches = _filter(call, text)
    wanted = call.texts("AttributesToGet")
    with service.reading_users() as users:
        found = sorted((user for user in users.all() if matches(user)), key=_position)
    shown, token = shown_page(
        service, call, found, _position, next_page_key="PaginationToken", scope=text
    )
    return {"Users": [_described(user, wanted) for user in shown], **token}


def shown_page(
    service: UserPoolService,
    call: Call,
    items: Sequence[_Item],
    position: Callable[[_Item], list[Any]],
    *,
    next_page_key: str,
    scope: str,
) -> tuple[list[_Item], dict[str, str]]:
    """Return the page that *call* asks for, and its reply's *next_page_key* if there is another."""
    try:
        shown, token = page(
            items,
            position=position,
            token=call.optional_text(next_page_key, maximum=131072),
            # 0 stands for the largest page, here as in Cognito [?].
            size=call.optional_integer("Limit", minimum=0, maximum=_PAGE) or _PAGE,
            seal=service.store.seal,
            scope=f"{call.operation} {scope}",
        )
    except InvalidTokenError:
        call.fail(f"Invalid {next_page_key}")
    return shown, {} if token is None else {next_page_key: token}


def _filter(call: Call, text: str) -> Callable[[User], bool]:
    if not text.strip():
        return lambda _user: True
    match = _FILTER.fullmatch(text)
    if match is None:
        call.fail('Invalid search filter: write attribute = "value" or attribute ^= "value".')
    name, operator, quoted = match.groups()
    if name not in _SEARCHABLE:
        # Custom attributes cannot be searched in Cognito either.
        call.fail(f"Invalid search attribute: {name}")
    value = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL).lower()

    def matches(user: User) -> bool:
        actual = _value(user, name)
        if actual is None:
            return False
        actual = actual.lower()
        return actual == value if operator == "=" else actual.startswith(value)

    return matches


def _value(user: User, name: str) -> str | None:
    if name == "username":
        return user.username
    if name == "sub":
        return user.sub
    if name == "cognito:user_status":
        return user.status
    if name == "status":
        return "Enabled" if user.enabled else "Disabled"
    return user.attributes.get(name)


def _position(user: User) -> list[Any]:
    return [user.created, user.username]


def _described(user: User, wanted: list[str]) -> dict[str, Any]:
    described = user.described()
    if wanted:
        described["Attributes"] = [
            item for item in described["Attributes"] if item["Name"] in wanted
        ]
    return described
