"""The rest of the command line: options, policy, local, and how errors are shown."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from seedctl.cli.main import cli, main
from seedctl.cli.options import LazyGroup
from seedctl.doctor.findings import Finding, problem
from seedctl.masking import register
from seedctl.outputs import load_outputs
from seedctl.version import __version__
from tests.forking import QuickProcess
from tests.running import subcommands
from tests.test_processes import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import CommandLine


def commands(group: click.Group, path: str = "seedctl") -> Iterator[tuple[str, click.Command]]:
    for name, command in subcommands(group):
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize("path", ["seedctl", "seedctl local"])
def test_the_group_states_the_first_line_of_each_commands_help(path: str) -> None:
    """The group's help states the line without loading the command, so the two must be equal."""
    group = dict([("seedctl", cli), *commands(cli)])[path]
    assert isinstance(group, LazyGroup)
    stated = {name: command.get_short_help_str() for name, command in group.commands.items()}
    assert stated == {
        name: (command.help or "").partition("\n")[0] for name, command in subcommands(group)
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("seedctl se", ["seed", "secret"], id="seedctl"),
        pytest.param("seedctl local st", ["start", "stop", "status"], id="a group"),
    ],
)
def test_help_and_completion_of_a_group_load_no_command(words: str, expected: list[str]) -> None:
    """The modules of the commands are imported only when a command is used."""
    script = (
        "import os, sys\nfrom seedctl.cli.main import main\n"
        "assert main([*sys.argv[2].split()[1:-1], '--help']) == 0\n"
        "os.environ.update(_SEEDCTL_COMPLETE='bash_complete', COMP_WORDS=sys.argv[2],"
        " COMP_CWORD=sys.argv[1])\n"
        "try:\n    main([])\nexcept SystemExit:\n    pass\n"
        "print(*(name for name in sys.modules if name.startswith('seedctl.cli.')))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(words.count(" ")), words],
        capture_output=True,
        text=True,
        check=True,
    )
    *_, last = lines = result.stdout.splitlines()
    assert [line.partition(",")[2] for line in lines if line.startswith("plain,")] == expected
    assert {name.rpartition(".")[2] for name in last.split()} == {
        "main",
        "options",
        "stop_signals",
    }


EVERYWHERE = {"--project-dir", "--quiet", "--debug"}
AWS = {"--profile", "--endpoint-url", "--local"}
# The further options that each command of the local sandbox shows.
LOCAL = {
    "": {"--identifier", "--region", "--outputs", "--verbose"},
    " init": {"--outputs"},
    " load": {"--outputs"},
    " outputs": {"--region", "--outputs"},
    " save": {"--outputs"},
    " start": {"--identifier", "--region", "--outputs", "--verbose"},
}


@pytest.mark.parametrize(("path", "command"), list(commands(cli)))
def test_every_command_shows_only_the_options_that_it_uses(
    path: str, command: click.Command
) -> None:
    """Help says what a command does; options for AWS belong to commands that may call AWS."""
    assert command.help
    shown = {
        name for each in command.params if not getattr(each, "hidden", False) for name in each.opts
    }
    common = {"--identifier", "--region", "--outputs", "--verbose", *EVERYWHERE, *AWS}
    expected = common
    if path.startswith("seedctl local"):
        expected = EVERYWHERE | LOCAL.get(path.removeprefix("seedctl local"), set())
    elif path == "seedctl init":
        expected = EVERYWHERE | {"--outputs"}
    elif path in {"seedctl doctor", "seedctl generate-policy"}:
        expected = common - {"--verbose"}
    elif path == "seedctl types":
        expected = {*EVERYWHERE, "--outputs", "--local"}
    elif path == "seedctl outputs":
        expected = common - {"--verbose", "--outputs", "--local"}
    assert shown & common == expected


def test_help_lists_commands_then_own_options_then_common_options(
    seedctl: CommandLine,
) -> None:
    """What is specific to a command comes before what all commands have."""
    group = seedctl("--help").out
    assert group.index("Commands:") < group.index("Options:") < group.index("Common options:")
    init = seedctl("local", "init", "--help").out
    own, _, common = init.partition("\nCommon options:\n")
    assert "--login" in own
    assert "--project-dir" in common
    assert "--help" in common
    usage, _, listed = seedctl("secret", "get", "--help").out.partition("\nOptions:\n")
    assert "NAME" in usage
    assert "\n  NAME" not in f"\n{listed}", "an argument is no option"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("local", "init", "--profile", "x"), id="a command"),
        pytest.param(("local", "--profile", "x", "init"), id="its group"),
        pytest.param(("local", "status", "--endpoint-url=http://127.0.0.1:1"), id="with ="),
    ],
)
def test_an_option_that_a_command_does_not_use_is_wrong_usage(
    project: Callable[..., Path], seedctl: CommandLine, words: tuple[str, ...]
) -> None:
    """A user who gives it expects an effect that it does not have."""
    project(None)
    result = seedctl(*words)
    assert result.code == 2
    assert re.search(r"Error: --[a-z-]+ is not an option of seedctl local", result.err)
    error = seedctl("local", "init", "--profil").err.splitlines()[-1]
    assert error.startswith("Error: No such option")  # the rest depends on click's version


def test_before_the_subcommand_all_options_are_allowed(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """A shell alias may set them for every command; --verbose and --local are allowed anywhere."""
    project(None)
    assert seedctl("--profile", "x", "-v", "local", "status").out == "not running\n"
    assert seedctl("local", "status", "-v", "--local").out == "not running\n"


def test_version(seedctl: CommandLine) -> None:
    """--version prints the version on stdout."""
    result = seedctl("--version")
    assert (result.code, result.out) == (0, f"seedctl, version {__version__}\n")


def test_policy_is_alone_on_stdout_and_needs_no_script(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """A file that stdout is redirected to contains the document and nothing else."""
    project(None)
    result = seedctl("generate-policy", "--local", "-v")
    assert result.err == ""
    policy = json.loads(result.out)
    assert list(policy) == ["Statement", "Version"]
    pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_AbCdEfGhI"
    assert policy["Statement"][0]["Resource"] == pool


def test_policy_without_auth(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """A backend without auth has no user to seed, and the error says what to add."""
    folder = project(None)
    (folder / "amplify_outputs.json").write_text('{"version": "1.4", "custom": {"a": 1}}')
    result = seedctl("generate-policy", "--local")
    assert result.code == 3
    assert "[MissingAuthError]" in result.err
    assert "amplify/auth/resource.ts" in result.err
    assert result.out == ""


@pytest.mark.parametrize("command", ["secret list", "seed", "seed --report report.json"])
def test_local_and_endpoint_exclude_each_other(
    command: str, project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """--local has an endpoint of its own: both are wrong usage, also in a run and its report."""
    root = project(None)
    words = command.replace("report.json", str(root / "report.json")).split()
    result = seedctl("--endpoint-url", "http://127.0.0.1:1", *words, "--local")
    assert result.code == 2
    assert "exclude each other" in result.err
    for path in root.glob("report.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["exit_code"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--identifier", "much-too-long-a-name"), id="identifier"),
        pytest.param(("--endpoint-url", "127.0.0.1:5000"), id="endpoint"),
    ],
)
def test_malformed_values_are_usage_errors(
    project: Callable[..., Path], seedctl: CommandLine, arguments: tuple[str, ...]
) -> None:
    """A malformed value ends with exit code 2, before any AWS call."""
    project(None)
    result = seedctl(*arguments, "secret", "list")
    assert result.code == 2
    assert "[InvalidCommandInputError]" in result.err


def test_identifier_from_the_environment(
    project: Callable[..., Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEEDCTL_IDENTIFIER is used where --identifier is not given, and is checked like it."""
    project(None)
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "ci-7")
    assert "sandbox ci-7" in seedctl("--local", "secret", "list").err
    assert "sandbox dev" in seedctl("--local", "--identifier", "dev", "secret", "list").err
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "not good")
    result = seedctl("--local", "secret", "list")
    assert result.code == 2
    assert "SEEDCTL_IDENTIFIER" in result.err


def test_outside_a_project(
    seedctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says that no project was found, and how to name one."""
    monkeypatch.chdir(tmp_path)
    result = seedctl("--local", "seed")
    assert result.code == 3
    assert "[ProjectNotFoundError]" in result.err
    assert "-C" in result.err


def test_project_dir_option(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """-C works from any folder, and its folder is not searched upwards."""
    folder = project("main_guard")
    nested = folder / "amplify" / "seed"
    result = seedctl("-C", str(folder), "--local", "seed")
    assert json.loads(result.out)["cwd"] == folder.name
    assert seedctl("-C", str(nested), "--local", "secret", "list").code == 3


def test_local_init_from_outputs_options_and_nothing(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The file can be read back, has the groups, and is replaced only with --force."""
    folder = project("guide_auth")
    written = folder / "amplify/seed/local_outputs.json"
    assert seedctl("local", "init").code == 0
    auth = load_outputs(written).auth
    assert auth is not None
    assert auth.user_pool_id != "us-east-1_AbCdEfGhI"
    assert [group.name for group in auth.groups or ()] == ["admin"]
    again = seedctl("local", "init")
    assert again.code == 3
    assert "--force" in again.err
    arguments = ("--login", "phone", "--group", "a", "--group", "b")
    assert seedctl("local", "init", "--force", *arguments).code == 0
    auth = load_outputs(written).auth
    assert auth is not None
    assert auth.username_attributes == ("phone_number",)
    (folder / "amplify_outputs.json").unlink()
    assert seedctl("local", "init", "--force").code == 0
    auth = load_outputs(written).auth
    assert auth is not None
    assert auth.username_attributes == ("email",)
    assert seedctl("local", "init", "--force", "--outputs", "missing.json").code == 3


def test_local_outputs_are_used_where_nothing_is_deployed(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """A project without outputs, or with the stub, is seeded by local_outputs.json."""
    folder = project("guide_three_users", outputs=None)
    missing = seedctl("seed", "--local")
    assert missing.code == 3
    assert "seedctl local init" in missing.err
    assert seedctl("local", "init").code == 0
    assert seedctl("seed", "--local").code == 0
    (folder / "amplify_outputs.json").write_text('{"version": "1.4"}')
    assert seedctl("local", "reset").code == 0
    assert seedctl("seed", "--local").code == 0


@pytest.mark.parametrize("command", ["reset", "stop"])
def test_help_of_stop_and_reset_names_all_that_is_stored(
    seedctl: CommandLine, command: str
) -> None:
    """Before deleting or stopping, a user reads what happens to all four kinds of data."""
    text = " ".join(seedctl("local", command, "--help").out.split())
    assert "users, secrets, records and files" in text.lower()


def test_local_reset(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """Users and secrets are deleted; an empty sandbox is no error."""
    project(None)
    assert "empty already" in seedctl("local", "reset").err
    seedctl("--local", "secret", "set", "x", stdin=b"v")
    assert "Cleared" in seedctl("local", "reset").err
    assert seedctl("--local", "secret", "get", "x").code == 4


def test_github_shows_errors_at_their_line(
    project: Callable[..., Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workflow command has file, line and title, all escaped, in one line."""
    folder = project("raises")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder.parent))
    result = seedctl("seed", "--local")
    line = next(line for line in result.err.splitlines() if line.startswith("::error"))
    assert line.startswith(
        "::error file=project/amplify/seed/seed.py,line=5,title=SeedingFailedError::"
    )
    assert "division by zero%0A" in line
    assert result.out == ""


def test_each_cause_is_indented_one_level_deeper(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The message of AWS is shown below seedctl's message."""
    project(None)
    err = seedctl("--local", "secret", "get", "missing").err
    assert "\n  ∟ Caused by: [AWSError] ssm:GetParameter failed with ParameterNotFound" in err


def test_captured_output_has_no_colour(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """Captured output has no escape sequences."""
    project("raises")
    assert "\x1b" not in seedctl("seed", "--local").err


def test_a_closed_reader_causes_no_traceback(project: Callable[..., Path]) -> None:
    """`seedctl … | head -0` ends without a traceback."""
    folder = project(None)
    reading, writing = os.pipe()
    os.close(reading)
    with QuickProcess(
        *("--local", "generate-policy"),
        cwd=folder,
        environment=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writing)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "")


@pytest.mark.parametrize("problem", [BrokenPipeError(), OSError(28, "No space left on device")])
def test_only_a_closed_reader_ends_a_command_without_a_message(
    monkeypatch: pytest.MonkeyPatch, problem: OSError
) -> None:
    """Then nothing is flushed again at exit. Any other failure to write is not hidden."""

    def write(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr("seedctl.cli.main.cli.main", write)
    if isinstance(problem, BrokenPipeError):
        assert (main([]), sys.stdout) == (1, None)
    else:
        with pytest.raises(OSError, match="No space left"):
            main([])
        assert sys.stdout is not None


@pytest.mark.parametrize(
    "interrupted", ["seedctl.cli.main.cli.main", "seedctl.cli.connection.find_project"]
)
@pytest.mark.parametrize(
    ("number", "code", "line"),
    [
        (None, 130, "Interrupted.\n"),
        (signal.SIGTERM, 143, "Interrupted (SIGTERM), ending …\n"),
    ],
)
def test_an_interrupt_is_reported_on_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    interrupted: str,
    number: int | None,
    code: int,
    line: str,
) -> None:
    """So it is in a command, and outside of all, as during completion."""

    def interrupt(*_: object, **__: object) -> None:
        if number is not None:
            signal.raise_signal(number)
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(interrupted, interrupt)
    assert main(["secret", "list", "--local"]) == code
    assert capfd.readouterr().err == line


def test_a_bug_of_seedctl_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tracebacks are masked, in threads too; a program that calls main gets its own hook back."""
    register("Pl4nted-s3cret")

    def fail(*_: object, **__: object) -> None:
        thread = threading.Thread(target=lambda: int("Pl4nted-s3cret"))
        thread.start()
        thread.join()

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("seedctl.cli.main.cli.main", fail)
    before = threading.excepthook
    assert main([]) == 0
    assert threading.excepthook is before
    error = ValueError("Pl4nted-s3cret")
    sys.excepthook(ValueError, error, None)
    shown = capsys.readouterr().err
    assert shown.count("ValueError: ") == 2
    assert "Pl4nted" not in shown


def test_doctor_shows_no_secret_and_is_no_terminal_for_questions(
    project: Callable[..., Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding may quote any setting. botocore would ask for the code of a device on stderr."""
    project(None)
    register("Pl4nted-one")
    streams: list[object] = []

    def run_checks(_: object) -> Iterator[tuple[str, Finding]]:
        streams.append(sys.stderr)
        yield "a check", problem("not Pl4nted-one", "Not Pl4nted-one.")

    monkeypatch.setattr("seedctl.doctor.table.run_checks", run_checks)
    for form in ("text", "json"):
        result = seedctl("doctor", "--format", form)
        assert result.code == 3
        assert result.out.count("***") == 2
        assert "Pl4nted" not in result.out
    assert sys.stderr not in streams


def test_github_shows_wrong_usage(seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong option in a workflow file is an annotation too."""
    assert "::error" not in seedctl("seed", "--fast").err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "\n::error title=Usage::No such option" in seedctl("seed", "--fast").err


def test_local_init_with_mfa(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """--mfa makes a pool with MFA, by TOTP unless --mfa-method says otherwise."""
    folder = project(None, outputs=None)
    written = folder / "amplify/seed/local_outputs.json"
    assert seedctl("local", "init", "--mfa-method", "sms").code == 2
    for options, methods in (
        (["--mfa", "required"], ("TOTP",)),
        (["--mfa", "optional", "--mfa-method", "sms", "--mfa-method", "email"], ("SMS", "EMAIL")),
    ):
        result = seedctl("local", "init", "--force", *options)
        assert result.code == 0, result.err
        auth = load_outputs(written).auth
        assert auth is not None
        assert auth.mfa_configuration == options[1].upper()
        assert auth.mfa_methods == methods


@pytest.mark.parametrize(
    "option", ["--endpoint-url", "--identifier", "--profile", "--region", "--outputs", "-C"]
)
@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
def test_an_empty_option_is_wrong_usage(seedctl: CommandLine, option: str, is_before: bool) -> None:
    """An option whose variable is not set must not select another backend."""
    words = [option, ""]
    command = ["secret", "list"]
    result = seedctl(*(words + command if is_before else command + words))
    assert result.code == 2
    assert "is empty" in result.err
