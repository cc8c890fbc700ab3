"""The validators of model fields, ``@validate`` in the source, as AppSync's resolvers apply them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from seedctl.outputs.java_patterns import compile_pattern

if TYPE_CHECKING:
    import re


def _length(text: str) -> int:
    """Return the length that Java counts, in UTF-16 units: 2 for most emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _of_length(compare: Callable[[Any, Any], bool]) -> Callable[[Validator, str], bool]:
    return lambda validator, value: compare(_length(value), validator.number)


def _of_number(compare: Callable[[Any, Any], bool]) -> Callable[[Validator, Any], bool]:
    return lambda validator, value: compare(value, validator.number)


# By type: whether a value is valid, and how AppSync's message describes a valid one.
VALIDATORS: Mapping[str, tuple[Callable[[Validator, Any], bool], str]] = {
    "gt": (_of_number(operator.gt), "be greater than"),
    "lt": (_of_number(operator.lt), "be less than"),
    "gte": (_of_number(operator.ge), "be greater than or equal to"),
    "lte": (_of_number(operator.le), "be less than or equal to"),
    "minLength": (_of_length(operator.ge), "have a minimum length of"),
    "maxLength": (_of_length(operator.le), "have a maximum length of"),
    "startsWith": (lambda validator, value: value.startswith(validator.value), "start with"),
    "endsWith": (lambda validator, value: value.endswith(validator.value), "end with"),
    # Whether the pattern must match the whole value is unknown; here it need not [?].
    "matches": (lambda validator, value: bool(validator.pattern.search(value)), "match"),
}
NUMBER_VALIDATORS = ("gt", "lt", "gte", "lte")
"""The validators of Int and Float; the others are of String."""
_TEXTS = ("startsWith", "endsWith", "matches")


def default_message(model: str, field: str, kind: str, value: str) -> str:
    """Return the default message of a validator, for a source that has no own message.

    *kind* and *value* are the validator's type and value, *field* is the field of *model*.
    """
    return f"Field {field} of type {model} must {VALIDATORS[kind][1]} {value}"


@dataclass(frozen=True)
class Validator:
    """One validator of a field."""

    kind: str
    """A key of ``VALIDATORS``."""
    value: str
    """The limit, affix or pattern, as text."""
    message: str
    """The error of a value that is not valid."""

    def __post_init__(self) -> None:
        if self.kind not in _TEXTS:
            _ = self.number  # raises ValueError

    @cached_property
    def number(self) -> float:
        """The limit of a validator of numbers or lengths."""
        return float(self.value)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of a validator ``matches``. Raises UnsupportedPatternError."""
        return compile_pattern(self.value)

    def accepts(self, value: Any) -> bool:
        """Whether *value*, which is neither null nor of another type than the field, is valid.

        Raises UnsupportedPatternError if Python cannot apply the pattern.
        """
        return VALIDATORS[self.kind][0](self, value)
