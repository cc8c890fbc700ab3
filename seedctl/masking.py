"""The values that must never be shown, and the one function that takes them out of a text.

Whoever receives a secret registers it here; whoever prints or writes passes the text through
:func:`mask`. Nothing else in seedctl decides what may be shown.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "***"

# Values this short occur inside ordinary words: they are masked only where they stand alone.
_SHORT = 4

# Tokens and derived temporary passwords come one or more a user; known by their shape, they need
# no place in the list of values.
_SHAPES = re.compile(
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]+"
    r"|Tmp1![0-9A-Za-z]{95}"
    # SRP values, as botocore's debug log would show them.
    r"|(?<=PASSWORD_CLAIM_SIGNATURE\W{4})[A-Za-z0-9+/=]{20,}"
    r"|[A-Za-z0-9+/]{256,}={0,2}"
)


class _Masker:
    """Process-wide, because a secret read by one thread may be printed by another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        # Every spelling of every value: what looks for them takes no longer for a thousand of them
        # than for one, and is not made anew for each that comes.
        self._long: dict[str, dict[int, set[str]]] = {}
        """By their first letters, and by their length."""
        self._short: set[str] = set()

    def register(self, value: object) -> None:
        """Mask *value* from now on. A script may hand over bytes, or nothing at all."""
        if isinstance(value, bytes | bytearray):
            value = bytes(value).decode("utf-8", "replace")
        if not isinstance(value, str) or not value.strip():
            return
        with self._lock:
            if value in self._values:
                return
            self._values.add(value)
            for form in _forms(value):
                if len(form) < _SHORT:
                    self._short.add(form)
                    continue
                by_length = self._long.setdefault(form[:_SHORT], {})
                by_length.setdefault(len(form), set()).add(form)

    def mask(self, text: str) -> str:
        with self._lock:
            spans = [*_spans(_SHAPES, text), *self._found(text)]
        shown, end = [], 0
        for start, stop in sorted(spans):
            if start >= end:
                shown += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*shown, text[end:]])

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._long.clear()
            self._short.clear()

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where a spelling stands, also inside another: of those that overlap, all must go."""
        long, short = self._long, self._short
        for start in range(len(text) if long else 0):
            by_length = long.get(text[start : start + _SHORT])
            if by_length is None:
                continue
            for length in sorted(by_length, reverse=True):
                if text[start : start + length] in by_length[length]:
                    yield start, start + length
                    break  # the others are shorter
        if short:
            words = "|".join(re.escape(form) for form in sorted(short, key=len, reverse=True))
            yield from _spans(re.compile(rf"(?<!\w)(?:{words})(?!\w)"), text)


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield where *pattern* matches, also inside a match: of secrets that overlap, all must go."""
    found = pattern.search(text)
    while found:
        yield found.span()
        found = pattern.search(text, found.start() + 1)


def _forms(value: str) -> Iterator[str]:
    """Yield *value* and the spellings in which it travels through URLs, JSON, repr and base64."""
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield ascii(value)[1:-1]
    raw = value.encode("utf-8", "surrogatepass")
    yield quote(raw, safe="")
    yield quote(raw)
    yield quote_plus(raw)
    if len(raw) < _SHORT:
        return
    yield raw.hex()
    for offset in range(3):
        # A secret may start anywhere in what was encoded, hence the three alignments; digits that
        # also depend on a neighbouring byte are left off.
        digits = base64.b64encode(b"\0" * offset + raw).decode()
        core = digits.rstrip("=")[(0, 2, 3)[offset] : -1]
        if len(core) >= _SHORT:
            yield core
            yield core.replace("+", "-").replace("/", "_")
    # Multi-line secrets (keys, certificates) are also shown line by line.
    for line in value.splitlines():
        if len(line.strip()) >= 8 and line != value:
            yield line.strip()


_masker = _Masker()
register = _masker.register
mask = _masker.mask
clear = _masker.clear
