"""What a run is about to change, and whether the outputs file belongs to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from seedctl.errors import (
    AmplifyOutputsNotFoundError,
    AWSError,
    OutputsMismatchError,
    StackDoesNotExistError,
)
from seedctl.report import Target

TargetDetail = Literal["outputs", "account", "none"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.aws import Caller
    from seedctl.project import AmplifyOutputs, BackendIdentifier, Project


def describe_target(
    aws: Caller,
    project: Project,
    identifier: BackendIdentifier,
    load: Callable[[], AmplifyOutputs] | None,
) -> Target:
    """Return what is about to be changed; without *load* the outputs file is left out of it.

    Raises OutputsMismatchError and StackDoesNotExistError when CloudFormation may be read and
    knows the outputs file to belong elsewhere.
    """
    try:
        outputs = load() if load is not None else None
    except AmplifyOutputsNotFoundError:
        outputs = None  # a script that uses only secrets needs none
    pool = outputs.auth.user_pool_id if outputs is not None and outputs.auth is not None else None
    return Target(
        project=project.root,
        sandbox=identifier.name,
        outputs=outputs.path if outputs is not None else None,
        outputs_age=_age(outputs) if outputs is not None else None,
        user_pool=pool,
        account="LOCAL" if aws.is_local else _account(aws),
        check="" if aws.is_local or outputs is None else _check(aws, identifier, outputs),
    )


def _account(aws: Caller) -> str:
    try:
        reply = aws.call("sts", "GetCallerIdentity", {}, once=True)
    except AWSError:
        return "unknown"  # only for display; what is really needed fails by itself
    account: str = reply["Account"]
    return account


def _check(aws: Caller, identifier: BackendIdentifier, outputs: AmplifyOutputs) -> str:
    """Compare the user pool of *outputs* with the stack's, and say in words what came of it."""
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
            if aws.is_emulator:  # which seldom holds the stack as well
                return f"outputs not checked: there is no stack {stack}"
            raise StackDoesNotExistError(
                f"The sandbox {identifier.name} of {identifier.namespace} is not deployed in "
                f"{region}: there is no stack {stack}.",
                resolution="Deploy it with npx ampx sandbox, or name the right one with "
                "--identifier, --profile or --outputs.",
            ) from error
        return "outputs not checked"
    stacks = reply.get("Stacks") or [{}]
    values = {
        entry["OutputKey"]: entry.get("OutputValue") for entry in stacks[0].get("Outputs", [])
    }
    pool = values.get("userPoolId")
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
