"""The part ``custom.seedctl`` of an outputs file, which only the local sandbox acts on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs import PasswordPolicy, UserGroup, parse_outputs
from seedctl.outputs.details import BackendDetails, UserAttribute

PATH = Path("amplify/seed/local_outputs.json")


def _details(custom: Any) -> BackendDetails:
    return parse_outputs({"version": "1.4", "custom": custom}, PATH).details


def test_all_details_are_read() -> None:
    """Schema text, digests and every property of the user pool are read; limits may be absent."""
    details = _details(
        {
            "seedctl": {
                "format": 1,
                "model_schema": "type Todo @model { id: ID! }",
                "sources": {"amplify/backend.ts": "abc"},
                "user_pool": {
                    "attributes": [
                        {"name": "custom:level", "data_type": "Number", "min_value": 1},
                        {"name": "custom:plan", "min_length": 2, "max_length": 3},
                        {"name": "custom:age", "data_type": "Number", "max_value": 4},
                        {"name": "email", "required": True, "mutable": False},
                    ],
                    "auth_flows": ["ALLOW_USER_SRP_AUTH"],
                    "password_policy": {"min_length": 16},
                    "mfa_configuration": "OPTIONAL",
                    "mfa_methods": ["TOTP"],
                    "groups": [{"admins": {"precedence": 1}}],
                    "auto_verified_attributes": ["email"],
                    "verify_before_update": ["phone_number"],
                    "case_sensitive": True,
                    "access_token_seconds": 1800,
                    "id_token_seconds": 900,
                    "refresh_token_seconds": 86400,
                    "temporary_password_days": 3,
                    "recovery_attributes": ["phone_number", "email"],
                    "allow_sign_up": False,
                },
            }
        }
    )
    assert details.model_schema == "type Todo @model { id: ID! }"
    assert details.sources == {"amplify/backend.ts": "abc"}
    pool = details.user_pool
    assert pool is not None
    assert pool.attributes == (
        UserAttribute("custom:level", "Number", False, True, None, None, 1, None),
        UserAttribute("custom:plan", "String", False, True, 2, 3, None, None),
        UserAttribute("custom:age", "Number", False, True, None, None, None, 4),
        UserAttribute("email", "String", True, False, None, None, None, None),
    )
    assert pool.auth_flows == ("ALLOW_USER_SRP_AUTH",)
    assert pool.password_policy == PasswordPolicy(min_length=16)
    assert (pool.mfa_configuration, pool.mfa_methods) == ("OPTIONAL", ("TOTP",))
    assert pool.groups == (UserGroup("admins", 1),)
    assert (pool.is_case_sensitive, pool.access_token_seconds) == (True, 1800)
    assert (pool.temporary_password_days, pool.allows_sign_up) == (3, False)
    assert pool.recovery_attributes == ("phone_number", "email")
    assert pool.username_attributes is None
    assert (pool.auto_verified_attributes, pool.verify_before_update) == (
        ("email",),
        ("phone_number",),
    )
    assert (pool.id_token_seconds, pool.refresh_token_seconds) == (900, 86400)


@pytest.mark.parametrize(
    "custom", [None, "text", [1], {}, {"seedctl": None}, {"other": {"seedctl": 1}}]
)
def test_a_custom_part_of_the_project_is_left_alone(custom: Any) -> None:
    """``custom`` belongs to the project: whatever it holds besides ``seedctl`` is not read."""
    assert _details(custom) == BackendDetails()


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"format": 2}, "custom.seedctl.format"),
        ({}, "custom.seedctl.format"),
        ({"format": 1, "model_schema": 3}, "custom.seedctl.model_schema"),
        (
            {"format": 1, "user_pool": {"attributes": [{"data_type": "String"}]}},
            "custom.seedctl.user_pool.attributes[0].name",
        ),
        ("text", "custom.seedctl"),
    ],
)
def test_a_wrong_value_is_refused_by_its_place(value: Any, where: str) -> None:
    """A wrong value, and the format of another version, are errors that name their place."""
    with pytest.raises(InvalidAmplifyOutputsError) as caught:
        _details({"seedctl": value})
    assert f"{PATH}: {where} is " in caught.value.message
