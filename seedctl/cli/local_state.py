"""``seedctl local status``, ``stop``, ``inbox`` and ``reset``: the project's local sandbox."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedctl.cli.connection import display_path, project_of
from seedctl.cli.console import Console, print_data, print_json, print_rows
from seedctl.cli.options import Command, format_option, options, settings_of
from seedctl.local import read_inbox, reset_state
from seedctl.local.running import locate_server, read_statistics, stop_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.cli.options import Settings
    from seedctl.local.running import RunningServer


@click.command(cls=Command)
@format_option
@options("project_dir")
@click.pass_context
def status(context: click.Context, form: str) -> None:
    """Show whether the project's local sandbox is running, and where.

    The exit code is 0 either way; with --format json, see "running".
    """
    settings = local_settings(context)
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
@options("project_dir")
@click.pass_context
def stop(context: click.Context) -> None:
    """Stop the project's local sandbox, if it is running.

    Requests under way are finished. Users, secrets, records and files are kept.
    """
    settings = local_settings(context)
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
@click.pass_context
def inbox(context: click.Context, form: str) -> None:
    """Print the e-mail and SMS codes that the local sandbox has sent.

    The newest comes first. Each can be used once: MFA codes within three minutes, codes for a
    forgotten password within one hour, codes for a sign-up or a changed address within 24 hours.
    """
    settings = settings_of(context)
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
@click.pass_context
def reset(context: click.Context) -> None:
    """Delete all that the project's local sandbox stores.

    That is users, secrets, records and files. It is refused while the sandbox is running; stop it
    with seedctl local stop.
    """
    settings = settings_of(context)
    console = Console(settings)
    if reset_state(project_of(settings).state_folder):
        console.success("Cleared the local sandbox.")
    else:
        console.status("The local sandbox is empty already.")


def local_settings(context: click.Context) -> Settings:
    """Return the settings of a command that always uses the local sandbox."""
    settings = settings_of(context)
    settings.local = True
    return settings


def aligned(rows: Mapping[str, str]) -> list[str]:
    """Return one line for each of *rows*: its name, and its text in a second column."""
    width = max(map(len, rows))
    return [f"{name:{width}}  {text}" for name, text in rows.items()]


def served_outputs(settings: Settings, server: RunningServer) -> str:
    """Return the path of the outputs file that *server* uses."""
    if server.outputs is None:
        return "none: only secrets are served"
    return display_path(settings, Path(server.outputs))


def utc_time(timestamp: float) -> str:
    """Return *timestamp*, in seconds since 1970, as ISO 8601 in UTC."""
    moment = datetime.fromtimestamp(timestamp, timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
