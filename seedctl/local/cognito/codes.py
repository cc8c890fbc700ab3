"""The one-time codes of MFA by SMS and e-mail: sent, and announced in a challenge."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedctl.local.cognito.delivery import deliver_code, masked, new_code
from seedctl.local.cognito.steps import Challenge
from seedctl.local.inbox import MFA
from seedctl.local.protocol import ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.factors import Factor
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
    attribute = factor.attribute or ""
    destination = user.attributes.get(attribute)
    if not destination:  # an administrator deleted it after the choice was offered
        raise ServiceError("MFAMethodNotFoundException", f"{factor.name} is not set up.")
    sent = SentCode(str(uuid.uuid4()), new_code(factor.digits))
    deliver_code(
        service,
        users,
        user,
        attribute=attribute,
        destination=destination,
        code=sent.code,
        purpose=MFA,
    )
    user.newest_codes[factor.method] = sent.id
    users.save(user)
    parameters = {
        "CODE_DELIVERY_DELIVERY_MEDIUM": factor.method,
        "CODE_DELIVERY_DESTINATION": masked(destination),
    }
    return Challenge(factor.name, user, parameters, sent)
