"""The answers to the challenges of MFA; one function for each row of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.account_codes import expired_code
from seedctl.local.cognito.admin import change_attributes
from seedctl.local.cognito.answers import user_of
from seedctl.local.cognito.attributes import check_attribute
from seedctl.local.cognito.codes import SentCode, send_code
from seedctl.local.cognito.factors import EMAIL, FACTORS, TOTP
from seedctl.local.cognito.mfa import Setup, ask_for
from seedctl.local.cognito.steps import Step, reply, signed_in
from seedctl.local.protocol import ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.steps import Answer
    from seedctl.local.cognito.users import User, UserRecords


def answer_select_mfa_type(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    with (
        service.sessions.answered(
            answer.session, challenge=answer.challenge, client_id=answer.client_id
        ) as session,
        service.changing_users() as users,
    ):
        user = user_of(users, answer, session)
        choice = answer.response("ANSWER")
        if choice not in session.data:
            raise ServiceError(
                "InvalidParameterException", f"ANSWER must be one of {', '.join(session.data)}."
            )
        step = ask_for(service, users, user, FACTORS[choice])
    return reply(service, step)


def answer_mfa_setup(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    with (
        service.sessions.answered(
            answer.session, challenge=answer.challenge, client_id=answer.client_id
        ) as session,
        service.changing_users() as users,
    ):
        user = user_of(users, answer, session)
        setup: Setup = session.data
        step: Step
        if setup.is_verified:
            step = signed_in(service, users, user)
        elif EMAIL.name in setup.factors and "EMAIL" in answer.responses:
            step = _set_up_email(service, users, user, answer.response("EMAIL"))
        else:
            raise ServiceError(
                "InvalidParameterException",
                f"Nothing has been set up yet; it can be {', '.join(setup.factors)}.",
            )
    return reply(service, step)


def answer_software_token(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    with (
        service.sessions.answered(
            answer.session, challenge=answer.challenge, client_id=answer.client_id
        ) as session,
        service.changing_users() as users,
    ):
        user = user_of(users, answer, session)
        assert user.software_token is not None  # it may be replaced, and not removed
        token = user.software_token.used(answer.response(TOTP.code_key), service.clock())
        if token is None:
            raise ServiceError("CodeMismatchException", "Invalid code received for user")
        user.software_token = token
        users.save(user)
        step = signed_in(service, users, user)
    return reply(service, step)


def answer_sent_code(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    factor = FACTORS[answer.challenge]
    with (
        service.sessions.answered(
            answer.session,
            challenge=answer.challenge,
            client_id=answer.client_id,
            # The code ends with the session; which of the two Cognito tells is not known [?].
            expired=expired_code(),
        ) as session,
        service.changing_users() as users,
    ):
        user = user_of(users, answer, session)
        sent: SentCode = session.data
        code = answer.response(factor.code_key)
        if user.newest_codes.get(factor.method) != sent.id:
            raise expired_code()
        if not sent.fits(code):
            raise ServiceError("CodeMismatchException", "Invalid code or auth state for the user.")
        step = signed_in(service, users, user)
    return reply(service, step)


def _set_up_email(service: UserPoolService, users: UserRecords, user: User, address: str) -> Step:
    change_attributes(user, {"email": check_attribute("email", address)})
    user.modified = service.clock()
    return send_code(service, users, user, EMAIL)
