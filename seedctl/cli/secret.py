"""``seedctl secret``: the sandbox's secrets, and ``seedctl generate-policy``."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedctl import policy
from seedctl.cli.completion import complete_secret_name
from seedctl.cli.connection import connect, is_local
from seedctl.cli.console import Console, print_data, print_json, utc_time
from seedctl.cli.options import (
    Command,
    Group,
    Settings,
    common_options,
    format_option,
    options,
    reading_options,
)
from seedctl.cli.run_report import ConsoleReport
from seedctl.errors import FileAccessError, InvalidSecretNameError, InvalidSecretValueError
from seedctl.guard import Guard
from seedctl.owner import find_owner
from seedctl.parameter_store import check_name, check_value, decode
from seedctl.prompter import TerminalPrompter

if TYPE_CHECKING:
    from seedctl.backend import Backend
    from seedctl.target import TargetDetail


@click.command("generate-policy", cls=Command)
@options(
    *("identifier", "app_id", "branch", "stack"),
    *("profile", "region", "endpoint_url", "project_dir", "outputs", "local"),
)
def generate_policy(settings: Settings) -> None:
    """Print the IAM policy that seeding needs.

    Attach it to the role that holds AmplifyBackendDeployFullAccess.
    """
    backend, console = _open(settings)
    with backend:
        auth = backend.require_auth()
        if not is_local(settings):
            _check_owner(backend, console)
        document = policy.generate_policy(backend.aws, auth, backend.identifier)
    print_data(document.removesuffix("\n"))


def _check_owner(backend: Backend, console: Console) -> None:
    """Warn if the user pool of the policy is that of another backend; raise if no seed could use it."""
    ownership = find_owner(backend.aws, backend.project, backend.identifier, backend.outputs)
    guard = Guard(backend.project, backend.identifier, allow_target=None)
    needed = guard.name_needed(backend.outputs, ownership)
    if needed is not None and ownership.owner == "other":
        error = guard.not_allowed(*needed, " The policy allows creating users there.")
        console.warning(error.message)


@click.group(cls=Group)
@common_options
def secret(_: Settings) -> None:
    """Set, get, list and remove the sandbox's secrets.

    They are stored in Parameter Store under the names that ampx sandbox secret uses. The command
    ampx secret, without sandbox, is for something else: it stores in Secrets Manager.
    """


@secret.command("set")
@click.argument("name", shell_complete=complete_secret_name)
@common_options
def set_(settings: Settings, name: str) -> None:
    """Store a secret, from a hidden prompt or from standard input."""
    check_name(name)
    value = check_value(name, _read_value())
    backend, console = _open(settings, target="account")
    with backend:
        stored = backend.secrets.set(name, value)
    console.success(f"Created version {stored.version} of secret {name} ({_sandbox(backend)}).")


@secret.command()
@click.argument("name", shell_complete=complete_secret_name)
@format_option
@click.option("--value-only", is_flag=True, help="Print the value and nothing else.")
@reading_options
def get(settings: Settings, name: str, form: str, value_only: bool) -> None:
    """Print a secret: name, version, value and time of its last change."""
    if value_only and form == "json":
        raise click.UsageError("--value-only and --format json exclude each other.")
    backend, _ = _open(settings)
    with backend:
        found = backend.secrets.read(name)
    facts = {
        "name": found.name,
        "version": found.version,
        "value": found.value,
        "lastUpdated": utc_time(found.last_updated.timestamp()),
    }
    if value_only:
        print_data(found.value)
    elif form == "json":
        print_json(facts)
    else:
        print_data("\n".join(f"{key}: {value}" for key, value in facts.items()))


@secret.command("list")
@format_option
@reading_options
def list_(settings: Settings, form: str) -> None:
    """Print the names of all secrets, one a line."""
    backend, console = _open(settings)
    with backend:
        names = backend.secrets.list()
    if form == "json":
        print_json(names)
    elif names:
        print_data("\n".join(names))
    else:
        console.status(f"No secrets in {_sandbox(backend)}.")


@secret.command()
@click.argument("name", required=False, shell_complete=complete_secret_name)
@click.option("--all", "every", is_flag=True, help="Remove every secret of the sandbox.")
@common_options
def remove(settings: Settings, name: str | None, every: bool) -> None:
    """Remove a secret, or with --all every one."""
    if every == bool(name):
        raise click.UsageError("Give the NAME of a secret, or --all.")
    backend, console = _open(settings, target="account")
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
def import_(settings: Settings, file: str) -> None:
    """Store every NAME=value line of a dotenv file as a secret.

    The whole file is checked before the first secret is stored.
    """
    path = Path(file)
    values = read_dotenv(path)
    backend, console = _open(settings, target="account")
    with backend:
        for name, value in values.items():
            backend.secrets.set(name, value)
    console.success(f"Stored {_secrets(len(values))} from {path.name} ({_sandbox(backend)}).")


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the names and values in *path*; if a name occurs twice, the last value counts.

    ``${NAME}`` is not expanded. Raises FileAccessError, InvalidSecretNameError and
    InvalidSecretValueError, which give the number of the line but never its text.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 - it needs logging

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileAccessError(
            f"{path} cannot be read: {error.strerror}.",
            resolution="Give the path of a dotenv file: lines of NAME=value.",
        ) from None
    values = {}
    for binding in parse_stream(io.StringIO(decode(raw, str(path)), newline=None)):
        # The parser counts from the blank lines before a binding.
        line = binding.original.line + _leading_line_breaks(binding.original.string)
        if binding.error or (binding.key is not None and binding.value is None):
            raise InvalidSecretValueError(
                f"{path}, line {line}, is not of the form NAME=value.",
                resolution="Correct the line; quote values that hold spaces or #.",
            )
        if binding.key is not None and binding.value is not None:
            values[binding.key] = _checked(binding.key, binding.value, f"{path}, line {line}")
    return values


def _checked(name: str, value: str, place: str) -> str:
    try:
        check_name(name)
    except InvalidSecretNameError as error:
        # The name is not shown: in a broken file it may be part of a secret value.
        raise InvalidSecretNameError(
            f"{place}: what is before = cannot be the name of a secret.",
            resolution=error.resolution,
        ) from None
    try:
        return check_value(name, value)
    except InvalidSecretValueError as error:
        raise InvalidSecretValueError(
            f"{place}: {error.message}", resolution=error.resolution
        ) from None


def _leading_line_breaks(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _open(settings: Settings, *, target: TargetDetail = "none") -> tuple[Backend, Console]:
    """Connect. On AWS, *target* says what to name before something is written."""
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
    where = "local " if backend.aws.is_local else ""
    return f"{where}{backend.identifier.kind} {backend.identifier.title}"
