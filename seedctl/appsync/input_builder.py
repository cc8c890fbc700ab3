"""Build the variables of a request from what a script gives, checked against the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedctl.appsync.documents import key_arguments
from seedctl.appsync.records import Record, type_name_of
from seedctl.appsync.values import HOW_TO_SKIP, ValueConverter, to_json, wrong_value
from seedctl.errors import InvalidInputError
from seedctl.nearest import advice
from seedctl.outputs.models import Field, Introspection, Model, OperationSignature

_TIMESTAMPS = {"createdAt", "updatedAt"}


class InputBuilder:
    """Builds request variables for one schema. Without *validate* values are only made JSON."""

    def __init__(self, schema: Introspection) -> None:
        self._schema = schema
        self._values = ValueConverter(schema)

    def create(self, model: Model, given: Mapping[str, Any], *, validate: bool) -> dict[str, Any]:
        resolved = self._with_foreign_keys(model, given, validate=validate)
        if isinstance(given, Record):  # it was read, and has the fields that the API sets
            resolved = without_api_fields(model, resolved)
        if not validate:
            return _unchecked(resolved)
        variables = self._convert_record(model, resolved)
        for field in model.fields.values():
            is_missing = field.must_be_given and resolved.get(field.name) is None
            if is_missing and is_set_by_script(model, field):
                raise _missing_field(model, field)
        return variables

    def update(self, model: Model, given: Mapping[str, Any], *, validate: bool) -> dict[str, Any]:
        """Return the input of an update, without the fields that the API sets."""
        resolved = self._with_foreign_keys(model, given, validate=validate)
        changes = without_api_fields(model, resolved)
        if not validate:
            return _unchecked(changes)
        require_key(model, changes)
        for name, value in changes.items():
            field = model.fields.get(name)
            if field is not None and field.must_be_given and value is None:
                raise InvalidInputError(
                    f"{model.name}.{name} is required. If it were null, every later read of the "
                    "record would fail.",
                    resolution=f"Leave it out to keep its value. {HOW_TO_SKIP}",
                )
        return self._convert_record(model, changes)

    def key(self, model: Model, given: Mapping[str, Any], *, validate: bool) -> dict[str, Any]:
        """Return the key fields of *given* alone."""
        given = _require_mapping(given, model.name)
        key = {name: given[name] for name in model.primary_key if name in given}
        if not validate:
            return _unchecked(key)
        require_key(model, key)
        return self._convert_record(model, key)

    def key_conditions(
        self,
        model: Model,
        method: str,
        fields: Sequence[str],
        given: Mapping[str, Any],
        *,
        validate: bool,
    ) -> dict[str, Any]:
        """Return the key arguments of a list or index query over the key *fields*.

        *method* names it in errors, such as "Todo.list".
        """
        given = _require_mapping(given, model.name)
        arguments = key_arguments(model, fields) if fields else ()
        conditions: dict[str, Any] = {}
        for name, value in given.items():
            if validate and name not in arguments:
                raise InvalidInputError(
                    f"{name} is not a key argument of {method}.",
                    resolution=advice(name, arguments, none="It has none.")
                    + " Other fields belong in filter=.",
                )
            is_partition_key = bool(arguments) and name == arguments[0]
            if validate and is_partition_key and value is not None:
                where = f"{model.name}.{name}"
                conditions[name] = self._values.convert_value(model.fields[name], value, where)
            else:
                conditions[name] = to_json(value)
        return conditions

    def filter(self, model: Model, given: Mapping[str, Any], *, validate: bool) -> dict[str, Any]:
        given = _require_mapping(given, f"the filter of {model.name}")
        if validate:
            _check_filter(model, given)
        return _unchecked(given)

    def arguments(
        self, operation: OperationSignature, given: Mapping[str, Any], *, validate: bool
    ) -> dict[str, Any]:
        given = _require_mapping(given, operation.name)
        for name, argument in operation.arguments.items():
            if argument.must_be_given and given.get(name) is None:
                raise InvalidInputError(f"{operation.name} requires arguments '{name}'")
        if not validate:
            return {name: to_json(given[name]) for name in operation.arguments if name in given}
        return self._values.convert_fields(operation.arguments, given, operation.name)

    def _with_foreign_keys(
        self, model: Model, given: Mapping[str, Any], *, validate: bool
    ) -> dict[str, Any]:
        """Return *given* with foreign keys in place of related records."""
        resolved: dict[str, Any] = {}
        foreign_keys: dict[str, tuple[str, Any]] = {}
        for name, value in _require_mapping(given, model.name).items():
            field = model.fields.get(name)
            association = field.association if field is not None else None
            if field is None or association is None:
                resolved[name] = value
            elif association.connection_type == "BELONGS_TO":
                related = self._schema.models[field.type.name]
                for key, part in _foreign_key(model, field, related, value).items():
                    foreign_keys[key] = (name, part)
            elif isinstance(given, Record):
                continue  # the record was loaded with its children, which are not changed here
            elif validate or value is not None:
                raise InvalidInputError(
                    f"{model.name}.{name} cannot be set here: {field.type.name} holds the foreign "
                    f"key ({', '.join(association.associated_with)}).",
                    resolution=f"Create the {field.type.name} records with that key instead.",
                )
        for key, (name, part) in foreign_keys.items():
            if key in resolved and resolved[key] != part:
                raise InvalidInputError(
                    f"{model.name}.{name} and {model.name}.{key} are both given, and differ.",
                    resolution=f"Leave one of them out: {name} is stored as {key}.",
                )
            resolved[key] = part
        return resolved

    def _convert_record(self, model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
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
                    resolution="Sign in as the user who shall own the record, or declare the field "
                    "in the schema.",
                )
        return self._values.convert_fields(model.fields, given, model.name)


def _check_filter(model: Model, given: Mapping[str, Any]) -> None:
    for name, condition in given.items():
        if name in {"and", "or"} and isinstance(condition, list | tuple):
            for part in condition:
                _check_filter(model, _require_mapping(part, f"the filter of {model.name}"))
        elif name in {"and", "or", "not"}:
            _check_filter(model, _require_mapping(condition, f"the filter of {model.name}"))
        elif name not in {*model.implied_fields, *model.fields, "id", *_TIMESTAMPS}:
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


def without_api_fields(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return *given* without the fields that the API sets itself."""
    return {
        name: value
        for name, value in given.items()
        if name not in model.implied_fields
        and not (name in model.fields and model.fields[name].is_read_only)
    }


def _foreign_key(model: Model, field: Field, related: Model, value: object) -> dict[str, Any]:
    """Return the foreign key for *value*, the record to which the relation *field* shall refer."""
    assert field.association is not None
    targets = field.association.target_names
    if value is None:
        return dict.fromkeys(targets)
    where = f"{model.name}.{field.name}"
    if not isinstance(value, Mapping):
        raise wrong_value(
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
    # By position, since the names on both sides may differ.
    return {target: value[name] for target, name in zip(targets, related.primary_key, strict=False)}


def is_set_by_script(model: Model, field: Field) -> bool:
    """Whether a script must give *field* in a create, if the schema requires it at all."""
    return not (
        field.is_read_only
        or field.type.kind == "model"
        or field.name in _TIMESTAMPS  # the API sets them
        or (field.name == "id" and "id" in model.primary_key)
    )


def _missing_field(model: Model, field: Field) -> InvalidInputError:
    """Return the error for a create without *field*, which the schema requires."""
    message = f"{model.name}.{field.name} is required, and missing from the record."
    holds = model.owner_fields.get(field.name)
    if holds is None:
        return InvalidInputError(
            message,
            resolution="Give it a value. AppSync requires one even if the field has a default.",
        )
    # AppSync refuses the input before it would fill in the owner.
    what = "a group" if holds == "group" else "the owner: the user name, or the sub, of a user"
    return InvalidInputError(
        message,
        resolution=f"Give {f'a list with {what}' if field.is_array else what}. AppSync fills in "
        "only what the schema does not require.",
    )


def require_key(model: Model, given: Mapping[str, Any]) -> None:
    """Raise InvalidInputError when *given* lacks a part of the primary key."""
    missing = [name for name in model.primary_key if given.get(name) is None]
    if missing:
        raise InvalidInputError(
            f"The primary key of {model.name} is {', '.join(model.primary_key)}; missing: "
            f"{', '.join(missing)}.",
            resolution="Give the whole key.",
        )


def _unchecked(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_json(value) for name, value in given.items()}


def _require_mapping(given: object, owner: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInputError(
            f"The value for {owner} is a {type(given).__name__}, not a mapping.",
            resolution='Write {"field": value}.',
        )
    return given
