"""Replace values with pseudonyms of the same form: a keyed hash, so equal values get equal ones."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any
from uuid import UUID

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE = re.compile(r"\+[0-9][0-9 -]{6,18}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_INT_LIMIT = 2**31  # of GraphQL's Int
_DAYS = 24_837  # from 1970 to 2037
_SECONDS = _DAYS * 86_400
# In each area, the numbers 555-0100 to 555-0199 are reserved for fiction.
_AREAS = ("201", "212", "303", "312", "404", "415", "503", "602", "617", "702", "808", "917")


class Pseudonyms:
    """Makes pseudonyms with one key. Without the key, nobody can find out the values."""

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key, digest_size=32, person=b"seedctl rows").digest()

    def of(self, value: Any, scalar: str, choices: Sequence[str] = ()) -> Any:
        """Return the pseudonym of one *value* of the type *scalar*; *choices* are an enum's values.

        A number stays a number, and text that looks like an e-mail address, a phone number or a
        UUID stays one, whatever its type: relations between fields of different types remain.
        Null and the empty text stay as they are.
        """
        if value is None or value == "":
            return value
        if choices:
            return choices[self._number(value) % len(choices)]
        if scalar == "AWSJSON":
            return json.dumps(self._of_json(json.loads(value)), ensure_ascii=False)
        if isinstance(value, bool):
            return bool(self._number(value) % 2)
        if scalar == "Float":
            return self._number(float(value)) % 2**52 / 2**20
        if isinstance(value, int):
            # ~ maps the numbers below zero to those from zero up, and back.
            return self._permute(value) if value >= 0 else ~self._permute(~value)
        return self._of_text(str(value), scalar)

    def _of_text(self, text: str, scalar: str) -> str:
        digest = self._digest(text)
        number = int.from_bytes(digest[:8], "big")
        moment = datetime.fromtimestamp(0, timezone.utc) + timedelta(
            milliseconds=number % (_SECONDS * 1000)
        )
        if scalar == "AWSDate":
            return (date(1970, 1, 1) + timedelta(days=number % _DAYS)).isoformat()
        if scalar == "AWSTime":
            return moment.time().isoformat("milliseconds")
        if scalar == "AWSDateTime":
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if scalar == "AWSURL":
            return f"https://example.com/{digest[:8].hex()}"
        if scalar == "AWSIPAddress":
            return f"2001:db8::{digest[:2].hex()}:{digest[2:4].hex()}:{digest[4:6].hex()}"
        if scalar == "AWSPhone" or _PHONE.fullmatch(text):
            return f"+1{_AREAS[number // 100 % len(_AREAS)]}55501{number % 100:02}"
        if scalar == "AWSEmail" or _EMAIL.fullmatch(text):
            return f"user-{digest[:8].hex()}@example.com"
        if _UUID.fullmatch(text):
            return str(UUID(bytes=digest[:16], version=4))
        return f"masked-{digest[:8].hex()}"

    def _of_json(self, value: Any) -> Any:
        """Return *value* with pseudonyms for all values in it; the names of keys remain."""
        if isinstance(value, dict):
            return {name: self._of_json(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._of_json(inner) for inner in value]
        return self.of(value, "Float" if isinstance(value, float) else "")

    def _digest(self, value: object) -> bytes:
        data = str(value).encode("utf-8", "surrogatepass")
        return blake2b(data, key=self._key, digest_size=16).digest()

    def _number(self, value: object) -> int:
        return int.from_bytes(self._digest(value)[:8], "big")

    def _permute(self, number: int) -> int:
        """Return a pseudonym of *number*, a different one for each number of up to 31 bits.

        So numbers can be keys: a Feistel network of 32 bits, repeated until the result has 31.
        """
        if number >= _INT_LIMIT:
            return self._number(number) % _INT_LIMIT
        while True:
            left, right = number >> 16, number & 0xFFFF
            for turn in range(4):
                left, right = right, left ^ (self._number((turn, right)) & 0xFFFF)
            number = left << 16 | right
            if number < _INT_LIMIT:
                return number
