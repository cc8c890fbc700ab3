"""Default values and validators of fields, known from the source of the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seedctl.local.appsync.errors import InvalidInputError
from tests.local_appsync.sources import SourceAPI, api_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = "text empty needed code count share open day stamp mail extra mood"
_DEFAULTS = {
    "text": "it's a kit",
    "empty": "",
    "code": "77",
    "count": -5,
    "share": 1.5,
    "open": False,
    "day": "2020-02-29",
    "stamp": 1577836800,
    "mail": "a@b.cc",
    "extra": '{"a":[1,true]}',
    "mood": "LOUD",
}
_GIVEN = {"text": "", "count": 0, "share": 0.0, "open": True, "extra": "[]", "mood": "CALM"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceAPI]:
    folder = tmp_path_factory.mktemp("defaults") / "state"
    with api_of(folder, "reports_userpool.json", "reports") as found:
        yield found


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        pytest.param({}, _DEFAULTS, id="missing"),
        pytest.param(dict.fromkeys(_DEFAULTS), _DEFAULTS, id="null"),
        pytest.param(_GIVEN, {**_DEFAULTS, **_GIVEN}, id="given"),
    ],
)
def test_defaults(api: SourceAPI, given: dict[str, Any], stored: dict[str, Any]) -> None:
    """A create puts the default, of any type, into fields that are missing or null, and no others."""
    answer = api.create("ann", "Kit", {"needed": "x", "size": 1, **given}, _FIELDS)
    assert answer == ({"needed": "x", **stored}, [])


def test_default_of_a_required_field(api: SourceAPI) -> None:
    """A required field must be sent, although it has a default: the deployed schema says so."""
    with pytest.raises(InvalidInputError, match="coerced Null value for NonNull type 'String!'"):
        api.create("ann", "Kit", {"size": 1})


def test_update_puts_no_default(api: SourceAPI) -> None:
    """An update that removes a field leaves it null, and does not touch other fields."""
    api.create("ann", "Kit", {"id": "u", "needed": "x", "size": 1, "mood": "CALM"})
    answer = api.write("ann", "update", "Kit", {"id": "u", "text": None}, "text count")
    assert answer == ({"text": None, "count": -5}, [])


def test_default_in_a_key(api: SourceAPI) -> None:
    """Defaults are in the keys of indexes, and conditions of reads find them."""
    api.create("ann", "Kit", {"id": "k", "needed": "x", "size": 1, "text": "key"})
    query = (
        '{ kitsByMood(mood: LOUD, count: {eq: -5}, filter: {text: {eq: "key"}}) { items { id } } }'
    )
    assert api.call("ann", query) == ({"items": [{"id": "k"}]}, [])


def test_default_is_validated(api: SourceAPI) -> None:
    """A default that its own field's validator does not accept makes the create fail."""
    assert api.create("ann", "Kit", {"needed": "x"}) == (None, ["None createKit: too big"])


@pytest.mark.parametrize(
    ("given", "error"),
    [
        pytest.param({"low": 1, "name": "ab"}, None, id="valid"),
        pytest.param({"low": None, "name": None}, None, id="null"),
        pytest.param({"low": 0}, "Field low of type Gauge must be greater than or equal to 1"),
        pytest.param({"name": "a"}, "two, don't you think"),
        pytest.param({"name": "abcde"}, "Field name of type Gauge must have a maximum length of 4"),
        pytest.param(
            {"name": "a", "low": 0},
            "Field low of type Gauge must be greater than or equal to 1",
            id="order of declaration",
        ),
        pytest.param({"name": "a", "place": ""}, "two, don't you think", id="before the index key"),
        pytest.param({"name": "a", "id": "there"}, "two, don't you think", id="before the id"),
    ],
)
def test_validators(api: SourceAPI, given: dict[str, Any], error: str | None) -> None:
    """A create and an update check the values before the write; the first failure is the answer."""
    api.create("ann", "Gauge", {"id": "there"})
    answers = {
        "createGauge": api.create("ann", "Gauge", given),
        "updateGauge": api.write("ann", "update", "Gauge", {"id": "there", **given}),
    }
    for operation, (value, errors) in answers.items():
        expected = [] if error is None else [f"None {operation}: {error}"]
        assert errors == expected
        assert (value is None) is bool(expected)


def test_validators_of_an_update(api: SourceAPI) -> None:
    """A missing row with a bad value is a bad value; the caller's rights are checked before both."""
    given = {"id": "none", "low": 0}
    assert api.write("iam", "update", "Gauge", given)[1] == [
        "None updateGauge: Field low of type Gauge must be greater than or equal to 1"
    ]
    assert api.write("key", "update", "Gauge", given)[1][0].startswith("Unauthorized updateGauge")


def test_pattern_of_java_only(api: SourceAPI) -> None:
    """A pattern that Python cannot apply is said to be one, and is not passed over."""
    value, (error,) = api.create("ann", "Gauge", {"code": "abc"})
    assert value is None
    assert error.startswith("NotAvailableLocally createGauge: Gauge.code cannot be validated")


def test_model_with_a_small_letter(api: SourceAPI) -> None:
    """The deployment puts defaults, but no validators, on a model whose name begins so."""
    answer = api.call("ann", 'mutation { createGizmo(input: {id: "g"}) { name } }')
    assert answer == ({"name": "unnamed"}, [])
