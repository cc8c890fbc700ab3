"""What needs processes of its own: terminals, signals, kills, parallel runs."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.forking import QuickProcess, start_on_terminal
from tests.running import make_project

ROOT = Path(__file__).parents[1]


# Makes a run a process from its first instruction on, as the user starts it; others are forked.
NEW_INTERPRETER = {"PYTHONHASHSEED": "random"}


def environment(**extra: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **extra}


def start(*arguments: str, cwd: Path, **extra: str) -> subprocess.Popen[str]:
    return QuickProcess(
        *arguments,
        cwd=cwd,
        environment=environment(**extra),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(*arguments: str, cwd: Path, stdin: str = "", **extra: str) -> tuple[int, str, str]:
    process = start(*arguments, cwd=cwd, **extra)
    out, err = process.communicate(stdin, timeout=60)
    return process.returncode, out, err


def has_ended(group: int) -> bool:
    """Whether no process of *group* is left, now or within a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


class Terminal:
    """seedctl on a pseudo-terminal: types text, and reads what the screen shows."""

    def __init__(self, *arguments: str, cwd: Path, **extra: str) -> None:
        self.screen = ""
        environ = environment(TERM="xterm", **extra)
        self.pid, self._fd = start_on_terminal(arguments, cwd, environ)

    def wait_for(self, text: str, *, times: int = 1, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while self.screen.count(text) < times:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} on the screen:\n{self.screen}"
            if select.select([self._fd], [], [], left)[0] and not self._read():
                break
        assert self.screen.count(text) >= times, self.screen

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def end(self) -> int:
        while self._read():
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self._fd)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, 4096)
        except OSError:  # the other end is closed
            return False
        self.screen += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", "guide_three_users")


def test_a_secret_is_typed_hidden(folder: Path) -> None:
    """The prompt does not echo, asks again for an empty line, and stores the value."""
    terminal = Terminal("--local", "secret", "set", "typed", cwd=folder)
    terminal.wait_for("Enter secret value")
    terminal.type("\n")
    terminal.wait_for("Cannot be empty.")
    terminal.wait_for("Enter secret value", times=2)  # input before the prompt is discarded
    terminal.type("hidden-välue\n")
    assert terminal.end() == 0
    assert "version 1 of secret typed" in terminal.screen
    assert "hidden" not in terminal.screen.replace("(hidden)", "")
    assert (
        run("--local", "secret", "get", "typed", "--value-only", cwd=folder)[1] == "hidden-välue\n"
    )


@pytest.mark.parametrize(
    "key", [pytest.param("\x03", id="Ctrl-C"), pytest.param("\x04", id="Ctrl-D")]
)
def test_leaving_a_prompt_ends_with_130_and_stores_nothing(folder: Path, key: str) -> None:
    """Interrupt and end of input have the same effect at a prompt."""
    terminal = Terminal("--local", "secret", "set", "typed", cwd=folder)
    terminal.wait_for("Enter secret value")
    terminal.type(key)
    assert terminal.end() == 130
    assert "Traceback" not in terminal.screen
    assert run("--local", "secret", "list", cwd=folder)[1] == ""


@pytest.mark.parametrize(
    ("arguments", "until"),
    [
        pytest.param(("seed", "--local"), "ready", id="a script"),
        pytest.param(("local", "start", "--faults", "1"), "Ctrl-C stops it.", id="a server"),
    ],
)
def test_a_message_after_ctrl_c_begins_a_line(
    folder: Path, arguments: tuple[str, ...], until: str
) -> None:
    """It does not follow the echoed ^C on the same line."""
    (folder / "amplify/seed/seed.py").write_text(
        "import time\nfrom seedctl import set_secret\nset_secret('a', 'one-value')\n"
        "print('rea' + 'dy', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)\n"
    )
    terminal = Terminal(*arguments, cwd=folder)
    terminal.wait_for(until)
    terminal.type("\x03")
    terminal.end()
    assert "^C\r\n" in terminal.screen
    assert "Interrupted (SIGINT), ending …\r\n" in terminal.screen or "Stopped. " in terminal.screen


def test_a_real_ctrl_c_in_the_middle_of_a_script(folder: Path) -> None:
    """SIGINT while the script sleeps: 130, no traceback, and a summary of what was done."""
    script = folder / "amplify/seed/seed.py"
    script.write_text(
        "import time\nfrom seedctl import set_secret\nset_secret('a', 'b')\n"
        "print('ready', flush=True)\n"
        "try:\n    for _ in range(300):\n        time.sleep(0.1)\nexcept Exception:\n    print('swallowed')\n"
    )
    process = start("seed", "--local", cwd=folder, **NEW_INTERPRETER)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert "Interrupted (SIGINT), ending …\n" in err
    assert "secret" in err


def test_a_killed_run_loses_nothing_and_the_next_goes_on(folder: Path) -> None:
    """kill -9 after a creation: the user exists, and the next run finds it."""
    script = folder / "amplify/seed/seed.py"
    create = "create_and_sign_up_user('ann@example.com', 'Password123!', if_exists='sign_in')\n"
    head = "import time\nfrom seedctl import create_and_sign_up_user\n"
    script.write_text(f"{head}{create}print('ready', flush=True)\ntime.sleep(30)\n")
    process = start("seed", "--local", cwd=folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate(timeout=60)
    script.write_text(head + create)
    code, _, err = run("seed", "--local", cwd=folder)
    assert code == 0, err
    assert "already there" in err


def test_two_runs_at_once(folder: Path) -> None:
    """Both succeed, and each user is created by one of them."""
    script = folder / "amplify/seed/seed.py"
    script.write_text(
        "from seedctl import create_and_sign_up_user\n"
        "for n in range(4):\n"
        "    create_and_sign_up_user(f'user{n}@example.com', 'Password123!', if_exists='sign_in')\n"
    )
    processes = [start("seed", "--local", "--debug", cwd=folder) for _ in range(2)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results[0][1] + results[1][1]
    lines = "".join(err for _, err in results).splitlines()
    created = [line.split()[1] for line in lines if re.match("user .* created ", line)]
    assert sorted(created) == [f"user{n}@example.com" for n in range(4)]


def test_plain_python_connects_by_the_same_rules(folder: Path, tmp_path: Path) -> None:
    """python amplify/seed/seed.py needs nothing else, in any folder; the target is shown.
    AMPLIFY_BACKEND_IDENTIFIER takes precedence, as the JavaScript tool sets it."""
    script = folder / "amplify/seed/seed.py"
    script.write_text(
        f"{script.read_text()}from seedctl import current_backend\n"
        "print(current_backend().identifier)\n"
    )
    identifier = '{"namespace":"@a/b","name":"c","type":"sandbox"}'
    result = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment(
            SEEDCTL_LOCAL="1", AMPLIFY_BACKEND_IDENTIFIER=identifier, SEEDCTL_IDENTIFIER="other"
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    *users, named = result.stdout.splitlines()
    assert users == ["user1@example.com", "user2@example.com", "nobody"]
    assert "namespace='@a/b', name='c'" in named
    assert "LOCAL" in result.stderr


def test_modules_beside_the_script_do_not_shadow_ours(folder: Path) -> None:
    """A library's late import must not find a user's email.py: all are imported before."""
    seed = folder / "amplify/seed"
    for name in ("email", "secrets", "json", "queue", "calendar"):
        (seed / f"{name}.py").write_text(f"raise ImportError('the wrong {name}')\n")
    # A module that is not loaded by now would be imported from the script's folder.
    (seed / "seed.py").write_text(
        "import importlib, sys\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "for name in sys.stdlib_module_names - loaded:\n"
        "    if not name.startswith('_'):\n"
        "        with open(f'amplify/seed/{name}.py', 'w') as file:\n"
        "            file.write(f'raise ImportError(\"the wrong {name}\")')\n"
        "importlib.invalidate_caches()\n"
        "from seedctl import *\n"
        "set_secret('password', 'Password123!')\n"
        "user = create_and_sign_up_user('ann@example.com', get_secret('password'))\n"
        "add_to_user_group(user, 'admin')\n"
        "session = sign_in_user('ann@example.com', get_secret('password'))\n"
        "auth.fetch_auth_session(force_refresh=True)\n"
        "auth.sign_out()\n"
        "get_secret('never-set')\n"
    )
    code, _, err = run("seed", "--local", cwd=folder, **NEW_INTERPRETER)
    assert "the wrong" not in err, err
    assert "[SSMParameterNotFoundError]" in err
    assert code == 4
    assert len(list(seed.iterdir())) > 50


def test_ctrl_c_ends_the_prompts_of_threads_too(tmp_path: Path) -> None:
    """Two threads need a code: one is asked for at a time, and Ctrl-C ends the run with 130."""
    folder = make_project(tmp_path / "project", "mfa_email", outputs=None)
    shutil.copy(ROOT / "tests/resources/mfa_email/amplify_outputs.json", folder)
    (folder / "amplify/seed/seed.py").write_text(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from seedctl import current_backend\n"
        "auth = current_backend().auth\n"
        "def make(number):\n"
        "    auth.create_user(f'user{number}@example.com', 'Password123!', sign_in_flow='MFA')\n"
        "with ThreadPoolExecutor(2) as pool:\n"
        "    list(pool.map(make, range(2)))\n"
    )
    terminal = Terminal("seed", "--local", "--prompt", cwd=folder)
    terminal.wait_for("(hidden): ")
    time.sleep(0.5)  # long enough for the other thread to ask
    assert terminal.screen.count("(hidden): ") == 1
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.screen
