"""Explain denials by field rules: which fields AppSync denied, and what the caller can do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seedctl.errors import UnauthorizedError

if TYPE_CHECKING:
    from seedctl.errors import GraphQLError, SeedctlError
    from seedctl.outputs.models import Model

_DENIED = re.compile(r"Unauthorized on \[([^\]]*)\]")

_NO_ID = (
    "The rules of fields do not let this caller send an id with a new record: AppSync accepts one only "
    "from a role that may create every field of {model}."
)
_WITHOUT_ID = (
    "upsert, key= and a given id need that. Leave the id out, which AppSync then generates: with "
    "create, or with create_many without key=."
)


def denied_fields(error: SeedctlError | None) -> tuple[str, ...]:
    """Return the input fields that AppSync says the rules deny; () for other errors."""
    if not isinstance(error, UnauthorizedError):
        return ()
    matches = (_DENIED.search(str(entry.get("message"))) for entry in error.errors)
    names = (match[1].split(",") for match in matches if match is not None)
    return tuple(name.strip() for found in names for name in found if name.strip())


def is_about_result(error: GraphQLError) -> bool:
    """Whether *error* only denies reading the result, so that the mutation itself was executed."""
    return (
        isinstance(error, UnauthorizedError)
        and bool(error.errors)
        and len(_paths_below(error)) == len(error.errors)
    )


def explain_unread(error: GraphQLError) -> bool:
    """Add to the resolution of *error* which fields of the result the caller may not read.

    Return whether the error is about the result only.
    """
    if not is_about_result(error):
        return False
    fields = dict.fromkeys(_field_path(path[1:]) for path in _paths_below(error))
    error.resolution = (
        f"No rule lets this caller read {', '.join(fields)}: give selection_set= with the fields that it "
        "may read."
    )
    return True


def _paths_below(error: GraphQLError) -> list[list[str | int]]:
    """Return the paths of the errors that are about fields of an operation's result."""
    paths = (entry.get("path") for entry in error.errors)
    return [path for path in paths if isinstance(path, list) and len(path) > 1]


def _field_path(path: list[str | int]) -> str:
    """Return *path* as a selection set has it: without the indexes of list items."""
    following = [*path[1:], None]
    return ".".join(
        str(part)
        for part, next_part in zip(path, following, strict=True)
        if isinstance(part, str) and not (part == "items" and isinstance(next_part, int))
    )


def explain_denial(error: SeedctlError, model: Model, verb: str) -> None:
    """Add to the resolution of *error* which rule denies *verb* for a record of *model*.

    An error that is not a denial by rules is not changed.
    """
    denied = denied_fields(error)
    reasons = []
    if verb == "create" and "id" in denied:
        reasons.append(_NO_ID.format(model=model.name))
        if model.primary_key == ("id",):
            reasons.append(_WITHOUT_ID)
        denied = tuple(name for name in denied if name != "id")
    if denied:
        named = ", ".join(denied)
        reasons.append(
            f"A field's rules replace those of the model, and no rule for {named} lets this caller "
            f"{verb} {'it' if len(denied) == 1 else 'each of them'}."
        )
        if verb == "create":
            reasons.append("A default counts as given.")
        if verb == "update":
            reasons.append("To set a field to null, a rule must allow delete.")
            if not set(denied).isdisjoint(model.primary_key):
                reasons.append("The parts of the model's key count as given.")
    elif verb == "delete" and isinstance(error, UnauthorizedError) and is_of_field(error):
        reasons.append("If fields have rules of their own, a role needs delete on every field.")
    if reasons:
        error.resolution = " ".join([*reasons, error.resolution or ""]).rstrip()


def is_of_field(error: GraphQLError) -> bool:
    """Whether AppSync executed the document, and refused one of its fields."""
    return bool(error.errors) and error.errors[0].get("path") is not None
