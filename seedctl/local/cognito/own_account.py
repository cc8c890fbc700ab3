"""The calls of signed-in users about their own account, authorised by an access token."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seedctl.local.cognito import attributes
from seedctl.local.cognito.admin import (
    attributes_to_delete,
    change_attributes,
    delete_attributes,
    set_password,
    sign_out_everywhere,
)
from seedctl.local.cognito.codes import send_account_code, use_account_code, verification_purpose
from seedctl.local.cognito.errors import wrong_password
from seedctl.local.cognito.passwords import MAX_PASSWORD, Verifier, check_password
from seedctl.local.cognito.service import MAX_TOKEN, UserPoolService
from seedctl.local.protocol import Call, ServiceError


def get_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = service.claims_of(call)
    with service.reading_users() as users:
        user = service.tokens.user_of_claims(users, claims)
    return {
        "Username": user.username,
        "UserAttributes": user.attribute_list(),
        **user.mfa_settings(),
    }


def update_user_attributes(service: UserPoolService, call: Call) -> dict[str, Any]:
    """Change attributes. A new address may take effect only when its code is confirmed."""
    claims = service.claims_of(call)
    if not call.items("UserAttributes"):
        call.missing("UserAttributes")
    pool = service.pool
    given = attributes.read_attributes(call, pool, is_new_user=False)
    attributes.check_writable(given)
    call.text_map("ClientMetadata")
    to_verify = {name: given.pop(name) for name in pool.verify_before_update if name in given}
    with service.changing_caller(claims) as (users, user):
        users.check_no_conflict(replace(user, attributes={**user.attributes, **to_verify}))
        details = []
        for name, value in to_verify.items():
            purpose = verification_purpose(name)
            if value != user.attributes.get(name):
                details.append(send_account_code(users, user, purpose, name, value))
            else:
                user.account_codes.pop(purpose, None)
        changed = [
            name
            for name in pool.auto_verified
            if name in given and given[name] != user.attributes.get(name)
        ]
        change_attributes(user, given)
        details += [
            send_account_code(users, user, verification_purpose(name), name) for name in changed
        ]
    return {"CodeDeliveryDetailsList": details}


def get_user_attribute_verification_code(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = _address_attribute(call)
    call.text_map("ClientMetadata")
    claims = service.claims_of(call)
    service.count_call(call, claims["username"])
    with service.changing_users() as users:
        user = service.tokens.user_of_claims(users, claims)
        purpose = verification_purpose(name)
        pending = user.account_codes.get(purpose)
        destination = pending.destination if pending is not None else user.attributes.get(name)
        if not destination:
            call.fail(f"The user has no {name} to verify.")  # Cognito's message is not known [?]
        details = send_account_code(users, user, purpose, name, destination)
        users.save(user)
    return {"CodeDeliveryDetails": details}


def verify_user_attribute(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = _address_attribute(call)
    code = call.text("Code")
    claims = service.claims_of(call)
    service.count_call(call, claims["username"])
    with service.changing_caller(claims) as (users, user):
        sent = use_account_code(users, user, verification_purpose(name), code)
        change_attributes(user, {name: sent.destination, f"{name}_verified": "true"})
    return {}


def delete_user_attributes(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = service.claims_of(call)
    names = attributes_to_delete(service, call)
    attributes.check_writable(names)
    with service.changing_caller(claims) as (_, user):
        delete_attributes(user, names)
    return {}


def delete_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = service.claims_of(call)
    with service.changing_users() as users:
        users.delete(service.tokens.user_of_claims(users, claims))
    return {}


def change_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = service.claims_of(call)
    previous = call.optional_text("PreviousPassword", maximum=MAX_PASSWORD)
    proposed = call.text("ProposedPassword", maximum=MAX_PASSWORD)
    check_password(proposed, service.pool.password_policy)
    service.count_call(call, claims["username"])
    with service.changing_caller(claims) as (_, user):
        names = {"pool_name": service.pool.name, "username": user.username}
        if user.verifier is None or not user.verifier.matches(previous or "", **names):
            raise wrong_password()
        set_password(user, Verifier.of(proposed, **names))
    return {}


def global_sign_out(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = service.claims_of(call)
    with service.changing_users() as users:
        user = service.tokens.user_of_claims(users, claims)
        sign_out_everywhere(user)
        users.save(user)
    return {}


def revoke_token(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    token = call.text("Token", maximum=MAX_TOKEN)
    if service.tokens.is_jwt(token):
        raise ServiceError("UnsupportedTokenTypeException", "Unsupported token type")
    with service.changing_users() as users:
        service.tokens.revoke(users, token)
    return {}


def _address_attribute(call: Call) -> str:
    name = call.text("AttributeName", maximum=32)
    if name not in attributes.ADDRESSES:
        # Cognito's message is not known [?].
        call.fail("Only email and phone_number can be verified.")
    return name
