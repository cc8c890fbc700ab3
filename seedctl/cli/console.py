"""What seedctl prints: how a run goes, on stderr with secrets masked; data, on stdout.

Every line passes :func:`seedctl.masking.mask_message`, which leaves seedctl's own words. Whoever
puts a name or other text from elsewhere into a line passes that through ``mask`` before.

What only some commands need is imported where it is used: --help and usage errors stay quick, and
rich is loaded only when there is something to lay out.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import click

from seedctl import interruption
from seedctl.errors import SeedctlError, SeedingFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console as RichConsole

    from seedctl.cli.bars import Bars
    from seedctl.cli.options import Settings
    from seedctl.cli.watch import Watch

_FEWEST_COLUMNS = 20  # in fewer, a bar's line has no room for its figures


class Console:
    """Where status, warnings and errors go."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def is_quiet(self) -> bool:
        return self._settings.quiet

    @property
    def is_verbose(self) -> bool:
        return self._settings.verbose and not self._settings.quiet

    @property
    def can_draw(self) -> bool:
        """Whether lines can be taken back: on a terminal that knows how, and has room for them."""
        return (
            _is_terminal()
            and os.environ.get("TERM") not in {"dumb", "unknown"}
            and _columns() >= _FEWEST_COLUMNS
        )

    def new_bars(self, watch: Watch) -> Bars:
        """Return bars for many things at once."""
        from seedctl.cli.bars import Bars  # noqa: PLC0415

        return Bars(self._rich(), watch, self._settings.signals.held)

    def status(self, text: str) -> None:
        """Say how things go; --quiet leaves it out."""
        if not self._settings.quiet:
            self._say(text)

    def success(self, text: str) -> None:
        if not self._settings.quiet:
            self._say(f"✔ {text}", style="green")

    def failure(self, text: str) -> None:
        """Say that a run ended, and not all of it well."""
        self._say(f"✘ {text}", style="bold red")

    def warning(self, text: str) -> None:
        self._say(f"Warning: {text}", style="yellow")

    def error(self, error: SeedctlError, *, script: Path | None = None) -> None:
        """Show what happened, where, and what to do; *script* is the seed script, if one ran."""
        place = _place(error, script)
        own = error.__cause__ if isinstance(error, SeedingFailedError) else None
        if own is not None and not interruption.is_requested():  # else its place is enough
            self._print(_script_trace(own).rstrip(), wrap=False)
        self._say(f"[{error.name}] {error.message}", style="bold red")
        if place is not None:
            self._say(f"  at {_shown(place[0])}, line {place[1]}")
        from seedctl.causes import causes  # noqa: PLC0415

        for depth, cause in enumerate(causes(error), start=1):
            self._say(f"{'  ' * depth}∟ Caused by: {cause}")
        if error.resolution:
            self._say(f"Resolution: {error.resolution}", style="cyan")
        if self._settings.debug:
            import traceback  # noqa: PLC0415

            from seedctl.masked_output import mask_trace  # noqa: PLC0415

            trace = mask_trace("".join(traceback.format_exception(error)))
            self._print(trace.rstrip(), style="dim", wrap=False)
        if _is_github():
            self._print(_github_line(error, place), wrap=False)

    def annotate(self, title: str, message: str) -> None:
        """Show to GitHub too that a run failed, where no error was raised."""
        if _is_github():
            text = f"::error title={_property(title)}::{_data(_mask_message(message))}"
            self._print(text, wrap=False)

    @staticmethod
    def leave_echo() -> None:
        """Begin a line after the ^C that the terminal has echoed."""
        if _is_terminal():
            click.echo(err=True)

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Show *rows* in aligned columns; --quiet leaves them out."""
        if self._settings.quiet:
            return
        from seedctl.cli.layout import lines_of  # noqa: PLC0415

        masked = [[_mask_message(text) for text in row] for row in rows]
        with heard_or_not():
            for line in lines_of(masked, self._rich()):
                click.echo(line, err=True)

    def _say(self, text: str, *, style: str = "") -> None:
        self._print(_mask_message(text), style=style)

    def _print(self, text: str, *, style: str = "", wrap: bool = True) -> None:
        """Print *text*, which is masked already."""
        with heard_or_not():
            self._write(text, style=style, wrap=wrap)

    def _write(self, text: str, *, style: str, wrap: bool) -> None:
        if not _is_terminal():
            click.echo(text, err=True)
            return
        from rich.text import Text  # noqa: PLC0415

        from seedctl.cli.layout import wrapped  # noqa: PLC0415

        console = self._rich()
        if wrap:
            text = "\n".join(wrapped(text, console.width))
        if style and "NO_COLOR" not in os.environ:
            console.print(Text(text, style=style), soft_wrap=True)
        else:
            click.echo(text, err=True)

    @staticmethod
    def _rich() -> RichConsole:
        from rich.console import Console as RichConsole  # noqa: PLC0415

        # Without a terminal there is no width to keep to, and nothing may be cut off.
        size = (None, None) if _is_terminal() else (1000, 25)  # of both, or TERM=dumb means 80
        return RichConsole(
            stderr=True,
            width=size[0],
            height=size[1],
            highlight=False,
            markup=False,
            emoji=False,
        )


@contextlib.contextmanager
def heard_or_not() -> Iterator[None]:
    """Go on where nobody can read it, if a signal ends the run: readers may have got it as well."""
    try:
        yield
    except OSError:
        if not interruption.is_requested():
            raise


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _columns() -> int:
    """Return how wide the terminal is, by the rules of rich, which is not loaded for this."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal():
        return int(said)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0: it does not know
    except OSError:
        return 80


def _is_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def print_data(text: str) -> None:
    """Print what a command was asked for, on stdout, unmasked: the user wants to see it."""
    # As UTF-8 whatever the locale: what was stored is what must come out.
    from seedctl.errors import FileAccessError  # noqa: PLC0415

    if sys.stdout is None:
        raise FileAccessError("Standard output is closed, so there is nowhere to print to.")
    try:
        click.echo(text.encode("utf-8", "surrogatepass"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileAccessError(
            f"Standard output cannot be written: {error.strerror}.",
            resolution="Check where it is redirected to.",
        ) from error


def print_rows(rows: Iterable[Sequence[str]]) -> None:
    """Print *rows* as data, a line each; a terminal that is too narrow breaks no cell of them."""
    rows = list(rows)
    lines: Iterable[str] = ("  ".join(row) for row in rows)
    if sys.stdout is not None and sys.stdout.isatty():
        from rich.console import Console as RichConsole  # noqa: PLC0415

        from seedctl.cli.layout import lines_of  # noqa: PLC0415

        lines = lines_of(rows, RichConsole(file=sys.stdout))
    print_data("\n".join(lines))


def print_json(value: object) -> None:
    import json  # noqa: PLC0415

    print_data(json.dumps(value, indent=2, ensure_ascii=False))


def _mask(text: str) -> str:
    from seedctl.masking import mask  # noqa: PLC0415

    return mask(text)


def _mask_message(text: str) -> str:
    from seedctl.masking import mask_message  # noqa: PLC0415

    return mask_message(text)


def _place(error: BaseException, script: Path | None) -> tuple[Path, int] | None:
    if script is None:
        return None
    from seedctl.runner.script import location  # noqa: PLC0415

    source = error.__cause__ if isinstance(error, SeedingFailedError) else error
    return location(source, script) if source is not None else None


def _script_trace(error: BaseException) -> str:
    from seedctl.masked_output import mask_trace  # noqa: PLC0415
    from seedctl.runner.script import script_trace  # noqa: PLC0415

    return mask_trace(script_trace(error))


def _github_line(error: SeedctlError, place: tuple[Path, int] | None) -> str:
    """Return the workflow command that makes GitHub show *error* at its line."""
    properties = f"title={_property(error.name)}"
    if place is not None:
        properties = f"file={_property(_shown(place[0]))},line={place[1]},{properties}"
    from seedctl.causes import causes  # noqa: PLC0415

    text = error.message
    if isinstance(error, SeedingFailedError) and error.__cause__ is not None:
        text += f" {type(error.__cause__).__name__}: {_mask(str(error.__cause__))}"
    else:
        text = "\n".join([text, *map(str, causes(error, with_foreign=False))])
    if error.resolution:
        text += f"\n{error.resolution}"
    return f"::error {_mask_message(properties)}::{_data(_mask_message(text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _shown(path: Path) -> str:
    """Return *path* as a reader would find it from where the command runs."""
    from pathlib import Path  # noqa: PLC0415

    try:
        base = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    except FileNotFoundError:  # the working directory was removed
        return str(path)
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
