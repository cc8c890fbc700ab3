"""Translate Java's regular expressions, which AppSync's ``matches`` uses, to Python's."""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

_TOKEN = re.compile(
    r"""
    (?P<quote>\\Q.*?(?:\\E|\Z))
  | (?P<property>\\[pP](?:\{\w+\}|\w))
  | \\x\{(?P<hexadecimal>[0-9A-Fa-f]+)\}
  | \\0(?P<octal>[0-3]?[0-7]{1,2})
  | \\k<(?P<reference>\w+)>
  | (?P<escape>\\.)
  | (?P<name>\(\?<(?=\w))
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LINE_ENDS = r"\n\r\u0085\u2028\u2029"
_MULTILINE = re.compile(r"\(\?[a-z]*m")
_ESCAPES = {
    r"\z": r"\Z",
    r"\Z": rf"(?=(?:\r\n|[{_LINE_ENDS}])?\Z)",
    r"\R": rf"(?:\r\n|[\v\f{_LINE_ENDS}])",
    r"\h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    r"\e": r"\x1b",
}
# The escapes that mean the same in both languages; Java knows others that are letters too.
_SAME_LETTERS = frozenset("dDsSwWbBAtnrfavxu")
_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "XDigit": "0-9a-fA-F",
    "Punct": re.escape(string.punctuation),
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Space": r" \t\n\x0b\f\r",
    "Cntrl": r"\x00-\x1f\x7f",
    "ASCII": r"\x00-\x7f",
}
_CATEGORIES: Mapping[str, str] = {
    "IsAlphabetic": "L",
    "IsLetter": "L",
    "IsDigit": "Nd",
    "IsLowercase": "Ll",
    "IsUppercase": "Lu",
    "IsPunctuation": "P",
}
_CATEGORY = re.compile(r"(?:Is)?([CLMNPSZ][a-z]?)")


class UnsupportedPatternError(ValueError):
    """A regular expression that only Java can apply, or none at all."""


@lru_cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    r"""Return Java's regular expression *pattern* as one of Python.

    As in Java, ``\d``, ``\w`` and ``\s`` mean ASCII characters. Raises UnsupportedPatternError.
    """
    try:
        return re.compile("".join(_translate(pattern)), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsupportedPatternError(f"{pattern!r}: {error}") from error


def _translate(pattern: str) -> Iterator[str]:
    is_in_class = False
    others = {".": rf"[^{_LINE_ENDS}]"}
    if not _MULTILINE.search(pattern):
        # Java's $ also matches before a final line end, if the pattern need not match the whole [?].
        others["$"] = r"\Z"
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token.lastgroup != "other":
            yield _special(token, is_in_class=is_in_class)
        elif is_in_class:
            if text == "[" or pattern.startswith("&&", token.start()):
                raise UnsupportedPatternError(f"{pattern!r}: a class within a class")
            is_in_class = text != "]"
            # Doubled, these are reserved for set operations in Python.
            yield re.escape(text) if text in "&~|" else text
        else:
            is_in_class = text == "["
            yield others.get(text, text)


def _special(token: re.Match[str], *, is_in_class: bool) -> str:
    text, kind = token[0], token.lastgroup
    if kind == "quote":
        return re.escape(text.removeprefix(r"\Q").removesuffix(r"\E"))
    if kind == "property":
        members = _members(text[2:].strip("{}"))
        if text[1] == "p":
            return members if is_in_class else f"[{members}]"
        if is_in_class:
            raise UnsupportedPatternError(f"{text} in a class is not supported")
        return f"[^{members}]"
    if kind in ("hexadecimal", "octal"):
        return re.escape(chr(int(token[kind], 16 if kind == "hexadecimal" else 8)))
    if kind == "reference":
        return f"(?P={token[kind]})"
    return "(?P<" if kind == "name" else _escape(text, is_in_class=is_in_class)


def _escape(text: str, *, is_in_class: bool) -> str:
    known = _ESCAPES.get(text)
    if known is not None and is_in_class:
        known = known.strip("[]") if known.startswith("[") or text == r"\e" else None
    elif known is None and (
        text[1] in _SAME_LETTERS or not (text[1].isascii() and text[1].isalpha())
    ):
        known = text
    if known is None:
        raise UnsupportedPatternError(f"{text} is not supported")
    return known


def _members(name: str) -> str:
    """Return the members of the class of characters *name* as a part of Python's ``[...]``."""
    match = _CATEGORY.fullmatch(name)
    category = match[1] if match is not None else _CATEGORIES.get(name)
    if category is not None:
        return _of_category(category)
    if name not in _POSIX:
        raise UnsupportedPatternError(f"the class {name!r} is not supported")
    return _POSIX[name]


@lru_cache
def _of_category(category: str) -> str:
    return _ranges(
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)).startswith(category)
    )


def _ranges(codes: Iterator[int]) -> str:
    """Return ascending *codes* as ranges of characters."""
    found: list[list[int]] = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in found)
