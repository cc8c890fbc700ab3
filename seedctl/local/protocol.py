"""What every service here shares: the call, its checked input, and the refusal.

A handler takes a :class:`Call`, returns the reply's document or raises :class:`ServiceError`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from seedctl.local.http1 import Response

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "000000000000"


class ServiceError(Exception):
    """A refusal as AWS words it: *code* is what clients look at. Never holds a secret."""

    def __init__(self, code: str, message: str = "", *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def refused(error: ServiceError) -> Response:
    """Return *error* as the services that speak JSON answer it."""
    body = {"__type": error.code}
    # Some have none on AWS either (ParameterNotFound): clients must not rely on it.
    if error.message:
        body["message"] = error.message
    return Response.json(error.status, body, (("x-amzn-ErrorType", error.code),))


@dataclass(frozen=True, slots=True)
class Call:
    """One API call: its operation, its input, and what the signature says of the caller.

    The readers refuse what does not fit with *invalid*, the service's own code for bad input.
    """

    operation: str
    input: dict[str, Any]
    invalid: str
    region: str | None = None
    """From the credential scope; None for a call that was not signed."""

    def fail(self, message: str) -> NoReturn:
        raise ServiceError(self.invalid, message)

    def optional_text(
        self,
        key: str,
        *,
        minimum: int = 1,
        maximum: int = 2048,
        choices: tuple[str, ...] | None = None,
    ) -> str | None:
        value = self.input.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise _mistyped(key, "a string")
        # The value is not repeated: it may be a password.
        if not minimum <= len(value) <= maximum:
            self.fail(f"{key} must be {minimum} to {maximum} characters long.")
        if choices is not None and value not in choices:
            self.fail(f"{key} must be one of {', '.join(choices)}.")
        return value

    def text(
        self,
        key: str,
        *,
        minimum: int = 1,
        maximum: int = 2048,
        choices: tuple[str, ...] | None = None,
    ) -> str:
        value = self.optional_text(key, minimum=minimum, maximum=maximum, choices=choices)
        return self.missing(key) if value is None else value

    def missing(self, key: str) -> NoReturn:
        self.fail(f"Missing required parameter {key}")

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self.input.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise _mistyped(key, "true or false")
        return value

    def optional_integer(self, key: str, *, minimum: int, maximum: int) -> int | None:
        value = self.input.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise _mistyped(key, "an integer")
        if not minimum <= value <= maximum:
            self.fail(f"{key} must be {minimum} to {maximum}.")
        return value

    def items(self, key: str) -> list[Any]:
        value = self.input.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise _mistyped(key, "a list")
        return value

    def texts(self, key: str, *, choices: tuple[str, ...] | None = None) -> list[str]:
        values = self.items(key)
        for value in values:
            if not isinstance(value, str):
                raise _mistyped(key, "a list of strings")
            if choices is not None and value not in choices:
                self.fail(f"{key} may hold {', '.join(choices)}.")
        return values

    def section(self, key: str) -> Call | None:
        """Return the structure at *key*, to be read as the call itself is."""
        value = self.input.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _mistyped(key, "a structure")
        return replace(self, input=value)

    def text_map(self, key: str) -> dict[str, str]:
        value = self.input.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise _mistyped(key, "a map of strings")
        present = {name: item for name, item in value.items() if item is not None}
        if not all(isinstance(item, str) for item in present.values()):
            raise _mistyped(key, "a map of strings")
        return present


def _mistyped(key: str, expected: str) -> ServiceError:
    return ServiceError("SerializationException", f"{key} must be {expected}.")


class Operation(NamedTuple):
    """A row of a service's table."""

    handler: Callable[[Call], dict[str, Any]]
    signed: bool
    """Whether AWS asks for credentials."""
