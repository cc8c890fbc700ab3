"""One sign-in under way: what is known of the user, and the challenge that Cognito has sent."""

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

# Cognito's names for the methods, in SELECT_MFA_TYPE and MFA_SETUP.
WIRE_METHODS: Mapping[str, MFAPreference] = {
    "SOFTWARE_TOKEN_MFA": "TOTP",
    "SMS_MFA": "SMS",
    "EMAIL_OTP": "EMAIL",
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What Cognito asks for, and the session that the answer belongs to."""

    name: str
    parameters: Mapping[str, Any] = field(repr=False)
    session: str | None = field(repr=False)
    attempt: int = 1
    """Above 1 when an earlier answer was refused."""

    def listed_methods(self, key: str) -> list[MFAPreference]:
        """Return the methods that the parameter *key* lists; kinds unknown here are dropped."""
        try:
            names = json.loads(self.parameters.get(key) or "[]")
        except ValueError:
            names = []
        return [WIRE_METHODS[name] for name in names if name in WIRE_METHODS]


@dataclass
class SignInState:
    """One user's way in. *new_password* answers NEW_PASSWORD_REQUIRED, if that may come."""

    pool: UserPool
    username: str
    password: str = field(repr=False)
    new_password: str | None = field(default=None, repr=False)
    callbacks: MFACallbacks = field(default_factory=MFACallbacks, repr=False)
    codes: CodeSource = field(default_factory=TerminalCodes, repr=False)
    email: str | None = None
    """The address for e-mail MFA, when it has to be set up."""
    flow: SignInFlow = "Password"
    prefers: bool = False
    """Whether the method used is to become the user's preference."""
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    warn: Callable[[str], None] = field(default=lambda _: None, repr=False)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(timezone.utc), repr=False)
    internal_name: str = field(default="", init=False)
    """The pool's own name for the user, which every answer after the first carries."""
    method: MFAPreference | None = field(default=None, init=False)
    """The MFA method that was used."""
    exchange: ClientExchange = field(init=False, repr=False)
    new_password_sent: bool = field(default=False, init=False)
    began: float = field(default=0.0, init=False)

    @property
    def has_totp_callback(self) -> bool:
        return self.callbacks.totp_sign_up_challenge is not None

    def code(self, challenge: Challenge, method: str) -> str:
        """Return the code for *challenge*: the callback's, else one that is asked for."""
        callback = self.callbacks.for_code(method)
        if callback is not None:
            code = code_of(callback(), "The challenge callback")
        else:
            destination = challenge.parameters.get("CODE_DELIVERY_DESTINATION") or ""
            request = CodeRequest(
                self.username, method, str(destination), self.began, challenge.attempt
            )
            code = self.codes.code(request)
        masking.register(code)
        return code
