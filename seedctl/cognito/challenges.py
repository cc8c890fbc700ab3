"""The challenges that Cognito may send during a sign-in, and a handler for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from seedctl import masking
from seedctl.cognito.mfa import code_of
from seedctl.cognito.sign_in_state import WIRE_METHODS
from seedctl.cognito.totp import register_base32
from seedctl.cognito.types import TOTPSetup
from seedctl.errors import (
    CognitoError,
    MFAPreferenceNotAvailableError,
    MissingTOTPChallengeError,
    NoMFAPreferenceSpecifiedError,
    SignInException,
    SRPError,
)
from seedctl.masking import mask
from seedctl.srp import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from seedctl.cognito.sign_in_state import Challenge, SignInState
    from seedctl.cognito.types import MFAPreference


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a challenge."""

    answers: dict[str, str] = field(repr=False)
    session: str | None = field(default=None, repr=False)
    """Set if a call in between, such as setting up TOTP, replaced the session of the challenge."""


def explain_skew(error: CognitoError, now: datetime) -> None:
    """Add to *error*'s resolution whether a wrong clock of this machine explains a refused code."""
    if error.code not in {"CodeMismatchException", "EnableSoftwareTokenMFAException"}:
        return
    if error.server_time is not None:
        seconds = (now - error.server_time).total_seconds()
        if abs(seconds) > 30:
            error.resolution = (
                f"This machine's clock is {abs(seconds):.0f} s "
                f"{'ahead of' if seconds > 0 else 'behind'} Cognito's, so its TOTP codes are "
                "wrong: set the clock."
            )
            return
    error.resolution = error.resolution or (
        "The clocks agree, so the code belongs to another secret, or was mistyped."
        if error.server_time is not None
        else "Check the secret and this machine's clock."
    )


def _verify_password(sign_in: SignInState, challenge: Challenge) -> Response:
    parameters = challenge.parameters
    try:
        user_id = parameters["USER_ID_FOR_SRP"]
        secret_block = parameters["SECRET_BLOCK"]
        salt, srp_b = parameters["SALT"], parameters["SRP_B"]
    except KeyError as error:
        raise SRPError(
            f"The password exchange failed: Cognito sent no {error.args[0]}.",
            resolution="Check --endpoint-url and any proxy: another service than Cognito may have "
            "answered.",
        ) from None
    timestamp = format_timestamp(sign_in.now())
    signature = sign_in.exchange.sign(
        pool_name=sign_in.pool.settings.user_pool_name,
        user_id=user_id,
        password=sign_in.password,
        salt=salt,
        srp_b=srp_b,
        secret_block=secret_block,
        timestamp=timestamp,
    )
    return Response(
        {
            "USERNAME": user_id,
            "PASSWORD_CLAIM_SECRET_BLOCK": secret_block,
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SIGNATURE": signature,
        }
    )


def _set_new_password(sign_in: SignInState, _challenge: Challenge) -> Response:
    if sign_in.new_password is None:
        raise SignInException(
            f"{mask(sign_in.username)} has only a temporary password (challenge "
            "NEW_PASSWORD_REQUIRED), so the sign-in failed. create_and_sign_up_user(username, "
            "final_password, temporary_password=...) sets the final password of such a user.",
            resolution="Call it with the current password as temporary_password= and the new one as "
            "the password.",
        )
    sign_in.new_password_sent = True
    return Response({"USERNAME": sign_in.internal_name, "NEW_PASSWORD": sign_in.new_password})


def _select_method(sign_in: SignInState, challenge: Challenge) -> Response:
    method = _choose_method(sign_in, challenge.listed_methods("MFAS_CAN_CHOOSE"), "use")
    sign_in.set_preference = True
    wire = next(name for name, known in WIRE_METHODS.items() if known == method)
    return Response({"USERNAME": sign_in.internal_name, "ANSWER": wire})


def _set_up_method(sign_in: SignInState, challenge: Challenge) -> Response:
    offered = challenge.listed_methods("MFAS_CAN_SETUP")
    # Only an administrator can set the phone number, so SMS cannot be set up during a sign-in.
    possible = [method for method in offered if method != "SMS"]
    wanted = sign_in.callbacks.mfa_preference
    if wanted == "SMS" or (not possible and offered):
        raise MFAPreferenceNotAvailableError(
            f"SMS as MFA cannot be set up for {mask(sign_in.username)} while signing in: the "
            "user has no phone number.",
            resolution='Create the user with user_attributes={"phone_number": …}.',
        )
    method = _choose_method(sign_in, possible, "set up")
    sign_in.set_preference = True
    if method == "EMAIL":
        return Response({"USERNAME": sign_in.internal_name, "EMAIL": _email_address(sign_in)})
    session = enroll_totp(sign_in, {"Session": challenge.session} if challenge.session else {})
    sign_in.method = "TOTP"
    return Response({"USERNAME": sign_in.internal_name}, session)


def enroll_totp(sign_in: SignInState, user_key: dict[str, str]) -> str | None:
    """Set up TOTP with the caller's callback, and return the session for the next answer.

    *user_key* identifies the user to Cognito: the Session of a sign-in, or an AccessToken.
    """
    callback = sign_in.callbacks.totp_sign_up_challenge
    if callback is None:
        raise MissingTOTPChallengeError(
            f"TOTP cannot be set up for {mask(sign_in.username)}: no totp_sign_up_challenge was "
            "given.",
            resolution="Give a function that computes a code from setup.shared_secret, such as "
            "Authenticator().enroll.",
        )
    associated = sign_in.pool.associate_software_token(user_key)
    secret = associated["SecretCode"]
    register_base32(secret)
    code = code_of(callback(TOTPSetup(secret, sign_in.internal_name)), "totp_sign_up_challenge")
    masking.register(code)
    if "Session" in user_key:
        user_key = {"Session": associated["Session"]} if associated.get("Session") else {}
    try:
        verified = sign_in.pool.verify_software_token(code, user_key)
    except CognitoError as error:
        explain_skew(error, sign_in.now())
        raise
    if verified["Status"] != "SUCCESS":
        raise CognitoError(
            f"Cognito did not set up TOTP for {mask(sign_in.username)}: the status is "
            f"{verified['Status']}.",
            code="EnableSoftwareTokenMFAException",
            resolution="Check the code's secret and this machine's clock.",
        )
    session: str | None = verified.get("Session")
    return session


def _email_address(sign_in: SignInState) -> str:
    if sign_in.email is None:
        raise MFAPreferenceNotAvailableError(
            f"E-mail as MFA cannot be set up for {mask(sign_in.username)}, who has no e-mail "
            "address.",
            resolution='Give user_attributes={"email": …}.',
        )
    return sign_in.email


def _choose_method(
    sign_in: SignInState, offered: Sequence[MFAPreference], action: Literal["use", "set up"]
) -> MFAPreference:
    wanted = sign_in.callbacks.mfa_preference
    if wanted is not None:
        if wanted not in offered:
            raise MFAPreferenceNotAvailableError(
                f"Cognito does not let {mask(sign_in.username)} {action} {wanted} as MFA. It offers "
                f"{', '.join(offered) or 'nothing'}.",
                resolution="Choose a method it offers, or give the user the attribute that the "
                "method needs.",
            )
        return wanted
    if not offered:
        raise SignInException(
            f"Cognito requires MFA for {mask(sign_in.username)} but offers no method to {action}.",
            resolution="Check multifactor in amplify/auth/resource.ts.",
        )
    if len(offered) > 1:
        raise NoMFAPreferenceSpecifiedError(
            f"{mask(sign_in.username)} could {action} {' or '.join(offered)}, and none was chosen.",
            resolution='Give mfa_preference="TOTP", "SMS" or "EMAIL".',
        )
    return offered[0]


def _send_code(sign_in: SignInState, challenge: Challenge) -> Response:
    method, key = CODE_CHALLENGES[challenge.name]
    sign_in.method = method
    return Response({"USERNAME": sign_in.internal_name, key: sign_in.code(challenge, method)})


def _answer_custom(sign_in: SignInState, challenge: Challenge) -> Response:
    return Response(
        {"USERNAME": sign_in.internal_name, "ANSWER": sign_in.code(challenge, "CUSTOM")}
    )


PASSWORD_CHALLENGES = ("PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED")
"""The challenges that the password flow answers. Any other means that the user has MFA."""

# challenge -> the MFA method, and the key of its code in the answer
CODE_CHALLENGES: Mapping[str, tuple[MFAPreference, str]] = {
    "EMAIL_OTP": ("EMAIL", "EMAIL_OTP_CODE"),
    "SMS_MFA": ("SMS", "SMS_MFA_CODE"),
    "SMS_OTP": ("SMS", "SMS_OTP_CODE"),
    "SOFTWARE_TOKEN_MFA": ("TOTP", "SOFTWARE_TOKEN_MFA_CODE"),
}

CHALLENGES: Mapping[str, Callable[[SignInState, Challenge], Response]] = {
    "PASSWORD_VERIFIER": _verify_password,
    "NEW_PASSWORD_REQUIRED": _set_new_password,
    "SELECT_MFA_TYPE": _select_method,
    "MFA_SETUP": _set_up_method,
    "CUSTOM_CHALLENGE": _answer_custom,
    **dict.fromkeys(CODE_CHALLENGES, _send_code),
}
