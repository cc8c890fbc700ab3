"""seedctl.testing without pytest: SeededSandbox, run_seed, and the state of a connected backend."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import shutil
import time
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import (
    Authenticator,
    connect,
    create_and_sign_up_user,
    get_secret,
    sign_in_user,
)
from seedctl.auth import get_current_user
from seedctl.errors import (
    InvalidCommandInputError,
    InvalidParameterException,
    InvalidSecretNameError,
    LocalSandboxError,
    NoBackendError,
    ProjectNotFoundError,
    SeedingFailedError,
    SSMParameterNotFoundError,
    UsernameExistsError,
    UserUnAuthenticatedException,
)
from seedctl.local import LocalSandbox
from seedctl.local.hosting import host_sandbox
from seedctl.masking import mask
from seedctl.outputs import load_outputs
from seedctl.testing import SeededSandbox, run_seed
from tests.running import PASSWORD, make_project, options_of
from tests.test_docs import BLOCKS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

READS_A_SECRET = "from seedctl import get_secret\nget_secret('password')\n"
ANN = "from seedctl import *\ncreate_and_sign_up_user('ann@example.com', get_secret('password'))\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project whose seed script reads one secret, and change to it."""
    folder = make_project(tmp_path / "app")
    write_seed(folder, READS_A_SECRET)
    monkeypatch.chdir(folder)
    return folder


def write_seed(folder: Path, text: str) -> Path:
    script = folder / "amplify" / "seed" / "seed.py"
    script.write_text(text, encoding="utf-8")
    return script


@pytest.fixture
def sandbox(project: Path) -> Iterator[SeededSandbox]:
    """Start a sandbox whose seed script makes one user."""
    write_seed(project, ANN)
    with SeededSandbox() as sandbox:
        yield sandbox


# --- SeededSandbox ---------------------------------------------------------------------------------


def test_a_temporary_state_is_removed(project: Path) -> None:
    """Nothing is left of a sandbox without a state folder, and nothing is written to the project."""
    before = sorted(project.rglob("*"))
    with SeededSandbox() as sandbox:
        folder = sandbox.restore().state_folder
        assert (folder / "local" / "state.db").exists()
    assert not folder.exists()
    assert sorted(project.rglob("*")) == before
    with pytest.raises(LocalSandboxError, match="closed"):  # as in a cell that runs again
        sandbox.restore()


def test_a_state_folder_must_be_empty(project: Path, tmp_path: Path) -> None:
    """A state that something else uses is not overwritten; an empty folder is used and stays."""
    (tmp_path / "state").mkdir()
    with SeededSandbox(tmp_path / "state") as sandbox:
        sandbox.restore()
    with pytest.raises(InvalidCommandInputError, match="is not empty"):
        SeededSandbox(tmp_path / "state")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param({"project_dir": "nowhere"}, ProjectNotFoundError, id="no project"),
        pytest.param({"secrets": {"a b": "x"}}, InvalidSecretNameError, id="wrong secret"),
    ],
)
def test_a_failed_start_leaves_nothing(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: dict[str, Any],
    error: type[Exception],
) -> None:
    """A sandbox that cannot start removes its temporary folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with pytest.raises(error):
        SeededSandbox(**options)
    assert list(temporary.iterdir()) == []


def test_secrets_are_made_up_while_seeding(project: Path) -> None:
    """A secret that the script reads gets a value that fits; afterwards a missing one is missing."""
    fitting = {
        "username": r"[0-9a-f]{16}@example\.com",
        "admin-EMAIL": r"[0-9a-f]{16}@example\.com",
        "user": r"Aa1![0-9a-f]{20}",
    }
    write_seed(project, f"from seedctl import get_secret\nfor n in {[*fitting]}: get_secret(n)\n")
    with SeededSandbox() as sandbox:
        with pytest.raises(SSMParameterNotFoundError) as missing:
            sandbox.backend.secrets.get("user")
        assert missing.value.resolution == "Set it before with set_secret('user', value)."
        backend = sandbox.restore()
        for name, expected in fitting.items():
            value = backend.secrets.get(name)
            assert re.fullmatch(expected, value), name
            assert mask(value) == "***"
        with pytest.raises(SSMParameterNotFoundError):
            sandbox.backend.secrets.get("other")


def test_made_up_passwords_meet_the_policy(project: Path) -> None:
    """However long a password must be, the made-up one is as long."""
    write_seed(project, ANN)
    path = project / "amplify_outputs.json"
    outputs = json.loads(path.read_text(encoding="utf-8"))
    outputs["auth"]["password_policy"]["min_length"] = 99
    path.write_text(json.dumps(outputs), encoding="utf-8")
    with SeededSandbox() as sandbox:
        assert len(sandbox.restore().secrets.get("password")) == 99
        assert sandbox.sign_in("ann@example.com").is_signed_in


def test_given_secrets_are_used(project: Path) -> None:
    """Values that the caller gives are there before seeding, and after a restore."""
    with SeededSandbox(secrets={"password": PASSWORD}) as sandbox:
        assert sandbox.backend.secrets.get("password") == PASSWORD
        sandbox.restore()
        assert sandbox.restore().secrets.get("password") == PASSWORD


def test_a_test_before_seeding_does_not_matter(sandbox: SeededSandbox) -> None:
    """What was made before the first restore is gone: the script finds an empty sandbox."""
    sandbox.backend.auth.create_user("ann@example.com", PASSWORD)
    sandbox.restore()
    with pytest.raises(UsernameExistsError):
        sandbox.backend.auth.create_user("ann@example.com", PASSWORD)


def test_passwords_are_those_of_the_state(sandbox: SeededSandbox) -> None:
    """Users of the script and of the present test can sign in by name, users of an earlier not."""
    backend = sandbox.restore()
    user = backend.auth.create_user("bob@example.com", PASSWORD)
    assert sandbox.sign_in(user).is_signed_in
    sandbox.restore()
    assert sandbox.sign_in("ann@example.com").is_signed_in
    with pytest.raises(InvalidParameterException, match=r"bob@example\.com is not known"):
        sandbox.sign_in(user)


def test_users_created_in_bulk_are_known_too(project: Path) -> None:
    """create_users() tells the passwords as create_and_sign_up_user() does."""
    write_seed(
        project,
        "from seedctl import NewUser, create_users\n"
        f"create_users([NewUser('bob@example.com', {PASSWORD!r})])\n",
    )
    with SeededSandbox() as sandbox:
        sandbox.restore()
        assert sandbox.sign_in("bob@example.com").is_signed_in


def test_restore_signs_everybody_out(sandbox: SeededSandbox) -> None:
    """Sessions, the current user and the cached guest do not outlive the state they belong to."""
    with sandbox.restore().activate():
        session = sandbox.sign_in("ann@example.com")
        sign_in_user("ann@example.com", get_secret("password"))
        sandbox.restore()
        assert not session.is_signed_in
        with pytest.raises(UserUnAuthenticatedException):
            get_current_user()


def test_a_block_does_not_close_the_sandbox(project: Path) -> None:
    """Functions act on the backend in its block; the next test finds it running."""
    with SeededSandbox() as sandbox:
        with sandbox.restore():
            assert get_secret("password")
        with pytest.raises(NoBackendError):
            get_secret("password")
        assert sandbox.restore().secrets.get("password")


def test_a_script_may_exit_with_any_object(project: Path) -> None:
    """Whatever sys.exit() gets, the script has failed, unless that means 0."""
    write_seed(project, "import seedctl\nraise SystemExit(['no', seedctl.get_secret('key')])\n")
    shown = r"exit\(\['no', '\*\*\*'\]\)"
    with SeededSandbox() as sandbox, pytest.raises(SeedingFailedError, match=shown):
        sandbox.restore()


def test_a_failed_seed_is_not_repeated(project: Path) -> None:
    """The second restore names the error of the first in one sentence, without running the script."""
    script = write_seed(
        project, f"{READS_A_SECRET}open('ran', 'a').write('x')\nraise ValueError('no')\n"
    )
    with SeededSandbox() as sandbox:
        with pytest.raises(SeedingFailedError) as first:
            sandbox.restore()
        assert isinstance(first.value.__cause__, ValueError)
        assert "secrets password, so seedctl made values up" in str(first.value.resolution)
        with pytest.raises(
            SeedingFailedError, match=r"failed before: \[SeedingFailedError\]"
        ) as it:
            sandbox.restore()
        assert it.value.__cause__ is None
    assert (project / "ran").read_text() == "x"
    assert sandbox.script == script


def test_codes_are_unused_again_after_a_restore(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TOTP sign-in of one test does not make the next test wait for another code."""
    now = time.time()  # of the sandbox, however slow this machine is
    monkeypatch.setitem(options_of(LocalSandbox.start), "clock", lambda: now)
    path = project / "amplify_outputs.json"
    outputs = json.loads(path.read_text(encoding="utf-8"))
    outputs["auth"].update(mfa_configuration="REQUIRED", mfa_methods=["TOTP"])
    path.write_text(json.dumps(outputs), encoding="utf-8")
    write_seed(
        project,
        "from seedctl import *\n"
        "def enroll(setup):\n"
        "    set_secret('totp', setup.shared_secret)\n"
        f"    return Authenticator(setup.shared_secret, clock=lambda: {now - 30}).code()\n"
        "create_and_sign_up_user('ann@example.com', get_secret('password'), sign_in_flow='MFA',\n"
        "    mfa_preference='TOTP', totp_sign_up_challenge=enroll)\n",
    )

    def no_wait(seconds: float, reason: str) -> None:
        pytest.fail(f"waits {seconds} s for {reason}")

    with SeededSandbox() as sandbox:
        for _ in range(2):
            secret = sandbox.restore().secrets.get("totp")
            phone = Authenticator(secret, clock=lambda: now, wait=no_wait)
            session = sandbox.sign_in(
                "ann@example.com", sign_in_flow="MFA", sign_in_challenge=phone.code
            )
            assert session.mfa_method == "TOTP"


def test_an_unfinished_user_of_a_test_is_forgotten(project: Path) -> None:
    """A restore also forgets which users a test left unfinished."""
    with SeededSandbox() as sandbox:
        marker = sandbox.restore().state_folder / "unfinished" / "x"
        marker.parent.mkdir(exist_ok=True)
        marker.write_bytes(b"created")
        sandbox.restore()
        assert not marker.exists()


# --- run_seed --------------------------------------------------------------------------------------


def test_run_seed_passes_arguments_and_signs_out(project: Path, tmp_path: Path) -> None:
    """The script has its arguments and starts signed out; the caller's user stays signed in."""
    script = tmp_path / "other.py"
    script.write_text(
        "import sys\nfrom seedctl import auth, errors, create_and_sign_up_user\n"
        "try:\n    auth.get_current_user()\n    raise SystemExit(1)\n"
        "except errors.UserUnAuthenticatedException:\n    pass\n"
        "create_and_sign_up_user(sys.argv[1], sys.argv[2], sign_in_after_creation=True)\n"
        "sys.exit(0)\n"
    )
    with connect(local=True, state=tmp_path / "state") as backend:
        create_and_sign_up_user("ann@example.com", PASSWORD, sign_in_after_creation=True)
        before = backend.auth.open_sessions()
        run_seed(backend, script=script, arguments=["bob@example.com", PASSWORD])
        assert get_current_user().login_id == "ann@example.com"
        assert backend.auth.open_sessions() == before


def test_run_seed_warns_of_a_module_that_is_not_the_scripts(project: Path, tmp_path: Path) -> None:
    """A file beside the script that cannot be imported is named."""
    (project / "amplify" / "seed" / "json.py").touch()
    with SeededSandbox() as sandbox, pytest.warns(UserWarning, match=r"json\.py beside seed\.py"):
        sandbox.restore()


# --- the state of a backend ------------------------------------------------------------------------


def test_a_state_of_its_own(project: Path, tmp_path: Path) -> None:
    """connect(state=...) neither reads nor writes the state of the project."""
    with connect(local=True) as backend:
        backend.secrets.set("password", PASSWORD)
    with connect(local=True, state=tmp_path / "state") as backend:
        assert backend.secrets.list() == []
        backend.auth.create_user("ann@example.com", PASSWORD)
    assert not (project / ".amplify" / "seedctl" / "unfinished").exists()
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"local", "unfinished"}


def test_a_restore_leaves_notes_of_the_project(project: Path) -> None:
    """The project's own notes may be about users on AWS, so a restored local state keeps them."""
    with connect(local=True) as backend:
        backend.auth.create_user("ann@example.com", PASSWORD)
        backend.save_state("one")
        marker = backend.state_folder / "unfinished" / "x"
        marker.write_bytes(b"created")
        backend.restore_state("one")
    assert marker.exists()


def test_other_programs_use_the_same_state(project: Path) -> None:
    """A script that connects by its environment, as a program that it starts, finds its own backend."""
    write_seed(
        project,
        "from seedctl import connect\n"
        "with connect(local=True) as backend:\n"
        "    backend.secrets.set('other', 'value-1')\n",
    )
    with SeededSandbox() as sandbox:
        assert sandbox.restore().secrets.get("other") == "value-1"
    assert not (project / ".amplify").exists()
    with connect(local=True) as backend:
        assert backend.environment()["SEEDCTL_STATE"] is None


def test_a_state_needs_a_local_sandbox(project: Path, tmp_path: Path) -> None:
    """A folder for the state of AWS is a mistake, and so is to save or restore it."""
    with pytest.raises(InvalidCommandInputError, match="only for the local sandbox"):
        connect(state=tmp_path / "state")
    with pytest.raises(InvalidCommandInputError, match="state is empty"):
        connect(local=True, state="")
    with connect(endpoint_url="http://127.0.0.1:1") as backend:
        for call in (
            lambda: backend.save_state("x"),
            lambda: backend.restore_state("x"),
            backend.front_end_outputs,
        ):
            with pytest.raises(InvalidCommandInputError, match="needs a local sandbox"):
                call()


def test_a_missing_state_changes_nothing(sandbox: SeededSandbox) -> None:
    """To restore a name that was never saved is an error."""
    with pytest.raises(LocalSandboxError, match="no snapshot 'never'"):
        sandbox.restore().restore_state("never")
    assert sandbox.sign_in("ann@example.com").is_signed_in


def test_a_running_server_saves_and_restores(project: Path) -> None:
    """The state is that of the server to which the backend is connected."""
    outputs = load_outputs(project / "amplify_outputs.json")
    with host_sandbox(project / ".amplify" / "seedctl", outputs), connect(local=True) as backend:
        backend.save_state("empty")
        backend.auth.create_user("ann@example.com", PASSWORD)
        backend.restore_state("empty")
        backend.auth.create_user("ann@example.com", PASSWORD)  # it was gone, so it is new


# --- the documentation -----------------------------------------------------------------------------


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the sample project, and change to it."""
    ignored = shutil.ignore_patterns(".amplify", "node_modules")
    shutil.copytree(ROOT / "sample_project", tmp_path / "app", ignore=ignored)
    monkeypatch.chdir(tmp_path / "app")
    return tmp_path / "app"


def documented(part: str, kind: str, page: str) -> list[str]:
    """Return the blocks of *kind* on the *page* that contain *part*."""
    blocks = [block for block in BLOCKS if block.page.name == page]
    return [block.text for block in blocks if block.info == kind and part in block.text]


def test_the_documented_unittest_works(sample: Path) -> None:
    """The test case of the page passes in the sample project."""
    names: dict[str, Any] = {}
    (text,) = documented("unittest", "python fragment", "testing-without-pytest.md")
    exec(text, names)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(names["TodoTests"])
    result = unittest.TestResult()
    suite.run(result)
    assert (result.testsRun, result.errors, result.failures) == (2, [], [])


def test_the_documented_parts_work(sample: Path) -> None:
    """The block about connect(), run_seed() and the two methods runs."""
    (text,) = documented("restore_state", "python fragment", "testing-without-pytest.md")
    exec(text, {})
    with connect(local=True, state="build/state") as backend:
        backend.auth.create_user("new@example.com", PASSWORD)  # it was gone, so it is new


def test_the_documented_notebook_works(sample: Path) -> None:
    """Each cell runs in a task of its own, as in a notebook; threads share the session."""
    cells = documented("", "ipython", "notebooks.md")
    assert len(cells) == 4
    names: dict[str, Any] = {}

    async def run_cell(cell: str) -> object:
        *statements, last = ast.parse(cell).body
        body = ast.Module([*statements, last], [])
        code = compile(body, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)
        if inspect.iscoroutine(result):
            await result
        is_expression = isinstance(last, ast.Expr) and not isinstance(last.value, ast.Await)
        return eval(ast.unparse(last), names) if is_expression else None

    async def run_notebook() -> list[object]:
        return [await asyncio.create_task(run_cell(cell)) for cell in cells]

    shown = asyncio.run(run_notebook())
    assert shown[2] == 9
    assert [made.content for made in names["made"]] == [f"todo {number}" for number in range(8)]
    assert not names["eve"].is_signed_in
