"""The handlers of the challenges that follow the password, one for each challenge."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seedctl.local.cognito import errors
from seedctl.local.cognito.admin import change_attributes, set_password
from seedctl.local.cognito.attributes import check_attribute, check_mutable, check_required
from seedctl.local.cognito.challenge_flow import Answer, Step, build_reply, complete_sign_in
from seedctl.local.cognito.mfa import (
    EMAIL,
    FACTORS,
    TOTP,
    SentCode,
    Setup,
    challenge_for,
    send_code,
    step_after_password,
)
from seedctl.local.cognito.passwords import Verifier, check_password
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.sessions import Session
from seedctl.local.cognito.users import User, UserRecords
from seedctl.local.protocol import ServiceError

_ATTRIBUTE_PREFIX = "userAttributes."


def answer_new_password(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    with service.sessions.answering(answer.session, answer.challenge) as session:
        password = answer.response("NEW_PASSWORD")
        check_password(password, service.pool.password_policy)
        given = {
            name.removeprefix(_ATTRIBUTE_PREFIX): value
            for name, value in answer.responses.items()
            if name.startswith(_ATTRIBUTE_PREFIX)
        }
        pool = service.pool
        checked = {name: check_attribute(pool, name, value) for name, value in given.items()}
        verifier = Verifier.of(password, pool_name=service.pool.name, username=session.username)
        with service.changing_users() as users:
            user = _answering_user(users, answer, session)
            check_mutable(pool, [name for name in checked if name in user.attributes])
            change_attributes(user, checked)
            check_required(pool.required_attributes, user.attributes)
            set_password(user, verifier)
            users.save_modified(user)
            step = step_after_password(service, users, user)
    return build_reply(service, step)


def answer_select_mfa_type(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    with _answer_transaction(service, answer) as (choices, users, user):
        choice = answer.response("ANSWER")
        if choice not in choices:
            raise errors.invalid_parameter(f"ANSWER must be one of {', '.join(choices)}.")
        step = challenge_for(users, user, FACTORS[choice])
    return build_reply(service, step)


def answer_mfa_setup(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    setup: Setup
    step: Step
    with _answer_transaction(service, answer) as (setup, users, user):
        if setup.is_verified:
            step = complete_sign_in(service, users, user)
        elif EMAIL.name in setup.factors and "EMAIL" in answer.responses:
            address = check_attribute(service.pool, "email", answer.response("EMAIL"))
            change_attributes(user, {"email": address})
            user.modified = users.now
            step = send_code(users, user, EMAIL)
        else:
            factors = ", ".join(setup.factors)
            raise errors.invalid_parameter(f"Nothing has been set up yet; it can be {factors}.")
    return build_reply(service, step)


def answer_software_token(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    with _answer_transaction(service, answer) as (_, users, user):
        assert user.software_token is not None  # no call removes a software token
        token = user.software_token.used(answer.response(TOTP.code_key), users.now)
        if token is None:
            raise errors.wrong_code("Invalid code received for user")
        user.software_token = token
        users.save(user)
        step = complete_sign_in(service, users, user)
    return build_reply(service, step)


def answer_sent_code(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    factor = FACTORS[answer.challenge]
    # The code expires with its session; which of the two errors Cognito returns is not known [?].
    expired = errors.expired_code()
    sent: SentCode
    with _answer_transaction(service, answer, expired) as (sent, users, user):
        code = answer.response(factor.code_key)
        if user.newest_codes.get(factor.method) != sent.id:
            raise expired
        if not secrets.compare_digest(sent.code.encode(), code.encode()):
            raise errors.wrong_code("Invalid code or auth state for the user.")
        step = complete_sign_in(service, users, user)
    return build_reply(service, step)


@contextmanager
def _answer_transaction(
    service: UserPoolService, answer: Answer, expired: ServiceError | None = None
) -> Iterator[tuple[Any, UserRecords, User]]:
    """Yield the session's data, the users of one transaction, and the user who answers."""
    with (
        service.sessions.answering(answer.session, answer.challenge, expired) as session,
        service.changing_users() as users,
    ):
        yield session.data, users, _answering_user(users, answer, session)


def _answering_user(users: UserRecords, answer: Answer, session: Session) -> User:
    """Return the session's user; the answer must name the same. Raises NotAuthorizedException."""
    user = session_user(users, session)
    if not answer.is_for(users, session.username):
        raise errors.invalid_session()
    return user


def session_user(users: UserRecords, session: Session) -> User:
    """Return the user that *session* was opened for. Raises NotAuthorizedException."""
    user = users.by_username(session.username)
    if user is None or user.verifier != session.verifier:
        raise errors.invalid_session()  # deleted, created again or given another password since
    if not user.enabled:
        raise errors.disabled_user()
    return user
