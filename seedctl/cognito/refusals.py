"""Resolutions for Cognito's errors.

One error code has many causes, and only the text of the message tells them apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.errors import CognitoError

APP_CLIENT_SECRET = "SEEDCTL_APP_CLIENT_SECRET"  # noqa: S105 - the name of a variable
"""The environment variable with the app client's secret."""

FORMS: Mapping[str, str] = {
    "email": "an e-mail address like ann@example.com",
    "phone_number": "a phone number like +15551234567 (E.164: a plus sign, the country code, and "
    "nothing but digits)",
}
"""The required format of each kind of user name and attribute."""

_NO_SECRET = (
    f"The app client has a secret: give it in the environment variable {APP_CLIENT_SECRET}, or as "
    "connect(app_client_secret=...). Amplify's own app clients have none, so check the outputs file "
    "too."
)
_WRONG_SECRET = (
    f"The app client has another secret than the one in {APP_CLIENT_SECRET} or "
    "connect(app_client_secret=...), or none at all: correct it, or leave it out."
)

_HASH = r"secret.?hash|configured (with|for) secret"

# Messages of NotAuthorizedException, the error code of a wrong password, that have another cause.
_NOT_ABOUT_PASSWORD = {
    r"attempts exceeded": "Cognito refuses a user for a while after several wrong passwords. Wait "
    "some minutes, then run again with the right one.",
    r"\bdisabled\b": "Enable the user in the user pool, such as with aws "
    "cognito-idp admin-enable-user, then run again.",
    r"\bexpired\b": "Delete the user, or have an administrator set a new temporary password, and "
    "give that as temporary_password=.",
    _HASH: _NO_SECRET,
}
_BY_MESSAGE = {
    _HASH: _NO_SECRET,
    r"phone.?number format|should be a phone": f"Give {FORMS['phone_number']}.",
    r"email.*format|should be an email": f"Give {FORMS['email']}.",
    r"should be either an email or a phone": f"Give {FORMS['email']}, or {FORMS['phone_number']}.",
    r"(not enabled|not allowed) for th(e|is) client": "Enable ALLOW_USER_SRP_AUTH in the app client, "
    "as Amplify does. Check that the outputs file names Amplify's app client.",
}
_BY_CODE = {
    "PasswordResetRequiredException": "Set a new password, such as with aws cognito-idp "
    "admin-set-user-password --permanent, or with the code that Cognito has sent to the user.",
    "InvalidPasswordException": "Choose a password that meets the pool's policy. If the outputs file "
    "has another policy, regenerate it with npx ampx sandbox.",
    "UserNotConfirmedException": "Confirm the user, such as with aws cognito-idp "
    "admin-confirm-sign-up, or delete it and create it again.",
}


def is_about_password(refusal: CognitoError) -> bool:
    """Whether *refusal*, a NotAuthorizedException, is about a wrong password."""
    return _find(_NOT_ABOUT_PASSWORD, refusal.message) is None


def explain(refusal: CognitoError, *, has_secret: bool) -> None:
    """Set *refusal*'s resolution, if its message or code is known.

    *has_secret* is whether the caller gave an app client secret.
    """
    table = _NOT_ABOUT_PASSWORD if refusal.code == "NotAuthorizedException" else _BY_MESSAGE
    advice = _find(table, refusal.message) or _BY_CODE.get(refusal.code)
    if advice is _NO_SECRET and has_secret:
        advice = _WRONG_SECRET
    refusal.resolution = refusal.resolution or advice


def _find(table: Mapping[str, str], message: str) -> str | None:
    return next(
        (advice for pattern, advice in table.items() if re.search(pattern, message, re.IGNORECASE)),
        None,
    )
