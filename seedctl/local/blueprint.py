"""``local_outputs.json``: an outputs file for work without an AWS account, safe to commit.

Pure functions from values to documents. The result contains no identifier of a real backend.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from seedctl.errors import InvalidCommandInputError
from seedctl.outputs import STANDARD_ATTRIBUTES
from seedctl.outputs.local_ids import CLIENT_ID, IDENTITY_POOL, POOL_NAME, with_local_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_USERNAME_ATTRIBUTES = ("email", "phone_number")
_MFA_CONFIGURATIONS = ("NONE", "OPTIONAL", "REQUIRED")
_MFA_METHODS = ("SMS", "TOTP", "EMAIL")

from_outputs = with_local_ids


def from_options(
    *,
    username_attributes: Sequence[str] = ("email",),
    groups: Sequence[str] = (),
    required_attributes: Sequence[str] = (),
    mfa_configuration: str = "NONE",
    mfa_methods: Sequence[str] = (),
    region: str = "us-east-1",
) -> dict[str, Any]:
    """Return the document of a backend that has only users and groups.

    Args:
        username_attributes: The attributes users sign in with: ``email``, ``phone_number`` or both.
            As in every Gen 2 backend, they are required attributes too.
        groups: The names of the groups, in order of precedence.
        required_attributes: Further standard attributes that users must have.
        mfa_configuration: ``NONE``, ``OPTIONAL`` or ``REQUIRED``.
        mfa_methods: ``SMS``, ``TOTP`` and ``EMAIL``; empty if MFA is ``NONE``.
        region: The AWS region in the ids; nothing is deployed there.

    Raises:
        InvalidCommandInputError: A value, or the combination of values, is not allowed.
    """
    if not _REGION.fullmatch(region):
        raise _invalid("region", region, "a region such as us-east-1")
    _check_choices("username attribute", username_attributes, _USERNAME_ATTRIBUTES)
    if not username_attributes:
        raise _invalid("username attributes", "none", "email, phone_number or both")
    _check_choices("required attribute", required_attributes, STANDARD_ATTRIBUTES)
    _check_choices("MFA configuration", [mfa_configuration], _MFA_CONFIGURATIONS)
    _check_choices("MFA method", mfa_methods, _MFA_METHODS)
    _check_mfa(mfa_configuration, mfa_methods, username_attributes)
    _check_groups(groups)
    return {
        "auth": {
            "user_pool_id": f"{region}_{POOL_NAME}",
            "aws_region": region,
            "user_pool_client_id": CLIENT_ID,
            "identity_pool_id": f"{region}:{IDENTITY_POOL}",
            "mfa_methods": [method for method in _MFA_METHODS if method in mfa_methods],
            "standard_required_attributes": list(
                dict.fromkeys([*username_attributes, *required_attributes])
            ),
            "username_attributes": list(username_attributes),
            "user_verification_types": list(username_attributes),
            "groups": [{name: {"precedence": index}} for index, name in enumerate(groups)],
            "mfa_configuration": mfa_configuration,
            "password_policy": {
                "min_length": 8,
                "require_lowercase": True,
                "require_numbers": True,
                "require_symbols": True,
                "require_uppercase": True,
            },
            "unauthenticated_identities_enabled": True,
        },
        "version": "1.4",
    }


def to_text(document: Mapping[str, Any]) -> str:
    """Return the file content of *document*."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _check_mfa(configuration: str, methods: Sequence[str], logins: Sequence[str]) -> None:
    if configuration == "NONE" and methods:
        raise _invalid("MFA configuration", "NONE", "OPTIONAL or REQUIRED with MFA methods")
    if configuration != "NONE" and not methods:
        raise _invalid("MFA methods", "none", "at least one of SMS, TOTP, EMAIL with MFA")
    if methods and "phone_number" in logins and "SMS" not in methods:
        # Amplify has the same rule and refuses to deploy such a backend.
        raise _invalid("MFA methods", ", ".join(methods), "SMS too, for sign-in by phone")


def _check_groups(groups: Sequence[str]) -> None:
    _check_unique("group", groups)
    for name in groups:
        printable = all(unicodedata.category(char)[0] in "LMSNP" for char in name)
        if not 1 <= len(name) <= 128 or not printable:
            raise _invalid("group name", name[:128], "1 to 128 characters without blanks")


def _check_choices(what: str, values: Sequence[str], choices: Sequence[str]) -> None:
    _check_unique(what, values)
    for value in values:
        if value not in choices:
            raise _invalid(what, value, f"one of {', '.join(choices)}")


def _check_unique(what: str, values: Sequence[str]) -> None:
    if len(set(values)) != len(values):
        raise _invalid(what, ", ".join(values), "each of them once")


def _invalid(what: str, value: str, expected: str) -> InvalidCommandInputError:
    return InvalidCommandInputError(f"The {what} {value!r} is invalid: expected {expected}.")
