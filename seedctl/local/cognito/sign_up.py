"""The calls of users without a token: sign-up and forgotten passwords."""

from __future__ import annotations

from typing import Any

from seedctl.local.cognito import attributes, codes, errors
from seedctl.local.cognito import users as status
from seedctl.local.cognito.admin import new_user, set_password
from seedctl.local.cognito.passwords import MAX_PASSWORD, Verifier, check_password
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.users import User, UserRecords
from seedctl.local.protocol import Call, ServiceError


def sign_up(service: UserPoolService, call: Call) -> dict[str, Any]:
    pool = service.pool
    name = service.named_user(call)
    if not pool.allows_sign_up:
        raise errors.not_authorized("SignUp is not permitted for this user pool")
    password = call.text("Password", maximum=MAX_PASSWORD)
    given = attributes.read_attributes(call, pool, is_new_user=True)
    attributes.read_pairs(call, "ValidationData")
    attributes.check_writable(given)
    check_password(password, pool.password_policy, refusal="Password did not conform with policy")
    user = new_user(service, name, given)
    user.status = status.UNCONFIRMED
    attributes.check_required(pool.required_attributes, user.attributes)
    user.verifier = Verifier.of(password, pool_name=pool.name, username=user.username)
    address = codes.sign_up_address(pool, user)
    details = {}
    with service.changing_users() as users:
        conflict = users.find_conflict(user)
        # The address used as the sign-in name counts as the user name.
        if conflict is not None and (conflict == "username" or user.attributes[conflict] == name):
            raise ServiceError("UsernameExistsException", "User already exists")
        users.insert(user)
        if address is not None:
            details = _send_code(users, user, codes.SIGN_UP, address)
    return {"UserConfirmed": False, "UserSub": user.sub, **details}


def confirm_sign_up(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = service.named_user(call)
    code = call.text("ConfirmationCode")
    call.flag("ForceAliasCreation")
    service.count_call(call, name)
    with service.changing_users() as users:
        user = users.find(name)
        if user is None:
            raise errors.expired_code()  # the error of a user who was sent no code [?]
        if user.status != status.UNCONFIRMED:
            raise errors.not_confirmable(user.status)
        sent = codes.use_account_code(users, user, codes.SIGN_UP, code)
        user.status = status.CONFIRMED
        user.attributes[f"{sent.attribute}_verified"] = "true"
        users.save_modified(user)
    return {}


def resend_confirmation_code(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = service.named_user(call)
    service.count_call(call, name)
    with service.changing_users() as users:
        user = users.find(name)
        if user is None or not user.enabled:
            return {"CodeDeliveryDetails": codes.fake_delivery_details(service, name)}
        if user.status != status.UNCONFIRMED:
            call.fail("User is already confirmed.")
        address = codes.sign_up_address(service.pool, user)
        if address is None:
            call.fail("Auto verification not turned on.")
        return _send_code(users, user, codes.SIGN_UP, address)


def forgot_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = service.named_user(call)
    service.count_call(call, name)
    with service.changing_users() as users:
        user = users.find(name)
        if user is not None and user.enabled and user.status == status.FORCE_CHANGE_PASSWORD:
            raise errors.not_resettable()
        address = codes.recovery_address(service.pool, user) if user is not None else None
        if user is None or not user.enabled or address is None:
            # The reply must not reveal who exists or has a verified address.
            return {"CodeDeliveryDetails": codes.fake_delivery_details(service, name)}
        return _send_code(users, user, codes.PASSWORD_RESET, address)


def confirm_forgot_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = service.named_user(call)
    code = call.text("ConfirmationCode")
    password = call.text("Password", maximum=MAX_PASSWORD)
    check_password(password, service.pool.password_policy)
    service.count_call(call, name)
    with service.changing_users() as users:
        user = users.find(name)
        if user is None or not user.enabled:
            raise errors.wrong_code()
        codes.use_account_code(users, user, codes.PASSWORD_RESET, code)
        verifier = Verifier.of(password, pool_name=service.pool.name, username=user.username)
        set_password(user, verifier)
        users.save_modified(user)
    return {}


def _send_code(users: UserRecords, user: User, purpose: str, attribute: str) -> dict[str, Any]:
    details = codes.send_account_code(users, user, purpose, attribute)
    users.save(user)
    return {"CodeDeliveryDetails": details}
