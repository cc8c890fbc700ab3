"""Resolutions for Cognito's errors by their messages, since one code has many causes."""

from __future__ import annotations

import pytest

from seedctl.cognito.pool import APP_CLIENT_SECRET, explain, is_about_password
from seedctl.errors import CognitoError


def _explained(code: str, message: str, *, has_secret: bool = False) -> str | None:
    error = CognitoError(message, code=code)
    explain(error, has_secret=has_secret)
    return error.resolution


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("User is disabled.", "admin-enable-user"),
        ("Password attempts exceeded", "Wait some minutes"),
        (
            "Temporary password has expired and must be reset by an administrator.",
            "temporary_password=",
        ),
        ("Client x is configured with secret but SECRET_HASH was not received", APP_CLIENT_SECRET),
        ("Unable to verify secret hash for client x", APP_CLIENT_SECRET),
    ],
)
def test_refusals_that_are_not_about_the_password(message: str, advice: str) -> None:
    """These errors have the code of a wrong password, but no other password is tried after them."""
    error = CognitoError(message, code="NotAuthorizedException")
    assert not is_about_password(error)
    assert advice in (_explained("NotAuthorizedException", message) or "")


def test_a_wrong_password() -> None:
    """The resolution for a wrong password comes from the caller, which knows its purpose."""
    message = "Incorrect username or password."
    assert is_about_password(CognitoError(message, code="NotAuthorizedException"))
    assert _explained("NotAuthorizedException", message) is None


@pytest.mark.parametrize(
    ("code", "message", "advice"),
    [
        ("InvalidParameterException", "Invalid phone number format.", "+15551234567"),
        ("InvalidParameterException", "Username should be a phone number.", "+15551234567"),
        ("InvalidParameterException", "Invalid email address format.", "ann@example.com"),
        ("InvalidParameterException", "Username should be an email.", "ann@example.com"),
        (
            "InvalidParameterException",
            "Username should be either an email or a phone number.",
            "+15551234567",
        ),
        (
            "InvalidParameterException",
            "USER_SRP_AUTH is not enabled for the client.",
            "ALLOW_USER_SRP_AUTH",
        ),
        (
            "InvalidParameterException",
            "Attributes did not conform to the schema: custom:x: Attribute does not exist in the schema.",
            "Leave the attribute out",
        ),
        (
            "InvalidParameterException",
            "Attributes did not conform to the schema: nickname: The attribute is required\n",
            "userAttributes",
        ),
        (
            "InvalidParameterException",
            "user.custom:plan: Attribute cannot be updated.",
            "not mutable",
        ),
        ("PasswordResetRequiredException", "Password reset required", "admin-set-user-password"),
        ("UserNotConfirmedException", "User is not confirmed.", "admin-confirm-sign-up"),
        ("InvalidPasswordException", "Password not long enough", "policy"),
    ],
)
def test_other_refusals(code: str, message: str, advice: str) -> None:
    """The resolution shows a valid example, or the command that changes the user's state."""
    assert advice in (_explained(code, message) or "")


def test_another_secret_than_the_clients() -> None:
    """If an app client secret was given, the resolution says that it is wrong."""
    message = "Unable to verify secret hash for client x"
    assert "another secret" in (
        _explained("NotAuthorizedException", message, has_secret=True) or ""
    )
    disabled = _explained("NotAuthorizedException", "User is disabled.", has_secret=True)
    assert "admin-enable-user" in (disabled or "")


def test_unknown_sentences_and_given_advice() -> None:
    """An unknown message gets no resolution, and an existing resolution stays."""
    assert _explained("InvalidParameterException", "Something new.") is None
    error = CognitoError("User is disabled.", code="NotAuthorizedException", resolution="Mine.")
    explain(error, has_secret=False)
    assert error.resolution == "Mine."
