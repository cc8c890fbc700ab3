"""Forgotten passwords: the code that is sent to a verified address, and the new password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito import users as status
from seedctl.local.cognito.account_codes import (
    PASSWORD_RESET,
    recovery_address,
    send_account_code,
    simulated_details,
    take_account_code,
    wrong_code,
)
from seedctl.local.cognito.admin import set_password
from seedctl.local.cognito.limits import count_call
from seedctl.local.cognito.named_user import named_user
from seedctl.local.cognito.passwords import MAX_PASSWORD, Verifier, check_password
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.service import UserPoolService


def forgot_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = named_user(service, call)
    count_call(service, name, call.operation)
    with service.changing_users() as users:
        user = users.find(name)
        if user is not None and user.enabled and user.status == status.FORCE_CHANGE_PASSWORD:
            raise ServiceError(
                "NotAuthorizedException", "User password cannot be reset in the current state."
            )
        attribute = recovery_address(service.pool, user) if user is not None else None
        if user is None or not user.enabled or attribute is None:
            # The client does not tell who exists, nor who has a verified address.
            return {"CodeDeliveryDetails": simulated_details(service, name)}
        details = send_account_code(
            service,
            users,
            user,
            purpose=PASSWORD_RESET,
            attribute=attribute,
            destination=user.attributes[attribute],
        )
        users.save(user)
    return {"CodeDeliveryDetails": details}


def confirm_forgot_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = named_user(service, call)
    code = call.text("ConfirmationCode")
    password = call.text("Password", maximum=MAX_PASSWORD)
    check_password(password, service.pool.password_policy)
    count_call(service, name, call.operation)
    with service.changing_users() as users:
        user = users.find(name)
        if user is None or not user.enabled:
            raise wrong_code()
        take_account_code(user, PASSWORD_RESET, code, service.clock())
        verifier = Verifier.of(password, pool_name=service.pool.name, username=user.username)
        set_password(user, verifier)
        user.modified = service.clock()
        users.save(user)
    return {}
