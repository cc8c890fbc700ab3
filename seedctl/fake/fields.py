"""Generate the values of fields: scalars, enums, custom types, and lists of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from seedctl.errors import InvalidInputError
from seedctl.fake.draws import Draw
from seedctl.fake.given import count_maker, given_maker, is_function
from seedctl.fake.limits import CannotMakeError, obeying
from seedctl.fake.meanings import meaning_of
from seedctl.fake.tables import Maker
from seedctl.nearest import advice
from seedctl.outputs.models import Field, Introspection
from seedctl.outputs.validators import Validator


class _Place(NamedTuple):
    """Where a field of a custom type is."""

    types: tuple[str, ...] = ()
    """The custom types around it, the outermost first."""
    prefix: str = ""
    """The path from the outermost of them to it, with a full stop at the end."""


_TOP = _Place()


class MadeField(NamedTuple):
    """A field, and the function that generates its values."""

    name: str
    key: bytes
    """Names the random generator of the value. Fields with the same key agree with each other. Empty
    for a custom type within another: its fields have their own keys, to agree with those outside."""
    make: Maker


@dataclass(frozen=True, slots=True)
class FieldMakers:
    """Finds the functions that generate the values of the fields of one schema."""

    schema: Introspection

    def made(
        self, field: Field, owner: str, where: str, validators: Sequence[Validator] = ()
    ) -> MadeField:
        """Return *field* of the type *owner*, with generated values that *validators* accept.

        *where* names the field in errors. Raises InvalidInputError if no value can be made.
        """
        try:
            found = self._made(field, owner, _TOP, _some)
            return found._replace(make=obeying(found.make, field.type.name, validators))
        except CannotMakeError as error:
            raise cannot_make(where, error) from error

    def given(
        self, field: Field, value: Any, owner: str, where: str, place: _Place = _TOP
    ) -> MadeField:
        """Return *field* with the values that the caller's *value* means.

        Raises InvalidInputError if it has no meaning for this field.
        """
        if field.is_array and isinstance(value, int | range):
            return self._made(field, owner, place, count_maker(value, where))
        if _is_custom(field) and not field.is_array and isinstance(value, Mapping):
            key, make = self._custom(field, place, value, where)
        else:
            key, make = place.prefix + field.name, given_maker(field, value, where)
        return MadeField(field.name, key.encode(), make)

    def _made(
        self, field: Field, owner: str, place: _Place, length: Callable[[Draw], int]
    ) -> MadeField:
        key, make = self._element(field, owner, place)
        if not field.is_array:
            return MadeField(field.name, key.encode(), make)

        def make_list(draw: Draw) -> list[Any]:
            return [make(draw.part(number)) for number in range(length(draw))]

        return MadeField(field.name, f"{place.prefix}{field.name}".encode(), make_list)

    def _element(self, field: Field, owner: str, place: _Place) -> tuple[str, Maker]:
        """Return the key and the maker of one value of *field*, which may be a list."""
        name, key = field.type.name, place.prefix + field.name
        if _is_custom(field):
            return self._custom(field, place)
        if field.type.kind == "enum":
            values = self.schema.enums[name]
            return key, lambda draw: draw.choose(values)
        found = meaning_of(name, field.name, owner)
        return found.shared or key, found.make

    def _custom(
        self, field: Field, place: _Place, given: Mapping[str, Any] | None = None, where: str = ""
    ) -> tuple[str, Maker]:
        """Return the key and the maker of a custom type, with the values *given* for its fields."""
        is_part = bool(place.types) and not field.is_array
        prefix = f"{place.prefix}{field.name}." if is_part else ""
        inner = _Place((*place.types, field.type.name), prefix)
        fields = self.schema.fields_of(field.type)
        functions = check_given(given or {}, fields, where)
        made = list(self._inner(field, inner, given or {}, where))

        def make(draw: Draw) -> dict[str, Any]:
            value = {name: make(draw.named(key) if key else draw) for name, key, make in made}
            for name, function in functions:
                value[name] = function(value)
            return value

        return "" if is_part else place.prefix + field.name, make

    def _inner(
        self, field: Field, place: _Place, given: Mapping[str, Any], where: str
    ) -> Iterator[MadeField]:
        """Yield the fields of a custom type, except those that are given by functions or as None."""
        name = field.type.name
        for each in self.schema.fields_of(field.type).values():
            if each.name in given:
                if given[each.name] is not None and not is_function(given[each.name]):
                    yield self.given(each, given[each.name], name, f"{where}.{each.name}", place)
            elif each.type.kind == "model":
                continue  # records cannot be sent within a custom type
            elif each.type.name not in place.types:
                yield self._made(each, name, place, _some)
            elif each.is_array and each.must_be_given:
                yield MadeField(each.name, each.name.encode(), lambda _draw: [])
            elif each.must_be_given:
                raise CannotMakeError(f"the custom type {name} contains itself")


def _some(draw: Draw) -> int:
    return 1 + draw.below(3)


def _is_custom(field: Field) -> bool:
    return field.type.kind in ("nonModel", "input")


def check_given(
    given: Mapping[str, Any], fields: Mapping[str, Field], where: str
) -> list[tuple[str, Callable[[Any], Any]]]:
    """Return the functions in *given*, by field. Raises InvalidInputError for an unknown field."""
    for name in given:
        if name not in fields:
            raise InvalidInputError(
                f"{where} has no field {name}.", resolution=advice(name, fields)
            )
    return [(name, value) for name, value in given.items() if is_function(value)]


def cannot_make(where: str, reason: object) -> InvalidInputError:
    """Return the error for the field *where*, of which *reason* says why no value can be made."""
    name = where.rpartition(".")[2]
    return InvalidInputError(
        f"No value can be made for {where}: {reason}.",
        resolution=f"Give one: {name}=…, as a value for all rows, a list to draw from, or a "
        "function of the row.",
    )
