"""The calls that set up MFA: software tokens and preferences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from seedctl.local.cognito.attributes import read_username
from seedctl.local.cognito.challenge_flow import MFA_SETUP
from seedctl.local.cognito.challenge_handlers import session_user
from seedctl.local.cognito.errors import invalid_parameter
from seedctl.local.cognito.mfa import FACTORS, TOTP, Factor, Setup, enabled_factors
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.service import MAX_TOKEN, UserPoolService
from seedctl.local.cognito.sessions import Session
from seedctl.local.cognito.totp import SoftwareToken
from seedctl.local.cognito.users import User, UserRecords
from seedctl.local.protocol import Call, ServiceError

_TOTP_NOT_ENABLED = "Software Token MFA has not been enabled by the userPool."


def associate_software_token(service: UserPoolService, call: Call) -> dict[str, Any]:
    token = SoftwareToken.new()
    session_token = _session(call)
    if session_token is None:
        claims = service.claims_of(call)
        with service.changing_users() as users:
            user = service.tokens.user_of_claims(users, claims)
            if TOTP not in enabled_factors(service.pool):
                raise _no_token(_TOTP_NOT_ENABLED)
            # A token verified before remains valid until this one is verified [?].
            user.pending_token = token
            users.save(user)
        return {"SecretCode": token.secret}
    with _setup_session(service, session_token) as (session, _, _):
        factors = session.data.factors
        if TOTP.name not in factors:
            raise _no_token(_TOTP_NOT_ENABLED)
    renewed = service.sessions.renew(session, Setup(factors, token))
    return {"SecretCode": token.secret, "Session": renewed}


def verify_software_token(service: UserPoolService, call: Call) -> dict[str, Any]:
    code = call.text("UserCode", minimum=6, maximum=6)
    if not (code.isascii() and code.isdigit()):
        call.fail("UserCode must be six digits.")
    name = call.optional_text("FriendlyDeviceName", minimum=0, maximum=131072) or ""
    session_token = _session(call)
    if session_token is None:
        claims = service.claims_of(call)
        with service.changing_caller(claims) as (users, user):
            known = user.pending_token or user.software_token
            _verify_token(users, user, known, code, name)
        return {"Status": "SUCCESS"}
    with _setup_session(service, session_token) as (session, users, user):
        setup: Setup = session.data
        token = _verify_token(users, user, setup.token, code, name)
        users.save_modified(user)
    renewed = service.sessions.renew(session, Setup(setup.factors, token, is_verified=True))
    return {"Status": "SUCCESS", "Session": renewed}


def set_user_mfa_preference(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = service.claims_of(call)
    settings = _settings(call)
    with service.changing_caller(claims) as (_, user):
        _apply_settings(service.pool, user, settings)
    return {}


def admin_set_user_mfa_preference(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call)
    settings = _settings(call)
    with service.changing_user(name) as (_, user):
        _apply_settings(service.pool, user, settings)
    return {}


def _session(call: Call) -> str | None:
    """Return the Session in *call*, None if it has an AccessToken instead."""
    token = call.optional_text("Session", minimum=20, maximum=4096)
    if (token is None) == (call.optional_text("AccessToken", maximum=MAX_TOKEN) is None):
        call.fail("Either Session or AccessToken is needed, and not both.")
    return token


@contextmanager
def _setup_session(
    service: UserPoolService, token: str
) -> Iterator[tuple[Session, UserRecords, User]]:
    with (
        service.sessions.answering(token, MFA_SETUP) as session,
        service.changing_users() as users,
    ):
        yield session, users, session_user(users, session)


def _verify_token(
    users: UserRecords, user: User, token: SoftwareToken | None, code: str, device_name: str
) -> SoftwareToken:
    """Check *code* and make *token* the user's software token; return it as stored."""
    if token is None:
        raise _no_token("Software Token MFA does not exist for the user.")
    used = token.used(code, users.now)
    if used is None:
        raise ServiceError("EnableSoftwareTokenMFAException", "Code mismatch")
    user.software_token, user.pending_token = replace(used, device_name=device_name), None
    return user.software_token


def _settings(call: Call) -> dict[str, Call]:
    """Return the settings of each factor in *call*."""
    settings = {
        name: section
        for name, factor in FACTORS.items()
        if (section := call.section(factor.settings_key)) is not None
    }
    preferred = [name for name, section in settings.items() if section.flag("PreferredMfa")]
    if len(preferred) > 1:
        call.fail(f"Only one MFA method can be preferred, not {' and '.join(preferred)}.")
    for name in preferred:
        if not settings[name].flag("Enabled"):
            call.fail(f"{name} cannot be preferred without being enabled.")
    return settings


def _apply_settings(pool: UserPool, user: User, settings: dict[str, Call]) -> None:
    for name, section in settings.items():
        enabled = section.flag("Enabled")
        if enabled:
            _check_can_enable(pool, user, FACTORS[name])
        was_preferred = user.mfa_preferred == name
        # Without PreferredMfa, the preference does not change [?].
        if enabled and section.flag("PreferredMfa", default=was_preferred):
            user.mfa_preferred = name
        elif was_preferred:
            user.mfa_preferred = None
        names = {*user.mfa_enabled, name} if enabled else {*user.mfa_enabled} - {name}
        user.mfa_enabled = [known for known in FACTORS if known in names]


def _check_can_enable(pool: UserPool, user: User, factor: Factor) -> None:
    if factor not in enabled_factors(pool):
        raise invalid_parameter(f"{factor.name} is not turned on in the user pool")
    if factor.is_ready(user):
        return
    if factor is TOTP:
        raise invalid_parameter("User has not verified software token mfa")
    raise invalid_parameter(f"User does not have delivery config set to turn on {factor.name}")


def _no_token(message: str) -> ServiceError:
    return ServiceError("SoftwareTokenMFANotFoundException", message)
