"""One-time codes by SMS and e-mail: made, put into the outbox, and announced in a challenge."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedctl.local.cognito.steps import Challenge
from seedctl.local.inbox import InboxMessage, deliver
from seedctl.local.protocol import ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.factors import Factor
    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.users import User, UserRecords


@dataclass(frozen=True, slots=True)
class SentCode:
    """What the answer is checked against. It lasts as long as its session."""

    id: str
    code: str = field(repr=False)

    def fits(self, code: str) -> bool:
        return secrets.compare_digest(self.code.encode(), code.encode())


def send_code(
    service: UserPoolService, users: UserRecords, user: User, factor: Factor
) -> Challenge:
    """Send *user* a new code, which replaces the last one, and return the challenge for it."""
    destination = user.attributes.get(factor.attribute or "")
    if not destination:  # an administrator deleted it after the choice was offered
        raise ServiceError("MFAMethodNotFoundException", f"{factor.name} is not set up.")
    sent = SentCode(str(uuid.uuid4()), f"{secrets.randbelow(10**factor.digits):0{factor.digits}}")
    names = _names(service.pool, user)
    message = InboxMessage(
        user=names[0],
        username=user.username,
        names=names,
        method=factor.method,
        destination=destination,
        code=sent.code,
        sent_at=service.clock(),
    )
    deliver(users.view, message)
    user.newest_codes[factor.method] = sent.id
    users.save(user)
    parameters = {
        "CODE_DELIVERY_DELIVERY_MEDIUM": factor.method,
        "CODE_DELIVERY_DESTINATION": _masked(destination),
    }
    return Challenge(factor.name, user, parameters, sent)


def expired_code() -> ServiceError:
    return ServiceError(
        "ExpiredCodeException", "Invalid code provided, please request a code again."
    )


def _names(pool: UserPool, user: User) -> tuple[str, ...]:
    # In the order of the attributes: the one the user was created under is the first.
    aliases = [value for name, value in user.attributes.items() if name in pool.username_attributes]
    return tuple(dict.fromkeys([*aliases, user.username, user.sub]))


def _masked(destination: str) -> str:
    name, at, domain = destination.partition("@")
    if at:
        return f"{name[0]}***@{domain[0]}***"
    digits = destination.removeprefix("+")
    return f"+{'*' * max(0, len(digits) - 4)}{digits[-4:]}"
