"""An authenticator app for scripts: TOTP codes, each handed out once."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from seedctl import masking, process_state
from seedctl.errors import InvalidParameterException
from seedctl.prompter import wait_visibly

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.cognito.types import TOTPSetup

_REMEMBERED = 20  # more steps than any tolerance reaches back
_LEAST_BYTES = 14  # what RFC 4226 asks for at least, rounded as pyotp does
_STEP = 30  # seconds, as RFC 6238 suggests and Cognito has it


class _HandedOut:
    """The steps whose code was handed out, per secret; two objects may share a secret."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[bytes, deque[int]] = {}

    def take(self, secret: str, step: int) -> bool:
        """Take the code of *step*, and return whether it was still free."""
        key = hashlib.sha256(secret.encode()).digest()
        with self._lock:
            # Not "later than the last": a clock that was set back would wait for ever.
            steps = self._steps.setdefault(key, deque(maxlen=_REMEMBERED))
            if step in steps:
                return False
            steps.append(step)
            return True


class Authenticator:
    """Makes the codes of one user. Cognito takes each 30-second code once, so each is given once.

    ``enroll`` fits ``totp_sign_up_challenge``, ``code`` fits ``sign_in_challenge``. Keep ``secret``
    with set_secret, and a later run signs in with ``Authenticator(secret=get_secret(...))``.
    """

    def __init__(
        self,
        secret: str | None = None,
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float, str], None] = wait_visibly,
    ) -> None:
        """*clock* gives seconds since the epoch; *wait* sleeps a number of seconds, saying why."""
        self._secret = _checked(secret) if secret is not None else None
        self._clock = clock
        self._wait = wait

    def __repr__(self) -> str:
        return f"<Authenticator {'enrolled' if self._secret else 'empty'}>"

    @property
    def secret(self) -> str:
        """The shared secret in base32. Raises InvalidParameterException before there is one."""
        if self._secret is None:
            raise InvalidParameterException(
                "The authenticator has no secret yet.",
                resolution="Sign a user up with totp_sign_up_challenge=authenticator.enroll, or "
                "make it with Authenticator(secret=...).",
            )
        return self._secret

    def enroll(self, setup: TOTPSetup) -> str:
        """Keep the secret of *setup* and return its first code."""
        self._secret = _checked(setup.shared_secret)
        return self.code()

    def code(self) -> str:
        """Return a code that was not handed out before, waiting for the next step if need be."""
        import pyotp  # noqa: PLC0415 - only TOTP needs it

        while True:
            now = self._clock()
            step = int(now // _STEP)
            if process_state.instance(_HandedOut).take(self.secret, step):
                code = pyotp.TOTP(self.secret).at(step * _STEP)
                masking.register(code)
                return code
            self._wait((step + 1) * _STEP - now, "the next TOTP code")


def register_base32(secret: str) -> None:
    """Mask *secret* also in the spellings that apps show it in: small letters, groups of four."""
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    for spelling in (secret, " ".join(groups), "-".join(groups)):
        masking.register(spelling)
        masking.register(spelling.lower())


def _checked(secret: str) -> str:
    import base64  # noqa: PLC0415

    size = 0
    plain = ""
    if isinstance(secret, str):
        masking.register(secret)
        plain = re.sub(r"[\s-]", "", secret).upper().rstrip("=")
        try:
            size = len(base64.b32decode(plain + "=" * (-len(plain) % 8)))
        except ValueError:
            size = 0
    if size < _LEAST_BYTES:
        raise InvalidParameterException(
            "The TOTP secret is not base32 text.",
            resolution=f"Give it as Cognito sent it: {_LEAST_BYTES * 8} bits or more.",
        )
    register_base32(plain)
    return plain
