"""Multi-factor authentication: what a user with the right password is asked for besides.

The factors are SMS, software token and e-mail, under all the names they go by.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedctl.local.cognito.codes import deliver_code, masked
from seedctl.local.cognito.steps import MFA_SETUP, SELECT_MFA_TYPE, Challenge, Step, signed_in
from seedctl.local.inbox import MFA
from seedctl.local.protocol import ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.totp import SoftwareToken
    from seedctl.local.cognito.users import User, UserRecords


@dataclass(frozen=True, slots=True)
class Factor:
    """A row of the table below."""

    name: str
    """Its challenge's name, which also stands for it in lists of factors."""
    method: str
    """As outputs files have it."""
    code_key: str
    """Where the answer to its challenge carries the code."""
    settings_key: str
    """What SetUserMFAPreference calls its settings."""
    attribute: str = ""
    """What holds the address codes are sent to; empty for a software token."""
    digits: int = 6

    def is_ready(self, user: User) -> bool:
        """Whether *user* could be asked for this factor now.

        An address does for it, verified or not [?].
        """
        if self is TOTP:
            return user.software_token is not None
        return bool(user.attributes.get(self.attribute))


SMS = Factor("SMS_MFA", "SMS", "SMS_MFA_CODE", "SMSMfaSettings", "phone_number")
TOTP = Factor("SOFTWARE_TOKEN_MFA", "TOTP", "SOFTWARE_TOKEN_MFA_CODE", "SoftwareTokenMfaSettings")
EMAIL = Factor("EMAIL_OTP", "EMAIL", "EMAIL_OTP_CODE", "EmailMfaSettings", "email", digits=8)
FACTORS = {factor.name: factor for factor in (SMS, TOTP, EMAIL)}


@dataclass(frozen=True, slots=True)
class Setup:
    """How far a user has come with MFA_SETUP."""

    factors: tuple[str, ...]
    """What may be set up."""
    token: SoftwareToken | None = field(default=None, repr=False)
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class SentCode:
    """What the answer is checked against. It lasts as long as its session."""

    id: str
    code: str = field(repr=False)


def offered(pool: UserPool) -> list[Factor]:
    """Return the factors that the pool has on."""
    return [factor for factor in FACTORS.values() if factor.method in pool.mfa_methods]


def after_password(service: UserPoolService, users: UserRecords, user: User) -> Step:
    """Return the step after a password that is right and permanent."""
    required = service.pool.mfa_configuration == "REQUIRED"
    on = offered(service.pool)
    usable = [
        factor
        for factor in on
        if factor.is_ready(user) and (required or factor.name in user.mfa_enabled)
    ]
    preferred = [factor for factor in usable if factor.name == user.mfa_preferred]
    if preferred or len(usable) == 1:
        return ask_for(users, user, (preferred or usable)[0])
    if usable:
        # Where MFA is required, a software token may be chosen before there is one: MFA_SETUP is
        # then the next challenge. The JavaScript client counts on it: Cognito is taken to do so [?].
        choices = [
            factor.name for factor in on if factor in usable or (required and factor is TOTP)
        ]
        parameters = {"MFAS_CAN_CHOOSE": _listed(choices)}
        return Challenge(SELECT_MFA_TYPE, user, parameters, tuple(choices))
    return _set_up(user, on) if required else signed_in(service, users, user)


def ask_for(users: UserRecords, user: User, factor: Factor) -> Challenge:
    """Return the challenge of *factor*; a code is on its way by then."""
    if factor is not TOTP:
        return send_code(users, user, factor)
    token = user.software_token
    if token is None:
        return _set_up(user, [TOTP])
    name = {"FRIENDLY_DEVICE_NAME": token.device_name} if token.device_name else {}
    return Challenge(TOTP.name, user, name)


def send_code(users: UserRecords, user: User, factor: Factor) -> Challenge:
    """Send *user* a new code, which replaces the last one, and return the challenge for it."""
    destination = user.attributes.get(factor.attribute)
    if not destination:  # an administrator deleted it after the choice was offered
        raise ServiceError("MFAMethodNotFoundException", f"{factor.name} is not set up.")
    digits = factor.digits
    code = deliver_code(users, user, MFA, factor.attribute, destination, digits=digits)
    sent = SentCode(str(uuid.uuid4()), code)
    user.newest_codes[factor.method] = sent.id
    users.save(user)
    parameters = {
        "CODE_DELIVERY_DELIVERY_MEDIUM": factor.method,
        "CODE_DELIVERY_DESTINATION": masked(destination),
    }
    return Challenge(factor.name, user, parameters, sent)


def _set_up(user: User, factors: Sequence[Factor]) -> Challenge:
    # SMS is listed though only a phone number, set by an administrator, sets it up [?].
    names = tuple(factor.name for factor in factors)
    return Challenge(MFA_SETUP, user, {"MFAS_CAN_SETUP": _listed(names)}, Setup(names))


def _listed(names: Sequence[str]) -> str:
    return json.dumps(names, separators=(",", ":"))
