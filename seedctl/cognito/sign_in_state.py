"""The state of one sign-in, and the challenge that Cognito sent last."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from seedctl import masking
from seedctl.cognito.mfa import MFACallbacks, code_of
from seedctl.prompter import CodeRequest, TerminalCodes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.cognito.pool import UserPool
    from seedctl.cognito.types import MFAPreference, SignInFlow
    from seedctl.prompter import CodeSource
    from seedctl.srp import ClientExchange

# The names of the methods in Cognito's challenges SELECT_MFA_TYPE and MFA_SETUP.
WIRE_METHODS: Mapping[str, MFAPreference] = {
    "SOFTWARE_TOKEN_MFA": "TOTP",
    "SMS_MFA": "SMS",
    "EMAIL_OTP": "EMAIL",
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge, with the session to send the answer in."""

    name: str
    parameters: Mapping[str, Any] = field(repr=False)
    session: str | None = field(repr=False)
    attempt: int = 1
    """Above 1 if Cognito refused an earlier answer to this challenge."""

    def listed_methods(self, key: str) -> list[MFAPreference]:
        """Return the methods listed in the parameter *key*, without those unknown to seedctl."""
        try:
            names = json.loads(self.parameters.get(key) or "[]")
        except ValueError:
            names = []
        return [WIRE_METHODS[name] for name in names if name in WIRE_METHODS]


@dataclass
class SignInState:
    """What one sign-in needs, and what it has found out so far."""

    pool: UserPool
    username: str
    password: str = field(repr=False)
    new_password: str | None = field(default=None, repr=False)
    """The answer to NEW_PASSWORD_REQUIRED; None if that challenge is an error."""
    callbacks: MFACallbacks = field(default_factory=MFACallbacks, repr=False)
    codes: CodeSource = field(default_factory=TerminalCodes, repr=False)
    """Supplies the codes for which there is no callback."""
    email: str | None = None
    """The address to set up e-mail MFA with."""
    flow: SignInFlow = "Password"
    set_preference: bool = False
    """Whether to make the used MFA method the user's preferred one."""
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    warn: Callable[[str], None] = field(default=lambda _: None, repr=False)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(timezone.utc), repr=False)
    internal_name: str = field(default="", init=False)
    """The user pool's own name for the user, which all answers must carry."""
    method: MFAPreference | None = field(default=None, init=False)
    """The MFA method that was used."""
    exchange: ClientExchange = field(init=False, repr=False)
    new_password_sent: bool = field(default=False, init=False)
    started_at: float = field(default=0.0, init=False)
    """When the first request was sent, in seconds since the epoch."""

    @property
    def has_totp_callback(self) -> bool:
        return self.callbacks.totp_sign_up_challenge is not None

    def code(self, challenge: Challenge, method: str) -> str:
        """Return the code for *challenge*, from the callback or else from ``codes``."""
        callback = self.callbacks.for_code(method)
        if callback is not None:
            code = code_of(callback(), "The challenge callback")
        else:
            destination = challenge.parameters.get("CODE_DELIVERY_DESTINATION") or ""
            request = CodeRequest(
                self.username, method, str(destination), self.started_at, challenge.attempt
            )
            code = self.codes.code(request)
        masking.register(code)
        return code
