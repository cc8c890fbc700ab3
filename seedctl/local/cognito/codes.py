"""One-time codes: made, put into the outbox, announced with a masked address, and used up.

Those that confirm a sign-up, reset a password or verify an address are stored with the user, one
for each purpose; those of MFA last as long as their session.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from seedctl.local.cognito.errors import expired_code, wrong_code
from seedctl.local.cognito.users import AccountCode
from seedctl.local.inbox import InboxMessage, deliver

if TYPE_CHECKING:
    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.users import User, UserRecords

SIGN_UP = "sign-up"
PASSWORD_RESET = "password reset"  # noqa: S105 - a purpose
MEDIUM = {"email": "EMAIL", "phone_number": "SMS"}

_DAY = 24 * 3600.0
_HOUR = 3600.0


def verification_of(attribute: str) -> str:
    """Return the purpose of a code that verifies *attribute*."""
    return f"verification of {attribute}"


def send_account_code(
    users: UserRecords, user: User, purpose: str, attribute: str, destination: str | None = None
) -> dict[str, str]:
    """Send a code, which replaces the last one for *purpose*; return its CodeDeliveryDetails.

    Without *destination* it goes to the user's own *attribute*. The caller saves *user*.
    """
    destination = destination or user.attributes[attribute]
    code = deliver_code(users, user, purpose, attribute, destination, digits=6)
    lifetime = _HOUR if purpose == PASSWORD_RESET else _DAY
    user.account_codes[purpose] = AccountCode(attribute, destination, code, users.now + lifetime)
    return delivery_details(attribute, masked(destination))


def deliver_code(
    users: UserRecords, user: User, purpose: str, attribute: str, destination: str, *, digits: int
) -> str:
    """Put a new code into the outbox, sent to *destination*, an address of the kind *attribute*."""
    code = f"{secrets.randbelow(10**digits):0{digits}}"
    # In the order of the attributes: the one the user was created under is the first.
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


def take_account_code(users: UserRecords, user: User, purpose: str, code: str) -> AccountCode:
    """Return what was sent with *code* and use it up; the caller saves *user*.

    Raises CodeMismatchException for a wrong code, ExpiredCodeException where there is none to use.
    """
    sent = user.account_codes.get(purpose)
    if sent is None or users.now > sent.expires:
        raise expired_code()
    if not secrets.compare_digest(sent.code.encode(), code.encode()):
        raise wrong_code()
    del user.account_codes[purpose]
    return sent


def drop_codes_to(user: User, attribute: str) -> None:
    """Forget the codes sent to *attribute*, which has changed, and a new value that waits."""
    user.account_codes = {
        purpose: sent for purpose, sent in user.account_codes.items() if sent.attribute != attribute
    }


def sign_up_address(pool: UserPool, user: User) -> str | None:
    """Return the attribute that the code for a sign-up is sent to, None if none is verified so."""
    for attribute in ("phone_number", "email"):  # with both, the number alone gets a code
        if attribute in pool.verification_types and user.attributes.get(attribute):
            return attribute
    return None


def recovery_address(pool: UserPool, user: User) -> str | None:
    """Return the verified attribute that a password is reset by, None if the user has none."""
    for attribute in pool.recovery_attributes:
        is_second_factor = attribute == "phone_number" and "SMS_MFA" in user.mfa_enabled
        is_verified = user.attributes.get(f"{attribute}_verified") == "true"
        # An administrator may set the flag without the address.
        if attribute in user.attributes and is_verified and not is_second_factor:
            return attribute
    return None


def simulated_details(service: UserPoolService, name: str) -> dict[str, str]:
    """Return the CodeDeliveryDetails for a user who gets no code, so as not to tell about it.

    The address is made up, and the same whenever *name* is given, in whatever case.
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
    """Return CodeDeliveryDetails as Cognito's replies have them."""
    return {
        "AttributeName": attribute,
        "DeliveryMedium": MEDIUM[attribute],
        "Destination": masked_destination,
    }


def masked(destination: str) -> str:
    name, at, domain = destination.partition("@")
    if at:
        return f"{name[0]}***@{domain[0]}***"
    digits = destination.removeprefix("+")
    return f"+{'*' * max(0, len(digits) - 4)}{digits[-4:]}"
