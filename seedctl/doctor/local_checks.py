"""Checks of the local sandbox. It is not started, and its state is not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.doctor.aws_checks import flows_finding, secrets_finding
from seedctl.doctor.findings import Finding
from seedctl.local.running import check_deployed, find_server
from seedctl.local.ssm import stored_names
from seedctl.local.state_folder import FOLDER, has_state

if TYPE_CHECKING:
    from seedctl.doctor.check_context import CheckContext


def check_server(context: CheckContext) -> Finding:
    """The running local sandbox, if there is one: whether it answers and serves the same outputs."""
    server = find_server(context.project.state_folder)
    if server is None:
        return Finding("not running; each command starts its own")
    check_deployed(server, context.source.if_any())
    return Finding(f"running at {server.url}")


def check_local_state(context: CheckContext) -> Finding:
    """Whether what the local sandbox stores can be read."""
    folder = context.project.state_folder
    if not has_state(folder):
        return Finding("empty")
    stored_names(folder, "")  # raises if the state or its key cannot be read
    return Finding(f"stored in {context.display(folder / FOLDER)}")


def check_local_app_client(context: CheckContext) -> Finding:
    """Whether the source's app client allows the sign-in that seedctl uses."""
    pool = context.outputs.details.user_pool
    if context.outputs.auth is None:
        return Finding("no auth resource")
    return flows_finding((pool.auth_flows if pool is not None else None) or ())


def check_local_secrets(context: CheckContext) -> Finding:
    """Whether the secrets that the script reads are set in the local sandbox."""
    names = context.script_needs.secrets
    if not names:
        return Finding("no name of a secret found in the script")
    stored = stored_names(context.project.state_folder, context.identifier.parameter_prefix)
    return secrets_finding(context, names, stored)
