"""The generated schema against the deployed ones, and the recorded documents against it."""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    parse,
    validate,
)

from seedctl.local.appsync.introspection import deployed_models
from seedctl.local.appsync.schema import build
from seedctl.outputs import load_outputs
from tests.cases import case
from tests.local_appsync.conftest import DATA
from tests.local_appsync.sources import with_source

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLSchema

EXAMPLES = {
    "auth.api.graphql": "auth_rules.json",
    "blog.api.graphql": "blog_apikey.json",
    "people.api.graphql": "people_apikey.json",
    "shapes.api.graphql": "shapes_apikey.json",
    "store.api.graphql": "store_userpool.json",
    "todo.api.graphql": "todo_userpool.json",
}
OUTPUTS = [*EXAMPLES.values(), "guest_iam.json"]
# The examples for which the source of the models is known too.
SOURCES = {"reports_userpool.json": "reports", "shapes_apikey.json": "shapes"}
ACCEPTED: list[dict[str, str]] = tomllib.loads(
    (DATA / "schema_differences.toml").read_text(encoding="utf-8")
)["difference"]
# Built into AppSync, so that a schema does not define them.
_PREAMBLE = """
scalar AWSDate scalar AWSTime scalar AWSDateTime scalar AWSTimestamp scalar AWSEmail
scalar AWSJSON scalar AWSURL scalar AWSPhone scalar AWSIPAddress
directive @aws_api_key repeatable on OBJECT | FIELD_DEFINITION
directive @aws_iam repeatable on OBJECT | FIELD_DEFINITION
directive @aws_oidc repeatable on OBJECT | FIELD_DEFINITION
directive @aws_lambda repeatable on OBJECT | FIELD_DEFINITION
directive @aws_subscribe(mutations: [String!]!) on FIELD_DEFINITION
directive @aws_cognito_user_pools(cognito_groups: [String!]) repeatable on OBJECT | FIELD_DEFINITION
"""


@cache
def _generated(outputs: str, *, from_source: bool = False) -> GraphQLSchema:
    data = load_outputs(DATA / "outputs" / outputs).data
    assert data is not None
    assert data.schema is not None
    sources = with_source(outputs, SOURCES[outputs]).model_sources() if from_source else {}
    return build(data.schema, deployed_models(data.schema, sources))


def _lines(schema: GraphQLSchema) -> Iterator[str]:
    """Yield one line for each definition in the schema."""
    for type_ in schema.type_map.values():
        if type_.name.startswith("__"):
            continue
        if isinstance(type_, GraphQLEnumType):
            yield from (f"{type_.name}.{value}" for value in type_.values)
        if isinstance(type_, GraphQLInputObjectType):
            yield from (f"{type_.name}.{key}: {field.type}" for key, field in type_.fields.items())
        if isinstance(type_, GraphQLObjectType):
            for key, field in type_.fields.items():
                yield f"{type_.name}.{key}: {field.type}"
                for name, argument in field.args.items():
                    yield f"{type_.name}.{key}({name}: {argument.type})"


@cache
def _deployed_schema(name: str) -> GraphQLSchema:
    text = (DATA / "schemas" / name).read_text(encoding="utf-8")
    return build_schema(_PREAMBLE + text)


@cache
def _deployed(name: str) -> set[str]:
    return set(_lines(_deployed_schema(name)))


def _is_accepted(row: dict[str, str], difference: str) -> bool:
    return fnmatchcase(difference, row["line"])


def test_as_deployed() -> None:
    """The generated schema is the deployed one, except for the listed differences."""
    for deployed, outputs in EXAMPLES.items():
        with case(deployed, outputs):
            expected, made = _deployed(deployed), set(_lines(_generated(outputs)))
            differences = [f"- {line}" for line in expected - made] + [
                f"+ {line}" for line in made - expected
            ]
            open_ones = [
                line for line in differences if not any(_is_accepted(row, line) for row in ACCEPTED)
            ]
            assert sorted(open_ones) == []


def test_order_of_fields() -> None:
    """Fields have the deployed order: an implicit id comes after the declared fields."""
    for deployed, outputs in EXAMPLES.items():
        with case(deployed, outputs):
            expected, made = _deployed_schema(deployed).type_map, _generated(outputs).type_map
            compared = 0
            for name in expected.keys() & made.keys() - {"Query", "Mutation"}:
                type_ = expected[name]
                if not name.startswith("__") and isinstance(
                    type_, GraphQLObjectType | GraphQLInputObjectType
                ):
                    assert list(made[name].fields) == list(type_.fields), name  # type: ignore[attr-defined]
                    compared += 1
            assert compared > 10


def test_accepted_differences_exist() -> None:
    """Each listed difference still exists and has a reason."""
    found = [
        line
        for deployed, outputs in EXAMPLES.items()
        for line in (
            *(f"- {line}" for line in _deployed(deployed) - set(_lines(_generated(outputs)))),
            *(f"+ {line}" for line in set(_lines(_generated(outputs))) - _deployed(deployed)),
        )
    ]
    unused = [row["line"] for row in ACCEPTED if not any(_is_accepted(row, one) for one in found)]
    assert unused == []
    assert all(row["reason"] for row in ACCEPTED)


def test_source_changes_no_type() -> None:
    """Defaults, validators and field rules leave the deployed schema as it is: required is required."""
    for source in (False, True):
        made = set(_lines(_generated("shapes_apikey.json", from_source=source)))
        assert "CreateProductInput.stock: Int!" in made
        assert not made - _deployed("shapes.api.graphql")


def test_owner_of_a_field_rule() -> None:
    """An owner that only a field's rule names is a field of the type, if the source is known."""
    made = "ModelDeedFilterInput.holder: ModelStringInput"
    assert made not in set(_lines(_generated("reports_userpool.json")))
    assert made in set(_lines(_generated("reports_userpool.json", from_source=True)))


def _recorded() -> list[dict[str, Any]]:
    text = (DATA / "graphql_requests.json").read_text(encoding="utf-8")
    vectors: list[dict[str, Any]] = json.loads(text)["vectors"]
    return [row for row in vectors if row["expect"].get("requests")]


def test_recorded_documents() -> None:
    """The documents of the JavaScript client are valid for the generated schema."""
    wrong, checked = [], dict[tuple[str, str], bool]()
    for row in _recorded():
        # One was recorded because it is rejected.
        is_refused = "Validation error" in json.dumps(row["expect"].get("threw"))
        for request in row["expect"]["requests"]:
            key = row["outputs"], request["query"]
            if key not in checked:
                checked[key] = bool(validate(_generated(row["outputs"]), parse(request["query"])))
            if checked[key] != is_refused:
                wrong.append((row["id"], request["query"]))
    assert len(checked) > 30
    assert wrong == []


def test_every_example_makes_a_schema() -> None:
    """Each example's introspection gives a query and a mutation type."""
    for outputs in OUTPUTS:
        with case(outputs):
            schema = _generated(outputs)
            assert schema.query_type is not None
            assert schema.mutation_type is not None
