"""How many calls per second AWS allows: its default quotas, and the user's own."""

from __future__ import annotations

import difflib
import os
import re
from typing import TYPE_CHECKING, Any

from seedctl.errors import InvalidCommandInputError
from seedctl.project import tool_table
from seedctl.project.aws_quotas import DEFAULT_QUOTAS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.project import Project

    Quotas = Mapping[str, int | None]
    """Calls per second, by name; None for no limit."""

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
    number: int = value
    return number
