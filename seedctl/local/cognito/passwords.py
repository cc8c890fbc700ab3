"""Passwords: the pool's policy, the stored SRP verifier, and the server's side of SRP."""

from __future__ import annotations

import re
import secrets
import string
import uuid
from dataclasses import dataclass, field

from seedctl import srp
from seedctl.local.cognito.errors import invalid_parameter
from seedctl.local.protocol import ServiceError
from seedctl.local.seal import Seal
from seedctl.outputs import PasswordPolicy

MAX_PASSWORD = 256
_SYMBOLS = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= "
_CLASSES = (
    ("require_lowercase", string.ascii_lowercase, "lowercase"),
    ("require_uppercase", string.ascii_uppercase, "uppercase"),
    ("require_numbers", string.digits, "numeric"),
    ("require_symbols", _SYMBOLS, "symbol"),
)
_NO_SPACE_AT_ENDS = re.compile(r"\S(.*\S)?", re.DOTALL)


def check_password(
    password: str,
    policy: PasswordPolicy,
    *,
    refusal: str = "Password does not conform to policy",
) -> None:
    """Raise InvalidPasswordException or InvalidParameterException if *password* is not allowed.

    *refusal* is the call's own beginning of the message, before the reason.
    """
    if len(password) > MAX_PASSWORD or not _NO_SPACE_AT_ENDS.fullmatch(password):
        raise invalid_parameter(
            f"A password has at most {MAX_PASSWORD} characters and no space at either end."
        )
    if len(password) < policy.min_length:
        raise ServiceError("InvalidPasswordException", f"{refusal}: Password not long enough")
    for requirement, characters, name in _CLASSES:
        if getattr(policy, requirement) and set(password).isdisjoint(characters):
            reason = f"Password must have {name} characters"
            raise ServiceError("InvalidPasswordException", f"{refusal}: {reason}")


def fake_user_id(seal: Seal, pool_id: str, name: str) -> str:
    """Return a fake user id for a user who does not exist: the same for each call."""
    digest = seal.digest("no such user", pool_id, name.lower())
    return str(uuid.UUID(bytes=digest[:16], version=4))


def random_password(policy: PasswordPolicy) -> str:
    """Return a random password, for a user created without one; nobody gets to know it."""
    filling = (secrets.choice(string.ascii_letters) for _ in range(policy.min_length))
    return "aA1!" + "".join(filling)


@dataclass(frozen=True, slots=True)
class Verifier:
    """What is stored for a password: enough to check one, not enough to reveal it."""

    salt: str
    """Hexadecimal, as *value*."""
    value: str = field(repr=False)

    @classmethod
    def of(cls, password: str, *, pool_name: str, username: str) -> Verifier:
        salt = secrets.randbits(128)
        x = srp.private_key(pool_name, username, password, salt)
        return cls(f"{salt:x}", f"{srp.power(srp.g, x):x}")

    @classmethod
    def fake(cls, seal: Seal, pool_name: str, username: str) -> Verifier:
        """Return a fake verifier for a user who does not exist: the same for each call.

        It matches no password, and it takes about as long as looking up a stored one.
        """
        name = username.lower()
        digests = [
            seal.digest("no such user", pool_name, name, str(number)) for number in range(13)
        ]
        value = int.from_bytes(b"".join(digests[1:]), "big") % srp.N
        return cls(f"{int.from_bytes(digests[0][:16], 'big'):x}", f"{value:x}")

    def matches(self, password: str, *, pool_name: str, username: str) -> bool:
        x = srp.private_key(pool_name, username, password, int(self.salt, 16))
        return secrets.compare_digest(f"{srp.power(srp.g, x):x}", self.value)


@dataclass(frozen=True, slots=True)
class ServerExchange:
    """The server's side of one SRP exchange."""

    public_a: int
    public_b: int
    private_b: int = field(repr=False)
    verifier: int = field(repr=False)

    @classmethod
    def start(cls, srp_a: str, verifier: Verifier) -> ServerExchange:
        """Start with the client's *srp_a*. Raises InvalidParameterException if it makes S predictable."""
        public_a = int(srp_a, 16)
        if public_a % srp.N == 0:
            raise invalid_parameter("SRP_A may not be a multiple of N.")
        value = int(verifier.value, 16)
        private_b = secrets.randbits(256) | 1 << 255
        public_b = (srp.k * value + srp.power(srp.g, private_b)) % srp.N
        return cls(public_a, public_b, private_b, value)

    @property
    def srp_b(self) -> str:
        return f"{self.public_b:x}"

    def accepts(
        self, signature: str, *, pool_name: str, user_id: str, secret_block: str, timestamp: str
    ) -> bool:
        """Whether *signature* proves that the client knows the password."""
        u = srp.scrambler(self.public_a, self.public_b)
        base = self.public_a * srp.power(self.verifier, u) % srp.N
        key = srp.session_key(u, srp.power(base, self.private_b))
        expected = srp.claim_signature(key, pool_name, user_id, secret_block, timestamp)
        return secrets.compare_digest(signature.encode(), expected.encode())
