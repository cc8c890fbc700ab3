"""What administrators do to users: create, describe, change, disable, delete."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from seedctl.local.cognito import attributes, users
from seedctl.local.cognito.account_codes import (
    PASSWORD_RESET,
    SIGN_UP,
    drop_codes_to,
    recovery_address,
    send_account_code,
)
from seedctl.local.cognito.passwords import (
    MAX_PASSWORD,
    Verifier,
    check_password,
    made_up_password,
)
from seedctl.local.cognito.users import User
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.service import UserPoolService

TEMPORARY_SECONDS = 7 * 24 * 3600


def admin_create_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = username(call)
    action = call.optional_text("MessageAction", choices=("RESEND", "SUPPRESS"))
    call.texts("DesiredDeliveryMediums", choices=("SMS", "EMAIL"))
    call.text_map("ClientMetadata")
    call.flag("ForceAliasCreation")
    given = attributes.read_attributes(call)
    attributes.read_pairs(call, "ValidationData")
    password = _temporary_password(call, service.pool)
    if action == "RESEND":
        return _resend(service, name, password)
    user = new_user(service, name, given)
    _set_temporary_password(service, user, password)
    with service.changing_users() as records:
        records.insert(user)
    # Nothing is sent with or without SUPPRESS: there is nobody to send it to.
    return {"User": user.described()}


def new_user(service: UserPoolService, name: str, given: dict[str, str]) -> User:
    """Return a user, not stored and without a password, who is called *name* when signing in."""
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
    service.check_pool(call)
    name = username(call)
    with service.reading_users() as records:
        user = records.require(name)
    return {**user.described(attributes_key="UserAttributes"), **user.mfa_settings()}


def admin_delete_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = username(call)
    with service.changing_users() as records:
        records.delete(records.require(name))
    return {}


def admin_set_user_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = username(call)
    password = call.text("Password", maximum=MAX_PASSWORD)
    permanent = call.flag("Permanent")
    check_password(password, service.pool.password_policy)
    with service.reading_users() as records:
        internal = records.require(name).username
    verifier = Verifier.of(password, pool_name=service.pool.name, username=internal)
    with service.changing_users() as records:
        user = records.require(name)
        set_password(user, verifier)
        if not permanent:
            user.status = users.FORCE_CHANGE_PASSWORD
            user.temporary_until = service.clock() + TEMPORARY_SECONDS
        user.modified = service.clock()
        records.save(user)
    return {}


def set_password(user: User, verifier: Verifier) -> None:
    """Make *verifier* the user's permanent password; wrong ones before it are forgotten."""
    user.verifier = verifier
    user.status = users.CONFIRMED
    user.temporary_until = None
    user.failures = 0


def admin_update_user_attributes(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = username(call)
    if not call.items("UserAttributes"):
        call.missing("UserAttributes")
    given = attributes.read_attributes(call)
    with service.changing_users() as records:
        user = records.require(name)
        change_attributes(user, given)
        user.modified = service.clock()
        records.save(user)
    return {}


def change_attributes(user: User, given: dict[str, str]) -> None:
    for name in attributes.ADDRESSES:
        if name in given and given[name] != user.attributes.get(name):
            drop_codes_to(user, name)
            # A new address is unproven, unless the same call vouches for it [?].
            user.attributes.pop(f"{name}_verified", None)
            given = {**given, f"{name}_verified": given.get(f"{name}_verified", "false")}
    user.attributes.update(given)


def admin_delete_user_attributes(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = username(call)
    names = attributes_to_delete(service, call)
    with service.changing_users() as records:
        user = records.require(name)
        delete_attributes(user, names)
        user.modified = service.clock()
        records.save(user)
    return {}


def attributes_to_delete(service: UserPoolService, call: Call) -> list[str]:
    """Return the attributes that *call* names. Raises InvalidParameterException."""
    names = call.texts("UserAttributeNames")
    if not names:
        call.missing("UserAttributeNames")
    protected = {"sub", *service.pool.required_attributes, *service.pool.username_attributes}
    for name in names:
        attributes.check_known(name)
        if name in protected:
            call.fail(f"The attribute {name} is required and cannot be deleted.")
    return names


def delete_attributes(user: User, names: Sequence[str]) -> None:
    for name in names:
        user.attributes.pop(name, None)
        if name in attributes.ADDRESSES:
            # Nothing is left that could be verified [?].
            user.attributes.pop(f"{name}_verified", None)
            drop_codes_to(user, name)


def admin_disable_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    return _change(service, call, _disable)


def admin_enable_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    return _change(service, call, _enable)


def admin_reset_user_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = username(call)
    call.text_map("ClientMetadata")
    with service.changing_users() as records:
        user = records.require(name)
        if user.status not in (users.CONFIRMED, users.RESET_REQUIRED):
            raise ServiceError(
                "NotAuthorizedException", "User password cannot be reset in the current state."
            )
        attribute = recovery_address(service.pool, user)
        if attribute is None:
            call.fail(
                "Cannot reset password for the user as there is no registered/verified email or "
                "phone_number"
            )
        user.status = users.RESET_REQUIRED
        send_account_code(
            service,
            records,
            user,
            purpose=PASSWORD_RESET,
            attribute=attribute,
            destination=user.attributes[attribute],
        )
        user.modified = service.clock()
        records.save(user)
    return {}


def admin_confirm_sign_up(service: UserPoolService, call: Call) -> dict[str, Any]:
    return _change(service, call, _confirm)


def admin_user_global_sign_out(service: UserPoolService, call: Call) -> dict[str, Any]:
    return _change(service, call, sign_out_everywhere)


def sign_out_everywhere(user: User) -> None:
    user.token_epoch += 1


def username(call: Call) -> str:
    name = call.text("Username", maximum=128)
    if not attributes.is_username(name):
        call.fail("Username may hold no blanks and no control characters.")
    return name


def _change(service: UserPoolService, call: Call, change: Callable[[User], None]) -> dict[str, Any]:
    service.check_pool(call)
    name = username(call)
    with service.changing_users() as records:
        user = records.require(name)
        change(user)
        user.modified = service.clock()
        records.save(user)
    return {}


def _disable(user: User) -> None:
    user.enabled = False
    sign_out_everywhere(user)


def _enable(user: User) -> None:
    user.enabled = True


def _confirm(user: User) -> None:
    if user.status != users.UNCONFIRMED:
        raise ServiceError(
            "NotAuthorizedException",
            f"User cannot be confirmed. Current status is {user.status}",
        )
    user.status = users.CONFIRMED
    user.account_codes.pop(SIGN_UP, None)


def _resend(service: UserPoolService, name: str, password: str) -> dict[str, Any]:
    with service.changing_users() as records:
        user = records.require(name)
        if user.status != users.FORCE_CHANGE_PASSWORD:
            raise ServiceError(
                "UnsupportedUserStateException",
                f"Resend not possible. {user.status} is not expected user state.",
            )
        _set_temporary_password(service, user, password)
        user.modified = service.clock()
        records.save(user)
    return {"User": user.described()}


def _temporary_password(call: Call, pool: UserPool) -> str:
    password = call.optional_text("TemporaryPassword", minimum=0, maximum=MAX_PASSWORD)
    if not password:
        return made_up_password(pool.password_policy)
    check_password(password, pool.password_policy)
    return password


def _set_temporary_password(service: UserPoolService, user: User, password: str) -> None:
    set_password(user, Verifier.of(password, pool_name=service.pool.name, username=user.username))
    user.status = users.FORCE_CHANGE_PASSWORD
    user.temporary_until = service.clock() + TEMPORARY_SECONDS


def _with_sign_in_attribute(pool: UserPool, name: str, given: dict[str, str]) -> dict[str, str]:
    """Return the attributes with the one that *name* is, where people sign in by attribute."""
    if not pool.username_attributes:
        return given
    attribute = _sign_in_attribute(pool, name)
    if given.get(attribute, name).lower() != name.lower():
        raise ServiceError(
            "InvalidParameterException",
            f"The attribute {attribute} must be the same as the user name.",
        )
    return {attribute: name, **{key: value for key, value in given.items() if key != attribute}}


def _sign_in_attribute(pool: UserPool, name: str) -> str:
    accepted = pool.username_attributes
    if "email" in accepted and attributes.EMAIL.fullmatch(name):
        return "email"
    if "phone_number" in accepted and attributes.PHONE_NUMBER.fullmatch(name):
        return "phone_number"
    expected = "either an email or a phone number"
    if accepted == ("email",):
        expected = "an email"
    elif accepted == ("phone_number",):
        expected = "a phone number"
    raise ServiceError("InvalidParameterException", f"Username should be {expected}.")
