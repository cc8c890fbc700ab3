"""The result of each call of a sign-in: tokens, the next challenge, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seedctl.local.cognito.errors import invalid_parameter
from seedctl.local.cognito.groups import GroupRecords
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.sessions import Session
from seedctl.local.cognito.tokens import Grant
from seedctl.local.cognito.users import User, UserRecords
from seedctl.local.protocol import ServiceError

PASSWORD_VERIFIER = "PASSWORD_VERIFIER"  # noqa: S105 - a challenge, as the next one
NEW_PASSWORD_REQUIRED = "NEW_PASSWORD_REQUIRED"  # noqa: S105
MFA_SETUP = "MFA_SETUP"
SELECT_MFA_TYPE = "SELECT_MFA_TYPE"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The next challenge that the user must answer."""

    name: str
    user: User
    parameters: dict[str, str]
    data: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    user: User
    grant: Grant
    groups: list[str]
    refresh_token: str | None = field(repr=False)


# An error is returned as a step: raising it would roll back the transaction, and with it the count
# of wrong passwords.
Step = Challenge | SignedIn | ServiceError


@dataclass(frozen=True, slots=True)
class Answer:
    """The input of RespondToAuthChallenge, for any challenge."""

    challenge: str
    session: str | None = field(repr=False)
    responses: dict[str, str] = field(repr=False)

    def response(self, key: str) -> str:
        return required(self.responses, key)

    def is_for(self, users: UserRecords, username: str) -> bool:
        """Whether the answer's USERNAME is one of the names of the user *username*."""
        name = self.response("USERNAME")
        if users.pool.fold(name) == users.pool.fold(username):
            return True
        user = users.find(name)
        return user is not None and user.username == username


def required(parameters: Mapping[str, str], key: str) -> str:
    """Return the value at *key*. Raises InvalidParameterException if it is missing or empty."""
    value = parameters.get(key)
    if not value:
        raise invalid_parameter(f"Missing required parameter {key}")
    return value


def complete_sign_in(service: UserPoolService, users: UserRecords, user: User) -> SignedIn:
    grant, refresh_token = service.tokens.grant(users, user)
    groups = GroupRecords(users.view, service.pool).names_for_user(user)
    return SignedIn(user, grant, groups, refresh_token)


def build_reply(service: UserPoolService, step: Step) -> dict[str, Any]:
    """Build the reply of *step*, or raise it if it is an error.

    Call this after the transaction has ended, because signing tokens is slow.
    """
    if isinstance(step, ServiceError):
        raise step
    if isinstance(step, SignedIn):
        result = service.tokens.result(step.user, step.grant, step.groups, step.refresh_token)
        return {"AuthenticationResult": result, "ChallengeParameters": {}}
    user = step.user
    session = Session(step.name, user.username, user.verifier, step.data)
    return {
        "ChallengeName": step.name,
        "Session": service.sessions.issue(session),
        "ChallengeParameters": {"USER_ID_FOR_SRP": user.username, **step.parameters},
    }
