"""Secure Remote Password as Cognito uses it: only the arithmetic, no requests.

SRP-6a over the 3072-bit group of RFC 3526 with g = 2 (RFC 5054 has the same prime with g = 5),
SHA-256, and a session key of 16 bytes. Numbers are hashed as their shortest two's-complement bytes,
never padded to the length of N: leading zeros in Cognito's values are dropped on purpose.

The values a, x, S and the key are secrets: they are never stored beyond a sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import itertools
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from seedctl.errors import SRPError

N = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
    "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05"
    "98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
    "9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718"
    "3995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d04507a33"
    "a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7"
    "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864"
    "d87602733ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad946e2"
    "08e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff",
    16,
)
g = 2

_KEY_BYTES = 16
_TABLE_BITS = 256  # the length of the longest exponent of g
_POWERS_BEFORE_TABLE = 4  # building the table costs as much as this many powers
_powers_of_g = itertools.count()
_HKDF_INFO = b"Caldera Derived Key\x01"
_HEX = re.compile(r"[0-9A-Fa-f]+")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def pad(number: int) -> bytes:
    """Return the shortest big-endian bytes of *number* whose top bit is clear (0 is one byte)."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def hash_number(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


@cache
def _arithmetic() -> tuple[Callable[[int], int], Callable[[int, int, int], int]]:
    """Return gmpy2's integer type and power function if it is installed, otherwise Python's own.

    gmpy2 is loaded at the first use, since most commands sign nobody in.
    """
    try:
        gmpy2 = importlib.import_module("gmpy2")
    except ImportError:
        return int, pow
    return gmpy2.mpz, gmpy2.powmod


def power(base: int, exponent: int) -> int:
    """Return *base* to the *exponent* modulo N, with gmpy2 if it is installed."""
    is_in_table = base == g and 0 <= exponent < 1 << _TABLE_BITS
    if is_in_table and next(_powers_of_g) >= _POWERS_BEFORE_TABLE:
        return _power_by_table(base, exponent)
    return int(_arithmetic()[1](base, exponent, N))


def _power_by_table(base: int, exponent: int) -> int:
    """Multiply precomputed powers of *base*, which takes a fifth to a third of the time."""
    result = _arithmetic()[0](1)
    for row in _powers_of(base):
        if not exponent:
            break
        result = result * row[exponent & 15] % N
        exponent >>= 4
    return int(result)


@cache
def _powers_of(base: int) -> list[list[int]]:
    """Return the factors for each hexadecimal digit of an exponent, lowest digit first."""
    table, one = [], _arithmetic()[0](1)
    for _ in range(_TABLE_BITS // 4):
        row = [one]
        for _ in range(15):
            row.append(row[-1] * base % N)
        table.append(row)
        base = row[-1] * base % N
    return table


k = hash_number(pad(N), pad(g))


def private_key(pool_name: str, user_id: str, password: str, salt: int) -> int:
    """Return x, the private key that is derived from the password.

    For a device, *pool_name* is its group key and *user_id* its device key.
    """
    inner = hashlib.sha256(f"{pool_name}{user_id}:{password}".encode()).digest()
    return hash_number(pad(salt), inner)


def scrambler(public_a: int, public_b: int) -> int:
    """Return u. Raises SRPError if it is zero, because the password would then have no effect."""
    u = hash_number(pad(public_a), pad(public_b))
    if u == 0:
        raise SRPError("The password exchange failed: the hash of both public values is zero.")
    return u


def session_key(u: int, shared_secret: int) -> bytes:
    """Return the 16-byte key that both sides derive (HKDF with SHA-256)."""
    prk = hmac.digest(pad(u), pad(shared_secret), "sha256")
    return hmac.digest(prk, _HKDF_INFO, "sha256")[:_KEY_BYTES]


def claim_signature(
    key: bytes, pool_name: str, user_id: str, secret_block: str, timestamp: str
) -> str:
    """Return PASSWORD_CLAIM_SIGNATURE. Raises SRPError if *secret_block* is not base64."""
    message = (
        f"{pool_name}{user_id}".encode() + decode_secret_block(secret_block) + timestamp.encode()
    )
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode()


def decode_secret_block(text: str) -> bytes:
    """Decode SECRET_BLOCK, which may use the URL-safe alphabet and may lack the padding."""
    standard = text.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError as error:
        raise SRPError("The password exchange failed: SECRET_BLOCK is not base64.") from error


def format_timestamp(instant: datetime) -> str:
    """Return *instant*, which must be in UTC, in the format of TIMESTAMP.

    strftime would translate the names by the locale, and would pad the day.
    """
    day, month = _DAYS[instant.weekday()], _MONTHS[instant.month - 1]
    return f"{day} {month} {instant.day} {instant:%H:%M:%S} UTC {instant.year}"


def secret_hash(client_id: str, client_secret: str, username: str) -> str:
    """Return SECRET_HASH for an app client that has a secret.

    *username* must be the one in the same request: after the first it is the pool's internal name.
    """
    digest = hmac.digest(client_secret.encode(), f"{username}{client_id}".encode(), "sha256")
    return base64.b64encode(digest).decode()


def device_verifier(group_key: str, device_key: str, password: str, salt: int) -> dict[str, str]:
    """Return the DeviceSecretVerifierConfig. In SRP the device group acts as the user pool."""
    verifier = power(g, private_key(group_key, device_key, password, salt))
    values = {"Salt": salt, "PasswordVerifier": verifier}
    return {name: base64.b64encode(pad(value)).decode() for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class ClientExchange:
    """The client's side of one password exchange. Use it for one sign-in only."""

    private_a: int = field(repr=False)
    public_a: int

    @classmethod
    def start(cls, private_a: int | None = None) -> ClientExchange:
        """Start with a random 256-bit private value; tests pass *private_a* to repeat a vector.

        The JavaScript client uses 1024 bits. 256 bits give the full 128-bit strength of the group
        in a quarter of the time.
        """
        secret = private_a if private_a is not None else secrets.randbits(256) | 1 << 255
        public = power(g, secret)
        if public % N == 0:
            raise SRPError("The password exchange failed: the public value A is zero.")
        return cls(secret, public)

    @property
    def srp_a(self) -> str:
        """SRP_A: lower-case hexadecimal digits without padding."""
        return f"{self.public_a:x}"

    def shared_secret(self, x: int, public_b: int) -> tuple[int, int]:
        """Return u and S. Raises SRPError for a *public_b* that makes the password irrelevant."""
        if public_b % N == 0:
            raise SRPError("The password exchange failed: the public value B is zero.")
        u = scrambler(self.public_a, public_b)
        base = (public_b - k * power(g, x)) % N
        return u, power(base, self.private_a + u * x)

    def sign(
        self,
        *,
        pool_name: str,
        user_id: str,
        password: str,
        salt: str,
        srp_b: str,
        secret_block: str,
        timestamp: str,
    ) -> str:
        """Return PASSWORD_CLAIM_SIGNATURE for the challenge that Cognito sent.

        *salt* and *srp_b* are hexadecimal. Raises SRPError for values that no correct server sends.
        """
        # int() alone would also accept signs, underscores and spaces.
        if not _HEX.fullmatch(salt) or not _HEX.fullmatch(srp_b):
            raise SRPError("The password exchange failed: SALT or SRP_B is not a hex number.")
        salt_number, public_b = int(salt, 16), int(srp_b, 16)
        x = private_key(pool_name, user_id, password, salt_number)
        u, shared = self.shared_secret(x, public_b)
        return claim_signature(session_key(u, shared), pool_name, user_id, secret_block, timestamp)
