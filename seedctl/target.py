"""Describe what a run is about to change, for the line before the first write."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from seedctl.errors import AWSError, MixedEndpointsError
from seedctl.masking import mask
from seedctl.outputs import AmplifyOutputs
from seedctl.owner import Ownership
from seedctl.project import BackendIdentifier, Project
from seedctl.report import Target

TargetDetail = Literal["outputs", "account", "none"]
"""How much to look up for the line: "outputs" for the account and what the outputs file says, "account"
for the account only, "none" for no line. The checks of ``Guard`` do not depend on it."""

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS


def describe_target(
    aws: AWS,
    project: Project,
    identifier: BackendIdentifier,
    outputs: AmplifyOutputs | None,
    ownership: Ownership | None = None,
) -> Target:
    """Return what is about to be changed; *outputs* is None if there is no outputs file.

    *ownership* says which backend the outputs belong to; None if that was not looked up.
    """
    auth = outputs.auth if outputs is not None else None
    # The owner, or the chosen backend with the original names from the tags of its stack.
    owner = ownership.backend if ownership is not None else None
    stage = _stage(aws, owner or identifier, ownership.region if ownership else None)
    return Target(
        project=project.root,
        name=identifier.name if identifier.type == "sandbox" else identifier.title,
        outputs=outputs.path if outputs is not None else None,
        outputs_age=_age(outputs) if outputs is not None else None,
        user_pool=auth.user_pool_id if auth is not None else None,
        account="LOCAL" if aws.is_local else _account(aws),
        check=_check(ownership, stage) if ownership is not None else "",
        kind=identifier.kind,
        stage=stage,
    )


def _check(ownership: Ownership, stage: str) -> str:
    if ownership.owner == "other" and ownership.backend is not None:
        name = f"{ownership.backend.kind} {mask(ownership.backend.title)}"
        return f"outputs of the {name} ({stage})" if stage else f"outputs of the {name}"
    if ownership.owner == "chosen":
        return "outputs checked"
    missing = ownership.reason if ownership.reason.startswith("there is no stack") else ""
    return f"outputs not checked: {missing}" if missing else "outputs not checked"


def _account(aws: AWS) -> str:
    try:
        reply = aws.call("sts", "GetCallerIdentity", {}, once=True)
    except AWSError:
        return "unknown"  # this is for display only; a call that is needed raises its own error
    account: str = reply["Account"]
    return account


def _stage(aws: AWS, identifier: BackendIdentifier, region: str | None) -> str:
    """Return the stage of a branch, such as "PRODUCTION"; "" if it is not known."""
    if aws.is_local or identifier.type != "branch" or identifier.hash is not None:
        return ""
    names = {"appId": identifier.namespace, "branchName": identifier.name}
    try:
        reply = aws.call("amplify", "GetBranch", names, region=region, once=True)
    except (AWSError, MixedEndpointsError):
        return ""
    return str(reply["branch"].get("stage", ""))


def _age(outputs: AmplifyOutputs) -> float | None:
    try:
        return max(0.0, time.time() - outputs.path.stat().st_mtime)
    except OSError:
        return None
