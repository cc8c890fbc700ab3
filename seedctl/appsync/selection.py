"""The fields that a request selects: all of a model, or those that dotted paths name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.errors import InvalidSelectionSetError
from seedctl.nearest import advice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from seedctl.outputs.models import Field, Introspection, Model, TypeName

    Selection: TypeAlias = "dict[str, Selection]"
    """Maps each selected field to the selection below it, which is empty for a scalar."""


def default_selection(schema: Introspection, model: Model) -> Selection:
    """Return all fields of *model*, with all fields of its custom types, without relations."""
    selection = _own_fields(schema, model.fields, ())
    selection.update((name, {}) for name in model.implied_fields)
    return selection


def type_selection(schema: Introspection, type_name: TypeName) -> Selection:
    """Return all fields of an operation's result; empty for a scalar or enum."""
    if type_name.kind == "model":
        return default_selection(schema, schema.models[type_name.name])
    if type_name.kind == "nonModel":
        return _own_fields(schema, schema.fields_of(type_name), (type_name.name,))
    return {}


def path_selection(schema: Introspection, model: Model, paths: Sequence[str]) -> Selection:
    """Return the fields that dotted *paths* name, such as ``comments.text`` and ``address.*``.

    Raises InvalidSelectionSetError for a path that is not in the schema, and for no path at all.
    """
    if isinstance(paths, str):
        raise InvalidSelectionSetError(
            f"The selection set of {model.name} is a str, not a list.",
            resolution=f"Write selection_set=[{paths!r}].",
        )
    if not paths:
        raise InvalidSelectionSetError(
            f"The selection set of {model.name} is empty: a request must select something.",
            resolution='Name at least one field, such as selection_set=["id"], or leave it out.',
        )
    selection: Selection = {}
    for path in paths:
        _select_in_model(schema, model, path.split("."), selection)
    return selection


def _own_fields(
    schema: Introspection, fields: Mapping[str, Field], outer_types: tuple[str, ...]
) -> Selection:
    selection: Selection = {}
    for field in fields.values():
        if field.type.kind in {"scalar", "enum"}:
            selection[field.name] = {}
        elif field.type.kind == "nonModel" and field.type.name not in outer_types:
            # A type that contains itself is left out, since it would never end.
            below = schema.fields_of(field.type)
            selection[field.name] = _own_fields(schema, below, (*outer_types, field.type.name))
    return selection


def _select_in_model(schema: Introspection, model: Model, path: list[str], into: Selection) -> None:
    name, rest = path[0], path[1:]
    field = model.fields.get(name)
    if field is None and name in model.implied_fields and not rest:
        into.setdefault(name, {})
        return
    if field is None:
        raise InvalidSelectionSetError(
            f"{name} is not a field of model {model.name}",
            resolution=advice(name, [*model.fields, *model.implied_fields]),
        )
    if field.type.kind != "model":
        _select_field(schema, field, rest, into, f"model {model.name}")
        return
    related = schema.models[field.type.name]
    if not rest:
        raise InvalidSelectionSetError(
            f"{name} must declare a wildcard (*) or a field of model {related.name}",
            resolution=f"Write {name}.* or {name}.{next(iter(related.fields))}.",
        )
    below = into.setdefault(name, {})
    if field.is_array:
        below = below.setdefault("items", {})
    if rest == ["*"]:
        _merge(below, default_selection(schema, related))
    else:
        _select_in_model(schema, related, rest, below)


def _select_field(
    schema: Introspection, field: Field, rest: list[str], into: Selection, owner: str
) -> None:
    """Select *field*, which is not a relation, and the *rest* of the path below it."""
    if field.type.kind != "nonModel":
        if rest:
            raise InvalidSelectionSetError(
                f"{field.name} of {owner} is a {field.type.name}, which has no fields to select",
                resolution=f"Write {field.name}.",
            )
        into.setdefault(field.name, {})
        return
    fields, name = schema.fields_of(field.type), field.type.name
    if not rest:
        raise InvalidSelectionSetError(
            f"{field.name} must declare a wildcard (*) or a field of custom type {name}",
            resolution=f"Write {field.name}.* or {field.name}.{next(iter(fields), '*')}.",
        )
    below = into.setdefault(field.name, {})
    if rest == ["*"]:
        _merge(below, _own_fields(schema, fields, (name,)))
        return
    inner = fields.get(rest[0])
    if inner is None:
        raise InvalidSelectionSetError(
            f"{rest[0]} is not a field of custom type {name}", resolution=advice(rest[0], fields)
        )
    _select_field(schema, inner, rest[1:], below, f"custom type {name}")


def _merge(into: Selection, more: Selection) -> None:
    for name, below in more.items():
        _merge(into.setdefault(name, {}), below)
