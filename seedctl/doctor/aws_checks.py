"""Checks of the access to AWS and of the deployed backend. All calls only read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from seedctl.cognito.pool import APP_CLIENT_SECRET, ENABLE_SRP, NEEDS_CLIENT_SECRET
from seedctl.doctor.findings import Finding, failure, note, problem
from seedctl.errors import (
    AccessDeniedError,
    AmplifyOutputsNotFoundError,
    InvalidAmplifyOutputsError,
    InvalidCredentialError,
    PromptUnavailableError,
    SSMParameterNotFoundError,
)
from seedctl.guard import Guard
from seedctl.owner import find_owner
from seedctl.parameter_store import check_name, secret_command
from seedctl.report import age_in_words
from seedctl.target import describe_target

if TYPE_CHECKING:
    from seedctl.doctor.check_context import CheckContext

_SOON = timedelta(minutes=15)


def check_profile(context: CheckContext) -> Finding:
    """Whether the chosen AWS profile, and the files that define it, can be used."""
    return Finding(context.aws.credential_source())


def check_region(context: CheckContext) -> Finding:
    """The region of the secrets, which may be known only from the outputs file."""
    try:
        return Finding(context.aws.region())
    except (AmplifyOutputsNotFoundError, InvalidAmplifyOutputsError):
        return Finding("not known without the outputs file", status="skipped")


def check_endpoints(context: CheckContext) -> Finding:
    """Whether all calls go to AWS, or all to one emulator."""
    context.aws.refuse_mixed_endpoints()
    return Finding(context.aws.endpoint("cognito-idp") or "AWS")


def check_credentials(context: CheckContext) -> Finding:
    """Whether there are credentials that AWS accepts, and until when."""
    try:
        context.aws.credentials()
    except InvalidCredentialError as error:
        if context.may_ask and isinstance(error.__cause__, PromptUnavailableError):
            return Finding(
                "a seed asks for an MFA code, which the doctor does not", None, "skipped"
            )
        raise
    account = context.aws.call("sts", "GetCallerIdentity", {})["Account"]
    expiry = context.aws.credentials_expiry()
    if expiry is None:
        return Finding(f"account {account}")
    left = expiry - datetime.now(timezone.utc)
    text = f"account {account}; the credentials expire in {age_in_words(left.total_seconds())}"
    if left > _SOON:
        return Finding(f"{text}.")
    return note(f"{text}.", context.aws.how_to_renew())


def check_stack(context: CheckContext) -> Finding:
    """Whether the outputs file belongs to the chosen backend."""
    aws, project, identifier, outputs = (
        context.aws,
        context.project,
        context.identifier,
        context.outputs,
    )
    ownership = find_owner(aws, project, identifier, outputs)
    guard = Guard(project, identifier, allow_target=None)
    needed = guard.name_needed(outputs, ownership)
    target = describe_target(aws, project, identifier, outputs, ownership)
    text = f"{identifier.stack_name}: {target.check}"
    if ownership.owner == "unknown" and ownership.reason not in target.check:
        text = f"{text}: {ownership.reason}"
    if needed is None:
        return Finding(text, status="skipped" if ownership.owner == "unknown" else "ok")
    error = guard.not_allowed(*needed)
    if ownership.owner == "other":  # the file is that of a backend that was not chosen
        return failure(error)
    return note(f"{text}. {error.message}", str(error.resolution))


def check_app_client(context: CheckContext) -> Finding:
    """Whether the app client allows the sign-in that seedctl uses."""
    auth = context.outputs.auth
    if auth is None:
        return Finding("no auth resource")
    names = {"UserPoolId": auth.user_pool_id, "ClientId": auth.user_pool_client_id}
    try:
        reply = context.aws.call(
            "cognito-idp", "DescribeUserPoolClient", names, region=auth.user_pool_region
        )
    except AccessDeniedError:
        text = "not checked: cognito-idp:DescribeUserPoolClient is not allowed"
        return Finding(text, status="skipped")
    client = reply["UserPoolClient"]
    if client.get("ClientSecret") and not os.environ.get(APP_CLIENT_SECRET):
        return problem("The app client has a secret.", NEEDS_CLIENT_SECRET.partition(": ")[2])
    return flows_finding(client.get("ExplicitAuthFlows", ()))


def flows_finding(flows: Iterable[str]) -> Finding:
    """Return whether an app client with these *flows* allows SRP. With an empty list, it does."""
    listed = [flow for flow in flows if flow.startswith("ALLOW_")]
    if listed and "ALLOW_USER_SRP_AUTH" not in listed:
        return problem("The app client does not allow ALLOW_USER_SRP_AUTH.", ENABLE_SRP)
    return Finding("SRP is allowed")


def check_secrets(context: CheckContext) -> Finding:
    """Whether the secrets that the script reads are set."""
    names = context.script_needs.secrets
    if not names:
        return Finding("no name of a secret found in the script")
    secrets = context.secrets
    try:
        stored = set(secrets.list())
    except AccessDeniedError:  # the policy for seeding allows only reading each by its name
        stored = {name for name in names if _is_set(context, name)}
    return secrets_finding(context, names, stored)


def secrets_finding(context: CheckContext, names: Iterable[str], stored: Iterable[str]) -> Finding:
    """Return which of *names* are not *stored*."""
    known = set(stored)
    missing = [check_name(name) for name in names if name not in known]
    if missing:
        fix = "; ".join(
            secret_command(context.identifier, f"set {name}", is_local=context.is_local)
            for name in missing
        )
        return problem(f"The script reads {', '.join(missing)}, not set in this backend.", fix)
    return Finding(f"{', '.join(names)}: set")


def _is_set(context: CheckContext, name: str) -> bool:
    try:
        context.secrets.read(name)
    except SSMParameterNotFoundError:
        return False
    return True
