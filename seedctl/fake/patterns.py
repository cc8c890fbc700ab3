"""The texts that a regular expression matches, in an order: the first, the second, and so on.

So one text can be chosen by a number, and two numbers give two texts.
"""

from __future__ import annotations

import importlib
import string
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, reduce
from typing import Any, NamedTuple

from seedctl.outputs.java_patterns import compile_pattern

# Private modules of the standard library, but the same since Python 3.6 except for their names.
_PARSER = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

_ALPHABET = string.ascii_letters + string.digits + "-_.,:;!?/()+*=@#%&$'\"<>[]{}|^~`\\ "
_ANY = string.ascii_letters + string.digits
_WORD = frozenset(_ANY + "_")
_CATEGORIES: dict[str, frozenset[str]] = {
    "CATEGORY_DIGIT": frozenset(string.digits),
    "CATEGORY_WORD": _WORD,
    "CATEGORY_SPACE": frozenset(string.whitespace),
}
_MOST_OF_RANGE = 64
_MOST_BITS = 200_000

Groups = dict[int, str]
"""The texts of groups by number, for references to them."""


class UnsupportedSyntaxError(ValueError):
    """Part of a regular expression of which no texts can be listed."""


class Language(NamedTuple):
    """Texts in an order."""

    size: int
    pick: Callable[[int, Groups], str]
    """Returns the text of a number below *size*."""

    def text(self, number: int) -> str:
        return self.pick(number, {})


@lru_cache
def language(pattern: str, extra: int) -> Language:
    """Return texts that Java's *pattern* matches, not all: at most *extra* more repetitions each.

    A look-ahead or a word boundary may still not match. Raises UnsupportedSyntaxError, and
    UnsupportedPatternError if Python has no such pattern.
    """
    compiled = compile_pattern(pattern)
    parsed = _PARSER.parse(compiled.pattern, compiled.flags)
    found = _sequence(parsed, extra)
    if not found.size:
        raise UnsupportedSyntaxError(pattern)
    return found


def _sequence(items: Any, extra: int) -> Language:
    empty = Language(1, lambda _number, _groups: "")
    return reduce(_joined, (_part(str(op), argument, extra) for op, argument in items), empty)


def _joined(first: Language, second: Language) -> Language:
    def pick(number: int, groups: Groups) -> str:
        number, rest = divmod(number, first.size)
        text = first.pick(rest, groups)  # before the second, which may refer to it
        return text + second.pick(number, groups)

    return Language(first.size * second.size, pick)


def _part(kind: str, argument: Any, extra: int) -> Language:
    if kind in ("AT", "ASSERT", "ASSERT_NOT"):
        return Language(1, lambda _number, _groups: "")
    if kind == "SUBPATTERN":
        return _group(argument[0], _sequence(argument[-1], extra))
    if kind == "ATOMIC_GROUP":
        return _sequence(argument, extra)
    if kind == "GROUPREF":
        return Language(1, lambda _number, groups: groups.get(argument, ""))
    if kind == "BRANCH":
        return _either([_sequence(each, extra) for each in argument[1]])
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, repeated = argument
        return _repeated(_sequence(repeated, extra), least, min(int(most), least + extra))
    return _one_of(_characters(kind, argument))


def _group(number: int | None, inner: Language) -> Language:
    def pick(chosen: int, groups: Groups) -> str:
        text = inner.pick(chosen, groups)
        if number is not None:
            groups[number] = text
        return text

    return Language(inner.size, pick)


def _either(choices: list[Language]) -> Language:
    def pick(number: int, groups: Groups) -> str:
        for choice in choices:
            if number < choice.size:
                return choice.pick(number, groups)
            number -= choice.size
        raise AssertionError(number)

    return Language(sum(choice.size for choice in choices), pick)


def _repeated(inner: Language, least: int, most: int) -> Language:
    """Return *inner* *least* to *most* times, longer ones first: most texts are long anyway."""

    if inner.size.bit_length() * most > _MOST_BITS:
        raise UnsupportedSyntaxError("too many repetitions")

    def times(count: int) -> Language:
        def pick(number: int, groups: Groups) -> str:
            texts = []
            for _ in range(count):
                number, rest = divmod(number, inner.size)
                texts.append(inner.pick(rest, groups))
            return "".join(texts)

        return Language(inner.size**count, pick)

    return _either([times(count) for count in range(most, least - 1, -1)])


def _one_of(characters: str) -> Language:
    return Language(len(characters), lambda number, _groups: characters[number])


def _characters(kind: str, argument: Any) -> str:
    """Return the characters that a literal or a class means, of large classes some."""
    if kind == "LITERAL":
        return chr(argument)
    if kind == "ANY":
        return _ANY
    if kind == "NOT_LITERAL":
        return _ALPHABET.replace(chr(argument), "")
    if kind != "IN":
        raise UnsupportedSyntaxError(kind)
    members = [(str(op), each) for op, each in argument]
    is_negated = members[0][0] == "NEGATE"
    tests = list(map(_membership, members[is_negated:]))
    found = "".join(
        each for each in _ALPHABET if any(test(each) for test in tests) is not is_negated
    )
    return found or "" if is_negated else found or "".join(_outside_ascii(members))


def _membership(member: tuple[str, Any]) -> Callable[[str], bool]:
    kind, argument = member
    if kind == "LITERAL":
        return lambda character: ord(character) == argument
    if kind == "RANGE":
        return lambda character: argument[0] <= ord(character) <= argument[1]
    name = str(argument)
    category = _CATEGORIES.get(name.replace("_NOT", ""))
    if category is None:
        raise UnsupportedSyntaxError(name)
    return lambda character: (character in category) is ("_NOT" not in name)


def _outside_ascii(members: list[tuple[str, Any]]) -> Iterator[str]:
    for kind, argument in members:
        if kind == "LITERAL":
            yield chr(argument)
        elif kind == "RANGE":
            yield from map(
                chr, range(argument[0], min(argument[1] + 1, argument[0] + _MOST_OF_RANGE))
            )
