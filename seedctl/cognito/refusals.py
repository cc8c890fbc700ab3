"""What to do about Cognito's refusals: one error code has many causes, told by the sentence alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.errors import CognitoError

APP_CLIENT_SECRET = "SEEDCTL_APP_CLIENT_SECRET"  # noqa: S105 - the name of a variable
"""The environment variable that has the app client's secret."""

FORMS: Mapping[str, str] = {
    "email": "an e-mail address like ann@example.com",
    "phone_number": "a phone number like +15551234567 (E.164: a plus sign, the country code, and "
    "nothing but digits)",
}
"""What a user name or attribute of each kind has to be."""

_NO_SECRET = (
    f"The app client has a secret: give it in the environment variable {APP_CLIENT_SECRET}, or as "
    "connect(app_client_secret=...). Amplify's own app clients have none, so check the outputs file "
    "too."
)
_OTHER_SECRET = (
    f"The app client has another secret than the one in {APP_CLIENT_SECRET} or "
    "connect(app_client_secret=...), or none at all: correct it, or leave it out."
)

_HASH = r"secret.?hash|configured (with|for) secret"

# Refusals with the code of a wrong password, which another password would not change.
_NOT_ABOUT_PASSWORD = {
    r"attempts exceeded": "Cognito refuses a user for a while after several wrong passwords. Wait "
    "some minutes, then run again with the right one.",
    r"\bdisabled\b": "Enable the user in the user pool, such as with aws "
    "cognito-idp admin-enable-user, then run again.",
    r"\bexpired\b": "Delete the user, or have an administrator set a new temporary password, and "
    "give that as temporary_password=.",
    _HASH: _NO_SECRET,
}
_OTHERS = {
    _HASH: _NO_SECRET,
    r"phone.?number format|should be a phone": f"Give {FORMS['phone_number']}.",
    r"email.*format|should be an email": f"Give {FORMS['email']}.",
    r"should be either an email or a phone": f"Give {FORMS['email']}, or {FORMS['phone_number']}.",
    r"(not enabled|not allowed) for th(e|is) client": "Allow the flow in the app client: Amplify's "
    "own allow ALLOW_USER_SRP_AUTH. Check that the outputs file names Amplify's app client.",
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
    """Whether another password might do after *refusal*, a NotAuthorizedException."""
    return _first(_NOT_ABOUT_PASSWORD, refusal.message) is None


def explain(refusal: CognitoError, *, has_secret: bool) -> None:
    """Say in *refusal*'s resolution what to do, where Cognito's sentence tells.

    *has_secret* is whether the app client's secret was given.
    """
    table = _NOT_ABOUT_PASSWORD if refusal.code == "NotAuthorizedException" else _OTHERS
    advice = _first(table, refusal.message) or _BY_CODE.get(refusal.code)
    if advice is _NO_SECRET and has_secret:
        advice = _OTHER_SECRET
    refusal.resolution = refusal.resolution or advice


def _first(table: Mapping[str, str], message: str) -> str | None:
    return next(
        (row for words, row in table.items() if re.search(words, message, re.IGNORECASE)), None
    )
