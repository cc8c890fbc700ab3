"""Schemas with models of many shapes, and rows that fit a schema, both the same in every run."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from seedctl.rows.relations import foreign_keys, parents_first
from tests.local_appsync.builders import model, outputs

if TYPE_CHECKING:
    from random import Random

    from seedctl.outputs.models import Field, Introspection

_API_KEY = {
    "allow": "public",
    "provider": "apiKey",
    "operations": ["create", "update", "delete", "read"],
}
SCALARS = (
    *("String", "Int", "Float", "Boolean", "AWSDate", "AWSTime", "AWSDateTime", "AWSTimestamp"),
    *("AWSEmail", "AWSJSON", "AWSPhone", "AWSURL", "AWSIPAddress", "ID"),
)


def introspection_of(number: int, rng: Random) -> dict[str, Any]:
    """Return models, an enum and custom types, all with *number* in their names."""
    n = number
    enum, address, geo = f"Kind{n}", f"Address{n}", f"Geo{n}"
    shelf = f"{rng.choice(['String', 'ID', 'AWSDateTime'])}!"
    rules = (_API_KEY,)
    models = [
        model(
            f"Author{n}",
            _scalars(rng),
            relations={
                f"books{n}": ("HAS_MANY", f"Book{n}", (f"authorId{n}",)),
                **({"first": ("BELONGS_TO", f"Book{n}", ("firstId",))} if n % 2 else {}),
            },
            rules=rules,
        ),
        model(
            f"Book{n}",
            {**_scalars(rng), f"authorId{n}": "ID", "partOfId": "ID", "rank": "Int!"},
            relations={
                "author": ("BELONGS_TO", f"Author{n}", (f"authorId{n}",)),
                "partOf": ("BELONGS_TO", f"Book{n}", ("partOfId",)),
                "parts": ("HAS_MANY", f"Book{n}", ("partOfId",)),
            },
            indexes={f"listBook{n}ByRank": ("rank", "partOfId")} if n % 3 else {},
            rules=rules,
        ),
        model(
            f"Place{n}",
            {**_scalars(rng), "house": "String!", "shelf": shelf, "row": "Int!"},
            key=("house", "shelf", "row"),
            rules=rules,
        ),
        model(
            f"Copy{n}",
            {"code": "ID!", "house": "String", "shelf": shelf.rstrip("!"), "row": "Int"},
            key=("code",),
            relations={"place": ("BELONGS_TO", f"Place{n}", ("house", "shelf", "row"))},
            rules=rules,
        ),
    ]
    if n % 2:
        models[0]["fields"]["firstId"] = _field("firstId", "ID")
    for each in models[:3]:
        each["fields"] |= {
            "kind": _field("kind", {"enum": enum}),
            "tags": _field("tags", "String", is_array=True, is_required=bool(n % 2)),
            "sizes": _field("sizes", rng.choice(["Int", "Float", "AWSDate"]), is_array=True),
            "address": _field("address", {"nonModel": address}),
            "places": _field("places", {"nonModel": geo}, is_array=True),
        }
    custom = {
        geo: {"lat": _field("lat", "Float", is_required=True), "name": _field("name", "String")},
        address: {
            "street": _field("street", "String", is_required=True),
            "geo": _field("geo", {"nonModel": geo}),
            "mail": _field("mail", "AWSEmail"),
        },
    }
    return {
        "models": {each["name"]: each for each in models},
        "enums": {enum: {"name": enum, "values": ["ONE", "TWO", "three"]}},
        "nonModels": {name: {"name": name, "fields": fields} for name, fields in custom.items()},
    }


def outputs_of(*introspections: dict[str, Any]) -> dict[str, Any]:
    """Return an outputs file with all models of *introspections*, for everybody with the API key."""
    document = outputs()
    document["data"]["default_authorization_type"] = "API_KEY"
    document["data"]["api_key"] = "da2-fakefakefakefakefakefake"
    document["data"]["authorization_types"] = ["AMAZON_COGNITO_USER_POOLS", "AWS_IAM"]
    for kind in ("models", "enums", "nonModels"):
        found = document["data"]["model_introspection"][kind]
        for each in introspections:
            found.update(each[kind])
    return document


def _scalars(rng: Random) -> dict[str, str]:
    return {f"a{scalar}": scalar for scalar in rng.sample(SCALARS, 6)}


def _field(
    name: str, kind: Any, *, is_array: bool = False, is_required: bool = False
) -> dict[str, Any]:
    found = {"name": name, "isArray": is_array, "type": kind, "isRequired": is_required}
    return {**found, "attributes": [], **({"isArrayNullable": True} if is_array else {})}


def rows_of(schema: Introspection, rng: Random, count: int) -> dict[str, list[dict[str, Any]]]:
    """Return *count* rows for each model that can be created and listed, with real relations."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in parents_first(schema):
        found = schema.models[name]
        if {"create", "list"} & found.disabled:
            continue
        always = {*found.primary_key, *(part for i in found.secondary_indexes for part in i.fields)}
        always |= {field.name for field in found.fields.values() if field.must_be_given}
        rows[name] = []
        for _ in range(count):
            row = {
                field.name: _value(schema, field, rng)
                for field in found.fields.values()
                if field.type.kind != "model" and not field.is_read_only
                if field.name in always or rng.random() < 0.8
            }
            for key in foreign_keys(schema):
                parents = rows.get(key.parent)
                if key.model == name and parents:
                    parent = rng.choice(parents)
                    keys = schema.models[key.parent].primary_key
                    row.update(zip(key.fields, (parent[part] for part in keys), strict=True))
            rows[name].append(row)
    return rows


def _value(schema: Introspection, field: Field, rng: Random) -> Any:
    if field.is_array:
        return [_one(schema, field, rng) for _ in range(rng.randrange(4))]
    return _one(schema, field, rng)


def _one(schema: Introspection, field: Field, rng: Random) -> Any:
    kind, name = field.type.kind, field.type.name
    if kind == "enum":
        return rng.choice(schema.enums[name])
    if kind == "nonModel":
        fields = schema.fields_of(field.type).values()
        scalars = [inner for inner in fields if inner.type.kind != "model"]
        return {inner.name: _value(schema, inner, rng) for inner in scalars}
    return value_of(name, rng)


def value_of(scalar: str, rng: Random) -> Any:
    """Return a value that AppSync gives back as it was sent."""
    number = rng.getrandbits(30)
    day = f"20{number % 30:02}-0{1 + number % 9}-1{number % 9}"
    clock = f"1{number % 10}:{number % 60:02}:00.{number % 1000:03}"
    return {
        "ID": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "String": rng.choice(
            ["text", 'a "quoted", text', "zwei\nZeilen", "naïve 🐢", "x;y|z", " a "]
        )
        + str(number),
        "Int": number - 2**29,
        "Float": number / 1024,
        "Boolean": number % 2 == 0,
        "AWSDate": day,
        "AWSTime": clock,
        "AWSDateTime": f"{day}T{clock}Z",
        "AWSTimestamp": number,
        "AWSEmail": f"user{number}@example.org",
        "AWSJSON": json.dumps({"n": number, "l": [None, True, "x"]}, separators=(",", ":")),
        "AWSPhone": f"+1202555{number % 10000:04}",
        "AWSURL": f"https://example.org/{number}",
        "AWSIPAddress": f"192.0.2.{number % 256}",
    }[scalar]
