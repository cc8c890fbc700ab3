"""Check the values of fields and arguments against the schema, and convert them to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from seedctl.appsync.scalars import WrongValueError, convert_scalar
from seedctl.errors import InvalidInputError
from seedctl.masking import mask
from seedctl.nearest import advice, did_you_mean

if TYPE_CHECKING:
    from seedctl.outputs.models import Field, Introspection

HOW_TO_SKIP = "Pass validate=False to send it without this check."
_MAX_NAME = 60  # a longer text is not a mistyped name


class ValueConverter:
    """Converts the values of one schema's types. Raises InvalidInputError for a wrong value."""

    def __init__(self, schema: Introspection) -> None:
        self._schema = schema

    def convert_fields(
        self, fields: Mapping[str, Field], given: Mapping[str, Any], owner: str
    ) -> dict[str, Any]:
        """Return *given* as JSON. *owner* is what has the *fields*, as it is named in errors."""
        converted = {}
        for name, value in given.items():
            field = fields.get(name)
            if field is None:
                raise InvalidInputError(
                    f"{owner} has no field {name}.", resolution=advice(name, fields)
                )
            converted[name] = self._convert_field(field, value, f"{owner}.{name}")
        return converted

    def _convert_field(self, field: Field, value: Any, where: str) -> Any:
        if value is None:
            return None
        if not field.is_array:
            return self.convert_value(field, value, where)
        if not isinstance(value, list | tuple):
            raise wrong_value(f"{where} must be a list.", value)
        items = []
        for position, item in enumerate(value):
            at = f"{where}[{position}]"
            if item is None and field.is_required:
                raise wrong_value(f"{at} must be not null.", item)
            items.append(None if item is None else self.convert_value(field, item, at))
        return items

    def convert_value(self, field: Field, value: Any, where: str) -> Any:
        """Return one value of *field*, which is not None. *where* names it in errors."""
        type_ = field.type
        if type_.kind == "enum":
            return self._convert_enum(type_.name, value, where)
        if type_.kind == "scalar":
            try:
                return convert_scalar(type_.name, value)
            except WrongValueError as error:
                raise wrong_value(f"{where} must be {type_.name}: {error}.", value) from error
        if not isinstance(value, Mapping):
            raise wrong_value(f"{where} must be a mapping with the fields of {type_.name}.", value)
        fields = self._schema.fields_of(type_)
        for inner in fields.values():
            if inner.must_be_given and value.get(inner.name) is None:
                raise InvalidInputError(
                    f"{where}.{inner.name} is required, and missing.",
                    resolution=f"Give it a value. {HOW_TO_SKIP}",
                )
        return self.convert_fields(fields, value, where)

    def _convert_enum(self, name: str, value: Any, where: str) -> str:
        values = self._schema.enums[name]
        candidates = (value.value, value.name) if isinstance(value, Enum) else (value,)
        for candidate in candidates:
            if isinstance(candidate, str) and candidate in values:
                return str(candidate)
        expected = f"{where} must be one of {name}: {', '.join(values)}."
        if not isinstance(value, str) or len(value) > _MAX_NAME:
            raise wrong_value(expected, value)
        # Unlike other wrong values it is shown: it is most likely a mistyped name, not a secret.
        raise InvalidInputError(
            f"{expected} It is {mask(value)!r}.",
            resolution=did_you_mean(value, values) or f"Change the value. {HOW_TO_SKIP}",
        )


def wrong_value(expected: str, value: Any) -> InvalidInputError:
    """Return the error for *value*. It names the type only: the value may be a secret."""
    kind = "null" if value is None else f"a value of type {type(value).__name__}"
    return InvalidInputError(
        f"{expected} It is {kind}.", resolution=f"Change the value. {HOW_TO_SKIP}"
    )
