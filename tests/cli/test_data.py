"""The guide's Data script against the local sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.running import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import CommandLine


def test_the_guides_data_script(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """A todo is created as the signed-in user and counted in the summary; it runs again too."""
    project("guide_data")
    for name, value in {"username": "ann@example.com", "password": PASSWORD}.items():
        seedctl("--local", "secret", "set", name, stdin=value.encode())
    result = seedctl("seed", "--local")
    assert result.code == 0, result.err
    assert result.out == "My first todo False\n"
    assert "1 record created" in result.err
    again = seedctl("seed", "--local")
    assert again.code == 0, again.err
