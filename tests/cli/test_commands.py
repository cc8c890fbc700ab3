"""The rest of the command line: options, policy, local, errors as they are shown."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from seedctl.cli.lazy_group import LazyGroup
from seedctl.cli.main import cli
from seedctl.outputs import load_outputs
from seedctl.version import __version__
from tests.running import subcommands

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
    """The line in the group's help, for which no command is loaded, is the command's own."""
    group = dict([("seedctl", cli), *commands(cli)])[path]
    assert isinstance(group, LazyGroup)
    own = [(name, command.get_short_help_str(80)) for name, command in subcommands(group)]
    assert group._help_lines() == own


EVERYWHERE = {"--project-dir", "--quiet", "--debug"}
AWS = {"--profile", "--endpoint-url", "--local"}
# Of the local sandbox: what else each command shows.
LOCAL = {
    "": {"--identifier", "--region", "--outputs", "--verbose"},
    " init": {"--outputs"},
    " outputs": {"--region", "--outputs"},
    " start": {"--identifier", "--region", "--outputs", "--verbose"},
}


@pytest.mark.parametrize(("path", "command"), list(commands(cli)))
def test_every_command_shows_the_options_that_mean_something(
    path: str, command: click.Command
) -> None:
    """Help says what a command does; what leads to AWS is an option of what may go there."""
    assert command.help
    shown = {
        name for each in command.params if not getattr(each, "hidden", False) for name in each.opts
    }
    common = {"--identifier", "--region", "--outputs", "--verbose", *EVERYWHERE, *AWS}
    expected = common
    if path.startswith("seedctl local"):
        expected = EVERYWHERE | LOCAL.get(path.removeprefix("seedctl local"), set())
    elif path == "seedctl generate-policy":
        expected = common - {"--verbose"}
    assert shown & common == expected


def test_help_has_commands_first_and_ones_own_options_before_the_common(
    seedctl: CommandLine,
) -> None:
    """What a reader came for stands above what every command has."""
    group = seedctl("--help").out
    assert group.index("Commands:") < group.index("Options:") < group.index("Common options:")
    init = seedctl("local", "init", "--help").out
    own, _, common = init.partition("\nCommon options:\n")
    assert "--login" in own
    assert "--project-dir" in common
    assert "--help" in common


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("local", "init", "--profile", "x"), id="a command"),
        pytest.param(("local", "--profile", "x", "init"), id="its group"),
        pytest.param(("local", "status", "--endpoint-url=http://127.0.0.1:1"), id="with ="),
    ],
)
def test_an_option_that_means_nothing_is_wrong_usage(
    project: Callable[..., Path], seedctl: CommandLine, words: tuple[str, ...]
) -> None:
    """Whoever gives it believes something that is not so."""
    project(None)
    result = seedctl(*words)
    assert result.code == 2
    assert re.search(r"Error: --[a-z-]+ means nothing to seedctl local", result.err)
    assert seedctl("local", "init", "--profil").err.endswith("No such option '--profil'.\n")


def test_before_the_subcommand_all_options_are_taken(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """An alias may set them for every command; more words are no mistake anywhere."""
    project(None)
    assert seedctl("--profile", "x", "-v", "local", "status").out == "not running\n"
    assert seedctl("local", "status", "-v", "--local").out == "not running\n"


def test_version(seedctl: CommandLine) -> None:
    """--version prints it on stdout."""
    result = seedctl("--version")
    assert (result.code, result.out) == (0, f"seedctl, version {__version__}\n")


def test_policy_is_alone_on_stdout_and_needs_no_script(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """What is redirected into a file must be the document and nothing else."""
    project(None)
    result = seedctl("generate-policy", "--local", "-v")
    assert result.err == ""
    policy = json.loads(result.out)
    assert list(policy) == ["Statement", "Version"]
    pool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_AbCdEfGhI"
    assert policy["Statement"][0]["Resource"] == pool


def test_policy_without_auth(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """A backend without auth has nobody to seed, and the error says what to add."""
    folder = project(None)
    (folder / "amplify_outputs.json").write_text('{"version": "1.4", "custom": {"a": 1}}')
    result = seedctl("generate-policy", "--local")
    assert result.code == 3
    assert "[MissingAuthError]" in result.err
    assert "amplify/auth/resource.ts" in result.err
    assert result.out == ""


def test_local_and_endpoint_exclude_each_other(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """--local brings its own endpoint."""
    project(None)
    result = seedctl("--endpoint-url", "http://127.0.0.1:1", "secret", "list", "--local")
    assert result.code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--identifier", "much-too-long-a-name"), id="identifier"),
        pytest.param(("--endpoint-url", "127.0.0.1:5000"), id="endpoint"),
    ],
)
def test_values_that_cannot_be_right_are_usage_errors(
    project: Callable[..., Path], seedctl: CommandLine, arguments: tuple[str, ...]
) -> None:
    """A value refused by its pattern ends with 2, before any AWS call."""
    project(None)
    result = seedctl(*arguments, "secret", "list")
    assert result.code == 2
    assert "[InvalidCommandInputError]" in result.err


def test_identifier_from_the_environment(
    project: Callable[..., Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEEDCTL_IDENTIFIER serves where --identifier is not given, and is checked like it."""
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
    """There is nothing to seed, and the error says where to go."""
    monkeypatch.chdir(tmp_path)
    result = seedctl("--local", "seed")
    assert result.code == 3
    assert "[ProjectNotFoundError]" in result.err
    assert "-C" in result.err


def test_project_dir_option(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """-C works from anywhere, and takes the folder as it is."""
    folder = project("main_guard")
    nested = folder / "amplify" / "seed"
    result = seedctl("-C", str(folder), "--local", "seed")
    assert json.loads(result.out)["cwd"] == folder.name
    assert seedctl("-C", str(nested), "--local", "secret", "list").code == 3


def test_local_init_from_outputs_options_and_nothing(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The file can be read back, keeps the rules, and is never replaced unasked."""
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


def test_local_outputs_stand_in_where_nothing_is_deployed(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """A project without outputs, or with the stub, seeds by local_outputs.json."""
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
def test_help_of_the_end_names_all_that_is_stored(seedctl: CommandLine, command: str) -> None:
    """Who deletes or stops the local sandbox is told of all four kinds of things in it."""
    text = " ".join(seedctl("local", command, "--help").out.split())
    assert "users, secrets, records and files" in text.lower()


def test_local_reset(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """Users and secrets are gone afterwards; an empty sandbox is fine."""
    project(None)
    assert "empty already" in seedctl("local", "reset").err
    seedctl("--local", "secret", "set", "x", stdin=b"v")
    assert "Cleared" in seedctl("local", "reset").err
    assert seedctl("--local", "secret", "get", "x").code == 4


def test_github_shows_errors_at_their_line(
    project: Callable[..., Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workflow command with file, line and title, all escaped, in one line."""
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


def test_causes_are_indented_one_deeper_each(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """What AWS said stands under what it means."""
    project(None)
    err = seedctl("--local", "secret", "get", "missing").err
    assert "\n  ∟ Caused by: [AWSError] ssm:GetParameter failed with ParameterNotFound" in err


def test_no_colour_where_nobody_sees_it(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """Captured output has no escape sequences."""
    project("raises")
    assert "\x1b" not in seedctl("seed", "--local").err


def test_a_closed_reader_is_no_error_message(project: Callable[..., Path], tmp_path: Path) -> None:
    """`seedctl … | head -0` ends without a trace."""
    folder = project(None)
    script = f"{sys.executable} -m seedctl --local -C {folder} generate-policy 2>{tmp_path}/err | head -0"
    subprocess.run(["bash", "-c", script], check=True, cwd=Path(__file__).parents[2])
    assert "Traceback" not in (tmp_path / "err").read_text()


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
    """An option from a variable that was never set must not mean another backend."""
    words = [option, ""]
    command = ["secret", "list"]
    result = seedctl(*(words + command if is_before else command + words))
    assert result.code == 2
    assert "is empty" in result.err
