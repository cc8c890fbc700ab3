"""Multi-factor authentication: the challenges that follow a correct password.

The factors are SMS, software token (TOTP) and e-mail; each has several names in Cognito's API.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from seedctl.local.cognito.challenge_flow import (
    MFA_SETUP,
    SELECT_MFA_TYPE,
    Challenge,
    Step,
    complete_sign_in,
)
from seedctl.local.cognito.codes import deliver_code, mask_destination
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.totp import SoftwareToken
from seedctl.local.cognito.users import User, UserRecords
from seedctl.local.inbox import MFA
from seedctl.local.protocol import ServiceError


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor and its names in the API."""

    name: str
    """The name of its challenge, which lists of factors use too."""
    method: str
    """Its name in outputs files."""
    code_key: str
    """The key of the code in the response to its challenge."""
    settings_key: str
    """The key of its settings in SetUserMFAPreference."""
    attribute: str = ""
    """The user attribute that codes are sent to; empty for a software token."""
    digits: int = 6

    def is_ready(self, user: User) -> bool:
        """Whether *user* can use this factor now. An unverified address suffices [?]."""
        if self is TOTP:
            return user.software_token is not None
        return bool(user.attributes.get(self.attribute))


SMS = Factor("SMS_MFA", "SMS", "SMS_MFA_CODE", "SMSMfaSettings", "phone_number")
TOTP = Factor("SOFTWARE_TOKEN_MFA", "TOTP", "SOFTWARE_TOKEN_MFA_CODE", "SoftwareTokenMfaSettings")
EMAIL = Factor("EMAIL_OTP", "EMAIL", "EMAIL_OTP_CODE", "EmailMfaSettings", "email", digits=8)
FACTORS = {factor.name: factor for factor in (SMS, TOTP, EMAIL)}


@dataclass(frozen=True, slots=True)
class Setup:
    """The progress of a user in the challenge MFA_SETUP."""

    factors: tuple[str, ...]
    """The factors that the user may set up."""
    token: SoftwareToken | None = field(default=None, repr=False)
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that was sent for a challenge. It expires with its session."""

    id: str
    code: str = field(repr=False)


def enabled_factors(pool: UserPool) -> list[Factor]:
    """Return the factors that the pool has turned on."""
    return [factor for factor in FACTORS.values() if factor.method in pool.mfa_methods]


def step_after_password(service: UserPoolService, users: UserRecords, user: User) -> Step:
    """Return the step after a correct, permanent password."""
    required = service.pool.mfa_configuration == "REQUIRED"
    enabled = enabled_factors(service.pool)
    usable = [
        factor
        for factor in enabled
        if factor.is_ready(user) and (required or factor.name in user.mfa_enabled)
    ]
    preferred = [factor for factor in usable if factor.name == user.mfa_preferred]
    if preferred or len(usable) == 1:
        return challenge_for(users, user, (preferred or usable)[0])
    if usable:
        # If MFA is required, users may select a software token they do not have yet; the next challenge
        # is then MFA_SETUP. The JavaScript client relies on it, so we assume Cognito does this [?].
        choices = [
            factor.name for factor in enabled if factor in usable or (required and factor is TOTP)
        ]
        parameters = {"MFAS_CAN_CHOOSE": _to_json(choices)}
        return Challenge(SELECT_MFA_TYPE, user, parameters, tuple(choices))
    return _setup_challenge(user, enabled) if required else complete_sign_in(service, users, user)


def challenge_for(users: UserRecords, user: User, factor: Factor) -> Challenge:
    """Return the challenge of *factor*, after sending the code if the factor needs one."""
    if factor is not TOTP:
        return send_code(users, user, factor)
    token = user.software_token
    if token is None:
        return _setup_challenge(user, [TOTP])
    name = {"FRIENDLY_DEVICE_NAME": token.device_name} if token.device_name else {}
    return Challenge(TOTP.name, user, name)


def send_code(users: UserRecords, user: User, factor: Factor) -> Challenge:
    """Send *user* a code that replaces the last one, and return its challenge."""
    destination = user.attributes.get(factor.attribute)
    if not destination:  # an administrator deleted it after SELECT_MFA_TYPE
        raise ServiceError("MFAMethodNotFoundException", f"{factor.name} is not set up.")
    digits = factor.digits
    code = deliver_code(users, user, MFA, factor.attribute, destination, digits=digits)
    sent = SentCode(str(uuid.uuid4()), code)
    user.newest_codes[factor.method] = sent.id
    users.save(user)
    parameters = {
        "CODE_DELIVERY_DELIVERY_MEDIUM": factor.method,
        "CODE_DELIVERY_DESTINATION": mask_destination(destination),
    }
    return Challenge(factor.name, user, parameters, sent)


def _setup_challenge(user: User, factors: Sequence[Factor]) -> Challenge:
    # SMS is listed although only an administrator, by adding a phone number, can set it up [?].
    names = tuple(factor.name for factor in factors)
    return Challenge(MFA_SETUP, user, {"MFAS_CAN_SETUP": _to_json(names)}, Setup(names))


def _to_json(names: Sequence[str]) -> str:
    return json.dumps(names, separators=(",", ":"))
