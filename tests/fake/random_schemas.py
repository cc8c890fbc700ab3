"""Schemas put together at random: scalars, enums, custom types, keys, relations, validators."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedctl.outputs import AmplifyOutputs, parse_outputs

_SCALARS = (
    *("String", "String", "String", "ID", "Int", "Float", "Boolean"),
    *("AWSDate", "AWSDateTime", "AWSTime", "AWSTimestamp", "AWSEmail", "AWSJSON"),
    *("AWSPhone", "AWSURL", "AWSIPAddress"),
)
_KEY_SCALARS = tuple(dict.fromkeys(each for each in _SCALARS if each not in ("Boolean", "AWSJSON")))
_NAMES = (
    *("email", "firstName", "lastName", "price", "city", "country", "title", "body", "startDate"),
    *(
        "endsAt",
        "createdOn",
        "isActive",
        "quantity",
        "rating",
        "latitude",
        "code",
        "status",
        "notes",
    ),
    *("x", "some_value", "URL", "phoneNumber", "imageKey", "userId", "zip", "age", "tags"),
)
_PATTERNS = (
    *("^[A-Z]{3}-[0-9]{4,}$", "[a-z]+", "^\\\\d{5}(-\\\\d{4})?$", "^(red|green|blue)[0-9]+$"),
    *("^(?=.*[A-Z])(?=.*\\\\d).{8,}$", "^\\\\p{Lu}\\\\w*$", "^[^\\\\s@]+@[^\\\\s@]+$", "(ab|cd)*e"),
    "^(\\\\w)x\\\\1[0-9]*$",
)


@dataclass
class _Model:
    name: str
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    key: tuple[str, ...] = ("id",)
    attributes: list[dict[str, Any]] = field(default_factory=list)
    validators: dict[str, str] = field(default_factory=dict)


class RandomSchema:
    """The outputs of a backend with random models, the same for the same *number*."""

    def __init__(self, number: int) -> None:
        self._chance = random.Random(number)
        self._enums = {f"Kind{n}": self._enum() for n in range(self._chance.randint(1, 3))}
        self._custom: dict[str, dict[str, Any]] = {}
        for n in range(self._chance.randint(1, 3)):
            self._custom[f"Part{n}"] = self._custom_type(f"Part{n}")
        self._models: list[_Model] = []
        for n in range(self._chance.randint(2, 5)):
            self._models.append(self._model(f"Model{n}"))

    def outputs(self, base: dict[str, Any]) -> AmplifyOutputs:
        """Return the outputs file *base* with these models."""
        introspection = {
            "version": 1,
            "models": {each.name: _document(each) for each in self._models},
            "enums": {
                name: {"name": name, "values": values} for name, values in self._enums.items()
            },
            "nonModels": {
                name: {"name": name, "fields": fields} for name, fields in self._custom.items()
            },
        }
        return parse_outputs(
            {
                **base,
                "data": {**base["data"], "model_introspection": introspection},
                "custom": {"seedctl": {"format": 1, "model_schema": self._source()}},
            },
            Path("amplify_outputs.json"),
        )

    def _maybe(self, share: float) -> bool:
        return self._chance.random() < share

    def _enum(self) -> list[str]:
        return [f"V{n}" for n in range(self._chance.randint(1, 5))]

    def _type(self) -> Any:
        if self._maybe(0.15):
            return {"enum": self._chance.choice(list(self._enums))}
        if self._custom and self._maybe(0.15):
            return {"nonModel": self._chance.choice(list(self._custom))}
        return self._chance.choice(_SCALARS)

    def _custom_type(self, name: str) -> dict[str, Any]:
        fields = self._fields(self._chance.randint(1, 4))
        if self._maybe(0.3):  # a tree
            fields["inner"] = _field("inner", {"nonModel": name}, is_array=self._maybe(0.5))
        return fields

    def _fields(self, count: int) -> dict[str, Any]:
        names = self._chance.sample(_NAMES, count)
        return {
            name: _field(
                name, self._type(), is_required=self._maybe(0.4), is_array=self._maybe(0.2)
            )
            for name in names
        }

    def _model(self, name: str) -> _Model:
        model = _Model(name, self._fields(self._chance.randint(2, 8)))
        model.fields = {n: each for n, each in model.fields.items() if n != "id"}
        self._add_key(model)
        for other in self._chance.sample(self._models, min(len(self._models), 2)):
            self._add_relation(model, other)
        if self._maybe(0.3) and "id" in model.key:
            self._add_relation(model, model)
        self._add_validators(model)
        self._add_index(model)
        return model

    def _add_key(self, model: _Model) -> None:
        if self._maybe(0.4):
            model.fields["id"] = _field("id", "ID", is_required=True)
            return
        names = [f"key{n}" for n in range(self._chance.randint(1, 3))]
        for name in names:
            model.fields[name] = _field(name, self._chance.choice(_KEY_SCALARS), is_required=True)
        if len(names) > 1 and self._maybe(0.5):
            kind = {"enum": self._chance.choice(list(self._enums))}
            model.fields["kind"] = _field("kind", kind, is_required=True)
            names.insert(1, "kind")
        model.key = tuple(names)

    def _add_relation(self, model: _Model, parent: _Model) -> None:
        relation = f"to{parent.name}"
        is_required, is_one = self._maybe(0.4), model is not parent and self._maybe(0.2)
        names = [f"{relation}_{part}" for part in parent.key]
        for name, part in zip(names, parent.key, strict=True):
            model.fields[name] = _field(name, parent.fields[part]["type"], is_required=is_required)
        model.fields[relation] = {
            **_field(relation, {"model": parent.name}),
            "association": {"connectionType": "BELONGS_TO", "targetNames": names},
        }
        back = f"{model.name.lower()}s"
        parent.fields[back] = {
            **_field(back, {"model": model.name}, is_array=not is_one),
            "association": {
                "connectionType": "HAS_ONE" if is_one else "HAS_MANY",
                "associatedWith": names,
            },
        }
        if model is not parent and is_required and self._maybe(0.3):
            model.key = (*names, *model.key)[:4] if "id" not in model.key else model.key

    def _add_validators(self, model: _Model) -> None:
        for name, each in model.fields.items():
            if each["isArray"] or name.startswith("toModel") or self._maybe(0.6):
                continue
            if each["type"] in ("Int", "Float"):
                low = self._chance.randint(-500, 500)
                high = low + self._chance.choice((1, 50, 1_000_000))
                if name in model.key:
                    high = low + 1_000_000
                model.validators[name] = _validate("gte", low) + _validate("lte", high)
            elif each["type"] == "String":
                model.validators[name] = self._text_validators()

    def _text_validators(self) -> str:
        if self._maybe(0.4):
            return _validate("matches", self._chance.choice(_PATTERNS))
        least = self._chance.choice((1, 10, 300))
        found = _validate("minLength", least) + _validate(
            "maxLength", least + self._chance.choice((15, 200))
        )
        return found + (_validate("startsWith", "ab-") if self._maybe(0.3) else "")

    def _add_index(self, model: _Model) -> None:
        names = [
            name
            for name, each in model.fields.items()
            if not each["isArray"]
            and each["type"] in _KEY_SCALARS
            and name not in model.key
            and "_" not in name
        ]
        if names and self._maybe(0.5):
            fields = self._chance.sample(names, min(len(names), self._chance.randint(1, 3)))
            properties = {
                "name": "byThese",
                "queryField": f"list{model.name}These",
                "fields": fields,
            }
            model.attributes.append({"type": "key", "properties": properties})

    def _source(self) -> str:
        return "\n".join(
            f"type {model.name} @model {{\n"
            + "\n".join(
                f"  {name}: {_graphql_type(each)} {model.validators.get(name, '')}"
                for name, each in model.fields.items()
            )
            + "\n}"
            for model in self._models
        )


def _field(
    name: str, type_: Any, *, is_required: bool = False, is_array: bool = False
) -> dict[str, Any]:
    found = {
        "name": name,
        "isArray": is_array,
        "type": type_,
        "isRequired": is_required,
        "attributes": [],
    }
    if is_array:
        found["isArrayNullable"] = not is_required
    return found


def _validate(kind: str, value: object) -> str:
    text = str(value) if isinstance(value, int) else value
    return f' @validate(type: {kind}, value: "{text}")'


def _graphql_type(field_: dict[str, Any]) -> str:
    kind = field_["type"]
    name = kind if isinstance(kind, str) else next(iter(kind.values()))
    return f"[{name}]" if field_["isArray"] else name


def _document(model: _Model) -> dict[str, Any]:
    rules = [{"allow": "private", "provider": "iam"}]
    keyed = [] if model.key == ("id",) else [{"type": "key", "properties": {"fields": model.key}}]
    # As from a file: with lists in place of tuples.
    document: dict[str, Any] = json.loads(
        json.dumps(
            {
                "name": model.name,
                "pluralName": f"{model.name}s",
                "syncable": True,
                "fields": model.fields,
                "attributes": [
                    {"type": "model", "properties": {}},
                    *keyed,
                    *model.attributes,
                    {"type": "auth", "properties": {"rules": rules}},
                ],
                "primaryKeyInfo": {
                    "isCustomPrimaryKey": model.key != ("id",),
                    "primaryKeyFieldName": model.key[0],
                    "sortKeyFieldNames": model.key[1:],
                },
            }
        )
    )
    return document
