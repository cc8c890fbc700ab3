"""Reads a dotenv file for ``secret import``; one invalid line makes the whole file invalid."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from seedctl.errors import FileAccessError, InvalidSecretNameError, InvalidSecretValueError
from seedctl.parameter_store import check_name, check_value, decode

if TYPE_CHECKING:
    from pathlib import Path


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the names and values in *path*; if a name occurs twice, the last value counts.

    ``${NAME}`` is not expanded. Raises FileAccessError, InvalidSecretNameError and
    InvalidSecretValueError, which give the number of the line but never its text.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileAccessError(
            f"{path} cannot be read: {error.strerror}.",
            resolution="Give the path of a dotenv file: lines of NAME=value.",
        ) from None
    values = {}
    for binding in parse_stream(io.StringIO(decode(raw, str(path)), newline=None)):
        # The parser counts from the blank lines before a binding.
        line = binding.original.line + _leading_line_breaks(binding.original.string)
        if binding.error or (binding.key is not None and binding.value is None):
            raise InvalidSecretValueError(
                f"{path}, line {line}, is not of the form NAME=value.",
                resolution="Correct the line; quote values that hold spaces or #.",
            )
        if binding.key is not None and binding.value is not None:
            values[binding.key] = _checked(binding.key, binding.value, f"{path}, line {line}")
    return values


def _checked(name: str, value: str, place: str) -> str:
    try:
        check_name(name)
    except InvalidSecretNameError as error:
        # The name is not shown: in a broken file it may be part of a secret value.
        raise InvalidSecretNameError(
            f"{place}: what is before = cannot be the name of a secret.",
            resolution=error.resolution,
        ) from None
    try:
        return check_value(name, value)
    except InvalidSecretValueError as error:
        raise InvalidSecretValueError(
            f"{place}: {error.message}", resolution=error.resolution
        ) from None


def _leading_line_breaks(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")
