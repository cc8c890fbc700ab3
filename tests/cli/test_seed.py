"""``seedctl seed`` on tiny real projects, against the local sandbox."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.running import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import CommandLine

USER = "ann@example.com"


def set_secrets(seedctl: CommandLine) -> None:
    for name, value in {"username": USER, "password": PASSWORD}.items():
        assert seedctl("--local", "secret", "set", name, stdin=value.encode()).code == 0


def test_the_guides_auth_script(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """Two secrets, one user, one group; the target is shown before the first write."""
    folder = project("guide_auth")
    set_secrets(seedctl)
    result = seedctl("seed", "--local")
    assert result.code == 0, result.err
    assert result.out == ""
    lines = result.err.splitlines()
    target = next(i for i, line in enumerate(lines) if "LOCAL" in line)
    assert str(folder) in lines[target]
    assert "us-east-1_AbCdEfGhI" in lines[target]
    created = next(i for i, line in enumerate(lines) if line.startswith("user "))
    assert target < created
    assert "→ admin" in result.err
    assert "1 user created" in lines[-1]
    assert USER not in result.err  # it came from a secret
    assert PASSWORD not in result.err


def test_the_guides_pattern_for_many_runs(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The first run creates the user, the second one signs in."""
    project("guide_try_except")
    set_secrets(seedctl)
    assert seedctl("--local", "seed").out == "created\n"
    assert seedctl("--local", "seed").out == "signed in\n"


def test_the_guides_three_users(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """One user is signed in at a time, and none after a creation without sign-in."""
    project("guide_three_users")
    result = seedctl("seed", "--local")
    assert result.out.splitlines() == ["user1@example.com", "user2@example.com", "nobody"]


def test_twenty_users_in_parallel_are_separate(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """Threads find the script's backend, and each session belongs to its own user."""
    project("threads")
    result = seedctl("seed", "--local")
    assert result.out == "20\n", result.err
    assert "and 28 more" not in result.err
    assert "… and" in result.err


def test_secrets_need_no_outputs(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """A script that uses only secrets needs no deployed backend."""
    project("secrets_only", outputs=None)
    result = seedctl("seed", "--local")
    assert (result.code, result.out) == (0, "made-by-script\n9\n"), result.err


def test_a_guarded_main_runs_with_arguments(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """``__name__`` is ``"__main__"``, and the script gets the arguments after ``--``."""
    project("main_guard")
    result = seedctl("seed", "--local", "--identifier", "dev1", "--", "--fast", "x")
    assert json.loads(result.out) == {
        "argv": ["--fast", "x"],
        "cwd": "project",
        "identifier": '{"namespace":"my-app","name":"dev1","type":"sandbox"}',
        "first on path": "seed",
    }


def test_script_arguments_without_dashes_are_a_usage_error(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """Arguments of the script need ``--`` before them."""
    project("main_guard")
    result = seedctl("seed", "--local", "stray")
    assert result.code == 2
    assert "--" in result.err


def test_modules_beside_the_script_are_importable_and_forgotten(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The script's folder is first in sys.path; a second run imports the modules again."""
    folder = project("imports_sibling")
    assert seedctl("seed", "--local").out == "hello ann bob\n"
    assert "seed_data" not in sys.modules
    assert "fixtures.names" not in sys.modules
    (folder / "amplify/seed/seed_data.py").write_text('GREETING = "goodbye"\n')
    os.utime(folder / "amplify/seed/seed_data.py", (1, 1))
    assert seedctl("seed", "--local").out == "goodbye ann bob\n"


def test_everything_is_restored_also_after_a_failure(
    project: Callable[..., Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment, path, arguments, working directory and modules are as before."""
    folder = project("changes_everything")
    monkeypatch.setenv("HOME", "/home/somebody")
    before = (dict(os.environ), list(sys.path), list(sys.argv), Path.cwd(), set(sys.modules))
    result = seedctl("seed", "--local")
    assert result.code == 1
    assert "after changing everything" in result.err
    assert (dict(os.environ), list(sys.path), list(sys.argv), Path.cwd()) == before[:4]
    left = {name for name in set(sys.modules) - before[4] if "own_module" in name}
    assert left == set()
    assert Path.cwd() == folder


@pytest.mark.parametrize(
    ("argument", "code"),
    [("0", 0), ("7", 7), ("259", 3), ("-1", 255), pytest.param("", 0, id="none")],
)
def test_the_exit_code_of_the_script_is_returned(
    project: Callable[..., Path], seedctl: CommandLine, argument: str, code: int
) -> None:
    """sys.exit(n) ends the command with n."""
    project("exits")
    result = seedctl("seed", "--local", "--", *([argument] if argument else []))
    assert result.code == code
    assert ("touched nothing" in result.err) is (code == 0)


def test_a_scripts_own_exit_text_goes_to_stderr(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """sys.exit(text) prints the text and ends with 1, as in Python."""
    project("exits")
    result = seedctl("seed", "--local", "--", "no more")
    assert (result.code, result.out) == (1, "")
    assert "no more\n" in result.err
    assert seedctl("secret", "set", "a", "--local", stdin=b"Pl4nted-one").code == 0
    Path("amplify/seed/seed.py").write_text(
        "import sys, seedctl\nsys.exit('not with ' + seedctl.get_secret('a'))\n"
    )
    assert "not with ***\n" in seedctl("seed", "--local").err


def test_an_exception_shows_the_scripts_own_lines(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The traceback begins at the script, without frames of seedctl or Python's runner."""
    project("raises")
    result = seedctl("seed", "--local")
    assert result.code == 1
    assert "return 1 / rows" in result.err
    assert "ZeroDivisionError: division by zero" in result.err
    assert "[SeedingFailedError] The seed script seed.py failed." in result.err
    assert "at amplify/seed/seed.py, line 5" in result.err
    assert "runpy" not in result.err
    assert "script.py" not in result.err
    assert "runpy" in seedctl("seed", "--local", "--debug").err


SHOWS_CREDENTIALS = f"""
import json, logging, sys
from pathlib import Path
from seedctl import auth, create_and_sign_up_user
create_and_sign_up_user("{USER}", "{PASSWORD}", sign_in_after_creation=True)
keys = auth.fetch_auth_session().credentials
values = ["{PASSWORD}", keys.secret_access_key, keys.session_token]
Path("values.json").write_text(json.dumps(values))
logger, handler = logging.getLogger("of-the-seed"), logging.StreamHandler(sys.stderr)
logger.addHandler(handler)
for number, value in enumerate(values):
    logger.error("%s: %s", number, value)
logger.removeHandler(handler)
raise ValueError(values)
"""


def test_logs_and_exceptions_of_the_script_show_no_secret(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """Passwords and the credentials of a session are masked in what the script writes to stderr."""
    folder = project(None)
    (folder / "amplify/seed/seed.py").write_text(SHOWS_CREDENTIALS)
    err = seedctl("seed", "--local").err
    assert "0: ***\n1: ***\n2: ***\n" in err
    assert "ValueError: ['***', '***', '***']" in err
    values = json.loads((folder / "values.json").read_text())
    assert [value for value in values if value in err] == []


def test_a_base_exception_is_a_failure_too(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """A BaseException of the script ends the run with 1, and its reason is shown."""
    project("raises_base_exception")
    result = seedctl("seed", "--local")
    assert result.code == 1
    assert "Stop: enough" in result.err


def test_a_syntax_error_names_its_line(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """A script with a syntax error is shown with file and line."""
    project("syntax_error")
    result = seedctl("seed", "--local")
    assert result.code == 1
    assert "SyntaxError" in result.err
    assert "at amplify/seed/seed.py, line 3" in result.err


def test_a_missing_package_says_how_to_install_it(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """It is an error at the line of the import, never "script not found"."""
    project("missing_package")
    result = seedctl("seed", "--local")
    assert result.code == 1
    assert "ModuleNotFoundError: No module named 'package_that_nobody_has_installed'" in result.err
    assert f"{sys.executable} -m pip install package_that_nobody_has_installed" in result.err
    assert "line 1" in result.err
    assert "NotFoundError] There is no seed script" not in result.err


def test_a_missing_module_is_located_in_the_file_that_imports_it(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The line shown is in the file whose import failed."""
    project("missing_sibling")
    result = seedctl("seed", "--local")
    assert result.code == 1
    assert "at amplify/seed/seed_data_broken.py, line 1" in result.err


def test_no_script(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """A missing script is an error of the set-up, found before anything is done."""
    folder = project(None)
    result = seedctl("seed", "--local")
    assert result.code == 3
    assert "[SeedScriptNotFoundError]" in result.err
    assert str(folder / "amplify/seed/seed.py") in result.err
    assert not (folder / ".amplify").exists()


def test_another_script_by_option(
    project: Callable[..., Path], seedctl: CommandLine, tmp_path: Path
) -> None:
    """--script takes any file, relative to the working directory."""
    project(None)
    Path("other.py").write_text("print('other')\n")
    assert seedctl("seed", "--local", "--script", "other.py").out == "other\n"


def test_a_seedctl_error_ends_the_run_with_its_exit_code(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """A SeedctlError that the script does not catch is not wrapped, and shows the script's line."""
    project("passes_error")
    result = seedctl("seed", "--local")
    assert result.code == 4
    assert "[SSMParameterNotFoundError] There is no secret never-set" in result.err
    assert "at amplify/seed/seed.py, line 7" in result.err
    assert "Resolution: Set it with seedctl --local secret set never-set" in result.err
    assert "Traceback" not in result.err


def test_an_interrupt_ends_with_130_and_signs_out(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """Ctrl-C shows no traceback, and the script's ``except Exception`` does not catch it."""
    project("interrupted")
    result = seedctl("seed", "--local")
    assert result.code == 130
    assert result.out == ""
    assert "Traceback" not in result.err
    assert "Interrupted." in result.err
    assert "created" in result.err
    assert "Interrupted after" in result.err
    assert (
        "To go on: run again. Users left unfinished by this run will be completed. With if_exists="
        in result.err
    )


def test_quiet_and_verbose(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """--quiet prints no messages; --verbose prints each thing when it is done."""
    project("guide_three_users")
    result = seedctl("seed", "--local", "-q")
    assert (result.code, result.err) == (0, "")
    assert len(result.out.splitlines()) == 3
    assert seedctl("local", "reset").code == 0
    loud = seedctl("seed", "--local", "-v")
    # Created and signed in: printed when it happens, and not again in the table.
    assert loud.err.count("user1@example.com") == 2
    lines = loud.err.splitlines()
    assert len(lines) == len(set(lines))


def test_a_file_named_like_a_standard_module_is_pointed_out(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The script cannot import it, so the user is warned."""
    folder = project("imports_sibling")
    (folder / "amplify/seed/calendar.py").write_text("")
    assert (
        "calendar.py has the name of a module that is loaded already"
        in seedctl("seed", "--local").err
    )


def test_broken_outputs_are_found_before_the_script_runs(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """A script that would store a secret first is not started."""
    folder = project("secrets_only")
    (folder / "amplify_outputs.json").write_text('{"version": "1.4", "auth": {}}')
    result = seedctl("seed", "--local")
    assert result.code == 3
    assert "auth.aws_region" in result.err or "auth.user_pool_id" in result.err
    assert result.out == ""


def test_outputs_that_were_named_must_exist(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """--outputs with a wrong path is an error, even for a script that needs no outputs."""
    project("secrets_only")
    result = seedctl("seed", "--local", "--outputs", "missing.json")
    assert result.code == 3
    assert "[AmplifyOutputsNotFoundError]" in result.err
