"""Most of the ``seedctl local`` commands: what the project's local sandbox is doing and stores."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from seedctl.aws.settings import AWSSettings
from seedctl.cli.connection import display_path, outputs_source, project_of, warn_if_stale
from seedctl.cli.console import Console, print_data, print_json, print_rows, utc_time
from seedctl.cli.options import Command, Settings, format_option, options
from seedctl.local import list_snapshots, read_inbox, reset_state
from seedctl.local.running import (
    RunningServer,
    check_deployed,
    locate_server,
    read_statistics,
    require_server,
    stop_server,
)
from seedctl.outputs import AmplifyOutputs


@click.command(cls=Command)
@format_option
@options("project_dir")
def status(settings: Settings, form: str) -> None:
    """Show whether the project's local sandbox is running, and where.

    The exit code is 0 either way; with --format json, see "running".
    """
    settings.local = True
    server, answers = locate_server(project_of(settings).state_folder) or (None, None)
    statistics = read_statistics(server) if server is not None and answers else None
    if form == "json":
        print_json(
            {
                "running": server is not None,
                "answers": answers,
                "url": server.url if server else None,
                "pid": server.pid if server else None,
                "started_at": utc_time(server.started_at) if server else None,
                "outputs": server.outputs if server else None,
                "statistics": statistics,
            }
        )
    elif server is None:
        print_data("not running")
    else:
        rows = {
            "running": f"{server.url}{'' if answers else '  (does not answer)'}",
            "process": str(server.pid),
            "since": utc_time(server.started_at),
            "outputs": served_outputs(settings, server),
        }
        if statistics is not None:
            rows["conditions"] = statistics["conditions"]
        print_data("\n".join(aligned(rows)))


@click.command(cls=Command)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "env"]),
    default="text",
    show_default=True,
    help="text: the document, and on stderr the variables; json: only the document; "
    "env: only the variables, for a shell.",
)
@options("region", "project_dir", "outputs")
def outputs(settings: Settings, form: str) -> None:
    """Print the amplify_outputs.json of the running local sandbox.

    Its data.url is that of the local API. For the other services, programs need the variables that
    are shown with it: eval "$(seedctl local outputs --format env)".
    """
    settings.local = True
    server = require_server(project_of(settings).state_folder)
    # A server without an outputs file serves only secrets, which need just the variables.
    source = outputs_source(settings, other=server.outputs)
    deployed = source.if_any() if form == "env" else source.outputs
    check_deployed(server, deployed)
    warn_if_stale(settings, deployed)
    lines = _shell_lines(settings, server, deployed)
    if form == "env" or deployed is None:
        print_data("\n".join(lines))
        return
    print_json(deployed.served_at(server.url))
    if form == "text":
        console = Console(settings)
        console.status("The AWS clients of other programs reach it with these variables:")
        for line in lines:
            console.status(f"  {line}")


@click.command(cls=Command)
@options("project_dir")
def stop(settings: Settings) -> None:
    """Stop the project's local sandbox, if it is running.

    Requests in progress are finished. Users, secrets, records and files remain stored.
    """
    settings.local = True
    console = Console(settings)
    stopped = stop_server(project_of(settings).state_folder)
    if stopped is None:
        console.status("No local sandbox is running for this project.")
        return
    server, gracefully = stopped
    if not gracefully:
        console.warning(f"Process {server.pid} did not end by itself and was killed.")
    console.success(f"Stopped the local sandbox at {server.url}.")


@click.command(cls=Command)
@format_option
@options("project_dir")
def inbox(settings: Settings, form: str) -> None:
    """Print the e-mail and SMS codes that the local sandbox has sent.

    The newest comes first. Each can be used once: MFA codes within three minutes, codes for a
    forgotten password within one hour, codes for a sign-up or a changed address within 24 hours.
    """
    rows = [
        {
            "user": message.user,
            "method": message.method,
            "destination": message.destination,
            "code": message.code,
            "time": utc_time(message.sent_at),
            "purpose": message.purpose,
        }
        for message in read_inbox(project_of(settings).state_folder)
    ]
    if form == "json":
        print_json(rows)
    elif rows:
        print_rows([*row.values()] for row in rows)
    else:
        Console(settings).status("The local sandbox has sent no codes.")


@click.command(cls=Command)
@options("project_dir")
def reset(settings: Settings) -> None:
    """Delete all that the project's local sandbox stores.

    That is users, secrets, records and files, but not snapshots. It is refused while the sandbox is
    running; stop it with seedctl local stop.
    """
    console, state_folder = Console(settings), project_of(settings).state_folder
    if reset_state(state_folder):
        console.success("Cleared the local sandbox.")
        if list_snapshots(state_folder):
            console.status("Its snapshots are still there: seedctl local snapshots")
    else:
        console.status("The local sandbox is empty already.")


def aligned(rows: Mapping[str, str]) -> list[str]:
    """Return one line for each of *rows*: its name, and its text in a second column."""
    width = max(map(len, rows))
    return [f"{name:{width}}  {text}" for name, text in rows.items()]


def served_outputs(settings: Settings, server: RunningServer) -> str:
    """Return the path of the outputs file that *server* uses."""
    if server.outputs is None:
        return "none: only secrets are served"
    return display_path(settings, Path(server.outputs))


def _shell_lines(
    settings: Settings, server: RunningServer, outputs: AmplifyOutputs | None
) -> list[str]:
    """Return shell commands that set the variables for AWS clients to use *server*."""
    region = settings.region or (_region_of(outputs) if outputs is not None else None)
    variables = AWSSettings(region=region, endpoint_url=server.url, is_local=True).environment()
    lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in variables.items()
        if value is not None
    ]
    # Variables that are set here and would make a client use something else.
    unset = [name for name, value in variables.items() if value is None and name in os.environ]
    return lines + [f"unset {name}" for name in unset]


def _region_of(outputs: AmplifyOutputs) -> str | None:
    if outputs.auth is not None:
        return outputs.auth.user_pool_region
    return outputs.data.aws_region if outputs.data is not None else None
