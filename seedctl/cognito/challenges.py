"""The state of one sign-in, and a handler for each challenge that Cognito may send during it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from seedctl import errors, masking
from seedctl.cognito.mfa import code_callback, code_of, missing_totp_challenge
from seedctl.cognito.pool import UserPool
from seedctl.cognito.totp import register_base32
from seedctl.cognito.types import MFAPreference, NewUser, TOTPSetup
from seedctl.masking import mask
from seedctl.prompter import CodeRequest, CodeSource, TerminalCodes
from seedctl.srp import ClientExchange, format_timestamp

# The names of the methods in Cognito's challenges SELECT_MFA_TYPE and MFA_SETUP.
WIRE_METHODS: Mapping[str, MFAPreference] = {
    "SOFTWARE_TOKEN_MFA": "TOTP",
    "SMS_MFA": "SMS",
    "EMAIL_OTP": "EMAIL",
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge, with its session, in which calls about it are made."""

    name: str
    parameters: Mapping[str, Any] = field(repr=False)
    session: str | None = field(repr=False)
    attempt: int = 1
    """Above 1 if Cognito refused an earlier answer to this challenge."""

    def listed_methods(self, key: str) -> list[MFAPreference]:
        """Return the methods listed in the parameter *key*, without those unknown to seedctl."""
        return [WIRE_METHODS[name] for name in self.listed(key) if name in WIRE_METHODS]

    def listed(self, key: str) -> list[str]:
        """Return the list in the parameter *key*, which is JSON; [] for anything else."""
        try:
            names = json.loads(self.parameters.get(key) or "[]")
        except (ValueError, RecursionError):
            return []
        return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


@dataclass
class SignInState:
    """What one sign-in needs, and what it has found out so far."""

    pool: UserPool
    user: NewUser
    """The user as the caller described it: its name, the flow and the callbacks."""
    password: str = field(repr=False)
    """The password to sign in with."""
    new_password: str | None = field(default=None, repr=False)
    """The answer to NEW_PASSWORD_REQUIRED; None if that challenge is an error."""
    attributes: Sequence[Mapping[str, str]] = field(default=(), repr=False)
    """The attributes of the user to create, for those that the user still lacks at the new password."""
    email: str | None = None
    """The address to set up e-mail MFA with."""
    set_preference: bool = False
    """Whether to make the used MFA method the user's preferred one."""
    codes: CodeSource = field(default_factory=TerminalCodes, repr=False)
    """Supplies the codes for which there is no callback."""
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    warn: Callable[[str], None] = field(default=lambda _: None, repr=False)
    before_write: Callable[[], None] = field(default=lambda: None, repr=False)
    """Called before an MFA method of the user is set up or preferred: a sign-in alone is no write."""
    now: Callable[[], datetime] = field(default=lambda: datetime.now(timezone.utc), repr=False)
    internal_name: str = field(default="", init=False)
    """The user pool's own name for the user, which all answers must carry."""
    session: str | None = field(default=None, init=False, repr=False)
    """The session to send the next answer in; setting up TOTP replaces that of the challenge."""
    method: MFAPreference | None = field(default=None, init=False)
    """The MFA method that was used."""
    exchange: ClientExchange = field(init=False, repr=False)
    new_password_sent: bool = field(default=False, init=False)
    started_at: float = field(default=0.0, init=False)
    """When the first request was sent, in seconds since the epoch."""

    def code(self, challenge: Challenge, method: str) -> str:
        """Return the code for *challenge*, from the callback or else from :attr:`codes`."""
        callback = code_callback(self.user, method)
        if callback is not None:
            code = code_of(callback(), "The challenge callback")
        else:
            destination = challenge.parameters.get("CODE_DELIVERY_DESTINATION") or ""
            request = CodeRequest(
                self.user.username, method, str(destination), self.started_at, challenge.attempt
            )
            code = self.codes.code(request)
        masking.register(code)
        return code


def explain_skew(error: errors.CognitoError, now: datetime) -> None:
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


def _verify_password(sign_in: SignInState, challenge: Challenge) -> dict[str, str]:
    parameters = challenge.parameters
    try:
        user_id = parameters["USER_ID_FOR_SRP"]
        secret_block = parameters["SECRET_BLOCK"]
        salt, srp_b = parameters["SALT"], parameters["SRP_B"]
    except KeyError as error:
        raise errors.SRPError(
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
    return {
        "USERNAME": user_id,
        "PASSWORD_CLAIM_SECRET_BLOCK": secret_block,
        "TIMESTAMP": timestamp,
        "PASSWORD_CLAIM_SIGNATURE": signature,
    }


def _set_new_password(sign_in: SignInState, challenge: Challenge) -> dict[str, str]:
    if sign_in.new_password is None:
        raise errors.SignInException(
            f"{mask(sign_in.user.username)} has only a temporary password (challenge "
            "NEW_PASSWORD_REQUIRED), so the sign-in failed. create_and_sign_up_user(username, "
            "final_password, temporary_password=...) sets the final password of such a user.",
            resolution="Call it with the current password as temporary_password= and the new one as "
            "the password.",
        )
    sign_in.new_password_sent = True
    given = {f"userAttributes.{each['Name']}": each["Value"] for each in sign_in.attributes}
    missing = [name for name in challenge.listed("requiredAttributes") if name in given]
    return {"NEW_PASSWORD": sign_in.new_password, **{name: given[name] for name in missing}}


def _select_method(sign_in: SignInState, challenge: Challenge) -> dict[str, str]:
    method = _choose_method(sign_in, challenge.listed_methods("MFAS_CAN_CHOOSE"), "use")
    sign_in.set_preference = True
    wire = next(name for name, known in WIRE_METHODS.items() if known == method)
    return {"ANSWER": wire}


def _set_up_method(sign_in: SignInState, challenge: Challenge) -> dict[str, str]:
    offered = challenge.listed_methods("MFAS_CAN_SETUP")
    # Only an administrator can set the phone number, so SMS cannot be set up during a sign-in.
    possible = [method for method in offered if method != "SMS"]
    wanted = sign_in.user.mfa_preference
    if wanted == "SMS" or (not possible and offered):
        raise errors.MFAPreferenceNotAvailableError(
            f"SMS as MFA cannot be set up for {mask(sign_in.user.username)} while signing in: the "
            "user has no phone number.",
            resolution='Create the user with user_attributes={"phone_number": …}.',
        )
    method = _choose_method(sign_in, possible, "set up")
    sign_in.before_write()
    sign_in.set_preference = True
    if method == "EMAIL":
        if sign_in.email is None:
            raise errors.MFAPreferenceNotAvailableError(
                f"E-mail as MFA cannot be set up for {mask(sign_in.user.username)}, who has no "
                "e-mail address.",
                resolution='Give user_attributes={"email": …}.',
            )
        return {"EMAIL": sign_in.email}
    session = enroll_totp(sign_in, {"Session": challenge.session} if challenge.session else {})
    sign_in.session = session or challenge.session
    sign_in.method = "TOTP"
    return {}


def enroll_totp(sign_in: SignInState, user_key: dict[str, str]) -> str | None:
    """Set up TOTP with the caller's callback, and return the session for the next answer.

    *user_key* identifies the user to Cognito: the Session of a sign-in, or an AccessToken.
    """
    callback = sign_in.user.totp_sign_up_challenge
    if callback is None:
        raise missing_totp_challenge(sign_in.user.username)
    associated = sign_in.pool.associate_software_token(user_key)
    secret = associated["SecretCode"]
    register_base32(secret)
    code = code_of(callback(TOTPSetup(secret, sign_in.internal_name)), "totp_sign_up_challenge")
    masking.register(code)
    if "Session" in user_key:
        user_key = {"Session": associated["Session"]} if associated.get("Session") else {}
    try:
        verified = sign_in.pool.verify_software_token(code, user_key)
    except errors.CognitoError as error:
        explain_skew(error, sign_in.now())
        raise
    if verified["Status"] != "SUCCESS":
        raise errors.CognitoError(
            f"Cognito did not set up TOTP for {mask(sign_in.user.username)}: the status is "
            f"{verified['Status']}.",
            code="EnableSoftwareTokenMFAException",
            resolution="Check the code's secret and this machine's clock.",
        )
    session: str | None = verified.get("Session")
    return session


def _choose_method(
    sign_in: SignInState, offered: Sequence[MFAPreference], action: Literal["use", "set up"]
) -> MFAPreference:
    wanted = sign_in.user.mfa_preference
    if wanted is not None:
        if wanted not in offered:
            raise errors.MFAPreferenceNotAvailableError(
                f"Cognito does not let {mask(sign_in.user.username)} {action} {wanted} as MFA. It offers "
                f"{', '.join(offered) or 'nothing'}.",
                resolution="Choose a method it offers, or give the user the attribute that the "
                "method needs.",
            )
        return wanted
    if not offered:
        raise errors.SignInException(
            f"Cognito requires MFA for {mask(sign_in.user.username)} but offers no method to {action}.",
            resolution="Check multifactor in amplify/auth/resource.ts.",
        )
    if len(offered) > 1:
        raise errors.NoMFAPreferenceSpecifiedError(
            f"{mask(sign_in.user.username)} could {action} {' or '.join(offered)}, and none was chosen.",
            resolution='Give mfa_preference="TOTP", "SMS" or "EMAIL".',
        )
    return offered[0]


def _send_code(sign_in: SignInState, challenge: Challenge) -> dict[str, str]:
    method, key = CODE_CHALLENGES[challenge.name]
    sign_in.method = method
    return {key: sign_in.code(challenge, method)}


def _answer_custom(sign_in: SignInState, challenge: Challenge) -> dict[str, str]:
    return {"ANSWER": sign_in.code(challenge, "CUSTOM")}


PASSWORD_CHALLENGES = ("PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED")
"""The challenges that the password flow answers. Any other means that the user has MFA."""

# challenge -> the MFA method, and the key of its code in the answer
CODE_CHALLENGES: Mapping[str, tuple[MFAPreference, str]] = {
    "EMAIL_OTP": ("EMAIL", "EMAIL_OTP_CODE"),
    "SMS_MFA": ("SMS", "SMS_MFA_CODE"),
    "SMS_OTP": ("SMS", "SMS_OTP_CODE"),
    "SOFTWARE_TOKEN_MFA": ("TOTP", "SOFTWARE_TOKEN_MFA_CODE"),
}

# challenge -> the function that returns the answer, without the user name if it is the internal one
CHALLENGES: Mapping[str, Callable[[SignInState, Challenge], dict[str, str]]] = {
    "PASSWORD_VERIFIER": _verify_password,
    "NEW_PASSWORD_REQUIRED": _set_new_password,
    "SELECT_MFA_TYPE": _select_method,
    "MFA_SETUP": _set_up_method,
    "CUSTOM_CHALLENGE": _answer_custom,
    **dict.fromkeys(CODE_CHALLENGES, _send_code),
}
