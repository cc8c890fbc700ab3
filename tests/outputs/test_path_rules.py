"""Which roles the path rules of an outputs file allow what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seedctl.outputs.path_rules import IDENTITY, is_granted, matches

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


def test_only_a_folder_is_a_parent() -> None:
    """The rule for one object is not the parent of a folder with a similar name."""
    rules: BucketPaths = {
        "a/*": {"authenticated": ("get",), "guest": ("get",)},
        "a/bx": {"authenticated": ("get",)},
        "a/bc/*": {"authenticated": ("get",)},
        "elsewhere/*": {"authenticated": ("get",)},
    }
    assert not is_granted(rules, {"guest"}, "get", "a/bc/x", "id")


def test_a_rule_grants_to_its_own_grantees_only() -> None:
    """A matching rule of others grants nothing; a rule of several groups is one of each of them."""
    rules: BucketPaths = {
        "a/*": {"authenticated": ("get",)},
        "b/*": {"groupsOne,Two": ("get",)},
        f"c/{IDENTITY}/*": {"entityidentity": ("get",)},
    }
    for role, path, expected in (
        ("guest", "a/x", False),
        ("groupsOne", "b/x", True),
        ("groupsTwo", "b/x", True),
        ("groupsOne,Two", "b/x", True),
        ("groupsTw", "b/x", False),
        ("entityidentity", "c/id/x", True),
        ("entityidentity", "c/other/x", False),
    ):
        assert is_granted(rules, {role}, "get", path, "id") is expected, (role, path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        pytest.param("a/*", "a/b/c", True, id="a star covers slashes"),
        pytest.param("a/*", "a/", True, id="and nothing"),
        pytest.param("a/*", "a/b\nc", True, id="and a line break, which a key may have"),
        pytest.param("a/*", "b/a/c", False, id="from the beginning"),
        pytest.param("a/b", "a/bc", False, id="to the end"),
        pytest.param("a/*", "A/b", False, id="in the same case"),
        pytest.param("a?/*", "ab/c", True, id="one character"),
        pytest.param("a?/*", "a/c", False, id="exactly one"),
        pytest.param("a?/*", "abc/d", False, id="no more than one"),
        pytest.param("a.b/*", "axb/c", False, id="a dot is a dot"),
        pytest.param("a[b]/*", "a[b]/c", True, id="brackets are brackets"),
    ],
)
def test_patterns_have_the_wildcards_of_iam(pattern: str, path: str, expected: bool) -> None:
    """Only ``*`` and ``?`` are special, as in a policy of IAM."""
    assert matches(pattern, path) is expected
