"""A seed script in this process: its environment, what is restored, and its failures."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import seedctl
from seedctl import connect, current_backend, interruption
from seedctl.errors import NoBackendError, SeedingFailedError, SSMParameterNotFoundError
from seedctl.masking import register
from seedctl.report import Report
from seedctl.runner.script import run_script, shadowed_modules
from seedctl.runner.script_trace import failure_text, location, script_trace
from tests.running import CommandLine, make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Seed = Callable[..., Report]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the seed script."""
    return make_project(tmp_path / "project") / "amplify" / "seed"


@pytest.fixture
def seed(folder: Path) -> Seed:
    """Run a text as the seed script, by default against the local sandbox."""

    def run(
        text: str, *arguments: str, files: Mapping[str, str] | None = None, **settings: Any
    ) -> Report:
        for name, content in {**(files or {}), "seed.py": text}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        report = Report()
        chosen = {"identifier": "dev1", "local": True, "observer": report, **settings}
        with connect(folder.parent.parent, **chosen) as backend:
            run_script(folder / "seed.py", backend, arguments)
        return report

    return run


def _failure(seed: Seed, text: str, **how: Any) -> BaseException:
    """Return the exception that the script raised."""
    with pytest.raises(SeedingFailedError) as caught:
        seed(text, **how)
    assert caught.value.__cause__ is not None
    return caught.value.__cause__


# --- what the script sees ------------------------------------------------------------------------

SHOW_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


def test_the_environment_of_a_local_run(
    seed: Seed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any AWS client that the script starts uses the sandbox, and has no real credentials."""
    real = {
        "AWS_PROFILE": "production",
        "AWS_DEFAULT_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL_SSM": "https://ssm.example.com",
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "https://idp.example.com",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    }
    for name, value in real.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    seed(SHOW_ENVIRONMENT)
    seen = json.loads(capsys.readouterr().out)
    assert seen["SEEDCTL_LOCAL"] == "1"
    assert seen["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert (seen["AWS_ACCESS_KEY_ID"], seen["AWS_SECRET_ACCESS_KEY"]) == ("local", "local")
    assert (seen["AWS_REGION"], seen["AWS_DEFAULT_REGION"]) == ("us-east-1", "us-east-1")
    assert seen["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "false"
    gone = real.keys() - {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    }
    assert gone & seen.keys() == set()
    assert json.loads(seen["AMPLIFY_BACKEND_IDENTIFIER"])["name"] == "dev1"
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("settings", "expected", "gone"),
    [
        pytest.param({}, {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_PROFILE": "mine"}, set(), id="none"),
        pytest.param(
            {"profile": "dev"},
            {"AWS_PROFILE": "dev"},
            {
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "AWS_DEFAULT_PROFILE",
            },
            id="--profile",
        ),
        pytest.param(
            {"region": "eu-west-1"},
            {
                "AWS_REGION": "eu-west-1",
                "AWS_DEFAULT_REGION": "eu-west-1",
                "AWS_ACCESS_KEY_ID": "AKIAENV",
            },
            set(),
            id="--region",
        ),
        pytest.param(
            {"endpoint_url": "http://127.0.0.1:4566"},
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ACCESS_KEY_ID": "AKIAENV"},
            {"AWS_ENDPOINT_URL_SSM"},
            id="--endpoint-url",
        ),
    ],
)
def test_the_environment_of_a_run_on_aws(
    seed: Seed,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    expected: dict[str, str],
    gone: set[str],
) -> None:
    """The command line's options apply to the script's own clients; the rest is unchanged."""
    environment = {
        "AWS_PROFILE": "mine",
        "AWS_DEFAULT_PROFILE": "mine",
        "AWS_ACCESS_KEY_ID": "AKIAENV",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_SESSION_TOKEN": "x",
        "AWS_ENDPOINT_URL_SSM": "https://ssm.example.com",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    seed(SHOW_ENVIRONMENT, local=False, **settings)
    seen = json.loads(capsys.readouterr().out)
    assert {name: seen.get(name) for name in expected} == expected
    assert environment.keys() - seen.keys() == gone
    assert "SEEDCTL_LOCAL" not in seen
    assert json.loads(seen["AMPLIFY_BACKEND_IDENTIFIER"])["name"] == "dev1"
    assert dict(os.environ) == before


def test_a_script_that_connects_stays_local(
    seed: Seed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """connect() within a --local run uses the same sandbox, and never the real AWS."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    seed(
        "from seedctl import connect, set_secret\n"
        "set_secret('key', 'the-value')\n"
        "with connect() as backend:\n"
        "    print(backend.aws.is_local, backend.identifier.name, backend.secrets.get('key'))\n"
    )
    assert capsys.readouterr().out == "True dev1 the-value\n"


def test_another_client_of_the_script_stays_local(
    seed: Seed, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plain botocore client in a --local run reads what seedctl wrote."""
    seed(
        "import botocore.session\n"
        "from seedctl import current_backend, set_secret\n"
        "set_secret('key', 'the-value')\n"
        "path = current_backend().identifier.parameter_path('key')\n"
        "ssm = botocore.session.Session().create_client('ssm')\n"
        "reply = ssm.get_parameter(Name=path, WithDecryption=True)\n"
        "print(reply['Parameter']['Value'])\n"
        "ssm.close()\n"
    )
    assert capsys.readouterr().out == "the-value\n"


def test_the_arguments_of_a_script(
    seed: Seed, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first is the script's path, as for any Python program."""
    seed("import sys; print(sys.argv)", "--fast", "x")
    assert capsys.readouterr().out == f"{[str(folder / 'seed.py'), '--fast', 'x']}\n"


# --- what the script leaves behind ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["stdout", "stderr", "stdin"])
@pytest.mark.parametrize("end", ["", "\nraise ValueError('after')"], ids=["well", "failing"])
def test_the_streams_are_restored(seed: Seed, name: str, end: str) -> None:
    """A script may replace and even close a stream; the caller's is unchanged."""
    before = getattr(sys, name)
    text = f"import io, sys\nsys.{name} = io.StringIO()\nsys.{name}.close(){end}"
    if end:
        assert str(_failure(seed, text)) == "after"
    else:
        seed(text)
    assert getattr(sys, name) is before


def test_a_failure_is_reported_where_the_script_broke_the_streams(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line still has its own stderr to report the failure."""
    (folder / "seed.py").write_text(
        "import io, sys\n"
        "sys.stdout = sys.stderr = io.StringIO()\n"
        "sys.stderr.close()\n"
        "raise ValueError('the reason')\n"
    )
    monkeypatch.chdir(folder)
    result = CommandLine(capsys, monkeypatch)("seed", "--local")
    assert result.code == 1
    assert "ValueError: the reason" in result.err
    assert "at " in result.err
    assert "[SeedingFailedError]" in result.err


def test_the_process_wide_state_of_python_is_restored(seed: Seed, tmp_path: Path) -> None:
    """Hooks, finders, paths, limits, filters and the working directory are as before."""

    def state() -> tuple[list[object], list[object]]:
        same: list[object] = [
            sys.path,
            sys.meta_path,
            sys.argv,
            sys.excepthook,
            threading.excepthook,
        ]
        equal: list[object] = [
            *(list(sys.path), list(sys.meta_path), list(sys.argv), list(warnings.filters)),
            *(sys.getrecursionlimit(), Path.cwd()),
            *map(signal.getsignal, (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)),
        ]
        return same, equal

    same, equal = state()
    path, finders, filters = list(sys.path), list(sys.meta_path), list(warnings.filters)
    error = _failure(
        seed,
        "import os, signal, sys, threading, warnings\n"
        "sys.path.append('/elsewhere')\n"
        "sys.path = ['/nowhere']\n"
        "sys.meta_path.insert(0, None)\n"
        "sys.meta_path = []\n"
        "sys.argv = ['x']\n"
        "sys.excepthook = threading.excepthook = print\n"
        "warnings.simplefilter('ignore')\n"
        "sys.setrecursionlimit(5000)\n"
        "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "os.chdir('/')\n"
        "1 / 0\n",
    )
    assert isinstance(error, ZeroDivisionError)
    after_same, after_equal = state()
    assert all(now is before for now, before in zip(after_same, same, strict=True))
    assert after_equal == equal
    assert (sys.path, sys.meta_path, list(warnings.filters)) == (path, finders, filters)


def test_a_script_may_run_in_any_thread(seed: Seed) -> None:
    """Signal handlers can be set in the main thread only: in others they are left alone."""
    reports: list[Report] = []
    text = "from seedctl import set_secret\nset_secret('key', 'the-value')"
    thread = threading.Thread(target=lambda: reports.append(seed(text)))
    thread.start()
    thread.join()
    assert [event.name for event in reports[0].events] == ["key"]


def test_namespace_packages_are_forgotten(seed: Seed) -> None:
    """Those of the script are removed like its modules, at any depth."""
    # Many, because the order in which they are removed depends on the hashes of their names.
    files = {f"fixture_names/{name}/deep/people.py": "NAME = 'ann'" for name in "abcdefgh"}
    files["helper_of_the_seed.py"] = ""
    imports = [f"fixture_names.{name}.deep.people" for name in "abcdefgh"]
    seed("\n".join(f"import {name}" for name in [*imports, "helper_of_the_seed"]), files=files)
    assert [name for name in sys.modules if name.startswith(("fixture_names", "helper_of"))] == []


def test_modules_of_libraries_stay(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that the script imported first stays, because its threads may need it."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    seed("import colorsys")
    assert "colorsys" in sys.modules


def test_a_script_may_remove_the_working_directory(
    seed: Seed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it cannot be restored, which is no failure of the run."""
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    monkeypatch.setenv("AWAY", str(away))
    seed("import os; os.rmdir(os.environ['AWAY'])")
    assert not away.exists()


def test_a_run_from_a_removed_working_directory(
    seed: Seed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -C it does not matter that the working directory no longer exists."""
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    away.rmdir()
    seed("import os; print(os.path.basename(os.getcwd()))")
    assert capsys.readouterr().out == "project\n"


# --- threads -------------------------------------------------------------------------------------


def test_threads_of_the_script_are_awaited(seed: Seed) -> None:
    """A thread, and one that it starts, finish their work while the backend is active."""
    report = seed(
        "import threading, time\n"
        "from seedctl import set_secret\n"
        "def second():\n"
        "    time.sleep(0.05)\n"
        "    set_secret('second', 'the-value')\n"
        "def first():\n"
        "    time.sleep(0.05)\n"
        "    set_secret('first', 'the-value')\n"
        "    threading.Thread(target=second).start()\n"
        "threading.Thread(target=first).start()\n"
    )
    assert [event.name for event in report.events] == ["first", "second"]


def test_the_backend_is_active_until_the_threads_have_ended(folder: Path) -> None:
    """Also where the caller has no block of the backend around the run, as in tests with pytest."""
    (folder / "seed.py").write_text(
        "import threading, time\n"
        "from seedctl import set_secret\n"
        "def work():\n"
        "    time.sleep(0.1)\n"
        "    set_secret('late', 'the-value')\n"
        "threading.Thread(target=work).start()\n"
    )
    report = Report()
    backend = connect(folder.parent.parent, identifier="dev1", local=True, observer=report)
    try:
        run_script(folder / "seed.py", backend)
    finally:
        backend.close()
    assert [event.name for event in report.events] == ["late"]


def test_threads_of_a_failing_script_are_awaited(seed: Seed, folder: Path) -> None:
    """Threads end before the failure is raised, as at the end of any Python program."""
    _failure(
        seed,
        "import pathlib, threading, time\n"
        "def work():\n"
        "    time.sleep(0.05)\n"
        "    pathlib.Path(__file__).with_name('done').touch()\n"
        "threading.Thread(target=work).start()\n"
        "1 / 0\n",
    )
    assert (folder / "done").exists()


def test_a_pool_that_was_not_shut_down_finishes_its_work(
    seed: Seed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the end of a Python program: queued work is done, and its threads end."""
    monkeypatch.setattr(threading, "held_by_a_library", None, raising=False)
    seed(
        "import threading, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from seedctl import set_secret\n"
        "pool = threading.held_by_a_library = ThreadPoolExecutor(1)\n"
        "pool.submit(time.sleep, 0.2)\n"
        "pool.submit(lambda: print(set_secret('late', 'value')))\n",
    )
    assert capsys.readouterr().out == "late\n"
    pool: Any = threading.held_by_a_library  # type: ignore[attr-defined]
    assert not any(thread.is_alive() for thread in pool._threads)


def test_daemon_threads_are_not_awaited(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon thread does not delay the end of the run, as in any Python program."""
    release = threading.Event()
    monkeypatch.setattr(threading, "lent", release, raising=False)
    seed(
        "import threading\n"
        "wait = threading.lent.wait\n"
        "threading.Thread(target=wait, args=(60,), name='of the script', daemon=True).start()\n"
    )
    assert "of the script" in {thread.name for thread in threading.enumerate()}
    release.set()


@pytest.mark.parametrize("when", ["in the script", "at its end"])
def test_after_a_signal_threads_are_awaited_for_a_short_time(
    seed: Seed, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Running work is awaited for two seconds, and queued work is not started."""
    monkeypatch.setattr(interruption, "GRACE_SECONDS", 0.1)
    release = threading.Event()
    done: list[str] = []
    pools: list[ThreadPoolExecutor] = []
    monkeypatch.setattr(threading, "lent", (release, done, pools), raising=False)
    script = (
        "import threading, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from seedctl import interruption\n"
        "release, done, pools = threading.lent\n"
        "def interrupt():\n"
        "    interruption.set_requested(True)\n"
        "    raise KeyboardInterrupt\n"
        "pool = ThreadPoolExecutor(1)\n"
        "pools.append(pool)\n"
        "pool.submit(release.wait)\n"
        "pool.submit(done.append, 'queued')\n"
    )
    if when == "in the script":
        script += "interrupt()\n"
    else:
        shutdown = ThreadPoolExecutor.shutdown

        def interrupt_once(*arguments: Any, **options: Any) -> None:
            monkeypatch.setattr(ThreadPoolExecutor, "shutdown", shutdown)
            interruption.set_requested(True)
            raise KeyboardInterrupt

        monkeypatch.setattr(ThreadPoolExecutor, "shutdown", interrupt_once)
    try:
        with pytest.raises(KeyboardInterrupt):
            seed(script)
    finally:
        release.set()
    for thread in pools[0]._threads:
        thread.join()
    assert done == []


def test_after_the_run_nothing_connects_by_itself(seed: Seed) -> None:
    """A thread that outlives a --local run must not connect to the real AWS."""
    seed("print('ran')")
    with pytest.raises(NoBackendError, match="outside of every with block"):
        current_backend()


# --- failures ------------------------------------------------------------------------------------


def test_a_trace_shows_the_scripts_own_frames(seed: Seed) -> None:
    """No frame of seedctl, runpy or botocore is shown, in causes and contexts neither."""
    error = _failure(
        seed,
        "from seedctl import get_secret\n"
        "def read():\n"
        "    try:\n"
        "        get_secret('never-set')\n"
        "    except Exception as error:\n"
        "        raise ValueError('no secret') from error\n"
        "try:\n"
        "    read()\n"
        "except ValueError:\n"
        "    {}['while handling']\n",
    )
    assert isinstance(error.__context__, ValueError)
    assert isinstance(error.__context__.__cause__, SSMParameterNotFoundError)
    trace = script_trace(error)
    for shown in ("get_secret('never-set')", "raise ValueError('no secret')", "{}['while handling"):
        assert shown in trace
    assert "ParameterNotFound" in trace
    for hidden in ("runpy", "<frozen", "botocore/", str(Path(seedctl.__file__).parent)):
        assert hidden not in trace
    places = {line.split('"')[1] for line in trace.splitlines() if line.startswith("  File ")}
    assert {Path(place).name for place in places} == {"seed.py"}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with 3.11")
def test_a_trace_of_a_group_shows_the_scripts_own_frames(seed: Seed) -> None:
    """The exceptions of a task group are shown without frames of libraries too."""
    error = _failure(
        seed,
        "from seedctl import get_secret\n"
        "try:\n"
        "    get_secret('never-set')\n"
        "except Exception as error:\n"
        "    raise ExceptionGroup('all of them', [error])\n",
    )
    trace = script_trace(error)
    assert "all of them" in trace
    assert "get_secret('never-set')" in trace
    assert "seedctl/secrets.py" not in trace
    assert "runpy" not in trace


def test_the_text_of_a_failure_is_masked(folder: Path) -> None:
    """Trace, message, place, causes and resolution show no secret."""
    register("Pl4nted-one")
    folder = folder.rename(folder.with_name("Pl4nted-one"))
    error = SeedingFailedError("Not Pl4nted-one.", resolution="Not Pl4nted-one.")
    try:
        exec(compile("int('Pl4nted-one')", folder / "seed.py", "exec"))
    except ValueError as cause:
        cause.__cause__ = LookupError("no Pl4nted-one")
        error.__cause__ = cause
    assert failure_text(error, folder / "seed.py").splitlines()[-6:] == [
        "ValueError: invalid literal for int() with base 10: '***'",
        "[SeedingFailedError] Not ***.",
        f"  at {folder.parent}/***/seed.py, line 1",
        "  ∟ Caused by: [ValueError] invalid literal for int() with base 10: '***'",
        "    ∟ Caused by: [LookupError] no ***",
        "Resolution: Not ***.",
    ]
    assert "Pl4nted" not in failure_text(error, folder / "seed.py")


def test_the_location_of_a_failure_is_in_the_script(seed: Seed, folder: Path) -> None:
    """The last line in the script's folder is named, even if a library failed below it."""
    error = _failure(seed, "import json\n\njson.loads('{')\n")
    assert location(error, folder / "seed.py") == (folder / "seed.py", 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("raise SystemExit(3)", SystemExit, id="exit"),
        pytest.param("raise KeyboardInterrupt", KeyboardInterrupt, id="interrupt"),
        pytest.param(
            "from seedctl import get_secret\nget_secret('never-set')",
            SSMParameterNotFoundError,
            id="an error of seedctl's",
        ),
    ],
)
def test_exits_interrupts_and_seedctl_errors_are_not_wrapped(
    seed: Seed, text: str, expected: type[BaseException]
) -> None:
    """They are raised unchanged."""
    with pytest.raises(expected):
        seed(text)


def test_modules_that_cannot_be_imported_are_named(folder: Path) -> None:
    """A file named like a loaded module would be ignored without a message."""
    for name in ("click.py", "json.py", "names_of_the_users.py", "seed.py"):
        (folder / name).touch()
    __import__("click")
    assert shadowed_modules(folder / "seed.py") == ["click.py", "json.py"]


def test_a_module_of_the_scripts_folder_that_is_loaded_is_not_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test may have imported it before, and the script gets the same module."""
    (folder / "names_of_the_users.py").touch()
    loaded = ModuleType("names_of_the_users")
    loaded.__file__ = str(folder / "names_of_the_users.py")
    monkeypatch.setitem(sys.modules, loaded.__name__, loaded)
    assert shadowed_modules(folder / "seed.py") == []
