"""Which roles the path rules of an outputs file allow what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seedctl.outputs.path_rules import is_granted

if TYPE_CHECKING:
    from seedctl.outputs.sections import BucketPaths

NESTED: BucketPaths = {
    "media/*": {"authenticated": ("get", "write"), "guest": ("get",)},
    "media/drafts/*": {"authenticated": ("get",)},
    "media/drafts/shared/*": {"authenticated": ("get", "write"), "guest": ("get",)},
}


@pytest.mark.parametrize(
    ("role", "action", "path", "expected"),
    [
        pytest.param("guest", "get", "media/a", True, id="the outer rule"),
        pytest.param("guest", "get", "media/drafts/a", False, id="not repeated below"),
        pytest.param("authenticated", "get", "media/drafts/a", True, id="repeated below"),
        pytest.param("authenticated", "write", "media/drafts/a", False, id="only part is repeated"),
        # The denial of the middle rule applies to all paths below it, and wins.
        pytest.param("guest", "get", "media/drafts/shared/a", False, id="denied in between"),
        pytest.param("authenticated", "get", "media/drafts/shared/a", True, id="granted by all"),
    ],
)
def test_a_nested_rule_must_repeat_the_grant(
    role: str, action: str, path: str, expected: bool
) -> None:
    """A rule for a folder inside another one denies what it does not repeat."""
    assert is_granted(NESTED, {role}, action, path, "id") is expected


def test_the_parent_is_the_nearest_rule() -> None:
    """A rule without a grant denies if the nearest rule that it is nested in grants."""
    rules: BucketPaths = {
        "a/*": {"authenticated": ("get",)},
        "a/b/*": {"authenticated": ("get",), "guest": ("get",)},
        "a/b/c/*": {"authenticated": ("get",)},
    }
    assert is_granted(rules, {"guest"}, "get", "a/b/x", "id")
    assert not is_granted(rules, {"guest"}, "get", "a/b/c/x", "id")
