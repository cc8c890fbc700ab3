"""The secret values that must never be shown, and the functions that remove them from a text.

Code that receives a secret registers it here. Two functions replace secrets, and nothing else in
seedctl decides what may be shown:

* ``mask`` is for text from outside: names, paths, a script's exceptions and logs. It replaces
  every registered value. Code that puts such a text into a message masks it first.
* ``mask_message`` is for a finished message. A secret may happen to be a word that seedctl uses
  ("user") or a number that it counts (1); those stay, since they reveal nothing about the secret.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, quote_plus

from seedctl import process_state

MASK = "***"

# Values shorter than this occur inside ordinary words: they are masked only as separate words.
_SHORT = 4
# A line of a value with several lines is masked by itself too, unless it is shorter than this.
_LINE = 8

# Every user has tokens and a derived temporary password. They are recognised by their format, so they
# are not registered one by one. Other long values are recognised by the name in front of them: base64
# alone cannot be distinguished from a file path.
_PATTERN = re.compile(
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]+"
    r"|Tmp1![0-9A-Za-z]{95}"
    r"|(?<=Signature=)[0-9a-f]{64}"
    r"|(?<=X-Amz-Security-Token=)[^&\s\"']+"
    # A member of Cognito's requests and responses, in JSON or a repr, escaped or not.
    r"|[\"'](?:PASSWORD_CLAIM_SIGNATURE|(?:PASSWORD_CLAIM_)?SECRET_BLOCK|SRP_[AB]|SALT|Session)"
    r"\\*[\"']\s*:\s*\\*[\"'](?P<value>[A-Za-z0-9+/=_-]{20,})"
)


class _Masker:
    """The registered values; shared by the process, since any thread may print any secret."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        # An index of every spelling of every value: a search takes as long with a thousand values as
        # with one, and a new value does not require rebuilding it.
        self._long: dict[str, dict[int, set[str]]] = {}
        """Spellings by their first letters, then by their length."""
        self._short: set[str] = set()
        self._of_several_lines: list[re.Pattern[str]] = []

    def register(self, value: object) -> None:
        if isinstance(value, bytes | bytearray):
            value = bytes(value).decode("utf-8", "replace")
        if not isinstance(value, str) or not value.strip():
            return
        with self._lock:
            if value in self._values:
                return
            self._values.add(value)
            self._of_several_lines += _lines_together(value)
            for form in _forms(value):
                if len(form) < _SHORT:
                    self._short.add(form)
                    continue
                by_length = self._long.setdefault(form[:_SHORT], {})
                by_length.setdefault(len(form), set()).add(form)

    def mask(self, text: str) -> str:
        return _replaced(text, self._spans(text))

    def mask_message(self, text: str) -> str:
        spans = self._spans(text)
        return _replaced(text, [span for span in spans if not _is_own_word(text[slice(*span)])])

    def _spans(self, text: str) -> list[tuple[int, int]]:
        with self._lock:
            return sorted([*_matches(_PATTERN, text), *self._found(text)])

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where each spelling occurs, overlapping ones too: all of them must be replaced."""
        long, short = self._long, self._short
        for start in range(len(text) if long else 0):
            by_length = long.get(text[start : start + _SHORT])
            if by_length is None:
                continue
            for length in sorted(by_length, reverse=True):
                if text[start : start + length] in by_length[length]:
                    yield start, start + length
                    break  # shorter ones here lie within this one
        if short:
            words = "|".join(re.escape(form) for form in sorted(short, key=len, reverse=True))
            yield from _matches(re.compile(rf"(?<!\w)(?:{words})(?!\w)"), text)
        for pattern in self._of_several_lines:
            yield from _matches(pattern, text)


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield where *pattern* matches, overlapping matches too: all of them must be replaced."""
    found = pattern.search(text)
    while found:
        yield found.span(found.lastindex or 0)  # only the group "value" if that alternative matched
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
    """Whether *text* may stay in a message of seedctl even though it equals a secret.

    True for words from seedctl's own source, and for numbers or signs too short to be a secret.
    """
    if len(text) < _SHORT:
        return not re.search(r"[^\W\d]", text) or bool(
            re.search(rf"(?<!\w){re.escape(text)}(?!\w)", _own_source())
        )
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_ -]*", text)) and text in _own_source()


@lru_cache(maxsize=1)
def _own_source() -> str:
    """Return the source text of seedctl; empty if it is not installed as source (all is masked)."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _forms(value: str) -> Iterator[str]:
    """Yield *value* and its spellings in URLs, JSON, reprs, hex and base64."""
    # Secrets of several lines (keys, certificates) may also be shown line by line.
    spellings = {value, *(line for line in _lines(value) if len(line) >= _LINE)}
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
        # Base64 encodes three bytes at a time, and the secret may start at any of the three. Digits
        # that also depend on a neighbouring byte are dropped.
        digits = base64.b64encode(b"\0" * offset + raw).decode()
        core = digits.rstrip("=")[(0, 2, 3)[offset] : -1]
        if len(core) >= _SHORT:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _lines(value: str) -> list[str]:
    return [line.strip() for line in value.splitlines() if line.strip()]


def _lines_together(value: str) -> list[re.Pattern[str]]:
    """Return the pattern of *value* with a margin before its lines, if some are not masked alone.

    Python and pytest print such margins before the lines of an exception.
    """
    lines = _lines(value)
    if len(lines) < 2 or min(map(len, lines)) >= _LINE:
        return []
    pattern = r"\s*\n[\s|E]*".join(map(re.escape, lines))
    is_short = sum(map(len, lines)) < _LINE  # it occurs in ordinary text, so only as separate words
    return [re.compile(rf"(?<!\w){pattern}(?!\w)" if is_short else pattern)]


def _escaped(text: str) -> Iterator[str]:
    """Yield *text* as it appears in JSON and in the reprs of str and bytes, without the quotes."""
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    # A repr escapes an apostrophe only if the text holds both kinds of quotes, so add both.
    quotes = "'\""
    raw = (text + quotes).encode("utf-8", "surrogatepass")
    for shown in (repr(text + quotes), ascii(text + quotes), repr(raw)[1:]):
        form = shown[1 : -len("\\'\"'")]
        yield form
        yield form.replace("\\'", "'")


def register(value: object) -> None:
    """Mask *value* from now on. Values that are neither text nor bytes are ignored."""
    process_state.instance(_Masker).register(value)


def mask(text: str) -> str:
    """Return *text* with every registered value, in every spelling, replaced."""
    return process_state.instance(_Masker).mask(text)


def mask_line(text: object) -> str:
    """Return *text*, such as an error with its message, masked and then on one line.

    Masked first: a secret may contain line breaks, and a part of one would not be recognised.
    """
    return " ".join(mask(str(text)).split())


def mask_message(text: str) -> str:
    """Return *text*, a message of seedctl, with everything secret masked but its own words."""
    return process_state.instance(_Masker).mask_message(text)
