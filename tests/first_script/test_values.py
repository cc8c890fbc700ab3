"""Example values: of every type, and within what validators allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from seedctl.appsync.values import ValueConverter
from seedctl.first_script.values import NoExampleError, example_id, example_of
from seedctl.outputs.models import CustomType, Field, Introspection, TypeKind, TypeName
from seedctl.outputs.validators import Validator

if TYPE_CHECKING:
    from collections.abc import Mapping

SCALARS = (
    *("ID", "String", "Int", "Float", "Boolean", "AWSDate", "AWSTime", "AWSDateTime", "AWSEmail"),
    *("AWSTimestamp", "AWSJSON", "AWSPhone", "AWSURL", "AWSIPAddress"),
)


def _field(name: str, kind: TypeKind, type_name: str, *, required: bool = True) -> Field:
    return Field(name, TypeName(kind, type_name), False, required, not required, False, None)


def _schema(
    enums: Mapping[str, tuple[str, ...]] | None = None,
    types: Mapping[str, CustomType] | None = None,
) -> Introspection:
    return Introspection({}, enums or {}, types or {}, {}, {}, {})


@pytest.mark.parametrize("scalar", SCALARS)
def test_every_scalar_has_a_value_that_the_client_accepts(scalar: str) -> None:
    """The client's own check of values accepts each example."""
    field = _field("someId", "scalar", scalar)
    value = example_of(field, _schema())
    ValueConverter(_schema()).convert_value(field, value, "Model.someId")


def test_names_become_words() -> None:
    """Texts and ids are made of the words of a name."""
    assert example_of(_field("isoDueDate", "scalar", "String"), _schema()) == "First iso due date"
    assert example_of(_field("authorId", "scalar", "ID"), _schema()) == "first-author"
    assert example_of(_field("id", "scalar", "ID"), _schema()) == "first-id"
    assert example_id("HTTPLog2") == "first-http-log-2"
    assert example_id("_") == "first-one"


def test_lists_and_enums() -> None:
    """A list has one item, and an enum's example is its first value."""
    field = Field("seasons", TypeName("enum", "Season"), True, True, False, False, None)
    assert example_of(field, _schema({"Season": ("SPRING", "FALL")})) == ["SPRING"]


@pytest.mark.parametrize(
    ("scalar", "validators"),
    [
        pytest.param("String", {"startsWith": "L-", "endsWith": "Z"}, id="affixes"),
        pytest.param("String", {"minLength": "40"}, id="long"),
        pytest.param("String", {"maxLength": "3"}, id="short"),
        pytest.param("String", {"minLength": "8", "maxLength": "8"}, id="exact"),
        pytest.param(
            "String", {"startsWith": "a", "minLength": "30", "endsWith": "b"}, id="padded"
        ),
        pytest.param("String", {"endsWith": "!", "maxLength": "4"}, id="cut"),
        pytest.param("String", {"matches": "^[A-Z]{3}$"}, id="capitals"),
        pytest.param("String", {"matches": "^[a-z0-9-]+$"}, id="slug"),
        pytest.param("String", {"matches": r"^\d{5}(-\d{4})?$"}, id="postal code"),
        pytest.param("String", {"matches": r"^#[0-9a-fA-F]{6}$"}, id="colour"),
        pytest.param("String", {"matches": r"^[^@]+@[^@]+\.[a-z]+$"}, id="address"),
        pytest.param("String", {"matches": "^SKU-[0-9]+$", "startsWith": "SKU-"}, id="prefix"),
        pytest.param("Int", {"gt": "100"}, id="greater"),
        pytest.param("Int", {"gte": "0", "lt": "1"}, id="zero"),
        pytest.param("Int", {"lt": "-5"}, id="negative"),
        pytest.param("Float", {"gt": "0.25", "lt": "0.5"}, id="between"),
        pytest.param("Float", {"gte": "3", "lte": "3"}, id="one number"),
    ],
)
def test_values_pass_the_validators(scalar: str, validators: dict[str, str]) -> None:
    """The example is one that the validators of the source accept."""
    checks = [Validator(kind, value, "") for kind, value in validators.items()]
    value = example_of(_field("code", "scalar", scalar), _schema(), checks)
    assert all(check.accepts(value) for check in checks), value
    assert isinstance(value, {"String": str, "Int": int}.get(scalar, float | int))


def test_custom_types_have_their_required_fields() -> None:
    """Of a custom type the required fields are given, or else the first one, at any depth."""
    types = {
        "Point": CustomType(
            "Point",
            {
                "x": _field("x", "scalar", "Float"),
                "note": _field("note", "scalar", "String", required=False),
            },
        ),
        "Place": CustomType("Place", {"at": _field("at", "nonModel", "Point")}),
        "Loose": CustomType("Loose", {"name": _field("name", "scalar", "String", required=False)}),
    }
    schema = _schema(types=types)
    assert example_of(_field("p", "nonModel", "Place"), schema) == {"at": {"x": 1.5}}
    assert example_of(_field("p", "nonModel", "Loose"), schema) == {"name": "First name"}


@pytest.mark.parametrize(
    ("field", "validators"),
    [
        pytest.param(
            _field("a", "scalar", "String"), {"matches": "^zq{7}x$"}, id="a pattern of its own"
        ),
        pytest.param(
            _field("a", "scalar", "String"), {"matches": r"\p{IsThai}+"}, id="a pattern of Java"
        ),
        pytest.param(_field("a", "scalar", "Int"), {"gt": "1", "lt": "2"}, id="no whole number"),
        pytest.param(_field("a", "enum", "Empty"), {}, id="an empty enum"),
        pytest.param(_field("a", "model", "Todo"), {}, id="a model"),
        pytest.param(_field("a", "nonModel", "Endless"), {}, id="an endless type"),
    ],
)
def test_what_has_no_example(field: Field, validators: dict[str, Any]) -> None:
    """A field for which no value is known is said to have none, rather than given a wrong one."""
    endless = CustomType("Endless", {"next": _field("next", "nonModel", "Endless")})
    schema = _schema({"Empty": ()}, {"Endless": endless})
    checks = [Validator(kind, value, "") for kind, value in validators.items()]
    with pytest.raises(NoExampleError):
        example_of(field, schema, checks)


def test_all_kinds_of_types_are_known() -> None:
    """A new kind of type needs a line here and in the examples."""
    assert set(get_args(TypeKind)) == {"scalar", "enum", "nonModel", "model", "input"}
