"""One-time codes: create, put into the inbox, describe by a masked address, and check.

Codes that confirm a sign-up, reset a password or verify an address are stored with the user, one for
each purpose. Codes of MFA live in the session of their challenge.
"""

from __future__ import annotations

import secrets

from seedctl.local.cognito.errors import expired_code, wrong_code
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.users import AccountCode, User, UserRecords
from seedctl.local.inbox import InboxMessage, deliver

SIGN_UP = "sign-up"
PASSWORD_RESET = "password reset"  # noqa: S105 - a purpose
MEDIUM = {"email": "EMAIL", "phone_number": "SMS"}

_DAY = 24 * 3600.0
_HOUR = 3600.0


def verification_purpose(attribute: str) -> str:
    """Return the purpose of a code that verifies *attribute*."""
    return f"verification of {attribute}"


def send_account_code(
    users: UserRecords, user: User, purpose: str, attribute: str, destination: str | None = None
) -> dict[str, str]:
    """Send a code that replaces the last one for *purpose*; return its CodeDeliveryDetails.

    Without *destination*, it goes to the user's current *attribute*. The caller saves *user*.
    """
    destination = destination or user.attributes[attribute]
    code = deliver_code(users, user, purpose, attribute, destination, digits=6)
    lifetime = _HOUR if purpose == PASSWORD_RESET else _DAY
    user.account_codes[purpose] = AccountCode(attribute, destination, code, users.now + lifetime)
    return delivery_details(attribute, mask_destination(destination))


def deliver_code(
    users: UserRecords, user: User, purpose: str, attribute: str, destination: str, *, digits: int
) -> str:
    """Put a new code into the inbox and return it; *attribute* is the type of *destination*."""
    code = f"{secrets.randbelow(10**digits):0{digits}}"
    # In attribute order: the address the user was created with comes first.
    sign_in_by = users.pool.username_attributes
    aliases = [value for name, value in user.attributes.items() if name in sign_in_by]
    names = tuple(dict.fromkeys([*aliases, user.username, user.sub]))
    message = InboxMessage(
        user=names[0],
        username=user.username,
        names=names,
        method=MEDIUM[attribute],
        destination=destination,
        code=code,
        sent_at=users.now,
        purpose=purpose,
    )
    deliver(users.view, message)
    return code


def use_account_code(users: UserRecords, user: User, purpose: str, code: str) -> AccountCode:
    """Check *code*, remove it from *user* and return its record; the caller saves *user*.

    Raises CodeMismatchException for a wrong code, ExpiredCodeException if no valid code exists.
    """
    sent = user.account_codes.get(purpose)
    if sent is None or users.now > sent.expires:
        raise expired_code()
    if not secrets.compare_digest(sent.code.encode(), code.encode()):
        raise wrong_code()
    del user.account_codes[purpose]
    return sent


def delete_codes_for(user: User, attribute: str) -> None:
    """Delete the codes sent to *attribute*, which has changed, with any unverified new value."""
    user.account_codes = {
        purpose: sent for purpose, sent in user.account_codes.items() if sent.attribute != attribute
    }


def sign_up_address(pool: UserPool, user: User) -> str | None:
    """Return the attribute that a sign-up's code goes to, None if the pool verifies none of them."""
    for attribute in ("phone_number", "email"):  # with both, only the phone number gets a code
        if attribute in pool.auto_verified and user.attributes.get(attribute):
            return attribute
    return None


def recovery_address(pool: UserPool, user: User) -> str | None:
    """Return the verified attribute that a reset code goes to, None if the user has none."""
    for attribute in pool.recovery_attributes:
        is_second_factor = attribute == "phone_number" and "SMS_MFA" in user.mfa_enabled
        is_verified = user.attributes.get(f"{attribute}_verified") == "true"
        # An administrator may set the flag without the address.
        if attribute in user.attributes and is_verified and not is_second_factor:
            return attribute
    return None


def fake_delivery_details(service: UserPoolService, name: str) -> dict[str, str]:
    """Return fake CodeDeliveryDetails, so that the reply does not reveal that no code was sent.

    The fake address is always the same for the same *name*, ignoring case.
    """
    allowed = service.pool.recovery_attributes
    attribute = "phone_number" if name.startswith("+") or "email" not in allowed else "email"
    attribute = attribute if attribute in allowed else allowed[0]
    digest = service.store.seal.digest("made-up address", service.pool.id, name.lower())
    if attribute == "email":
        letters = [chr(ord("a") + byte % 26) for byte in digest[:2]]
        return delivery_details(attribute, f"{letters[0]}***@{letters[1]}***")
    return delivery_details(attribute, f"+*******{int.from_bytes(digest[:4], 'big') % 10**4:04}")


def delivery_details(attribute: str, masked_destination: str) -> dict[str, str]:
    """Return CodeDeliveryDetails in the format of Cognito's replies."""
    return {
        "AttributeName": attribute,
        "DeliveryMedium": MEDIUM[attribute],
        "Destination": masked_destination,
    }


def mask_destination(destination: str) -> str:
    name, at, domain = destination.partition("@")
    if at:
        return f"{name[0]}***@{domain[0]}***"
    digits = destination.removeprefix("+")
    return f"+{'*' * max(0, len(digits) - 4)}{digits[-4:]}"
