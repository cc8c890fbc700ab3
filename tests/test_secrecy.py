"""Planted secrets appear nowhere: not in output, tracebacks, logs, or any byte on disk."""

from __future__ import annotations

import ast
import json
import logging
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import seedctl as package
from seedctl import connect
from seedctl.cognito.new_user import derive_temporary_password
from seedctl.errors import ThrottledError
from seedctl.local.state_folder import DATABASE, FOLDER
from tests.fake_aws import CALLER, FakeAWS
from tests.running import CommandLine, make_project
from tests.test_masking import FORMS, base64_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(package.__file__).parent
PLANTED = 'Pl4nted "söcret"/+ ✓ value'
USERNAME = "planted-user@example.com"


def spellings(value: str) -> Iterator[bytes]:
    for form in FORMS.values():
        yield form(value).encode()
    for shift in range(3):
        yield base64_digits(b"x" * shift, value.encode(), b"").encode()


def assert_absent(value: str, text: bytes, where: str) -> None:
    for spelling in spellings(value):
        assert spelling not in text, f"{where} shows {spelling!r}"


@pytest.fixture
def seedctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def test_nothing_shows_a_secret_not_even_a_failing_script_with_debug(
    tmp_path: Path,
    seedctl: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Status, table, traceback, workflow command, logs and state have no spelling of a secret."""
    folder = make_project(tmp_path / "project", "leaks")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    caplog.set_level(logging.INFO)
    shown = seedctl("--local", "secret", "set", "password", stdin=PLANTED.encode()).err
    result = seedctl("seed", "--local", "--debug", "-v")
    assert result.code == 1
    assert "ValueError" in result.err
    assert "***" in result.err
    shown += result.out + result.err + caplog.text
    assert "::error" in shown
    temporary = derive_temporary_password(
        PLANTED, user_pool_id="us-east-1_AbCdEfGhI", username="ann@example.com"
    )
    for value in (PLANTED, temporary):
        assert_absent(value, shown.encode(), "the output")
    assert "eyJ" not in shown
    files = [path for path in (folder / ".amplify").rglob("*") if path.is_file()]
    assert files
    for path in files:
        for value in (PLANTED, temporary):
            assert_absent(value, path.read_bytes(), str(path))


@pytest.fixture
def _own_root_logger() -> Iterator[None]:
    """Restore the root logger after a script has changed it in this process."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()


@pytest.mark.usefixtures("_own_root_logger")
@pytest.mark.parametrize("way", ["seedctl seed", "python seed.py"])
def test_a_scripts_debug_log_shows_nothing(
    tmp_path: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """With all logs on, neither stderr, a log file nor the report shows a secret of the run."""
    folder = make_project(tmp_path / "project", "logs_everything", outputs="mfa")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SEEDCTL_LOCAL", "1")
    values = tmp_path / "values.json"  # what the script had in its hands, to search for
    monkeypatch.setenv("SEED_VALUES", str(values))
    seedctl("secret", "set", "password", stdin=PLANTED.encode())
    if way == "seedctl seed":
        result = seedctl("seed", "--debug", "-v", "--report", "report.txt")
        code, out, err = result.code, result.out, result.err
    else:
        ran = subprocess.run(
            [sys.executable, "amplify/seed/seed.py"], capture_output=True, check=False, timeout=60
        )
        code, out, err = ran.returncode, ran.stdout.decode(), ran.stderr.decode()
    assert code == 0, err
    log = (folder / "debug.log").read_text(encoding="utf-8")
    for text in (log, err):
        for helpful in ("OperationModel(name=AssociateSoftwareToken)", "Response body:", "PUT /"):
            assert helpful in text
    known = json.loads(values.read_text(encoding="utf-8"))
    assert len(known) == 10
    places = [("stdout", out.encode()), ("stderr", err.encode())]
    places += [(str(path), path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    assert {"debug.log"} <= {name.rpartition("/")[2] for name, _ in places}
    for value in known.values():
        for name, content in places:
            assert_absent(value, content, name)
    for name, content in places:
        assert not re.search(rb"SRP_|SECRET_BLOCK|SecretCode|Signature=[0-9a-f]", content), name


WORDS = ("user", "1", "created", "secret", "already there", "group", "admin")
SEED_WITH_WORDS = """
from seedctl import *
words = [get_secret(f"word-{n}") for n in range(7)]
get_secret("read")
user = create_and_sign_up_user(username="ann@example.com", password="Password123!")
add_to_user_group(user, "admin")
create_users([NewUser("ann@example.com", "Password123!")], if_exists="skip")
add_to_user_group(user, words[0])
"""


def test_seedctls_own_words_are_never_masked(
    tmp_path: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output stays readable if a secret equals one of its words or numbers. The secret itself
    is masked: as a name, in an error, in the report."""
    folder = make_project(tmp_path / "project")
    (folder / "amplify/seed/seed.py").write_text(SEED_WITH_WORDS, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with connect(folder, local=True) as backend:
        for number, word in enumerate(WORDS):
            backend.secrets.set(f"word-{number}", word)
        backend.secrets.set("read", "read")
    result = seedctl("seed", "--local", "--report", "report.json")
    assert result.code == 1
    table = re.sub(r"[\da-f]{8}-[\da-f-]{27}", "ID", re.sub(" +", " ", result.err))
    for line in (
        "user ann@example.com created ID",
        "user ann@example.com already there",
        "group membership ann@example.com set → ***",
        "secret word-2 read",
        "secret *** read",
        "1 user created, 1 user already there, 1 group membership set, 8 secrets read.",
        "[NoGroupError] The user pool has no group ***. It has admin.",
        " at amplify/seed/seed.py, line 8",
        'Resolution: Use one it has, or add "***" in amplify/auth/resource.ts and deploy.',
        "::error file=amplify/seed/seed.py,line=8,title=NoGroupError::The user pool has no group",
    ):
        assert f"{line}\n" in table or (line.startswith("::") and line in table)
    assert "Target: " in table
    assert " · sandbox " in table
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["error"]["message"] == "The user pool has no group ***. It has admin."
    kinds = {(thing["kind"], thing["state"]) for thing in report["things"]}
    assert kinds == {
        ("secret", "read"),
        ("user", "created"),
        ("user", "existed"),
        ("group membership", "set"),
    }


_NAMES = ("username", "group")
# Text that has to be in a source with such a message; most need no parsing.
_SHOWN = r"\{[^{}\n]*\b(username|group)\b"


def _unmasked_names(source: str) -> list[str]:
    """Return the names of users and groups that messages in *source* show without masking."""
    return [
        ast.unparse(part.value)
        for text in (ast.walk(ast.parse(source)) if re.search(_SHOWN, source) else ())
        if isinstance(text, ast.JoinedStr)
        # A text without words is not a message.
        and any(isinstance(part, ast.Constant) and " " in str(part.value) for part in text.values)
        for part in text.values
        if isinstance(part, ast.FormattedValue)
        and (getattr(part.value, "attr", None) or getattr(part.value, "id", None)) in _NAMES
    ]


def test_messages_mask_the_names_that_they_show() -> None:
    """A user name may be a secret and also a word that a finished message keeps, so it is masked
    when the message is composed. Only the question on the terminal shows it."""
    sources = {path.relative_to(PACKAGE): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    found = {
        path.as_posix(): names
        for path, source in sources.items()
        if path.parts[0] not in {"local", "cli"} and (names := _unmasked_names(source))
    }
    assert found == {"prompter.py": ["request.username"]}


def test_an_unmasked_name_is_found() -> None:
    """The check above can fail, and accepts masked names and keys."""
    found = _unmasked_names('f"no user {user.username!r} in {group}"')
    assert found == ["user.username", "group"]
    assert _unmasked_names('f"no user {mask(username)}", f"{username}{client_id}"') == []


def test_a_user_name_that_is_a_secret(
    tmp_path: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """User names may be secrets too: only the local user pool itself stores the name."""
    folder = make_project(tmp_path / "project", "guide_auth")
    monkeypatch.chdir(folder)
    seedctl("--local", "secret", "set", "username", stdin=USERNAME.encode())
    seedctl("--local", "secret", "set", "password", stdin=b"Password123!")
    result = seedctl("seed", "--local", "-v", "--debug")
    assert result.code == 0
    assert "***" in result.err
    assert_absent(USERNAME, result.err.encode(), "the output")
    files = {path for path in (folder / ".amplify").rglob("*") if path.is_file()}
    state = {path for path in files if path.name.startswith(DATABASE)}
    assert state
    assert files - state
    for path in files - state:
        assert_absent(USERNAME, path.read_bytes(), str(path))
    with closing(sqlite3.connect(folder / ".amplify" / "seedctl" / FOLDER / DATABASE)) as database:
        found = [line for line in database.iterdump() if USERNAME in line]
    assert found
    assert {line.partition(" VALUES")[0] for line in found} == {'INSERT INTO "user"'}


def test_the_journal_of_a_broken_run_holds_no_secret_and_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The marker that an aborted run leaves behind contains no secret and no name."""
    folder = make_project(tmp_path / "project")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with FakeAWS(GetCallerIdentity=CALLER, AdminCreateUser={"User": {"Username": "u"}}) as aws:
        backend = connect(folder, endpoint_url=aws.url)
        aws.replies["InitiateAuth"] = ("ThrottlingException", "slow")
        with backend, pytest.raises(ThrottledError):
            backend.auth.create_user(USERNAME, "Password123!")
    markers = [path for path in (folder / ".amplify").rglob("*") if path.is_file()]
    assert len(markers) == 1
    assert markers[0].read_bytes() == b"created"
    assert USERNAME not in str(markers[0])
    assert oct((folder / ".amplify/seedctl").stat().st_mode & 0o777) == "0o700"
