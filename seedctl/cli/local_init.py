"""``seedctl local init``: write the file that stands for amplify_outputs.json locally."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seedctl.cli.connection import display_path, project_of, read_outputs
from seedctl.cli.console import Console
from seedctl.cli.options import Command, options
from seedctl.errors import FileAccessError
from seedctl.local import blueprint
from seedctl.project.files import is_there
from seedctl.prompter import can_prompt
from seedctl.runner.atomic_write import write_file

if TYPE_CHECKING:
    from seedctl.cli.options import Settings


@click.command(cls=Command)
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
def init(
    settings: Settings,
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
    path = project_of(settings).local_outputs
    if is_there(path) and not force:
        raise FileAccessError(
            f"{path} is there already.", resolution="Replace it with --force, or edit it."
        )
    if methods and mfa is None:
        raise click.UsageError("--mfa-method needs --mfa optional or --mfa required.")
    if logins or groups or mfa:
        document = _from_options(logins, groups, mfa or "none", methods)
    else:
        document = _from_outputs(settings) or _from_options(*_ask(), "none", ())
    write_file(path, blueprint.to_text(document))
    Console(settings).success(f"Wrote {display_path(settings, path)}.")


def _from_outputs(settings: Settings) -> dict[str, Any] | None:
    """Return the document made from the deployed outputs, or None where nothing is deployed."""
    outputs = read_outputs(settings, local=False, explicit=settings.outputs)
    return blueprint.from_outputs(outputs.document) if outputs is not None else None


def _from_options(
    logins: tuple[str, ...], groups: tuple[str, ...], mfa: str, methods: tuple[str, ...]
) -> dict[str, Any]:
    attributes = {"email": "email", "phone": "phone_number"}
    default = () if mfa == "none" else ("totp",)
    return blueprint.from_options(
        username_attributes=tuple(attributes[login] for login in logins or ("email",)),
        groups=groups,
        mfa_configuration=mfa.upper(),
        mfa_methods=[method.upper() for method in methods or default],
    )


def _ask() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ask for logins and groups; without a terminal ask nothing and use the defaults."""
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
