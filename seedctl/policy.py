"""The IAM policy that seeding needs on top of AmplifyBackendDeployFullAccess."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from seedctl.outputs import AuthSection
from seedctl.project import BackendIdentifier

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS


def generate_policy(aws: AWS, auth: AuthSection, identifier: BackendIdentifier) -> str:
    """Return the policy document, with a final newline.

    It equals ampx's byte for byte, except for the partition: ampx always writes "aws", and this uses
    the partition of the caller.
    """
    caller = aws.call("sts", "GetCallerIdentity", {})
    partition = caller["Arn"].split(":")[1]
    pool = f"{auth.aws_region}:{caller['Account']}:userpool/{auth.user_pool_id}"
    document = {
        "Statement": [
            {
                "Action": ["cognito-idp:AdminCreateUser", "cognito-idp:AdminAddUserToGroup"],
                "Effect": "Allow",
                "Resource": f"arn:{partition}:cognito-idp:{pool}",
            },
            {
                "Action": ["ssm:PutParameter", "ssm:GetParameter"],
                "Effect": "Allow",
                "Resource": [
                    f"arn:{partition}:ssm:*:*:parameter{identifier.parameter_prefix}/*",
                    f"arn:{partition}:ssm:*:*:parameter{identifier.shared_prefix}/*",
                ],
            },
        ],
        "Version": "2012-10-17",
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
