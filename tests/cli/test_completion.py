"""Shell completion of the names of secrets, with Click's own completion classes."""

from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from seedctl import connect, prompter
from seedctl.cli import completion
from seedctl.cli.main import cli
from seedctl.cli.options import Settings
from seedctl.parameter_store import Secrets
from tests.fake_aws import FakeAWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.running import CommandLine

NAMES = ["api-key", "user", "username"]
SHOWN = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _interrupt(asked: list[str], question: str) -> str:
    asked.append(question)
    raise KeyboardInterrupt


def complete(line: str) -> list[str]:
    """Return what the Tab key offers at the end of *line*."""
    *words, incomplete = line.split(" ")
    shell = ShellComplete(cli, {"obj": Settings()}, "seedctl", "_SEEDCTL_COMPLETE")
    return [item.value for item in shell.get_completions(words, incomplete)]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer than a person would: this machine may be busy."""
    monkeypatch.setattr(completion, "SECONDS", 60.0)


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project(None)


@pytest.fixture
def aws(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAWS]:
    for name, value in SHOWN.items():
        monkeypatch.setenv(name, value)
    names = [{"Name": f"/amplify/my-app/ann/{name}"} for name in reversed(NAMES)]
    with FakeAWS(GetParametersByPath={"Parameters": names}) as fake:
        yield fake


def files(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_names_of_the_local_sandbox(root: Path, seedctl: CommandLine) -> None:
    """Names come from the local state, of the chosen sandbox only, and nothing is changed."""
    for name in NAMES:
        assert seedctl("--local", "secret", "set", name, stdin=b"Passw0rd!").code == 0
    other = ("--local", "--identifier", "dev1", "secret", "set", "other")
    assert seedctl(*other, stdin=b"x").code == 0
    before = files(root)
    assert complete("--local secret get ") == NAMES
    assert complete("--local secret set user") == ["user", "username"]
    assert complete("secret remove --local usern") == ["username"]
    assert complete("secret get --local --identifier dev1 ") == ["other"]
    assert complete("--local secret get user ") == []
    assert files(root) == before


def test_only_names_directly_below_the_path(root: Path) -> None:
    """Other parameters are no secrets of the sandbox: deeper ones, and those of the whole app."""
    with connect(root, identifier="dev", local=True, target="none") as backend:
        prefix = backend.identifier.parameter_prefix
        for name in ("one", "folder/two", "one/three"):
            path = {"Name": f"{prefix}/{name}", "Value": "x", "Type": "String"}
            backend.aws.call("ssm", "PutParameter", path)
        shared = {"Name": "/amplify/shared/my-app/four", "Value": "x", "Type": "String"}
        backend.aws.call("ssm", "PutParameter", shared)
        assert backend.secrets.list() == ["one"]
    assert complete("--local --identifier dev secret get ") == ["one"]


def test_without_local_state_nothing_is_made(root: Path) -> None:
    """Where the local sandbox was never used, there are no names, and no state is created."""
    before = files(root)
    assert complete("--local secret get ") == []
    assert files(root) == before


def test_names_of_a_sandbox_on_aws(aws: FakeAWS) -> None:
    """On AWS the names are listed without decrypting a value, and nothing else is called."""
    assert complete(f"--endpoint-url {aws.url} secret get ") == NAMES
    assert complete(f"--endpoint-url {aws.url} secret get a") == ["api-key"]
    assert aws.operations() == ["GetParametersByPath"] * 2
    assert all(parameters["WithDecryption"] is False for _, parameters in aws.calls)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("secret get ", id="no credentials"),
        pytest.param("-C nowhere secret get ", id="no project"),
        pytest.param("--local -C nowhere secret get ", id="no local project"),
        pytest.param("--endpoint-url http://127.0.0.1:1 secret get ", id="no credentials either"),
        pytest.param("--local --endpoint-url http://127.0.0.1:1 secret get ", id="wrong usage"),
        pytest.param("--profile unknown secret get ", id="no such profile"),
        pytest.param("--outputs package.json secret get ", id="unusable outputs"),
    ],
)
def test_what_fails_is_silent(root: Path, capfd: pytest.CaptureFixture[str], line: str) -> None:
    """An error would spoil the line that is being typed: there are just no names."""
    before = files(root)
    assert complete(line) == []
    assert capfd.readouterr() == ("", "")
    assert files(root) == before


def test_a_wrong_setting_is_silent(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with a wrong value gives no names, neither the local ones nor those on AWS."""
    monkeypatch.setenv("SEEDCTL_LOCAL", "maybe")
    assert complete("secret get ") == []


def test_a_refusal_is_silent(aws: FakeAWS, capfd: pytest.CaptureFixture[str]) -> None:
    """A denied call gives no names and shows nothing."""
    aws.replies["GetParametersByPath"] = ("AccessDeniedException", "not authorized")
    assert complete(f"--endpoint-url {aws.url} secret get ") == []
    assert capfd.readouterr() == ("", "")


def test_nobody_is_asked(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile that needs an MFA code gives no names, although there is a terminal."""
    config = tmp_path / "config"
    config.write_text(
        "[profile m]\nregion = us-east-1\nsource_profile = s\n"
        "role_arn = arn:aws:iam::123456789012:role/x\n"
        "mfa_serial = arn:aws:iam::123456789012:mfa/x\n"
        "[profile s]\naws_access_key_id = a\naws_secret_access_key = b\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    asked: list[str] = []
    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr(sys, "stderr", _Terminal())
    monkeypatch.setattr(prompter, "_read_line", lambda question, **_: _interrupt(asked, question))
    assert complete("--profile m secret get ") == []
    assert asked == []


def test_it_gives_up_soon(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that does not return in time is not waited for."""
    returned, ended = threading.Event(), threading.Event()

    def list_slowly(_: Secrets) -> list[str]:
        returned.wait(60)
        ended.set()
        return NAMES

    monkeypatch.setattr(Secrets, "list", list_slowly)
    monkeypatch.setattr(completion, "SECONDS", 0.01)
    try:
        assert complete("secret get ") == []
        assert not ended.is_set()
    finally:
        returned.set()
    assert ended.wait(60)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(
    seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    """`_SEEDCTL_COMPLETE=<shell>_source seedctl` prints the script of docs/completion.md."""
    monkeypatch.setenv("_SEEDCTL_COMPLETE", f"{shell}_source")
    if shell == "bash":  # Click asks bash for its version
        monkeypatch.setattr(
            "click.shell_completion.BashComplete._check_version", staticmethod(lambda: None)
        )
    with pytest.raises(SystemExit) as end:
        seedctl()
    assert end.value.code == 0
    assert "_SEEDCTL_COMPLETE" in seedctl.capsys.readouterr().out
