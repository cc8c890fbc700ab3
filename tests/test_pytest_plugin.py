"""The pytest plugin, in runs of pytest inside this one."""

from __future__ import annotations

import ast
import importlib
import json
import shutil
import textwrap
import time
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import Backend, process_state, pytest_plugin, testing
from seedctl.auth import Authenticator
from seedctl.local import LocalSandbox
from seedctl.masking import mask
from tests.running import PASSWORD, options_of
from tests.test_docs import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]

SEED = """
from seedctl import create_and_sign_up_user, data, get_secret, sign_in_user, storage

create_and_sign_up_user("ann@example.com", get_secret("ann-password"))
create_and_sign_up_user("eve@example.com", get_secret("eve-password"), groups=["EDITORS"])
sign_in_user("eve@example.com", get_secret("eve-password"))
data.generate_client().models.Todo.create({"id": "first", "content": "Milk"}, auth_mode="userPool")
storage.upload_data("pictures/first.txt", "x")
"""

READS_A_SECRET = "from seedctl import get_secret\nget_secret('the-password')\n"

# Each test would fail if it found what the other one leaves.
SUITE = """
import sys

import pytest
from seedctl import create_and_sign_up_user, current_backend, data, get_secret, sign_in_user, storage
from seedctl.errors import NoBackendError, SSMParameterNotFoundError, UserUnAuthenticatedException

sessions = []

def todos(session):
    return session.data.models.Todo.list_all(auth_mode="userPool")

@pytest.mark.parametrize("number", range(2))
def test_everything_is_restored(seeded_backend, as_user, number):
    eve, ann = as_user("eve@example.com"), as_user("ann@example.com")
    assert current_backend() is seeded_backend
    assert [todo.content for todo in todos(ann)] == ["Milk"]
    eve.data.models.Todo.create({"content": "Bread"}, auth_mode="userPool")
    eve.storage.upload_data("pictures/second.txt", "y")
    assert len(eve.storage.list("pictures/", page_size=10).items) == 2
    create_and_sign_up_user("bob@example.com", get_secret("ann-password"))
    sign_in_user("bob@example.com", get_secret("ann-password"))
    assert as_user("bob@example.com").username == "bob@example.com"
    assert [each.is_signed_in for each in sessions] == [False] * len(sessions)
    sessions[:] = [eve, ann]

def test_a_missing_secret_is_missing(seeded_backend):
    with pytest.raises(SSMParameterNotFoundError):
        get_secret("never-read-by-the-seed")

def test_nobody_is_signed_in(seeded_backend, as_user):
    from seedctl.auth import get_current_user
    with pytest.raises(UserUnAuthenticatedException):
        get_current_user()
    as_user("ann@example.com")

def test_functions_act_on_the_backend_during_a_test_only(seedctl_backend):
    assert seedctl_backend.auth.open_sessions() == frozenset()
    with pytest.raises(NoBackendError):
        get_secret("ann-password")
"""


FAKE_BROWSER = """
import pytest
from seedctl import current_backend

class Page:
    def __init__(self):
        self.typed = {}
        self.user = None

    def goto(self, address):
        assert address == "http://localhost:5173"

    def get_by_label(self, label):
        return Part(lambda text: self.typed.update({label: text}))

    def get_by_role(self, role, name):
        return Part(lambda: name == "Confirm" and self.confirm())

    def get_by_text(self, text):
        assert self.user == text
        return Part(lambda: None)

    def confirm(self):
        session = current_backend().auth.sign_in(
            self.typed["Email"], self.typed["Password"], sign_in_flow="MFA",
            sign_in_challenge=lambda: self.typed["Code"])
        assert session.mfa_method == "TOTP"
        self.user = session.current_user().login_id

class Part:
    def __init__(self, act):
        self.fill = self.click = self.wait_for = act

@pytest.fixture
def page():
    return Page()

@pytest.fixture(scope="session")
def site(outputs_file):
    assert outputs_file.exists()
    return "http://localhost:5173"
"""

_STATE_AND_PACKAGES = shutil.ignore_patterns(".amplify", "node_modules")


def _block(page: str, part: str) -> str:
    """Return the code block of *page* that contains *part*."""
    (text,) = [block.text for block in BLOCKS if block.page.name == page and part in block.text]
    return text


@pytest.fixture(scope="module")
def _everything_is_loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load what the runs need: at its end, each run unloads the modules that it has loaded."""
    folder = tmp_path_factory.mktemp("loaded")
    make_sample_project(folder)
    with process_state.fresh(), testing.SeededSandbox(folder / "state", project_dir=folder) as it:
        it.restore()
        it.restore()
        assert it.sign_in("eve@example.com").storage.list("pictures/", page_size=10).items


def make_sample_project(folder: Path) -> None:
    """Make a project whose seed script makes two users, a record and a file."""
    for name in ("amplify_outputs.json", "package.json"):
        shutil.copy(ROOT / "sample_project" / name, folder)
    write_seed(folder, SEED)


@pytest.fixture
def project(pytester: pytest.Pytester, _everything_is_loaded: None) -> Path:
    make_sample_project(pytester.path)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    return pytester.path


def write_seed(folder: Path, text: str) -> None:
    script = folder / "amplify" / "seed" / "seed.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(text, encoding="utf-8")


@pytest.fixture
def run(pytester: pytest.Pytester, project: Path) -> Callable[..., pytest.RunResult]:
    """Return a function that runs the tests in a text, in this process."""

    def run(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(textwrap.dedent(tests))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", *options)

    return run


def left_over(pytester: pytest.Pytester) -> list[str]:
    """Return the states of sandboxes that runs of pytest have left."""
    return [str(path) for path in pytester.path.rglob("state.db")]


def test_each_test_gets_the_seeded_state(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """Users, records, files, sign-ins and passwords of a test are gone in the next one."""
    run(SUITE).assert_outcomes(passed=5)
    assert left_over(pytester) == []
    assert not (pytester.path / ".amplify").exists()


def test_the_documented_job_works(pytester: pytest.Pytester) -> None:
    """The job of the page runs the first suite of the page, in a worker that leaves nothing."""
    yaml = importlib.import_module("yaml")  # installed with moto, but without type stubs
    job = yaml.safe_load(_block("testing-without-pytest.md", "name: Tests"))["jobs"]["tests"]
    command = next(step["run"] for step in job["steps"] if step.get("name") == "Test")
    assert command == "python -m pytest -n 2 tests"
    shutil.copytree(
        ROOT / "sample_project", pytester.path, dirs_exist_ok=True, ignore=_STATE_AND_PACKAGES
    )
    (pytester.path / "tests").mkdir()
    suite = _block("testing.md", "def test_a_reader_sees_the_todo")
    (pytester.path / "tests" / "test_todos.py").write_text(suite, encoding="utf-8")
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    base = pytester.path / "base"
    # A worker has a process and a folder of its own, so that one shows what each of two does.
    others = ("cacheprovider", "hypothesispytest", "pytest_cov", "timeout")
    options = [f"--basetemp={base}", *(f"-pno:{name}" for name in others)]
    result = pytester.runpytest_inprocess("-n", "1", "tests", *options)
    result.assert_outcomes(passed=3)
    assert sorted(path.name for path in base.rglob("*")) == ["popen-gw0"]
    assert not (pytester.path / ".amplify").exists()


def test_the_documented_browser_test_works(
    run: Callable[..., pytest.RunResult],
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The TOTP user of the page signs in with what the test types, here without a browser."""
    # The seed uses the code of the previous 30 seconds, so that the test need not wait for the next.
    now = time.time()
    times = iter([now - 30, now])
    monkeypatch.setitem(options_of(Authenticator.__init__), "clock", lambda: next(times))
    monkeypatch.setitem(options_of(LocalSandbox.start), "clock", lambda: now)
    write_seed(pytester.path, _block("testing.md", "def enroll(setup)"))
    outputs = json.loads((pytester.path / "amplify_outputs.json").read_text())
    outputs["auth"].update(mfa_configuration="REQUIRED", mfa_methods=["TOTP"])
    (pytester.path / "amplify_outputs.json").write_text(json.dumps(outputs))
    (pytester.path / "src").mkdir()
    pytester.makeconftest(FAKE_BROWSER)
    secrets = _block("testing.md", "def seedctl_secrets")
    run(secrets + _block("testing.md", "def test_a_user_signs_in")).assert_outcomes(passed=1)
    written = json.loads((pytester.path / "src" / "local_outputs.json").read_text())
    assert written["data"]["url"].startswith("http://127.0.0.1:")


def test_nothing_is_loaded_before_a_fixture_is_used() -> None:
    """In a project that has seedctl installed for other reasons, the plugin costs nothing."""
    (entry,) = entry_points(group="pytest11", name="seedctl")
    assert entry.value == pytest_plugin.__name__
    body = ast.parse(Path(pytest_plugin.__file__).read_text(encoding="utf-8")).body
    imports = [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert "import pytest" in imports
    assert not [line for line in imports if "seedctl" in line]


def test_a_failed_seed_is_explained_once(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """The first test shows the script's own lines, the others one sentence, and none the secret."""
    write_seed(
        pytester.path,
        "from seedctl import get_secret\n\n"
        "def convert(text):\n    return int(text)\n\n"
        "print(get_secret('the-password'))\nconvert(get_secret('the-password'))\n",
    )
    tests = """
    import pytest

    @pytest.fixture(scope="session")
    def seedctl_secrets():
        return {"other": "x"}

    @pytest.mark.parametrize("number", range(3))
    def test(seeded_backend, number):
        pass
    """
    result = run(tests)
    result.assert_outcomes(errors=3)
    shown = result.stdout.str()
    assert shown.count("Traceback (most recent call last)") == 1
    assert shown.count("    return int(text)") == 1
    assert "ValueError: invalid literal for int() with base 10: '***'" in shown
    assert "No value was given for the secrets the-password" in shown
    assert (
        shown.count("Seeding has failed before: [SeedingFailedError] The seed script seed.py") >= 2
    )
    assert "runpy" not in shown
    assert "Aa1!" not in shown
    assert left_over(pytester) == []


def test_one_worker_shows_why_the_seed_failed(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """If another worker of pytest-xdist has shown the script's error, this one does not."""
    write_seed(pytester.path, "import sys\nsys.exit(3)\n")
    pytester.makeconftest("def pytest_configure(config):\n    config.workerinput = {}\n")
    tests = "def test(seeded_backend):\n    pass\n"
    base = pytester.path / "base"
    base.mkdir()
    first, second = (run(tests, f"--basetemp={base / name}") for name in ("gw0", "gw1"))
    first.stdout.fnmatch_lines(
        "[[]SeedingFailedError] The seed script seed.py ended with sys.exit(3)."
    )
    second.stdout.fnmatch_lines("[[]SeedingFailedError] Seeding has failed before: *sys.exit(3).")


def test_a_failed_test_shows_the_users_lines_and_no_secret(
    run: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors of seedctl have no frames of seedctl, but causes and advice; values are masked."""
    monkeypatch.setenv("COLUMNS", "200")
    result = run(
        """
        import unittest
        import pytest
        from seedctl import SeedctlError, get_secret, set_secret

        def test_error(as_user):
            password = get_secret("ann-password")
            as_user("nobody@example.com")

        def test_assertion(seeded_backend):
            password = get_secret("ann-password")
            print(password)
            assert password == "something else"

        def test_denied(as_user):
            as_user("ann@example.com", "Wrong-passw0rd!")

        def test_cause(seeded_backend):
            raise SeedctlError("It failed.") from LookupError("the reason")

        def test_skipped(seeded_backend):
            pytest.skip(get_secret("ann-password"))

        def test_expected_failure(seeded_backend):
            pytest.xfail(f"not yet: {get_secret('ann-password')}")

        def test_lines(seeded_backend):
            set_secret("lines", "first line of a key\\nsecond line of a key\\n")
            raise ValueError("key: " + get_secret("lines"))

        def test_short_lines(seeded_backend):
            set_secret("short", "ab-12\\ncd-34")
            raise ValueError("pin: " + get_secret("short"))

        @pytest.fixture
        def printed_in_the_end(seeded_backend):
            yield
            print("at the end:", get_secret("ann-password"))

        def test_argument(printed_in_the_end):
            def check(value):
                raise ValueError("wrong")
            check("x" + get_secret("ann-password"))

        def test_text(seeded_backend):
            pytest.fail("the value is " + get_secret("ann-password"), pytrace=False)

        @pytest.mark.usefixtures("seeded_backend")
        class Tests(unittest.TestCase):
            def test_unittest(self):
                self.assertEqual(get_secret("ann-password"), "something else")
        """,
        "--showlocals",
        "-rfEsx",
    )
    result.assert_outcomes(failed=9, skipped=1, xfailed=1)
    shown = result.stdout.str()
    assert "Aa1!" not in shown
    assert mask(shown) == shown
    result.stdout.fnmatch_lines(["SKIPPED *: [*][*][*]", "XFAIL * - *not yet: [*][*][*]"])
    assert "value = 'x***'" in shown
    assert "at the end: ***" in shown
    assert "E       ValueError: key: ***" in shown
    assert "line of a key" not in shown
    assert "E       ValueError: pin: ***" in shown
    assert "-34" not in shown
    assert "the value is ***" in shown
    assert "The password of nobody@example.com is not known" in shown
    assert "Resolution: Give the user's name as in the seed script, or pass password=." in shown
    assert "[NotAuthorizedException] Incorrect username or password." in shown
    assert "[SeedctlError] It failed.\n  ∟ Caused by: [LookupError] the reason\n" in shown
    assert "The above exception" not in shown
    result.stdout.fnmatch_lines_random(
        [
            "FAILED *::test_assertion - AssertionError: assert '[*][*][*]' == *",
            "FAILED *::test_argument - ValueError: wrong",
        ]
    )
    assert str(Path(testing.__file__).parent) not in shown


def test_full_traces_are_there_on_request(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """--full-trace shows the frames of seedctl, --tb=native masks too."""
    write_seed(pytester.path, READS_A_SECRET)
    tests = """
    from seedctl import get_secret

    def test(as_user):
        as_user(get_secret("the-password"))
    """
    result = run(tests, "--full-trace", "--tb=native")
    result.assert_outcomes(failed=1)
    assert "seedctl/testing.py" in result.stdout.str()
    assert "The password of *** is not known" in result.stdout.str()
    assert "Aa1!" not in result.stdout.str()


def test_the_state_of_a_failed_test_is_kept(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """With --seedctl-keep the shown lines open the state as the failed test left it."""
    result = run(
        """
        def test_passes(seeded_backend):
            pass

        def test_fails(as_user):
            eve = as_user("eve@example.com")
            eve.data.models.Todo.create({"content": "Bread"}, auth_mode="userPool")
            assert False

        def test_passes_too(seeded_backend):
            pass
        """,
        "--seedctl-keep",
        f"--basetemp={pytester.path / 'base'}",
    )
    result.assert_outcomes(passed=2, failed=1)
    shown = result.stdout.str().partition("To look at the state after this test, in Python:\n")[2]
    code = shown.partition("\n=")[0]
    assert "failed-1" in code
    names: dict[str, object] = {}
    exec(code, names)
    backend = names["backend"]
    assert isinstance(backend, Backend)
    with backend:
        eve = backend.auth.sign_in("eve@example.com", backend.secrets.get("eve-password"))
        todos = eve.data.models.Todo.list_all(auth_mode="userPool")
        assert sorted(str(todo.content) for todo in todos) == ["Bread", "Milk"]


def test_the_state_of_a_failed_seed_is_kept(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """With --seedctl-keep one can look at what a failing script had made before."""
    write_seed(pytester.path, f"{READS_A_SECRET}raise LookupError('no more')\n")
    tests = """
    def test(seeded_backend):
        pass

    def test_too(seeded_backend):
        pass
    """
    result = run(tests, "--seedctl-keep", f"--basetemp={pytester.path / 'base'}")
    result.assert_outcomes(errors=2)
    assert result.stdout.str().count("backend.restore_state('failed-1')") == 1
    assert len(left_over(pytester)) == 1


@pytest.mark.usefixtures("project")
def test_a_project_is_found_from_pytests_root_too(
    pytester: pytest.Pytester, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pytest may be started outside of the Amplify project, such as in the folder of a monorepo."""
    write_seed(project, READS_A_SECRET)
    pytester.makepyfile("def test(seeded_backend):\n    assert seeded_backend.secrets.list()\n")
    (tmp_path / "package.json").write_text('{"name": "monorepo"}')
    monkeypatch.chdir(tmp_path)
    pytester.runpytest_inprocess("-p", "no:cacheprovider", str(project)).assert_outcomes(passed=1)


def test_the_project_of_the_working_directory_comes_first(tmp_path: Path) -> None:
    """pytest's root may be another Amplify project, such as that of a monorepo."""
    for name in ("here", "root"):
        write_seed(tmp_path / name, "")
        (tmp_path / name / "package.json").write_text('{"name": "app"}')
    config: Any = SimpleNamespace(
        getoption=lambda _: None,
        getini=lambda _: "",
        invocation_params=SimpleNamespace(dir=tmp_path / "here"),
        rootpath=tmp_path / "root",
    )
    assert pytest_plugin._project(config) == tmp_path / "here"


def test_options_and_settings(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """The ini file and options name the project, script and outputs; options come first."""
    app = pytester.path / "app"
    (app / "amplify" / "seed").mkdir(parents=True)
    shutil.move(pytester.path / "package.json", app)
    shutil.move(pytester.path / "amplify_outputs.json", app / "other.json")
    shutil.rmtree(pytester.path / "amplify")
    (app / "tests.py").write_text(
        "import sys\nfrom seedctl import create_and_sign_up_user, get_secret\n"
        "create_and_sign_up_user(sys.argv[1], get_secret('password'))\n"
    )
    pytester.makeini(
        "[pytest]\nfilterwarnings = error\nseedctl_project = app\nseedctl_script = app/tests.py\n"
        "seedctl_outputs = missing.json\nseedctl_arguments = 'ann@example.com'\n"
        "seedctl_origins = http://localhost:3000\n"
    )
    tests = f"""
    import pytest
    from urllib.request import Request, urlopen

    @pytest.fixture(scope="session")
    def seedctl_secrets():
        return {{"password": {PASSWORD!r}}}

    def test(seeded_backend, as_user):
        assert as_user("ann@example.com", {PASSWORD!r}).is_signed_in
        url = seeded_backend.front_end_outputs()["data"]["url"]
        request = Request(url, method="OPTIONS", headers={{
            "Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}})
        with urlopen(request) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    """
    run(tests, "--seedctl-outputs", "app/other.json").assert_outcomes(passed=1)
    missing = run(tests)
    missing.assert_outcomes(errors=1)
    missing.stdout.fnmatch_lines("*missing.json does not exist.")
    missing.stdout.fnmatch_lines("In pytest: --seedctl-project, *")


def test_outside_of_a_project(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    """Every test that needs a backend says in three lines that there is no project."""
    result = run(
        "def test(seedctl_backend): pass\ndef test_too(seeded_backend): pass\n",
        "--seedctl-project=nowhere",
    )
    result.assert_outcomes(errors=2)
    shown = result.stdout.str()
    assert "[ProjectNotFoundError] The project folder " in shown
    assert "Traceback" not in shown
    assert left_over(pytester) == []
