"""What ``import seedctl`` offers, and what it costs."""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

import seedctl
from seedctl import auth, data, errors, secrets, storage, testing

ROOT = Path(seedctl.__file__).parent.parent
USED_AS_IN_A_SEED = Path(__file__).with_name("typing_api.py")

HEAVY = ("boto3", "botocore", "cryptography", "graphql", "rich", "urllib3")
PUBLIC_MODULES: tuple[Any, ...] = (auth, data, secrets, storage, testing)

ERRORS = sorted(
    name
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, errors.SeedctlError)
)
# What the package itself offers; everything else is in its modules.
AT_THE_TOP = {
    *("get_secret", "set_secret", "create_and_sign_up_user", "sign_in_user", "add_to_user_group"),
    *("sign_out", "create_users", "Authenticator", "Backend", "connect", "current_backend"),
    *("AuthSignUp", "AuthUser", "AuthOutputs", "ChallengeResponse", "StandardUserAttributes"),
    *("TOTPSetup", "NewUser", "SeedctlError", "UsernameExistsError"),
    *("auth", "data", "errors", "storage", "testing"),
}


def _python(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def test_all_is_sorted_and_without_repeats() -> None:
    """The public names are sorted, so that a change of the public API is easy to read."""
    assert seedctl.__all__ == sorted(set(seedctl.__all__))


@pytest.mark.parametrize("name", seedctl.__all__)
def test_each_name_resolves(name: str) -> None:
    """Every public name can be imported."""
    assert getattr(seedctl, name) is not None
    assert name in dir(seedctl)


def test_the_package_offers_what_common_scripts_need() -> None:
    """A name is added on purpose only: everything else is in a public module."""
    assert set(seedctl.__all__) == AT_THE_TOP


@pytest.mark.parametrize("module", PUBLIC_MODULES, ids=lambda module: module.__name__)
def test_each_public_module_states_its_names(module: Any) -> None:
    """``__all__`` is sorted, complete and importable; a name at the top is the same object."""
    assert module.__all__ == sorted(set(module.__all__))
    defined = {
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ in {module.__name__, "seedctl.s3.client", "seedctl.s3.reader"}
    }
    assert {name for name in defined if not name.startswith("_")} <= set(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
        if name in seedctl.__all__:
            assert getattr(seedctl, name) is getattr(module, name)


def test_every_error_is_in_errors() -> None:
    """A script can catch each error by a name in seedctl.errors; few are at the top level too."""
    assert len(ERRORS) > 90
    assert {name for name in seedctl.__all__ if name in ERRORS} == {
        "SeedctlError",
        "UsernameExistsError",
    }


@pytest.mark.parametrize(
    ("name", "home"),
    [
        pytest.param("generate_client", "data", id="a function"),
        pytest.param("fetch_auth_session", "auth", id="on users"),
        pytest.param("Record", "data", id="a type"),
        pytest.param("NewFile", "storage", id="of files"),
        pytest.param("BulkError", "errors", id="an error"),
    ],
)
def test_a_name_that_moved_says_where_it_is(name: str, home: str) -> None:
    """The import fails with the line to write instead."""
    with pytest.raises(ImportError, match=rf"from seedctl\.{home} import {name}\.$"):
        exec(f"from seedctl import {name}")
    with pytest.raises(AttributeError, match=rf"It is in seedctl\.{home}: "):
        getattr(seedctl, name)


def test_errors_are_not_named_like_builtins() -> None:
    """Neither ``from seedctl import *`` nor ``from seedctl.errors import *`` hides a builtin."""
    assert {*seedctl.__all__, *ERRORS} & set(vars(builtins)) == set()


def test_an_unknown_name_is_an_attribute_error() -> None:
    """hasattr() works as with any module, and dunder names are no mistakes."""
    with pytest.raises(AttributeError, match="module 'seedctl' has no attribute 'xyzzy'"):
        _ = seedctl.__getattr__("xyzzy")
    assert not hasattr(seedctl, "create_user")
    with pytest.raises(AttributeError, match=r"attribute '__wrapped__'$"):
        _ = seedctl.__getattr__("__wrapped__")


@pytest.mark.parametrize(
    ("module", "name", "meant"),
    [
        pytest.param("seedctl", "create_user", "create_users", id="another number"),
        pytest.param("seedctl", "createUsers", "create_users", id="as in JavaScript"),
        pytest.param("seedctl", "UsernamExistsError", "UsernameExistsError", id="an error"),
        pytest.param("seedctl", "uploadData", "storage.upload_data", id="in a namespace"),
        pytest.param("seedctl.auth", "signOut", "sign_out", id="auth"),
        pytest.param("seedctl.data", "generateClient", "generate_client", id="data"),
        pytest.param("seedctl.storage", "uploadData", "upload_data", id="storage"),
        pytest.param("seedctl.testing", "runSeed", "run_seed", id="testing"),
        pytest.param("seedctl.secrets", "getSecret", "get_secret", id="secrets"),
        pytest.param("seedctl.errors", "NoGroupsErr", "NoGroupsError", id="errors"),
    ],
)
def test_a_wrong_name_says_the_nearest_right_one(module: str, name: str, meant: str) -> None:
    """An import and an attribute both do, each by the exception that Python shows the text of."""
    with pytest.raises(ImportError, match=rf"cannot import name '{name}'.* Did you mean {meant}"):
        exec(f"from {module} import {name}")
    with pytest.raises(
        AttributeError, match=rf"no attribute '{name}'.* Did you mean {meant}"
    ) as it:
        exec(f"import {module}; {module}.{name}")
    # Python adds no second suggestion to what has one.
    shown = "".join(traceback.format_exception(it.value))
    assert shown.count("Did you mean") == 1


def test_a_submodule_is_no_wrong_name() -> None:
    """What was not imported yet is imported by ``from``, as of any package."""
    done = _python(
        "from seedctl import masking; from seedctl.project import lock; print(lock.__name__)"
    )
    assert done.stdout == "seedctl.project.lock\n"


def test_the_typed_sample_uses_every_public_name() -> None:
    """typing_api.py, which mypy checks, calls each public function and names each public type."""
    tree = ast.parse(USED_AS_IN_A_SEED.read_text(encoding="utf-8"))
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert set(seedctl.__all__) - set(ERRORS) <= used
    for module in PUBLIC_MODULES:
        short = module.__name__.rpartition(".")[2]
        missing = {each for each in module.__all__ if {each, f"{short}.{each}"}.isdisjoint(used)}
        assert missing == set()


def test_a_public_module_works_first_thing() -> None:
    """A public module loads also when it is the first thing a script imports."""
    done = _python("from seedctl import auth; print(auth.sign_out.__module__)")
    assert done.stdout == "seedctl.auth\n"


# One process makes all of these, one after the other: what was loaded stays loaded.
_STARTS = {
    "import seedctl": "import seedctl",
    "the names": "seedctl.connect, seedctl.get_secret",
    "star import": "from seedctl import *",
    "python -m seedctl --help": "sys.argv = ['seedctl', '--help']\n"
    "try:\n    runpy.run_module('seedctl', run_name='__main__')\n"
    "except SystemExit as end:\n    assert end.code == 0, end.code",
    "a usage error": "from seedctl.cli.main import main\nassert main(['secret', 'get']) == 2",
    "completion": "os.environ.update(_SEEDCTL_COMPLETE='bash_complete', COMP_CWORD='1',"
    " COMP_WORDS='seedctl se')\n"
    "try:\n    main([])\n"
    "except SystemExit as end:\n    assert end.code == 0, end.code",
    "the client of AWS": "import seedctl.aws.calls",
}


def test_start_up_loads_nothing_heavy() -> None:
    """Importing seedctl, --help, completion and usage errors cost no heavy library.

    The last start shows that the check can fail.
    """
    shown = "".join(
        f"{code}\nloaded[{name!r}] = sorted(set({HEAVY}) & set(sys.modules))\n"
        for name, code in _STARTS.items()
    )
    done = _python(f"import os, runpy, sys\nloaded = {{}}\n{shown}\nprint(loaded, file=sys.stderr)")
    assert "plain,seed" in done.stdout.split()  # the completed word
    assert ast.literal_eval(done.stderr.splitlines()[-1]) == {
        **{name: [] for name in _STARTS},
        "the client of AWS": ["botocore", "urllib3"],
    }


def test_importing_does_no_io(tmp_path: Path) -> None:
    """Importing seedctl opens no socket, starts no process and touches nothing of the project."""
    (tmp_path / "amplify_outputs.json").write_text("not read")
    done = _python(
        f"import os, sys\nos.chdir({str(tmp_path)!r})\nseen = []\n"
        "def hook(event, args):\n"
        "    if event.startswith(('socket.', 'subprocess.', 'os.mkdir')):\n"
        "        seen.append(event)\n"
        f"    if event == 'open' and str(args[0]).startswith({str(tmp_path)!r}):\n"
        "        seen.append(args[0])\n"
        "sys.addaudithook(hook)\n"
        "from seedctl import *\n"
        "seen.append('end')\n"
        "open(os.path.abspath('amplify_outputs.json')).close()\n"
        "sys.stdout.write(repr([os.path.basename(name) for name in seen]))"
    )
    # What follows the end shows that the hook would have seen it.
    assert done.stdout == "['end', 'amplify_outputs.json']"
