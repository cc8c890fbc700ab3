"""Checks of the local sandbox. It is not started, and its state is not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.doctor.aws_checks import flows_finding, secrets_finding
from seedctl.doctor.findings import Finding
from seedctl.local.running import check_deployed, find_server
from seedctl.local.ssm import stored_names
from seedctl.local.state_folder import FOLDER, has_state, read_key

if TYPE_CHECKING:
    from seedctl.doctor.surroundings import Surroundings


def check_server(around: Surroundings) -> Finding:
    """The running local sandbox, if there is one: whether it answers and serves the same outputs."""
    server = find_server(around.project.state_folder)
    if server is None:
        return Finding("not running; each command starts its own")
    check_deployed(server, around.source.if_any())
    return Finding(f"running at {server.url}")


def check_local_state(around: Surroundings) -> Finding:
    """Whether what the local sandbox stores can be read."""
    folder = around.project.state_folder
    if not has_state(folder):
        return Finding("empty")
    read_key(folder / FOLDER)  # raises if there is a state without a key
    stored_names(folder, "")
    return Finding(f"stored in {around.display(folder / FOLDER)}")


def check_local_app_client(around: Surroundings) -> Finding:
    """Whether the source's app client allows the sign-in that seedctl uses."""
    pool = around.outputs.details.user_pool
    if around.outputs.auth is None:
        return Finding("no auth resource")
    return flows_finding((pool.auth_flows if pool is not None else None) or ())


def check_local_secrets(around: Surroundings) -> Finding:
    """Whether the secrets that the script reads are set in the local sandbox."""
    names = around.script_needs.secrets
    if not names:
        return Finding("no name of a secret found in the script")
    stored = stored_names(around.project.state_folder, around.identifier.parameter_prefix)
    return secrets_finding(around, names, stored)
