"""A schema whose names are reserved in Python, hide its types, or are used by the file itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Entry = dict[str, Any]


def field(name: str, kind: object = "String", *, required: bool = False, **more: object) -> Entry:
    """Return a field; *kind* is a scalar or an object such as ``{"enum": "Page"}``."""
    return {"name": name, "type": kind, "isRequired": required, "isArray": False, **more}


def many(name: str, kind: object = "String", *, nullable: bool = True, **more: Any) -> Entry:
    return field(name, kind, **{**more, "isArray": True, "isArrayNullable": nullable})


def relation(name: str, model: str, kind: str, keys: Sequence[str]) -> Entry:
    side = "targetNames" if kind == "BELONGS_TO" else "associatedWith"
    association = {"connectionType": kind, side: list(keys)}
    return field(
        name, {"model": model}, isArray=kind == "HAS_MANY", association=association, attributes=[]
    )


def named(entries: Sequence[Entry]) -> dict[str, Entry]:
    return {entry["name"]: entry for entry in entries}


def model(
    name: str,
    *fields: Entry,
    key: Sequence[str] = ("id",),
    indexes: Sequence[tuple[str, Sequence[str]]] = (),
) -> Entry:
    is_custom = key != ("id",)
    own = [] if is_custom else [field("id", "ID", required=True)]
    attributes = [
        {"type": "key", "properties": {"name": f"by{number}", "queryField": query, "fields": parts}}
        for number, (query, parts) in enumerate(indexes)
    ]
    if is_custom:
        attributes.append({"type": "key", "properties": {"fields": list(key)}})
    return {
        "name": name,
        "pluralName": f"{name}s",
        "fields": named([*own, *fields, field("createdAt", "AWSDateTime", isReadOnly=True)]),
        "attributes": [{"type": "model", "properties": {}}, *attributes],
        "primaryKeyInfo": {
            "isCustomPrimaryKey": is_custom,
            "primaryKeyFieldName": key[0],
            "sortKeyFieldNames": list(key[1:]),
        },
    }


def operation(name: str, kind: object, *arguments: Entry, **more: Any) -> Entry:
    return {**field(name, kind, **more), "arguments": named(arguments)}


_RESERVED = (
    "items",
    "keys",
    "get",
    "self",
    "Schema",
    "None",
    "type",
    "_x",
    "to_dict",
    "print",
    "copy",
)

_MODELS = (
    model(
        "Schema",
        field("class", required=True),
        *map(field, _RESERVED),
        field("str"),
        field("int", "Int"),
        many("list"),
        field("Page", {"enum": "Page"}),
        field("parentId", "ID"),
        relation("parent", "Schema", "BELONGS_TO", ["parentId"]),
        relation("children", "Schema", "HAS_MANY", ["parentId"]),
    ),
    model("class", field("from")),
    model(
        "Models",
        field("Models", {"nonModel": "Record"}),
        many("Record", {"nonModel": "Record"}, required=True, nullable=False),
        relation("Page_", "class", "HAS_ONE", ["id"]),
    ),
    model("list", many("list", "Int"), field("float", "Float", required=True), field("x", "Float")),
    model("Post", field("title", required=True)),
    model("PostCreate", field("a", required=True)),
    model("PostModel", field("b")),
    model("_Post"),
    model("_t", field("_t")),
    model(
        "Any",
        field("Any"),
        field("when", "AWSTimestamp"),
        field("on", "AWSDate"),
        field("kind", {"enum": "Page"}),
        field("n", "Int"),
        key=("on", "when"),
        indexes=(
            ("from", ["kind"]),
            ("list", ["kind", "on"]),
            ("_q", ["on", "kind"]),
            ("anyByKindAndN", ["kind", "n", "on"]),
        ),
    ),
    model("str", field("str"), field("bool", "Boolean")),
    model(
        "print",
        field("import"),
        field("tupleId", "ID", required=True),
        relation("print", "print", "BELONGS_TO", ["tupleId"]),
    ),
)

ODD_SCHEMA = {
    "models": named(_MODELS),
    "enums": {
        "Page": {"values": ["class", "None_", "A"]},
        "Literal": {"values": ["x"]},
        "Enums": {"values": ["a"]},
        "int": {"values": ["q"]},
    },
    "nonModels": {
        "Record": {
            "fields": named(
                [
                    field("self", {"nonModel": "Record"}),
                    field("a", required=True),
                    field("inner", {"nonModel": "Deep"}),
                    field("owner", {"model": "Post"}),
                ]
            )
        },
        "Deep": {
            "fields": named([field("lambda", "Int", required=True), field("e", {"enum": "int"})])
        },
    },
    "inputs": {
        "Rec": {
            "attributes": named([field("a", {"input": "Rec"}), field("if", {"nonModel": "Deep"})])
        }
    },
    "queries": named(
        [
            operation("import", "String"),
            operation(
                "echo",
                {"model": "Models"},
                field("message", required=True),
                field("rec", {"input": "Rec"}),
                isArray=True,
            ),
            operation("Echo", "AWSJSON", field("n", "Int"), required=True),
        ]
    ),
    "mutations": named([operation("echo", {"enum": "Page"}, field("class", required=True))]),
}
