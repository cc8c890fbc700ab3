"""``seedctl generate-policy``: the IAM policy for seeding."""

from __future__ import annotations

import click

from seedctl import policy
from seedctl.cli.connection import connect
from seedctl.cli.console import Console, print_data
from seedctl.cli.options import Command, options, settings_of
from seedctl.cli.run_report import ConsoleReport


@click.command("generate-policy", cls=Command)
@options("identifier", "profile", "region", "endpoint_url", "project_dir", "outputs", "local")
@click.pass_context
def generate_policy(context: click.Context) -> None:
    """Print the IAM policy that seeding needs.

    Attach it to the role that holds AmplifyBackendDeployFullAccess.
    """
    settings = settings_of(context)
    with connect(settings, ConsoleReport(Console(settings))) as backend:
        document = policy.generate_policy(backend.aws, backend.require_auth(), backend.identifier)
    print_data(document.removesuffix("\n"))
