"""The answer to NEW_PASSWORD_REQUIRED, and whom an answer in a session may be from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.admin import change_attributes, set_password
from seedctl.local.cognito.attributes import check_attribute, check_required
from seedctl.local.cognito.mfa import after_password
from seedctl.local.cognito.passwords import Verifier, check_password
from seedctl.local.cognito.steps import reply
from seedctl.local.protocol import ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.sessions import Session
    from seedctl.local.cognito.steps import Answer
    from seedctl.local.cognito.users import User, UserRecords

_ATTRIBUTE_PREFIX = "userAttributes."


def answer_new_password(service: UserPoolService, answer: Answer) -> dict[str, Any]:
    with service.sessions.answered(
        answer.session, challenge=answer.challenge, client_id=answer.client_id
    ) as session:
        password = answer.response("NEW_PASSWORD")
        check_password(password, service.pool.password_policy)
        given = {
            name.removeprefix(_ATTRIBUTE_PREFIX): value
            for name, value in answer.responses.items()
            if name.startswith(_ATTRIBUTE_PREFIX)
        }
        checked = {name: check_attribute(name, value) for name, value in given.items()}
        verifier = Verifier.of(password, pool_name=service.pool.name, username=session.username)
        with service.changing_users() as users:
            user = user_of(users, answer, session)
            change_attributes(user, checked)
            check_required(service.pool.required_attributes, user.attributes)
            set_password(user, verifier)
            user.modified = service.clock()
            users.save(user)
            step = after_password(service, users, user)
    return reply(service, step)


def user_of(users: UserRecords, answer: Answer, session: Session) -> User:
    """Return the session's user, whom the answer must name. Raises NotAuthorizedException."""
    user = session_user(users, session)
    if not answer.is_for(users, session.username):
        raise _invalid_session()
    return user


def session_user(users: UserRecords, session: Session) -> User:
    """Return the user that *session* was opened for. Raises NotAuthorizedException."""
    user = users.by_username(session.username)
    if user is None or user.verifier != session.verifier:
        raise _invalid_session()  # deleted, made anew or given another password meanwhile
    if not user.enabled:
        raise ServiceError("NotAuthorizedException", "User is disabled.")
    return user


def _invalid_session() -> ServiceError:
    return ServiceError("NotAuthorizedException", "Invalid session for the user.")
