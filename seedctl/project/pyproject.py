"""The project's settings for seedctl: the tables below ``[tool.seedctl]`` in ``pyproject.toml``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from seedctl.errors import FileAccessError, InvalidCommandInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.project.root import Project

PYPROJECT_NAME = "pyproject.toml"


def tool_table(project: Project, name: str) -> Mapping[str, Any]:
    """Return the table ``[tool.seedctl.<name>]`` of the project; empty if it does not exist.

    Raises InvalidCommandInputError if the file is not TOML or the entry is not a table, and
    FileAccessError if the file exists but cannot be read.
    """
    path = project.root / PYPROJECT_NAME
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FileAccessError(
            f"{path} cannot be read: {error.strerror}.",
            resolution="Make it a file that this account may read.",
        ) from error
    if b"seedctl" not in source:  # most projects have no settings for us; loading TOML takes time
        return {}
    document: Any
    try:
        document = _toml(source.decode())
    except ValueError as error:
        raise InvalidCommandInputError(
            f"{path} is not TOML: {error}", resolution="Correct the file."
        ) from error
    for key in ("tool", "seedctl", name):
        document = document.get(key, {})
        if not isinstance(document, dict):
            raise InvalidCommandInputError(
                f"{path}: {key} in [tool.seedctl.{name}] is not a table.",
                resolution=f"Write the settings below [tool.seedctl.{name}].",
            )
    table: dict[str, Any] = document
    return table


def _toml(text: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 - few projects need it
    else:
        import tomli as tomllib  # noqa: PLC0415
    return tomllib.loads(text)
