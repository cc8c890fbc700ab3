"""Users who sign up themselves, and the code that confirms them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito import users as status
from seedctl.local.cognito.account_codes import (
    SIGN_UP,
    expired_code,
    send_account_code,
    sign_up_address,
    simulated_details,
    take_account_code,
)
from seedctl.local.cognito.admin import new_user
from seedctl.local.cognito.attributes import (
    check_required,
    check_writable,
    read_attributes,
    read_pairs,
)
from seedctl.local.cognito.limits import count_call
from seedctl.local.cognito.named_user import named_user
from seedctl.local.cognito.passwords import MAX_PASSWORD, Verifier, check_password
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.users import User, UserRecords


def sign_up(service: UserPoolService, call: Call) -> dict[str, Any]:
    pool = service.pool
    name = named_user(service, call)
    password = call.text("Password", maximum=MAX_PASSWORD)
    given = read_attributes(call)
    read_pairs(call, "ValidationData")
    check_writable(given)
    check_password(password, pool.password_policy, refusal="Password did not conform with policy")
    user = new_user(service, name, given)
    user.status = status.UNCONFIRMED
    check_required(pool.required_attributes, user.attributes)
    user.verifier = Verifier.of(password, pool_name=pool.name, username=user.username)
    details = {}
    with service.changing_users() as users:
        _check_new(users, user, name)
        users.insert(user)
        if sign_up_address(pool, user) is not None:
            details = _send(service, users, user)
    return {"UserConfirmed": False, "UserSub": user.sub, **details}


def confirm_sign_up(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = named_user(service, call)
    code = call.text("ConfirmationCode")
    call.flag("ForceAliasCreation")
    count_call(service, name, call.operation)
    with service.changing_users() as users:
        user = users.find(name)
        if user is None:
            raise expired_code()  # as for a user who has been sent none [?]
        if user.status != status.UNCONFIRMED:
            raise ServiceError(
                "NotAuthorizedException",
                f"User cannot be confirmed. Current status is {user.status}",
            )
        sent = take_account_code(user, SIGN_UP, code, service.clock())
        user.status = status.CONFIRMED
        user.attributes[f"{sent.attribute}_verified"] = "true"
        user.modified = service.clock()
        users.save(user)
    return {}


def resend_confirmation_code(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = named_user(service, call)
    count_call(service, name, call.operation)
    with service.changing_users() as users:
        user = users.find(name)
        if user is None or not user.enabled:
            return {"CodeDeliveryDetails": simulated_details(service, name)}
        if user.status != status.UNCONFIRMED:
            call.fail("User is already confirmed.")
        if sign_up_address(service.pool, user) is None:
            call.fail("Auto verification not turned on.")
        return _send(service, users, user)


def _send(service: UserPoolService, users: UserRecords, user: User) -> dict[str, Any]:
    attribute = sign_up_address(service.pool, user)
    assert attribute is not None
    details = send_account_code(
        service,
        users,
        user,
        purpose=SIGN_UP,
        attribute=attribute,
        destination=user.attributes[attribute],
    )
    users.save(user)
    return {"CodeDeliveryDetails": details}


def _check_new(users: UserRecords, user: User, name: str) -> None:
    taken = users.taken(user)
    # The address somebody signs up under is the name that is taken.
    if taken is not None and (taken == "username" or user.attributes[taken] == name):
        raise ServiceError("UsernameExistsException", "User already exists")
