"""Mask the fields of records and users in an export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seedctl.errors import InvalidInputError
from seedctl.nearest import advice
from seedctl.outputs import STANDARD_ATTRIBUTES
from seedctl.outputs.models import Field, Introspection
from seedctl.rows.pseudonyms import Pseudonyms
from seedctl.rows.relations import foreign_keys

USERS = "users"
"""The name for the users of the user pool, where otherwise a model is named."""

_USER_FIELDS = ("username", "sub", *STANDARD_ATTRIBUTES)
_CUSTOM = "custom:"
# Cognito's attributes are text; it checks the format of these.
_ATTRIBUTE_TYPES = {
    "birthdate": "AWSDate",
    "picture": "AWSURL",
    "profile": "AWSURL",
    "website": "AWSURL",
}


class MaskedFields:
    """The fields to mask. A field of a key is masked in all models that contain the same key."""

    def __init__(
        self, schema: Introspection, wanted: Sequence[str], pseudonyms: Pseudonyms
    ) -> None:
        """*wanted* are names of fields, for all types that have them, or ``Type.field``.

        Raises InvalidInputError for a name that nothing has, since its values would not be masked.
        """
        self._schema = schema
        self._pseudonyms = pseudonyms
        known = _known_fields(schema)
        self._fields: set[tuple[str, str]] = set()
        for name in wanted:
            owner, _, field = name.rpartition(".")
            found = {each for each in known if each[1] == field and owner in ("", each[0])}
            if field.startswith(_CUSTOM) and owner in ("", USERS):
                found.add((USERS, field))
            if not found:
                names = [".".join(each) for each in known] if owner else {each[1] for each in known}
                raise InvalidInputError(
                    f"--mask {name}: no model, custom type or user has this field.",
                    resolution=advice(name, sorted(names)),
                )
            self._fields |= found
        self._add_related_keys()

    def _add_related_keys(self) -> None:
        links = [
            ((key.model, name), (key.parent, part))
            for key in foreign_keys(self._schema)
            for name, part in zip(
                key.fields, self._schema.models[key.parent].primary_key, strict=False
            )
        ]
        count = 0
        while count != len(self._fields):
            count = len(self._fields)
            for link in links:
                if not self._fields.isdisjoint(link):
                    self._fields.update(link)

    def names(self) -> list[str]:
        """Return the masked fields as ``Type.field``, sorted."""
        return sorted(".".join(each) for each in self._fields)

    def record(self, model: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the *values* of a record of *model*, masked."""
        return self._fields_of(model, self._schema.models[model].fields, values)

    def user(self, username: str, attributes: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Return the name and the attributes of a user, masked."""
        masked = {
            name: self._pseudonyms.of(value, _ATTRIBUTE_TYPES.get(name, ""))
            if (USERS, name) in self._fields
            else value
            for name, value in attributes.items()
        }
        if (USERS, "username") in self._fields:
            username = self._pseudonyms.of(username, "")
        return username, masked

    def _fields_of(
        self, owner: str, fields: Mapping[str, Field], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            name: self._value(fields.get(name), value, is_masked=(owner, name) in self._fields)
            for name, value in values.items()
        }

    def _value(self, field: Field | None, value: Any, *, is_masked: bool) -> Any:
        if isinstance(value, list):
            return [self._value(field, item, is_masked=is_masked) for item in value]
        if field is None:  # an owner that the schema does not declare
            return self._pseudonyms.of(value, "") if is_masked else value
        if isinstance(value, Mapping):
            fields = self._schema.fields_of(field.type)
            if not is_masked:
                return self._fields_of(field.type.name, fields, value)
            return {
                name: self._value(fields.get(name), inner, is_masked=True)
                for name, inner in value.items()
            }
        if not is_masked:
            return value
        choices = self._schema.enums[field.type.name] if field.type.kind == "enum" else ()
        return self._pseudonyms.of(value, field.type.name, choices)


def _known_fields(schema: Introspection) -> list[tuple[str, str]]:
    """Return the type and the name of each field that is not a relation."""

    def of(owner: str, fields: Iterable[Field]) -> list[tuple[str, str]]:
        return [(owner, field.name) for field in fields if field.type.kind != "model"]

    known = [(USERS, name) for name in _USER_FIELDS]
    for model in schema.models.values():
        known += of(model.name, model.fields.values())
        known += [(model.name, name) for name in model.implied_fields]
    for custom in schema.custom_types.values():
        known += of(custom.name, custom.fields.values())
    return known
