"""Example values of fields, by type, that pass the validators of the source."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seedctl.outputs.java_patterns import UnsupportedPatternError

if TYPE_CHECKING:
    from seedctl.outputs.models import Field, Introspection
    from seedctl.outputs.validators import Validator

_SCALARS: Mapping[str, Any] = {
    "Boolean": False,
    "AWSDate": "2026-01-31",
    "AWSDateTime": "2026-01-31T12:30:00.000Z",
    "AWSEmail": "ann@example.com",
    "AWSIPAddress": "192.0.2.1",
    "AWSJSON": {"example": True},
    "AWSPhone": "+15555550100",
    "AWSTime": "12:30:00.000Z",
    "AWSTimestamp": 1767184200,
    "AWSURL": "https://example.com",
}
# Texts of many shapes, for the patterns of validators.
_SHAPES = (
    *("first", "First", "FIRST", "First example", "first-example", "first_example", "A", "a", "AB"),
    *(
        "ABC",
        "abc",
        "1",
        "12",
        "123",
        "1234",
        "12345",
        "123456",
        "1234567890",
        "A1",
        "AB12",
        "AB-12",
    ),
    *("ABC-123", "ABC123", "A-1", "1.0", "1.0.0", "v1.0.0", "12.50", "#", "#aabbcc", "#AABBCC"),
    *("ann@example.com", "https://example.com", "http://example.com", "example.com", "/first"),
    *("2026-01-31", "2026-01", "31/01/2026", "12:30", "12:30:00", "2026-01-31T12:30:00Z", "2026"),
    *(
        "+15555550100",
        "555-0100",
        "(555) 555-0100",
        "555-555-0100",
        "192.0.2.1",
        "en",
        "en-US",
        "US",
    ),
    *("EUR", "12345-6789", "123-45-6789", "K1A 0B1", "978-3-16-148410-0", "4111111111111111"),
    *("3f2b8a52-8c4e-4f3b-9a51-0d6c2b7e1f10", "0123456789abcdef", "AA:BB:CC:DD:EE:FF", "true"),
)
_MAX_DEPTH = 8  # of custom types in custom types


class NoExampleError(Exception):
    """No example value is known that fits a field."""


def example_of(
    field: Field, schema: Introspection, validators: Sequence[Validator] = (), depth: int = 0
) -> Any:
    """Return a value for *field*, one item for a list.

    *validators* are those of the field. Raises NoExampleError.
    """
    value = _single(field, schema, validators, depth)
    return [value] if field.is_array else value


def example_id(name: str) -> str:
    """Return an example id for something called *name*, such as a model: ``first-todo``."""
    return f"first-{'-'.join(_words(name)) or 'one'}"


def _single(
    field: Field, schema: Introspection, validators: Sequence[Validator], depth: int
) -> Any:
    kind, name = field.type.kind, field.type.name
    if kind == "enum":
        values = schema.enums[name]
        if not values:
            raise NoExampleError
        return values[0]
    if kind in {"nonModel", "input"}:
        return _custom(field, schema, depth)
    if kind == "model":
        raise NoExampleError
    for candidate in _candidates(field, validators):
        if _is_valid(candidate, validators):
            return candidate
    raise NoExampleError


def _custom(field: Field, schema: Introspection, depth: int) -> dict[str, Any]:
    """Return a value of a custom type, with its required fields, or else its first field."""
    if depth > _MAX_DEPTH:
        raise NoExampleError
    fields = schema.fields_of(field.type).values()
    chosen = [each for each in fields if each.must_be_given]
    chosen = chosen or [each for each in fields if each.is_single_value][:1]
    return {each.name: example_of(each, schema, (), depth + 1) for each in chosen}


def _candidates(field: Field, validators: Sequence[Validator]) -> Iterator[Any]:
    name = field.type.name
    if name in _SCALARS:
        yield _SCALARS[name]
    elif name in {"Int", "Float"}:
        yield from _numbers(validators, is_whole=name == "Int")
    elif name == "ID":
        related = re.sub(r"_?[iI][dD]$", "", field.name)
        yield example_id(related or field.name)
        yield from _texts(validators, ())
    else:
        yield from _texts(validators, (" ".join(["first", *_words(field.name)]).capitalize(),))


def _numbers(validators: Sequence[Validator], *, is_whole: bool) -> Iterator[float]:
    yield 1 if is_whole else 1.5
    yield 0
    limits = [validator.number for validator in validators]
    if limits:
        middle = sum(limits) / len(limits)
        for number in (
            middle,
            *(limit + step for limit in limits for step in (0, 1, -1, 0.5, -0.5)),
        ):
            yield round(number) if is_whole else number


def _texts(validators: Sequence[Validator], first: Sequence[str]) -> Iterator[str]:
    """Yield texts of many shapes with the prefix, suffix and length that *validators* require."""
    limits = {validator.kind: validator.value for validator in validators}
    start, end = limits.get("startsWith", ""), limits.get("endsWith", "")
    least = int(float(limits.get("minLength", 0)))
    most = int(float(limits["maxLength"])) if "maxLength" in limits else None
    for shape, is_wrapped in itertools.product((*first, *_SHAPES), (False, True)):
        text = f"{start}{shape}{end}" if is_wrapped else shape
        if is_wrapped and most is not None and len(text) > most:
            text = f"{start}{shape[: max(0, most - len(start) - len(end))].strip()}{end}"
        yield text[:most].strip()
        if len(text) < least:
            body = text.removesuffix(end) if end else text
            yield body + text[-1:] * (least - len(text)) + (end if text != body else "")


def _is_valid(value: Any, validators: Sequence[Validator]) -> bool:
    try:
        return all(validator.accepts(value) for validator in validators)
    except UnsupportedPatternError:
        return False


def _words(name: str) -> list[str]:
    """Return the words of a name, in lower case: ``isDone`` has ``is`` and ``done``."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
