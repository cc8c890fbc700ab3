"""``seedctl secret``: the sandbox's secrets."""

from __future__ import annotations

import sys
from datetime import timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedctl.cli.connection import connect, is_local
from seedctl.cli.console import Console, print_data, print_json
from seedctl.cli.options import Group, common_options, format_option, settings_of
from seedctl.cli.run_report import ConsoleReport
from seedctl.parameter_store import check_name, check_value, decode
from seedctl.prompter import TerminalPrompter

if TYPE_CHECKING:
    from seedctl.backend import Backend
    from seedctl.target import TargetDetail


@click.group(cls=Group)
@common_options
def secret() -> None:
    """Set, get, list and remove the sandbox's secrets.

    They are stored in Parameter Store under the names that ampx uses.
    """


@secret.command("set")
@click.argument("name")
@common_options
@click.pass_context
def set_(context: click.Context, name: str) -> None:
    """Store a secret, from a hidden prompt or from standard input."""
    check_name(name)
    value = check_value(name, _read_value())
    backend, console = _open(context, target="account")
    with backend:
        stored = backend.secrets.set(name, value)
    console.success(f"Created version {stored.version} of secret {name} ({_sandbox(backend)}).")


@secret.command()
@click.argument("name")
@format_option
@click.option("--value-only", is_flag=True, help="Print the value and nothing else.")
@common_options
@click.pass_context
def get(context: click.Context, name: str, form: str, value_only: bool) -> None:
    """Print a secret: name, version, value and time of its last change."""
    if value_only and form == "json":
        raise click.UsageError("--value-only and --format json exclude each other.")
    backend, _ = _open(context)
    with backend:
        found = backend.secrets.read(name)
    changed = found.last_updated.astimezone(timezone.utc).isoformat(timespec="seconds")
    facts = {
        "name": found.name,
        "version": found.version,
        "value": found.value,
        "lastUpdated": changed.replace("+00:00", "Z"),
    }
    if value_only:
        print_data(found.value)
    elif form == "json":
        print_json(facts)
    else:
        print_data("\n".join(f"{key}: {value}" for key, value in facts.items()))


@secret.command("list")
@format_option
@common_options
@click.pass_context
def list_(context: click.Context, form: str) -> None:
    """Print the names of all secrets, one a line."""
    backend, console = _open(context)
    with backend:
        names = backend.secrets.list()
    if form == "json":
        print_json(names)
    elif names:
        print_data("\n".join(names))
    else:
        console.status(f"No secrets in {_sandbox(backend)}.")


@secret.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Remove every secret of the sandbox.")
@common_options
@click.pass_context
def remove(context: click.Context, name: str | None, every: bool) -> None:
    """Remove a secret, or with --all every one."""
    if every == bool(name):
        raise click.UsageError("Give the NAME of a secret, or --all.")
    backend, console = _open(context, target="account")
    with backend:
        if name:
            backend.secrets.remove(name)
            console.success(f"Removed secret {name} ({_sandbox(backend)}).")
        else:
            count = backend.secrets.remove_all()
            console.success(f"Removed {_secrets(count)} ({_sandbox(backend)}).")


@secret.command("import")
@click.argument("file", type=click.Path(readable=False))
@common_options
@click.pass_context
def import_(context: click.Context, file: str) -> None:
    """Store every NAME=value line of a dotenv file as a secret.

    The whole file is checked before the first secret is stored.
    """
    from seedctl.cli.dotenv import read_dotenv  # noqa: PLC0415 - it needs logging

    path = Path(file)
    values = read_dotenv(path)
    backend, console = _open(context, target="account")
    with backend:
        for name, value in values.items():
            backend.secrets.set(name, value)
    console.success(f"Stored {_secrets(len(values))} from {path.name} ({_sandbox(backend)}).")


def _open(context: click.Context, *, target: TargetDetail = "none") -> tuple[Backend, Console]:
    """Connect. On AWS, *target* says what to name before something is written."""
    settings = settings_of(context)
    console = Console(settings)
    target = "none" if is_local(settings) else target
    return connect(settings, ConsoleReport(console), target=target), console


def _read_value() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        return TerminalPrompter().ask("Enter secret value")
    text = decode(sys.stdin.buffer.read(), "Standard input")
    # Echo and editors add one line break; others may be part of the value.
    return text.removesuffix("\n").removesuffix("\r")


def _secrets(count: int) -> str:
    return f"{count} secret{'' if count == 1 else 's'}"


def _sandbox(backend: Backend) -> str:
    where = "local sandbox" if backend.aws.is_local else "sandbox"
    return f"{where} {backend.identifier.name} of {backend.identifier.namespace}"
