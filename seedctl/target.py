"""What a run is about to change, and whether the outputs file belongs to that sandbox."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from seedctl.errors import AWSError, OutputsMismatchError, StackDoesNotExistError
from seedctl.outputs import AmplifyOutputs
from seedctl.project import BackendIdentifier, Project
from seedctl.report import Target

TargetDetail = Literal["outputs", "account", "none"]
"""How much to look up: "outputs" for the account and whether the outputs file belongs to the sandbox,
"account" for the account only, "none" for nothing."""

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS


def describe_target(
    aws: AWS, project: Project, identifier: BackendIdentifier, outputs: AmplifyOutputs | None
) -> Target:
    """Return what is about to be changed; *outputs* is None if there is no outputs file.

    Raises OutputsMismatchError or StackDoesNotExistError if CloudFormation shows that the outputs
    file belongs to another sandbox. If the caller may not read CloudFormation, nothing is checked.
    """
    auth = outputs.auth if outputs is not None else None
    return Target(
        project=project.root,
        sandbox=identifier.name,
        outputs=outputs.path if outputs is not None else None,
        outputs_age=_age(outputs) if outputs is not None else None,
        user_pool=auth.user_pool_id if auth is not None else None,
        account="LOCAL" if aws.is_local else _account(aws),
        check="" if aws.is_local or outputs is None else _check(aws, identifier, outputs),
    )


def _account(aws: AWS) -> str:
    try:
        reply = aws.call("sts", "GetCallerIdentity", {}, once=True)
    except AWSError:
        return "unknown"  # only for display; a call that is really needed raises its own error
    account: str = reply["Account"]
    return account


def _check(aws: AWS, identifier: BackendIdentifier, outputs: AmplifyOutputs) -> str:
    """Compare the user pool of *outputs* with the stack's, and return the result as words."""
    if outputs.auth is None:
        return "outputs not checked"
    stack = identifier.stack_name
    region = outputs.auth.user_pool_region
    try:
        reply = aws.call(
            "cloudformation", "DescribeStacks", {"StackName": stack}, region=region, once=True
        )
    except AWSError as error:
        if error.code == "ValidationError" and "does not exist" in error.message:
            if aws.is_emulator:  # emulators seldom have the stack
                return f"outputs not checked: there is no stack {stack}"
            raise StackDoesNotExistError(
                f"The sandbox {identifier.name} of {identifier.namespace} is not deployed in "
                f"{region}: there is no stack {stack}.",
                resolution="Deploy it with npx ampx sandbox, or name the right one with "
                "--identifier, --profile or --outputs.",
            ) from error
        return "outputs not checked"
    stacks = reply.get("Stacks") or [{}]
    entries = stacks[0].get("Outputs", [])
    pool = {each["OutputKey"]: each.get("OutputValue") for each in entries}.get("userPoolId")
    if pool is None:
        return "outputs not checked"
    if pool != outputs.auth.user_pool_id:
        raise OutputsMismatchError(
            f"{outputs.path} names the user pool {outputs.auth.user_pool_id}, but the sandbox "
            f"{identifier.name} has {pool}.",
            resolution="Regenerate the file with npx ampx sandbox, or choose the sandbox it "
            "belongs to with --identifier.",
        )
    return "outputs checked"


def _age(outputs: AmplifyOutputs) -> float | None:
    try:
        return max(0.0, time.time() - outputs.path.stat().st_mtime)
    except OSError:
        return None
