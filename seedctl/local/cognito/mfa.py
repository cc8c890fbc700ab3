"""Multi-factor authentication: what a user with the right password is asked for besides."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedctl.local.cognito.codes import send_code
from seedctl.local.cognito.factors import TOTP, Factor, offered
from seedctl.local.cognito.steps import MFA_SETUP, SELECT_MFA_TYPE, Challenge, Step, signed_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.totp import SoftwareToken
    from seedctl.local.cognito.users import User, UserRecords


@dataclass(frozen=True, slots=True)
class Setup:
    """How far a user has come with MFA_SETUP."""

    factors: tuple[str, ...]
    """What may be set up."""
    token: SoftwareToken | None = field(default=None, repr=False)
    is_verified: bool = False


def after_password(service: UserPoolService, users: UserRecords, user: User) -> Step:
    """Return the step after a password that is right and permanent."""
    required = service.pool.mfa_configuration == "REQUIRED"
    usable = [
        factor
        for factor in offered(service.pool)
        if factor.is_ready(user) and (required or factor.name in user.mfa_enabled)
    ]
    preferred = [factor for factor in usable if factor.name == user.mfa_preferred]
    if preferred or len(usable) == 1:
        return ask_for(service, users, user, (preferred or usable)[0])
    if usable:
        return _select(service, user, usable, required=required)
    if required:
        return _set_up(user, offered(service.pool))
    return signed_in(service, users, user)


def ask_for(service: UserPoolService, users: UserRecords, user: User, factor: Factor) -> Challenge:
    """Return the challenge of *factor*; a code is on its way by then."""
    if factor is not TOTP:
        return send_code(service, users, user, factor)
    token = user.software_token
    if token is None:
        return _set_up(user, [TOTP])
    name = {"FRIENDLY_DEVICE_NAME": token.device_name} if token.device_name else {}
    return Challenge(TOTP.name, user, name)


def _select(
    service: UserPoolService, user: User, usable: Sequence[Factor], *, required: bool
) -> Challenge:
    # Where MFA is required, a software token may be chosen before there is one: MFA_SETUP is then
    # the next challenge. The JavaScript client counts on it, so Cognito is taken to do so [?].
    choices = [
        factor.name
        for factor in offered(service.pool)
        if factor in usable or (required and factor is TOTP)
    ]
    return Challenge(SELECT_MFA_TYPE, user, {"MFAS_CAN_CHOOSE": _listed(choices)}, tuple(choices))


def _set_up(user: User, factors: Sequence[Factor]) -> Challenge:
    # SMS is listed though only a phone number, set by an administrator, sets it up [?].
    names = tuple(factor.name for factor in factors)
    return Challenge(MFA_SETUP, user, {"MFAS_CAN_SETUP": _listed(names)}, Setup(names))


def _listed(names: Sequence[str]) -> str:
    return json.dumps(names, separators=(",", ":"))
