"""``seedctl secret``, and ``secret import``, against the local sandbox."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from seedctl import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import CommandLine

VALUE = "pläin-värde ✓ 🚀"


@pytest.fixture(autouse=True)
def _in_project(project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    project(None)
    monkeypatch.setenv("SEEDCTL_LOCAL", "1")


def test_set_then_get(seedctl: CommandLine) -> None:
    """The value can be read as text, as JSON and alone; no message contains it."""
    first = seedctl("secret", "set", "api-key", stdin=f"{VALUE}\n".encode())
    assert (first.code, first.out) == (0, "")
    assert "version 1 of secret api-key" in first.err
    assert VALUE not in first.err
    second = seedctl("secret", "set", "api-key", stdin=VALUE.encode())
    assert "version 2" in second.err
    text = seedctl("secret", "get", "api-key").out
    assert re.fullmatch(
        f"name: api-key\nversion: 2\nvalue: {VALUE}\n"
        r"lastUpdated: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n",
        text,
    )
    found = json.loads(seedctl("secret", "get", "api-key", "--format", "json").out)
    assert found["value"] == VALUE
    assert found["version"] == 2
    assert seedctl("secret", "get", "api-key", "--value-only").out == f"{VALUE}\n"


def test_one_final_line_break_is_dropped(seedctl: CommandLine) -> None:
    """echo and editors add one, PowerShell adds a byte order mark; the rest is the value."""
    mark = b"\xef\xbb\xbf"
    cases = {
        "one-newline": (b"abc\n", "abc"),
        "one-Windows-newline": (b"abc\r\n", "abc"),
        "only-one": (b"abc\n\n", "abc\n"),
        "blanks-stay": (b" abc ", " abc "),
        "lines-inside-stay": (b"a\nb\n", "a\nb"),
        "byte-order-mark": (mark + b"Passw0rd!\r\n", "Passw0rd!"),
        "two-marks": (mark * 2 + b"abc", "abc"),
        "no-mark-inside": (b"a" + mark + b"b", "a\ufeffb"),
    }
    for name, (piped, _) in cases.items():
        assert seedctl("secret", "set", name, stdin=piped).code == 0, name
    with connect(local=True, target="none") as backend:
        stored = {name: backend.secrets.get(name) for name in cases}
    assert stored == {name: value for name, (_, value) in cases.items()}


def test_invalid_names_and_values_are_refused(seedctl: CommandLine) -> None:
    """Names and values are checked before anything is sent."""
    wrong = []
    for name, piped, error in (
        ("x", b"", "InvalidSecretValueError"),
        ("x", b"\n", "InvalidSecretValueError"),
        ("x", b"\xef\xbb\xbf\r\n", "InvalidSecretValueError"),  # only a byte order mark
        ("x", b"s\0", "InvalidSecretValueError"),
        ("a/b", b"v", "InvalidSecretNameError"),
        ("a/b", b"", "InvalidSecretNameError"),  # the name is checked before a value is read
        ("a:1", b"v", "InvalidSecretNameError"),
        ("ü", b"v", "InvalidSecretNameError"),
    ):
        result = seedctl("secret", "set", name, stdin=piped)
        if result.code != 2 or f"[{error}]" not in result.err or len(result.err) >= 1000:
            wrong.append((name, piped, result))
    assert wrong == []
    assert seedctl("secret", "list").out == ""


def test_another_encoding_is_refused_with_a_resolution(
    seedctl: CommandLine, tmp_path: Path
) -> None:
    """UTF-16 of Windows tools is refused from pipe and file; PowerShell's fix is shown."""
    file = tmp_path / "values.env"
    wrong = []
    for piped, why in (
        ("hidden-part".encode("utf-16"), "looks like UTF-16"),
        ("hidden-part".encode("utf-16-be"), "looks like UTF-16"),  # without a byte order mark
        ("密码".encode("utf-16"), "looks like UTF-16"),
        ("hidden-pärt".encode("latin-1"), "is not UTF-8 text"),
    ):
        file.write_bytes(piped)
        for source, result in (
            ("Standard input", seedctl("secret", "set", "x", stdin=piped)),
            (str(file), seedctl("secret", "import", str(file))),
        ):
            said = (
                f"[InvalidSecretValueError] {source} {why}",
                "$OutputEncoding = [Text.UTF8Encoding]::new()",
            )
            if (
                result.code != 2
                or "hidden" in result.err
                or any(text not in result.err for text in said)
            ):
                wrong.append((source, piped, result))
    assert wrong == []
    assert seedctl("secret", "list").out == ""


def test_megabytes_are_refused_by_their_size(seedctl: CommandLine) -> None:
    """A large file piped by mistake is refused in one line that states its size."""
    result = seedctl("secret", "set", "x", stdin=b"s" * 10_000_000)
    assert result.code == 2
    assert "has 10000000 bytes; Parameter Store allows 4096" in result.err
    assert "ssss" not in result.err


def test_names_are_checked_everywhere(seedctl: CommandLine) -> None:
    """get and remove refuse the names that set refuses."""
    for command in ("get", "remove"):
        assert seedctl("secret", command, "a/b").code == 2


def test_list_and_remove(seedctl: CommandLine) -> None:
    """Names are printed one a line; --all removes more than the ten of one AWS call."""
    assert "No secrets" in seedctl("secret", "list").err
    names = [f"secret-{n:02}" for n in range(13)]
    assert seedctl("secret", "set", names[0], "-q", stdin=b"v").err == ""
    with connect(local=True, target="none") as backend:
        for name in names[1:]:
            backend.secrets.set(name, "v")
    assert sorted(seedctl("secret", "list").out.split()) == names
    assert sorted(json.loads(seedctl("secret", "list", "--format", "json").out)) == names
    assert seedctl("secret", "remove", names[0]).code == 0
    missing = seedctl("secret", "remove", names[0])
    assert missing.code == 4
    assert "[SSMParameterNotFoundError]" in missing.err
    assert "Removed 12 secrets" in seedctl("secret", "remove", "--all").err
    assert json.loads(seedctl("secret", "list", "--format", "json").out) == []
    assert seedctl("secret", "remove", "--all").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("remove",), id="neither name nor --all"),
        pytest.param(("remove", "x", "--all"), id="both"),
        pytest.param(("get", "x", "--value-only", "--format", "json"), id="two formats"),
        pytest.param(("set", "x", "value"), id="value as an argument"),
    ],
)
def test_usage_errors(seedctl: CommandLine, arguments: tuple[str, ...]) -> None:
    """Contradictory options end with 2; a value is never read from the command line."""
    assert seedctl("secret", *arguments).code == 2


def test_sandboxes_have_secrets_of_their_own(seedctl: CommandLine) -> None:
    """--identifier, before or after the subcommand, selects the sandbox; the later one wins."""
    seedctl("--identifier", "dev1", "secret", "set", "x", stdin=b"one")
    seedctl("secret", "set", "x", "--identifier", "dev2", stdin=b"two")

    def get(*arguments: str) -> str:
        return seedctl(*arguments, "--value-only").out

    assert get("secret", "--identifier", "dev1", "get", "x") == "one\n"
    assert get("--identifier", "dev1", "secret", "get", "x", "--identifier", "dev2") == "two\n"
    assert seedctl("secret", "get", "x").code == 4


def test_import_takes_a_whole_file_or_nothing(seedctl: CommandLine, tmp_path: Path) -> None:
    """If any line or name is invalid, nothing is stored."""
    file = tmp_path / ".env"
    file.write_text("A=1\nB='two words'\nnot a line\n", encoding="utf-8")
    refused = seedctl("secret", "import", str(file))
    assert refused.code == 2
    assert "line 3" in refused.err
    assert seedctl("secret", "list").out == ""
    file.write_text("A=1\nexport B='two words' # comment\nC=${A}\n", encoding="utf-8")
    assert "Stored 3 secrets" in seedctl("secret", "import", str(file)).err
    assert seedctl("secret", "get", "B", "--value-only").out == "two words\n"
    assert seedctl("secret", "get", "C", "--value-only").out == "${A}\n"
    assert seedctl("secret", "import", str(tmp_path / "missing")).code == 3
