"""What users do with their own tokens, and what anybody may ask about the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito import attributes
from seedctl.local.cognito.admin import change_attributes, set_password, sign_out_everywhere
from seedctl.local.cognito.passwords import MAX_PASSWORD, Verifier, check_password
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.service import UserPoolService

MAX_TOKEN = 131072


def get_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = claims_of(service, call)
    with service.reading_users() as users:
        user = service.tokens.of_claims(users, claims)
    return {
        "Username": user.username,
        "UserAttributes": user.attribute_list(),
        **user.mfa_settings(),
    }


def update_user_attributes(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = claims_of(service, call)
    if not call.items("UserAttributes"):
        call.missing("UserAttributes")
    given = attributes.read_attributes(call)
    for name in ("email_verified", "phone_number_verified"):
        if name in given:
            raise ServiceError(
                "NotAuthorizedException", f"A user may not set {name}: that is for administrators."
            )
    with service.changing_users() as users:
        user = service.tokens.of_claims(users, claims)
        change_attributes(user, given)
        user.modified = service.clock()
        users.save(user)
    return {"CodeDeliveryDetailsList": []}


def change_password(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = claims_of(service, call)
    previous = call.optional_text("PreviousPassword", maximum=MAX_PASSWORD)
    proposed = call.text("ProposedPassword", maximum=MAX_PASSWORD)
    check_password(proposed, service.pool.password_policy)
    with service.changing_users() as users:
        user = service.tokens.of_claims(users, claims)
        names = {"pool_name": service.pool.name, "username": user.username}
        fits = user.verifier is not None and user.verifier.fits(previous or "", **names)
        if not fits:
            raise ServiceError("NotAuthorizedException", "Incorrect username or password.")
        set_password(user, Verifier.of(proposed, **names))
        user.modified = service.clock()
        users.save(user)
    return {}


def global_sign_out(service: UserPoolService, call: Call) -> dict[str, Any]:
    claims = claims_of(service, call)
    with service.changing_users() as users:
        user = service.tokens.of_claims(users, claims)
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


def claims_of(service: UserPoolService, call: Call) -> dict[str, Any]:
    """Return the claims of the call's access token. Raises NotAuthorizedException."""
    return service.tokens.access_claims(call.text("AccessToken", maximum=MAX_TOKEN))
