"""Sign-in: which flows there are, and who answers which challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.answers import answer_new_password
from seedctl.local.cognito.factors import EMAIL, SMS, TOTP
from seedctl.local.cognito.groups import GroupRecords
from seedctl.local.cognito.mfa_answers import (
    answer_mfa_setup,
    answer_select_mfa_type,
    answer_sent_code,
    answer_software_token,
)
from seedctl.local.cognito.named_user import refuse_secret_hash
from seedctl.local.cognito.srp_sign_in import answer_password_verifier, start_srp
from seedctl.local.cognito.steps import (
    MFA_SETUP,
    NEW_PASSWORD_REQUIRED,
    PASSWORD_VERIFIER,
    SELECT_MFA_TYPE,
    Answer,
    SignedIn,
    reply,
)
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.local.cognito.service import UserPoolService

_KNOWN_CHALLENGES = (
    "ADMIN_NO_SRP_AUTH",
    "CUSTOM_CHALLENGE",
    "DEVICE_PASSWORD_VERIFIER",
    "DEVICE_SRP_AUTH",
    "EMAIL_OTP",
    "MFA_SETUP",
    "NEW_PASSWORD_REQUIRED",
    "PASSWORD",
    "PASSWORD_SRP",
    "PASSWORD_VERIFIER",
    "SELECT_CHALLENGE",
    "SELECT_MFA_TYPE",
    "SMS_MFA",
    "SMS_OTP",
    "SOFTWARE_TOKEN_MFA",
    "WEB_AUTHN",
)


def refresh(service: UserPoolService, parameters: dict[str, str]) -> dict[str, Any]:
    token = parameters.get("REFRESH_TOKEN")
    if not token:
        raise ServiceError("InvalidParameterException", "Missing required parameter REFRESH_TOKEN")
    return _refreshed(service, token)


def get_tokens_from_refresh_token(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    reply_document = _refreshed(service, call.text("RefreshToken", maximum=131072))
    return {"AuthenticationResult": reply_document["AuthenticationResult"]}


FLOWS: dict[str, Callable[[UserPoolService, dict[str, str]], dict[str, Any]]] = {
    "REFRESH_TOKEN": refresh,
    "REFRESH_TOKEN_AUTH": refresh,
    "USER_SRP_AUTH": start_srp,
}
_ADMIN_FLOWS = ("ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH")
_DISABLED_FLOWS = ("USER_AUTH", "USER_PASSWORD_AUTH")

CHALLENGES: dict[str, Callable[[UserPoolService, Answer], dict[str, Any]]] = {
    EMAIL.name: answer_sent_code,
    MFA_SETUP: answer_mfa_setup,
    NEW_PASSWORD_REQUIRED: answer_new_password,
    PASSWORD_VERIFIER: answer_password_verifier,
    SELECT_MFA_TYPE: answer_select_mfa_type,
    SMS.name: answer_sent_code,
    TOTP.name: answer_software_token,
}


def initiate_auth(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    flow = _flow(call)
    if flow in _ADMIN_FLOWS:
        call.fail("Initiate Auth method not supported.")
    return _start(service, call, flow)


def admin_initiate_auth(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    service.check_client(call)
    return _start(service, call, _flow(call))


def respond_to_auth_challenge(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    challenge = call.text("ChallengeName", choices=_KNOWN_CHALLENGES)
    responses = call.text_map("ChallengeResponses")
    refuse_secret_hash(responses)
    call.text_map("ClientMetadata")
    answer = Answer(
        challenge=challenge,
        client_id=service.pool.client_id,
        session=call.optional_text("Session", minimum=20, maximum=2048),
        responses=responses,
    )
    if challenge not in CHALLENGES:
        call.fail(f"The challenge {challenge} is not one that this sandbox gives.")
    return CHALLENGES[challenge](service, answer)


def admin_respond_to_auth_challenge(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    return respond_to_auth_challenge(service, call)


def _flow(call: Call) -> str:
    return call.text("AuthFlow", choices=(*FLOWS, *_ADMIN_FLOWS, *_DISABLED_FLOWS, "CUSTOM_AUTH"))


def _start(service: UserPoolService, call: Call, flow: str) -> dict[str, Any]:
    if flow == "CUSTOM_AUTH":
        call.fail("Custom auth lambda trigger is not configured for the user pool.")
    if flow not in FLOWS:
        call.fail(f"{flow} flow not enabled for this client")
    parameters = call.text_map("AuthParameters")
    call.text_map("ClientMetadata")
    refuse_secret_hash(parameters)
    return FLOWS[flow](service, parameters)


def _refreshed(service: UserPoolService, token: str) -> dict[str, Any]:
    with service.reading_users() as users:
        user, grant = service.tokens.of_refresh_token(users, token)
        groups = GroupRecords(users.view, service.pool).names_of(user)
    # No new refresh token: the client has no rotation.
    return reply(service, SignedIn(user, grant, groups, refresh_token=None))
