"""What is printed, and what happens when a stream is closed or full."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from seedctl import interruption
from seedctl.cli.console import Console, print_data, print_json, print_rows
from seedctl.cli.error_display import show_end, show_on_github
from seedctl.cli.main import main
from seedctl.cli.options import Settings
from seedctl.errors import (
    BackendSourceError,
    FileAccessError,
    InvalidInputError,
    SeedctlError,
    SeedingFailedError,
)
from seedctl.masking import register
from tests.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable


class _Stdout(io.TextIOWrapper):
    """A stdout that fails to write."""

    def __init__(self, error: OSError) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        self._error = error

    def flush(self) -> None:
        raise self._error


def _console(*, quiet: bool = False, verbose: bool = False, debug: bool = False) -> Console:
    settings = Settings()
    settings.quiet, settings.verbose, settings.debug = quiet, verbose, debug
    return Console(settings)


def _show(console: Console, error: SeedctlError, *, script: Path | None = None) -> None:
    console.settings.script = script
    show_end(console.settings, error)


@pytest.mark.parametrize(
    ("quiet", "verbose", "said"),
    [
        pytest.param(False, False, ["a", "✔ c", "✘ d", "Warning: e", "f  g"], id="plain"),
        pytest.param(False, True, ["a", "✔ c", "✘ d", "Warning: e", "f  g"], id="verbose"),
        pytest.param(True, False, ["✘ d", "Warning: e"], id="quiet"),
        pytest.param(True, True, ["✘ d", "Warning: e"], id="quiet wins"),
    ],
)
def test_quiet_and_verbose_messages(
    capsys: pytest.CaptureFixture[str], quiet: bool, verbose: bool, said: list[str]
) -> None:
    """--quiet leaves failures and warnings; all messages go to stderr."""
    console = _console(quiet=quiet, verbose=verbose)
    assert (console.settings.quiet, console.is_verbose) == (quiet, verbose and not quiet)
    console.status("a")
    console.success("c")
    console.failure("d")
    console.warning("e")
    console.table([("f", "g")])
    shown = capsys.readouterr()
    assert (shown.err.splitlines(), shown.out) == (said, "")


def _raise(console: Console) -> None:
    try:
        try:
            raise ValueError("a user, 1 Pl4nted-one")
        except ValueError as cause:
            raise InvalidInputError("1 user, Pl4nted-one", resolution="A user.") from cause
    except InvalidInputError as error:
        _show(console, error)


def _fail(console: Console) -> None:
    try:
        exec("raise ValueError('a user, 1 Pl4nted-one')", {})
    except ValueError as cause:
        failed = SeedingFailedError("1 user, Pl4nted-one")
        failed.__cause__ = cause
        _show(console, failed)


@pytest.mark.parametrize(
    ("say", "lines"),
    [
        pytest.param(lambda c: c.status("1 user, Pl4nted-one"), ["1 user, ***"], id="status"),
        pytest.param(lambda c: c.success("1 user, Pl4nted-one"), ["✔ 1 user, ***"], id="success"),
        pytest.param(
            lambda c: c.warning("1 user, Pl4nted-one"), ["Warning: 1 user, ***"], id="warning"
        ),
        pytest.param(
            lambda c: c.table([("user", "Pl4nted-one", "1 user")]),
            ["user  ***  1 user"],
            id="table",
        ),
        pytest.param(
            lambda c: show_on_github(c, "a", "1 user, Pl4nted-one"),
            ["::error title=a::1 user, ***"],
            id="annotation",
        ),
        pytest.param(
            _raise,
            [
                "[InvalidInputError] 1 user, ***",
                "  ∟ Caused by: [ValueError] a ***, *** ***",
                "Resolution: A user.",
                "ValueError: a ***, *** ***",
                "::error title=InvalidInputError::1 user, ***%0AA user.",
            ],
            id="error",
        ),
        pytest.param(
            _fail,
            [
                '  File "<string>", line 1, in <module>',
                "ValueError: a ***, *** ***",
                "[SeedingFailedError] 1 user, ***",
                "::error title=SeedingFailedError::1 user, *** ValueError: a ***, *** ***",
            ],
            id="error of a script",
        ),
        pytest.param(
            lambda c: _show(
                c,
                BackendSourceError(
                    "It failed.",
                    output="a user, Pl4nted-one",
                    place=(Path("/Pl4nted-one/backend.ts"), 3),
                ),
            ),
            [
                "a ***, ***",
                "  at /***/backend.ts, line 3",
                "::error file=/***/backend.ts,line=3,title=BackendSourceError::It failed.",
            ],
            id="error of the source",
        ),
    ],
)
def test_secrets_are_masked_and_seedctls_words_are_not(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    say: Callable[[Console], None],
    lines: list[str],
) -> None:
    """seedctl's own words and numbers are never masked, although a secret may contain them."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for secret in ("user", "1", "Pl4nted-one"):
        register(secret)
    say(_console(debug=True))
    shown = capsys.readouterr().err
    assert set(lines) <= set(shown.splitlines())
    assert "Pl4nted-one" not in shown


def test_a_narrow_terminal_cuts_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table's cells are wrapped, also in rows of different lengths."""
    screen = Screen(lambda: None)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "24")
    monkeypatch.setenv("TERM", "xterm")
    _console().table([("user",), ("ann@a-long-name.example.com",)])
    assert "".join(screen.lines) == "userann@a-long-name.example.com"
    _console().table([("user",), ("user", "ann@a-long-name.example.com", "created")])
    assert "…" not in screen.raw


ROWS = [
    ("user", "ann@example.com", "already there", "eb19dac0-fd87-401a-8e85-a37d53146036"),
    ("group membership", "ann@example.com", "set", "→ READERS"),
]
FAILED = ("record", "Todo", "failed", "row 7: Todo.content must be text. It is an int.")


@pytest.mark.parametrize(
    ("width", "rows", "shown"),
    [
        pytest.param(
            60,
            ROWS,
            [
                "user              ann@example.com  already there",
                "  eb19dac0-fd87-401a-8e85-a37d53146036",
                "group membership  ann@example.com  set            → READERS",
            ],
            id="ids of their own lines",
        ),
        pytest.param(
            60,
            [ROWS[1], ("user", "eve@example.com", "set")],
            [
                "group membership  ann@example.com  set  → READERS",
                "user              eve@example.com  set",
            ],
            id="space for all, a row without the last",
        ),
        pytest.param(
            47,
            ROWS,
            [
                "user  ann@example.com  already there",
                "  eb19dac0-fd87-401a-8e85-a37d53146036",
                "group membership  ann@example.com  set",
                "  → READERS",
            ],
            id="no space for columns",
        ),
        pytest.param(
            50,
            [FAILED],
            [
                "record  Todo  failed  row 7: Todo.content must be",
                "                      text. It is an int.",
            ],
            id="a reason at its words",
        ),
        pytest.param(
            20,
            [("user", "ann@a-long-name.example.com", "failed", "two\nlines, and more")],
            ["user", "  ann@a-long-name.example.com", "  failed", "  two lines, and", "  more"],
            id="a name that alone is too wide",
        ),
        pytest.param(
            44,
            [("user", "ann", "created", "eb19dac0-fd87-401a-8e85-a37d53146036")],
            ["user  ann  created", "  eb19dac0-fd87-401a-8e85-a37d53146036"],
            id="an id that would fit broken in two",
        ),
        pytest.param(
            36,
            [ROWS[1], ("user", "eve@example.com", "")],
            [
                "group membership  ann@example.com",
                "  set  → READERS",
                "user  eve@example.com",
            ],
            id="cells that are empty",
        ),
        pytest.param(
            36,
            [("group membership", "ann@example.com", "set"), ("user", "eve@example.com")],
            ["group membership  ann@example.com", "  set", "user              eve@example.com"],
            id="the edge, a row without the last",
        ),
        pytest.param(40, [], [], id="nothing"),
    ],
)
def test_only_the_last_column_is_wrapped(
    monkeypatch: pytest.MonkeyPatch, width: int, rows: list[tuple[str, ...]], shown: list[str]
) -> None:
    """A name or an id is never broken, even if it is wider than the terminal."""
    screen = Screen(lambda: None)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    _console().table(rows)
    assert screen.lines == shown


def test_rows_of_data_are_aligned_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A program reads one line for each row; a user finds names and codes unbroken."""
    rows = [("ann@example.com", "EMAIL", "ann@example.com", "123456", "2026-01-01T00:00:00Z")]
    print_rows(rows)
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_rows(rows)
    assert capsysbinary.readouterr().out.decode().splitlines() == [
        "  ".join(rows[0]),
        "ann@example.com  EMAIL  ann@example.com  123456",
        "  2026-01-01T00:00:00Z",
    ]


def test_a_dumb_terminal_does_not_narrow_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file has no width, whatever TERM is."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv("COLUMNS", raising=False)
    _console().table([("user", "x" * 90, "created", "y" * 40)])
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_rest_of_an_indented_line_is_indented(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolution below a reason is distinct from the next reason."""
    screen = Screen(lambda: None)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "24")
    monkeypatch.setenv("TERM", "xterm")
    _console().status("  Resolution: change the value")
    assert screen.lines == ["  Resolution: change the", "    value"]


@pytest.mark.parametrize("no_colour", [False, True])
def test_messages_wrap_between_words(monkeypatch: pytest.MonkeyPatch, no_colour: bool) -> None:
    """No word is broken, even one wider than the terminal, so that it can be copied."""
    screen = Screen(lambda: None)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "24")
    monkeypatch.setenv("TERM", "xterm")
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    _console().success("Seeded: 2 users, 3 files uploaded.")
    _console().status("See /a/path/that/is/longer/than/a/line there.\n  at one")
    assert screen.lines == [
        "✔ Seeded: 2 users, 3",
        "files uploaded.",
        "See",
        "/a/path/that/is/longer/than/a/line",
        "there.",
        "  at one",
    ]
    screen.raw = ""
    _show(_console(), InvalidInputError("no"))
    assert ("\x1b[" in screen.raw) is not no_colour


@pytest.mark.parametrize("is_ended", [True, False])
def test_a_closed_stderr_after_a_signal(monkeypatch: pytest.MonkeyPatch, is_ended: bool) -> None:
    """Ctrl-C ends every process of a pipe: seedctl finishes although stderr has no reader."""
    interruption.set_requested(is_ended)
    monkeypatch.setattr(sys, "stderr", _Stdout(BrokenPipeError()))
    expected = contextlib.nullcontext() if is_ended else pytest.raises(BrokenPipeError)
    with expected:
        _console().status("done")
    with expected:
        _console().table([("a", "b")])


def test_a_message_after_an_echoed_ctrl_c_begins_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a terminal shows ^C, which the next message would follow on the same line."""
    show_end(Settings(), click.Abort())
    assert capsys.readouterr().err == "Interrupted.\n"
    screen = Screen(lambda: None)
    monkeypatch.setattr(sys, "stderr", screen)
    show_end(Settings(), click.Abort())
    assert screen.raw == "\nInterrupted.\n"


def test_ctrl_c_at_a_visible_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Click leaves the cursor after the question: the next message begins a new line."""
    screen = Screen(lambda: None)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def asked(*_: object, **__: object) -> None:
        screen.write("Groups: ^C")
        raise click.Abort from None

    monkeypatch.setattr("seedctl.cli.main.cli.main", asked)
    assert main([]) == 130
    assert screen.lines == ["Groups: ^C", "Interrupted."]


def test_colours_are_for_terminals_without_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is coloured on a terminal, but not with NO_COLOR."""
    screen = Screen(lambda: None)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    _console().failure("one")
    assert "\x1b[1;31m" in screen.raw
    coloured = screen.raw
    monkeypatch.setenv("NO_COLOR", "1")
    _console().failure("two")
    assert screen.raw.removeprefix(coloured) == "✘ two\n"
    assert screen.lines == ["✘ one", "✘ two"]


@pytest.mark.parametrize(("term", "can"), [("xterm", True), ("dumb", False), ("unknown", False)])
def test_bars_are_drawn_where_lines_can_be_erased(
    monkeypatch: pytest.MonkeyPatch, term: str, can: bool
) -> None:
    """A dumb terminal gets plain lines, as a file does, and so does a closed stderr."""
    monkeypatch.setattr(sys, "stderr", Screen(lambda: None))
    monkeypatch.setenv("TERM", term)
    assert _console().can_draw is can
    monkeypatch.setattr(sys, "stderr", None)
    assert not _console().can_draw


def test_the_trace_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """With --debug the whole traceback follows the message."""
    _show(_console(), InvalidInputError("no"))
    assert "Traceback" not in capsys.readouterr().err
    try:
        raise InvalidInputError("no")
    except InvalidInputError as error:
        _show(_console(debug=True), error)
    assert "test_console.py" in capsys.readouterr().err


def test_github_is_shown_the_error_and_its_cause(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one line, escaped, with the script's own error and the resolution."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    error = SeedingFailedError("It failed.", resolution="Do, this: 100 %")
    error.__cause__ = ValueError("one\ntwo")
    _show(_console(), error)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "::error title=SeedingFailedError::It failed. ValueError: one%0Atwo%0ADo, this: 100 %25"
    )
    _show(_console(), InvalidInputError("no"), script=Path("/app/seed.py"))
    assert capsys.readouterr().err.splitlines()[-1].endswith("title=InvalidInputError::no")
    show_on_github(_console(), "Usage", "No such option: --fast")
    assert capsys.readouterr().err == "::error title=Usage::No such option: --fast\n"
    monkeypatch.delenv("GITHUB_ACTIONS")
    show_on_github(_console(), "Usage", "No such option: --fast")
    assert capsys.readouterr().err == ""


def test_a_chain_of_causes_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A cause with the same message is left out, and a circular chain ends."""
    error = InvalidInputError("one")
    second, third = InvalidInputError("one"), ValueError("three\nlines")
    error.__cause__, second.__cause__, third.__cause__ = second, third, error
    _show(_console(), error)
    assert capsys.readouterr().err.splitlines() == [
        "[InvalidInputError] one",
        "  ∟ Caused by: [ValueError] three lines",
    ]


def test_data_goes_to_stdout_unchanged(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Text and JSON are UTF-8 whatever the locale is, even with a lone surrogate."""
    print_data("grüße \udcff")
    print_json({"name": "日本"})
    shown = capsysbinary.readouterr().out
    assert shown == 'grüße \udcff\n{\n  "name": "日本"\n}\n'.encode("utf-8", "surrogatepass")


def test_a_stdout_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed or full stdout raises an error that says so; main handles a closed pipe."""
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(FileAccessError, match="Standard output is closed"):
        print_data("x")
    monkeypatch.setattr(sys, "stdout", _Stdout(OSError(28, "No space left on device")))
    with pytest.raises(FileAccessError, match="cannot be written: No space left on device"):
        print_data("x")
    monkeypatch.setattr(sys, "stdout", _Stdout(BrokenPipeError(32, "Broken pipe")))
    with pytest.raises(BrokenPipeError):
        print_data("x")


def test_a_path_is_shown_relative_to_the_working_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On GitHub it is relative to the workspace; elsewhere, or in a removed folder, it is absolute."""
    script = tmp_path / "seed.py"
    code = compile("raise InvalidInputError('no')", str(script), "exec")
    try:
        exec(code, {"InvalidInputError": InvalidInputError})
    except InvalidInputError as caught:
        error = caught
    shown = []
    gone = tmp_path / "gone"
    gone.mkdir()
    for where in (tmp_path, Path("/"), gone):
        monkeypatch.chdir(where)
        if where == gone:
            gone.rmdir()
        _show(_console(), error, script=script)
        shown.append(capsys.readouterr().err.splitlines()[1])
    os.chdir(tmp_path)
    whole = f"  at {script}, line 1"
    assert shown == ["  at seed.py, line 1", f"  at {script.relative_to('/')}, line 1", whole]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "elsewhere"))
    _show(_console(), error, script=script)
    assert capsys.readouterr().err.splitlines()[1] == whole
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    _show(_console(), error, script=script)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "::error file=seed.py,line=1,title=InvalidInputError::no"


def test_each_cause_is_indented_below_the_one_before(capsys: pytest.CaptureFixture[str]) -> None:
    """The depth of a cause shows what it caused."""
    error = SeedctlError("The first message of the three.")
    error.__cause__ = SeedctlError("Another message in between.")
    error.__cause__.__cause__ = SeedctlError("What began it all, at the end.")
    _show(_console(), error)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  ∟ Caused by: [SeedctlError] Another message in between.",
        "    ∟ Caused by: [SeedctlError] What began it all, at the end.",
    ]


def test_github_reads_a_file_name_with_signs_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comma or colon would end the property, and a percent sign would begin an escape."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.chdir(tmp_path)
    show_on_github(_console(), "a: b, 5%", "no, 5%: c", (tmp_path / "x,y:z.py", 3))
    shown = capsys.readouterr().err
    assert shown == "::error file=x%2Cy%3Az.py,line=3,title=a%3A b%2C 5%25::no, 5%25: c\n"
