"""How many calls a second AWS allows: its default quotas, and what the user says instead.

The names are Cognito's own for its quotas, each for one account and region. They count by category;
which operations share one is in the table below. Parameter Store's are named here.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from seedctl.errors import InvalidCommandInputError
from seedctl.project import tool_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.project import Project

    Quotas = Mapping[str, int | None]
    """By name; None for no limit."""

DEFAULTS: Mapping[str, int] = {
    "UserCreation": 50,
    "UserAuthentication": 120,
    "RespondToAuthChallenge": 360,  # [?] three answers for each sign-in that was begun
    "UserToken": 120,
    "UserUpdate": 25,
    "UserResourceUpdate": 25,
    "ParameterRead": 40,
    "ParameterWrite": 3,
}

_OPERATIONS: Mapping[tuple[str, str], str] = {
    ("cognito-idp", "AdminAddUserToGroup"): "UserResourceUpdate",
    ("cognito-idp", "AdminCreateUser"): "UserCreation",
    ("cognito-idp", "AssociateSoftwareToken"): "UserResourceUpdate",  # [?]
    ("cognito-idp", "ConfirmDevice"): "UserResourceUpdate",
    ("cognito-idp", "GlobalSignOut"): "UserUpdate",  # [?]
    ("cognito-idp", "InitiateAuth"): "UserAuthentication",
    ("cognito-idp", "RespondToAuthChallenge"): "RespondToAuthChallenge",
    ("cognito-idp", "RevokeToken"): "UserToken",
    ("cognito-idp", "SetUserMFAPreference"): "UserResourceUpdate",  # [?]
    ("cognito-idp", "UpdateUserAttributes"): "UserUpdate",
    ("cognito-idp", "VerifySoftwareToken"): "UserResourceUpdate",  # [?]
    ("ssm", "DeleteParameter"): "ParameterWrite",
    ("ssm", "DeleteParameters"): "ParameterWrite",
    ("ssm", "GetParameter"): "ParameterRead",
    ("ssm", "GetParametersByPath"): "ParameterRead",
    ("ssm", "PutParameter"): "ParameterWrite",
}

PACED_SERVICES = ("cognito-idp", "ssm")

_VARIABLE = "SEEDCTL_QUOTAS"
_ITEM = re.compile(r"\s*([A-Za-z]+)\s*=\s*([A-Za-z0-9]+)\s*")
_NUMBER = re.compile(r"[0-9]{1,9}")
_MOST = 100_000
_LONGEST_SHOWN = 60


def category(service: str, operation: str) -> str | None:
    """Return the name of the quota that counts *operation*; None where none is known."""
    return _OPERATIONS.get((service, operation))


def chosen_quotas(project: Project) -> Quotas:
    """Return the quotas that the user has set for *project*, in place of the defaults.

    They stand below ``[tool.seedctl.quotas]`` in its pyproject.toml, and in SEEDCTL_QUOTAS, written
    "UserCreation=80,UserToken=off", which has the last word. Raises InvalidCommandInputError.
    """
    file = str(project.root / "pyproject.toml")
    chosen: dict[str, int | None] = {}
    for name, value in tool_table(project, "quotas").items():
        chosen[_known(name, file)] = _number(name, value, file)
    for item in os.environ.get(_VARIABLE, "").split(","):
        if not item.strip():
            continue
        match = _ITEM.fullmatch(item)
        if match is None:
            raise InvalidCommandInputError(
                f"{_VARIABLE} holds {_shortened(item.strip())!r}, "
                "which is not a name and a number.",
                resolution=f'Write {_VARIABLE}="UserCreation=80,UserAuthentication=200".',
            )
        name, text = match.groups()
        number = int(text) if _NUMBER.fullmatch(text) else _shortened(text)
        chosen[_known(name, _VARIABLE)] = _number(name, number, _VARIABLE)
    return chosen


def _known(name: str, where: str) -> str:
    if name in DEFAULTS:
        return name
    import difflib  # noqa: PLC0415 - for a mistake only

    # A slip of the finger only: Cognito has quotas whose names are alike, and means others by them.
    near = difflib.get_close_matches(name.casefold(), map(str.casefold, DEFAULTS), n=1, cutoff=0.92)
    meant = [each for each in DEFAULTS if each.casefold() in near]
    raise InvalidCommandInputError(
        f"{where} sets {_shortened(name)!r}, which is no quota that seedctl keeps to.",
        resolution=f"Did you mean {meant[0]}?"
        if meant
        else f"There are {', '.join(DEFAULTS)}. seedctl makes no calls that count for others.",
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _number(name: str, value: Any, where: str) -> int | None:
    if value == "off":
        return None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 1 <= value <= _MOST:
        raise InvalidCommandInputError(
            f"{where} sets {name} to {value!r}.",
            resolution='Give the calls a second, a whole number of 1 or more, or "off".',
        )
    number: int = value
    return number
