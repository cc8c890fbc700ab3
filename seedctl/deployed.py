"""Read a deployed backend: its stack, and the model introspection that the deployment stored in S3."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl import errors
from seedctl.aws.credentials import ObjectLocation
from seedctl.aws.denials import explain_denial
from seedctl.bulk.threads import run_in_threads
from seedctl.outputs.from_stack import outputs_document, parse_json
from seedctl.project import BackendIdentifier

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS

_DATA = "AWS::Amplify::GraphQL"
_DEFAULT_NAME = "AMPLIFY_DATA_DEFAULT_NAME"
_ENDPOINT = "_GRAPHQL_ENDPOINT"
_BUCKET, _KEY = (f"_MODEL_INTROSPECTION_SCHEMA_{part}" for part in ("BUCKET_NAME", "KEY"))

# What lodash's snakeCase takes as one word, in ASCII.
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")

# The statuses in which the outputs of a stack can be read.
_READY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_ROLLED_BACK = ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")


@dataclass(frozen=True, slots=True)
class RootStack:
    """The root stack of a backend, whose last deployment has ended."""

    name: str
    outputs: Mapping[str, str]
    metadata: Mapping[str, Any]
    """The metadata of the stack's template: which outputs belong to which part of the backend."""
    is_rolled_back: bool
    """Whether the last deployment failed and was rolled back to the one before."""


def read_stack(aws: AWS, stack: str) -> RootStack:
    """Return the stack with the name or ARN *stack*, in the region of *aws*.

    Raises:
        StackDoesNotExistError: There is no such stack.
        NonAmplifyStackError: The stack is not the root stack of an Amplify backend.
        DeploymentInProgressError: The stack is being created, changed or deleted.
        DeploymentFailedError: The last deployment failed and was not rolled back.
        AmplifyOutputsNotFoundError: The stack has no outputs.
        AccessDeniedError: The caller may not read the stack.
    """
    replies: dict[str, dict[str, Any] | errors.SeedctlError] = {}

    def ask(operation: str) -> None:
        try:
            replies[operation] = aws.call("cloudformation", operation, {"StackName": stack})
        except errors.SeedctlError as error:
            replies[operation] = error

    aws.credentials()  # in this thread, since a profile may ask for an MFA code
    run_in_threads(
        iter(("DescribeStacks", "GetTemplateSummary")),
        ask,
        concurrency=2,
        on_end=lambda _: False,
        on_wait=lambda: None,
    )
    # First: a stack that is being created may have no template yet.
    described = _described(replies["DescribeStacks"], aws, stack)
    _check_status(described)
    name = described["StackName"]
    metadata = _metadata(_result(replies["GetTemplateSummary"]), name)
    outputs = {each["OutputKey"]: each.get("OutputValue", "") for each in described["Outputs"]}
    return RootStack(name, outputs, metadata, described["StackStatus"] in _ROLLED_BACK)


def deployed_outputs(aws: AWS, stack: RootStack, *, version: str = "1.4") -> dict[str, Any]:
    """Return the document of ``amplify_outputs.json`` of *stack*, with the model introspection.

    Args:
        aws: Makes the calls, in the stack's region.
        stack: What ``read_stack`` returned.
        version: The version of the document, such as "1.4".

    Raises:
        ModelIntrospectionNotFoundError: The backend has data, but its model introspection is not
            where a deployment stores it.
        InvalidAmplifyOutputsError: The stack does not have what Amplify writes.
        AccessDeniedError: The caller may not read the introspection.
    """
    introspection = _model_introspection(aws, stack) if _has_data(stack) else None
    return outputs_document(stack.outputs, stack.metadata, introspection, version=version)


def _result(reply: dict[str, Any] | errors.SeedctlError) -> dict[str, Any]:
    if isinstance(reply, errors.SeedctlError):
        raise reply
    return reply


def _described(reply: dict[str, Any] | errors.SeedctlError, aws: AWS, stack: str) -> dict[str, Any]:
    is_missing = (
        isinstance(reply, errors.AWSError)
        and reply.code == "ValidationError"
        and "does not exist" in reply.message
    )
    stacks = [] if is_missing else _result(reply)["Stacks"]
    if not stacks or stacks[0]["StackStatus"] == "DELETE_COMPLETE":
        raise errors.StackDoesNotExistError(
            f"There is no stack {stack} in {aws.region()} in this account.",
            resolution="Deploy the backend, or check which backend, --profile and --region you "
            "chose.",
        ) from (reply if isinstance(reply, errors.AWSError) else None)
    return {"Outputs": [], **stacks[0]}


def _check_status(stack: Mapping[str, Any]) -> None:
    """Raise unless the stack's last deployment has ended, and left the backend complete."""
    name, status = stack["StackName"], stack["StackStatus"]
    reason = stack.get("StackStatusReason")
    if status.endswith("_IN_PROGRESS"):
        what = "deleted" if status.startswith("DELETE_") else "deployed"
        raise errors.DeploymentInProgressError(
            f"The stack {name} is being {what} ({status}).",
            resolution="Deploy the backend again, then run this command."
            if what == "deleted"
            else "Run this command again when the deployment is done.",
        )
    if status not in {*_READY, *_ROLLED_BACK}:
        raise errors.DeploymentFailedError(
            f"The last deployment of the stack {name} failed ({status})"
            f"{f': {reason}' if reason else '.'}",
            resolution="Fix what the events of the stack show in the CloudFormation console, deploy "
            "again, then run this command.",
        )
    if not stack["Outputs"]:
        raise errors.AmplifyOutputsNotFoundError(
            f"The stack {name} has no outputs.",
            resolution="Choose the root stack of an Amplify backend, and deploy it completely.",
        )


def _metadata(summary: Mapping[str, Any], name: str) -> dict[str, Any]:
    text = summary.get("Metadata") or "{}"
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError):
        metadata = _python_literal(text)
    if not isinstance(metadata, dict) or not any(
        key.startswith("AWS::Amplify::") for key in metadata
    ):
        raise errors.NonAmplifyStackError(
            f"The stack {name} is not the root stack of an Amplify backend: its template has no "
            "metadata of Amplify.",
            resolution="Give the name of a root stack, such as "
            "amplify-myapp-ann-sandbox-a666e4d88d.",
        )
    return metadata


def _python_literal(text: str) -> Any:
    """Return the value of *text* in Python's notation, in which the emulator moto writes metadata."""
    import ast  # noqa: PLC0415 - AWS sends JSON

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _has_data(stack: RootStack) -> bool:
    entry = stack.metadata.get(_DATA)
    return isinstance(entry, dict) and "version" in entry and "stackOutputs" in entry


def _model_introspection(aws: AWS, stack: RootStack) -> dict[str, Any]:
    bucket, key = _introspection_place(aws, stack)
    from seedctl.aws.developer_files import read_file  # noqa: PLC0415 - it needs botocore

    location = ObjectLocation(bucket, key, aws.region())
    where = f"The model introspection s3://{bucket}/{key}"
    try:
        content = read_file(aws, location)
    except errors.NoSuchKey as error:
        raise _not_found(f"{where} does not exist", stack) from error
    except errors.AccessDenied as error:
        what, fix = explain_denial("s3:GetObject", error.message)
        raise errors.AccessDeniedError(
            f"{what} It is needed for s3://{bucket}/{key}, which has the model introspection.",
            service="s3",
            operation="GetObject",
            code=error.code,
            request_id=error.request_id,
            resolution=f"{fix} S3 answers in the same way if the file does not exist and you may not "
            "list the bucket.",
        ) from error
    except errors.StorageError as error:
        if error.code == "NoSuchBucket":
            raise _not_found(f"{where} does not exist", stack) from error
        raise errors.AWSError(
            f"s3:GetObject of s3://{bucket}/{key} failed with {error.code}.",
            service="s3",
            operation="GetObject",
            code=error.code,
            request_id=error.request_id,
        ) from error
    introspection: dict[str, Any] = parse_json(content.decode(errors="replace"), where, dict)
    if "models" not in introspection:
        raise _not_found(f"{where} has no models", stack)
    return introspection


def _introspection_place(aws: AWS, stack: RootStack) -> tuple[str, str]:
    """Return the bucket and the key of the model introspection, from Parameter Store."""
    identifier = BackendIdentifier.from_stack_name(stack.name)
    if identifier is None:
        raise _not_found(
            f"The place of the model introspection of {stack.name} is unknown, since Amplify did not "
            "make the stack's name",
            stack,
        )
    path = identifier.resource_reference_path("")
    name = _references(aws, path, [_DEFAULT_NAME]).get(_DEFAULT_NAME)
    if name:
        prefix = "_".join(_WORDS.findall(name)).upper()
        places = _places(_references(aws, path, [prefix + _BUCKET, prefix + _KEY]))
        if places:
            return places[prefix]
    found = dict(_all_references(aws, path))
    places = _places(found)
    api = stack.outputs.get("awsAppsyncApiEndpoint")
    own = [place for prefix, place in places.items() if found.get(prefix + _ENDPOINT) == api]
    candidates = own or [*places.values()]
    if len(candidates) != 1:
        what = f"{', '.join(sorted(places))} to choose from" if places else "no such pair"
        raise _not_found(
            f"The place of the model introspection of {stack.name} is not in Parameter Store: below "
            f"{path} there should be one …{_BUCKET} with its …{_KEY}; there is {what}",
            stack,
        )
    return candidates[0]


def _places(references: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the bucket and the key of each API's model introspection, by the API's prefix."""
    prefixes = [name.removesuffix(_BUCKET) for name in references if name.endswith(_BUCKET)]
    pairs = {each: (references[each + _BUCKET], references.get(each + _KEY)) for each in prefixes}
    return {prefix: (bucket, key) for prefix, (bucket, key) in pairs.items() if bucket and key}


def _references(aws: AWS, path: str, names: list[str]) -> dict[str, str]:
    """Return the values of the parameters *names* below *path*, as far as they exist."""
    reply = aws.call("ssm", "GetParameters", {"Names": [path + name for name in names]})
    return dict(_named(reply, path))


def _all_references(aws: AWS, path: str) -> Iterator[tuple[str, str]]:
    parameters: dict[str, Any] = {"Path": path}
    while True:
        reply = aws.call("ssm", "GetParametersByPath", parameters)
        yield from _named(reply, path)
        if not reply.get("NextToken"):
            return
        parameters = {"Path": path, "NextToken": reply["NextToken"]}


def _named(reply: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for parameter in reply.get("Parameters", ()):
        yield parameter["Name"].removeprefix(path), parameter.get("Value", "")


def _not_found(what: str, stack: RootStack) -> errors.ModelIntrospectionNotFoundError:
    return errors.ModelIntrospectionNotFoundError(
        f"{what}. Without it, the outputs file would lack the models.",
        resolution="Deploy the backend again with the current Amplify packages, or write the file "
        f"with npx ampx generate outputs --stack {stack.name}.",
    )
