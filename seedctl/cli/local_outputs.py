"""``seedctl local outputs``: how other programs reach the running local sandbox."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

import click

from seedctl.aws.settings import AWSSettings
from seedctl.cli.connection import project_of, read_outputs
from seedctl.cli.console import Console, print_data, print_json
from seedctl.cli.local_state import local_settings
from seedctl.cli.options import Command, options
from seedctl.local.running import check_deployed, require_server

if TYPE_CHECKING:
    from seedctl.cli.options import Settings
    from seedctl.local.running import RunningServer
    from seedctl.outputs import AmplifyOutputs


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

    Its data.url is that of the local API. For the other services, programs need the variables that
    are shown with it: eval "$(seedctl local outputs --format env)".
    """
    settings = local_settings(context)
    server = require_server(project_of(settings).state_folder)
    # A server without an outputs file serves only secrets, which need just the variables.
    deployed = read_outputs(
        settings,
        local=True,
        explicit=settings.outputs or server.outputs,
        is_required=form != "env",
    )
    check_deployed(server, deployed)
    lines = _shell_lines(settings, server, deployed)
    if form == "env" or deployed is None:
        print_data("\n".join(lines))
        return
    print_json(_with_local_api(server, deployed.document))
    if form == "text":
        console = Console(settings)
        console.status("The AWS clients of other programs reach it with these variables:")
        for line in lines:
            console.status(f"  {line}")


def _with_local_api(server: RunningServer, document: dict[str, Any]) -> dict[str, Any]:
    """Return *document* with the URL of *server*'s API in the place of the deployed one."""
    data = document.get("data")
    if not isinstance(data, dict):
        return document
    return {**document, "data": {**data, "url": f"{server.url}/graphql"}}


def _shell_lines(
    settings: Settings, server: RunningServer, outputs: AmplifyOutputs | None
) -> list[str]:
    """Return shell commands that set the variables for AWS clients to use *server*."""
    region = settings.region or (_region_of(outputs) if outputs is not None else None)
    variables = AWSSettings(region=region, endpoint_url=server.url, is_local=True).environment()
    set_lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in variables.items()
        if value is not None
    ]
    # Variables that are set here and would make a client use something else.
    unset_lines = [
        f"unset {name}" for name, value in variables.items() if value is None and name in os.environ
    ]
    return [*set_lines, *unset_lines]


def _region_of(outputs: AmplifyOutputs) -> str | None:
    if outputs.auth is not None:
        return outputs.auth.user_pool_region
    return outputs.data.aws_region if outputs.data is not None else None
