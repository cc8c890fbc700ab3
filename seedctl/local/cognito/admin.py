"""The calls of administrators: create, describe, change, disable and delete users."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from seedctl.local.cognito import attributes, users
from seedctl.local.cognito.attributes import read_username
from seedctl.local.cognito.codes import (
    PASSWORD_RESET,
    SIGN_UP,
    delete_codes_for,
    recovery_address,
    send_account_code,
)
from seedctl.local.cognito.errors import invalid_parameter, not_confirmable, not_resettable
from seedctl.local.cognito.passwords import (
    MAX_PASSWORD,
    Verifier,
    check_password,
    random_password,
)
from seedctl.local.cognito.pool import DAY, UserPool
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.users import User
from seedctl.local.protocol import Call, ServiceError


def admin_create_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call)
    action = call.optional_text("MessageAction", choices=("RESEND", "SUPPRESS"))
    call.texts("DesiredDeliveryMediums", choices=("SMS", "EMAIL"))
    call.text_map("ClientMetadata")
    call.flag("ForceAliasCreation")
    given = attributes.read_attributes(call, service.pool, is_new_user=True)
    attributes.read_pairs(call, "ValidationData")
    policy = service.pool.password_policy
    password = call.optional_text("TemporaryPassword", minimum=0, maximum=MAX_PASSWORD)
    if password:
        check_password(password, policy)
    else:
        password = random_password(policy)
    if action == "RESEND":
        with service.changing_user(name) as (_, user):
            if user.status != users.FORCE_CHANGE_PASSWORD:
                text = f"Resend not possible. {user.status} is not expected user state."
                raise ServiceError("UnsupportedUserStateException", text)
            _set_temporary_password(service, user, password)
    else:
        user = new_user(service, name, given)
        _set_temporary_password(service, user, password)
        with service.changing_users() as records:
            records.insert(user)
    # No invitation is sent, with or without SUPPRESS.
    return {"User": user.described()}


def new_user(service: UserPoolService, name: str, given: dict[str, str]) -> User:
    """Return a new user with the sign-in name *name*, without a password and not stored yet."""
    now = service.clock()
    sub = str(uuid.uuid4())
    return User(
        username=sub if service.pool.username_attributes else name,
        sub=sub,
        attributes=_with_sign_in_attribute(service.pool, name, given),
        created=now,
        modified=now,
    )


def admin_get_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call)
    with service.reading_users() as records:
        user = records.require(name)
    return {**user.described(attributes_key="UserAttributes"), **user.mfa_settings()}


def admin_delete_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call)
    with service.changing_users() as records:
        records.delete(records.require(name))
    return {}


def admin_set_user_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call)
    password = call.text("Password", maximum=MAX_PASSWORD)
    permanent = call.flag("Permanent")
    check_password(password, service.pool.password_policy)
    with service.reading_users() as records:
        internal = records.require(name).username
    verifier = Verifier.of(password, pool_name=service.pool.name, username=internal)
    with service.changing_user(name) as (_, user):
        set_password(user, verifier)
        if not permanent:
            _make_temporary(service, user)
    return {}


def set_password(user: User, verifier: Verifier) -> None:
    """Make *verifier* the user's permanent password, and reset the count of wrong passwords."""
    user.verifier = verifier
    user.status = users.CONFIRMED
    user.temporary_until = None
    user.failures = 0


def admin_update_user_attributes(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call)
    if not call.items("UserAttributes"):
        call.missing("UserAttributes")
    given = attributes.read_attributes(call, service.pool, is_new_user=False)
    with service.changing_user(name) as (_, user):
        change_attributes(user, given)
    return {}


def change_attributes(user: User, given: dict[str, str]) -> None:
    for name in attributes.ADDRESSES:
        if name in given and given[name] != user.attributes.get(name):
            delete_codes_for(user, name)
            # A new address is unverified, unless the same call sets the flag [?].
            user.attributes.pop(f"{name}_verified", None)
            given = {**given, f"{name}_verified": given.get(f"{name}_verified", "false")}
    user.attributes.update(given)


def admin_delete_user_attributes(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call)
    names = attributes_to_delete(service, call)
    with service.changing_user(name) as (_, user):
        delete_attributes(user, names)
    return {}


def attributes_to_delete(service: UserPoolService, call: Call) -> list[str]:
    """Return the attribute names in *call*. Raises InvalidParameterException."""
    names = call.texts("UserAttributeNames")
    if not names:
        call.missing("UserAttributeNames")
    protected = {"sub", *service.pool.required_attributes, *service.pool.username_attributes}
    for name in names:
        attributes.check_known(service.pool, name)
        if name in protected:
            call.fail(f"The attribute {name} is required and cannot be deleted.")
    attributes.check_mutable(service.pool, names)
    return names


def delete_attributes(user: User, names: Sequence[str]) -> None:
    for name in names:
        user.attributes.pop(name, None)
        if name in attributes.ADDRESSES:
            # Without the address, its flag goes too [?].
            user.attributes.pop(f"{name}_verified", None)
            delete_codes_for(user, name)


def admin_reset_user_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call)
    call.text_map("ClientMetadata")
    with service.changing_user(name) as (records, user):
        if user.status not in (users.CONFIRMED, users.RESET_REQUIRED):
            raise not_resettable()
        attribute = recovery_address(service.pool, user)
        if attribute is None:
            call.fail(
                "Cannot reset password for the user as there is no registered/verified email or "
                "phone_number"
            )
        user.status = users.RESET_REQUIRED
        send_account_code(records, user, PASSWORD_RESET, attribute)
    return {}


def change_named_user(
    change: Callable[[User], None], service: UserPoolService, call: Call
) -> dict[str, Any]:
    """Apply *change*, one of the functions below, to the user that *call* names."""
    name = read_username(call)
    with service.changing_user(name) as (_, user):
        change(user)
    return {}


def disable(user: User) -> None:
    user.enabled = False
    sign_out_everywhere(user)


def enable(user: User) -> None:
    user.enabled = True


def confirm(user: User) -> None:
    if user.status != users.UNCONFIRMED:
        raise not_confirmable(user.status)
    user.status = users.CONFIRMED
    user.account_codes.pop(SIGN_UP, None)


def sign_out_everywhere(user: User) -> None:
    user.token_epoch += 1


def _set_temporary_password(service: UserPoolService, user: User, password: str) -> None:
    set_password(user, Verifier.of(password, pool_name=service.pool.name, username=user.username))
    _make_temporary(service, user)


def _make_temporary(service: UserPoolService, user: User) -> None:
    user.status = users.FORCE_CHANGE_PASSWORD
    user.temporary_until = service.clock() + service.pool.temporary_password_days * DAY


def _with_sign_in_attribute(pool: UserPool, name: str, given: dict[str, str]) -> dict[str, str]:
    """Return *given* plus the attribute that *name* is the value of, if the pool signs in by one."""
    if not pool.username_attributes:
        return given
    attribute = _sign_in_attribute(pool, name)
    if pool.fold(given.get(attribute, name)) != pool.fold(name):
        raise invalid_parameter(f"The attribute {attribute} must be the same as the user name.")
    return {attribute: name, **{key: value for key, value in given.items() if key != attribute}}


def _sign_in_attribute(pool: UserPool, name: str) -> str:
    accepted = pool.username_attributes
    if "email" in accepted and attributes.EMAIL.fullmatch(name):
        return "email"
    if "phone_number" in accepted and attributes.PHONE_NUMBER.fullmatch(name):
        return "phone_number"
    kinds = {"email": "an email", "phone_number": "a phone number"}
    expected = kinds[accepted[0]] if len(accepted) == 1 else "either an email or a phone number"
    raise invalid_parameter(f"Username should be {expected}.")
