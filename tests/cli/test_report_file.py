"""`seedctl seed --report FILE`: what a run did, as JSON, however it ended."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from seedctl import masking
from seedctl.cli.console import Console
from seedctl.cli.options import Settings
from seedctl.cli.run_report import ConsoleReport
from seedctl.errors import FileAccessError
from seedctl.report import Event, Kind, Report, State, Target
from seedctl.runner.report_file import ReportFile
from seedctl.version import __version__
from tests.forking import QuickProcess
from tests.running import PASSWORD
from tests.test_processes import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import CommandLine, Result

HEAD = f"""
import os, sys
from seedctl import *
from seedctl import data, storage
PASSWORD = {PASSWORD!r}
"""
SIGN_IN = 'create_and_sign_up_user("ann@example.com", PASSWORD, sign_in_after_creation=True)\n'

needs_permissions = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="who runs this may write everywhere"
)


@pytest.fixture
def folder(project: Callable[..., Path]) -> Path:
    return project("secrets_only")


@pytest.fixture
def run(folder: Path, seedctl: CommandLine) -> Callable[..., Result]:
    """Return what runs a script and writes report.json."""

    def run(text: str, *arguments: str) -> Result:
        (folder / "amplify/seed/seed.py").write_text(HEAD + text, encoding="utf-8")
        return seedctl("seed", "--local", "--report", "report.json", *arguments)

    return run


def read(path: str | Path = "report.json") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return document


def masked(value: Any, name: str = "") -> Any:
    """Return *value* with all times as 0, and all ids as "id"."""
    if isinstance(value, dict):
        return {key: masked(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each) for each in value]
    if name in {"at", "first_at", "last_at", "seconds", "seconds_waited"}:
        assert value >= 0
        return 0
    if name in {"started_at", "ended_at"}:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)
        return 0
    return "ID" if name == "detail" and value and re.fullmatch(r"[0-9a-f-]{36}", value) else value


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".seedctl-new-")]


def test_the_whole_document(folder: Path, run: Callable[..., Result]) -> None:
    """Target, users, groups, secrets, sessions, records, files, calls and warnings are all in it."""
    result = run(
        "import warnings\n"
        "set_secret('plan', 'gold-plated')\n"
        f"{SIGN_IN}"
        "add_to_user_group('ann@example.com', 'admin')\n"
        "todos = data.generate_client().models.Todo\n"
        "todos.create_many([{'content': 'one'}, {'content': 'two'}])\n"
        "storage.upload_data('pictures/a.txt', 'a')\n",
        "--identifier",
        "dev",
    )
    assert result.code == 0, result.err
    document = read()
    calls = {each["operation"]: each for each in document.pop("calls")}
    assert masked(document) == {
        "format": 1,
        "seedctl": __version__,
        "started_at": 0,
        "ended_at": 0,
        "seconds": 0,
        "exit_code": 0,
        "signal": None,
        "error": None,
        "target": {
            "project": str(folder),
            "sandbox": "dev",
            "backend": "sandbox dev",
            "stage": None,
            "outputs": str(folder / "amplify_outputs.json"),
            "user_pool": "us-east-1_AbCdEfGhI",
            "account": "LOCAL",
            "check": None,
        },
        "things": [
            {"kind": "secret", "name": "plan", "state": "set", "detail": None, "at": 0},
            {
                "kind": "user",
                "name": "ann@example.com",
                "state": "created",
                "detail": "ID",
                "at": 0,
            },
            {
                "kind": "session",
                "name": "ann@example.com",
                "state": "signed in",
                "detail": None,
                "at": 0,
            },
            {
                "kind": "group membership",
                "name": "ann@example.com",
                "state": "set",
                "detail": "admin",
                "at": 0,
            },
        ],
        "counts": [
            {
                "kind": "record",
                "name": "Todo",
                "state": "created",
                "count": 2,
                "first_at": 0,
                "last_at": 0,
            },
            {
                "kind": "file",
                "name": "myStorage",
                "state": "uploaded",
                "count": 1,
                "first_at": 0,
                "last_at": 0,
            },
        ],
        "failed": 0,
        "failures": [],
        "warnings": [],
    }
    assert {name: (each["calls"], each["throttled"]) for name, each in calls.items()} == {
        "AdminAddUserToGroup": (1, 0),
        "AdminCreateUser": (1, 0),
        "GetCredentialsForIdentity": (1, 0),
        "GetId": (1, 0),
        "InitiateAuth": (1, 0),
        "PutObject": (1, 0),
        "PutParameter": (1, 0),
        "RespondToAuthChallenge": (2, 0),
        "RevokeToken": (1, 0),
        "createTodo": (1, 0),
    }
    assert [*calls] == sorted(calls)
    assert set(calls["PutObject"]) == {"operation", "calls", "throttled", "seconds_waited"}


def test_times_are_in_order(run: Callable[..., Result]) -> None:
    """What happened later has a later time, and none is after the end, which is after its duration."""
    assert run("set_secret('one', 'a1b2c3')\nset_secret('two', 'a1b2c3')\n").code == 0
    document = read()
    first, second = (thing["at"] for thing in document["things"])
    assert 0 <= first <= second <= document["seconds"]
    started, ended = (
        datetime.fromisoformat(document[name].replace("Z", "+00:00"))
        for name in ("started_at", "ended_at")
    )
    assert document["seconds"] > 0
    assert (ended - started).total_seconds() == pytest.approx(document["seconds"], abs=0.0021)


def test_a_failure_of_the_script(run: Callable[..., Result]) -> None:
    """The report has the error, its cause, and everything done before it."""
    assert run("set_secret('one', 'a1b2c3')\n1 / 0\n").code == 1
    document = read()
    assert document["exit_code"] == 1
    assert document["error"] == {
        "name": "SeedingFailedError",
        "message": "The seed script seed.py failed.",
        "resolution": "See the script's own lines above.",
        "cause": "ZeroDivisionError: division by zero",
    }
    assert [thing["name"] for thing in document["things"]] == ["one"]
    assert document["calls"][0]["operation"] == "PutParameter"


def test_a_seedctl_error(run: Callable[..., Result]) -> None:
    """Its exit code is the run's; a seedctl error as cause has its name, and no cause is null."""
    assert run("get_secret('never-set')\n").code == 4
    document = read()
    assert document["error"]["name"] == "SSMParameterNotFoundError"
    assert document["exit_code"] == 4
    assert run("raise errors.InvalidInputError('no')\n").code == 1
    assert read()["error"]["cause"] is None
    assert run("raise errors.InvalidInputError('a') from errors.InvalidInputError('b')\n").code == 1
    assert read()["error"]["cause"] == "InvalidInputError: b"


def test_the_scripts_own_exit_code(run: Callable[..., Result]) -> None:
    """sys.exit(3) is not an error, and its code is reported; the totals are shown."""
    result = run("set_secret('one', 'a1b2c3')\nsys.exit(3)\n")
    assert result.code == 3
    assert "The script ended with exit code 3 after " in result.err
    assert "1 secret set." in result.err
    assert (read()["exit_code"], read()["error"], len(read()["things"])) == (3, None, 1)


def test_an_interrupt(run: Callable[..., Result]) -> None:
    """Ctrl-C ends with 130, and the report has what was done until then."""
    assert run("set_secret('one', 'a1b2c3')\nraise KeyboardInterrupt\n").code == 130
    document = read()
    assert document["exit_code"] == 130
    assert document["error"] == {
        "name": "KeyboardInterrupt",
        "message": "Interrupted.",
        "resolution": None,
        "cause": None,
    }
    assert len(document["things"]) == 1


SIGNAL = "import signal\nset_secret('one', 'a1b2c3')\n"
TERMINATED = "signal.raise_signal(signal.SIGTERM)\n"
CAUGHT = f"try:\n    {TERMINATED}except BaseException:\n    "


@pytest.mark.parametrize(
    ("text", "code", "name", "error"),
    [
        pytest.param(TERMINATED, 143, "SIGTERM", "KeyboardInterrupt", id="a signal"),
        pytest.param(f"{CAUGHT}pass\n", 143, "SIGTERM", "KeyboardInterrupt", id="caught"),
        pytest.param(f"{CAUGHT}1 / 0\n", 143, "SIGTERM", "SeedingFailedError", id="what it led to"),
        pytest.param(f"{CAUGHT}sys.exit(0)\n", 0, None, None, id="an exit of its own"),
        pytest.param(f"{CAUGHT}sys.exit(5)\n", 5, None, None, id="another exit of its own"),
        pytest.param(
            f"signal.signal(signal.SIGTERM, lambda *_: None)\n{TERMINATED}",
            *(0, None, None),
            id="a handler of its own",
        ),
    ],
)
def test_a_script_that_handles_a_signal(
    run: Callable[..., Result], text: str, code: int, name: str | None, error: str | None
) -> None:
    """Report and summary name the signal, unless the script calls sys.exit."""
    result = run(SIGNAL + text)
    document = read()
    assert result.code == document["exit_code"] == code
    assert document["signal"] == name
    assert (document["error"] and document["error"]["name"]) == error
    assert len(document["things"]) == 1
    assert bool(
        re.search(r"^Interrupted \(SIGTERM\) after .* 1 secret set\.$", result.err, re.MULTILINE)
    ) is (name is not None)


def test_a_signal_while_the_report_is_written(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written again, with the exit code of the command."""
    finish = ReportFile.finish
    signals = iter([signal.SIGTERM])

    def finish_and_meet(*arguments: Any) -> None:
        finish(*arguments)
        for number in signals:
            signal.raise_signal(number)

    monkeypatch.setattr(ReportFile, "finish", finish_and_meet)
    assert run("set_secret('one', 'a1b2c3')\n").code == read()["exit_code"] == 143
    assert read()["signal"] == "SIGTERM"


def test_a_signal_after_the_report(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has ended, and the exit code stays the one in the report."""

    def totals(_: Any) -> str:
        signal.raise_signal(signal.SIGTERM)
        return ""

    monkeypatch.setattr("seedctl.cli.run_report.ConsoleReport.totals", totals)
    assert run("set_secret('one', 'a1b2c3')\n").code == read()["exit_code"] == 0
    assert read()["signal"] is None


def test_a_stream_gets_one_report(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A report that was sent cannot be replaced by another."""
    file = ReportFile("/dev/stdout")
    file.finish(Report(), 0, None, {})
    file.finish(Report(), 143, KeyboardInterrupt(), {}, "SIGTERM")
    assert json.loads(capfd.readouterr().out)["exit_code"] == 0


@pytest.mark.parametrize(
    ("then", "code"), [(TERMINATED, 143), (f"{CAUGHT}raise SystemExit(5)\n", 5)]
)
def test_a_report_that_cannot_be_written_after_a_signal(
    folder: Path, seedctl: CommandLine, then: str, code: int
) -> None:
    """The exit code is the signal's or the script's own, and a warning names the report."""
    Path("reports").mkdir()
    (folder / "amplify/seed/seed.py").write_text(
        f"import shutil, signal\nshutil.rmtree('reports')\n{then}"
    )
    result = seedctl("seed", "--local", "--report", "reports/r.json")
    assert result.code == code
    assert "[FileAccessError]" not in result.err
    assert "Warning: The report reports/r.json cannot be written: " in result.err


@pytest.mark.parametrize("is_writable", [True, False])
def test_a_sudden_end_has_a_report(
    folder: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch, is_writable: bool
) -> None:
    """It is written when a second signal ends the process, which ends even if that fails."""
    Path("reports").mkdir()
    (folder / "amplify/seed/seed.py").write_text(
        "import shutil, signal\n"
        + ("" if is_writable else "shutil.rmtree('reports')\n")
        + f"{CAUGHT}signal.raise_signal(signal.SIGINT)\n"
    )
    ended: list[tuple[int, list[int]]] = []

    def end(code: int) -> None:
        reports = [read(path)["exit_code"] for path in Path().glob("reports/*")]
        ended.append((code, reports))
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", end)
    seedctl("seed", "--local", "--report", "reports/r.json")
    assert ended == [(143, [143] if is_writable else [])]


def test_a_run_that_could_not_begin(folder: Path, seedctl: CommandLine) -> None:
    """Without a script, or with broken outputs, the report replaces that of an earlier run."""
    (folder / "amplify/seed/seed.py").unlink()
    result = seedctl("seed", "--local", "--report", "report.json")
    assert result.code == read()["exit_code"] == 3
    assert read()["error"]["name"] == "SeedScriptNotFoundError"
    assert (read()["target"], read()["calls"]) == (None, [])
    assert "Stopped after" not in result.err  # nothing ran
    assert left_over(folder) == []


def test_rows_that_failed(run: Callable[..., Result]) -> None:
    """A run with failed users, records and files ends with 1 and names each, with its reason."""
    result = run(
        "create_users([NewUser('bea@example.com', PASSWORD), NewUser('no address', PASSWORD),\n"
        "    NewUser('bea@example.com', PASSWORD), 7], on_error='collect')\n"
        f"{SIGN_IN}"
        "todos = data.generate_client().models.Todo\n"
        "todos.create_many([{'content': 'one'}, {'content': 2}], on_error='collect')\n"
        "todos.create_many(({'content': each} for each in (3, 'four')), on_error='collect')\n"
        "todos.delete_many([{'content': 'x'}], on_error='collect')\n"
        "storage.upload_many([('pictures/a', 'a'), ('nowhere/x', 'x')], on_error='collect')\n"
    )
    assert result.code == 1, result.err
    document = read()
    assert (document["exit_code"], document["error"], document["failed"]) == (1, None, 7)
    found = [
        (each["kind"], each["name"], each["state"], each["detail"].partition(": ")[::2])
        for each in document["failures"]
    ]
    assert [each[:3] for each in found] == [
        ("user", "no address", "failed"),
        ("user", "bea@example.com", "failed"),
        ("user", "rows[3]", "failed"),
        *[("record", "Todo", "failed")] * 3,
        ("file", "myStorage", "failed"),
    ]
    assert [each[3][0] for each in found[:3]] == ["InvalidParameterException"] * 3
    assert [each[3][0] for each in found[3:]] == ["rows[1]", "rows[0]", "rows[0]", "nowhere/x"]
    assert found[3][3][1].startswith("InvalidInputError: Todo.content must be String")
    counts = {(each["name"], each["state"]): each["count"] for each in document["counts"]}
    assert counts == {
        ("Todo", "created"): 2,
        ("Todo", "failed"): 3,
        ("myStorage", "uploaded"): 1,
        ("myStorage", "failed"): 1,
    }
    reasons, _, end = result.err.partition("✘ Seeded in ")
    assert "3 users failed" in end
    assert "3 records failed" in end
    assert "1 file failed" in end
    assert re.search(
        r"^1 user failed: InvalidParameterException: .* \(no address\)$", reasons, re.MULTILINE
    )
    assert re.search(
        r"^1 user failed: .*: Row 3 is a int, .* \(rows\[3\]\)$", reasons, re.MULTILINE
    )
    assert re.search(
        r"^2 Todo records failed: InvalidInputError: .* \(first: rows\[1\]\)$",
        reasons,
        re.MULTILINE,
    )
    assert re.search(
        r"^1 myStorage file failed: AccessDenied: .* \(nowhere/x\)$", reasons, re.MULTILINE
    )
    assert reasons.count("\n  Resolution: ") >= 4
    assert end.splitlines()[1].startswith("To go on: fix the cause and run again. ")


BAD_USER = "create_users([NewUser('x', PASSWORD)], on_error='collect')\n"
BAD_RECORD = (
    "data.generate_client().models.Todo.create_many([{'content': 1}], on_error='collect')\n"
)
BAD_FILE = "storage.upload_many([('nowhere/x', b'x')], on_error='collect')\n"


@pytest.mark.parametrize(
    ("text", "users", "records"),
    [
        pytest.param(BAD_USER, True, False, id="users"),
        pytest.param(f"{SIGN_IN}{BAD_FILE}", True, False, id="a user made, and a file"),
        pytest.param(
            "create_users([NewUser('ann@example.com', PASSWORD)])\n"
            "create_users([NewUser('ann@example.com', PASSWORD)], if_exists='skip')\n"
            f"{BAD_USER}",
            False,
            False,
            id="users, with the argument",
        ),
        pytest.param(f"{SIGN_IN}{BAD_RECORD}", True, True, id="records"),
    ],
)
def test_hints_for_the_next_run_depend_on_the_kind(
    run: Callable[..., Result], text: str, users: bool, records: bool
) -> None:
    """A hint is shown for a kind that the run created, unless the script follows it already."""
    result = run(text)
    assert result.code == 1
    (line,) = [line for line in result.err.splitlines() if line.startswith("To go on: ")]
    assert line.startswith("To go on: fix the cause and run again.")
    assert ('if_exists="skip"' in line, "key=" in line) == (users, records)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            BAD_USER,
            "The run ended with exit code 1: 1 user failed.%0Ax: Invalid",
            id="failed rows",
        ),
        pytest.param(
            "set_secret('a', 'one-value')\nsys.exit(7)\n",
            "The run ended with exit code 7: 1 secret set.",
            id="a code of its own",
        ),
        pytest.param("set_secret('a', 'one-value')\n", None, id="done"),
    ],
)
def test_github_shows_that_some_rows_failed(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, text: str, said: str | None
) -> None:
    """A run that fails without an error has one annotation too."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = [line for line in run(text).err.splitlines() if line.startswith("::error")]
    start = f"::error title=Not all was seeded::{said}"
    assert [line[: len(start)] for line in lines] == ([] if said is None else [start])


def test_an_uncaught_bulk_error_counts_its_rows_once(run: Callable[..., Result]) -> None:
    """The failed rows are counted once in summary and report; the error is shown once."""
    result = run(
        f"{SIGN_IN}"
        "data.generate_client().models.Todo.create_many([{'content': 1}, {'content': 'two'}])\n"
    )
    assert result.code == 1
    assert result.err.count("1 Todo record failed: InvalidInputError") == 1
    assert "Caused by" not in result.err
    assert "To go on" not in result.err
    assert "1 record created, 1 record failed" in result.err.replace(
        "1 record failed, 1 record created", "1 record created, 1 record failed"
    )
    assert result.err.count("Seeded in") == 0
    assert "[BulkError] 1 of 2 Todo records failed" in result.err
    assert "Resolution: " in result.err
    assert 'if_exists="skip"' in result.err
    document = read()
    assert (document["failed"], len(document["failures"])) == (1, 1)
    assert document["error"]["name"] == "BulkError"


def test_a_name_that_fails_again_is_counted_again(run: Callable[..., Result]) -> None:
    """The totals on the console equal the report's; a repeated success counts once."""
    result = run(
        "for _ in range(5):\n"
        "    create_users([NewUser('no address', PASSWORD)], on_error='collect')\n"
        "    set_secret('plan', 'gold-plated')\n"
    )
    assert result.code == 1
    assert read()["failed"] == 5
    assert "5 users failed, 1 secret set" in result.err.rpartition("Seeded in ")[2]


def test_a_script_that_ends_itself_after_failed_rows(run: Callable[..., Result]) -> None:
    """Its exit code is used, unless it is 0, and the summary says how to continue."""
    rows = "create_users([NewUser('x', PASSWORD)], on_error='collect')\n"
    result = run(rows + "sys.exit(7)\n")
    assert (result.code, read()["exit_code"]) == (7, 7)
    assert "To go on: " in result.err
    assert run(rows + "sys.exit(0)\n").code == 1
    assert run(rows, "--quiet").err.startswith("✘ Seeded in ")


def test_a_caught_bulk_error_still_fails_the_run(run: Callable[..., Result]) -> None:
    """Not everything was seeded, even if the script catches the error."""
    result = run("try:\n    create_users([NewUser('x', PASSWORD)])\nexcept BulkError:\n    pass\n")
    assert result.code == 1
    assert read()["failed"] == 1


def test_failures_with_one_reason_have_one_line(run: Callable[..., Result]) -> None:
    """It has the reason, the count and the first; the report lists the first hundred."""
    result = run(
        "create_users([NewUser(f'no-{n}', PASSWORD) for n in range(120)], on_error='collect')\n"
    )
    (line,) = re.findall(r"^120 users failed: .*$", result.err, re.MULTILINE)
    assert line.endswith("'no-0' is not one. (first: no-0)")
    assert result.err.count("Resolution: Change the user name") == 1
    assert "no-1" not in result.err
    assert "120 users failed" in result.err.rpartition("Seeded in ")[2]
    document = read()
    assert (document["failed"], len(document["failures"])) == (120, 100)
    assert len(document["things"]) == 120


def test_the_first_reasons_are_shown(run: Callable[..., Result]) -> None:
    """Twelve are shown, in the order of their first failure; the others are only counted."""
    result = run(
        "names = [chr(97 + n) * 3 for n in range(20)]\n"
        "users = [NewUser(f'{name}@example.com', PASSWORD, groups=[name]) for name in names]\n"
        "create_users(users, on_error='collect')\n"
    )
    assert len(re.findall(r"^1 user failed: ", result.err, re.MULTILINE)) == 12
    assert "no group aaa." in result.err
    assert "no group mmm." not in result.err
    assert "… and 8 more failed\n" in result.err


def test_wrong_names_in_bulk_have_suggestions(run: Callable[..., Result]) -> None:
    """For groups, attributes and fields the nearest valid name is shown below the reason."""
    result = run(
        "create_users([NewUser('a@example.com', PASSWORD, groups=['admn']),\n"
        "    NewUser('b@example.com', PASSWORD, user_attributes={'familyName': 'B'})],\n"
        "    on_error='collect')\n"
        f"{SIGN_IN}"
        "data.generate_client().models.Todo.create_many([{'contnt': 'x'}], on_error='collect')\n"
    )
    hints = re.findall(r"^  Resolution: (Did you mean \w+\?)", result.err, re.MULTILINE)
    assert hints == [
        "Did you mean admin?",
        "Did you mean family_name?",
        "Did you mean content?",
    ]


def test_the_report_contains_no_secret(folder: Path, run: Callable[..., Result]) -> None:
    """Secret values and passwords are masked in every text, also in names."""
    set_password, secret = "Very-own-passw0rd", 'a "quoted" sëcret'
    result = run(
        f"set_secret('one', {secret!r})\n"
        f"assert get_secret('one') == {secret!r}\n"
        f"create_and_sign_up_user({'ann@example.com'!r}, {set_password!r})\n"
        f"set_secret('of-a-name', 'bea@example.com')\n"
        "create_users([NewUser('bea@example.com', PASSWORD)])\n"
        "set_secret('of-no-user', 'no address')\n"
        "create_users([NewUser('no address', PASSWORD)], on_error='collect')\n"
        f"raise ValueError({f'{secret} and {set_password} and {PASSWORD}'!r})\n"
    )
    assert result.code == 1
    text = Path("report.json").read_text(encoding="utf-8")
    assert re.search(r"^1 user failed: .* \(\*\*\*\)$", result.err, re.MULTILINE)
    for value in (secret, set_password, PASSWORD, "bea@example.com", "no address"):
        assert value not in text + result.err
        assert json.dumps(value)[1:-1] not in text
        assert json.dumps(value, ensure_ascii=False)[1:-1] not in text
    assert read()["error"]["cause"] == "ValueError: *** and *** and ***"
    assert [thing["name"] for thing in read()["things"] if thing["kind"] == "user"] == [
        "ann@example.com",
        *("***", "***"),
    ]


def test_only_this_account_may_read_the_report(folder: Path, run: Callable[..., Result]) -> None:
    """Its mode is 0600, also if the older file was readable by all, and no other file is left."""
    Path("report.json").write_text("old")
    Path("report.json").chmod(0o644)
    assert run("").code == 0
    assert stat.S_IMODE(Path("report.json").stat().st_mode) == 0o600
    assert left_over(folder) == []


def test_the_report_is_private_before_anything_is_in_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else can open it meanwhile, whatever the umask is."""
    opened, modes = os.fdopen, []

    def open_and_look(descriptor: int, *arguments: Any, **options: Any) -> Any:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return opened(descriptor, *arguments, **options)

    monkeypatch.setattr(os, "fdopen", open_and_look)
    umask = os.umask(0)
    try:
        ReportFile("report.json").finish(Report(), 0, None, {})
    finally:
        os.umask(umask)
    assert modes == [0o600]


def test_a_file_of_the_same_name_is_not_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file beside the report is made, never opened: a link of that name could lead anywhere."""
    file = ReportFile("report.json")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    Path(".seedctl-new-guessed").symlink_to("package.json")
    before = Path("package.json").read_text()
    with pytest.raises(FileAccessError, match="File exists"):
        file.finish(Report(), 0, None, {})
    assert Path("package.json").read_text() == before


def test_text_of_all_languages(folder: Path, run: Callable[..., Result]) -> None:
    """Letters are not escaped; a lone surrogate, which UTF-8 cannot encode, is."""
    assert run("set_secret('grüße-日本', 'a1b2c3')\n").code == 2
    assert "grüße-日本" in Path("report.json").read_text(encoding="utf-8")
    report = Report()
    report.on_warning("naïve 日本 \udcff")
    ReportFile("other.json").finish(report, 0, None, {})
    assert read("other.json")["warnings"] == ["naïve 日本 \udcff"]
    assert "naïve 日本 \\udcff" in Path("other.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("missing/report.json", id="no folder"),
        pytest.param("amplify", id="a folder"),
        pytest.param(".", id="here"),
        pytest.param("/", id="the root"),
        pytest.param("package.json/report.json", id="below a file"),
        pytest.param("too-long-" * 40, id="too long"),
        pytest.param("too-long-" * 40 + "/report.json", id="a folder too long"),
        pytest.param(
            "locked/report.json", id="a folder that is not to be written", marks=needs_permissions
        ),
        pytest.param("read-only.json", id="a file that is read-only", marks=needs_permissions),
    ],
)
def test_a_path_that_cannot_be_written(folder: Path, seedctl: CommandLine, path: str) -> None:
    """It is found before anything runs, and is an error of the set-up."""
    (folder / "locked").mkdir(mode=0o500)
    (folder / "read-only.json").touch(mode=0o400)
    (folder / "amplify/seed/seed.py").write_text("print('ran')\n")
    result = seedctl("seed", "--local", "--report", path)
    assert (result.code, result.out) == (3, "")
    assert f"[FileAccessError] The report {path} cannot be written: " in result.err
    assert "Resolution: Give --report a path in a folder that is there" in result.err
    assert "seedctl-new" not in result.err
    assert not (folder / ".amplify").exists()
    assert left_over(folder) == []


def test_a_read_only_report_is_not_replaced(
    folder: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only report is an error before the run, although its folder is writable."""
    may = os.access
    read_only = Path("kept.json").resolve()
    read_only.write_text("old")

    def access(path: str | Path, mode: int) -> bool:  # because root may write every file
        return may(path, mode) and (mode != os.W_OK or Path(path) != read_only)

    monkeypatch.setattr(os, "access", access)
    (folder / "amplify/seed/seed.py").write_text("print('ran')\n")
    result = seedctl("seed", "--local", "--report", str(read_only))
    assert (result.code, result.out, read_only.read_text()) == (3, "", "old")
    assert f"The report {read_only} cannot be written: Permission denied." in result.err


REMOVES_ITS_FOLDER = "import shutil\nset_secret('one', 'a1b2c3')\nshutil.rmtree('reports')\n"


@pytest.mark.parametrize(
    ("more", "code"), [pytest.param("", 3, id="done"), pytest.param("1 / 0\n", 1, id="failed")]
)
def test_a_report_that_cannot_be_written_in_the_end(
    folder: Path, seedctl: CommandLine, more: str, code: int
) -> None:
    """The summary is shown; the script's failure comes last, and the report's before it."""
    (folder / "reports").mkdir()
    (folder / "amplify/seed/seed.py").write_text(HEAD + REMOVES_ITS_FOLDER + more)
    result = seedctl("seed", "--local", "--report", "reports/r.json")
    assert result.code == code
    assert "1 secret set" in result.err
    assert "The report reports/r.json cannot be written: No such file or directory." in result.err
    last = "ZeroDivisionError: division by zero" if more else "FileAccessError"
    assert last in result.err
    assert ("Warning: The report" in result.err) is bool(more)
    assert "seedctl-new" not in result.err  # a name that the user does not know


def test_an_older_report_stays_if_the_new_one_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report is complete, or the earlier run's, and no other file is left."""
    Path("report.json").write_text("old")
    file = ReportFile("report.json")

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(FileAccessError, match="No space left on device"):
            file.finish(Report(), 0, None, {})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(FileAccessError, match="full"):
            file.finish(Report(), 0, None, {})
    assert Path("report.json").read_text() == "old"
    assert left_over(folder) == []


def test_a_run_writes_no_file_until_it_ends(folder: Path, run: Callable[..., Result]) -> None:
    """If the run is killed the older report is unchanged, and no other file is left."""
    Path("report.json").write_text("old")
    result = run("print(sorted(os.listdir()), open('report.json').read())\n")
    assert "seedctl-new" not in result.out
    assert result.out.endswith(" old\n")


def test_a_link_stays_a_link(folder: Path, run: Callable[..., Result]) -> None:
    """The file that it points to is written, although the script changes the folder."""
    (folder / "reports").mkdir()
    Path("report.json").symlink_to("reports/newest.json")
    assert run("os.chdir('/')\n").code == 0
    assert Path("report.json").is_symlink()
    assert read("reports/newest.json")["exit_code"] == 0
    assert left_over(folder / "reports") == []


def test_a_stream_is_not_replaced(folder: Path, seedctl: CommandLine) -> None:
    """/dev/stdout and named pipes receive the report, and stay what they are."""
    (folder / "amplify/seed/seed.py").write_text("")
    os.mkfifo("pipe")
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(Path("pipe").read_text()))
    reader.start()
    assert seedctl("seed", "--local", "--report", "pipe").code == 0
    reader.join()
    assert json.loads(got[0])["exit_code"] == 0
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    assert seedctl("seed", "--local", "--report", "/dev/null").code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_pipe_is_found_in_another_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second signal may end the run while the script's working directory is the current one."""
    os.mkfifo("pipe")
    reading = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    file = ReportFile("pipe")
    monkeypatch.chdir(folder / "amplify")
    file.finish(Report(), 143, None, {})
    assert json.loads(os.read(reading, 9999))["exit_code"] == 143
    os.close(reading)


def _into(
    folder: Path, target: str, script: str = "print('printed')\n", *, path: str = "/dev/stdout"
) -> None:
    """Run *script* with stdout redirected as a shell does it for *target*."""
    (folder / "amplify/seed/seed.py").write_text(script)
    flags = os.O_WRONLY | (os.O_APPEND if target.startswith(">>") else os.O_TRUNC)
    file = os.open("o", flags | os.O_CREAT)
    try:
        with QuickProcess(
            *("seed", "--local", "--report", path),
            cwd=folder,
            environment=environment(),
            stdout=subprocess.PIPE if target.startswith("|") else file,
            stderr=subprocess.STDOUT if target.endswith("2>&1") else None,
        ) as process:
            out, _ = process.communicate(timeout=60)
        if target.startswith("|"):
            os.write(file, out.encode())
    finally:
        os.close(file)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("target", "before", "path"),
    [
        pytest.param(">> o", "before\n", "/dev/stdout", id="appended"),
        pytest.param("> o", "", "/dev/stdout", id="written"),
        pytest.param("| cat > o", "", "/dev/stdout", id="a pipe"),
        pytest.param(">> o", "before\n", "/dev/fd/1", id="by its number"),
        pytest.param("> o", "", "/proc/self/fd/1", id="of the process"),
        pytest.param(">> o", "before\n", "link", id="by a link"),
    ],
)
def test_a_redirected_stdout_is_not_replaced(
    folder: Path, target: str, before: str, path: str
) -> None:
    """The report is appended to the file that stdout is redirected to."""
    Path("o").write_text("before\n")
    Path("link").symlink_to("/dev/stdout")
    inode = Path("o").stat().st_ino
    _into(folder, target, path=path)
    text = Path("o").read_text()
    assert text.startswith(f"{before}printed\n{{\n")
    assert json.loads(text.removeprefix(f"{before}printed\n"))["exit_code"] == 0
    assert Path("o").stat().st_ino == inode


def test_the_report_overwrites_nothing_that_another_program_has_written(folder: Path) -> None:
    """Its place is the end of the file, although the descriptor's own position is before that."""
    with Path("o").open("w") as file, Path("o").open("a") as of_another_program:
        of_another_program.write("another line\n" * 99)
        of_another_program.flush()
        ReportFile(f"/dev/fd/{file.fileno()}").finish(Report(), 0, None, {})
    before, mark, document = Path("o").read_text().rpartition("another line\n")
    assert (before + mark).count("another line\n") == 99
    assert json.loads(document)["exit_code"] == 0


def test_messages_after_the_report_do_not_overwrite_it(folder: Path) -> None:
    """With both streams in one file, the last message follows the report."""
    _into(folder, "> o 2>&1", "import seedctl\nseedctl.set_secret('a', 'value-of-a')\n")
    text = Path("o").read_text()
    document, end = json.JSONDecoder().raw_decode(text[text.index("{\n") :])
    assert document["exit_code"] == 0
    assert text[text.index("{\n") :][end:].startswith("\nsecret  a  set\n✔ Seeded in ")


def test_a_script_that_redirects_its_stdout(folder: Path) -> None:
    """The report goes to the stdout of the start, and not to a file of the script."""
    _into(folder, "> o", "import os\nos.close(1)\nassert os.open('own', os.O_CREAT | 2) == 1\n")
    assert read("o")["exit_code"] == 0
    assert Path("own").read_text() == ""


def test_a_pipe_without_a_reader(folder: Path, seedctl: CommandLine) -> None:
    """The error says that the pipe is broken."""
    (folder / "amplify/seed/seed.py").write_text("")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = seedctl("seed", "--local", "--report", f"/dev/fd/{writing}")
    finally:
        os.close(writing)
    assert result.code == 3
    assert f"The report /dev/fd/{writing} cannot be written: Broken pipe." in result.err


@pytest.mark.parametrize("name", ["reading", "none", "99999999999"])
def test_a_descriptor_that_cannot_be_written(folder: Path, seedctl: CommandLine, name: str) -> None:
    """A descriptor that is closed, or open for reading, is refused before the run."""
    (folder / "amplify/seed/seed.py").write_text("print('ran')\n")
    with Path("package.json").open() as file:
        path = f"/dev/fd/{file.fileno() if name == 'reading' else name}"
        result = seedctl("seed", "--local", "--report", path)
    assert (result.code, result.out) == (3, "")
    assert f"The report {path} cannot be written: " in result.err


def test_threads_that_outlive_the_run_do_not_change_the_report(folder: Path) -> None:
    """What they report while it is written is not in it."""
    report = Report()
    report.on_event(Event("user", "ann", "created"))
    report.on_event(Event("record", "Todo", "created"))

    class Telling(list[Event]):
        def __iter__(self) -> Iterator[Event]:
            # While the original is read, no other thread can report anything.
            assert self is not report.events or report._lock.locked()
            return super().__iter__()

    report.events = Telling(report.events)
    found = report.copy()
    report.on_event(Event("user", "bea", "created"))
    report.on_event(Event("record", "Todo", "created"))
    report.on_warning("late")
    ReportFile("report.json").finish(found, 0, None, {})
    assert [each["name"] for each in read()["things"]] == ["ann"]
    assert [each["count"] for each in read()["counts"]] == [1]
    assert (read()["warnings"], found.started) == ([], report.started)


def test_the_name_of_a_user_that_failed_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """Also if it is a word that messages keep."""
    masking.register("user")
    report = ConsoleReport(Console(Settings()))
    report.on_event(Event("user", "user", "failed", "X: no such user"))
    report.show()
    assert capsys.readouterr().err == "1 user failed: X: no such user (***)\n"


def test_a_user_that_is_not_finished_is_a_failure(folder: Path) -> None:
    """A run that ends between the steps of a creation reports the user."""
    report = Report()
    report.on_event(Event("user", "ann", "unfinished"))
    ReportFile("report.json").finish(report, 143, None, {})
    assert (read()["failed"], len(read()["failures"])) == (1, 1)
    (user,) = read()["things"]
    assert (user["name"], user["state"]) == ("ann", "unfinished")


def test_values_are_masked_before_json_escapes_them(folder: Path) -> None:
    """A secret with quotes and line breaks is found, in any text of the document."""
    masking.register('two\n"lines"')
    report = Report()
    report.on_warning('it is two\n"lines"')
    report.on_event(Event("user", 'two\n"lines"', "failed", 'X: two\n"lines"'))
    ReportFile("report.json").finish(report, 1, None, {})
    assert read()["warnings"] == ["it is ***"]
    assert (read()["failures"][0]["name"], read()["failures"][0]["detail"]) == ("***", "X: ***")


def test_a_secret_that_is_a_word_of_the_document(folder: Path) -> None:
    """Keys, kinds and states are not masked; names and texts are, also in a cause."""
    for word in ("user", "read", "name", "record", "Todo", "1"):
        masking.register(word)
    report = Report()
    report.on_event(Event("user", "user", "existed", "read"))
    report.on_event(Event("user", "user", "failed", "CognitoError: The user is not read."))
    report.on_event(Event("record", "Todo", "created"))
    report.on_warning("The user was read.")
    error = FileAccessError("1 user", resolution="The user.")
    error.__cause__ = ValueError("1 user")
    ReportFile("report.json").finish(report, 1, error, {"GetUser": {"calls": 1}})
    document = read()
    shown = [
        {name: value for name, value in thing.items() if name != "at"}
        for thing in (*document["things"], *document["failures"])
    ]
    failed = {"kind": "user", "name": "***", "state": "failed"}
    failed["detail"] = "CognitoError: The user is not read."
    assert shown == [
        {"kind": "user", "name": "***", "state": "existed", "detail": "***"},
        failed,
        failed,
    ]
    assert document["counts"][0]["kind"] == "record"
    assert document["counts"][0]["name"] == "***"
    assert document["warnings"] == ["The user was read."]
    assert document["error"] == {
        "name": "FileAccessError",
        "message": "1 user",
        "resolution": "The user.",
        "cause": "ValueError: *** ***",
    }


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("the Pl4nted-one"), id="not of seedctl"),
        pytest.param(FileAccessError("the Pl4nted-one", resolution="Pl4nted-one"), id="seedctl's"),
    ],
)
def test_no_error_and_no_target_shows_a_secret(folder: Path, error: Exception) -> None:
    """The error that ended a run, its causes and the target are masked too."""
    masking.register("Pl4nted-one")
    report, path, name = Report(), folder / "Pl4nted-one", "Pl4nted-one"
    report.on_target(Target(path, name, path, 0, "pool", "LOCAL", f"is {name}"))
    outer = FileAccessError("outer")
    outer.__cause__ = error
    for each in (error, outer):
        ReportFile("report.json").finish(report, 1, each, {})
        text = Path("report.json").read_text(encoding="utf-8")
        assert "Pl4nted" not in text
        assert "the ***" in text
        assert read()["target"]["sandbox"] == "***"
        assert read()["target"]["check"] == "is ***"


def test_the_check_leaves_no_file(folder: Path) -> None:
    """The check before the run creates no file where there was none."""
    ReportFile("report.json")
    assert not Path("report.json").exists()
    assert left_over(folder) == []


# --- the page ------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "report.md"


def _example() -> dict[str, Any]:
    found = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    document: dict[str, Any] = json.loads(found[0])
    return document


def _shape(value: Any) -> Any:
    """Return names and types in *value*; of a list, those of its first item."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        shapes = [_shape(each) for each in value]
        assert all(shape == shapes[0] for shape in shapes)
        return shapes[:1]
    return float if isinstance(value, int | float) else type(value)


def test_the_documented_example_is_a_report(run: Callable[..., Result]) -> None:
    """The example on the page has the fields of a report, in its order, and their types."""
    assert (
        run(
            f"{SIGN_IN}"
            "rows = [{'content': n if n == 7 else 'x'} for n in range(20)]\n"
            "data.generate_client().models.Todo.create_many(rows, on_error='collect')\n"
        ).code
        == 1
    )
    real, example = read(), _example()
    real["things"] = [each for each in real["things"] if each["kind"] == "user"]
    assert _shape(real) == _shape(example)
    assert json.dumps(_shape(real), default=str) == json.dumps(_shape(example), default=str)
    assert real["failures"][0]["detail"] == example["failures"][0]["detail"]
    assert PASSWORD not in json.dumps(real)


def test_every_field_is_documented() -> None:
    """Each name in a report is in one of the page's tables or lists."""
    text = PAGE.read_text(encoding="utf-8")
    stack: list[Any] = [_example()]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            for name in value:
                assert f"`{name}`" in text, name
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    for state in get_args(State):
        assert f"`{state}`" in text, state
    for kind in get_args(Kind):
        assert f"`{kind}`" in text, kind


@pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq")
def test_the_documented_summary_works(tmp_path: Path) -> None:
    """The page's workflow step summarises the page's example, and a run that failed."""
    step = re.search(r"run: \|\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert step is not None
    example = _example()
    error = {"name": "SeedingFailedError", "message": "It failed.", "resolution": None}
    (user,) = example["things"]
    things = [{**user, "kind": "secret", "state": "read"}, user, user]
    failed = {**example, "things": [], "counts": [], "failures": []}
    for document in (
        example,
        {**failed, "things": things, "error": {**error, "cause": "ValueError: no luck"}},
        {**failed, "error": {**error, "cause": None}},
    ):
        (tmp_path / "report.json").write_text(json.dumps(document), encoding="utf-8")
        subprocess.run(
            ["sh", "-euc", step[1]],
            cwd=tmp_path,
            env={**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")},
            check=True,
            timeout=60,
        )
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").splitlines() == [
        "Seeding ended with 1 after 2.412 s.",
        "* 1 users created",
        "* 1999 records of Todo created",
        "* 1 records of Todo failed",
        f"* record Todo: {example['failures'][0]['detail']}",
        "Seeding ended with 1 after 2.412 s.",
        "**SeedingFailedError** It failed. ValueError: no luck",
        "* 1 secrets read",
        "* 2 users created",
        "Seeding ended with 1 after 2.412 s.",
        "**SeedingFailedError** It failed.",
    ]
