"""Files and lines of a project, found in what Node says and in the source itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seedctl import masking
from seedctl.source import places, synthesis
from seedctl.source.failures import Outcome, failure
from tests.cases import case

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.errors import BackendSourceError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("amplify/backend.ts", "amplify/a.ts", "amplify/note.txt", "../shared.ts"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\nthrow 1;\n")
    return folder


def _failure(root: Path, **changes: Any) -> BackendSourceError:
    facts = {"status": 1, "result": {}, "manifest": {}, "output": "", **changes}
    error = failure(Outcome(root, root / "amplify/backend.ts", 5, **facts))
    assert error is not None
    return error


def _thrown(root: Path, message: str, **error: Any) -> BackendSourceError:
    return _failure(root, result={"error": {"message": message, **error}})


def test_the_place_in_a_stack(root: Path) -> None:
    """The project's own files come first, then those of its workspace, and no others."""
    own, shared = root / "amplify/a.ts", root.parent / "shared.ts"
    for frames, expected in (
        ([f"at f ({shared}:1:1)", f"at g ({own}:2:1)"], (own, 2)),
        ([f"at f ({shared}:3:1)"], (shared, 3)),
        ([f"at f ({places.__file__}:1:1)"], None),
        ([f"{'x' * 6000} at f ({own}:2:1)"], None),
        ([f"at f ({root}/amplify/%61.ts:2:1)"], None),
        ([f"at f (file://{root}/amplify/%61.ts:2:1)"], (own, 2)),
    ):
        with case(frames):
            # Files in seedctl's folder are those of synth.mjs, which runs the project's code.
            assert places.place_in_stack(root, "\n".join(frames)) == expected


def test_a_file_that_a_text_names(root: Path) -> None:
    """It must be a file, and one of the project."""
    own = root / "amplify/a.ts"
    assert places.file_in_text(root, f"see {root}/amplify and {own}.") == (own, None)
    assert places.file_in_text(root, f"see {root.parent}/shared.ts") is None


def test_only_one_place_is_a_place(root: Path) -> None:
    """A pattern that occurs in several source files tells nothing; other files do not count."""
    assert places.place_of_throw(root) is None
    (root / "amplify/backend.ts").write_text("")
    assert places.place_of_throw(root) == (root / "amplify/a.ts", 2)
    installed = root / "amplify/node_modules/x/index.js"
    installed.parent.mkdir(parents=True)
    installed.write_text("throw 1;")
    (root / "amplify/gone.ts").symlink_to(root / "nowhere.ts")
    assert places.place_of_throw(root) == (root / "amplify/a.ts", 2)


def test_how_a_process_ended(root: Path) -> None:
    """A time limit, an early exit and look-ups are told apart, whatever the exit status."""
    assert "not loaded within 5 s" in _failure(root, status=None).message
    assert (
        "ended the process, with exit code 0"
        in _failure(root, status=0, result={"ended": ""}).message
    )
    missing = [{"provider": name} for name in ("vpc", "ami", "vpc")]
    error = _failure(root, status=0, manifest={"missing": missing})
    assert error.message.endswith("needs a look-up in an AWS account: ami, vpc.")
    for changes in (
        {"status": None},
        {"result": {"ended": ""}},
        {"status": 13},
        {"status": 0, "manifest": {"missing": missing}},
    ):
        assert _failure(root, **changes).place == (root / "amplify/backend.ts", None), changes
    full = {"message": "ENOSPC: no space left", "name": "Error"}
    assert "disk is full" in str(_thrown(root, "x", cause=full).resolution)


def test_secrets_are_masked_everywhere(root: Path) -> None:
    """Message, cause, resolution and output have no secret, also not the beginning of one."""
    masking.register("Swordfish-77")
    cause = {"name": "Inner", "message": "because Swordfish-77", "cause": {"message": "Cannot"}}
    error = _thrown(root, "Cannot find package 'Swordfish-77'", cause=cause)
    assert (error.message, error.service_message) == (
        "amplify/backend.ts cannot be loaded: Cannot find package '***'",
        "because ***",
    )
    assert "Swordfish" not in str(error.resolution)
    output = "y" * 995 + "Swordfish-77"
    assert _failure(root, output=output).output == "y" * 995 + "***"


def test_what_is_shown_of_the_output(root: Path) -> None:
    """The dump of a process without memory is left out, and no more is read than is shown."""
    output = "one\n<--- Last few GCs --->\ntwo"
    assert _failure(root, output=output).output == "one"
    long = root / "output.txt"
    long.write_bytes(b"a" * 50 + "ü".encode() + b"b" * (synthesis._LONGEST_OUTPUT - 1))
    text = synthesis._end_of(long)
    assert text == "\ufffd" + "b" * (synthesis._LONGEST_OUTPUT - 1)


def test_the_name_of_a_missing_package(root: Path) -> None:
    """A package is named without the path in it; a path, relative or not, is to be corrected."""
    for name, fix in (
        ("@scope/name/sub", "npm install --save-dev @scope/name."),
        ("name/sub", "npm install --save-dev name."),
        ("./name", "Correct the path"),
        ("/name", "Correct the path"),
    ):
        assert fix in str(_thrown(root, f"Cannot find module '{name}'").resolution), name


def test_the_name_of_an_error_is_shown_once(root: Path) -> None:
    """A message that begins with the error's name is not preceded by it."""
    for message in ("TypeError: odd", "odd"):
        error = _thrown(root, message, name="TypeError")
        assert error.message == "amplify/backend.ts cannot be loaded: TypeError: odd"
    causes = {"name": "Middle", "message": "of it", "cause": {"name": "Last", "message": "of all"}}
    error = _thrown(root, "odd", cause=causes)
    assert (error.service_code, error.service_message) == ("Last", "of all")


def test_a_temporary_folder_may_be_gone_already() -> None:
    """What has removed the folder before, such as a cleaner of the system, is no failure."""
    with synthesis.temporary_folder() as folder:
        assert list(folder.iterdir()) == []
        folder.rmdir()


@pytest.mark.parametrize("content", ["", "{", "[1]", "7"])
def test_a_result_that_is_not_complete_is_empty(tmp_path: Path, content: str) -> None:
    """A file that Node did not finish, or does not have, counts as empty."""
    (tmp_path / "result.json").write_text(content)
    assert synthesis._json(tmp_path / "result.json") == {}
    assert synthesis._json(tmp_path / "gone.json") == {}
