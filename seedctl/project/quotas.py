"""How many calls per second AWS allows: its default quotas, and the user's own for the client.

The client and the local sandbox both read the table of defaults.

A quota is for one account and region, and for a category of operations. The categories of Cognito
have Cognito's names; those of Parameter Store are ours.

[?] marks what AWS does not document. For most operations, the category is published. These we put
into one ourselves [?]: signing out, InitiateAuth to refresh, GetTokensFromRefreshToken, sending an
attribute's or a sign-up's code again, setting up MFA, and deleting parameters. The throughput of
Parameter Store for writes is a default, but not a promise [?].
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from typing import Any

from seedctl.errors import InvalidCommandInputError
from seedctl.project.root import Project, tool_table

Quotas = Mapping[str, int | None]
"""Calls per second, by name; None for no limit."""

RESPOND = "RespondToAuthChallenge"
PER_USER = "PerUser"

# Each category's quota and its operations.
_COGNITO: Mapping[str, tuple[int, str]] = {
    "UserAuthentication": (120, "AdminInitiateAuth InitiateAuth"),
    # 3 times UserAuthentication
    RESPOND: (360, "AdminRespondToAuthChallenge RespondToAuthChallenge"),
    "UserCreation": (50, "AdminConfirmSignUp AdminCreateUser ConfirmSignUp SignUp"),
    "UserAccountRecovery": (
        30,
        """AdminResetUserPassword AdminSetUserPassword ChangePassword ConfirmForgotPassword
        ForgotPassword""",
    ),
    "UserRead": (120, "AdminGetUser GetUser"),
    "UserUpdate": (
        25,
        """AdminDeleteUser AdminDeleteUserAttributes AdminDisableUser AdminEnableUser
        AdminUpdateUserAttributes AdminUserGlobalSignOut DeleteUser DeleteUserAttributes
        GetUserAttributeVerificationCode GlobalSignOut ResendConfirmationCode
        UpdateUserAttributes VerifyUserAttribute""",
    ),
    "UserToken": (120, "GetTokensFromRefreshToken RevokeToken"),
    "UserResourceRead": (50, "AdminListGroupsForUser"),
    "UserResourceUpdate": (
        25,
        """AdminAddUserToGroup AdminRemoveUserFromGroup AdminSetUserMFAPreference
        AssociateSoftwareToken ConfirmDevice SetUserMFAPreference VerifySoftwareToken""",
    ),
    "UserList": (30, "ListUsers ListUsersInGroup"),
    "UserPoolRead": (15, "DescribeUserPool"),
    "UserPoolResourceRead": (20, "GetGroup GetUserPoolMfaConfig ListGroups"),
    "UserPoolResourceUpdate": (15, "CreateGroup DeleteGroup"),
    "UserPoolClientRead": (15, "DescribeUserPoolClient"),
    PER_USER: (10, ""),  # of one user, reads and writes each, whatever the operation
}
_SSM: Mapping[str, tuple[int, str]] = {
    "ParameterRead": (40, "GetParameter GetParameters GetParametersByPath"),
    "ParameterWrite": (3, "DeleteParameter DeleteParameters PutParameter"),
}
DEFAULT_QUOTAS: Mapping[str, int] = {
    name: quota for name, (quota, _) in {**_COGNITO, **_SSM}.items()
}
CATEGORIES: Mapping[tuple[str, str], str] = {
    (service, operation): category
    for service, rows in (("cognito-idp", _COGNITO), ("ssm", _SSM))
    for category, (_, operations) in rows.items()
    for operation in operations.split()
}
"""The category of each operation, by service and operation."""

# The categories of seedctl's own calls.
_NAMES = (
    *("UserCreation", "UserAuthentication", "RespondToAuthChallenge", "UserToken"),
    *("UserUpdate", "UserResourceUpdate", "ParameterRead", "ParameterWrite"),
)
DEFAULTS: Mapping[str, int] = {name: DEFAULT_QUOTAS[name] for name in _NAMES}

PACED_SERVICES = ("cognito-idp", "ssm")

_VARIABLE = "SEEDCTL_QUOTAS"
_ITEM = re.compile(r"\s*([A-Za-z]+)\s*=\s*([A-Za-z0-9]+)\s*")
_NUMBER = re.compile(r"[0-9]{1,9}")
_MAX_QUOTA = 100_000
_MAX_SHOWN = 60  # characters


def chosen_quotas(project: Project) -> Quotas:
    """Return the quotas that the user has set for *project*; they replace the defaults.

    They are read from ``[tool.seedctl.quotas]`` in pyproject.toml, and from SEEDCTL_QUOTAS, such as
    "UserCreation=80,UserToken=off", which takes precedence. Raises InvalidCommandInputError.
    """
    file = str(project.root / "pyproject.toml")
    chosen: dict[str, int | None] = {}
    for name, value in tool_table(project, "quotas").items():
        chosen[_checked_name(name, file)] = _checked_number(name, value, file)
    for item in os.environ.get(_VARIABLE, "").split(","):
        if not item.strip():
            continue
        match = _ITEM.fullmatch(item)
        if match is None:
            raise InvalidCommandInputError(
                f"{_VARIABLE} holds {_shortened(item.strip())!r}, which is not NAME=NUMBER.",
                resolution=f'Write {_VARIABLE}="UserCreation=80,UserAuthentication=200".',
            )
        name, text = match.groups()
        number = int(text) if _NUMBER.fullmatch(text) else _shortened(text)
        chosen[_checked_name(name, _VARIABLE)] = _checked_number(name, number, _VARIABLE)
    return chosen


def _checked_name(name: str, where: str) -> str:
    if name in DEFAULTS:
        return name
    # A high cutoff, for typing errors only: Cognito has other quotas with similar names.
    near = difflib.get_close_matches(name.casefold(), map(str.casefold, DEFAULTS), n=1, cutoff=0.92)
    similar = [each for each in DEFAULTS if each.casefold() in near]
    raise InvalidCommandInputError(
        f"{where} sets {_shortened(name)!r}, which is not a quota that seedctl knows.",
        resolution=f"Did you mean {similar[0]}?"
        if similar
        else f"seedctl knows {', '.join(DEFAULTS)}; no other quota applies to its calls.",
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _checked_number(name: str, value: Any, where: str) -> int | None:
    if value == "off":
        return None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 1 <= value <= _MAX_QUOTA:
        raise InvalidCommandInputError(
            f"{where} sets {name} to {value!r}.",
            resolution='Give the calls per second, a whole number of 1 or more, or "off".',
        )
    return int(value)
