"""Fake users that fit the user pool: user names, and the attributes that it requires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from seedctl.errors import InvalidInputError
from seedctl.fake.draws import RowDraws
from seedctl.fake.fields import MadeField
from seedctl.fake.given import check_count, given_maker, is_function
from seedctl.fake.meanings import meaning_of
from seedctl.fake.plan import FakeRow
from seedctl.outputs.auth import AuthSection
from seedctl.outputs.details import UserPoolDetails
from seedctl.outputs.models import Field, TypeName

_OWNER = "User"
_USERNAME = "username"
_GROUPS = "groups"


class FakeUser(NamedTuple):
    """One fake user, without a password."""

    username: str
    attributes: Mapping[str, Any]
    groups: tuple[str, ...]


def fake_users(
    settings: AuthSection,
    details: UserPoolDetails | None,
    count: int,
    *,
    groups: Any,
    attributes: Mapping[str, Any],
    seed: int | str,
) -> Iterator[FakeUser]:
    """Yield *count* users for the pool with these *settings*, and *details* if the file has them.

    *groups* and *attributes* are what the caller gives, as for the fields of rows. Raises
    InvalidInputError.
    """
    check_count(count, "fake_users(50, password)")
    draws = RowDraws(str(seed), _OWNER)
    names = dict.fromkeys((*_required(settings, details), *attributes))
    made = [_made(name) for name in names if name not in attributes]
    given = {**attributes, _GROUPS: groups or None}
    made += [
        MadeField(name, name.encode(), given_maker(_field(name), value, name))
        for name, value in given.items()
        if value is not None and not is_function(value)
    ]
    functions = [(name, value) for name, value in given.items() if is_function(value)]
    _, key, make_name = _made(_kind_of_username(settings))
    for number in range(count):
        draw = draws.of(number)
        row = FakeRow({_USERNAME: make_name(draw.named(key))}, number)
        row.update((name, make(draw.named(key))) for name, key, make in made)
        row.update((name, function(row)) for name, function in functions)
        username, found = row.pop(_USERNAME), row.pop(_GROUPS, None)
        yield FakeUser(username, dict(row), _group_names(found))


def _kind_of_username(settings: AuthSection) -> str:
    """Return the attribute that user names of the pool are; an address suits every other pool."""
    kinds = settings.username_attributes
    if kinds is None or "email" in kinds:
        return "email"
    return "phone_number" if "phone_number" in kinds else _USERNAME


def _required(settings: AuthSection, details: UserPoolDetails | None) -> Iterator[str]:
    yield from settings.standard_required_attributes or ()
    for each in (details.attributes if details is not None else None) or ():
        if each.is_required and each.name != "sub":
            yield each.name


def _field(name: str) -> Field:
    return Field(name, TypeName("scalar", "String"), False, False, True, False, None)


def _made(name: str) -> MadeField:
    found = meaning_of("String", name, _OWNER)
    return MadeField(name, (found.shared or name).encode(), found.make)


def _group_names(found: Any) -> tuple[str, ...]:
    if found is None:
        return ()
    if isinstance(found, str):
        return (found,)
    names = tuple(found) if isinstance(found, (list, tuple, set, frozenset)) else (found,)
    if not all(isinstance(name, str) for name in names):
        raise InvalidInputError(
            f"The groups of a user are a {type(found).__name__}.",
            resolution="Give the names of groups, or a function that returns some.",
        )
    return names
