"""Advice for denied calls, derived from AWS's message."""

from __future__ import annotations

import re

import pytest

from seedctl.aws.denials import explain_denial, is_beyond_own_rules
from tests.cases import case

_IDENTITY_PARAM = (
    "User: arn:aws:sts::123456789012:assumed-role/dev/ann is not authorized to perform: "
)
CALL = "cognito-idp:AdminCreateUser"


def test_what_the_seed_policy_does_not_help() -> None:
    """If a policy other than the role's own denies, the seed policy is not recommended."""
    for case_name, reason, advice in (
        (
            "service control policy",
            "with an explicit deny in a service control policy",
            "denied explicitly, .* by the service control policy",
        ),
        (
            "resource control policy",
            "with an explicit deny in a resource control policy",
            "resource control policy",
        ),
        (
            "permissions boundary",
            "with an explicit deny in a permissions boundary",
            "by the permissions boundary of your role or user",
        ),
        ("session policy", "with an explicit deny in a session policy", "the session policy"),
        (
            "own policy",
            "with an explicit deny in an identity-based policy",
            "remove the Deny statement",
        ),
        (
            "policy of the resource",
            "with an explicit deny in a resource-based policy",
            "the policy of the resource itself",
        ),
        ("VPC endpoint", "with an explicit deny in a VPC endpoint policy", "VPC endpoint"),
        ("of no known kind", "with an explicit deny", "change the Deny statement"),
        (
            "not allowed by a service control policy",
            f"because no service control policy allows the {CALL} action",
            "not allowed by the service control policy",
        ),
        (
            "not allowed by the boundary",
            f"because no permissions boundary allows the {CALL} action",
            "not allowed by the permissions boundary",
        ),
        (
            "not allowed by the session policy",
            f"because no session policy allows the {CALL} action",
            "not allowed by the session policy",
        ),
    ):
        with case(case_name):
            message = f"{_IDENTITY_PARAM}{CALL} on resource: arn:aws:x {reason}"
            what, fix = explain_denial(CALL, message)
            assert what == f"Your AWS identity may not call {CALL}."
            assert re.search(advice, fix)
            assert "generate-policy" not in fix
            assert CALL in fix
            assert is_beyond_own_rules(message)


@pytest.mark.parametrize(
    "reason", ["", f"because no identity-based policy allows the {CALL} action"]
)
def test_what_the_seed_policy_helps(reason: str) -> None:
    """If the role's own policies lack the action, the seed policy is recommended."""
    message = f"{_IDENTITY_PARAM}{CALL} on resource: arn:aws:x {reason}"
    assert "generate-policy" in explain_denial(CALL, message)[1]
    assert not is_beyond_own_rules(message)


@pytest.mark.parametrize(
    ("called", "message", "action"),
    [
        pytest.param(
            "ssm:GetParameter",
            "The ciphertext refers to a customer master key that does not exist, does not exist in "
            "this region, or you are not allowed to access.",
            "kms:Decrypt",
            id="a key that cannot be used",
        ),
        pytest.param(
            "ssm:GetParameter",
            f"{_IDENTITY_PARAM}kms:Decrypt on resource: arn:aws:kms:x because no identity-based policy allows "
            "the kms:Decrypt action (Service: AWSKMS; Status Code: 400)",
            "kms:Decrypt",
            id="the action is named",
        ),
        pytest.param("ssm:PutParameter", "The KMS key x is not yours.", "kms:Encrypt", id="set"),
    ],
)
def test_the_key_of_a_secret(called: str, message: str, action: str) -> None:
    """A secret with its own KMS key needs permission for the key; no seed policy contains it."""
    what, fix = explain_denial(called, message)
    assert what == (
        f"Your AWS identity may not call {action} with the key of the secret, which {called} needs."
    )
    assert f"Allow {action} on that key" in fix
    assert "seedctl secret set" in fix
    assert "generate-policy" not in fix


def test_the_key_of_a_bucket() -> None:
    """The advice about a secret's key is not given for a file's key."""
    message = f"{_IDENTITY_PARAM}kms:Decrypt on resource: arn:aws:kms:x"
    assert is_beyond_own_rules(message)
    assert "secret" not in explain_denial("s3:GetObject", message)[1]


def test_a_resource_without_a_policy_for_the_caller() -> None:
    """If only the resource's policy lacks the action, one of the caller's own may allow it too."""
    action = "cloudformation:DescribeStacks"
    message = (
        f"{_IDENTITY_PARAM}{action} because no resource-based policy allows the {action} action"
    )
    assert explain_denial(action, message)[1].startswith(
        f"Allow {action} for the identity you use."
    )
