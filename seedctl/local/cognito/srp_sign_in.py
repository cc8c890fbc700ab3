"""The password of a sign-in: proven by SRP in the challenge PASSWORD_VERIFIER, or sent as it is."""

from __future__ import annotations

import base64
import json
import re
import secrets
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from seedctl import srp
from seedctl.local.cognito import users as status
from seedctl.local.cognito.challenge_flow import (
    NEW_PASSWORD_REQUIRED,
    PASSWORD_VERIFIER,
    Answer,
    Challenge,
    Step,
    build_reply,
    required,
)
from seedctl.local.cognito.errors import (
    disabled_user,
    invalid_parameter,
    not_authorized,
    wrong_password,
)
from seedctl.local.cognito.mfa import step_after_password
from seedctl.local.cognito.passwords import ServerExchange, Verifier, fake_user_id
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.sessions import Session
from seedctl.local.cognito.users import User, UserRecords
from seedctl.local.protocol import ServiceError

_HEX = re.compile(r"[0-9a-fA-F]{1,2048}")
_TIMESTAMP = re.compile(
    r"[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{1,2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC [0-9]{4}"
)
_SECRET_BLOCK_BYTES = 1152
_TIMESTAMP_SECONDS = 3 * 3600.0  # Cognito does not publish its tolerance [?]
_FREE_ATTEMPTS = 5
_LONGEST_LOCK = 15 * 60.0


def start_srp(service: UserPoolService, parameters: dict[str, str]) -> dict[str, Any]:
    name, srp_a = required(parameters, "USERNAME"), required(parameters, "SRP_A")
    if not _HEX.fullmatch(srp_a):
        raise invalid_parameter("SRP_A is not a hex number.")
    user_id, verifier = _user_to_prove(service, name)
    exchange = ServerExchange.start(srp_a, verifier)
    secret_block = base64.b64encode(secrets.token_bytes(_SECRET_BLOCK_BYTES)).decode()
    session = Session(PASSWORD_VERIFIER, user_id, verifier, exchange)
    service.sessions.put(secret_block, session)
    return {
        "ChallengeName": PASSWORD_VERIFIER,
        "ChallengeParameters": {
            "SALT": verifier.salt,
            "SECRET_BLOCK": secret_block,
            "SRP_B": exchange.srp_b,
            "USERNAME": user_id,
            "USER_ID_FOR_SRP": user_id,
        },
    }


def start_password(service: UserPoolService, parameters: dict[str, str]) -> dict[str, Any]:
    """Sign in with the password itself, as app clients may be allowed to."""
    name, password = required(parameters, "USERNAME"), required(parameters, "PASSWORD")
    user_id, verifier = _user_to_prove(service, name)
    accepted = verifier.matches(password, pool_name=service.pool.name, username=user_id)
    with service.changing_users() as users:
        user = users.by_username(user_id)
        if user is None or user.verifier != verifier:
            raise wrong_password()
        step = _step_after_proof(service, users, user, accepted=accepted)
    return build_reply(service, step)


def _user_to_prove(service: UserPoolService, name: str) -> tuple[str, Verifier]:
    """Return the user name and password verifier of *name*.

    An unknown name gets values of the same form and cost, and fails at the password. Its fake id is
    the same for each attempt, as a real user's id is.
    """
    with service.reading_users() as users:
        user = users.find(name)
    seal = service.store.seal
    user_id = user.username if user is not None else fake_user_id(seal, service.pool.id, name)
    verifier = user.verifier if user is not None else None
    return user_id, verifier or Verifier.fake(seal, service.pool.name, name)


def answer_password_verifier(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    signature = answer.response("PASSWORD_CLAIM_SIGNATURE")
    secret_block = answer.response("PASSWORD_CLAIM_SECRET_BLOCK")
    timestamp = answer.response("TIMESTAMP")
    answer.response("USERNAME")
    # The secret block is the session token of this challenge: valid for one answer, right or wrong.
    session = service.sessions.take(secret_block)
    if session is None or session.challenge != PASSWORD_VERIFIER:
        raise wrong_password()
    if service.sessions.is_expired(session):
        raise wrong_password()
    exchange: ServerExchange = session.data
    accepted = _is_recent(timestamp, service.clock()) and exchange.accepts(
        signature,
        pool_name=service.pool.name,
        user_id=session.username,
        secret_block=secret_block,
        timestamp=timestamp,
    )
    with service.changing_users() as users:
        user = users.by_username(session.username)
        if user is None or not answer.is_for(users, session.username):
            raise wrong_password()
        if user.verifier != session.verifier:
            raise wrong_password()  # the password has changed since
        step = _step_after_proof(service, users, user, accepted=accepted)
    return build_reply(service, step)


def _step_after_proof(
    service: UserPoolService, users: UserRecords, user: User, *, accepted: bool
) -> Step:
    now = users.now
    if user.status == status.UNCONFIRMED:
        # Returned for wrong passwords too, so that a client can ask for the code.
        return ServiceError("UserNotConfirmedException", "User is not confirmed.")
    if now - user.failed_at > _LONGEST_LOCK:
        user.failures = 0
    # Whether Cognito locks unknown names too is not known; the sandbox does not [?].
    if user.failures >= _FREE_ATTEMPTS:
        seconds = min(2.0 ** (user.failures - _FREE_ATTEMPTS), _LONGEST_LOCK)
        if now < user.failed_at + seconds:
            return not_authorized("Password attempts exceeded")
    if not accepted:
        user.failures += 1
        user.failed_at = now
        users.save(user)
        return wrong_password()
    # The errors below reveal the user's state, so they require the right password [?].
    refusal = _account_error(user, now)
    if refusal is not None:
        return refusal
    if user.failures:
        user.failures = 0
        users.save(user)
    if user.status == status.FORCE_CHANGE_PASSWORD:
        return _new_password_required(service, user)
    return step_after_password(service, users, user)


def _account_error(user: User, now: float) -> ServiceError | None:
    if not user.enabled:
        return disabled_user()
    if user.status == status.RESET_REQUIRED:
        text = "Password reset required for the user"
        return ServiceError("PasswordResetRequiredException", text)
    if user.temporary_until is not None and now > user.temporary_until:
        text = "Temporary password has expired and must be reset by an administrator."
        return not_authorized(text)
    return None


def _new_password_required(service: UserPoolService, user: User) -> Challenge:
    required_names = service.pool.required_attributes
    missing = [f"userAttributes.{name}" for name in required_names if name not in user.attributes]
    parameters = {
        "requiredAttributes": json.dumps(missing, separators=(",", ":")),
        "userAttributes": json.dumps(user.attributes, separators=(",", ":")),
    }
    return Challenge(NEW_PASSWORD_REQUIRED, user, parameters)


def _is_recent(timestamp: str, now: float) -> bool:
    """Whether *timestamp* is well-formed and close to *now*."""
    instant = _parse_timestamp(timestamp)
    return instant is not None and abs(instant.timestamp() - now) <= _TIMESTAMP_SECONDS


def _parse_timestamp(text: str) -> datetime | None:
    # Not strptime, whose month names depend on the locale.
    if _TIMESTAMP.fullmatch(text) is None:
        return None
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    # Checks the day of the week, and that the day of the month has no leading zero.
    return instant if srp.format_timestamp(instant) == text else None
