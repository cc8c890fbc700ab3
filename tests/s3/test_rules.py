"""A denied call gets advice about the path rule that would have allowed it."""

from __future__ import annotations

from typing import Any

import pytest

from seedctl import errors
from seedctl.s3.rules import explain_denial, may
from seedctl.s3.section import Bucket
from tests.cases import case
from tests.s3.s3 import FakeIdentity, FakeS3, Reply, StorageHarness, error

ME = "us-east-1:me"
RULES: dict[str, dict[str, tuple[str, ...]]] = {
    "pictures/*": {"authenticated": ("write", "list")},
    "public/*": {"guest": ("get", "list"), "authenticated": ("get", "list", "write")},
    "public/drafts/*": {"groupsEditors": ("get", "write")},
    "private/${cognito-identity.amazonaws.com:sub}/*": {"entityidentity": ("get", "write")},
}
BUCKET: Bucket = Bucket("b", "us-east-1", "myStorage", RULES)


def test_the_rule_is_named() -> None:
    """The advice names the path rule, whom it is for, and who was denied."""
    action: Any
    for case_name, path, action, groups, says in (
        (
            "a guest",
            "pictures/1",
            "write",
            None,
            ["Writing 'pictures/1' is allowed by pictures/* for signed-in users", "were a guest"],
        ),
        (
            "the slash is missing",
            "public",
            "list",
            (),
            ["List 'public/'", "allow a signed-in user without a group to list"],
        ),
        ("the beginning of folders", "p", "list", (), ["List 'pictures/' or 'public/'"]),
        ("all of the bucket", "", "list", None, ["List 'public/'"]),
        (
            "a folder that nobody may list",
            "private",
            "list",
            (),
            ["No path rule of myStorage allows anybody to list 'private'"],
        ),
        (
            "the slash is missing, and others may",
            "pictures",
            "list",
            None,
            ["Listing 'pictures/' is allowed by pictures/* for signed-in users", "were a guest"],
        ),
        (
            "nobody may",
            "pictures/1",
            "get",
            (),
            [
                "No path rule of myStorage allows anybody to get 'pictures/1'",
                "public/* (guests get+list",
                "Add one for a signed-in user without a group",
            ],
        ),
        (
            "another user's",
            "private/us-east-1:her/x",
            "get",
            (),
            ["by private/${cognito-identity.amazonaws.com:sub}/* for the user whose identity id"],
        ),
        (
            "a nested path does not inherit",
            "public/drafts/x",
            "write",
            (),
            ["by public/drafts/* for the group Editors", "signed-in user without a group"],
        ),
        (
            "a group's role",
            "pictures/1",
            "write",
            ("Readers", "Editors"),
            ["in the groups Readers, Editors", 'add allow.groups(["Readers", "Editors"])'],
        ),
        (
            "a group's role for one's own path",
            f"private/{ME}/x",
            "get",
            ("Readers",),
            ['add allow.groups(["Readers"])'],
        ),
        ("slash", "pictures/", "list", None, ["Listing 'pictures/' is allowed"]),
        ("may list", "public/", "list", None, ["The outputs file allows a guest to list"]),
        ("no list", "p", "get", None, ["No path rule of myStorage allows anybody to get 'p'"]),
        (
            "one's own",
            "public/none",
            "get",
            None,
            ["The outputs file allows a guest to get 'public/none'", "the object may not exist"],
        ),
    ):
        with case(case_name):
            advice = explain_denial(BUCKET, path, action, groups, ME)
            for part in says:
                assert part in advice


def test_another_users_path_gets_no_advice_about_groups() -> None:
    """A user in a group is not advised to give the group access to another user's folder."""
    advice = explain_denial(BUCKET, "private/us-east-1:her/x", "get", ("Readers",), ME)
    assert "allow.groups" not in advice


def test_who_may() -> None:
    """One of the user's groups, or else the role of signed-in users, must have a rule."""
    action: Any
    for path, action, groups, expected in (
        (f"private/{ME}/x", "get", (), True),
        ("private/us-east-1:her/x", "get", (), False),
        ("public/drafts/x", "get", ("Readers", "Editors"), True),
        ("public/drafts/x", "get", ("Readers",), False),
        ("public/x", "write", ("Editors",), False),
        ("public/x", "write", None, False),
        ("public/x", "get", None, True),
    ):
        with case(path, action, groups):
            assert may(BUCKET, path, action, groups, ME) is expected
    assert may(Bucket("b", "us-east-1"), "x", "get", None, "")


def test_advice_for_a_user_whom_no_own_rule_allows() -> None:
    """A rule for guests is no reason to add the groups; one's own folder is named as it is."""
    own = "mine/${cognito-identity.amazonaws.com:sub}/*"
    rules = {"open/*": {"guest": ("get",)}, own: {"entityidentity": ("list",)}}
    bucket = Bucket("b", "us-east-1", None, rules)
    assert "allow.groups" not in explain_denial(bucket, "open/x", "get", ("Readers",), ME)
    assert f"List 'mine/{ME}/', with" in explain_denial(bucket, "mine", "list", (), ME)


def test_unknown_rules() -> None:
    """Without path rules in the outputs file, the advice does not claim that there are none."""
    advice = explain_denial(Bucket("b", "eu-west-1"), "x", "get", (), ME)
    assert "does not list the path rules of b" in advice
    assert "Its rules: none" in explain_denial(Bucket("b", "e", None, {}), "x", "get", (), ME)


def test_a_denial_carries_the_advice() -> None:
    """S3's own message stays; the resolution names the rule that would have allowed the call."""
    with FakeS3(error("AccessDenied", "Access Denied"), Reply(403)) as server:
        harness = StorageHarness(server.url, "todo_userpool.json", FakeIdentity(member_of=None))
        with pytest.raises(errors.AccessDenied, match=r"^Access Denied$") as caught:
            harness.storage.upload_data("pictures/x", "x")
        assert caught.value.exit_code == 1
        assert "pictures/* for signed-in users. You were a guest." in str(caught.value.resolution)
        with pytest.raises(errors.AccessDenied) as caught:
            harness.storage.get_properties("nope/x")
        assert "allows anybody to get 'nope/x'" in str(caught.value.resolution)
