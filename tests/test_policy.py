"""The IAM policy equals ampx's byte for byte."""

from __future__ import annotations

import json

import pytest

from seedctl.errors import AccessDeniedError
from seedctl.outputs import AuthSection
from seedctl.policy import generate_policy
from seedctl.project import BackendIdentifier
from tests.aws.recorder import Call, Recorder

ALICE = BackendIdentifier("@acme/my-app", "alice")
AUTH = AuthSection(
    aws_region="us-east-1",
    user_pool_id="us-east-1_AbCdEfGhI",
    user_pool_client_id="c",
)

# As ampx prints it for these values, its final newline included.
DOCUMENT = """\
{
  "Statement": [
    {
      "Action": [
        "cognito-idp:AdminCreateUser",
        "cognito-idp:AdminAddUserToGroup"
      ],
      "Effect": "Allow",
      "Resource": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEfGhI"
    },
    {
      "Action": [
        "ssm:PutParameter",
        "ssm:GetParameter"
      ],
      "Effect": "Allow",
      "Resource": [
        "arn:aws:ssm:*:*:parameter/amplify/acmemyapp/alice-sandbox-640dd81907/*",
        "arn:aws:ssm:*:*:parameter/amplify/shared/@acme/my-app/*"
      ]
    }
  ],
  "Version": "2012-10-17"
}
"""


def _caller(partition: str = "aws", account: str = "123456789012") -> Recorder:
    arn = f"arn:{partition}:sts::{account}:assumed-role/dev/session"
    return Recorder({"Account": account, "Arn": arn, "UserId": "x"})


def test_the_document_is_ampxs() -> None:
    """Indentation, order of keys and actions, and the final newline equal ampx's."""
    aws = _caller()
    assert generate_policy(aws, AUTH, ALICE) == DOCUMENT
    assert aws.calls == [Call("sts", "GetCallerIdentity", {})]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso"])
def test_the_partition_is_the_callers(partition: str) -> None:
    """The policy has the caller's partition, so it works in China and GovCloud too."""
    expected = DOCUMENT.replace("arn:aws:", f"arn:{partition}:")
    assert generate_policy(_caller(partition), AUTH, ALICE) == expected


def test_the_account_is_the_callers() -> None:
    """Leading zeros of an account id are kept."""
    policy = json.loads(generate_policy(_caller(account="000000000042"), AUTH, ALICE))
    pool = policy["Statement"][0]["Resource"]
    assert pool == "arn:aws:cognito-idp:us-east-1:000000000042:userpool/us-east-1_AbCdEfGhI"


def test_the_pools_region_is_what_the_outputs_say() -> None:
    """The ARN has the aws_region of the outputs file, even if the pool's id begins with another region."""
    auth = AuthSection("eu-west-1", "us-east-1_A", "c")
    policy = json.loads(generate_policy(_caller(), auth, ALICE))
    assert ":eu-west-1:123456789012:userpool/us-east-1_A" in policy["Statement"][0]["Resource"]


def test_a_namespace_beyond_ascii_is_written_as_it_is() -> None:
    """The shared path contains the package name unescaped, as ampx writes it."""
    text = generate_policy(_caller(), AUTH, BackendIdentifier("café-\U0001f680", "alice"))
    assert '"arn:aws:ssm:*:*:parameter/amplify/shared/café-\U0001f680/*"' in text
    assert "/amplify/caf/alice-sandbox-" in text


def test_a_failed_look_up_is_passed_on() -> None:
    """Without the caller's identity an error is raised and no policy is guessed."""
    with pytest.raises(AccessDeniedError):
        generate_policy(Recorder(AccessDeniedError("no")), AUTH, ALICE)
