"""The guide's MFA scripts on the local sandbox: codes from outbox, command, callback and prompt."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyotp
import pytest

from seedctl import connect
from seedctl.local import LocalSandbox, read_inbox
from tests.forking import QuickProcess
from tests.running import PASSWORD, make_project, options_of
from tests.test_processes import Terminal, environment, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import CommandLine, Result

ROOT = Path(__file__).parents[2]
USER = "ann@example.com"
SCRIPT = "amplify/seed/seed.py"
PREFERENCES = {"mfa_email": "EMAIL_OTP", "mfa_sms": "SMS_MFA", "mfa_totp": "SOFTWARE_TOKEN_MFA"}
CREATE = """
from seedctl import create_and_sign_up_user, get_secret, sign_in_user
user = create_and_sign_up_user(
    get_secret("username"), get_secret("password"), sign_in_flow="MFA", {options}
)
"""
SIGN_IN = """
sign_in_user(user, get_secret("password"), sign_in_flow="MFA"{options})
print("signed in")
"""
# An authenticator whose clock is moved to the next half minute, which the sandbox accepts.
QUICK_AUTHENTICATOR = """
import time
from seedctl import Authenticator
ahead = [0.0]
authenticator = Authenticator(
    clock=lambda: time.time() + ahead[0],
    wait=lambda seconds, what: ahead.__setitem__(0, ahead[0] + seconds),
)
"""


class _Terminal(Terminal):
    has_ended = False

    def end(self) -> int:
        self.has_ended = True
        return super().end()


@pytest.fixture(scope="module")
def guides(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Path]:
    """Return what copies one of the guide's MFA projects, with its secrets set, to a folder."""
    projects = tmp_path_factory.mktemp("guides")

    def copy(resource: str, folder: Path) -> Path:
        project = projects / resource
        if not project.exists():
            make_project(project, resource, name=resource.replace("_", "-"), outputs=None)
            with connect(project, identifier="ann", local=True, target="none") as backend:
                backend.secrets.set("username", USER)
                backend.secrets.set("password", PASSWORD)
        return shutil.copytree(project, folder)

    return copy


@pytest.fixture
def guide(
    guides: Callable[[str, Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "ann")
    return lambda resource: guides(resource, tmp_path / "project")


@pytest.fixture(scope="module", autouse=True)
def real_totp(
    guides: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """Start the guide's TOTP script, which waits for a real half minute to end.

    It runs beside the module's other tests; the last of them checks the result.
    """
    folder = guides("mfa_totp", tmp_path_factory.mktemp("real") / "project")
    given = ("PATH", "PYTHON", "LANG", "LC_")  # nothing of a developer's own settings
    with QuickProcess(
        *("seed", "--local", "--identifier", "ann"),
        cwd=folder,
        environment={name: text for name, text in environment().items() if name.startswith(given)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield folder, process
        process.kill()


@pytest.fixture
def seed(seedctl: CommandLine) -> Callable[..., Result]:
    def seed(folder: Path, *arguments: str) -> Result:
        return seedctl("-C", str(folder), "seed", "--local", *arguments)

    return seed


@pytest.fixture
def terminals() -> Iterator[Callable[..., Terminal]]:
    """Open pseudo-terminals and end all of them after the test."""
    opened: list[_Terminal] = []

    def start(folder: Path, *arguments: str) -> Terminal:
        opened.append(_Terminal("seed", "--local", *arguments, cwd=folder))
        return opened[-1]

    yield start
    for terminal in opened:
        if not terminal.has_ended:
            os.kill(terminal.pid, signal.SIGKILL)
            terminal.end()


def rewrite(folder: Path, *parts: str) -> None:
    (folder / SCRIPT).write_text("".join(parts), encoding="utf-8")


def newest_code(folder: Path, *, after: int = 0) -> str:
    """Return the newest code, once there are more than *after*."""
    end = time.monotonic() + 60
    while len(sent := read_inbox(folder / ".amplify/seedctl")) <= after:
        assert time.monotonic() < end, "no code was sent"
        time.sleep(0.05)
    return sent[0].code


def wrong(code: str) -> str:
    return f"{(int(code) + 1357) % 10 ** len(code):0{len(code)}}"


def cognitos_user(folder: Path) -> dict[str, Any]:
    with connect(folder, local=True, target="none") as backend:
        return backend.aws.call(
            "cognito-idp",
            "AdminGetUser",
            {"UserPoolId": backend.require_auth().user_pool_id, "Username": USER},
            region="us-east-1",
        )


def check_nothing_secret(folder: Path, output: str) -> None:
    for message in read_inbox(folder / ".amplify/seedctl"):
        assert message.code not in output
    assert PASSWORD not in output


# --- from the outbox, a command, a callback -------------------------------------------------------


@pytest.mark.parametrize(("resource", "method"), [("mfa_email", "EMAIL"), ("mfa_sms", "SMS")])
def test_the_guides_scripts_by_the_outbox(
    guide: Callable[[str], Path], seed: Callable[..., Result], resource: str, method: str
) -> None:
    """One code to sign up and one to sign in are found in the outbox, and a note says so."""
    folder = guide(resource)
    result = seed(folder)
    assert (result.code, result.out) == (0, "signed in\n"), result.err
    assert (
        result.err.count(f"{method} code for ***: read from the local inbox (seedctl local inbox).")
        == 2
    )
    assert "1 user created, 2 secrets read, 1 session signed in." in result.err
    assert cognitos_user(folder)["PreferredMfaSetting"] == PREFERENCES[resource]
    assert len(read_inbox(folder / ".amplify/seedctl")) == 2
    check_nothing_secret(folder, result.err)


def test_totp_by_callback(guide: Callable[[str], Path], seed: Callable[..., Result]) -> None:
    """The guide's script with a simulated clock: enroll signs up, code signs in."""
    folder = guide("mfa_totp")
    text = (folder / SCRIPT).read_text(encoding="utf-8")
    text = text.replace("authenticator = Authenticator()\n", QUICK_AUTHENTICATOR)
    rewrite(folder, text, "print(authenticator.secret)\n")
    result = seed(folder)
    assert result.code == 0, result.err
    assert result.out.startswith("User was created\nUser was signed in: True\n")
    assert cognitos_user(folder)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
    assert result.out.splitlines()[-1] not in result.err


def test_a_stored_totp_secret_signs_in_unattended(
    guide: Callable[[str], Path], seed: Callable[..., Result]
) -> None:
    """The run that enrolls stores the secret, and a later run reads it."""
    folder = guide("mfa_totp")
    rewrite(
        folder,
        QUICK_AUTHENTICATOR,
        CREATE.format(options="totp_sign_up_challenge=authenticator.enroll"),
        "from seedctl import set_secret\nset_secret('totp', authenticator.secret)\n",
    )
    assert seed(folder).code == 0
    rewrite(
        folder,
        "import time\nfrom seedctl import Authenticator, get_secret, sign_in_user\n"
        "later = Authenticator(get_secret('totp'), clock=lambda: time.time() + 30)\n"
        "user = get_secret('username')\n",
        SIGN_IN.format(options=", sign_in_challenge=later.code"),
    )
    result = seed(folder)
    assert (result.code, result.out) == (0, "signed in\n"), result.err


OUTBOX_COMMAND = """
"$0" -m seedctl -C "$1" local inbox |
    grep "^$SEEDCTL_MFA_USERNAME  $SEEDCTL_MFA_METHOD  " | head -1 | awk '{print $4}'
"""
TOTP_COMMAND = """
import os, pathlib, sys, time, pyotp
assert os.environ["SEEDCTL_MFA_METHOD"] == "TOTP"
secret = (pathlib.Path(sys.argv[1]) / "totp.txt").read_text()
print(pyotp.TOTP(secret).at(int(time.time()) + 30))
"""


def command(folder: Path, program: str) -> str:
    (folder / "codes.py").write_text(program, encoding="utf-8")
    return shlex.join([sys.executable, str(folder / "codes.py"), str(folder)])


@pytest.fixture
def phone() -> Callable[..., str]:
    """Return what makes a command that prints the newest code of a project, *count* times.

    Of the codes sent, *earlier* are from before.
    """

    def answer(folder: Path, numbers: range) -> None:
        for number in numbers:
            code = newest_code(folder, after=number)  # when the command before has ended
            with (folder / "codes").open("w", encoding="utf-8") as pipe:  # waits for the command
                pipe.write(code)

    def make(folder: Path, count: int, *, earlier: int = 0) -> str:
        os.mkfifo(folder / "codes")
        numbers = range(earlier, earlier + count)
        threading.Thread(target=answer, args=(folder, numbers), daemon=True).start()
        return "sh -c 'echo $SEEDCTL_MFA_USERNAME $SEEDCTL_MFA_METHOD >>asked; cat codes'"

    return make


def test_the_guides_script_by_a_command(
    guide: Callable[[str], Path], seed: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command takes precedence over the outbox, and may read the outbox itself."""
    folder = guide("mfa_email")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    line = shlex.join(["sh", "-c", OUTBOX_COMMAND, sys.executable, str(folder)])
    result = seed(folder, "--mfa-command", line)
    assert (result.code, result.out) == (0, "signed in\n"), result.err
    assert "inbox" not in result.err
    check_nothing_secret(folder, result.err)


def test_a_command_of_the_environment(
    guide: Callable[[str], Path],
    seed: Callable[..., Result],
    phone: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SEEDCTL_MFA_COMMAND works like the option; the command gets its input by variables."""
    folder = guide("mfa_sms")
    monkeypatch.setenv("SEEDCTL_MFA_COMMAND", phone(folder, 2))
    result = seed(folder)
    assert (result.code, result.out) == (0, "signed in\n"), result.err
    assert (folder / "asked").read_text() == f"{USER} SMS\n" * 2
    assert "inbox" not in result.err
    check_nothing_secret(folder, result.err)


def test_totp_by_a_command(guide: Callable[[str], Path], seed: Callable[..., Result]) -> None:
    """At sign-in a command can return TOTP codes too."""
    folder = guide("mfa_totp")
    rewrite(
        folder,
        QUICK_AUTHENTICATOR,
        CREATE.format(options="totp_sign_up_challenge=authenticator.enroll"),
        "import pathlib\npathlib.Path('totp.txt').write_text(authenticator.secret)\n",
        SIGN_IN.format(options=""),
    )
    result = seed(folder, "--mfa-command", command(folder, TOTP_COMMAND))
    assert (result.code, result.out) == (0, "signed in\n"), result.err


def test_the_option_overrides_the_environment(
    guide: Callable[[str], Path], seed: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """--mfa-command was given for this run."""
    monkeypatch.setenv("SEEDCTL_MFA_COMMAND", "no-such-program-anywhere")
    result = seed(guide("mfa_email"), "--mfa-command", "sh -c 'exit 9'")
    assert "[MFACodeUnavailableError]" in result.err
    assert "ended with exit status 9" in result.err
    assert result.code == 3


@pytest.mark.parametrize(
    ("resource", "name", "attributes"),
    [
        ("mfa_email", "email_sign_up_challenge", "{}"),
        ("mfa_sms", "sms_sign_up_challenge", "{'phone_number': '+15551234567'}"),
    ],
)
def test_codes_by_callback(
    guide: Callable[[str], Path],
    seed: Callable[..., Result],
    resource: str,
    name: str,
    attributes: str,
) -> None:
    """A callback takes precedence over the command; it returns text or a ChallengeResponse."""
    folder = guide(resource)
    rewrite(
        folder,
        "from seedctl import ChallengeResponse, current_backend\n"
        "from seedctl.local import read_inbox\n"
        "def code():\n    return read_inbox(current_backend().project.state_folder)[0].code\n",
        CREATE.format(options=f"user_attributes={attributes}, {name}=code"),
        SIGN_IN.format(options=", sign_in_challenge=lambda: ChallengeResponse(code())"),
    )
    result = seed(folder, "--mfa-command", "no-such-program-anywhere")
    assert (result.code, result.out) == (0, "signed in\n"), result.err
    check_nothing_secret(folder, result.err)


# --- typed at a terminal --------------------------------------------------------------------------


def test_codes_are_typed(guide: Callable[[str], Path], terminals: Callable[..., Terminal]) -> None:
    """An empty line is refused, a wrong code is asked for again, the right one is accepted."""
    folder = guide("mfa_email")
    question = "Enter the code sent by e-mail to a***@e*** for ann@example.com"
    terminal = terminals(folder, "--prompt")
    terminal.wait_for(question)
    terminal.type("\n")
    terminal.wait_for("Cannot be empty.")
    terminal.wait_for(question, times=2)
    terminal.type(wrong(newest_code(folder)) + "\n")
    terminal.wait_for(question, times=3)
    terminal.type(newest_code(folder) + "\n")
    terminal.wait_for(question, times=4)  # to sign in
    terminal.type(newest_code(folder, after=1) + "\n")
    terminal.wait_for("signed in\r\n")
    assert terminal.end() == 0, terminal.screen
    assert "read from the local inbox" not in terminal.screen
    assert wrong(newest_code(folder)) not in terminal.screen
    assert cognitos_user(folder)["PreferredMfaSetting"] == "EMAIL_OTP"
    check_nothing_secret(folder, terminal.screen)


def test_three_wrong_codes_end_the_run(
    guide: Callable[[str], Path], terminals: Callable[..., Terminal]
) -> None:
    """The error is Cognito's own; another run can complete the user."""
    folder = guide("mfa_email")
    terminal = terminals(folder, "--prompt")
    for times in (1, 2, 3):
        terminal.wait_for("Enter the code", times=times)
        terminal.type(wrong(newest_code(folder)) + "\n")
    assert terminal.end() == 1
    assert "[CodeMismatchException]" in terminal.screen
    assert terminal.screen.count("Enter the code") == 3
    code, out, err = run("seed", "--local", cwd=folder)
    assert (code, out) == (0, "signed in\n"), err


def test_a_totp_code_is_typed_at_sign_in(
    guide: Callable[[str], Path], terminals: Callable[..., Terminal]
) -> None:
    """The outbox has no TOTP codes: seedctl asks even without --prompt, and again if it was wrong."""
    folder = guide("mfa_totp")
    rewrite(
        folder,
        QUICK_AUTHENTICATOR,
        CREATE.format(options="totp_sign_up_challenge=authenticator.enroll"),
        "import pathlib\npathlib.Path('totp.txt').write_text(authenticator.secret)\n",
        SIGN_IN.format(options=""),
    )
    question = "Enter the code of the authenticator app for ann@example.com"
    terminal = terminals(folder)
    terminal.wait_for(question)
    totp = pyotp.TOTP((folder / "totp.txt").read_text())
    used = totp.now()  # at sign-up, or one step later by now
    terminal.type(wrong(used) + "\n")
    terminal.wait_for(question, times=2)
    code = totp.at(int(time.time()) + 30)
    terminal.type(code + "\n")
    assert terminal.end() == 0, terminal.screen
    assert code not in terminal.screen
    assert totp.secret not in terminal.screen


def test_ctrl_c_ends_the_run_and_the_next_finishes_the_user(
    guide: Callable[[str], Path], terminals: Callable[..., Terminal]
) -> None:
    """Exit code 130, despite ``except Exception``; then the same user, with the preference."""
    folder = guide("mfa_email")
    original = (folder / SCRIPT).read_text(encoding="utf-8")
    lines = "".join(f"    {line}\n" for line in original.splitlines())
    rewrite(folder, f"try:\n{lines}except Exception:\n    print('swal' + 'lowed')\n")
    terminal = terminals(folder, "--prompt")
    terminal.wait_for("Enter the code")
    terminal.type("123\x03")
    assert terminal.end() == 130
    assert "swallowed" not in terminal.screen
    assert "Traceback" not in terminal.screen
    assert "Interrupted (SIGINT) after " in terminal.screen
    half_made = cognitos_user(folder)
    assert "PreferredMfaSetting" not in half_made

    rewrite(folder, original)
    code, out, err = run("seed", "--local", cwd=folder)
    assert (code, out) == (0, "signed in\n"), err
    finished = cognitos_user(folder)
    assert finished["Username"] == half_made["Username"]
    assert finished["UserStatus"] == "CONFIRMED"
    assert finished["PreferredMfaSetting"] == "EMAIL_OTP"
    # The user is complete now: UsernameExistsError.
    assert run("seed", "--local", cwd=folder)[0] == 1


# --- nobody to ask --------------------------------------------------------------------------------


def test_without_a_terminal_nothing_waits(guide: Callable[[str], Path]) -> None:
    """Exit code 3, with the ways to give codes; a code on stdin is not read."""
    folder = guide("mfa_sms")
    code, out, err = run("seed", "--local", "--prompt", cwd=folder, stdin="123456\n" * 9)
    assert (code, out) == (3, "")
    assert "[MFACodeUnavailableError]" in err
    assert "--mfa-command" in err
    assert "Traceback" not in err


def test_a_ci_job_is_not_asked(
    guide: Callable[[str], Path],
    terminals: Callable[..., Terminal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With CI set, a terminal counts as unattended."""
    monkeypatch.setenv("CI", "true")
    terminal = terminals(guide("mfa_email"), "--prompt")
    assert terminal.end() == 3
    assert "Enter the code" not in terminal.screen


def test_the_next_run_completes_an_unanswered_one(
    guide: Callable[[str], Path], seed: Callable[..., Result], phone: Callable[..., str]
) -> None:
    """A CI job without a command, then one with a command: the same user."""
    folder = guide("mfa_sms")
    unanswered = seed(folder, "--prompt")
    assert unanswered.code == 3
    assert "Cognito wants the code sent by SMS for ***, " in unanswered.err
    half_made = cognitos_user(folder)
    result = seed(folder, "--mfa-command", phone(folder, 2, earlier=1))
    assert (result.code, result.out) == (0, "signed in\n"), result.err
    assert cognitos_user(folder)["Username"] == half_made["Username"]
    assert cognitos_user(folder)["PreferredMfaSetting"] == "SMS_MFA"


# --- seedctl local inbox --------------------------------------------------------------------------


def test_the_inbox(
    guide: Callable[[str], Path], seed: Callable[..., Result], seedctl: CommandLine
) -> None:
    """Newest first, as text and as JSON, on stdout only, without an AWS account or --local."""
    folder = guide("mfa_sms")
    empty = seedctl("-C", str(folder), "local", "inbox")
    assert (empty.code, empty.out) == (0, "")
    assert "sent no codes" in empty.err
    assert json.loads(seedctl("-C", str(folder), "local", "inbox", "--format", "json").out) == []

    assert seed(folder).code == 0
    sent = read_inbox(folder / ".amplify/seedctl")
    assert sent[0].sent_at >= sent[1].sent_at
    result = seedctl("-C", str(folder), "local", "inbox", "--format", "json")
    rows = json.loads(result.out)
    assert [row["code"] for row in rows] == [message.code for message in sent]
    for row in rows:
        assert (row["user"], row["method"], row["destination"]) == (USER, "SMS", "+15551234567")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["time"])
    text = seedctl("-C", str(folder), "local", "inbox").out.splitlines()
    assert text == ["  ".join(row.values()) for row in rows]


def test_reading_the_inbox_creates_no_state(
    guide: Callable[[str], Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project whose sandbox was never used still has no state afterwards."""
    folder = guide("mfa_email")
    assert seedctl("-C", str(folder), "local", "reset").code == 0
    before = sorted(folder.rglob("*"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert seedctl("-C", str(folder), "local", "inbox", "-q").err == ""
    assert sorted(folder.rglob("*")) == before


# --- docs/mfa.md ----------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "mfa.md").read_text(encoding="utf-8")


def fragments() -> list[str]:
    return re.findall(r"^```python fragment\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("resource", ["mfa_totp", "mfa_email"])
def test_the_documented_scripts_are_the_projects(resource: str) -> None:
    """The page shows the scripts that the tests above run."""
    text = (ROOT / "tests" / "resources" / resource / SCRIPT).read_text(encoding="utf-8")
    assert text.partition('"""\n\n')[2] in fragments()


def test_the_documented_way_to_store_a_totp_secret(
    guide: Callable[[str], Path], seed: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs twice: the second time the user exists, and the stored secret signs in."""
    now = time.time()  # of the sandbox and the script, however slow this machine is
    monkeypatch.setitem(options_of(LocalSandbox.start), "clock", lambda: now)
    folder = guide("mfa_totp")
    (script,) = [text for text in fragments() if "set_secret" in text]
    script = script.replace("import Authenticator, ", "import ")
    assert "set_secret" in script
    # The first clock is behind the sandbox's by what would have to be waited for.
    for behind, printed in ((30, ""), (0, "was there\n")):
        rewrite(
            folder,
            "import functools, seedctl\n"
            f"now = [{now - behind}]\n"
            "Authenticator = functools.partial(\n"
            "    seedctl.Authenticator,\n"
            "    clock=lambda: now[0],\n"
            "    wait=lambda seconds, _: now.__setitem__(0, now[0] + seconds),\n"
            ")\n",
            script,
        )
        result = seed(folder)
        assert (result.code, result.out) == (0, printed), result.err


def test_the_documented_outputs_are_real(
    guide: Callable[[str], Path], terminals: Callable[..., Terminal]
) -> None:
    """The failure and the prompts on the page are exactly what is printed."""
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    folder = guide("mfa_email")
    (failure,) = [block for block in blocks if block.startswith("[")]
    assert run("seed", "--local", "--prompt", cwd=folder)[2].endswith(failure)
    (prompts,) = [block for block in blocks if block.startswith("Enter")]
    terminal = terminals(folder, "--prompt")
    terminal.wait_for("(hidden): ")
    terminal.type(wrong(newest_code(folder, after=1)) + "\n")
    terminal.wait_for("(hidden): ", times=2)
    shown = [line.rstrip() for line in terminal.screen.splitlines()]
    assert shown[-3:] == prompts.splitlines()


def test_the_guides_totp_script_for_real(real_totp: tuple[Path, subprocess.Popen[str]]) -> None:
    """Two codes of one authenticator, in successive half minutes, without a simulated clock."""
    folder, process = real_totp
    out, err = process.communicate(timeout=50)
    expected = (0, "User was created\nUser was signed in: True\n")
    assert (process.returncode, out) == expected, err
    assert "Waiting" not in err  # no terminal, no countdown
    assert not re.search(r"\b[A-Z2-7]{32,}", err)
    assert cognitos_user(folder)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
