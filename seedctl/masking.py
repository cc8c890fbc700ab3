"""The values that must never be shown, and the functions that take them out of a text.

Whoever receives a secret registers it here. Two functions replace it, and nothing else in seedctl
decides what may be shown:

* :func:`mask` is for text from elsewhere: names, paths, a script's exceptions and logs. Every
  registered value goes. Whoever puts such a text into a message masks it there.
* :func:`mask_message` is for a finished message. A secret may happen to be a word that seedctl uses
  ("user") or a number that it counts (1); those stay, as they tell nothing of the secret.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "***"

# Values this short occur inside ordinary words: they are masked only where they stand alone.
_SHORT = 4

# Tokens and derived temporary passwords come one or more a user; known by their shape, they need
# no place in the list of values. Other long values are known by the name before them: by its shape
# alone, base64 cannot be told from the path of a file.
_PATTERN = re.compile(
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]+"
    r"|Tmp1![0-9A-Za-z]{95}"
    r"|(?<=Signature=)[0-9a-f]{64}"
    r"|(?<=X-Amz-Security-Token=)[^&\s\"']+"
    # A member of Cognito's requests and answers, in JSON or a repr, escaped or not.
    r"|[\"'](?:PASSWORD_CLAIM_SIGNATURE|(?:PASSWORD_CLAIM_)?SECRET_BLOCK|SRP_[AB]|SALT|Session)"
    r"\\*[\"']\s*:\s*\\*[\"'](?P<value>[A-Za-z0-9+/=_-]{20,})"
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
        """Return *text* with every registered value, in every spelling, replaced."""
        return _replaced(text, self._spans(text))

    def mask_message(self, text: str) -> str:
        """Return *text*, composed by seedctl, with all but its own words and numbers masked."""
        spans = self._spans(text)
        return _replaced(text, [span for span in spans if not _is_own_word(text[slice(*span)])])

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._long.clear()
            self._short.clear()

    def _spans(self, text: str) -> list[tuple[int, int]]:
        with self._lock:
            return sorted([*_matches(_PATTERN, text), *self._found(text)])

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
            yield from _matches(re.compile(rf"(?<!\w)(?:{words})(?!\w)"), text)


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield where *pattern* matches, also inside a match: of secrets that overlap, all must go."""
    found = pattern.search(text)
    while found:
        yield found.span(found.lastindex or 0)  # only the value, where the pattern names it
        found = pattern.search(text, found.start() + 1)


def _replaced(text: str, spans: Iterable[tuple[int, int]]) -> str:
    shown, end = [], 0
    for start, stop in spans:
        if start >= end:
            shown += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*shown, text[end:]])


@lru_cache(maxsize=1024)
def _is_own_word(text: str) -> bool:
    """Whether *text* may stand in a message of seedctl whatever the secrets are.

    That are words from seedctl's source, and numbers or signs that are too short for a secret.
    """
    if len(text) < _SHORT:
        return not re.search(r"[^\W\d]", text) or bool(
            re.search(rf"(?<!\w){re.escape(text)}(?!\w)", _own_source())
        )
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_ -]*", text)) and text in _own_source()


@lru_cache(maxsize=1)
def _own_source() -> str:
    """Return the source text of seedctl; empty where there is none, and then every value goes."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _forms(value: str) -> Iterator[str]:
    """Yield *value* and the spellings in which it travels through URLs, JSON, repr and base64."""
    # Multi-line secrets (keys, certificates) are also shown line by line.
    lines = (line.strip() for line in value.splitlines() if len(line.strip()) >= 8)
    spellings = {value, *lines}
    for _ in range(2):  # escaped twice: JSON in JSON, or in the repr of a request's body
        spellings.update([form for text in spellings for form in _escaped(text)])
    for text in spellings:
        yield text
        yield quote(text, safe="", errors="surrogatepass")
        yield quote(text, errors="surrogatepass")
        yield quote_plus(text, errors="surrogatepass")
    raw = value.encode("utf-8", "surrogatepass")
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


def _escaped(text: str) -> Iterator[str]:
    """Yield *text* as JSON and as the reprs of text and bytes spell it, without the quotes."""
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    # Whether a repr escapes an apostrophe depends on what else is in it: with both quotes it does.
    quotes = "'\""
    raw = (text + quotes).encode("utf-8", "surrogatepass")
    for shown in (repr(text + quotes), ascii(text + quotes), repr(raw)[1:]):
        form = shown[1 : -len("\\'\"'")]
        yield form
        yield form.replace("\\'", "'")


_masker = _Masker()
register = _masker.register
mask = _masker.mask
mask_message = _masker.mask_message
clear = _masker.clear
