"""An authenticator app for scripts: it generates TOTP codes and returns each only once."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import threading
import time
from collections import deque
from collections.abc import Callable

from seedctl import masking, process_state
from seedctl.cognito.types import TOTPSetup
from seedctl.errors import InvalidParameterException
from seedctl.prompter import wait_visibly

_REMEMBERED_STEPS = 20  # more than any server accepts codes from
_MIN_SECRET_BYTES = 14  # RFC 4226 requires 128 bits; pyotp's own check is rounded the same way
_STEP_SECONDS = 30  # of RFC 6238, and of Cognito


class _UsedSteps:
    """The time steps whose code was returned, for each secret: two objects may share a secret."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[bytes, deque[int]] = {}

    def use(self, secret: str, step: int) -> bool:
        """Mark *step* as used, and return whether it was unused."""
        key = hashlib.sha256(secret.encode()).digest()
        with self._lock:
            # Comparing with the last step only would block for long after the clock was set back.
            steps = self._steps.setdefault(key, deque(maxlen=_REMEMBERED_STEPS))
            if step in steps:
                return False
            steps.append(step)
            return True

    def copy(self) -> dict[bytes, deque[int]]:
        """Return the used steps by the digest of the secret."""
        with self._lock:
            return {key: steps.copy() for key, steps in self._steps.items()}

    def reset(self, saved: dict[bytes, deque[int]]) -> None:
        """Mark the steps that were used since ``copy`` returned *saved* as unused again.

        Secrets that are not in *saved* stay as they are.
        """
        with self._lock:
            self._steps.update({key: steps.copy() for key, steps in saved.items()})


class Authenticator:
    """Generates the TOTP codes of one user.

    Cognito accepts each 30-second code once, so each code is returned only once.

    Pass ``enroll`` as ``totp_sign_up_challenge`` and ``code`` as ``sign_in_challenge``. Store
    ``secret`` with set_secret, so that a later run can use ``Authenticator(get_secret(...))``.
    """

    def __init__(
        self,
        secret: str | None = None,
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float, str], None] = wait_visibly,
    ) -> None:
        """Make an authenticator, with or without a secret.

        Args:
            secret: The shared secret in base32; spaces and dashes are ignored. Without it, ``enroll``
                sets the secret.
            clock: Returns the current time in seconds since the epoch.
            wait: Called with a number of seconds and a reason. It must sleep that long; the default
                shows the reason on a terminal.

        Raises:
            InvalidParameterException: *secret* is not base32 or too short.
        """
        self._secret = _normalize(secret) if secret is not None else None
        self._clock = clock
        self._wait = wait

    def __repr__(self) -> str:
        return f"<Authenticator {'enrolled' if self._secret else 'empty'}>"

    @property
    def secret(self) -> str:
        """The shared secret in base32.

        Raises:
            InvalidParameterException: The authenticator has no secret yet.
        """
        if self._secret is None:
            raise InvalidParameterException(
                "The authenticator has no secret yet.",
                resolution="Sign a user up with totp_sign_up_challenge=authenticator.enroll, or "
                "create it with Authenticator(secret=...).",
            )
        return self._secret

    def enroll(self, setup: TOTPSetup) -> str:
        """Take the secret from Cognito's TOTP set-up, and return the first code.

        Args:
            setup: What Cognito sent; seedctl passes it to ``totp_sign_up_challenge``.
        """
        self._secret = _normalize(setup.shared_secret)
        return self.code()

    def code(self) -> str:
        """Return an unused code, after waiting up to 30 seconds for the next one if necessary.

        Raises:
            InvalidParameterException: The authenticator has no secret yet.
        """
        import pyotp  # noqa: PLC0415 - only TOTP needs it

        while True:
            now = self._clock()
            step = int(now // _STEP_SECONDS)
            if process_state.instance(_UsedSteps).use(self.secret, step):
                code = pyotp.TOTP(self.secret).at(step * _STEP_SECONDS)
                masking.register(code)
                return code
            self._wait((step + 1) * _STEP_SECONDS - now, "the next TOTP code")


def save_used_codes() -> Callable[[], None]:
    """Return a function that makes all codes valid again that authenticators return from now on.

    To be called when a user pool is restored to its present state, in which those codes are unused.
    """
    used = process_state.instance(_UsedSteps)
    saved = used.copy()
    return lambda: used.reset(saved)


def register_base32(secret: str) -> None:
    """Mask *secret* also in the spellings that apps show it in: small letters, groups of four."""
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    for spelling in (secret, " ".join(groups), "-".join(groups)):
        masking.register(spelling)
        masking.register(spelling.lower())


def _normalize(secret: str) -> str:
    size = 0
    plain = ""
    if isinstance(secret, str):
        masking.register(secret)
        plain = re.sub(r"[\s-]", "", secret).upper().rstrip("=")
        with contextlib.suppress(ValueError):
            size = len(base64.b32decode(plain + "=" * (-len(plain) % 8)))
    if size < _MIN_SECRET_BYTES:
        raise InvalidParameterException(
            "The TOTP secret is not base32 text, or is too short.",
            resolution=f"Give it as Cognito sent it: {_MIN_SECRET_BYTES * 8} bits or more.",
        )
    register_base32(plain)
    return plain
