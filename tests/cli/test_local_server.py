"""`seedctl local start`, stop, status and outputs, in processes of their own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect
from seedctl.cli import local_start
from seedctl.cli.options import Settings
from seedctl.local import LocalSandbox
from seedctl.local.hosting import host_sandbox
from seedctl.local.running import RunningServer, find_server, locate_server, read_statistics
from seedctl.outputs import load_outputs
from tests.running import PASSWORD, make_project
from tests.test_processes import Terminal, run, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import CommandLine, Result

ROOT = Path(__file__).parents[2]
STATE = Path(".amplify/seedctl")
LOG = STATE / "local/server.log"
WITH_DATA = ROOT / "tests/data/outputs/todo_userpool.json"
SEED = """
from seedctl import create_and_sign_up_user
create_and_sign_up_user("ann@example.com", "Password123!", if_exists="sign_in")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Make a project; no server of it may outlive the test."""
    folder = make_project(tmp_path / "project")
    yield folder
    found = locate_server(folder / STATE)
    if found is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(found[0].pid, signal.SIGKILL)


@pytest.fixture
def foreground(folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start servers in the foreground, and wait until each prints how to stop it."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, until: str = "Ctrl-C stops it.") -> subprocess.Popen[str]:
        process = start("local", "start", *arguments, cwd=folder)
        started.append(process)
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if until in line:
                return process
        raise AssertionError("".join(lines))

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


@pytest.fixture
def here(
    folder: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[CommandLine, str]]:
    """Serve the project from this process; commands find it like any other server."""
    monkeypatch.chdir(folder)
    (folder / "amplify_outputs.json").write_text(WITH_DATA.read_text())
    outputs = load_outputs(folder / "amplify_outputs.json")
    with host_sandbox(folder / STATE, outputs) as server:
        yield seedctl, server.url


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def list_secrets(url: str) -> tuple[int, dict[str, Any]]:
    """Ask the server at *url* for all secrets; return the status and the document of the response."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    credential = "Credential=k/20260101/us-east-1/ssm/aws4_request, SignedHeaders=h, Signature=s"
    connection.request(
        "POST",
        "/",
        json.dumps({"Path": "/amplify", "Recursive": True, "WithDecryption": True}),
        {
            "X-Amz-Target": "AmazonSSM.GetParametersByPath",
            "Authorization": f"AWS4-HMAC-SHA256 {credential}",
        },
    )
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


# --- a server in the foreground -------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_server_cleanly(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path, number: int
) -> None:
    """It ends with 0 and a message, and is not found afterwards."""
    process = foreground()
    assert find_server(folder / STATE) is not None
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert err.startswith("Stopping …\nStopped.")
    assert find_server(folder / STATE) is None
    assert not (folder / STATE / "local/server.json").exists()


def test_ctrl_c_at_the_terminal(folder: Path) -> None:
    """It prints its address, how others use it and how to stop it; Ctrl-C is no error."""
    (folder / "amplify_outputs.json").write_text(WITH_DATA.read_text())
    port = free_port()
    terminal = Terminal("local", "start", "--port", str(port), cwd=folder)
    terminal.wait_for("Ctrl-C stops it.")
    for text in (f"http://127.0.0.1:{port}/graphql", "amplify_outputs.json", "local outputs"):
        assert text in terminal.screen
    terminal.type("\x03")
    assert terminal.end() == 0
    assert "Stopped." in terminal.screen
    assert "Traceback" not in terminal.screen


def test_a_closed_terminal_stops_the_server(folder: Path) -> None:
    """It stops cleanly, although it cannot print anything."""
    terminal = Terminal("local", "start", cwd=folder)
    terminal.wait_for("Ctrl-C stops it.")
    os.close(terminal._fd)
    _, status = os.waitpid(terminal.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert not (folder / STATE / "local/server.json").exists()


def test_kill_9_loses_nothing(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    """Users and secrets exist after the next start, and the killed server does not prevent it."""
    (folder / "amplify/seed/seed.py").write_text(SEED)
    process = foreground()
    assert run("seed", "--local", cwd=folder)[0] == 0
    assert run("secret", "set", "x", "--local", cwd=folder, stdin="kept")[0] == 0
    process.kill()
    process.communicate(timeout=60)
    assert (folder / STATE / "local/server.json").exists()
    code, out, _ = run("local", "status", cwd=folder)
    assert (code, out) == (0, "not running\n")
    assert run("secret", "get", "x", "--value-only", "--local", cwd=folder)[1] == "kept\n"
    foreground()
    assert run("secret", "get", "x", "--value-only", "--local", cwd=folder)[1] == "kept\n"
    code, _, err = run("seed", "--local", cwd=folder)
    assert code == 0
    assert "already there" in err


def test_two_starts_at_once(folder: Path) -> None:
    """Exactly one of them succeeds, and the other names it."""
    racers = [start("local", "start", "--detach", cwd=folder) for _ in range(2)]
    results = [process.communicate(timeout=60) for process in racers]
    assert sorted(process.returncode for process in racers) == [0, 3]
    server = find_server(folder / STATE)
    assert server is not None
    for process, (_, err) in zip(racers, results, strict=True):
        assert server.url in err
        assert ("is already running for this project" in err) == (process.returncode == 3)
    # The process that failed removed its log.
    assert [path.name for path in (folder / STATE / "local").glob("server.log*")] == ["server.log"]
    assert run("local", "stop", cwd=folder)[0] == 0


def test_a_seed_in_the_foreground(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    """Its failure is shown as by seedctl seed, and the server stays up."""
    (folder / "amplify/seed/seed.py").write_text("raise ValueError('no luck')\n")
    process = foreground("--seed", until="[SeedingFailedError]")
    assert process.stderr is not None
    rest = [process.stderr.readline() for _ in range(5)]
    assert "Warning: The seed ended with exit code 1. The server stays up.\n" in rest
    assert find_server(folder / STATE) is not None
    code, _, err = run("local", "stop", cwd=folder)
    assert code == 0
    assert "Stopped the local sandbox at http://127.0.0.1:" in err
    assert process.wait(timeout=60) == 0


def test_a_stop_while_the_seed_runs(folder: Path) -> None:
    """Ctrl-C ends the seed and the server, both cleanly."""
    # A signal that arrives right before one long sleep would not end that sleep.
    (folder / "amplify/seed/seed.py").write_text(
        "import time\nprint('seeding', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)\n"
    )
    terminal = Terminal("local", "start", "--seed", cwd=folder)
    terminal.wait_for("seeding")
    terminal.type("\x03")
    assert terminal.end() == 0
    assert terminal.screen.index("Interrupted (SIGINT) after") < terminal.screen.index("Stopped. ")
    assert not re.search(r"\^C[^\r\n]", terminal.screen)
    assert "The server stays up" not in terminal.screen


def test_a_missing_seed_script_is_reported_before_the_start(folder: Path) -> None:
    """No server is started for a script that cannot run."""
    code, _, err = run("local", "start", "--seed", cwd=folder)
    assert code == 3
    assert "[SeedScriptNotFoundError]" in err
    assert find_server(folder / STATE) is None


def test_a_users_file_does_not_shadow_a_module(folder: Path, seedctl: CommandLine) -> None:
    """A child process of start does not import modules from the working directory."""
    for name in ("json.py", "secrets.py", "click.py", "seedctl.py"):
        (folder / name).write_text("raise ImportError('the wrong one')\n")
    code, _, err = run("local", "start", "--detach", cwd=folder)
    assert code == 0, err
    assert find_server(folder / STATE) is not None
    assert seedctl("-C", str(folder), "local", "stop").code == 0


# --- a server in the background -------------------------------------------------------------------


def test_detached(folder: Path) -> None:
    """It has a session of its own, its log is private without secrets, and stop ends it."""
    port = free_port()
    code, out, err = run("local", "start", "--detach", "--port", str(port), cwd=folder)
    assert (code, out) == (0, "")
    assert f"http://127.0.0.1:{port}" in err
    assert "seedctl local stop" in err
    assert "Ctrl-C" not in err
    server = find_server(folder / STATE)
    assert server is not None
    assert server.port == port
    assert os.getsid(server.pid) == server.pid
    assert run("secret", "set", "x", "--local", cwd=folder, stdin=PASSWORD)[0] == 0
    assert stat.S_IMODE((folder / LOG).stat().st_mode) == 0o600
    log = (folder / LOG).read_text()
    assert server.url in log
    assert PASSWORD not in log
    assert server.nonce not in log + err
    code, _, err = run("local", "stop", cwd=folder)
    assert code == 0
    assert f"Stopped the local sandbox at {server.url}." in err
    assert find_server(folder / STATE) is None
    code, _, err = run("local", "stop", cwd=folder)
    assert code == 0
    assert err == "No local sandbox is running for this project.\n"


def test_detached_at_a_port_in_use(folder: Path) -> None:
    """The reason and the exit code are those of a start in the foreground."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code, _, err = run("local", "start", "--detach", "--port", str(port), cwd=folder)
    assert code == 3
    assert f"[LocalSandboxError] The local sandbox cannot listen on 127.0.0.1:{port}" in err
    assert "Choose another port" in err
    assert not list((folder / STATE / "local").glob("server.log*"))


def test_detached_with_a_seed(folder: Path) -> None:
    """The exit code is the seed's; the server stays up in any case."""
    script = folder / "amplify/seed/seed.py"
    script.write_text(
        f"{SEED}from seedctl import current_backend\n"
        "print(current_backend().identifier.name, current_backend().outputs.path.name)\n"
        "raise SystemExit(7)\n"
    )
    (folder / "amplify_outputs.json").rename(folder / "named.json")
    options = ("--outputs", "named.json", "--identifier", "other", "-v")
    code, out, err = run("local", "start", "--detach", "--seed", *options, cwd=folder)
    assert (code, out) == (7, "other named.json\n"), err
    assert "user  ann@example.com  created" in err
    assert "The script ended with exit code 7 after " in err
    assert find_server(folder / STATE) is not None
    assert run("local", "stop", "-q", cwd=folder) == (0, "", "")


def test_a_suspended_server_can_be_stopped(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    """After Ctrl-Z the server is continued, so that it stops cleanly."""
    process = foreground()
    process.send_signal(signal.SIGSTOP)
    code, _, err = run("local", "stop", cwd=folder)
    assert code == 0
    assert "killed" not in err
    assert process.wait(timeout=60) == 0


# --- how other commands use the server ------------------------------------------------------------


def test_commands_use_the_running_server(
    here: tuple[CommandLine, str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Secrets, seeds and connect() use it, and start no sandbox of their own."""
    seedctl, url = here

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("an embedded sandbox was started")

    monkeypatch.setattr(LocalSandbox, "start", refuse)
    assert seedctl("secret", "set", "x", "--local", stdin=b"through").code == 0
    (secret,) = list_secrets(url)[1]["Parameters"]
    assert (secret["Name"].rpartition("/")[2], secret["Value"]) == ("x", "through")
    assert seedctl("secret", "get", "x", "--value-only", "--local").out == "through\n"
    (folder / "amplify/seed/seed.py").write_text(
        "import os\nfrom seedctl import get_secret\n"
        "print(os.environ['AWS_ENDPOINT_URL'], len(get_secret('x')))\n"
    )
    result = seedctl("seed", "--local")
    assert (result.code, result.out) == (0, f"{url} 7\n"), result.err
    with connect(local=True, target="none") as backend:
        assert backend.secrets.get("x") == "through"
    assert seedctl("local", "inbox").code == 0


def test_other_outputs_are_refused(here: tuple[CommandLine, str], folder: Path) -> None:
    """A command with another file, or newer content, gets an error that names the served file."""
    seedctl, url = here
    other = folder / "other.json"
    document = json.loads(WITH_DATA.read_text())
    document["custom"] = {"x": 1}
    other.write_text(json.dumps(document))
    result = seedctl("secret", "list", "--local", "--outputs", str(other))
    assert result.code == 3
    assert f"{url} serves {folder / 'amplify_outputs.json'}, but this command uses" in result.err
    (folder / "amplify_outputs.json").write_text(other.read_text())
    for command in (("secret", "list", "--local"), ("local", "outputs")):
        result = seedctl(*command)
        assert result.code == 3
        assert "the file has changed since" in result.err


def test_reset_is_refused(here: tuple[CommandLine, str]) -> None:
    """The state of a running server is not deleted."""
    result = here[0]("local", "reset")
    assert result.code == 3
    assert "seedctl local stop" in result.err


def test_a_server_that_dies_during_a_command(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    """The command reports that the endpoint cannot be reached."""
    foreground()
    server = find_server(folder / STATE)
    assert server is not None
    (folder / "amplify/seed/seed.py").write_text(
        f"import os, signal\nfrom seedctl import get_secret\n"
        f"os.kill({server.pid}, signal.SIGKILL)\nget_secret('x')\n"
    )
    code, _, err = run("seed", "--local", cwd=folder, AWS_MAX_ATTEMPTS="1")
    assert code == 4
    assert "[EndpointUnreachableError]" in err


def test_an_allowed_page(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path, seedctl: CommandLine
) -> None:
    """--allow-origin reaches the server, and a malformed origin is refused at once."""
    foreground("--allow-origin", "http://localhost:3000", "--allow-origin", "https://a.example")
    server = find_server(folder / STATE)
    assert server is not None
    for origin, status in (("https://a.example", 404), ("https://b.example", 403)):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/", headers={"Origin": origin})
        response = connection.getresponse()
        assert response.status == status
        allowed = response.getheader("Access-Control-Allow-Origin")
        assert allowed == (origin if status == 404 else None)
        connection.close()
    refused = seedctl("-C", str(folder), "local", "start", "--allow-origin", "http://x/")
    assert refused.code == 2


# --- a server that is slow, limited and failing on purpose ----------------------------------------


def test_conditions_in_the_foreground(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    """The start and status show them; a table of what happened is shown at the end."""
    process = foreground("--faults", "fail=100", "--quotas", until="Conditions  quotas default; ")
    server = find_server(folder / STATE)
    assert server is not None
    assert [list_secrets(server.url)[0] for _ in range(3)] == [500] * 3
    assert "conditions  quotas default; faults fail=100\n" in run("local", "status", cwd=folder)[1]
    document = json.loads(run("local", "status", "--format", "json", cwd=folder)[1])
    row = document["statistics"]["operations"]["ssm:GetParametersByPath"]
    assert (row["requests"], document["statistics"]["faults"]) == (3, {"fail": 3})
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert re.search(r"^ssm:GetParametersByPath +3 +0 +[123]$", err, re.MULTILINE)
    assert re.search(r"^ParameterRead +3 +0 +[123] +40$", err, re.MULTILINE)
    assert "faults: fail 3\nStopped." in err


def test_conditions_of_a_detached_server(folder: Path) -> None:
    """Each of them reaches the other process, and its log has the table."""
    options = ("--latency", "1-2", "--quotas=UserList=7", "--faults", "throttle=100")
    code, _, err = run("local", "start", "--detach", *options, "--fault-seed", "5", cwd=folder)
    assert code == 0
    shown = "latency 1-2 ms; quotas UserList=7; faults throttle=100"
    assert re.search(
        rf"^  Outputs     .*\n  Conditions  {shown}\n--local commands ", err, re.MULTILINE
    )
    server = find_server(folder / STATE)
    assert server is not None
    assert list_secrets(server.url)[0] == 400
    document = json.loads(run("local", "status", "--format", "json", cwd=folder)[1])
    assert document["statistics"]["conditions"] == shown
    assert run("local", "stop", cwd=folder)[0] == 0
    assert "faults: throttle 1\n" in (folder / LOG).read_text()


def test_a_fault_seed_reaches_the_other_process(
    folder: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process gets the given arguments, and no others."""
    words = list[str]()

    def record(_: Any, *arguments: str) -> list[str]:
        words.extend(arguments)
        return [sys.executable, "-c", "raise SystemExit(9)"]

    monkeypatch.setattr(local_start, "_command_line", record)
    options = ("--detach", "--faults", "5", "--fault-seed", "0", "--quotas", "--latency", "3")
    assert seedctl("-C", str(folder), "local", "start", *options).code == 9
    given = {"--faults=5", "--fault-seed=0", "--quotas=default", "--latency=3"}
    assert words[:3] == ["local", "start", "--in-background"]
    assert set(words[3:]) == given


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("--latency", "soon"), "such as 100, or a range such as 50-150", id="latency"),
        pytest.param(("--quotas", "Users=5"), "UserCreation, UserAccountRecovery", id="quotas"),
        pytest.param(("--faults", "often"), "fail, fail-after, throttle, cut", id="faults"),
        pytest.param(("--fault-seed", "5"), "Add --faults", id="seed without faults"),
        pytest.param(("--fault-seed", "x", "--faults", "5"), "not a valid integer", id="seed"),
    ],
)
@pytest.mark.parametrize("how", [(), ("--detach",)], ids=["here", "detached"])
def test_invalid_conditions(
    folder: Path, seedctl: CommandLine, options: tuple[str, ...], how: tuple[str, ...], said: str
) -> None:
    """They are wrong usage before anything starts, and the message says what is allowed."""
    result = seedctl("-C", str(folder), "local", "start", *how, *options)
    assert result.code == 2
    assert said in result.err
    assert not (folder / STATE).exists()


def test_a_slow_server_ends_at_once(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    """A delayed request is answered at once when the server is stopped."""
    process = foreground("--latency", "60000")
    server = find_server(folder / STATE)
    assert server is not None
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(list_secrets(server.url)[0]))
    waiting.start()
    while not (read_statistics(server) or {}).get("requests"):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    waiting.join(60)
    assert (process.returncode, answers) == (0, [200])


def test_a_slow_server_can_be_killed(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    """kill -9 does not prevent the next start, which has no conditions."""
    process = foreground("--latency", "60000", "--faults", "cut=100")
    process.kill()
    process.communicate(timeout=60)
    code, _, err = run("local", "start", "--detach", cwd=folder)
    assert (code, "Conditions" in err) == (0, False)
    assert run("secret", "set", "x", "--local", cwd=folder, stdin="v")[0] == 0
    assert run("local", "stop", cwd=folder)[0] == 0


def test_statistics_without_a_server() -> None:
    """Another program on the port, or none, has no statistics; neither is an error."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # a connection is refused until it listens
        server = RunningServer(1, listener.getsockname()[1], 0.0, None, "", "n" * 32)
        assert read_statistics(server) is None
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

        thread = threading.Thread(target=answer)
        thread.start()
        assert read_statistics(server) is None
        thread.join(60)


# --- status and outputs ---------------------------------------------------------------------------


def test_status(here: tuple[CommandLine, str]) -> None:
    """Both formats show where the server is and since when."""
    seedctl, url = here
    text = seedctl("local", "status")
    assert text.code == 0
    assert text.out.startswith(f"running  {url}\nprocess  {os.getpid()}\nsince    ")
    assert text.out.endswith("outputs  amplify_outputs.json\n")
    document = json.loads(seedctl("local", "status", "--format", "json").out)
    assert list(document) == [
        "running",
        "answers",
        "url",
        "pid",
        "started_at",
        "outputs",
        "statistics",
    ]
    assert (document["running"], document["answers"], document["url"]) == (True, True, url)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["started_at"])


def test_status_without_a_server(folder: Path, seedctl: CommandLine) -> None:
    """That no server runs is a result, not a failure."""
    assert seedctl("-C", str(folder), "local", "status").out == "not running\n"
    result = seedctl("-C", str(folder), "local", "status", "--format", "json")
    assert result.code == 0
    document = json.loads(result.out)
    assert document.pop("running") is False
    assert set(document.values()) == {None}


def test_outputs_as_a_document(here: tuple[CommandLine, str]) -> None:
    """Only the API's URL differs from the file; the variables are on stderr."""
    seedctl, url = here
    text = seedctl("local", "outputs")
    document = json.loads(text.out)
    expected = json.loads(WITH_DATA.read_text())
    expected["data"]["url"] = f"{url}/graphql"
    assert json.dumps(document) == json.dumps(expected)
    assert f"export AWS_ENDPOINT_URL={url}\n" in text.err
    only = seedctl("local", "outputs", "--format", "json")
    assert (only.out, only.err) == (text.out, "")


def test_outputs_as_variables(
    here: tuple[CommandLine, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that evaluates them has all that an AWS client needs, and nothing that conflicts."""
    seedctl, url = here
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example")
    result = seedctl("local", "outputs", "--format", "env")
    assert result.err == ""
    bash = subprocess.run(
        ["bash", "-c", 'eval "$1"; env', "-", result.out],
        capture_output=True,
        text=True,
        check=True,
    )
    variables = dict(line.split("=", 1) for line in bash.stdout.splitlines() if "=" in line)
    assert variables["AWS_ENDPOINT_URL"] == url
    assert variables["AWS_ACCESS_KEY_ID"] == variables["AWS_SECRET_ACCESS_KEY"] == "local"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & set(variables)
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    lines = seedctl("local", "outputs", "--format", "env").out.splitlines()
    assert all(shlex.split(line)[0] == "export" for line in lines)


def test_outputs_of_a_backend_without_an_api(
    folder: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is printed unchanged."""
    monkeypatch.chdir(folder)
    named = folder / "named.json"
    document = json.loads((folder / "amplify_outputs.json").read_text())
    (folder / "amplify_outputs.json").unlink()
    del document["data"]
    named.write_text(json.dumps(document))
    with host_sandbox(folder / STATE, load_outputs(named)):
        result = seedctl("local", "outputs", "--format", "json")
    assert json.loads(result.out) == document


def test_variables_without_a_document(folder: Path, seedctl: CommandLine) -> None:
    """A server without an outputs file has variables, but no document."""
    document = (folder / "amplify_outputs.json").read_text()
    (folder / "amplify_outputs.json").unlink()
    command = ("-C", str(folder), "local", "outputs", "--format")
    with host_sandbox(folder / STATE, None) as server:
        result = seedctl(*command, "env")
        assert result.code == 0, result.err
        assert f"export AWS_ENDPOINT_URL={server.url}" in result.out.splitlines()
        for form in ("json", "text"):
            refused = seedctl(*command, form)
            assert (refused.code, refused.out) == (3, "")
        assert seedctl(*command, "env", "--outputs", "missing.json").code == 3
        (folder / "amplify_outputs.json").write_text(document)
        result = seedctl(*command, "env")
        assert (result.code, result.out) == (3, "")
        assert "was started without an outputs file" in result.err


def test_outputs_without_a_server(folder: Path, seedctl: CommandLine) -> None:
    """The error says how to start a server."""
    result = seedctl("-C", str(folder), "local", "outputs")
    assert result.code == 3
    assert "[LocalSandboxError] No local sandbox is running" in result.err
    assert "seedctl local start" in result.err


@pytest.mark.parametrize("command", ["start", "stop", "status", "outputs"])
def test_an_endpoint_is_wrong_usage(folder: Path, seedctl: CommandLine, command: str) -> None:
    """The commands always use the local sandbox."""
    options = ("-C", str(folder), "--endpoint-url", "http://127.0.0.1:1")
    assert seedctl(*options, "local", command).code == 2


def test_secrets_alone_can_be_served(
    foreground: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    """A project with no outputs file gets a server, and is told that it serves only secrets."""
    (folder / "amplify_outputs.json").unlink()
    foreground(until="none: only secrets are served")
    assert run("secret", "set", "x", "--local", cwd=folder, stdin="v")[0] == 0
    assert "outputs  none" in run("local", "status", cwd=folder)[1]
    code, _, err = run("local", "start", "--outputs", "missing.json", cwd=folder)
    assert code == 3
    assert "[AmplifyOutputsNotFoundError]" in err


# --- what other processes would hide --------------------------------------------------------------


class Hosted:
    """Runs the command in this process, and sends a signal once the server is up."""

    def __init__(self, folder: Path, number: int = signal.SIGINT) -> None:
        self._folder, self._number = folder, number

    def __call__(self, seedctl: CommandLine, *arguments: str, until: str = "server.json") -> Result:
        def stop_it() -> None:
            while not (self._folder / STATE / "local" / until).exists():
                if finished.wait(0.01):
                    return
            signal.raise_signal(self._number)

        finished = threading.Event()
        thread = threading.Thread(target=stop_it)
        thread.start()
        try:
            return seedctl("-C", str(self._folder), "local", "start", *arguments)
        finally:
            finished.set()
            thread.join()


def test_start_restores_the_signal_handlers(folder: Path, seedctl: CommandLine) -> None:
    """The handlers are as before, after a server has run and after one could not be started."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    result = Hosted(folder)(seedctl)
    assert result.code == 0, result.err
    assert result.err.endswith("Stopped. Users, secrets, records and files remain stored.\n")
    with host_sandbox(folder / STATE, None):
        assert seedctl("-C", str(folder), "local", "start").code == 3
        assert seedctl("-C", str(folder), "local", "start", "--detach").code == 3
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.parametrize(
    ("ignored", "code"),
    [
        pytest.param("SIGUSR1", 143, id="ends when asked"),
        pytest.param("SIGTERM", 137, id="has to be killed"),
    ],
)
def test_a_process_that_does_not_end_is_killed(ignored: str, code: int) -> None:
    """It gets SIGTERM first, and SIGKILL if it does not end."""
    script = (
        f"import signal, time; signal.signal(signal.{ignored}, signal.SIG_IGN)\n"
        "print('up', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        local_start._end(process, patience=0.2)
        assert local_start._exit_code_of(process) == code


def test_a_server_that_does_not_come_up(
    folder: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command waits for a limited time, and leaves neither process nor log."""
    monkeypatch.setattr(local_start, "_START_SECONDS", 0.0)
    script = "import time; print('stuck', flush=True); time.sleep(60)"
    monkeypatch.setattr(local_start, "_command_line", lambda *_: [sys.executable, "-c", script])
    result = seedctl("-C", str(folder), "local", "start", "--detach")
    assert result.code == 3
    assert "did not come up" in result.err
    assert not list((folder / STATE / "local").glob("server.log*"))


def test_the_options_reach_the_other_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Project, outputs, sandbox, region and verbosity are the same there."""
    monkeypatch.chdir(folder.parent)
    settings = Settings()
    settings.project_dir, settings.outputs = str(folder), "named.json"
    settings.identifier, settings.region = "other", "eu-west-1"
    settings.quiet = settings.verbose = settings.debug = True
    _, _, _, _, *words = local_start._command_line(settings, "seed")
    outputs = str(folder.parent / "named.json")
    assert words == [
        *("seed", "--local", "-C", str(folder), "--outputs", outputs),
        *("--identifier", "other", "--region", "eu-west-1", "--quiet", "--verbose", "--debug"),
    ]
