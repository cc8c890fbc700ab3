"""The second factors of MFA: SMS, software token and e-mail, under all the names they go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.users import User


@dataclass(frozen=True, slots=True)
class Factor:
    """A row of the table below."""

    name: str
    """Its challenge's name, which also stands for it in lists of factors."""
    method: str
    """As outputs files have it."""
    code_key: str
    """Where the answer to its challenge carries the code."""
    settings_key: str
    """What SetUserMFAPreference calls its settings."""
    attribute: str | None = None
    """What holds the address codes are sent to."""
    digits: int = 6

    def is_ready(self, user: User) -> bool:
        """Whether *user* could be asked for this factor now.

        An address does for it, verified or not [?].
        """
        if self.attribute is None:
            return user.software_token is not None
        return bool(user.attributes.get(self.attribute))


SMS = Factor("SMS_MFA", "SMS", "SMS_MFA_CODE", "SMSMfaSettings", "phone_number")
TOTP = Factor("SOFTWARE_TOKEN_MFA", "TOTP", "SOFTWARE_TOKEN_MFA_CODE", "SoftwareTokenMfaSettings")
EMAIL = Factor("EMAIL_OTP", "EMAIL", "EMAIL_OTP_CODE", "EmailMfaSettings", "email", digits=8)
FACTORS = {factor.name: factor for factor in (SMS, TOTP, EMAIL)}


def offered(pool: UserPool) -> list[Factor]:
    """Return the factors that the pool has on."""
    return [factor for factor in FACTORS.values() if factor.method in pool.mfa_methods]
