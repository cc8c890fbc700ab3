"""Sign-in: the tables of flows and of challenge handlers, and the calls that use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seedctl.local.cognito import challenge_flow, challenge_handlers
from seedctl.local.cognito.groups import GroupRecords
from seedctl.local.cognito.mfa import EMAIL, SMS, TOTP
from seedctl.local.cognito.service import MAX_TOKEN, UserPoolService, refuse_secret_hash
from seedctl.local.cognito.srp_sign_in import answer_password_verifier, start_password, start_srp
from seedctl.local.protocol import Call

_NO_REFRESH = "REFRESH_TOKEN_AUTH flow not enabled for this client"  # [?]


def refresh(service: UserPoolService, parameters: dict[str, str]) -> dict[str, Any]:
    return _refreshed(service, challenge_flow.required(parameters, "REFRESH_TOKEN"))


def get_tokens_from_refresh_token(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    reply = _refreshed(service, call.text("RefreshToken", maximum=MAX_TOKEN))
    return {"AuthenticationResult": reply["AuthenticationResult"]}


FLOWS: dict[str, Callable[[UserPoolService, dict[str, str]], dict[str, Any]]] = {
    "ADMIN_NO_SRP_AUTH": start_password,
    "ADMIN_USER_PASSWORD_AUTH": start_password,
    "REFRESH_TOKEN": refresh,
    "REFRESH_TOKEN_AUTH": refresh,
    "USER_PASSWORD_AUTH": start_password,
    "USER_SRP_AUTH": start_srp,
}
_ADMIN_FLOWS = ("ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH")
# What the app client must allow for a flow, and Cognito's error if it does not: each flow has another.
_PERMISSIONS = {
    "ADMIN_NO_SRP_AUTH": (
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "Auth flow not enabled for this client",
    ),
    "ADMIN_USER_PASSWORD_AUTH": (
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "Auth flow not enabled for this client",
    ),
    "CUSTOM_AUTH": ("ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH is not enabled for the client."),  # [?]
    "REFRESH_TOKEN": ("ALLOW_REFRESH_TOKEN_AUTH", _NO_REFRESH),
    "REFRESH_TOKEN_AUTH": ("ALLOW_REFRESH_TOKEN_AUTH", _NO_REFRESH),
    "USER_AUTH": ("ALLOW_USER_AUTH", "USER_AUTH flow not enabled for this client"),
    "USER_PASSWORD_AUTH": (
        "ALLOW_USER_PASSWORD_AUTH",
        "USER_PASSWORD_AUTH flow not enabled for this client",
    ),
    "USER_SRP_AUTH": ("ALLOW_USER_SRP_AUTH", "USER_SRP_AUTH is not enabled for the client."),
}

CHALLENGES: dict[str, Callable[[UserPoolService, challenge_flow.Answer], dict[str, Any]]] = {
    EMAIL.name: challenge_handlers.answer_sent_code,
    challenge_flow.MFA_SETUP: challenge_handlers.answer_mfa_setup,
    challenge_flow.NEW_PASSWORD_REQUIRED: challenge_handlers.answer_new_password,
    challenge_flow.PASSWORD_VERIFIER: answer_password_verifier,
    challenge_flow.SELECT_MFA_TYPE: challenge_handlers.answer_select_mfa_type,
    SMS.name: challenge_handlers.answer_sent_code,
    TOTP.name: challenge_handlers.answer_software_token,
}
# Valid in Cognito, but the sandbox never issues them.
_OTHER_CHALLENGES = (
    "ADMIN_NO_SRP_AUTH",
    "CUSTOM_CHALLENGE",
    "DEVICE_PASSWORD_VERIFIER",
    "DEVICE_SRP_AUTH",
    "PASSWORD",
    "PASSWORD_SRP",
    "SELECT_CHALLENGE",
    "SMS_OTP",
    "WEB_AUTHN",
)
_KNOWN_CHALLENGES = tuple(sorted((*CHALLENGES, *_OTHER_CHALLENGES)))


def initiate_auth(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    flow = _flow(call)
    if flow in _ADMIN_FLOWS:
        call.fail("Initiate Auth method not supported.")
    return _start(service, call, flow)


def admin_initiate_auth(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    return _start(service, call, _flow(call))


def respond_to_auth_challenge(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    challenge = call.text("ChallengeName", choices=_KNOWN_CHALLENGES)
    responses = call.text_map("ChallengeResponses")
    refuse_secret_hash(responses)
    call.text_map("ClientMetadata")
    session = call.optional_text("Session", minimum=20, maximum=2048)
    if challenge not in CHALLENGES:
        call.fail(f"This sandbox does not issue the challenge {challenge}.")
    return CHALLENGES[challenge](service, challenge_flow.Answer(challenge, session, responses))


def _flow(call: Call) -> str:
    return call.text("AuthFlow", choices=tuple(_PERMISSIONS))


def _start(service: UserPoolService, call: Call, flow: str) -> dict[str, Any]:
    permission, refusal = _PERMISSIONS[flow]
    if permission not in service.pool.auth_flows:
        call.fail(refusal)
    if flow == "CUSTOM_AUTH":
        call.fail("Custom auth lambda trigger is not configured for the user pool.")
    if flow not in FLOWS:
        call.fail(f"This sandbox does not offer the flow {flow}.")
    parameters = call.text_map("AuthParameters")
    call.text_map("ClientMetadata")
    refuse_secret_hash(parameters)
    return FLOWS[flow](service, parameters)


def _refreshed(service: UserPoolService, token: str) -> dict[str, Any]:
    with service.reading_users() as users:
        user, grant = service.tokens.user_of_refresh_token(users, token)
        groups = GroupRecords(users.view, service.pool).names_for_user(user)
    # No new refresh token: the client does not use refresh token rotation.
    step = challenge_flow.SignedIn(user, grant, groups, refresh_token=None)
    return challenge_flow.build_reply(service, step)
