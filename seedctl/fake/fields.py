"""What makes the values of fields: scalars, enums, custom types, and lists of these."""

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

_Path = tuple[str, ...]
"""The names of the custom types around a field, the outermost first."""


class MadeField(NamedTuple):
    """A field, and what makes its values."""

    name: str
    key: bytes
    """What the choices are made of; fields with the same key agree with each other."""
    make: Maker


@dataclass(frozen=True, slots=True)
class FieldMakers:
    """Finds what makes the values of the fields of one schema."""

    schema: Introspection

    def made(
        self, field: Field, owner: str, where: str, validators: Sequence[Validator] = ()
    ) -> MadeField:
        """Return *field* of the type *owner*, with made values that *validators* accept.

        *where* names the field in errors. Raises InvalidInputError if no value can be made.
        """
        try:
            found = self._made(field, owner, (), _some)
            return found._replace(make=obeying(found.make, field.type.name, validators))
        except CannotMakeError as error:
            raise cannot_make(where, error) from error

    def given(self, field: Field, value: Any, owner: str, where: str) -> MadeField:
        """Return *field* with the values that the caller's *value* means.

        Raises InvalidInputError if it has no meaning for this field.
        """
        if field.is_array and isinstance(value, int | range):
            return self._made(field, owner, (), count_maker(value, where))
        if _is_custom(field) and not field.is_array and isinstance(value, Mapping):
            make = self._custom(field, (), value, where)
        else:
            make = given_maker(field, value, where)
        return MadeField(field.name, field.name.encode(), make)

    def _made(
        self, field: Field, owner: str, outer: _Path, length: Callable[[Draw], int]
    ) -> MadeField:
        key, make = self._element(field, owner, outer)
        if not field.is_array:
            return MadeField(field.name, key.encode(), make)

        def make_list(draw: Draw) -> list[Any]:
            return [make(draw.part(number)) for number in range(length(draw))]

        return MadeField(field.name, field.name.encode(), make_list)

    def _element(self, field: Field, owner: str, outer: _Path) -> tuple[str, Maker]:
        """Return the key and the maker of one value of *field*, which may be a list."""
        name = field.type.name
        if _is_custom(field):
            return field.name, self._custom(field, outer)
        if field.type.kind == "enum":
            values = self.schema.enums[name]
            return field.name, lambda draw: draw.choose(values)
        found = meaning_of(name, field.name, owner)
        return found.shared or field.name, found.make

    def _custom(
        self, field: Field, outer: _Path, given: Mapping[str, Any] | None = None, where: str = ""
    ) -> Maker:
        """Return what makes the custom type of *field*, with the values *given* for its fields."""
        fields = self.schema.fields_of(field.type)
        functions = check_given(given or {}, fields, where)
        made = list(self._inner(field, outer, given or {}, where))

        def make(draw: Draw) -> dict[str, Any]:
            value = {name: make(draw.named(key)) for name, key, make in made}
            for name, function in functions:
                value[name] = function(value)
            return value

        return make

    def _inner(
        self, field: Field, outer: _Path, given: Mapping[str, Any], where: str
    ) -> Iterator[MadeField]:
        """Yield the fields of a custom type, except those that are given by functions or as None."""
        name = field.type.name
        path = (*outer, name)
        for each in self.schema.fields_of(field.type).values():
            if each.name in given:
                if given[each.name] is not None and not is_function(given[each.name]):
                    yield self.given(each, given[each.name], name, f"{where}.{each.name}")
            elif each.type.kind == "model":
                continue  # records cannot be sent within a custom type
            elif each.type.name not in path:
                yield self._made(each, name, path, _some)
            elif each.is_array and each.must_be_given:
                yield MadeField(each.name, b"", lambda _draw: [])
            elif each.must_be_given:
                raise CannotMakeError(f"{name} contains itself without an end")


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
        resolution=f"Give one to fake(): {name}=…, as a value for all rows, a list to draw from, or a "
        "function of the row.",
    )
