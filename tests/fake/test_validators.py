"""Made values obey the validators of their field, also in keys, or are refused with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import InvalidInputError
from seedctl.fake.patterns import UnsupportedSyntaxError, language
from seedctl.outputs.java_patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fake.api import FakeAPI

ROWS = 30


def rules(**values: object) -> str:
    return " ".join(
        f'@validate(type: {kind}, value: "{value!s}")' for kind, value in values.items()
    )


NUMBERS = [
    pytest.param("Int", {"gt": 5, "lt": 70}, id="Int between"),
    pytest.param("Int", {"gte": -2_000_000_000, "lte": -1_999_999_000}, id="Int far below"),
    pytest.param("Int", {"gte": 2.5}, id="Int from a fraction"),
    pytest.param("Int", {"lt": -7}, id="Int below"),
    pytest.param("Int", {"gt": 100_000}, id="Int above"),
    pytest.param("Int", {"lte": 5}, id="Int to a small number"),
    pytest.param("Float", {"gt": 0, "lt": 1}, id="Float between"),
    pytest.param("Float", {"gt": 1, "lt": 1.001}, id="Float in little space"),
    pytest.param("Float", {"gte": 1e10}, id="Float above"),
    pytest.param("Float", {"lte": -1e10}, id="Float below"),
    pytest.param("Float", {"gt": 1}, id="Float above one"),
]
TEXTS = [
    pytest.param({"minLength": 1, "maxLength": 3}, id="short"),
    pytest.param({"minLength": 3000}, id="long"),
    pytest.param({"minLength": 40, "maxLength": 40}, id="exact"),
    pytest.param({"startsWith": "SKU-", "endsWith": "-x", "maxLength": 14}, id="affixes"),
    pytest.param({"startsWith": "https://", "minLength": 60}, id="begin and length"),
    pytest.param({"matches": "^[A-Z]{2}-[0-9]{3,5}$"}, id="pattern"),
    pytest.param({"matches": "[a-c]+", "maxLength": 9}, id="pattern and length"),
    pytest.param({"matches": "^a+$"}, id="one letter"),
    pytest.param({"matches": "^(?=.*[A-Z])(?=.*[0-9]).{8,}$"}, id="look-ahead"),
    pytest.param({"matches": "^(a|b|cc)[^a-zA-Z]\\\\d\\\\w{3}\\\\s?.$"}, id="classes"),
    pytest.param({"matches": "^(\\\\w{4})-\\\\1[0-9]+?$"}, id="back reference"),
    pytest.param({"matches": "^[\\\\u0430-\\\\u044f]{5,}$"}, id="Cyrillic"),
    pytest.param({"matches": "^[A-Z]", "minLength": 12}, id="part of a text"),
    pytest.param({"matches": "^\\\\Qa.b\\\\E\\\\D[^x]\\\\S+$"}, id="quoted"),
    pytest.param({"matches": "^ab[0-9]+$", "startsWith": "ab1"}, id="pattern and begin"),
]


def check(api: FakeAPI, values: list[Any], *, is_key: bool) -> None:
    validators = api.sources["Thing"].validators["value"]
    assert validators
    assert all(each.accepts(value) for each in validators for value in values)
    assert len(set(values)) == ROWS or not is_key


@pytest.mark.parametrize("is_key", [False, True], ids=["field", "key"])
@pytest.mark.parametrize(("kind", "given"), NUMBERS)
def test_numbers(
    kind: str, given: dict[str, Any], is_key: bool, one_field: Callable[..., FakeAPI]
) -> None:
    """Numbers are within their limits, and a key has another one for each row."""
    api = one_field("value", f"{kind}!", rules(**given), key=is_key)
    values = [row["value"] for row in api.fake("Thing", ROWS)]
    check(api, values, is_key=is_key)
    assert all(isinstance(value, int) for value in values) or kind == "Float"


@pytest.mark.parametrize("is_key", [False, True], ids=["field", "key"])
@pytest.mark.parametrize("given", TEXTS)
def test_texts(given: dict[str, Any], is_key: bool, one_field: Callable[..., FakeAPI]) -> None:
    """Texts have the length, beginning, end and form of their validators; keys are unique."""
    api = one_field("value", "String!", rules(**given), key=is_key)
    check(api, [row["value"] for row in api.fake("Thing", ROWS)], is_key=is_key)


@pytest.mark.parametrize("name", ["email", "phone", "username", "uuid"])
def test_a_key_that_is_unique_anyway(name: str, one_field: Callable[..., FakeAPI]) -> None:
    """A key whose usual values have the number of the row obeys its validators too."""
    api = one_field(name, "String!", rules(maxLength=6), key=True)
    values = [row[name] for row in api.fake("Thing", ROWS)]
    assert max(map(len, values)) <= 6
    assert len(set(values)) == ROWS


def test_keys_of_many_rows(one_field: Callable[..., FakeAPI]) -> None:
    """Addresses and URLs have the number of the row, however many rows there are."""
    urls = one_field("value", "AWSURL!", key=True).fake("Thing", 200_000)
    assert urls[150_000]["value"].endswith("-150001")
    addresses = one_field("value", "AWSIPAddress!", key=True).fake("Thing", 200_000)
    assert addresses[150_000]["value"] == "10.2.73.240"


def test_a_pattern_matches_the_whole_value(one_field: Callable[..., FakeAPI]) -> None:
    """A made text matches the pattern as a whole, however AppSync means it."""
    values = {
        row["value"]
        for row in one_field("value", "String", rules(matches="[a-z]{3}")).fake("Thing", 9)
    }
    assert all(len(value) == 3 for value in values)


def test_tight_limits(one_field: Callable[..., FakeAPI]) -> None:
    """The only valid value is found: a whole number between fractions, a beginning within the end."""
    for kind, validators, value in (
        ("Int", rules(gt=2.5, lt=3.5), 3),
        ("Int", rules(gt=2, lt=4), 3),
        ("String", rules(startsWith="ab", endsWith="bc", maxLength=3), "abc"),
    ):
        rows = one_field("value", kind, validators).fake("Thing", 9)
        assert {row["value"] for row in rows} == {value}


def test_a_usual_value_is_preferred(one_field: Callable[..., FakeAPI]) -> None:
    """A value that the name of the field suggests is used if the validators accept it."""
    plain = one_field("email", "String")
    other = one_field("email", "String", rules(matches="^[^@]+@[^@]+$", maxLength=60))
    assert list(plain.fake("Thing", 9)) == list(other.fake("Thing", 9))


@pytest.mark.parametrize(
    ("kind", "given", "reason"),
    [
        pytest.param("Int", {"gt": 5, "lt": 6}, "no Int is within the limits", id="no whole"),
        pytest.param("Float", {"gt": 5, "lt": 5}, "no Float between the limits", id="no number"),
        pytest.param("Float", {"gt": 6, "lt": 5}, "no Float is within the limits", id="reversed"),
        pytest.param("String", {"minLength": 9, "maxLength": 8}, "no text is as long", id="length"),
        pytest.param("String", {"minLength": 900_000}, "no text is as long", id="too long"),
        pytest.param("String", {"startsWith": "ab", "endsWith": "cd", "maxLength": 3},
                     "no text was found", id="affixes"),
        pytest.param("String", {"matches": "^a$", "minLength": 3}, "no text was found", id="both"),
        pytest.param("String", {"matches": "a&&[b"}, "only Java can apply", id="invalid"),
        pytest.param("String", {"matches": "^(a)?(?(1)b|c)d$", "minLength": 3},
                     "no text was found", id="unsupported"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_named(
    kind: str, given: dict[str, Any], reason: str, one_field: Callable[..., FakeAPI]
) -> None:
    """Without a valid value, the error names the field, the reason and the way out, at once."""
    api = one_field("value", kind, rules(**given))
    with pytest.raises(InvalidInputError) as caught:
        api.fake("Thing", 5)
    assert str(caught.value).startswith(f"No value can be made for Thing.value: {reason}")
    assert "value=…" in (caught.value.resolution or "")
    assert [row["value"] for row in api.fake("Thing", 2, value="x")] == ["x", "x"]


@pytest.mark.parametrize(
    ("kind", "given", "count"),
    [
        pytest.param("Int!", {"gte": 1, "lte": 9}, 9, id="numbers"),
        pytest.param("String!", {"matches": "^[a-d]$"}, 4, id="a pattern"),
        pytest.param("String!", {"maxLength": 1}, 35, id="a length"),
        pytest.param("AWSTime!", {}, 86_400, id="times"),
    ],
)
def test_keys_that_run_out(
    kind: str, given: dict[str, Any], count: int, one_field: Callable[..., FakeAPI]
) -> None:
    """More rows than there are values of the key are refused before the first one is made."""
    api = one_field("value", kind, rules(**given), key=True)
    some = api.fake("Thing", count)[:100]
    assert len({row["value"] for row in some}) == min(count, 100)
    with pytest.raises(InvalidInputError, match=r"No value can be made for Thing\.value: "):
        api.fake("Thing", count + 1)


def test_a_key_between_equal_limits(one_field: Callable[..., FakeAPI]) -> None:
    """A key of which the only number is excluded is refused; it is not the number itself."""
    api = one_field("value", "Float!", rules(gt=5, lt=5), key=True)
    with pytest.raises(InvalidInputError, match=r"No value can be made for Thing\.value: "):
        list(api.fake("Thing", 1))


def test_json_cannot_be_a_key(one_field: Callable[..., FakeAPI]) -> None:
    """A key of JSON must be given."""
    with pytest.raises(InvalidInputError, match="JSON cannot be a key"):
        one_field("value", "AWSJSON!", key=True).fake("Thing", 1)


@pytest.mark.parametrize("pattern", ["[ab]{0,2}", "x(?:a|bc)?", "(a|b)\\1", "[^\\W]{1}", "a*?b"])
def test_texts_of_a_pattern_are_listed_once(pattern: str) -> None:
    """Each number below the size gives another text that the pattern matches."""
    texts = language(pattern, 3)
    found = [texts.text(number) for number in range(texts.size)]
    assert len(set(found)) == len(found)
    assert all(compile_pattern(pattern).fullmatch(text) for text in found)


@pytest.mark.parametrize("pattern", ["[^\\s\\S]", "(a)?(?(1)b|c)"])
def test_patterns_without_texts(pattern: str) -> None:
    """A pattern that matches nothing, or with unknown parts, is refused."""
    with pytest.raises(UnsupportedSyntaxError):
        language(pattern, 3)
