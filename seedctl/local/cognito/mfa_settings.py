"""What users and administrators set up for MFA outside a sign-in: tokens and preferences."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.admin import username
from seedctl.local.cognito.answers import session_user
from seedctl.local.cognito.factors import FACTORS, TOTP, Factor, offered
from seedctl.local.cognito.mfa import Setup
from seedctl.local.cognito.self_service import MAX_TOKEN, claims_of
from seedctl.local.cognito.steps import MFA_SETUP
from seedctl.local.cognito.totp import SoftwareToken
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.sessions import Session
    from seedctl.local.cognito.users import User, UserRecords


def associate_software_token(service: UserPoolService, call: Call) -> dict[str, Any]:
    token = SoftwareToken.new()
    session_token = _session(call)
    if session_token is None:
        claims = claims_of(service, call)
        with service.changing_users() as users:
            user = service.tokens.of_claims(users, claims)
            if TOTP not in offered(service.pool):
                raise _token_not_offered()
            # The verified one, if any, is good until this one is verified [?].
            user.pending_token = token
            users.save(user)
        return {"SecretCode": token.secret}
    with _setting_up(service, session_token) as (session, users):
        setup: Setup = session.data
        session_user(users, session)
        if TOTP.name not in setup.factors:
            raise _token_not_offered()
    renewed = service.sessions.renew(session, Setup(setup.factors, token))
    return {"SecretCode": token.secret, "Session": renewed}


def verify_software_token(service: UserPoolService, call: Call) -> dict[str, Any]:
    code = call.text("UserCode", minimum=6, maximum=6)
    if not (code.isascii() and code.isdigit()):
        call.fail("UserCode must be six digits.")
    name = call.optional_text("FriendlyDeviceName", minimum=0, maximum=131072) or ""
    session_token = _session(call)
    if session_token is None:
        claims = claims_of(service, call)
        with service.changing_users() as users:
            user = service.tokens.of_claims(users, claims)
            known = user.pending_token or user.software_token
            _adopt(service, users, user, _verified(known, code, name, service.clock()))
        return {"Status": "SUCCESS"}
    with _setting_up(service, session_token) as (session, users):
        setup: Setup = session.data
        user = session_user(users, session)
        token = _verified(setup.token, code, name, service.clock())
        _adopt(service, users, user, token)
    renewed = service.sessions.renew(session, Setup(setup.factors, token, is_verified=True))
    return {"Status": "SUCCESS", "Session": renewed}


def set_user_mfa_preference(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = claims_of(service, call)
    settings = _settings(call)
    with service.changing_users() as users:
        user = service.tokens.of_claims(users, claims)
        _prefer(service, users, user, settings)
    return {}


def admin_set_user_mfa_preference(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = username(call)
    settings = _settings(call)
    with service.changing_users() as users:
        _prefer(service, users, users.require(name), settings)
    return {}


def _session(call: Call) -> str | None:
    """Return the Session of *call*, None if it has an access token instead."""
    token = call.optional_text("Session", minimum=20, maximum=4096)
    if (token is None) == (call.optional_text("AccessToken", maximum=MAX_TOKEN) is None):
        call.fail("Either Session or AccessToken is needed, and not both.")
    return token


@contextmanager
def _setting_up(service: UserPoolService, token: str) -> Iterator[tuple[Session, UserRecords]]:
    with (
        service.sessions.answered(
            token, challenge=MFA_SETUP, client_id=service.pool.client_id
        ) as session,
        service.changing_users() as users,
    ):
        yield session, users


def _verified(
    token: SoftwareToken | None, code: str, device_name: str, now: float
) -> SoftwareToken:
    if token is None:
        raise ServiceError(
            "SoftwareTokenMFANotFoundException", "Software Token MFA does not exist for the user."
        )
    used = token.used(code, now)
    if used is None:
        raise ServiceError("EnableSoftwareTokenMFAException", "Code mismatch")
    return replace(used, device_name=device_name)


def _adopt(service: UserPoolService, users: UserRecords, user: User, token: SoftwareToken) -> None:
    user.software_token, user.pending_token = token, None
    user.modified = service.clock()
    users.save(user)


def _settings(call: Call) -> dict[str, Call]:
    """Return the settings of each factor that *call* mentions."""
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


def _prefer(
    service: UserPoolService, users: UserRecords, user: User, settings: dict[str, Call]
) -> None:
    for name, section in settings.items():
        enabled = section.flag("Enabled")
        if enabled:
            _check_possible(service.pool, user, FACTORS[name])
        was_preferred = user.mfa_preferred == name
        # Unsaid, it stays as it is [?].
        if enabled and section.flag("PreferredMfa", default=was_preferred):
            user.mfa_preferred = name
        elif was_preferred:
            user.mfa_preferred = None
        kept = {*user.mfa_enabled, name} if enabled else {*user.mfa_enabled} - {name}
        user.mfa_enabled = [known for known in FACTORS if known in kept]
    user.modified = service.clock()
    users.save(user)


def _check_possible(pool: UserPool, user: User, factor: Factor) -> None:
    reason = None
    if factor not in offered(pool):
        reason = f"{factor.name} is not turned on in the user pool"
    elif not factor.is_ready(user):
        reason = (
            "User has not verified software token mfa"
            if factor is TOTP
            else f"User does not have delivery config set to turn on {factor.name}"
        )
    if reason is not None:
        raise ServiceError("InvalidParameterException", reason)


def _token_not_offered() -> ServiceError:
    return ServiceError(
        "SoftwareTokenMFANotFoundException",
        "Software Token MFA has not been enabled by the userPool.",
    )
