"""From what a script gives to the variables of a request, checked against the schema."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from seedctl.appsync.documents import key_arguments
from seedctl.appsync.records import Record, type_name_of
from seedctl.appsync.scalars import WrongValueError, convert_scalar, plain
from seedctl.errors import InvalidInputError
from seedctl.masking import mask
from seedctl.nearest import advice, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedctl.outputs.models import Field, Introspection, Model, OperationSignature

_UNCHECKED = "Pass validate=False if the schema knows better."
_LONGEST_NAME = 60


class InputBuilder:
    """Makes request variables for one schema."""

    def __init__(self, schema: Introspection) -> None:
        self._schema = schema

    def create(self, model: Model, given: Mapping[str, Any], *, validate: bool) -> dict[str, Any]:
        is_record = isinstance(given, Record)
        given = self._resolved(model, given, validate=validate)
        if is_record:  # as AppSync returned it, with what AppSync has set itself
            given = _without_own(model, given)
        if not validate:
            return _unchecked(given)
        checked = self._checked_fields(model, given)
        for field in model.fields.values():
            if field.must_be_given and given.get(field.name) is None and _is_asked(model, field):
                raise _missing(model, field)
        return checked

    def update(self, model: Model, given: Mapping[str, Any], *, validate: bool) -> dict[str, Any]:
        """Return the input of an update; what the API sets itself is left out of it."""
        given = self._resolved(model, given, validate=validate)
        kept = _without_own(model, given)
        if not validate:
            return _unchecked(kept)
        _require_key(model, kept)
        for name, value in kept.items():
            field = model.fields.get(name)
            if field is not None and field.must_be_given and value is None:
                raise InvalidInputError(
                    f"{model.name}.{name} is required: set to null, every later read of the record "
                    "would fail.",
                    resolution=f"Leave it out to keep its value. {_UNCHECKED}",
                )
        return self._checked_fields(model, kept)

    def key(self, model: Model, given: Mapping[str, Any], *, validate: bool) -> dict[str, Any]:
        """Return just the key fields of *given*."""
        given = _mapping(given, model.name)
        kept = {name: given[name] for name in model.primary_key if name in given}
        if not validate:
            return _unchecked(kept)
        _require_key(model, kept)
        return self._checked_fields(model, kept)

    def key_conditions(
        self, model: Model, fields: Sequence[str], given: Mapping[str, Any], *, validate: bool
    ) -> dict[str, Any]:
        """Return the arguments by which a list is options for with the key of *fields*."""
        given = _mapping(given, model.name)
        arguments = key_arguments(model, fields) if fields else ()
        conditions: dict[str, Any] = {}
        for name, value in given.items():
            if validate and name not in arguments:
                raise InvalidInputError(
                    f"{name} is no key argument of this list of {model.name}.",
                    resolution=advice(name, arguments) + " Other fields belong in filter=.",
                )
            is_partition_key = bool(arguments) and name == arguments[0]
            if validate and is_partition_key and value is not None:
                conditions[name] = self._value(model.fields[name], value, f"{model.name}.{name}")
            else:
                conditions[name] = plain(value)
        return conditions

    def filter(self, model: Model, given: Mapping[str, Any], *, validate: bool) -> dict[str, Any]:
        given = _mapping(given, f"the filter of {model.name}")
        if validate:
            self._check_filter(model, given)
        return _unchecked(given)

    def arguments(
        self, operation: OperationSignature, given: Mapping[str, Any], *, validate: bool
    ) -> dict[str, Any]:
        given = _mapping(given, operation.name)
        for name, argument in operation.arguments.items():
            if argument.must_be_given and given.get(name) is None:
                raise InvalidInputError(f"{operation.name} requires arguments '{name}'")
        if not validate:
            return {name: plain(given[name]) for name in operation.arguments if name in given}
        return self._checked(operation.arguments, given, operation.name)

    def _resolved(
        self, model: Model, given: Mapping[str, Any], *, validate: bool
    ) -> dict[str, Any]:
        """Return *given* with foreign keys in place of related records."""
        resolved: dict[str, Any] = {}
        related_keys: dict[str, tuple[str, Any]] = {}
        for name, value in _mapping(given, model.name).items():
            field = model.fields.get(name)
            association = field.association if field is not None else None
            if field is None or association is None:
                resolved[name] = value
            elif association.connection_type == "BELONGS_TO":
                related = self._schema.models[field.type.name]
                for key, part in _foreign_keys(model, field, related, value).items():
                    related_keys[key] = (name, part)
            elif isinstance(given, Record):
                continue  # it was loaded with them; they are the other model's to change
            elif validate or value is not None:
                raise InvalidInputError(
                    f"{model.name}.{name} cannot be set here: {field.type.name} holds the foreign "
                    f"key ({', '.join(association.associated_with)}).",
                    resolution=f"Create the {field.type.name} records with that key instead.",
                )
        for key, (name, part) in related_keys.items():
            if key in resolved and resolved[key] != part:
                raise InvalidInputError(
                    f"{model.name}.{name} and {model.name}.{key} are both given, and differ.",
                    resolution=f"Leave one of them out: {name} is kept as {key}.",
                )
            resolved[key] = part
        return resolved

    def _checked_fields(self, model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
        for name in given:
            field = model.fields.get(name)
            if field is not None and field.is_read_only:
                raise InvalidInputError(
                    f"{model.name}.{name} is set by the API itself.",
                    resolution=f"Leave it out, or declare {name} in the schema to set it yourself.",
                )
            if name in model.implied_fields:
                raise InvalidInputError(
                    f"{model.name}.{name} is set by the API itself: the schema does not declare it.",
                    resolution="Sign in as the owner to be, or declare the field in the schema.",
                )
        return self._checked(model.fields, given, model.name)

    def _checked(
        self, fields: Mapping[str, Field], given: Mapping[str, Any], owner: str
    ) -> dict[str, Any]:
        checked = {}
        for name, value in given.items():
            field = fields.get(name)
            if field is None:
                raise InvalidInputError(
                    f"{owner} has no field {name}.", resolution=advice(name, fields)
                )
            checked[name] = self._field(field, value, f"{owner}.{name}")
        return checked

    def _field(self, field: Field, value: Any, where: str) -> Any:
        if value is None:
            return None
        if not field.is_array:
            return self._value(field, value, where)
        if not isinstance(value, list | tuple):
            raise _wrong(f"{where} must be a list.", value)
        items = []
        for position, item in enumerate(value):
            if item is None and field.is_required:
                raise _wrong(f"{where}[{position}] must be not null.", item)
            at = f"{where}[{position}]"
            items.append(None if item is None else self._value(field, item, at))
        return items

    def _value(self, field: Field, value: Any, where: str) -> Any:
        type_ = field.type
        if type_.kind == "enum":
            return self._enum(type_.name, value, where)
        if type_.kind == "scalar":
            try:
                return convert_scalar(type_.name, value)
            except WrongValueError as error:
                raise _wrong(f"{where} must be {type_.name}: {error}.", value) from error
        if not isinstance(value, Mapping):
            raise _wrong(f"{where} must be a mapping with the fields of {type_.name}.", value)
        fields = self._schema.fields_of(type_)
        for inner in fields.values():
            if inner.must_be_given and value.get(inner.name) is None:
                raise InvalidInputError(
                    f"{where}.{inner.name} is required, and missing.",
                    resolution=f"Give it a value. {_UNCHECKED}",
                )
        return self._checked(fields, value, where)

    def _enum(self, name: str, value: Any, where: str) -> str:
        values = self._schema.enums[name]
        candidates = (value.value, value.name) if isinstance(value, Enum) else (value,)
        for candidate in candidates:
            if isinstance(candidate, str) and candidate in values:
                return str(candidate)
        expected = f"{where} must be one of {name}: {', '.join(values)}."
        if not isinstance(value, str) or len(value) > _LONGEST_NAME:
            raise _wrong(expected, value)
        # Named: it stands for a name of the schema, and whoever mistyped it looks for it.
        raise InvalidInputError(
            f"{expected} It is {mask(value)!r}.",
            resolution=did_you_mean(value, values) or f"Change the value. {_UNCHECKED}",
        )

    def _check_filter(self, model: Model, given: Mapping[str, Any]) -> None:
        for name, condition in given.items():
            if name in {"and", "or"} and isinstance(condition, list | tuple):
                for part in condition:
                    self._check_filter(model, _mapping(part, f"the filter of {model.name}"))
            elif name in {"and", "or", "not"}:
                self._check_filter(model, _mapping(condition, f"the filter of {model.name}"))
            elif name not in model.implied_fields and (
                name not in model.fields and name not in {"id", "createdAt", "updatedAt"}
            ):
                raise InvalidInputError(
                    f"{model.name} has no field {name} to filter by.",
                    resolution=advice(name, [*model.fields, *model.implied_fields]),
                )
            elif condition is not None and not isinstance(condition, Mapping):
                raise InvalidInputError(
                    f"The filter of {model.name}.{name} is a {type(condition).__name__}, "
                    "not a condition.",
                    resolution=f'Write {{"{name}": {{"eq": ...}}}}.',
                )


def _without_own(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return *given* without what the API sets itself."""
    return {
        name: value
        for name, value in given.items()
        if name not in model.implied_fields
        and not (name in model.fields and model.fields[name].is_read_only)
    }


def _foreign_keys(model: Model, field: Field, related: Model, value: Any) -> dict[str, Any]:
    assert field.association is not None
    targets = field.association.target_names
    if value is None:
        return dict.fromkeys(targets)
    where = f"{model.name}.{field.name}"
    if not isinstance(value, Mapping):
        raise _wrong(
            f"{where} must be a record of {related.name} or a mapping with its key.", value
        )
    if isinstance(value, Record) and type_name_of(value) != related.name:
        raise InvalidInputError(
            f"{where} must be a record of {related.name}. It is one of {type_name_of(value)}.",
            resolution=f"Give a {related.name}, or a mapping with its key.",
        )
    missing = [name for name in related.primary_key if value.get(name) is None]
    if missing:
        raise InvalidInputError(
            f"{where} is a {related.name} without its key: {', '.join(missing)}.",
            resolution="Give the record as AppSync returned it, or a mapping with its key.",
        )
    # By position: the names on both sides need not be the same.
    return {target: value[name] for target, name in zip(targets, related.primary_key, strict=False)}


def _is_asked(model: Model, field: Field) -> bool:
    """Whether a create must give *field*, when the schema requires it at all."""
    return not (
        field.is_read_only
        or field.type.kind == "model"
        or field.name in {"createdAt", "updatedAt"}  # the API fills them
        or (field.name == "id" and "id" in model.primary_key)
    )


def _missing(model: Model, field: Field) -> InvalidInputError:
    """Return the error for a create without *field*, which the schema requires."""
    message = f"{model.name}.{field.name} is required, and missing from the record."
    holds = model.owner_fields.get(field.name)
    if holds is None:
        return InvalidInputError(
            message,
            resolution=f"Give it a value. {_UNCHECKED} A default in the schema is not in the "
            "outputs file.",
        )
    # AppSync fills in the owner after it has checked the input, which is then refused.
    what = "a group" if holds == "group" else "the owner: the user name, or the sub, of a user"
    return InvalidInputError(
        message,
        resolution=f"Give {f'a list with {what}' if field.is_array else what}. AppSync fills in "
        "only what the schema does not require.",
    )


def _require_key(model: Model, given: Mapping[str, Any]) -> None:
    missing = [name for name in model.primary_key if given.get(name) is None]
    if missing:
        raise InvalidInputError(
            f"{model.name} is found by {', '.join(model.primary_key)}; missing: "
            f"{', '.join(missing)}.",
            resolution="Give the whole key.",
        )


def _unchecked(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in given.items()}


def _mapping(given: Any, owner: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInputError(
            f"What is given for {owner} is a {type(given).__name__}, not a mapping.",
            resolution='Write {"field": value}.',
        )
    return given


def _wrong(expected: str, value: Any) -> InvalidInputError:
    # The kind of the value, never the value: it may be a secret.
    kind = "null" if value is None else f"a value of type {type(value).__name__}"
    return InvalidInputError(
        f"{expected} It is {kind}.",
        resolution=f"Change the value. {_UNCHECKED}",
    )
