"""``seedctl local stop``, ``status`` and ``outputs``: what is asked of a running server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seedctl.cli.console import Console, print_data, print_json
from seedctl.cli.options import Command, Settings, format_option, options, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.local.running import RunningServer
    from seedctl.outputs import AmplifyOutputs


@click.command(cls=Command)
@options("project_dir")
@click.pass_context
def stop(context: click.Context) -> None:
    """Stop the project's local sandbox, if it is running.

    Requests under way are finished. Users, secrets, records and files are kept.
    """
    from seedctl.local.running import stop_server  # noqa: PLC0415

    settings = local_settings(context)
    console = Console(settings)
    stopped = stop_server(settings.project.state_folder)
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
def status(context: click.Context, form: str) -> None:
    """Tell whether the project's local sandbox is running, and where.

    The exit code is 0 either way; with --format json, see "running".
    """
    from seedctl.local.running import locate_server, read_statistics  # noqa: PLC0415

    settings = local_settings(context)
    server, answers = locate_server(settings.project.state_folder) or (None, None)
    statistics = read_statistics(server) if server is not None and answers else None
    if form == "json":
        print_json(
            {
                "running": server is not None,
                "answers": answers,
                "url": server.url if server else None,
                "pid": server.pid if server else None,
                "started_at": _time(server) if server else None,
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
            "since": _time(server),
            "outputs": shown_outputs(settings, server),
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
@click.pass_context
def outputs(context: click.Context, form: str) -> None:
    """Print the amplify_outputs.json of the running local sandbox.

    Its data.url leads there. For all else, other programs need the variables that are shown beside
    it: eval "$(seedctl local outputs --format env)".
    """
    from pathlib import Path  # noqa: PLC0415

    from seedctl.local.running import check_deployed, require_server  # noqa: PLC0415
    from seedctl.outputs import OutputsSource  # noqa: PLC0415

    settings = local_settings(context)
    server = require_server(settings.project.state_folder)
    explicit = settings.outputs or server.outputs
    path = Path(explicit) if explicit else None
    source = OutputsSource(settings.project, explicit=path, is_local=True)
    # A server that only has secrets needs no outputs file, and the variables do not depend on it.
    deployed = source.if_any() if form == "env" else source.outputs
    check_deployed(server, deployed)
    lines = _shell_lines(settings, server, deployed)
    if form == "env" or deployed is None:
        print_data("\n".join(lines))
        return
    print_json(_pointed_at(server, deployed.document))
    if form == "text":
        console = Console(settings)
        console.status("The AWS clients of other programs reach it with these variables:")
        for line in lines:
            console.status(f"  {line}")


def local_settings(context: click.Context) -> Settings:
    """Return the settings of a command that is about the local sandbox in any case."""
    settings = settings_of(context)
    settings.local = True
    return settings


def aligned(rows: Mapping[str, str]) -> list[str]:
    """Return a line for each of *rows*, with what they say below each other."""
    width = max(map(len, rows))
    return [f"{name:{width}}  {text}" for name, text in rows.items()]


def shown_outputs(settings: Settings, server: RunningServer) -> str:
    """Return the file that *server* serves, as seen from the project's root."""
    from pathlib import Path  # noqa: PLC0415

    if server.outputs is None:
        return "none: only secrets are served"
    return settings.shown(Path(server.outputs))


def _time(server: RunningServer) -> str:
    from datetime import datetime, timezone  # noqa: PLC0415

    started = datetime.fromtimestamp(server.started_at, timezone.utc)
    return started.isoformat(timespec="seconds").replace("+00:00", "Z")


def _pointed_at(server: RunningServer, document: dict[str, Any]) -> dict[str, Any]:
    """Return *document*, in its own order, with the API's address replaced by *server*'s."""
    data = document.get("data")
    if not isinstance(data, dict):
        return document
    return {**document, "data": {**data, "url": f"{server.url}/graphql"}}


def _shell_lines(
    settings: Settings, server: RunningServer, outputs: AmplifyOutputs | None
) -> list[str]:
    """Return the shell's commands after which AWS clients talk to *server*."""
    import os  # noqa: PLC0415
    import shlex  # noqa: PLC0415

    from seedctl.aws.settings import AWSSettings  # noqa: PLC0415

    chosen = settings.region or (_region_of(outputs) if outputs is not None else None)
    variables = AWSSettings(region=chosen, endpoint_url=server.url, is_local=True).environment()
    set_lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in variables.items()
        if value is not None
    ]
    # What is set here and would lead elsewhere.
    unset_lines = [
        f"unset {name}" for name, value in variables.items() if value is None and name in os.environ
    ]
    return [*set_lines, *unset_lines]


def _region_of(outputs: AmplifyOutputs) -> str | None:
    if outputs.auth is not None:
        return outputs.auth.user_pool_region
    return outputs.data.aws_region if outputs.data is not None else None
