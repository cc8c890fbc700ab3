"""Password policy, and the temporary password that a re-run can derive again."""

from __future__ import annotations

import hmac
import string
from typing import TYPE_CHECKING

from seedctl.errors import InvalidPasswordException

if TYPE_CHECKING:
    from seedctl.outputs import PasswordPolicy

# Cognito's list of what counts as a symbol, from its password policy documentation. A space counts
# only between other characters.
_SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-")

_ALPHABET = string.ascii_letters + string.digits
# One of each class a policy can ask for; masking.py knows the shape.
_PREFIX = "Tmp1!"
_LONGEST = 256  # Cognito's own limit
_LENGTH = 100  # a policy may ask for up to 99 characters


def derive_temporary_password(password: str, *, user_pool_id: str, username: str) -> str:
    """Return the temporary password of a user whose final password is *password*.

    Derived, not drawn: when a run dies between the two passwords, the next run knows the first one
    again without its having been written anywhere. It fits every policy Cognito can have.
    """
    context = f"seedctl temporary password 1\0{user_pool_id}\0{username.casefold()}\0"
    digits = b"".join(
        hmac.digest(password.encode(), f"{context}{block}".encode(), "sha512") for block in range(2)
    )
    body = "".join(_ALPHABET[digit % len(_ALPHABET)] for digit in digits)
    return (_PREFIX + body)[:_LENGTH]


def check_password(password: str, policy: PasswordPolicy | None) -> None:
    """Raise InvalidPasswordException when Cognito would refuse *password*.

    Without a *policy* in the outputs only what no pool accepts is refused. The message names the
    rules that are not met, never the password.
    """
    unmet = []
    if not isinstance(password, str):
        raise InvalidPasswordException(
            f"The password is a {type(password).__name__}, not text.",
            resolution="Give it as str; a secret comes that way from get_secret.",
        )
    if not password:
        unmet.append("at least one character")
    elif policy is not None:
        unmet = _unmet(password, policy)
    if len(password) > _LONGEST:
        unmet.append(f"{_LONGEST} characters or fewer")
    if password != password.strip():
        unmet.append("no space at its ends")
    if not _is_unicode(password):
        unmet.append("characters that are valid Unicode")
    if unmet:
        raise InvalidPasswordException(
            "The password does not meet the user pool's policy: it needs " + ", ".join(unmet) + ".",
            resolution="Choose another password, or change the policy in amplify/auth/resource.ts.",
        )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as an undecodable variable holds
        return False
    return True


def _unmet(password: str, policy: PasswordPolicy) -> list[str]:
    unmet = []
    if len(password) < policy.min_length:
        unmet.append(f"{policy.min_length} characters or more")
    if policy.require_lowercase and not any(c in string.ascii_lowercase for c in password):
        unmet.append("a lower-case letter")
    if policy.require_uppercase and not any(c in string.ascii_uppercase for c in password):
        unmet.append("an upper-case letter")
    if policy.require_numbers and not any(c in string.digits for c in password):
        unmet.append("a digit")
    if policy.require_symbols and not any(
        c in _SYMBOLS or (c == " " and 0 < i < len(password) - 1) for i, c in enumerate(password)
    ):
        unmet.append("a symbol")
    return unmet
