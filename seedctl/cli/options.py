"""The command classes, and the options that commands share, before or after the subcommand.

After its name, a command takes only the options that it uses. Before the subcommand all of them are
allowed and those that it does not use are ignored, so that a shell alias can set them for every
command.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from seedctl.cli.stop_signals import StopSignals

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.project import Project

    _Function = Callable[..., Any]


class Settings:
    """What the user chose on the command line."""

    def __init__(self) -> None:
        self.identifier: str | None = None
        self.app_id: str | None = None
        self.branch: str | None = None
        self.stack: str | None = None
        self.allow_target: str | None = None
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
        self.script_arguments: list[str] = []
        self.script: Path | None = None
        """The seed script once it was found; an error names the line of it that failed."""
        self.project: Project | None = None
        """The project once it was found; see ``seedctl.cli.connection.project_of``."""
        self.signals = StopSignals()


def settings_of(context: click.Context) -> Settings:
    """Return the settings of this invocation, shared by the group and its subcommands."""
    return context.ensure_object(Settings)


class Command(click.Command):
    """A command whose help lists its own options first, then the common options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the command in the error about a common option that it does not take."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name not in _COMMON_NAMES:
                raise
            raise click.UsageError(
                f"{error.option_name} is not an option of {ctx.command_path}.", ctx
            ) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two lists. Arguments are in the usage line."""
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            # Some versions of Click have a record for an argument too, without a text.
            if record is not None and isinstance(parameter, click.Option):
                (own if _COMMON_NAMES.isdisjoint(parameter.opts) else common).append(record)
        for title, records in (("Options", own), ("Common options", common)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Group(Command, click.Group):
    """A group whose help lists its commands first."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        Command.format_options(self, ctx, formatter)


class LazyGroup(Group):
    """A group that imports the module of a command when the command is used.

    *lazy_commands* has for each command its module in this package and its line in the group's
    help, in the order of both. They are all that the help and the completion of the group need. In its module the command
    has its own name, with underscores.
    """

    def __init__(
        self, *args: Any, lazy_commands: Mapping[str, tuple[str, str]], **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self._modules = {name: module for name, (module, _) in lazy_commands.items()}
        for name, (_, text) in lazy_commands.items():
            # A placeholder for help and completion; resolve_command() returns the command itself.
            self.add_command(click.Command(name, short_help=text))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as in Click
        """Return the names of the commands in the order in which they are stated."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and name in self._modules:
            module = importlib.import_module(f"seedctl.cli.{self._modules[name]}")
            command = getattr(module, name.replace("-", "_"))
        return name, command, rest


def options(*names: str) -> Callable[[_Function], _Function]:
    """Return a decorator that adds the common options of these *names* to a command.

    The command gets the ``Settings`` first.

    *names* are attributes of ``Settings``. Every command also takes ``_ALWAYS_TAKEN``, because
    asking for more output, or for the local sandbox in a command that always uses it, is no
    mistake. Help hides those that are not in *names*, except for ``_ALWAYS_SHOWN``.
    """

    def add(command: _Function) -> _Function:
        command = click.pass_obj(command)
        for name, make in reversed(_OPTIONS.items()):
            if name in names or name in _ALWAYS_TAKEN:
                command = make(hidden=name not in {*names, *_ALWAYS_SHOWN})(command)
        return command

    return add


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    # None or False: not given here, and a value from before the subcommand must not be overwritten.
    if value is not None and value is not False:
        assert parameter.name is not None
        if value == "":
            # It comes from a variable that is not set. Ignoring it could select another backend.
            raise click.UsageError(
                f"{parameter.opts[-1]} is empty: give it a value or leave it out."
            )
        _check(parameter.name, value)
        setattr(settings_of(context), parameter.name, value)


def _check(name: str, value: str) -> None:
    """Check a value before anything else happens, as ampx does. Raises SeedctlError."""
    if name == "identifier":
        from seedctl.project import check_identifier_option  # noqa: PLC0415 - not for --help

        check_identifier_option(value)
    elif name in {"app_id", "branch", "stack"}:
        from seedctl.project.choice import check_choice_option  # noqa: PLC0415 - not for --help

        check_choice_option(name, value)
    elif name == "endpoint_url":
        from seedctl.aws.settings import check_endpoint  # noqa: PLC0415 - not for --help

        check_endpoint(value, source="--endpoint-url")


def _option(*names: str, **attributes: Any) -> Callable[..., Callable[[_Function], _Function]]:
    return partial(click.option, *names, expose_value=False, callback=_remember, **attributes)


_OPTIONS = {
    "identifier": _option(
        "--identifier",
        metavar="NAME",
        help="The sandbox [default: SEEDCTL_IDENTIFIER, else the account's name].",
    ),
    "app_id": _option("--app-id", metavar="ID", help="The id of the Amplify app, for --branch."),
    "branch": _option("--branch", metavar="NAME", help="The backend of this branch of --app-id."),
    "stack": _option("--stack", metavar="NAME", help="The backend of this CloudFormation stack."),
    "allow_target": _option(
        "--allow-target", metavar="NAME", help="Allow writing to this branch or stack."
    ),
    "profile": _option("--profile", metavar="NAME", help="The AWS profile [default: AWS_PROFILE]."),
    "region": _option(
        "--region",
        metavar="REGION",
        help="The AWS region of secrets and stacks [default: AWS_REGION, profile, outputs].",
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

common_options = options(*_OPTIONS)
"""Adds all common options; a value after the subcommand overrides one before it."""

reading_options = options(*(_OPTIONS.keys() - {"allow_target"}))
"""Adds the common options of a command that writes nothing to the backend."""

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How data is printed.",
)
