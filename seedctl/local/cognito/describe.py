"""The calls that describe the user pool and its app client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.attributes import FLAGS, STANDARD
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.protocol import ACCOUNT, Call
from seedctl.outputs.details import UserAttribute

if TYPE_CHECKING:
    from seedctl.local.cognito.pool import UserPool

_MFA = {"NONE": "OFF", "OPTIONAL": "OPTIONAL", "REQUIRED": "ON"}
_MESSAGE = "Your authentication code is {####}"
_UNITS = {"days": 24 * 3600, "hours": 3600, "minutes": 60, "seconds": 1}


def describe_user_pool(service: UserPoolService, _call: Call) -> dict[str, Any]:
    pool = service.pool
    policy = pool.password_policy
    with service.reading_users() as users:
        query = "SELECT count(*) FROM user WHERE pool = ?"
        count: int = users.view.execute(query, (pool.id,)).fetchone()[0]
    described = {
        "Id": pool.id,
        "Name": pool.name,
        "Arn": f"arn:aws:cognito-idp:{pool.region}:{ACCOUNT}:userpool/{pool.id}",
        "MfaConfiguration": _MFA[pool.mfa_configuration],
        "AutoVerifiedAttributes": list(pool.auto_verified),
        "UserAttributeUpdateSettings": {
            "AttributesRequireVerificationBeforeUpdate": list(pool.verify_before_update)
        },
        "AccountRecoverySetting": {
            "RecoveryMechanisms": [
                {"Name": f"verified_{name}", "Priority": priority}
                for priority, name in enumerate(pool.recovery_attributes, start=1)
            ]
        },
        "UsernameConfiguration": {"CaseSensitive": pool.is_case_sensitive},
        "EstimatedNumberOfUsers": count,
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": not pool.allows_sign_up},
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": policy.min_length,
                "RequireLowercase": policy.require_lowercase,
                "RequireNumbers": policy.require_numbers,
                "RequireSymbols": policy.require_symbols,
                "RequireUppercase": policy.require_uppercase,
                "TemporaryPasswordValidityDays": pool.temporary_password_days,
            }
        },
    }
    if pool.username_attributes:
        described["UsernameAttributes"] = list(pool.username_attributes)
    if pool.schema is not None:
        described["SchemaAttributes"] = _schema_attributes(pool)
    return {"UserPool": described}


def _schema_attributes(pool: UserPool) -> list[dict[str, Any]]:
    """Return the attributes of *pool*: the standard ones, as the template changes them, and its own."""
    declared = pool.schema or {}
    described = []
    for name in [*sorted(STANDARD), *sorted(declared.keys() - STANDARD)]:
        attribute = declared.get(name) or UserAttribute(
            name, "Boolean" if name in FLAGS else "String", name == "sub", name != "sub"
        )
        limits = {
            "StringAttributeConstraints": ("Length", attribute.min_length, attribute.max_length),
            "NumberAttributeConstraints": ("Value", attribute.min_value, attribute.max_value),
        }
        found: dict[str, Any] = {
            key: {
                f"{bound}{what}": str(limit)
                for bound, limit in (("Min", least), ("Max", most))
                if limit is not None
            }
            for key, (what, least, most) in limits.items()
        }
        described.append(
            {
                "Name": name,
                "AttributeDataType": attribute.data_type,
                "DeveloperOnlyAttribute": False,
                "Mutable": attribute.is_mutable,
                "Required": attribute.is_required,
                **{key: constraints for key, constraints in found.items() if constraints},
            }
        )
    return described


def get_user_pool_mfa_config(service: UserPoolService, _call: Call) -> dict[str, Any]:
    methods = service.pool.mfa_methods
    described: dict[str, Any] = {
        "MfaConfiguration": _MFA[service.pool.mfa_configuration],
        "SoftwareTokenMfaConfiguration": {"Enabled": "TOTP" in methods},
    }
    if "SMS" in methods:
        caller = f"arn:aws:iam::{ACCOUNT}:role/local-sandbox-sms"
        described["SmsMfaConfiguration"] = {
            "SmsAuthenticationMessage": _MESSAGE,
            "SmsConfiguration": {"SnsCallerArn": caller},
        }
    if "EMAIL" in methods:
        described["EmailMfaConfiguration"] = {"Message": _MESSAGE, "Subject": "Your code"}
    return described


def describe_user_pool_client(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    pool = service.pool
    access, access_unit = _validity(pool.access_token_seconds, "minutes")
    id_token, id_unit = _validity(pool.id_token_seconds, "minutes")
    refresh, refresh_unit = _validity(pool.refresh_token_seconds, "days")
    return {
        "UserPoolClient": {
            "UserPoolId": pool.id,
            "ClientId": pool.client_id,
            "ClientName": pool.client_id,
            "ExplicitAuthFlows": list(pool.auth_flows),
            "AccessTokenValidity": access,
            "IdTokenValidity": id_token,
            "RefreshTokenValidity": refresh,
            "TokenValidityUnits": {
                "AccessToken": access_unit,
                "IdToken": id_unit,
                "RefreshToken": refresh_unit,
            },
            "AuthSessionValidity": 3,
            "EnableTokenRevocation": True,
            "PreventUserExistenceErrors": "ENABLED",
        }
    }


def _validity(seconds: int, largest: str) -> tuple[int, str]:
    """Return *seconds* in the largest unit, up to *largest*, that expresses them exactly."""
    size, unit = next(
        (size, unit)
        for unit, size in _UNITS.items()
        if size <= _UNITS[largest] and seconds % size == 0
    )
    return seconds // size, unit
