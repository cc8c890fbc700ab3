"""The advice for an unknown name."""

from __future__ import annotations

from seedctl.nearest import advice
from tests.cases import case


def test_advice() -> None:
    """The advice is the nearest names, else all names, else where to add one."""
    for case_name, name, known, said in (
        ("near", "todo", ["Todo", "Post"], "Did you mean Todo?"),
        ("several", "zzz", ["Todo", "Post"], "There are Todo, Post."),
        ("one", "zzz", ["Todo"], "There is only Todo."),
        ("none", "echo", [], "amplify/data/resource.ts, and deploy."),
        ("too many", "zzz", [f"M{n}" for n in range(13)], "M10, M11, …."),
    ):
        with case(case_name):
            assert advice(name, known).endswith(said)
