"""Sign-in: the tables of flows and of challenge handlers, and the calls that use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seedctl.local.cognito import challenge_flow, challenge_handlers
from seedctl.local.cognito.groups import GroupRecords
from seedctl.local.cognito.mfa import EMAIL, SMS, TOTP
from seedctl.local.cognito.service import MAX_TOKEN, UserPoolService, refuse_secret_hash
from seedctl.local.cognito.srp_sign_in import answer_password_verifier, start_srp
from seedctl.local.protocol import Call


def refresh(service: UserPoolService, parameters: dict[str, str]) -> dict[str, Any]:
    return _refreshed(service, challenge_flow.required(parameters, "REFRESH_TOKEN"))


def get_tokens_from_refresh_token(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_client(call)
    reply = _refreshed(service, call.text("RefreshToken", maximum=MAX_TOKEN))
    return {"AuthenticationResult": reply["AuthenticationResult"]}


FLOWS: dict[str, Callable[[UserPoolService, dict[str, str]], dict[str, Any]]] = {
    "REFRESH_TOKEN": refresh,
    "REFRESH_TOKEN_AUTH": refresh,
    "USER_SRP_AUTH": start_srp,
}
_ADMIN_FLOWS = ("ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH")
_DISABLED_FLOWS = ("USER_AUTH", "USER_PASSWORD_AUTH")

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
        user, grant = service.tokens.user_of_refresh_token(users, token)
        groups = GroupRecords(users.view, service.pool).names_for_user(user)
    # No new refresh token: the client does not use refresh token rotation.
    step = challenge_flow.SignedIn(user, grant, groups, refresh_token=None)
    return challenge_flow.build_reply(service, step)
