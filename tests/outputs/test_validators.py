"""Validators of fields: each at its limits, and Java's patterns as Python's."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from seedctl.outputs import java_patterns
from seedctl.outputs.java_patterns import UnsupportedPatternError, compile_pattern
from seedctl.outputs.validators import VALIDATORS, Validator, default_message
from tests.cases import case

# By type: the value of the validator, what it accepts, and what not.
LIMITS: dict[str, tuple[str, list[Any], list[Any]]] = {
    "gt": ("5", [6, 5.0001, 2147483647], [5, 4, -6, 5.0]),
    "lt": ("-2.5", [-3, -2.5001], [-2.5, -2, 0]),
    "gte": ("2147483647", [2147483647], [2147483646, 0]),
    "lte": ("0", [0, -0.0, -1], [1, 0.0001]),
    "minLength": ("2", ["ab", "🐢", "  ", "e\u0301"], ["a", "", "é"]),
    "maxLength": ("2", ["", "ab", "éé", "🐢"], ["abc", "🐢a"]),
    "startsWith": ("äB", ["äB", "äBc"], ["äb", "a\u0308B", "", " äB"]),
    "endsWith": (".txt", [".txt", "a.txt"], [".TXT", ".txt ", "", "txt"]),
    "matches": (r"^[A-Z]{2}\d+$", ["AB1", "ZZ99"], ["AB", "ab1", "AB1 ", "AB1\n", "AB\u0663", ""]),
}


def test_all_are_listed() -> None:
    """The table of limits has every type of validator."""
    assert LIMITS.keys() == VALIDATORS.keys()


@pytest.mark.parametrize("kind", LIMITS)
def test_limits(kind: str) -> None:
    """A validator accepts values at its limit, and rejects those beyond; lengths are UTF-16 units."""
    value, good, bad = LIMITS[kind]
    validator = Validator(kind, value, "message")
    assert [each for each in good if not validator.accepts(each)] == []
    assert [each for each in bad if validator.accepts(each)] == []


def test_messages() -> None:
    """Without a message of its own, a validator has AppSync's."""
    assert [default_message("T", "f", kind, "5") for kind in VALIDATORS] == [
        "Field f of type T must be greater than 5",
        "Field f of type T must be less than 5",
        "Field f of type T must be greater than or equal to 5",
        "Field f of type T must be less than or equal to 5",
        "Field f of type T must have a minimum length of 5",
        "Field f of type T must have a maximum length of 5",
        "Field f of type T must start with 5",
        "Field f of type T must end with 5",
        "Field f of type T must match 5",
    ]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        pytest.param(r"^\p{L}+$", "Üñí", "a1", id="category"),
        pytest.param(r"^\P{Lu}$", "é", "É", id="no category"),
        pytest.param(r"^[\p{Alpha}_]+$", "ab_", "é", id="POSIX"),
        pytest.param(r"^\P{Digit}$", "x", "7", id="no POSIX"),
        pytest.param(r"^\p{Upper}\p{Blank}$", "A\t", "a\t", id="upper case and blank"),
        pytest.param(r"^\p{IsAlphabetic}$", "ß", "1", id="property"),
        pytest.param(r"^(?<half>ab)\k<half>$", "abab", "abba", id="named group"),
        pytest.param(r"^\Qa.b\E$", "a.b", "axb", id="quotation"),
        pytest.param(r"^.{2}$", "🐢a", "a\u2028", id="any character"),
        pytest.param(r"^\x{1F422}\0101$", "🐢A", "🐢B", id="codes"),
        pytest.param(r"^a\z", "a", "a\n", id="end"),
        pytest.param(r"^a\Z", "a\n", "a\nb", id="end or line end"),
        pytest.param(r"(?m)^b$", "a\nb", "ab", id="lines"),
        pytest.param(r"^[\h]\h$", "\u00a0\t", "ab", id="space"),
        pytest.param(r"^[\e]\e\R$", "\x1b\x1b\r\n", "eeR", id="escapes"),
        pytest.param(r"^\d\w\s$", "1a ", "\u0661a ", id="ASCII"),
        pytest.param(r"(?i)^abc$", "ABC", "AB", id="ignoring case"),
        pytest.param(r"^[]a]\/\-$", "]/-", "x/-", id="brackets"),
        pytest.param(r"^[a||b~~]+$", "|~", "c", id="operators of other languages"),
        pytest.param(r"^(?!no)\w+(?<=y)$", "very", "noy", id="looking around"),
        pytest.param("b+", "abc", "ac", id="a part"),
    ],
)
def test_patterns(pattern: str, good: str, bad: str) -> None:
    """A Java pattern finds what it finds in Java."""
    compiled = compile_pattern(pattern)
    assert compiled.search(good)
    assert not compiled.search(bad)


def _few_of_category(category: str) -> str:
    """Return the first members of a category: to find all of them takes a tenth of a second."""
    codes = range(0x700)
    found = (code for code in codes if unicodedata.category(chr(code)).startswith(category))
    return java_patterns._ranges(found)


def test_classes_of_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Java's names of POSIX classes, which mean ASCII, and of Unicode's."""
    monkeypatch.setattr(java_patterns, "_of_category", _few_of_category)
    compiled = compile_pattern.__wrapped__
    for name, good, bad in (
        ("Lower", "az", "Aé"),
        ("Upper", "AZ", "aÉ"),
        ("Alpha", "aZ", "1é"),
        ("Digit", "09", "a\u0661"),
        ("Alnum", "aZ0", "_é"),
        ("XDigit", "0aF", "gG"),
        ("Punct", "!~]-^\\", "a "),
        ("Graph", "!~a", " \n"),
        ("Print", " ~a", "\n\x7f"),
        ("Blank", " \t", "\na"),
        ("Space", " \t\n\v\f\r", "a\u00a0"),
        ("Cntrl", "\0\x7f", " a"),
        ("ASCII", "\0\x7f", "é"),
        ("IsAlphabetic", "aß", "1"),
        ("IsLetter", "aß", "1"),
        ("IsDigit", "1\u0661", "a"),
        ("IsLowercase", "aß", "A"),
        ("IsUppercase", "AÉ", "a"),
        ("IsPunctuation", "!\u00bf", "a+"),
        ("IsLu", "AÉ", "a"),
    ):
        one, none = compiled(rf"^\p{{{name}}}\z"), compiled(rf"^\P{{{name}}}\z")
        for letters, is_in in ((good, True), (bad, False)):
            for letter in letters:
                with case(name, letter):
                    assert bool(one.search(letter)) is is_in
                    assert bool(none.search(letter)) is not is_in


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z&&[^b]]",
        "[a[b]]",
        "(",
        r"\G",
        r"\p{IsLatin}",
        r"[\z]",
        r"\U00000041",
        r"[\R]",
        r"[\P{L}]",
        "[a&&b]",
        "a{99999999999}",
        "(" * 5000,
    ],
)
def test_unsupported_patterns(pattern: str) -> None:
    """What Python cannot do like Java is an error, not another meaning."""
    with pytest.raises(UnsupportedPatternError):
        Validator("matches", pattern, "").accepts("a")


def test_half_of_a_surrogate_pair_has_a_length() -> None:
    """JSON can have half of a surrogate pair, which counts as one."""
    assert Validator("maxLength", "1", "").accepts("\ud800")
    assert not Validator("minLength", "2", "").accepts("\ud800")


def test_wrong_limit() -> None:
    """A limit is a number from the start."""
    with pytest.raises(ValueError, match="could not convert"):
        Validator("minLength", "three", "")
