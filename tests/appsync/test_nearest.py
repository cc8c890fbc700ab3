"""The advice for an unknown name."""

from __future__ import annotations

import pytest

from seedctl.nearest import advice


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        pytest.param("todo", ["Todo", "Post"], "Did you mean Todo?", id="near"),
        pytest.param("zzz", ["Todo", "Post"], "There are Todo, Post.", id="several"),
        pytest.param("zzz", ["Todo"], "There is only Todo.", id="one"),
        pytest.param("echo", [], "amplify/data/resource.ts, and deploy.", id="none"),
        pytest.param("zzz", [f"M{n}" for n in range(13)], "M10, M11, ….", id="too many"),
    ],
)
def test_advice(name: str, known: list[str], said: str) -> None:
    """The advice is the nearest names, else all names, else where to add one."""
    assert advice(name, known).endswith(said)
