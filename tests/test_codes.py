"""The sources of one-time codes for calls without a callback: a command, a terminal, the outbox."""

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

from seedctl import interruption, masking, process_state, prompter
from seedctl.embedded import InboxCodes
from seedctl.errors import LocalSandboxError, MFACodeUnavailableError
from seedctl.local import InboxMessage, inbox
from seedctl.local import state_folder as folders
from seedctl.local.store import Store
from seedctl.mfa_command import CommandCodes
from seedctl.prompter import CodeRequest, TerminalCodes, TerminalPrompter
from seedctl.report import Report
from tests.test_processes import has_ended

if TYPE_CHECKING:
    from collections.abc import Callable

ANN = "ann@example.com"
REQUEST = CodeRequest(ANN, "EMAIL", "a***@e***", since=1000.0)

# --- a command ------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that makes a command of a Python program; its path needs quoting."""

    def make(program: str) -> str:
        path = tmp_path / "my tools" / "codes.py"
        path.parent.mkdir()
        path.write_text(program, encoding="utf-8")
        return f"{shlex.quote(sys.executable)} -S -E -X utf8 {shlex.quote(str(path))}"

    return make


def test_a_command_prints_the_code(command: Callable[[str], str]) -> None:
    """The code is the first line without surrounding spaces, and is masked from then on."""
    line = command("print(' 864209 ')\nprint('second line')")
    assert CommandCodes(line).code(REQUEST) == "864209"
    assert masking.mask("864209") == "***"
    assert not CommandCodes.can_repeat


def test_the_environment_of_a_command(command: Callable[[str], str]) -> None:
    """The command's environment also has the user name, the method and the destination."""
    line = command(
        "import os\n"
        "names = ('USERNAME', 'METHOD', 'DESTINATION')\n"
        "print(*(os.environ['SEEDCTL_MFA_' + name] for name in names), 'PATH' in os.environ)"
    )
    request = CodeRequest("jürgen 密", "SMS", "", since=0)
    assert CommandCodes(line).code(REQUEST) == f"{ANN} EMAIL a***@e*** True"
    assert CommandCodes(line).code(request) == "jürgen 密 SMS  True"


def test_stderr_of_a_command_is_shown(
    command: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Only stdout is read; stderr goes to the user."""
    line = command("import sys\nsys.stderr.write('asking the phone\\n')\nprint(1)")
    assert CommandCodes(line).code(REQUEST) == "1"
    assert capfd.readouterr() == ("", "asking the phone\n")


def test_a_command_gets_no_input(command: Callable[[str], str]) -> None:
    """The command's stdin is empty: it cannot wait for input or read the script's."""
    line = command("import sys\nprint(repr(sys.stdin.read()))")
    reading, writing = os.pipe()
    os.write(writing, b"of the script")
    os.close(writing)
    stdin = os.dup(0)
    os.dup2(reading, 0)
    try:
        assert CommandCodes(line).code(REQUEST) == "''"
    finally:
        os.dup2(stdin, 0)
        os.close(stdin)
        os.close(reading)


def test_no_shell_runs_the_command(tmp_path: Path) -> None:
    """Characters that are special for a shell have no effect."""
    marker = tmp_path / "made"
    line = f"echo $(touch {marker}) '; touch {marker}' | cat > {marker} && `touch {marker}`"
    code = CommandCodes(line).code(REQUEST)
    assert code == line.replace("'", "").removeprefix("echo ")
    assert not marker.exists()


def test_the_user_name_cannot_change_the_command(tmp_path: Path) -> None:
    """The user name is only in the environment, so it cannot change the command."""
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
def test_a_command_without_a_code(command: Callable[[str], str], program: str, words: str) -> None:
    """The error names user, method and what happened, and says what a command must do."""
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
    """A command that cannot be run is a set-up error, without a Python traceback or a secret."""
    masking.register(ANN)
    with pytest.raises(MFACodeUnavailableError, match=r"cannot be run: |is empty") as caught:
        CommandCodes(line).code(REQUEST)
    assert caught.value.message.startswith("The MFA command for *** (EMAIL) ")
    assert caught.value.exit_code == 3


def test_a_command_has_limited_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that takes too long is killed with its children, although it printed a code."""
    monkeypatch.chdir(tmp_path)
    line = "sh -c 'echo $$ >group; sleep 600 & echo 123456; wait'"
    with pytest.raises(MFACodeUnavailableError, match="took longer than 2 s"):
        CommandCodes(line, seconds=2).code(REQUEST)
    assert has_ended(int(Path("group").read_text()))


@pytest.mark.parametrize("is_main", [True, False])
def test_a_signal_kills_a_command_and_its_children(
    command: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_main: bool,
) -> None:
    """Ctrl-C in the main thread, or a request to stop in any other, kills the command."""
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
    assert has_ended(int(Path("group").read_text()))


def test_no_command_starts_after_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a request to stop, no command is started."""
    started: list[object] = []
    monkeypatch.setattr("seedctl.mfa_command.subprocess.Popen", started.append)
    interruption.set_requested(True)
    with pytest.raises(KeyboardInterrupt):
        CommandCodes("true").code(REQUEST)
    assert CommandCodes("true")._run(["true"], {}, lambda: True) == (b"", None)
    assert started == []


def test_no_wait_for_a_child_with_stdout_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the command has ended, a child with stdout open is not waited for."""
    monkeypatch.chdir(tmp_path)
    line = "sh -c 'sleep 600 & echo $! >child; echo 123456'"
    assert CommandCodes(line, seconds=60).code(REQUEST) == "123456"
    os.kill(int(Path("child").read_text()), signal.SIGKILL)


def test_a_command_with_endless_output() -> None:
    """Only the first line is stored, and the command is killed after the timeout."""
    with pytest.raises(MFACodeUnavailableError, match="took longer"):
        CommandCodes("yes", seconds=0.1).code(REQUEST)


def test_output_that_is_not_utf_8(command: Callable[[str], str]) -> None:
    """Output that is not UTF-8 does not raise; it is unlikely to be the right code."""
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
def test_without_a_terminal_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, method: str, what: str
) -> None:
    """Nothing is read from a pipe and nothing waits; the exit code is 3."""
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
    masking.register(ANN)
    with pytest.raises(MFACodeUnavailableError, match=r"for \*\*\*, and"):
        TerminalCodes().code(CodeRequest(ANN, method, "", since=0))


@pytest.mark.parametrize(
    ("method", "destination", "question"),
    [
        ("EMAIL", "a***@e***", f"Enter the code sent by e-mail to a***@e*** for {ANN}"),
        ("SMS", "+*******4567", f"Enter the code sent by SMS to +*******4567 for {ANN}"),
        ("TOTP", "", f"Enter the code of the authenticator app for {ANN}"),
    ],
)
def test_the_question_names_method_destination_and_user(
    monkeypatch: pytest.MonkeyPatch, method: str, destination: str, question: str
) -> None:
    """Who reads it knows where to look for the code."""
    asked: list[str] = []

    def ask(_: TerminalPrompter, text: str) -> str:
        asked.append(text)
        return " 1 "

    monkeypatch.setattr(prompter, "can_prompt", lambda: True)
    monkeypatch.setattr(TerminalPrompter, "ask", ask)
    assert TerminalCodes().code(CodeRequest(ANN, method, destination, since=0)) == "1"
    assert asked == [question]


@pytest.mark.parametrize(
    ("attempt", "then"), [(2, "1 more after this one"), (prompter.MOST_TRIES, "this is the last")]
)
def test_another_attempt_says_how_many_are_left(
    monkeypatch: pytest.MonkeyPatch, attempt: int, then: str
) -> None:
    """No question of another thread comes between that line and its own question."""
    lock = process_state.instance(prompter._TerminalUse).lock
    held: list[bool] = []
    answers = iter(["  ", "123456"])

    class Screen(io.StringIO):
        def write(self, text: str) -> int:
            held.append(lock._is_owned())  # type: ignore[attr-defined]
            return super().write(text)

    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(prompter, "can_prompt", lambda: True)
    monkeypatch.setattr(TerminalPrompter, "ask", lambda *_: next(answers))
    assert TerminalCodes().code(replace(REQUEST, attempt=attempt)) == "123456"
    assert screen.getvalue() == (
        f"That code was refused, or used before. Try another: {then}.\nCannot be empty.\n"
    )
    assert held == [True, True]


# --- the outbox -----------------------------------------------------------------------------------


def message(code: str, sent_at: float, *, user: str = ANN, method: str = "EMAIL") -> InboxMessage:
    return InboxMessage(user, f"id-of-{user}", (user, f"id-of-{user}"), method, user, code, sent_at)


@pytest.fixture
def outbox(tmp_path: Path) -> Callable[..., tuple[InboxCodes, Report]]:
    """Write messages to an outbox, the oldest first, and return a reader of it."""

    def fill(*messages: InboxMessage) -> tuple[InboxCodes, Report]:
        store = Store.open(folders.prepare(tmp_path))
        for sent in messages:
            with store.transaction() as view:
                inbox.deliver(view, sent)
        store.close()
        report = Report()
        return InboxCodes(tmp_path, report), report

    return fill


def test_the_newest_code_is_used(outbox: Callable[..., tuple[InboxCodes, Report]]) -> None:
    """The newest code of the sign-in is used. A note says where it came from, without the code."""
    codes, report = outbox(message("11111111", 1001), message("22222222", 1001))
    assert codes.code(REQUEST) == "22222222"
    assert report.notes == [
        f"EMAIL code for {ANN}: read from the local inbox (seedctl local inbox)."
    ]


@pytest.mark.parametrize("username", [ANN, "ANN@Example.COM", f"id-of-{ANN}"])
def test_a_code_is_found_by_every_name(
    outbox: Callable[..., tuple[InboxCodes, Report]], username: str
) -> None:
    """Codes of other users and other methods are ignored, even if they are newer."""
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
    """A code for another sign-in is not tried, because Cognito counts wrong codes."""
    codes, report = outbox(*messages)
    with pytest.raises(MFACodeUnavailableError, match=f"no EMAIL code for {ANN}") as caught:
        codes.code(REQUEST)
    assert caught.value.exit_code == 3
    assert report.notes == []


def test_no_outbox_at_all(tmp_path: Path) -> None:
    """A project without a state has no codes, and reading creates no state."""
    with pytest.raises(MFACodeUnavailableError):
        InboxCodes(tmp_path / "nowhere", Report()).code(REQUEST)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("purpose", ["sign-up", "password reset", "verification of email"])
def test_codes_for_other_purposes_are_ignored(
    outbox: Callable[..., tuple[InboxCodes, Report]], purpose: str
) -> None:
    """A newer code for another purpose, such as a password reset, is not used."""
    other = replace(message("222222", 1002), purpose=purpose)
    codes, _ = outbox(message("11111111", 1001), other)
    assert codes.code(REQUEST) == "11111111"


def test_a_broken_outbox(outbox: Callable[..., tuple[InboxCodes, Report]], tmp_path: Path) -> None:
    """A broken outbox is reported as broken, not as empty."""
    codes, _ = outbox(message("11111111", 1001))
    (tmp_path / folders.FOLDER / folders.KEY).write_bytes(b"x" * 32)
    with pytest.raises(LocalSandboxError):
        codes.code(REQUEST)


@pytest.mark.parametrize("method", ["TOTP", "CUSTOM"])
def test_codes_that_are_never_sent(
    outbox: Callable[..., tuple[InboxCodes, Report]], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """TOTP and custom codes are never in the outbox, so the user is asked on the terminal."""
    codes, _ = outbox(message("111111", 1001, method=method))
    monkeypatch.setattr(sys, "stdin", io.StringIO("123456\n"))
    with pytest.raises(MFACodeUnavailableError, match="no terminal to ask on"):
        codes.code(CodeRequest(ANN, method, "", since=1000.0))
    assert codes.can_repeat  # what was mistyped can be typed again
