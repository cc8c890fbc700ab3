"""``seedctl generate-policy``: the IAM policy for seeding."""

from __future__ import annotations

import click

from seedctl.cli.console import Console, print_data
from seedctl.cli.options import Command, options, settings_of


@click.command("generate-policy", cls=Command)
@options("identifier", "profile", "region", "endpoint_url", "project_dir", "outputs", "local")
@click.pass_context
def generate_policy(context: click.Context) -> None:
    """Print the IAM policy that seeding needs.

    Attach it to the role that holds AmplifyBackendDeployFullAccess.
    """
    from seedctl.cli.run_report import ConsoleReport  # noqa: PLC0415
    from seedctl.policy import generate_policy as policy  # noqa: PLC0415

    settings = settings_of(context)
    with settings.connect(ConsoleReport(Console(settings))) as backend:
        document = policy(backend.aws, backend.require_auth(), backend.identifier)
    print_data(document.removesuffix("\n"))
