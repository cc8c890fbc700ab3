"""Types that all services share: the call, readers of its input, and the service error.

A handler takes a ``Call`` and returns the reply's document or raises ``ServiceError``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from seedctl.local.http1 import Response
from seedctl.outputs import local_ids

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = local_ids.ACCOUNT
JSON_SERVICES = {
    "AWSCognitoIdentityProviderService": ("cognito-idp", "InvalidParameterException"),
    "AWSCognitoIdentityService": ("cognito-identity", "InvalidParameterException"),
    "AmazonSSM": ("ssm", "ValidationException"),
}
"""For each prefix of ``X-Amz-Target``: the service's name in credential scopes, and its error code for
invalid input."""

_Kind = TypeVar("_Kind")


class ServiceError(Exception):
    """An error response of a service. Clients depend on *code*. It never contains a secret."""

    def __init__(self, code: str, message: str = "", *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def json_error_response(error: ServiceError) -> Response:
    """Return *error* in the format of the JSON services."""
    body = {"__type": error.code}
    # On AWS too, some errors have no message (ParameterNotFound): clients must not rely on it.
    if error.message:
        body["message"] = error.message
    return Response.json(error.status, body, (("x-amzn-ErrorType", error.code),))


@dataclass(frozen=True, slots=True)
class Call:
    """One API call: its operation, its input, and the region of its signature.

    The reading methods raise ServiceError for invalid input, with the service's code *invalid*.
    """

    operation: str
    input: dict[str, Any]
    invalid: str
    region: str | None = None
    """From the credential scope; None for an operation without credentials."""

    def fail(self, message: str) -> NoReturn:
        raise ServiceError(self.invalid, message)

    def missing(self, key: str) -> NoReturn:
        self.fail(f"Missing required parameter {key}")

    def _value(self, key: str, kind: type[_Kind], expected: str) -> _Kind | None:
        """Return the value at *key*, None if there is none. Raises ServiceError for other types."""
        value = self.input.get(key)
        if value is not None and type(value) is not kind:  # isinstance would take true for 1
            raise _type_error(key, expected)
        return value

    def optional_text(
        self, key: str, *, minimum: int = 1, maximum: int = 2048, choices: tuple[str, ...] = ()
    ) -> str | None:
        value = self._value(key, str, "a string")
        if value is None:
            return None
        # The message does not contain the value, which may be a password.
        if not minimum <= len(value) <= maximum:
            self.fail(f"{key} must be {minimum} to {maximum} characters long.")
        if choices and value not in choices:
            self.fail(f"{key} must be one of {', '.join(choices)}.")
        return value

    def text(
        self, key: str, *, minimum: int = 1, maximum: int = 2048, choices: tuple[str, ...] = ()
    ) -> str:
        value = self.optional_text(key, minimum=minimum, maximum=maximum, choices=choices)
        return self.missing(key) if value is None else value

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self._value(key, bool, "true or false")
        return default if value is None else value

    def optional_integer(self, key: str, *, minimum: int, maximum: int) -> int | None:
        value = self._value(key, int, "an integer")
        if value is not None and not minimum <= value <= maximum:
            self.fail(f"{key} must be {minimum} to {maximum}.")
        return value

    def items(self, key: str) -> list[Any]:
        return self._value(key, list, "a list") or []

    def texts(self, key: str, *, choices: tuple[str, ...] = ()) -> list[str]:
        values = self.items(key)
        for value in values:
            if not isinstance(value, str):
                raise _type_error(key, "a list of strings")
            if choices and value not in choices:
                self.fail(f"{key} may hold {', '.join(choices)}.")
        return values

    def section(self, key: str) -> Call | None:
        """Return the structure at *key* as a Call, so that the same methods read it."""
        value = self._value(key, dict, "a structure")
        return None if value is None else replace(self, input=value)

    def text_map(self, key: str) -> dict[str, str]:
        values = self._value(key, dict, "a map of strings") or {}
        present = {name: item for name, item in values.items() if item is not None}
        if not all(isinstance(item, str) for item in present.values()):
            raise _type_error(key, "a map of strings")
        return present


def _type_error(key: str, expected: str) -> ServiceError:
    return ServiceError("SerializationException", f"{key} must be {expected}.")


class Operation(NamedTuple):
    """An operation of a service: its handler, and whether it needs credentials."""

    handler: Callable[[Call], dict[str, Any]]
    signed: bool
    """Whether AWS requires credentials for it."""
