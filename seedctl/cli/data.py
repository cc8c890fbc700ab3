"""``seedctl data``: export the records of the models to files, and import them again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from seedctl.cli.connection import connect
from seedctl.cli.console import Console
from seedctl.cli.options import Command, Group, Settings, common_options, reading_options
from seedctl.cli.run_report import ConsoleReport
from seedctl.errors import (
    AccessDeniedError,
    BulkError,
    InvalidCredentialError,
    NoApiKey,
    NoAuthorizationHeader,
    NoCredentials,
    NoValidAuthTokens,
    PromptUnavailableError,
    SeedctlError,
    UnauthorizedError,
)
from seedctl.masking import mask
from seedctl.prompter import TerminalPrompter
from seedctl.report import Progress

if TYPE_CHECKING:
    from seedctl.appsync.client import DataClient
    from seedctl.backend import Backend
    from seedctl.rows.folder import ExportFolder
    from seedctl.rows.masked_fields import MaskedFields
    from seedctl.rows.writers import FileFormat

_WHO_MAY = (
    "Choose who reads and writes: --as USER signs in a user, whom the rules in amplify/data/resource.ts "
    "must allow this; --caller uses your own AWS credentials, which may use every model."
)


class _Caller(NamedTuple):
    """Who reads and writes, by the options: a user, the developer, or the API's default."""

    user: str | None
    password_secret: str | None
    is_developer: bool


def _caller_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say who acts; the command gets them as one ``caller``."""

    @wraps(command)
    def gathered(
        *arguments: Any, user: str | None, password_secret: str | None, caller: bool, **others: Any
    ) -> Any:
        if user is not None and caller:
            raise click.UsageError("--as and --caller exclude each other.")
        if password_secret is not None and user is None:
            raise click.UsageError("--password-secret goes with --as USER.")
        chosen = _Caller(user, password_secret, caller)
        return command(*arguments, caller=chosen, **others)

    add: Callable[..., Any]
    for add in (
        click.option("--caller", is_flag=True, help="Act with your own AWS credentials."),
        click.option(
            "--password-secret",
            metavar="NAME",
            help="The secret with the password of --as [default: ask for it].",
        ),
        click.option("--as", "user", metavar="USER", help="Sign in this user and act as them."),
    ):
        gathered = add(gathered)
    return gathered


_model_option = click.option(
    "--model", "models", multiple=True, metavar="NAME", help="Only this model; repeatable."
)


@click.group(cls=Group)
@common_options
def data(_: Settings) -> None:
    """Export and import the records of the models.

    Without --as and --caller, the API's default auth mode is used without a user.
    """


@data.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@_model_option
@_caller_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="How records are written: JSON Lines or CSV.",
)
@click.option(
    "--mask",
    "masked",
    multiple=True,
    metavar="FIELD",
    help="Replace the values of a field, or Model.field, with pseudonyms; repeatable.",
)
@click.option(
    "--mask-secret",
    metavar="NAME",
    help="The secret that pseudonyms depend on [default: random in each export].",
)
@reading_options
def export(
    settings: Settings,
    *,
    folder: str,
    models: Sequence[str],
    caller: _Caller,
    form: FileFormat,
    masked: Sequence[str],
    mask_secret: str | None,
) -> None:
    """Write all records to DIR, a file for each model.

    The users of the user pool are written too, without passwords, unless --model is given.
    """
    # The clients are slow to import, and --help needs none of them.
    from seedctl.rows.exporting import export_models, schema_of  # noqa: PLC0415
    from seedctl.rows.folder import ExportFolder  # noqa: PLC0415
    from seedctl.rows.masked_fields import MaskedFields  # noqa: PLC0415
    from seedctl.rows.pseudonyms import Pseudonyms  # noqa: PLC0415

    console = Console(settings)
    report = ConsoleReport(console)
    with connect(settings, report) as backend, _acting(backend, caller) as (client, auth_mode):
        for name in models:
            client.models[name]  # raises for a model that does not exist
        key = backend.secrets.get(mask_secret).encode() if mask_secret else secrets.token_bytes(32)
        fields = MaskedFields(schema_of(client), masked, Pseudonyms(key))
        target = ExportFolder(Path(folder))
        try:
            written = export_models(
                client, models, target, fields, report, auth_mode=auth_mode, form=form
            )
            users = None if models else _export_users(backend, target, fields, report)
            target.finish(fields.names())
        finally:
            report.display.close()
            target.discard()
    counts = [f"{count} {name}" for name, count in written.items()]
    if users is not None:
        counts.append(_count(users, "user"))
    console.success(f"Exported to {mask(folder)}: {', '.join(counts) or 'nothing'}.")


@data.command("import", cls=Command)
@click.argument("source", metavar="DIR|FILE", type=click.Path())
@_model_option
@_caller_options
@click.option(
    "--if-exists",
    type=click.Choice(["error", "skip", "update"]),
    default="error",
    show_default=True,
    help="What to do with a row whose record exists.",
)
@common_options
def import_(
    settings: Settings,
    *,
    source: str,
    models: Sequence[str],
    caller: _Caller,
    if_exists: Literal["error", "skip", "update"],
) -> None:
    """Create records from an export, or from CSV and JSON Lines files.

    Each file is named after its model. A row that fails does not stop the others.
    """
    from seedctl.rows.folder import has_users  # noqa: PLC0415 - as above
    from seedctl.rows.importing import files_to_import, import_files  # noqa: PLC0415

    path = Path(source)
    if len(models) > 1 and not path.is_dir():
        raise click.UsageError("A file has rows of one model only: give --model once.")
    console = Console(settings)
    report = _ImportReport(console)
    with (
        connect(settings, report, target="outputs") as backend,
        _acting(backend, caller) as (client, auth_mode),
    ):
        for name in models:
            client.models[name]  # raises for a model that does not exist
        files = files_to_import(client, path, models, report)
        try:
            outcome = import_files(client, files, report, if_exists=if_exists, auth_mode=auth_mode)
        finally:
            report.display.close()
            report.show()
    if not models and has_users(path):
        console.status(
            "The users of the export are not created, since it has no passwords: docs/rows.md shows "
            "how to create them."
        )
    first, place = outcome.first_failure, outcome.first_place
    if first is not None:
        which = "the first" if place in first.message else f"the first, {place}"
        raise BulkError(
            f"{outcome.failed} of {outcome.rows} rows failed; {which}: {first.message}",
            resolution=f"{first.resolution or 'Correct the rows.'} "
            "With --if-exists skip a second run leaves the records of the first one unchanged.",
        ) from first
    console.success(f"Import finished: {report.totals()}.")


class _ImportReport(ConsoleReport):
    """Shows the progress of all rows of a model, which an import writes in parts."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._finished: dict[str, Progress] = {}

    def on_progress(self, progress: Progress) -> None:
        before = self._finished.get(progress.what)
        if before is not None:
            progress = replace(
                progress,
                done=before.done + progress.done,
                failed=before.failed + progress.failed,
                started=before.started,
            )
        if progress.is_finished:
            self._finished[progress.what] = progress
        super().on_progress(progress)


@contextmanager
def _acting(
    backend: Backend, caller: _Caller
) -> Iterator[tuple[DataClient, Literal["userPool"] | None]]:
    """Yield a client that acts as *caller*, and the auth mode for its calls; None is its default."""
    try:
        if caller.user is None:
            credentials: Literal["caller"] | None = "caller" if caller.is_developer else None
            yield backend.data.generate_client(credentials=credentials), None
            return
        password = _password(backend, caller)
        has_mfa = backend.require_auth().mfa_configuration in {"OPTIONAL", "REQUIRED"}
        flow: Literal["MFA", "Password"] = "MFA" if has_mfa else "Password"
        with backend.auth.sign_in(caller.user, password, sign_in_flow=flow) as session:
            yield session.data, "userPool"
    except (
        UnauthorizedError,
        NoValidAuthTokens,
        NoCredentials,
        NoAuthorizationHeader,
        NoApiKey,
    ) as error:
        if not caller.is_developer and not _is_about_key_or_token(error):
            error.resolution = _WHO_MAY
        raise


def _is_about_key_or_token(error: SeedctlError) -> bool:
    """Whether AppSync refused the key or token itself; it names no field then."""
    if not isinstance(error, UnauthorizedError):
        return False
    return not (error.errors and error.errors[0].get("path"))


def _password(backend: Backend, caller: _Caller) -> str:
    if caller.password_secret is not None:
        return backend.secrets.get(caller.password_secret)
    try:
        return TerminalPrompter().ask(f"Password of {mask(str(caller.user))}")
    except PromptUnavailableError as error:
        error.resolution = (
            "Store it with seedctl secret set NAME, and give --password-secret NAME; or run in a "
            "terminal, without CI set in the environment."
        )
        raise


def _export_users(
    backend: Backend, folder: ExportFolder, fields: MaskedFields, report: ConsoleReport
) -> int | None:
    """Write the users and return their number; None without a user pool or the permission to."""
    from seedctl.rows.exporting import export_users  # noqa: PLC0415 - as above
    from seedctl.rows.folder import USERS_FILE  # noqa: PLC0415

    if backend.outputs.auth is None:
        return None
    if folder.has(USERS_FILE):
        report.on_warning(f"The users are not exported: {USERS_FILE} is the file of a model.")
        return None
    try:
        return export_users(backend.auth.list_users(), folder, fields, report)
    except (AccessDeniedError, InvalidCredentialError) as error:
        report.on_warning(f"The users are not exported: {error.message}")
        return None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
