"""Click groups whose commands are imported when they are used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from seedctl.cli.options import Command, Group

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyGroup(Group):
    """A group that imports the module of a command when the command is used.

    *lazy_commands* has for each command its module in this package and its line in the group's
    help. They are all that the help and the completion of the group need. In its module the command
    has its own name, with underscores.
    """

    def __init__(
        self, *args: Any, lazy_commands: Mapping[str, tuple[str, str]], **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self._lazy_commands = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._lazy_commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy_commands:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"seedctl.cli.{self._lazy_commands[cmd_name][0]}")
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(self._help_lines())

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=text)
            for name, text in self._help_lines()
            if name.startswith(incomplete)
        ]
        return [*commands, *Command.shell_complete(self, ctx, incomplete)]

    def _help_lines(self) -> list[tuple[str, str]]:
        lazy = ((name, text) for name, (_, text) in self._lazy_commands.items())
        own = ((name, each.get_short_help_str(limit=80)) for name, each in self.commands.items())
        return sorted([*lazy, *own])
