"""The password policy, and the temporary password that a later run can derive again."""

from __future__ import annotations

import hmac
import string
from typing import TYPE_CHECKING

from seedctl.errors import InvalidPasswordException

if TYPE_CHECKING:
    from seedctl.outputs import PasswordPolicy

# The symbols in the documentation of Cognito's password policies. A space counts as one too, but not
# at the beginning or the end.
_SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-")

_ALPHABET = string.ascii_letters + string.digits
# One character of each class that a policy can require. masking.py recognizes this prefix.
_PREFIX = "Tmp1!"
_MAX_LENGTH = 256  # Cognito's limit
_TEMPORARY_LENGTH = 100  # a policy may require up to 99 characters


def derive_temporary_password(password: str, *, user_pool_id: str, username: str) -> str:
    """Return the temporary password of a user whose final password is *password*.

    It is derived, not random: if a run stops while the user has the temporary password, the next run
    computes it again, and it is never written to disk. It satisfies every possible policy.
    """
    context = f"seedctl temporary password 1\0{user_pool_id}\0{username.casefold()}\0"
    digits = b"".join(
        hmac.digest(password.encode(), f"{context}{block}".encode(), "sha512") for block in range(2)
    )
    body = "".join(_ALPHABET[digit % len(_ALPHABET)] for digit in digits)
    return (_PREFIX + body)[:_TEMPORARY_LENGTH]


def check_password(password: str, policy: PasswordPolicy | None) -> None:
    """Raise InvalidPasswordException if Cognito would refuse *password*.

    Without a *policy*, only what every user pool refuses is checked. The message lists the violated
    rules and never contains the password.
    """
    unmet = []
    if not isinstance(password, str):
        raise InvalidPasswordException(
            f"The password is a {type(password).__name__}, not text.",
            resolution="Give it as str; get_secret returns one.",
        )
    if not password:
        unmet.append("at least one character")
    elif policy is not None:
        unmet = _unmet(password, policy)
    if len(password) > _MAX_LENGTH:
        unmet.append(f"{_MAX_LENGTH} characters or fewer")
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
    except (
        UnicodeEncodeError
    ):  # an unpaired surrogate, from an environment variable that is not UTF-8
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
