"""The part ``custom.seedctl.user_pool``, from the template that the user pool is deployed with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.outputs.auth import STANDARD_ATTRIBUTES
from seedctl.outputs.made_up_attributes import EXISTING_AUTH
from seedctl.outputs.templates import REF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seedctl.outputs.templates import Resource

_NOT_CUSTOM = {*STANDARD_ATTRIBUTES, "sub", "email_verified", "phone_number_verified", "identities"}
_STANDARD_TYPES = {
    "updated_at": "Number",
    "email_verified": "Boolean",
    "phone_number_verified": "Boolean",
}
_LIMITS = {
    "min_length": ("StringAttributeConstraints", "MinLength"),
    "max_length": ("StringAttributeConstraints", "MaxLength"),
    "min_value": ("NumberAttributeConstraints", "MinValue"),
    "max_value": ("NumberAttributeConstraints", "MaxValue"),
}
_MFA = {"OFF": "NONE", "OPTIONAL": "OPTIONAL", "ON": "REQUIRED"}
_MFA_METHODS = {"SMS_MFA": "SMS", "SOFTWARE_TOKEN_MFA": "TOTP", "EMAIL_OTP": "EMAIL"}
_PASSWORD_RULES = {
    "require_lowercase": "RequireLowercase",
    "require_numbers": "RequireNumbers",
    "require_symbols": "RequireSymbols",
    "require_uppercase": "RequireUppercase",
}
_DEFAULT_LENGTH = 8  # Cognito's, of a policy that has no minimum
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
# For each token: its name in properties, and Cognito's unit if the template gives none.
_TOKENS = {
    "access_token_seconds": ("AccessToken", "hours"),
    "id_token_seconds": ("IdToken", "hours"),
    "refresh_token_seconds": ("RefreshToken", "days"),
}


def user_pool_details(
    pool: Resource, client: Resource | None, resources: Iterable[Resource]
) -> dict[str, Any]:
    """Return ``custom.seedctl.user_pool`` as ``details.parse_details`` reads it.

    Args:
        pool: The user pool.
        client: Its app client; None if the template has none.
        resources: All resources of the backend, among them the pool's groups.
    """
    update_settings = pool.property("UserAttributeUpdateSettings") or {}
    policy = (pool.property("Policies") or {}).get("PasswordPolicy")
    username_rules = pool.property("UsernameConfiguration") or {}
    mfa, methods = pool.property("MfaConfiguration"), pool.property("EnabledMfas")
    found: dict[str, Any] = {
        "attributes": [_attribute(entry) for entry in pool.property("Schema") or ()],
        "auth_flows": client and client.property("ExplicitAuthFlows"),
        "auto_verified_attributes": pool.property("AutoVerifiedAttributes") or [],
        "verify_before_update": update_settings.get("AttributesRequireVerificationBeforeUpdate")
        or [],
        "username_attributes": pool.property("UsernameAttributes") or [],
        "case_sensitive": _flag(username_rules.get("CaseSensitive")),
        "password_policy": None if policy is None else _password_policy(policy),
        "mfa_configuration": _MFA.get(mfa or "OFF"),
        "mfa_methods": [_MFA_METHODS[name] for name in methods or () if name in _MFA_METHODS],
        "groups": list(_groups(pool, resources)),
        **(_token_times(client) if client is not None else {}),
    }
    return {key: value for key, value in found.items() if value is not None}


def existing_pool_details(resources: Iterable[Resource]) -> dict[str, Any] | None:
    """Return ``custom.seedctl.user_pool`` of a pool that the backend uses but does not create.

    It has no more than the groups to which the project gives roles. None if *resources*, which are
    all of the backend, have no such pool.
    """
    for resource in resources:
        if resource.type == EXISTING_AUTH:
            return {"groups": [{name: {}} for name in resource.property("groups") or {}]}
    return None


def _attribute(entry: Mapping[str, Any]) -> dict[str, Any]:
    name = entry["Name"]
    is_custom = name not in _NOT_CUSTOM
    found = {
        "name": f"custom:{name}" if is_custom else name,
        "data_type": entry.get("AttributeDataType") or _STANDARD_TYPES.get(name, "String"),
        "required": _flag(entry.get("Required")) or False,
        "mutable": _flag(entry.get("Mutable")) is not False,
    }
    for key, (group, limit) in _LIMITS.items():
        value = (entry.get(group) or {}).get(limit)
        if value is not None:
            found[key] = int(value)
    return found


def _password_policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "min_length": int(policy.get("MinimumLength") or _DEFAULT_LENGTH),
        **{key: _flag(policy.get(name)) or False for key, name in _PASSWORD_RULES.items()},
    }


def _groups(pool: Resource, resources: Iterable[Resource]) -> Iterable[dict[str, Any]]:
    pool_id = pool.stack.resolve({REF: pool.logical_id})
    for group in resources:
        is_group = group.type == "AWS::Cognito::UserPoolGroup"
        if not is_group or group.property("UserPoolId") != pool_id:
            continue
        name = group.stack.text({REF: group.logical_id})
        precedence = group.property("Precedence")
        yield {name: {} if precedence is None else {"precedence": int(precedence)}}


def _token_times(client: Resource) -> dict[str, int]:
    units = client.property("TokenValidityUnits") or {}
    found = {}
    for key, (token, default_unit) in _TOKENS.items():
        count = int(client.property(f"{token}Validity") or 0)
        if count:  # 0 stands for Cognito's own default
            found[key] = count * _SECONDS[units.get(token, default_unit)]
    return found


def _flag(value: Any) -> bool | None:
    """Return a flag, which a template may also give as text."""
    return None if value is None else str(value).lower() == "true"
