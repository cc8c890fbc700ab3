"""MFA callbacks and preference, and the checks on them before a user is created.

The checks compare the caller's arguments with the outputs file. What an outputs file of an older
version does not state is not checked: Cognito decides.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import fields
from typing import get_args

from seedctl import errors
from seedctl.cognito.attributes import copied_attribute
from seedctl.cognito.types import ChallengeResponse, MFAPreference, NewUser
from seedctl.masking import mask
from seedctl.outputs import AuthSection

METHODS: tuple[MFAPreference, ...] = get_args(MFAPreference)

# The user attribute to which a method delivers its codes.
_DELIVERY_ATTRIBUTES = {"EMAIL": "email", "SMS": "phone_number"}


def code_callback(user: NewUser, method: str) -> Callable[[], object] | None:
    """Return the callback that supplies the code of *method*, if the caller gave one."""
    by_method = {"EMAIL": user.email_sign_up_challenge, "SMS": user.sms_sign_up_challenge}
    return by_method.get(method) or user.sign_in_challenge


def check_callbacks(user: NewUser) -> None:
    """Raise InvalidParameterException for an unusable callback or MFA preference."""
    if user.mfa_preference is not None and user.mfa_preference not in METHODS:
        raise errors.InvalidParameterException(
            f"mfa_preference is {user.mfa_preference!r}.",
            resolution='Use "TOTP", "SMS" or "EMAIL".',
        )
    for name in (each.name for each in fields(NewUser) if each.name.endswith("_challenge")):
        callback = getattr(user, name)
        if callback is None:
            continue
        if not callable(callback):
            raise errors.InvalidParameterException(f"{name} is not a function.")
        call = getattr(callback, "__call__", callback)  # noqa: B004 - of a callable object
        if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(call):
            raise errors.InvalidParameterException(
                f"{name} is a coroutine function; seedctl calls it without an event loop.",
                resolution="Give a plain function, which may use asyncio.run().",
            )


def code_of(answer: object, callback: str) -> str:
    """Return the code in the *answer* that the function named *callback* returned.

    Raises InvalidParameterException unless it is a ``str`` or ChallengeResponse that is not empty.
    """
    code = answer.challenge_response if isinstance(answer, ChallengeResponse) else answer
    if not isinstance(code, str) or not code.strip():
        if inspect.iscoroutine(code):
            code.close()
        what = "nothing" if not code else f"a {type(code).__name__}"
        raise errors.InvalidParameterException(
            f"{callback} returned {what} where a code belongs.",
            resolution='Return the code as text, such as "123456", or a ChallengeResponse.',
        )
    return code.strip()


def check_sign_up(user: NewUser, auth: AuthSection, attributes: Collection[str]) -> None:
    """Raise if the first sign-in of *user* could not succeed with these MFA options.

    *attributes* are the names of the user's attributes. Raises MFARequiredError,
    MFANotConfiguredError, MFAPreferenceNotAvailableError, NoMFAPreferenceSpecifiedError,
    MissingTOTPChallengeError and InvalidParameterException.
    """
    check_callbacks(user)
    if user.sign_in_flow == "Password":
        check_password_flow(auth)
        return
    mode, offered, wanted = auth.mfa_configuration, auth.mfa_methods, user.mfa_preference
    # Older outputs files cannot list EMAIL, even when the pool offers it.
    may_be_unlisted = wanted == "EMAIL" and not auth.can_list_email_mfa
    if mode == "NONE" and not may_be_unlisted:
        raise errors.MFANotConfiguredError(
            f"By the outputs file, the user pool has MFA off: {mask(user.username)} cannot sign up with "
            "the MFA flow.",
            resolution="Set multifactor in amplify/auth/resource.ts and deploy, or use "
            'sign_in_flow="Password".',
        )
    if wanted and offered is not None and wanted not in offered and not may_be_unlisted:
        raise errors.MFAPreferenceNotAvailableError(
            f"The user pool does not offer {wanted} as MFA. It offers "
            f"{', '.join(offered) or 'nothing'}.",
            resolution="Choose one it offers, or add it under multifactor in "
            "amplify/auth/resource.ts and deploy.",
        )
    if mode == "REQUIRED":
        _check_required(user, auth, attributes)


def check_password_flow(auth: AuthSection) -> None:
    """Raise MFARequiredError if the user pool requires MFA."""
    if auth.mfa_configuration == "REQUIRED":
        raise errors.MFARequiredError(
            "The user pool requires MFA, so nobody can sign in with a password alone.",
            resolution='Use sign_in_flow="MFA".',
        )


def _check_required(user: NewUser, auth: AuthSection, attributes: Collection[str]) -> None:
    """Check the method that Cognito will ask for, which follows from the user's attributes.

    Cognito uses a method whose delivery attribute the user has; without one it asks to set one up.
    """
    username = user.username
    present = {*attributes, copied_attribute(username, auth)}
    wanted, offered = user.mfa_preference, auth.mfa_methods
    if wanted is None and offered:
        usable = [method for method in offered if _DELIVERY_ATTRIBUTES.get(method) in present]
        choices = usable or [method for method in offered if method != "SMS"]
        if len(choices) > 1:
            raise errors.NoMFAPreferenceSpecifiedError(
                f"{mask(username)} could use {' or '.join(choices)}, and none was chosen.",
                resolution='Give mfa_preference="TOTP", "SMS" or "EMAIL".',
            )
        if choices or auth.can_list_email_mfa:
            wanted = choices[0] if choices else "SMS"
    needed = _DELIVERY_ATTRIBUTES.get(wanted or "")
    if needed is not None and needed not in present:
        raise errors.InvalidParameterException(
            f"{wanted} as MFA needs the attribute {needed}, which {mask(username)} does not have.",
            resolution=f'Give user_attributes={{"{needed}": …}}.',
        )
    if wanted == "TOTP" and user.totp_sign_up_challenge is None:
        raise missing_totp_challenge(username)


def missing_totp_challenge(username: str) -> errors.MissingTOTPChallengeError:
    """Return the error for a user who has to set up TOTP, for which there is no callback."""
    return errors.MissingTOTPChallengeError(
        f"TOTP cannot be set up for {mask(username)}: no totp_sign_up_challenge was given.",
        resolution="Give a function that computes a code from setup.shared_secret, such as "
        "Authenticator().enroll.",
    )
