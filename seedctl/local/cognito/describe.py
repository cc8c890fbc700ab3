"""The calls that describe the user pool and its app client."""

from __future__ import annotations

from typing import Any

from seedctl.local.cognito.pool import ALLOWED_FLOWS
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.tokens import ACCESS_SECONDS, REFRESH_SECONDS
from seedctl.local.protocol import ACCOUNT, Call

_MFA = {"NONE": "OFF", "OPTIONAL": "OPTIONAL", "REQUIRED": "ON"}
_MESSAGE = "Your authentication code is {####}"
_DAY = 24 * 3600


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
        "AutoVerifiedAttributes": list(pool.verification_types),
        "UserAttributeUpdateSettings": {
            "AttributesRequireVerificationBeforeUpdate": list(pool.verification_types)
        },
        "AccountRecoverySetting": {
            "RecoveryMechanisms": [
                {"Name": f"verified_{name}", "Priority": priority}
                for priority, name in enumerate(pool.recovery_attributes, start=1)
            ]
        },
        "UsernameConfiguration": {"CaseSensitive": False},
        "EstimatedNumberOfUsers": count,
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": policy.min_length,
                "RequireLowercase": policy.require_lowercase,
                "RequireNumbers": policy.require_numbers,
                "RequireSymbols": policy.require_symbols,
                "RequireUppercase": policy.require_uppercase,
                "TemporaryPasswordValidityDays": 7,
            }
        },
    }
    if pool.username_attributes:
        described["UsernameAttributes"] = list(pool.username_attributes)
    return {"UserPool": described}


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
    return {
        "UserPoolClient": {
            "UserPoolId": service.pool.id,
            "ClientId": service.pool.client_id,
            "ClientName": service.pool.client_id,
            "ExplicitAuthFlows": list(ALLOWED_FLOWS),
            "AccessTokenValidity": ACCESS_SECONDS // 60,
            "IdTokenValidity": ACCESS_SECONDS // 60,
            "RefreshTokenValidity": REFRESH_SECONDS // _DAY,
            "TokenValidityUnits": {
                "AccessToken": "minutes",
                "IdToken": "minutes",
                "RefreshToken": "days",
            },
            "AuthSessionValidity": 3,
            "EnableTokenRevocation": True,
            "PreventUserExistenceErrors": "ENABLED",
        }
    }
