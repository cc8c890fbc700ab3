"""The pytest plugin: fixtures for tests with seeded data. docs/testing.md describes them.

pytest loads this module in every project that has seedctl installed. So it imports nothing else of
seedctl until a test uses one of the fixtures.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from seedctl.backend import Backend
    from seedctl.errors import SeedctlError
    from seedctl.testing import SeededSandbox
    from seedctl.users.session import UserSession

_PATHS = {
    "project": "the folder of the Amplify project [default: found from here upwards]",
    "script": "the seed script [default: amplify/seed/seed.py]",
    "outputs": "the outputs file [default: the project's]",
}
_has_failed = pytest.StashKey[bool]()
_states_to_keep = pytest.StashKey["list[str]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("seedctl", "tests with the data of a seed script")
    for name, text in _PATHS.items():
        group.addoption(f"--seedctl-{name}", metavar="PATH", help=text)
        parser.addini(f"seedctl_{name}", f"seedctl: {text}")
    group.addoption(
        "--seedctl-keep",
        action="store_true",
        help="keep the state of the local sandbox after each failed test",
    )
    parser.addini("seedctl_arguments", "seedctl: arguments of the seed script", type="args")
    parser.addini(
        "seedctl_origins",
        "seedctl: origins of web pages that may call the sandbox, such as http://localhost:3000",
        type="linelist",
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show errors of seedctl without its own frames, and nothing with the secrets in it."""
    if _states_to_keep not in item.config.stash:
        yield  # no test has used the fixtures
        return
    from seedctl.errors import SeedctlError  # noqa: PLC0415 - see above
    from seedctl.runner.script_trace import failure_text  # noqa: PLC0415

    raised = call.excinfo
    is_ours = isinstance(_error_of(call), SeedctlError) and not item.config.getoption("fulltrace")
    with _shortened(raised) if raised and is_ours else contextlib.nullcontext():
        outcome: Any = yield
    report: pytest.TestReport = outcome.get_result()
    if report.failed:
        item.stash[_has_failed] = True
        error = _error_of(call)  # for tests of unittest, pytest has set it only now
        if isinstance(error, SeedctlError):
            report.sections.append(("seedctl", failure_text(error)))
    if not report.passed or item.stash.get(_has_failed, False):
        _mask(report)


@pytest.fixture(scope="session")
def seedctl_secrets() -> Mapping[str, str]:
    """The values of secrets for the seed script, by name. Override this fixture to give values.

    Other secrets that the script reads get made-up values.
    """
    return {}


@pytest.fixture(scope="session")
def _seedctl_sandbox(
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    seedctl_secrets: Mapping[str, str],
) -> Iterator[SeededSandbox]:
    from seedctl.errors import SeedctlError  # noqa: PLC0415 - see above
    from seedctl.testing import SeededSandbox  # noqa: PLC0415

    saved = pytestconfig.stash[_states_to_keep] = []
    state = tmp_path_factory.mktemp("seedctl")
    with contextlib.ExitStack() as opened:
        opened.callback(lambda: None if saved else shutil.rmtree(state))
        try:
            sandbox = SeededSandbox(
                state,
                project_dir=_project(pytestconfig),
                outputs=_path(pytestconfig, "outputs"),
                script=_path(pytestconfig, "script"),
                arguments=pytestconfig.getini("seedctl_arguments"),
                secrets=seedctl_secrets,
                origins=pytestconfig.getini("seedctl_origins"),
            )
        except SeedctlError as error:
            raise _failed(error) from None
        yield opened.enter_context(sandbox)


@pytest.fixture(scope="session")
def seedctl_backend(_seedctl_sandbox: SeededSandbox) -> Backend:
    """A local sandbox of this test session, or of this worker of pytest-xdist.

    It has the secrets of ``seedctl_secrets``, and whatever earlier tests left there.
    """
    return _seedctl_sandbox.backend


@pytest.fixture
def seeded_backend(
    request: pytest.FixtureRequest, _seedctl_sandbox: SeededSandbox
) -> Iterator[Backend]:
    """The backend of ``seedctl_backend``, with exactly the data that the seed script created.

    The functions of seedctl act on it during the test.
    """
    backend = _restored(_seedctl_sandbox, request)
    with backend.activate():
        yield backend
    try:
        if request.node.stash.get(_has_failed, False):
            text = _save_failed_state(request.config, backend)
            if text:
                request.node.add_report_section("teardown", "seedctl", text)
    finally:
        backend.sign_out_all()


@pytest.fixture
def as_user(
    seeded_backend: Backend,  # noqa: ARG001 - its sessions are signed out after the test
    _seedctl_sandbox: SeededSandbox,
) -> Callable[..., UserSession]:
    """Return a function that signs a user in for the test: ``as_user("ann@example.com")``.

    It takes what ``SeededSandbox.sign_in`` takes, and returns the session.
    """
    return _seedctl_sandbox.sign_in


def _error_of(call: pytest.CallInfo[None]) -> BaseException | None:
    return call.excinfo.value if call.excinfo is not None else None


@contextlib.contextmanager
def _shortened(raised: pytest.ExceptionInfo[BaseException]) -> Iterator[None]:
    """During the block, remove the causes and all stack frames but the user's from *raised*."""
    from seedctl.runner.script_trace import user_frames  # noqa: PLC0415 - see above

    error, trace = raised.value, raised.traceback
    cause, is_suppressed = error.__cause__, error.__suppress_context__
    error.__cause__ = None  # sets __suppress_context__ too
    frames = user_frames(error.__traceback__)
    if frames is not None:
        raised.traceback = type(trace)(frames)
    try:
        yield
    finally:
        raised.traceback = trace
        error.__cause__, error.__suppress_context__ = cause, is_suppressed


def _mask(report: pytest.TestReport) -> None:
    """Replace every secret in *report*."""
    from seedctl.masking import mask  # noqa: PLC0415 - see above

    report.sections = [(name, mask(content)) for name, content in report.sections]
    for trace, crash, _ in getattr(report.longrepr, "chain", ()):
        if crash is not None:
            crash.message = mask(crash.message)
        for entry in trace.reprentries:
            entry.lines = [mask(line) for line in entry.lines]
            arguments = getattr(entry, "reprfuncargs", None)
            if arguments is not None:
                arguments.args = [(name, mask(str(value))) for name, value in arguments.args]
            variables = getattr(entry, "reprlocals", None)
            if variables is not None:
                variables.lines = [mask(line) for line in variables.lines]
    if isinstance(report.longrepr, tuple):  # a skipped test
        path, line, reason = report.longrepr
        report.longrepr = (path, line, mask(reason))
        return
    if hasattr(report, "wasxfail"):
        report.wasxfail = mask(report.wasxfail)
    text = report.longreprtext
    if mask(text) != text:  # a secret of several lines, or another kind of report
        report.longrepr = mask(text)


def _project(config: pytest.Config) -> Path:
    """Return the project's folder. Raises ProjectNotFoundError."""
    from seedctl.errors import ProjectNotFoundError  # noqa: PLC0415 - see above
    from seedctl.project import find_project  # noqa: PLC0415

    explicit, here = _path(config, "project"), config.invocation_params.dir
    for start in (here, config.rootpath):  # pytest may have been started elsewhere
        with contextlib.suppress(ProjectNotFoundError):
            root = find_project(start, explicit=explicit).root
            if (root / "amplify").is_dir():  # not only the package.json of a monorepo
                return root
    return find_project(here, explicit=explicit).root


def _path(config: pytest.Config, name: str) -> Path | None:
    """Return the path of an option, relative to the working directory, or of the ini file."""
    given: str | None = config.getoption(f"--seedctl-{name}")
    if given is not None:
        return config.invocation_params.dir / given
    configured: str = config.getini(f"seedctl_{name}")
    return config.rootpath / configured if configured else None


def _restored(sandbox: SeededSandbox, request: pytest.FixtureRequest) -> Backend:
    """Return the backend with the seeded data. If seeding failed, only one test shows its error."""
    from seedctl.errors import SeedctlError  # noqa: PLC0415 - see above

    has_failed_before = sandbox.has_failed
    try:
        return sandbox.restore()
    except SeedctlError as error:
        is_first = sandbox.has_failed and not has_failed_before
        if is_first and _is_shown_by_other_worker(request):
            return _restored(sandbox, request)  # the second call raises a short error
        note = _save_failed_state(request.config, sandbox.backend) if is_first else ""
        raise _failed(error, sandbox.script, note) from None


def _is_shown_by_other_worker(request: pytest.FixtureRequest) -> bool:
    """Whether another pytest-xdist worker shows why seeding failed. If not, this one is marked to do so."""
    if not hasattr(request.config, "workerinput"):
        return False
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    try:
        (factory.getbasetemp().parent / "seedctl-error-shown").touch(exist_ok=False)
    except FileExistsError:
        return True
    return False


def _save_failed_state(config: pytest.Config, backend: Backend) -> str:
    """If --seedctl-keep is given, save the state and return how to open it, otherwise an empty text."""
    if not config.getoption("--seedctl-keep"):
        return ""
    saved = config.stash[_states_to_keep]
    saved.append(f"failed-{len(saved) + 1}")
    backend.save_state(saved[-1])
    options = {
        "identifier": backend.identifier.name,
        "outputs": _path(config, "outputs"),
        "local": True,
        "state": backend.state_folder,
    }
    lines = [
        f"    {name}={value if value is True else str(value)!r},"
        for name, value in options.items()
        if value is not None
    ]
    return "\n".join(
        [
            "To look at the state after this test, in Python:\n",
            "from seedctl import connect",
            "backend = connect(",
            f"    {str(backend.project.root)!r},",
            *lines,
            ")",
            f"backend.restore_state({saved[-1]!r})\n",
        ]
    )


def _failed(error: SeedctlError, script: Path | None = None, note: str = "") -> BaseException:
    """Return the exception that fails the test with the text of *error*, without a traceback."""
    from seedctl import errors  # noqa: PLC0415 - see above
    from seedctl.runner.script_trace import failure_text  # noqa: PLC0415

    parts = [failure_text(error, script)]
    if isinstance(error, errors.SeedingFailedError) and error.__cause__ is not None:
        parts.insert(0, error.message)  # pytest's summary shows the first line
    missing = (
        errors.ProjectNotFoundError,
        errors.SeedScriptNotFoundError,
        errors.AmplifyOutputsNotFoundError,
    )
    if isinstance(error, missing):
        parts.append("In pytest: --seedctl-project, --seedctl-script and --seedctl-outputs.")
    return pytest.fail.Exception("\n".join(filter(None, [*parts, note])), pytrace=False)
