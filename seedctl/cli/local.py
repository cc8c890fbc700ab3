"""``seedctl local``: the local sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seedctl.cli.console import Console, print_json, print_rows
from seedctl.cli.options import Group, format_option, options, settings_of

if TYPE_CHECKING:
    from seedctl.cli.options import Settings


@click.group(cls=Group)
@options("identifier", "region", "project_dir", "outputs", "verbose")
def local() -> None:
    """Run and clear the local sandbox, which --local uses."""


@local.command()
@click.option(
    "--login",
    "logins",
    type=click.Choice(["email", "phone"]),
    multiple=True,
    help="What users sign in with; may be given twice.  [default: email]",
)
@click.option("--group", "groups", multiple=True, metavar="NAME", help="A group; repeatable.")
@click.option(
    "--mfa",
    type=click.Choice(["none", "optional", "required"]),
    help="Whether users have MFA.  [default: none]",
)
@click.option(
    "--mfa-method",
    "methods",
    type=click.Choice(["totp", "sms", "email"]),
    multiple=True,
    help="An MFA method; may be given more than once.  [default: totp]",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@options("project_dir", "outputs")
@click.pass_context
def init(
    context: click.Context,
    *,
    logins: tuple[str, ...],
    groups: tuple[str, ...],
    mfa: str | None,
    methods: tuple[str, ...],
    force: bool,
) -> None:
    """Write amplify/seed/local_outputs.json.

    It stands in for amplify_outputs.json with --local, where nothing is deployed.

    From amplify_outputs.json if there is one, with ids of its own; otherwise from the options.
    The file holds no secret and is meant to be committed.
    """
    from seedctl.cli.written_files import write_whole  # noqa: PLC0415
    from seedctl.errors import FileAccessError  # noqa: PLC0415
    from seedctl.local import blueprint  # noqa: PLC0415
    from seedctl.project.files import is_there  # noqa: PLC0415

    settings = settings_of(context)
    path = settings.project.local_outputs
    if is_there(path) and not force:
        raise FileAccessError(
            f"{path} is there already.", resolution="Replace it with --force, or edit it."
        )
    if methods and mfa is None:
        raise click.UsageError("--mfa-method needs --mfa optional or --mfa required.")
    document = None if logins or groups or mfa else _from_outputs(settings)
    if document is None:
        if not (logins or groups or mfa):
            logins, groups = _ask()
        document = _from_options(logins, groups, mfa or "none", methods)
    write_whole(path, blueprint.to_text(document))
    Console(settings).success(f"Wrote {settings.shown(path)}.")


@local.command()
@format_option
@options("project_dir")
@click.pass_context
def inbox(context: click.Context, form: str) -> None:
    """Print the e-mail and SMS codes that the local sandbox has sent.

    The newest comes first. Each is good once: MFA codes for three minutes, those for a forgotten
    password for one hour, those for a sign-up or a changed address for 24 hours.
    """
    from datetime import datetime, timezone  # noqa: PLC0415

    from seedctl.local import read_inbox  # noqa: PLC0415

    settings = settings_of(context)
    rows = [
        {
            "user": message.user,
            "method": message.method,
            "destination": message.destination,
            "code": message.code,
            "time": datetime.fromtimestamp(message.sent_at, timezone.utc)
            .isoformat(timespec="seconds")
            .replace("+00:00", "Z"),
            "purpose": message.purpose,
        }
        for message in read_inbox(settings.project.state_folder)
    ]
    if form == "json":
        print_json(rows)
    elif rows:
        print_rows([*row.values()] for row in rows)
    else:
        Console(settings).status("The local sandbox has sent no codes.")


@local.command()
@options("project_dir")
@click.pass_context
def reset(context: click.Context) -> None:
    """Delete all that the project's local sandbox stores.

    That is users, secrets, records and files. Refused while it is running: seedctl local stop ends
    it.
    """
    from seedctl.local import reset_state  # noqa: PLC0415

    settings = settings_of(context)
    console = Console(settings)
    if reset_state(settings.project.state_folder):
        console.success("Cleared the local sandbox.")
    else:
        console.status("The local sandbox is empty already.")


def _from_outputs(settings: Settings) -> dict[str, Any] | None:
    """Return the document made from the present outputs, or None where nothing is deployed."""
    from pathlib import Path  # noqa: PLC0415

    from seedctl.local import blueprint  # noqa: PLC0415
    from seedctl.outputs import OutputsSource  # noqa: PLC0415

    explicit = Path(settings.outputs) if settings.outputs else None
    outputs = OutputsSource(settings.project, explicit=explicit, is_local=False).if_any()
    return blueprint.from_outputs(outputs.document) if outputs is not None else None


def _from_options(
    logins: tuple[str, ...], groups: tuple[str, ...], mfa: str, methods: tuple[str, ...]
) -> dict[str, Any]:
    from seedctl.local import blueprint  # noqa: PLC0415

    kinds = {"email": "email", "phone": "phone_number"}
    default = () if mfa == "none" else ("totp",)
    return blueprint.from_options(
        username_attributes=tuple(kinds[login] for login in logins or ("email",)),
        groups=groups,
        mfa_configuration=mfa.upper(),
        mfa_methods=[method.upper() for method in methods or default],
    )


def _ask() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ask for logins and groups; without a terminal nothing is asked and the defaults hold."""
    from seedctl.prompter import can_prompt  # noqa: PLC0415

    if not can_prompt():
        return (), ()
    login = click.prompt(
        "Users sign in with",
        type=click.Choice(["email", "phone", "both"]),
        default="email",
        err=True,
    )
    groups = click.prompt("Groups, separated by commas", default="", show_default=False, err=True)
    logins = ("email", "phone") if login == "both" else (login,)
    return logins, tuple(name.strip() for name in groups.split(",") if name.strip())
