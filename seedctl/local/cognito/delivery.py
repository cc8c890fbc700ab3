"""One-time codes on their way: made, put into the outbox, and announced with a masked address."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from seedctl.local.inbox import InboxMessage, deliver

if TYPE_CHECKING:
    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.users import User, UserRecords

MEDIUM = {"email": "EMAIL", "phone_number": "SMS"}


def new_code(digits: int) -> str:
    return f"{secrets.randbelow(10**digits):0{digits}}"


def deliver_code(
    service: UserPoolService,
    users: UserRecords,
    user: User,
    *,
    attribute: str,
    destination: str,
    code: str,
    purpose: str,
) -> None:
    """Put *code* into the outbox, as sent to *destination*, an address of the kind *attribute*."""
    names = _names(service.pool, user)
    message = InboxMessage(
        user=names[0],
        username=user.username,
        names=names,
        method=MEDIUM[attribute],
        destination=destination,
        code=code,
        sent_at=service.clock(),
        purpose=purpose,
    )
    deliver(users.view, message)


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


def _names(pool: UserPool, user: User) -> tuple[str, ...]:
    # In the order of the attributes: the one the user was created under is the first.
    aliases = [value for name, value in user.attributes.items() if name in pool.username_attributes]
    return tuple(dict.fromkeys([*aliases, user.username, user.sub]))
