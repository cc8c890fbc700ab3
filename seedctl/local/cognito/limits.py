"""How often Cognito lets one user call what could be used to guess codes or to flood an inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.local.protocol import ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.service import UserPoolService

_HOUR = 3600.0

# As published, for each user and hour. For a forgotten password it is 5 to 20, by risk: the least.
CALLS_PER_HOUR = {
    "ChangePassword": 5,
    "ConfirmForgotPassword": 5,
    "ConfirmSignUp": 15,
    "ForgotPassword": 5,
    "GetUserAttributeVerificationCode": 5,
    "ResendConfirmationCode": 5,
    "VerifyUserAttribute": 15,
}


def count_call(service: UserPoolService, name: str, operation: str) -> None:
    """Count a call of *operation* about the user *name*. Raises LimitExceededException.

    In a transaction of its own, so that a call which is refused afterwards counts too. Names that
    nobody has are not counted [?].
    """
    now = service.clock()
    with service.changing_users() as users:
        user = users.find(name)
        if user is None:
            return
        recent = [moment for moment in user.calls.get(operation, []) if now - moment < _HOUR]
        if len(recent) >= CALLS_PER_HOUR[operation]:
            raise ServiceError(
                "LimitExceededException", "Attempt limit exceeded, please try after some time."
            )
        user.calls[operation] = [*recent, now]
        users.save(user)
