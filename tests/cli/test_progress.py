"""Progress: bars that make way for output on a terminal, and lines elsewhere."""

from __future__ import annotations

import io
import logging
import os
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.cli.console import Console
from seedctl.cli.options import Settings
from seedctl.cli.progress import ProgressDisplay
from seedctl.cli.run_report import ConsoleReport
from seedctl.prompter import TerminalPrompter
from seedctl.report import Event, Progress, Target
from tests.cli.screen import Screen
from tests.test_processes import Terminal, run

if TYPE_CHECKING:
    from collections.abc import Callable

# Each batch takes as long as the interval between two updates.
SEED = """
import time
from seedctl import *
from seedctl import data
create_and_sign_up_user("ann@example.com", "Password123!", sign_in_after_creation=True)
def rows():
    for number in range(60):
        time.sleep(0.03)
        if number == 30:
            print("half of them")
            {more}
        yield {{"content": f"todo {{number}}"}}
data.generate_client().models.Todo.create_many(rows(), concurrency=1, batch_size=5)
"""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Make a terminal of 80 columns, which becomes stdout and stderr when it is attached."""

    def attach() -> None:  # in the test itself, because pytest replaces both before it
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", screen)

    screen = Screen(attach)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    return screen


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _display(clock: Clock, screen: Screen | None = None, *, quiet: bool = False) -> ProgressDisplay:
    if screen is not None:
        screen.attach()
    settings = Settings()
    settings.quiet = quiet
    return ProgressDisplay(Console(settings), clock=clock)


def _progress(
    done: int = 0,
    failed: int = 0,
    total: int | None = 100,
    *,
    what: str = "Todo records",
    started: float = 1000.0,
    is_finished: bool = False,
) -> Progress:
    return Progress(what, done, failed, total, started, is_finished)


def _after(
    display: ProgressDisplay, clock: Clock, seconds: float, done: int, failed: int = 0, **more: Any
) -> None:
    """Show *done* after *seconds* at a steady rate: half of it in half the time."""
    clock.now += seconds / 2
    display.show(_progress(done // 2, failed // 2, **more))
    clock.now += seconds / 2
    display.show(_progress(done, failed, **more))


# --- on a terminal -------------------------------------------------------------------------------


def test_a_bar_shows_the_progress(screen: Screen, clock: Clock) -> None:
    """One line has the count, failures, rate, remaining time and throttled calls."""
    display = _display(clock, screen)
    display.show(_progress())
    assert screen.lines == ["Todo records " + "━" * 24 + " 0/100"]
    display.throttles = lambda: 3
    _after(display, clock, 4, 36, 4)
    assert screen.lines[0].endswith(" 40/100, 4 failed, 10/s, 6 s left, 3 throttled")
    assert len(screen.lines) == 1
    display.show(_progress(96, 4, is_finished=True))
    assert screen.lines == []
    assert screen.raw.endswith("\x1b[2K")  # erased, and
    assert screen.raw.rfind("\x1b[?25h") > screen.raw.rfind("\x1b[?25l")  # the cursor is shown


@pytest.mark.parametrize(
    ("width", "line"),
    [
        pytest.param("70", "Todo records ━{22} 40/100, 4 failed, 8.0/s, 8 s left", id="a bar"),
        pytest.param("51", "Todo records 40/100, 4 failed, 8.0/s, 8 s left", id="no bar"),
        pytest.param("30", "Todo records 40/100, 4 failed…", id="cut off"),
    ],
)
def test_a_bar_fits_into_one_line(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch, width: str, line: str
) -> None:
    """In a narrow terminal the bar is left out first; no line is wrapped."""
    monkeypatch.setenv("COLUMNS", width)
    display = _display(clock, screen)
    _after(display, clock, 5, 36, 4)
    assert len(screen.lines) == 1
    assert re.fullmatch(line, screen.lines[0].replace("╸", "━").replace("╺", "━"))
    assert len(screen.lines[0]) <= int(width)
    display.close()


def test_an_unknown_total_has_no_remaining_time(screen: Screen, clock: Clock) -> None:
    """For a generator the count and the rate are shown."""
    display = _display(clock, screen)
    clock.now += 40
    display.show(_progress(10, total=None))
    assert screen.lines[0].endswith("━ 10, 0.2/s")
    display.close()


def test_two_kinds_have_a_line_each(screen: Screen, clock: Clock) -> None:
    """Threads of a script may work at the same time; a line is removed when its kind ends."""
    display = _display(clock, screen)
    clock.now += 1
    display.show(_progress(10))
    display.show(_progress(20, what="users", started=1000.5))
    assert [line.split(" ━")[0].rstrip() for line in screen.lines] == ["Todo records", "users"]
    display.show(_progress(100, is_finished=True))
    assert len(screen.lines) == 1
    assert screen.lines[0].startswith("users ")
    display.show(_progress(100, what="users", started=1000.5, is_finished=True))
    assert screen.lines == []


def test_a_last_update_without_others_draws_nothing(screen: Screen, clock: Clock) -> None:
    """No bar is drawn for it."""
    _display(clock, screen).show(_progress(is_finished=True))
    assert screen.raw == ""


@pytest.mark.parametrize(
    ("shown", "is_told"),
    [
        pytest.param([(1, 10), (2, 20)], False, id="too early"),
        pytest.param([(3, 4), (6, 8)], False, id="too few"),
        pytest.param([(1, 10), (9, 90)], False, id="no update in the middle"),
        pytest.param([(4, 60), (8, 70)], False, id="slower and slower"),
        pytest.param([(4, 10), (8, 70)], False, id="quicker and quicker"),
        pytest.param([(4, 40), (4.5, 41), (8, 70)], True, id="steady"),
    ],
)
def test_the_remaining_time_is_shown_when_it_is_known(
    screen: Screen, clock: Clock, shown: list[tuple[float, int]], is_told: bool
) -> None:
    """It needs some seconds, some finished work, and a steady rate."""
    display = _display(clock, screen)
    display.show(_progress())
    for second, done in shown:
        clock.now = 1000 + second
        display.show(_progress(done))
    assert (" left" in screen.lines[0]) is is_told
    display.close()


def test_long_times_are_in_minutes(screen: Screen, clock: Clock) -> None:
    """A remaining time of over 90 seconds is shown in minutes and seconds."""
    display = _display(clock, screen)
    _after(display, clock, 10, 10, total=200)
    assert "3 min 10 s left" in screen.lines[0]
    display.close()


def _print(text: str) -> None:
    print(text)


def _log(text: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.emit(logging.LogRecord("x", logging.INFO, "f", 1, text, None, None))


@pytest.mark.parametrize("say", [_print, _log])
def test_bars_make_way_for_the_scripts_output(
    screen: Screen, clock: Clock, say: Callable[[str], None]
) -> None:
    """The output is complete above the bar, which is drawn again below it."""
    display = _display(clock, screen)
    display.show(_progress())
    say("one")
    assert screen.lines == ["one"]
    display.show(_progress())
    assert [line[:12] for line in screen.lines] == ["one", "Todo records"]
    say("two")
    say("three")
    display.show(_progress(100, is_finished=True))
    say("four")
    assert screen.lines == ["one", "two", "three", "four"]


def test_a_bar_does_not_overwrite_an_unfinished_line(screen: Screen, clock: Clock) -> None:
    """The bar begins on a line of its own."""
    display = _display(clock, screen)
    display.show(_progress())
    print("half a line", end="")
    display.show(_progress(1))
    assert [line[:12] for line in screen.lines] == ["half a line", "Todo records"]
    display.close()
    assert screen.lines == ["half a line"]


def test_an_unfinished_line_before_the_first_bar_stays(screen: Screen, clock: Clock) -> None:
    """A script may print "Creating … " and then "done" on one line, if nothing is printed between."""
    display = _display(clock, screen)
    display.begin()
    print("Creating … ", end="")
    display.show(_progress())
    display.show(_progress(100, is_finished=True))
    print("done")
    assert screen.lines == ["Creating …", "done"]
    display.close()
    assert "write" not in vars(screen)


def test_nothing_is_watched_where_nothing_is_drawn(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --quiet, and on terminals without bars, the streams are unchanged."""
    _display(clock, screen, quiet=True).begin()
    assert "write" not in vars(screen)
    monkeypatch.setenv("TERM", "dumb")
    _display(clock, screen).begin()
    assert "write" not in vars(screen)


def test_the_streams_are_restored_after_the_bars(screen: Screen, clock: Clock) -> None:
    """While bars are drawn, stdout is the same object; afterwards it is not watched."""
    before = set(vars(screen))
    display = _display(clock, screen)
    display.show(_progress())
    assert sys.stdout is screen
    assert "write" in vars(screen)
    sys.stdout.flush()  # as input() does before its question
    assert screen.lines == []
    display.show(_progress())
    display.close()
    assert set(vars(screen)) == before
    display.close()


def test_a_stdout_that_is_a_file_is_not_watched(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Output to a file does not clear the bars, and a closed stream is no error."""
    file, closed = io.StringIO(), io.StringIO()
    closed.close()
    display = _display(clock, screen)
    monkeypatch.setattr(sys, "stdout", file)
    display.show(_progress())
    print("into the file")
    assert "Todo records" in screen.lines[0]
    assert file.getvalue() == "into the file\n"
    display.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stdout", stream)
        display.show(_progress())
        display.close()
    assert screen.lines == []


def test_threads_may_print_while_bars_are_drawn(screen: Screen, clock: Clock) -> None:
    """Every line that threads print is complete on the screen, and no bar is left."""
    display = _display(clock, screen)
    together = threading.Barrier(4)

    def work(number: int) -> None:
        for round_ in range(20):
            together.wait(60)
            print(f"{number}-{round_}\n", end="")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    display.show(_progress())
    for thread in threads:
        thread.start()
    for _ in range(20):
        together.wait(60)
        display.show(_progress(1))
    for thread in threads:
        thread.join()
    display.close()
    assert sorted(screen.raw.count(f"{n}-{r}\n") for n in range(3) for r in range(20)) == [1] * 60
    assert not any("Todo records" in line for line in screen.lines)


def test_a_thread_that_prints_waits_for_a_bar_that_is_being_drawn(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of another thread does not get into a bar that is being written."""
    is_drawing, printed = threading.Event(), threading.Event()
    write, main_thread = Screen.write, threading.current_thread()

    def write_slowly(self: Screen, text: str) -> int:
        if thread.is_alive() and threading.current_thread() is main_thread:
            is_drawing.set()
            printed.wait(0.2)
        return write(self, text)

    def work() -> None:
        is_drawing.wait(60)
        print("a line")
        printed.set()

    thread = threading.Thread(target=work)
    monkeypatch.setattr(Screen, "write", write_slowly)
    display = _display(clock, screen)
    display.show(_progress())
    thread.start()
    display.show(_progress(1))
    thread.join()
    display.close()
    assert screen.lines == ["a line"]


def test_nothing_is_drawn_over_a_question(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a code is asked for no bars are drawn; the next progress draws them again."""
    display = _display(clock, screen)

    def answer(question: str, *, is_hidden: bool) -> str:
        assert is_hidden
        screen.write(question)
        display.show(_progress(2))
        assert screen.lines == ["The code (hidden):"]
        screen.write("\n")
        return "1"

    monkeypatch.setattr("seedctl.prompter._read_line", answer)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(sys, "stdin", screen)
    display.show(_progress(1))
    assert TerminalPrompter().ask("The code") == "1"
    display.show(_progress(3))
    assert screen.lines[0] == "The code (hidden):"
    assert "3/100" in screen.lines[1]
    display.close()


def test_a_repeated_progress_updates_the_figures(screen: Screen, clock: Clock) -> None:
    """Rate and throttled calls are current, and the remaining time is unknown."""
    display = _display(clock, screen)
    _after(display, clock, 10, 50)
    assert screen.lines[0].endswith(" 50/100, 5.0/s, 10 s left")
    clock.now += 10
    display.throttles = lambda: 4
    display.show(_progress(50))
    assert screen.lines[0].endswith(" 50/100, 2.5/s, 4 throttled")
    display.close()


def test_a_repeated_progress_draws_nothing_after_an_unfinished_line(
    screen: Screen, clock: Clock
) -> None:
    """The script may have asked a question, and all threads wait for the answer."""
    display = _display(clock, screen)
    display.show(_progress(1))
    print("Which code? ", end="")
    display.show(_progress(1))
    assert screen.lines == ["Which code?"]
    display.show(_progress(2))
    assert len(screen.lines) == 2
    display.close()


def test_a_repeated_progress_draws_nothing_after_a_question_of_input(
    screen: Screen, clock: Clock
) -> None:
    """input() flushes both streams and then writes to the terminal without them."""
    display = _display(clock, screen)
    display.show(_progress(1))
    print("a line", flush=True)
    display.show(_progress(1))
    assert len(screen.lines) == 2  # a print with a flush is no question
    sys.stderr.flush()
    sys.stdout.flush()
    display.show(_progress(1))
    assert screen.lines == ["a line"]
    print("answered")
    display.show(_progress(1))
    assert len(screen.lines) == 3
    display.close()


def test_the_bar_is_removed_for_the_lines_of_the_report(screen: Screen, clock: Clock) -> None:
    """For the target, notes, warnings and the lines of --verbose."""
    screen.attach()
    settings = Settings()
    settings.verbose = True
    report = ConsoleReport(Console(settings))
    target = Target(Path("/app"), "ann", None, None, None, "LOCAL", "")
    reports: list[Callable[[], None]] = [
        lambda: report.on_target(target),
        lambda: report.on_note("a note"),
        lambda: report.on_warning("a warning"),
        lambda: report.on_event(Event("user", "ann", "created", "1-2")),
        lambda: report.on_event(Event("record", "Todo", "created")),
    ]
    for report_one in reports:
        report.on_progress(_progress())
        report_one()
    assert screen.lines[:4] == [
        "Target: /app · sandbox ann · LOCAL",
        "a note",
        "Warning: a warning",
        "user  ann  created  1-2",
    ]
    assert screen.lines[4].startswith("Todo records")  # single records have no line
    report.display.close()
    assert len(screen.lines) == 4


# --- elsewhere -----------------------------------------------------------------------------------


def test_lines_come_every_five_seconds(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    """Each kind has a line after every five seconds, and one at the end."""
    display = _display(clock)
    said = []
    for second in (0, 1, 4.9, 5, 6, 9.9, 10, 12):
        clock.now = 1000 + second
        display.show(_progress(int(second * 10)))
        said.append(capsys.readouterr().err)
    assert said == [
        *("", "", ""),
        "Todo records: 50 of 100, 10/s, 5 s left\n",
        *("", ""),
        "Todo records: 100 of 100, 10/s, 0 s left\n",
        "",
    ]
    display.throttles = lambda: 2
    display.show(_progress(90, 10, is_finished=True))
    assert capsys.readouterr().err == ("Todo records: 100 of 100, 10 failed, 8.3/s, 2 throttled\n")


def test_each_kind_has_lines_of_its_own(capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
    """The last line of one kind does not delay another kind's."""
    display = _display(clock)
    display.show(_progress())
    display.show(_progress(what="users", total=None))
    clock.now += 5
    display.show(_progress(5))
    display.show(_progress(10, what="users", total=None))
    assert capsys.readouterr().err == ("Todo records: 5 of 100, 1.0/s\nusers: 10, 2.0/s\n")


def test_work_of_less_than_five_seconds_has_no_line(
    capsys: pytest.CaptureFixture[str], clock: Clock
) -> None:
    """The table at the end shows the result."""
    display = _display(clock)
    display.show(_progress())
    clock.now += 4
    display.show(_progress(100, is_finished=True))
    display.show(_progress(100, started=1004.0, is_finished=True))
    assert capsys.readouterr().err == ""


def test_a_terminal_that_cannot_erase_lines_gets_plain_ones(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TERM=dumb is treated like a file."""
    monkeypatch.setenv("TERM", "dumb")
    display = _display(clock, screen)
    display.show(_progress())
    _after(display, clock, 5, 50)
    assert screen.raw == "Todo records: 50 of 100, 10/s, 5 s left\n"


@pytest.mark.parametrize("width", ["5", "12", "19"])
def test_a_terminal_too_narrow_for_a_bar_gets_lines(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    """Figures that would be cut off are printed in lines, which the terminal wraps."""
    monkeypatch.setenv("COLUMNS", width)
    display = _display(clock, screen)
    display.show(_progress(what="users", total=900))
    clock.now += 5
    display.show(_progress(1, what="users", total=900))
    assert " ".join(screen.raw.split()).endswith("users: 1 of 900, 0.2/s")
    assert "\x1b" not in screen.raw


@pytest.mark.parametrize(
    ("columns", "is_drawn"),
    [
        pytest.param(19, False, id="narrow"),
        pytest.param(20, True, id="wide enough"),
        pytest.param(0, True, id="of no known width"),
    ],
)
def test_the_width_is_the_terminals_own(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, columns: int, is_drawn: bool
) -> None:
    """Without COLUMNS the terminal of stderr is asked."""
    monkeypatch.delenv("COLUMNS")
    screen.attach()
    assert Console(Settings()).can_draw  # its width is unknown, as it has no descriptor
    monkeypatch.setattr(screen, "fileno", lambda: 77, raising=False)
    asked: list[int] = []

    def size(descriptor: int) -> os.terminal_size:
        asked.append(descriptor)
        return os.terminal_size((columns, 24))

    monkeypatch.setattr(os, "get_terminal_size", size)
    assert Console(Settings()).can_draw is is_drawn
    assert asked == [77]


def test_a_window_that_is_made_narrow_and_wide_again(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bars disappear, and what ended meanwhile is not drawn again."""
    display = _display(clock, screen)
    display.show(_progress(1))
    display.show(_progress(1, what="users"))
    assert len(screen.lines) == 2
    monkeypatch.setenv("COLUMNS", "12")
    display.show(_progress(2, what="users", is_finished=True))
    assert screen.lines == []
    monkeypatch.setenv("COLUMNS", "80")
    display.show(_progress(3))
    assert [line[:12] for line in screen.lines] == ["Todo records"]
    display.close()


@pytest.mark.parametrize("where", ["terminal", "file"])
def test_quiet_is_silent(
    request: pytest.FixtureRequest, clock: Clock, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """--quiet shows neither bars nor lines."""
    screen = request.getfixturevalue("screen") if where == "terminal" else None
    display = _display(clock, screen, quiet=True)
    display.show(_progress())
    clock.now += 60
    display.show(_progress(50))
    display.show(_progress(100, is_finished=True))
    assert (screen.raw if screen is not None else capsys.readouterr().err) == ""


# --- whole runs ----------------------------------------------------------------------------------


def _project(project: Callable[..., Path], more: str = "pass") -> Path:
    folder = project("secrets_only")
    (folder / "amplify/seed/seed.py").write_text(SEED.format(more=more), encoding="utf-8")
    return folder


def test_a_run_on_a_terminal(project: Callable[..., Path]) -> None:
    """Bars are drawn while records are created, a question is answered, and no bar is left."""
    folder = _project(project, "print(input('Go on? '))")
    terminal = Terminal("seed", "--local", cwd=folder)
    terminal.wait_for("Go on? ")
    terminal.type("certainly\n")
    assert terminal.end() == 0, terminal.screen
    assert re.search(r"Todo records .*━.* \d+, [\d.]+/s", terminal.screen)
    screen = Screen(lambda: None)
    screen.write(terminal.screen.replace("\r\n", "\n"))
    assert not any(line.startswith("Todo records") for line in screen.lines), screen.lines
    begin = screen.lines.index("half of them")
    assert screen.lines[begin : begin + 3] == ["half of them", "Go on? certainly", "certainly"]
    assert "60 records created" in screen.lines[-1]


def test_a_run_into_files(project: Callable[..., Path]) -> None:
    """Without a terminal nothing is drawn: neither file has an escape sequence."""
    code, out, err = run("seed", "--local", cwd=_project(project), TERM="xterm")
    assert (code, out) == (0, "half of them\n"), err
    assert "\x1b" not in err
    assert "60 records created" in err
