"""What the caller gives for MFA: callbacks, a preference, and the checks on them.

The checks hold what the call and the outputs file say against each other, before a user is created.
What an outputs file of an older version does not say is tried, not refused.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from seedctl.cognito.attributes import copied_attribute
from seedctl.cognito.types import ChallengeResponse, MFAPreference
from seedctl.errors import (
    InvalidParameterException,
    MFANotConfiguredError,
    MFAPreferenceNotAvailableError,
    MFARequiredError,
    MissingTOTPChallengeError,
    NoMFAPreferenceSpecifiedError,
)
from seedctl.masking import mask

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from seedctl.cognito.types import (
        SignInChallenge,
        SignInFlow,
        SignUpChallenge,
        TOTPSignUpChallenge,
    )
    from seedctl.outputs import AuthSection

METHODS: tuple[MFAPreference, ...] = get_args(MFAPreference)

# The user attribute without which a method cannot deliver its codes.
_ATTRIBUTE = {"EMAIL": "email", "SMS": "phone_number"}


@dataclass(frozen=True, slots=True)
class MFACallbacks:
    """Who answers what. Where there is no callback, the code is asked for."""

    mfa_preference: MFAPreference | None = None
    sign_in_challenge: SignInChallenge | None = field(default=None, repr=False)
    email_sign_up_challenge: SignUpChallenge | None = field(default=None, repr=False)
    sms_sign_up_challenge: SignUpChallenge | None = field(default=None, repr=False)
    totp_sign_up_challenge: TOTPSignUpChallenge | None = field(default=None, repr=False)

    def for_code(self, method: str) -> Callable[[], object] | None:
        """Return the callback that has the code of *method*, if the caller gave one."""
        by_method = {"EMAIL": self.email_sign_up_challenge, "SMS": self.sms_sign_up_challenge}
        return by_method.get(method) or self.sign_in_challenge

    def check(self) -> None:
        """Raise InvalidParameterException for callbacks and preferences that cannot be used."""
        if self.mfa_preference is not None and self.mfa_preference not in METHODS:
            raise InvalidParameterException(
                f"mfa_preference is {self.mfa_preference!r}.",
                resolution='Use "TOTP", "SMS" or "EMAIL".',
            )
        for name in (
            "sign_in_challenge",
            "email_sign_up_challenge",
            "sms_sign_up_challenge",
            "totp_sign_up_challenge",
        ):
            callback = getattr(self, name)
            if callback is None:
                continue
            if not callable(callback):
                raise InvalidParameterException(f"{name} is not a function.")
            call = getattr(callback, "__call__", callback)  # noqa: B004 - an object's own
            if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(call):
                raise InvalidParameterException(
                    f"{name} is a coroutine function; seedctl calls it without an event loop.",
                    resolution="Give a plain function, which may use asyncio.run().",
                )


def code_of(answer: object, callback: str) -> str:
    """Return the code in what a *callback* returned.

    Raises InvalidParameterException for anything but a text or a ChallengeResponse, and for empty
    ones.
    """
    code = answer.challenge_response if isinstance(answer, ChallengeResponse) else answer
    if not isinstance(code, str) or not code.strip():
        if inspect.iscoroutine(code):
            code.close()
        what = "nothing" if not code else f"a {type(code).__name__}"
        raise InvalidParameterException(
            f"{callback} returned {what} where a code belongs.",
            resolution='Return the code as text, such as "123456", or a ChallengeResponse.',
        )
    return code.strip()


def check_sign_up(
    flow: SignInFlow,
    callbacks: MFACallbacks,
    auth: AuthSection,
    username: str,
    attributes: Collection[str],
) -> None:
    """Raise for an MFA set-up that cannot end in a signed-in user.

    *attributes* are the names given. Raises MFARequiredError, MFANotConfiguredError,
    MFAPreferenceNotAvailableError, NoMFAPreferenceSpecifiedError, MissingTOTPChallengeError and
    InvalidParameterException.
    """
    callbacks.check()
    mode, offered, wanted = auth.mfa_configuration, auth.mfa_methods, callbacks.mfa_preference
    if flow == "Password":
        check_password_flow(auth)
        return
    is_silent_about_email = wanted == "EMAIL" and not auth.can_list_email_mfa
    if mode == "NONE" and not is_silent_about_email:
        raise MFANotConfiguredError(
            f"The user pool has MFA off, so {mask(username)} cannot sign up with the MFA flow.",
            resolution="Set multifactor in amplify/auth/resource.ts and deploy, or use "
            'sign_in_flow="Password".',
        )
    if wanted and offered is not None and wanted not in offered and not is_silent_about_email:
        raise MFAPreferenceNotAvailableError(
            f"The user pool does not offer {wanted} as MFA. It offers "
            f"{', '.join(offered) or 'nothing'}.",
            resolution="Choose one it offers, or add it under multifactor in "
            "amplify/auth/resource.ts and deploy.",
        )
    if mode == "REQUIRED":
        _check_required(callbacks, auth, username, attributes)


def check_password_flow(auth: AuthSection) -> None:
    """Raise MFARequiredError where a password alone signs nobody in."""
    if auth.mfa_configuration == "REQUIRED":
        raise MFARequiredError(
            "The user pool requires MFA, so nobody can sign in with a password alone.",
            resolution='Use sign_in_flow="MFA".',
        )


def _check_required(
    callbacks: MFACallbacks, auth: AuthSection, username: str, attributes: Collection[str]
) -> None:
    """Foresee which challenge Cognito sends, by auth-and-sandbox facts about usable factors [?]."""
    present = {*attributes, copied_attribute(username, auth)}
    wanted, offered = callbacks.mfa_preference, auth.mfa_methods
    if wanted is None and offered:
        usable = [method for method in offered if _ATTRIBUTE.get(method) in present]
        choices = usable or [method for method in offered if method != "SMS"]
        if len(choices) > 1:
            raise NoMFAPreferenceSpecifiedError(
                f"{mask(username)} could use {' or '.join(choices)}, and none was chosen.",
                resolution='Give mfa_preference="TOTP", "SMS" or "EMAIL".',
            )
        if choices or auth.can_list_email_mfa:
            wanted = choices[0] if choices else "SMS"
    needed = _ATTRIBUTE.get(wanted or "")
    if needed is not None and needed not in present:
        raise InvalidParameterException(
            f"{wanted} as MFA needs the attribute {needed}, which {mask(username)} does not have.",
            resolution=f'Give user_attributes={{"{needed}": …}}.',
        )
    if wanted == "TOTP" and callbacks.totp_sign_up_challenge is None:
        raise MissingTOTPChallengeError(
            f"TOTP cannot be set up for {mask(username)}: no totp_sign_up_challenge was given.",
            resolution="Give a function that makes a code from setup.shared_secret, such as "
            "Authenticator().enroll.",
        )
