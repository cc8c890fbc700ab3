"""The options that commands share, before or after the subcommand, and what they mean together.

A command takes those that mean something to it. Before the subcommand all are taken, and those that
mean nothing to it are passed over: an alias may set them for all commands.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from seedctl.cli.stop_signals import StopSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from seedctl.backend import Backend
    from seedctl.project import BackendIdentifier, Project
    from seedctl.report import Observer
    from seedctl.target import TargetDetail

_Command = TypeVar("_Command", bound="Callable[..., Any]")


class Settings:
    """What the user chose on the command line."""

    def __init__(self) -> None:
        self.identifier: str | None = None
        self.profile: str | None = None
        self.region: str | None = None
        self.endpoint_url: str | None = None
        self.project_dir: str | None = None
        self.outputs: str | None = None
        self.local: bool | None = None
        self.quiet = False
        self.verbose = False
        self.debug = False
        self.mfa_command: str | None = None
        self.prompt = False
        self.script: Path | None = None  # known later: errors name the line that led to them
        self.signals = StopSignals()
        self._project: Project | None = None

    @property
    def is_local(self) -> bool:
        from seedctl.embedded import local_from_environment  # noqa: PLC0415

        return local_from_environment() if self.local is None else self.local

    @property
    def project(self) -> Project:
        """The project. Raises ProjectNotFoundError."""
        from pathlib import Path  # noqa: PLC0415

        from seedctl.project import find_project  # noqa: PLC0415

        if self.is_local and self.endpoint_url is not None:
            raise click.UsageError(
                "--local (or SEEDCTL_LOCAL) and --endpoint-url exclude each other."
            )
        if self._project is None:
            explicit = Path(self.project_dir) if self.project_dir else None
            self._project = find_project(Path(), explicit=explicit)
        return self._project

    def shown(self, path: Path) -> str:
        """Return *path* as seen from the project's root."""
        root = self.project.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)

    def backend_identifier(self) -> BackendIdentifier:
        """Return the sandbox: --identifier, SEEDCTL_IDENTIFIER, or the account's name."""
        from seedctl.project import (  # noqa: PLC0415
            BackendIdentifier,
            check_identifier_option,
            namespace_of,
            os_account_name,
        )

        name, source = self.identifier, "--identifier"
        if not name:
            name, source = os.environ.get("SEEDCTL_IDENTIFIER"), "SEEDCTL_IDENTIFIER"
        name = check_identifier_option(name, source=source) if name else os_account_name()
        return BackendIdentifier(namespace_of(self.project), name)

    def connect(self, observer: Observer, *, target: TargetDetail = "none") -> Backend:
        """Connect to the backend that the options mean."""
        identifier = self.backend_identifier()
        from seedctl.backend import connect  # noqa: PLC0415

        return connect(
            self.project.root,
            identifier=identifier,
            profile=self.profile,
            region=self.region,
            endpoint_url=self.endpoint_url,
            outputs=self.outputs,
            local=self.is_local,
            mfa_command=self.mfa_command,
            prompt=self.prompt,
            observer=observer,
            target=target,
        )


def settings_of(context: click.Context) -> Settings:
    """Return the settings of this invocation, shared by the group and its subcommands."""
    return context.ensure_object(Settings)


class Command(click.Command):
    """A command whose help shows its own options first, then those that many take."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Say so where an option that others take means nothing here."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name not in _COMMON_NAMES:
                raise
            raise click.UsageError(
                f"{error.option_name} means nothing to {ctx.command_path}.", ctx
            ) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two lists."""
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                (own if _COMMON_NAMES.isdisjoint(parameter.opts) else common).append(record)
        for title, records in (("Options", own), ("Common options", common)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Group(Command, click.Group):
    """A group whose help shows its commands first."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        Command.format_options(self, ctx, formatter)


def common_options(command: _Command) -> _Command:
    """Add all common options to *command*; a value given after the subcommand wins."""
    return options(*_OPTIONS)(command)


def options(*names: str) -> Callable[[_Command], _Command]:
    """Return what adds those of the common options that mean something to a command.

    *names* are those of :class:`Settings`. Some are taken by every command, and stand in the help
    only of those that are named: whoever asks for more words, or for the local sandbox of a command
    that is about nothing else, has made no mistake.
    """

    def add(command: _Command) -> _Command:
        for name, make in reversed(_OPTIONS.items()):
            if name in names or name in _ALWAYS_TAKEN:
                command = make(hidden=name not in {*names, *_ALWAYS_SHOWN})(command)
        return command

    return add


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    # None or False: not given here, and what stands before the subcommand must stay.
    if value is not None and value is not False:
        assert parameter.name is not None
        if value == "":
            # From a variable that was never set; to take it for absent could mean another backend.
            raise click.UsageError(
                f"{parameter.opts[-1]} is empty: give it a value or leave it out."
            )
        check = _CHECKS.get(parameter.name)
        if check is not None:
            check(value)
        setattr(settings_of(context), parameter.name, value)


def _check_identifier(value: str) -> None:
    from seedctl.project import check_identifier_option  # noqa: PLC0415

    check_identifier_option(value)


def _check_endpoint(value: str) -> None:
    from seedctl.aws.settings import check_endpoint  # noqa: PLC0415

    check_endpoint(value, source="--endpoint-url")


# What can be told from the command line alone is told first, as ampx does.
_CHECKS: Mapping[str, Callable[[str], None]] = {
    "identifier": _check_identifier,
    "endpoint_url": _check_endpoint,
}


def _option(*names: str, **attributes: Any) -> Callable[..., Callable[[_Command], _Command]]:
    return partial(click.option, *names, expose_value=False, callback=_remember, **attributes)


_OPTIONS = {
    "identifier": _option(
        "--identifier",
        metavar="NAME",
        help="The sandbox [default: SEEDCTL_IDENTIFIER, else the account's name].",
    ),
    "profile": _option("--profile", metavar="NAME", help="The AWS profile [default: AWS_PROFILE]."),
    "region": _option(
        "--region",
        metavar="REGION",
        help="The AWS region of secrets [default: AWS_REGION, profile, outputs].",
    ),
    "endpoint_url": _option(
        "--endpoint-url", metavar="URL", help="Send every AWS call there, to an emulator."
    ),
    "project_dir": _option(
        "-C",
        "--project-dir",
        type=click.Path(readable=False),
        metavar="DIR",
        help="The project's folder [default: found from here upwards].",
    ),
    "outputs": _option(
        "--outputs",
        type=click.Path(readable=False),
        metavar="FILE",
        help="The outputs file [default: amplify_outputs.json of the project].",
    ),
    "local": _option(
        "--local", is_flag=True, help="Use the local sandbox, no AWS account. Or SEEDCTL_LOCAL=1."
    ),
    "quiet": _option("-q", "--quiet", is_flag=True, help="Print nothing but data and errors."),
    "verbose": _option("-v", "--verbose", is_flag=True, help="Print each thing as it is done."),
    "debug": _option("--debug", is_flag=True, help="Show the full trace of an error."),
}
_ALWAYS_TAKEN = ("local", "quiet", "verbose", "debug")
_ALWAYS_SHOWN = ("quiet", "debug")
_COMMON_NAMES = {f"--{name.replace('_', '-')}" for name in _OPTIONS} | {"-C", "-q", "-v", "--help"}

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How data is printed.",
)
