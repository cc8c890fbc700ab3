"""Where one-time codes come from when no callback has them: a command, a terminal, the outbox."""

from __future__ import annotations

import io
import os
import shlex
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seedctl import interruption, masking
from seedctl.embedded import InboxCodes
from seedctl.errors import LocalSandboxError, MFACodeUnavailableError
from seedctl.local import InboxMessage, inbox
from seedctl.local import state_folder as folders
from seedctl.local.store import Store
from seedctl.mfa_command import CommandCodes
from seedctl.prompter import CodeRequest, TerminalCodes
from seedctl.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

ANN = "ann@example.com"
REQUEST = CodeRequest(ANN, "EMAIL", "a***@e***", since=1000.0)

# --- a command ------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], str]:
    """Make a command of a Python program, in a folder whose name has to be quoted."""

    def make(program: str) -> str:
        path = tmp_path / "my tools" / "codes.py"
        path.parent.mkdir()
        path.write_text(program, encoding="utf-8")
        return f"{shlex.quote(sys.executable)} -X utf8 {shlex.quote(str(path))}"

    return make


def test_a_command_prints_the_code(command: Callable[[str], str]) -> None:
    """Its first line counts, without what surrounds the code; the code is masked from then on."""
    line = command("print(' 864209 ')\nprint('second line')")
    assert CommandCodes(line).code(REQUEST) == "864209"
    assert masking.mask("864209") == "***"
    assert not CommandCodes.can_repeat


def test_a_command_is_told_whose_code_it_is(command: Callable[[str], str]) -> None:
    """User, method and masked destination are in its environment, beside everything else there."""
    line = command(
        "import os\n"
        "names = ('USERNAME', 'METHOD', 'DESTINATION')\n"
        "print(*(os.environ['SEEDCTL_MFA_' + name] for name in names), 'PATH' in os.environ)"
    )
    request = CodeRequest("jürgen 密", "SMS", "", since=0)
    assert CommandCodes(line).code(REQUEST) == f"{ANN} EMAIL a***@e*** True"
    assert CommandCodes(line).code(request) == "jürgen 密 SMS  True"


def test_a_command_may_say_something_on_stderr(
    command: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Only stdout is read; what goes wrong in the command can be seen."""
    line = command("import sys\nsys.stderr.write('asking the phone\\n')\nprint(1)")
    assert CommandCodes(line).code(REQUEST) == "1"
    assert capfd.readouterr() == ("", "asking the phone\n")


def test_a_command_gets_no_input(command: Callable[[str], str]) -> None:
    """It cannot wait for somebody to type, nor eat what is meant for the script."""
    line = command("import sys\nprint(repr(sys.stdin.read()))")
    assert CommandCodes(line).code(REQUEST) == "''"


def test_no_shell_runs_the_command(tmp_path: Path) -> None:
    """What a shell would act on is text."""
    marker = tmp_path / "made"
    line = f"echo $(touch {marker}) '; touch {marker}' | cat > {marker} && `touch {marker}`"
    code = CommandCodes(line).code(REQUEST)
    assert code == line.replace("'", "").removeprefix("echo ")
    assert not marker.exists()


def test_a_user_name_is_no_part_of_the_command(tmp_path: Path) -> None:
    """Whatever it holds, it stays in the environment."""
    request = CodeRequest("; touch made", "EMAIL", "$(touch made)", since=0)
    assert CommandCodes("echo $SEEDCTL_MFA_USERNAME").code(request) == "$SEEDCTL_MFA_USERNAME"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        pytest.param("raise SystemExit(7)", "ended with exit status 7", id="exit status"),
        pytest.param("print(1); raise SystemExit(1)", "exit status 1", id="status beside a code"),
        pytest.param("", "printed no code", id="nothing printed"),
        pytest.param("print(); print('123456')", "printed no code", id="empty first line"),
        pytest.param("print('  ')", "printed no code", id="blank first line"),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
            "exit status -15",
            id="killed",
        ),
    ],
)
def test_a_command_that_has_no_code(
    command: Callable[[str], str], program: str, words: str
) -> None:
    """The error names user, method and what happened, and tells what a command must do."""
    with pytest.raises(MFACodeUnavailableError, match=words) as caught:
        CommandCodes(command(program)).code(REQUEST)
    assert caught.value.message.startswith(f"The MFA command for {ANN} (EMAIL) ")
    assert "SEEDCTL_MFA_USERNAME" in (caught.value.resolution or "")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("no-such-program-anywhere --code", id="not found"),
        pytest.param(str(Path(__file__).parent), id="a folder"),
        pytest.param("   ", id="blank"),
        pytest.param("echo 'never closed", id="open quote"),
    ],
)
def test_a_command_that_cannot_be_run(line: str) -> None:
    """Whatever the reason, it is the caller's set-up, and no trace."""
    with pytest.raises(MFACodeUnavailableError, match=r"cannot be run: |is empty") as caught:
        CommandCodes(line).code(REQUEST)
    assert caught.value.exit_code == 3


def test_a_command_has_limited_time(
    command: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that goes on is stopped, with whatever it has started."""
    monkeypatch.chdir(tmp_path)
    program = (
        "import os, subprocess, time; child = subprocess.Popen(['sleep', '60']); "
        "open('child', 'w').write(str(child.pid)); print(123456, flush=True); time.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(MFACodeUnavailableError, match="took longer than 2 s"):
        CommandCodes(command(program), seconds=2).code(REQUEST)
    assert time.monotonic() - began < 15
    child = Path("/proc", Path("child").read_text(), "stat")
    time.sleep(0.2)
    assert not child.exists() or child.read_text().split()[2] == "Z"


@pytest.mark.parametrize("is_main", [True, False])
def test_a_signal_ends_a_command_with_all_it_has_started(
    command: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_main: bool,
) -> None:
    """Ctrl-C in the main thread, and word of it in any other."""
    monkeypatch.chdir(tmp_path)
    line = command(
        "import os, subprocess, time; child = subprocess.Popen(['sleep', '60']); "
        "open('new', 'w').write(str(os.getpid())); os.rename('new', 'group'); time.sleep(60)"
    )
    outcomes: list[BaseException] = []

    def ask() -> None:
        try:
            CommandCodes(line).code(REQUEST)
        except KeyboardInterrupt as error:
            outcomes.append(error)

    def interrupt() -> None:
        while not Path("group").exists():
            time.sleep(0.01)
        if is_main:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        else:
            interruption.set_requested(True)

    first, second = (interrupt, ask) if is_main else (ask, interrupt)
    thread = threading.Thread(target=first)
    thread.start()
    second()
    thread.join()
    assert [type(error) for error in outcomes] == [KeyboardInterrupt]
    group, end = int(Path("group").read_text()), time.monotonic() + 20
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            break
        time.sleep(0.01)
    else:
        pytest.fail("a process is left")


def test_after_a_signal_no_command_is_begun(tmp_path: Path) -> None:
    """A run that is being ended asks nobody for a code."""
    interruption.set_requested(True)
    with pytest.raises(KeyboardInterrupt):
        CommandCodes(f"touch {tmp_path / 'begun'}").code(REQUEST)
    assert CommandCodes("touch begun")._run(["touch", "begun"], {}, lambda: True) == (b"", None)
    assert not (tmp_path / "begun").exists()


def test_a_child_that_keeps_stdout_open_is_not_waited_for(command: Callable[[str], str]) -> None:
    """The command has printed its code and ended: that is enough."""
    program = "import subprocess; subprocess.Popen(['sleep', '20']); print(123456)"
    began = time.monotonic()
    assert CommandCodes(command(program), seconds=15).code(REQUEST) == "123456"
    assert time.monotonic() - began < 10


def test_a_command_that_prints_without_end_takes_no_memory() -> None:
    """Only the first line is kept, and the command is stopped when its time is up."""
    with pytest.raises(MFACodeUnavailableError, match="took longer"):
        CommandCodes("yes", seconds=0.5).code(REQUEST)


def test_output_that_is_no_text(command: Callable[[str], str]) -> None:
    """Bytes that are not UTF-8 are no reason for a trace; the code is unlikely to be right."""
    line = command("import sys; sys.stdout.buffer.write(b'\\xff12\\r\\nmore')")
    assert CommandCodes(line).code(REQUEST) == "\ufffd12"


# --- a terminal -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("EMAIL", "the code sent by e-mail"),
        ("SMS", "the code sent by SMS"),
        ("TOTP", "the code of the authenticator app"),
        ("CUSTOM", "the answer to the custom challenge"),
        ("FAX", "a code"),
    ],
)
def test_without_a_terminal_the_ways_to_answer_are_told(
    monkeypatch: pytest.MonkeyPatch, method: str, what: str
) -> None:
    """Nothing is read from a pipe, nothing waits; exit code 3."""
    stdin = io.StringIO("123456\n")
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(MFACodeUnavailableError) as caught:
        TerminalCodes().code(CodeRequest(ANN, method, "", since=0))
    error = caught.value
    assert error.message == (f"Cognito wants {what} for {ANN}, and there is no terminal to ask on.")
    for way in ("callback", "--mfa-command", "SEEDCTL_MFA_COMMAND"):
        assert way in (error.resolution or "")
    assert error.exit_code == 3
    assert stdin.tell() == 0


# --- the outbox -----------------------------------------------------------------------------------


def message(code: str, sent_at: float, *, user: str = ANN, method: str = "EMAIL") -> InboxMessage:
    return InboxMessage(user, f"id-of-{user}", (user, f"id-of-{user}"), method, user, code, sent_at)


@pytest.fixture
def outbox(tmp_path: Path) -> Callable[..., tuple[InboxCodes, Report]]:
    """Fill an outbox, oldest first, and make what reads it."""

    def fill(*messages: InboxMessage) -> tuple[InboxCodes, Report]:
        store = Store.open(folders.prepare(tmp_path))
        for sent in messages:
            with store.transaction() as view:
                inbox.deliver(view, sent)
        store.close()
        report = Report()
        return InboxCodes(tmp_path, report), report

    return fill


def test_the_newest_code_is_taken(outbox: Callable[..., tuple[InboxCodes, Report]]) -> None:
    """Of two codes of one sign-in the later one is meant; where it came from is told, not what."""
    codes, report = outbox(message("11111111", 1001), message("22222222", 1001))
    assert codes.code(REQUEST) == "22222222"
    assert report.notes == [f"EMAIL code for {ANN}: read from the local outbox."]


@pytest.mark.parametrize("username", [ANN, "ANN@Example.COM", f"id-of-{ANN}"])
def test_a_code_is_found_by_every_name(
    outbox: Callable[..., tuple[InboxCodes, Report]], username: str
) -> None:
    """Newer codes of other users and other methods are left alone."""
    codes, _ = outbox(
        message("11111111", 1001),
        message("22222222", 1002, user="eve@example.com"),
        message("333333", 1003, method="SMS"),
    )
    assert codes.code(CodeRequest(username, "EMAIL", "", since=1000.0)) == "11111111"
    assert codes.code(CodeRequest(username, "SMS", "", since=1000.0)) == "333333"


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="nothing sent"),
        pytest.param([message("11111111", 998.5)], id="an earlier sign-in's"),
        pytest.param([message("11111111", 1001, user="eve@example.com")], id="somebody else's"),
        pytest.param([message("111111", 1001, method="SMS")], id="another method's"),
    ],
)
def test_no_code_in_the_outbox(
    outbox: Callable[..., tuple[InboxCodes, Report]], messages: list[InboxMessage]
) -> None:
    """A code that is not meant is not tried: wrong codes are counted."""
    codes, report = outbox(*messages)
    with pytest.raises(MFACodeUnavailableError, match=f"no EMAIL code for {ANN}") as caught:
        codes.code(REQUEST)
    assert caught.value.exit_code == 3
    assert report.notes == []


def test_no_outbox_at_all(tmp_path: Path) -> None:
    """A project without a state has sent nothing, and gets no state by that."""
    with pytest.raises(MFACodeUnavailableError):
        InboxCodes(tmp_path / "nowhere", Report()).code(REQUEST)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("purpose", ["sign-up", "password reset", "verification of email"])
def test_codes_of_other_purposes_are_passed_over(
    outbox: Callable[..., tuple[InboxCodes, Report]], purpose: str
) -> None:
    """A newer code that a front end had sent to the same user does not answer a sign-in."""
    other = replace(message("222222", 1002), purpose=purpose)
    codes, _ = outbox(message("11111111", 1001), other)
    assert codes.code(REQUEST) == "11111111"


def test_a_broken_outbox(outbox: Callable[..., tuple[InboxCodes, Report]], tmp_path: Path) -> None:
    """It is told to be broken, and not to be empty."""
    codes, _ = outbox(message("11111111", 1001))
    (tmp_path / folders.FOLDER / folders.KEY).write_bytes(b"x" * 32)
    with pytest.raises(LocalSandboxError):
        codes.code(REQUEST)


@pytest.mark.parametrize("method", ["TOTP", "CUSTOM"])
def test_what_is_never_sent_is_asked_for(
    outbox: Callable[..., tuple[InboxCodes, Report]], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """No outbox has a TOTP code: the terminal is asked, and here there is none."""
    codes, _ = outbox(message("111111", 1001, method=method))
    monkeypatch.setattr(sys, "stdin", io.StringIO("123456\n"))
    with pytest.raises(MFACodeUnavailableError, match="no terminal to ask on"):
        codes.code(CodeRequest(ANN, method, "", since=1000.0))
    assert codes.can_repeat  # what was mistyped can be typed again
