"""Sign-in: which flows there are, and who answers which challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito import answers, steps
from seedctl.local.cognito.groups import GroupRecords
from seedctl.local.cognito.mfa import EMAIL, SMS, TOTP
from seedctl.local.cognito.service import MAX_TOKEN, refuse_secret_hash
from seedctl.local.cognito.srp_sign_in import answer_password_verifier, start_srp

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.protocol import Call


def refresh(service: UserPoolService, parameters: dict[str, str]) -> dict[str, Any]:
    return _refreshed(service, steps.required(parameters, "REFRESH_TOKEN"))


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

CHALLENGES: dict[str, Callable[[UserPoolService, steps.Answer], dict[str, Any]]] = {
    EMAIL.name: answers.answer_sent_code,
    steps.MFA_SETUP: answers.answer_mfa_setup,
    steps.NEW_PASSWORD_REQUIRED: answers.answer_new_password,
    steps.PASSWORD_VERIFIER: answer_password_verifier,
    steps.SELECT_MFA_TYPE: answers.answer_select_mfa_type,
    SMS.name: answers.answer_sent_code,
    TOTP.name: answers.answer_software_token,
}
# Cognito knows these too, and no sign-in here leads to them.
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
        call.fail(f"The challenge {challenge} is not one that this sandbox gives.")
    return CHALLENGES[challenge](service, steps.Answer(challenge, session, responses))


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
    return steps.reply(service, steps.SignedIn(user, grant, groups, refresh_token=None))
