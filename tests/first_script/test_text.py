"""The text of a first script, where names and paths are unusual."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from seedctl.first_script.files import FirstFile
from seedctl.first_script.records import USER_ID, FirstRecord
from seedctl.first_script.text import script_text, summary
from seedctl.first_script.trial import FirstScript
from seedctl.first_script.users import FirstUser
from seedctl.outputs.path_rules import IDENTITY

ANN = FirstUser("ann@example.com", {})


def _record(**changes: Any) -> FirstScript:
    values = {"model": "Todo", "fields": {"id": "a"}, "form": "upsert", "auth_mode": "userPool"}
    return FirstScript(ANN, FirstRecord(**(values | changes)))


def _file(path: str, bucket: str | None = None) -> FirstScript:
    return FirstScript(ANN, None, FirstFile(path, bucket))


@pytest.mark.parametrize(
    ("script", "line"),
    [
        pytest.param(_record(model="class"), 'client.models["class"].upsert(', id="reserved name"),
        pytest.param(_record(model="_x"), 'client.models["_x"].upsert(', id="private name"),
        pytest.param(
            _record(fields={"a": 'say "hi"', "b": "line\nbreak", "c": "grün"}),
            '        "a": \'say "hi"\',',
            id="quotes",
        ),
        pytest.param(
            _record(fields={"a": [{"b": [1]}], "c": {}, "d": [USER_ID]}),
            '        "d": [user.user_id],',
            id="nested",
        ),
        pytest.param(_record(form="skip"), '    if_exists="skip",', id="skip"),
        pytest.param(
            _file(f"private/{IDENTITY}/first.txt"),
            '    lambda identity_id: f"private/{identity_id}/first.txt", "My first file"',
            id="identity",
        ),
        pytest.param(
            _file(f"{{x}}/{IDENTITY}/a", "files"),
            '    lambda identity_id: f"{{x}}/{identity_id}/a", "My first file", bucket="files"',
            id="braces",
        ),
        pytest.param(
            _file("pictures/" + "a" * 60 + "/first.txt", "archive"),
            '    bucket="archive",',
            id="a long path",
        ),
        pytest.param(
            _file("pictures/first.txt", "archive"),
            'storage.upload_data("pictures/first.txt", "My first file", bucket="archive")',
            id="another bucket",
        ),
    ],
)
def test_lines(script: FirstScript, line: str) -> None:
    """Unusual names and values are written so that the script is Python and means them."""
    text = script_text(script)
    ast.parse(text)
    assert line in text.splitlines()


def test_imports_that_need_several_lines() -> None:
    """With everything in it, the import is laid out in lines, in the order of import sorters."""
    user = FirstUser("ann", {"phone_number": "+1"}, "TOTP", "admin")
    record = FirstRecord("Todo", {"id": "a"}, "create", "userPool")
    script = FirstScript(user, record, FirstFile("a/first.txt", None))
    names = (
        *("Authenticator", "TOTPSetup", "auth", "create_and_sign_up_user", "data"),
        *("get_secret", "set_secret", "storage"),
    )
    lines = "".join(f"    {name},\n" for name in names)
    assert f"from seedctl import (\n{lines})\n" in script_text(script)
    assert summary(script) == "the user ann, a record of Todo and the file a/first.txt"
    assert summary(FirstScript()) == ""
