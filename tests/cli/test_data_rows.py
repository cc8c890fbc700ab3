"""seedctl data: exports and imports on the command line, and who acts."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect
from seedctl.cli import data as data_command
from seedctl.cli.progress import ProgressDisplay
from seedctl.errors import (
    InvalidCredentialError,
    NotAuthorizedError,
    SeedctlError,
    UnauthorizedError,
)
from seedctl.masking import register
from seedctl.prompter import TerminalPrompter
from seedctl.rows import importing
from seedctl.users import auth
from tests.running import DATA, PASSWORD, make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seedctl.report import Progress
    from tests.running import CommandLine

ANN = "ann@example.com"


@pytest.fixture
def project_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Make a project with an outputs file, select its local sandbox, and go there."""

    def make(outputs: str) -> Path:
        folder = make_project(tmp_path / "app", outputs=None)
        shutil.copy(DATA / "outputs" / f"{outputs}.json", folder / "amplify_outputs.json")
        monkeypatch.setenv("SEEDCTL_LOCAL", "1")
        monkeypatch.chdir(folder)
        return folder

    return make


@pytest.fixture(scope="module")
def anns_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a local sandbox with Ann, and her password in a secret."""
    folder = make_project(tmp_path_factory.mktemp("ann") / "app", outputs=None)
    shutil.copy(DATA / "outputs" / "auth_rules.json", folder / "amplify_outputs.json")
    with connect(folder, identifier="ann", local=True, target="none") as backend:
        backend.auth.create_user(ANN, PASSWORD, user_attributes={"locale": "en"})
        backend.secrets.set("anns-password", PASSWORD)
    return folder / ".amplify"


@pytest.fixture
def ann(
    project_of: Callable[[str], Path], anns_state: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project whose API wants a signed-in user, with Ann and her password in a secret."""
    folder = project_of("auth_rules")
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "ann")
    shutil.copytree(anns_state, folder / ".amplify")
    return folder


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_export_reset_import(project_of: Callable[[str], Path], seedctl: CommandLine) -> None:
    """After an export, a reset and an import the same records are there. A second import needs
    --if-exists; without it each row fails with the place that it has in its file."""
    folder = project_of("blog_apikey")
    (folder / "rows").mkdir()
    (folder / "rows" / "posts.csv").write_text("id;title;labels;authorId\np1;One;a|b;a1\np2;2;;\n")
    (folder / "rows" / "Author.jsonl").write_text('{"id": "a1", "name": "Ann"}\n')
    (folder / "rows" / "notes.txt").write_text("not a file of rows")
    result = seedctl("data", "import", "rows")
    assert result.code == 1
    assert result.err.count("Target: ") == 1
    assert "record  Author  created  1 record\nrecord  Post    created  1 record\n" in result.err
    assert (
        "[BulkError] 1 of 3 rows failed; the first: rows/posts.csv, line 3, column 3: Post.labels"
        in (result.err)
    )
    exported = seedctl("data", "export", "out")
    assert exported.code == 0, exported.err
    assert "✔ Exported to out: 1 Author, 1 Post, 0 Comment," in exported.err
    assert exported.out == ""
    assert "Target: " not in exported.err
    before = _lines(folder / "out" / "Post.jsonl")
    assert before[0]["labels"] == ["a", "b"]
    assert seedctl("local", "reset").code == 0
    again = seedctl("data", "import", "out")
    assert (again.code, again.err.splitlines()[-1]) == (
        0,
        "✔ Import finished: 2 records created.",
    ), again.err
    assert "The users of the export" not in again.err  # it has none
    assert seedctl("data", "export", "out", "--model", "Post").code == 0
    after = _lines(folder / "out" / "Post.jsonl")
    stamps = {"createdAt", "updatedAt"}
    assert [{k: v for k, v in row.items() if k not in stamps} for row in after] == [
        {k: v for k, v in row.items() if k not in stamps} for row in before
    ]
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "Post.jsonl",
        "manifest.json",
    ]
    assert seedctl("data", "export", "csv", "--format", "csv").code == 0
    assert (folder / "csv" / "Author.csv").read_text().splitlines()[1].startswith("a1,Ann,,")
    assert seedctl("data", "import", "csv", "--if-exists", "update").code == 0
    twice = seedctl("data", "import", "out")
    assert twice.code == 1
    assert "(out/Post.jsonl, line 1)" in twice.err
    assert "1 of 1 rows failed; the first, out/Post.jsonl, line 1: createPost: " in twice.err
    assert "With --if-exists skip" in twice.err
    assert seedctl("data", "import", "out", "--if-exists", "skip").code == 0
    updated = seedctl("data", "import", "out/Post.jsonl", "--if-exists", "update")
    assert "record  Post  updated  1 record" in updated.err


def test_the_parts_of_an_import_are_counted_as_one(
    project_of: Callable[[str], Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The progress shows all rows of a model, not those of a part, and counts each model from 0."""
    shown: list[Progress] = []
    monkeypatch.setattr(ProgressDisplay, "show", lambda _display, progress: shown.append(progress))
    monkeypatch.setattr(importing, "_PART", 50)
    folder = project_of("blog_apikey") / "rows"
    folder.mkdir()
    for name, count in (("Author", 220), ("Tag", 3)):
        text = "".join(f"{name}-{number},x\n" for number in range(count))
        (folder / f"{name}.csv").write_text(f"id,name\n{text}")
    assert seedctl("data", "import", "rows").code == 0
    finished = [(each.what, each.done) for each in shown if each.is_finished]
    assert finished[-2] == ("Author records", 220)
    assert finished[-1] == ("Tag records", 3)
    assert len({each.started for each in shown}) == 2


def test_as_a_user(ann: Path, seedctl: CommandLine) -> None:
    """With --as the records belong to that user, whose password comes from a secret, and an export
    has only what the user may read."""
    (ann / "my notes.csv").write_text("content\nmine\n")
    options = ("--as", ANN, "--password-secret", "anns-password")
    result = seedctl("data", "import", "my notes.csv", "--model", "Note", *options)
    assert result.code == 0, result.err
    assert "session  ann@example.com  signed in" in result.err
    assert PASSWORD not in result.err
    assert seedctl("data", "export", "anns", "--model", "Note", *options).code == 0
    assert seedctl("data", "export", "all", "--caller", "--model", "Note").code == 0
    found = _lines(ann / "anns" / "Note.jsonl")
    assert [row["content"] for row in found] == ["mine"]
    assert found[0]["owner"]
    assert _lines(ann / "all" / "Note.jsonl") == found


def test_as_a_user_of_a_pool_with_mfa(
    project_of: Callable[[str], Path], seedctl: CommandLine
) -> None:
    """Where MFA is optional, --as signs in with or without a code, as Cognito asks."""
    folder = project_of("auth_rules")
    file = folder / "amplify_outputs.json"
    document = json.loads(file.read_text())
    document["auth"] |= {"mfa_configuration": "OPTIONAL", "mfa_methods": ["TOTP"]}
    file.write_text(json.dumps(document))
    with connect(folder, local=True) as backend:
        backend.auth.create_user(ANN, PASSWORD)
        backend.secrets.set("anns-password", PASSWORD)
    (folder / "Note.csv").write_text("content\nmine\n")
    options = ("--as", ANN, "--password-secret", "anns-password")
    result = seedctl("data", "import", "Note.csv", *options)
    assert result.code == 0, result.err


def test_as_the_developer(ann: Path, seedctl: CommandLine) -> None:
    """With --caller every model can be written, and owners are left out: the API sets them."""
    (ann / "Note.jsonl").write_text('{"id": "1", "content": "x", "owner": "bob"}\n')
    assert seedctl("data", "import", "Note.jsonl", "--caller").code == 0
    assert seedctl("data", "export", "out", "--caller").code == 0
    assert [row.get("owner") for row in _lines(ann / "out" / "Note.jsonl")] == [None]


@pytest.mark.parametrize("command", [("import", "Note.csv"), ("export", "out", "--model", "Note")])
def test_without_anybody(ann: Path, seedctl: CommandLine, command: tuple[str, ...]) -> None:
    """An API whose default mode needs a user says how to give one."""
    (ann / "Note.csv").write_text("content\nx\n")
    result = seedctl("data", *command)
    assert result.code == 1
    assert "[NoValidAuthTokens]" in result.err
    assert "--as USER signs in a user" in result.err
    assert "--caller uses your own AWS credentials" in result.err
    assert not (ann / "out").exists()


def test_a_caller_who_may_not_write(
    project_of: Callable[[str], Path], seedctl: CommandLine
) -> None:
    """When the rules deny the first rows, the import ends instead of trying all others."""
    folder = project_of("people_apikey")
    lines = "".join(f"{number},[]\n" for number in range(1000))
    (folder / "Ev.csv").write_text(f"id,tags\n{lines}")
    result = seedctl("data", "import", "Ev.csv")
    assert result.code == 1
    assert "[UnauthorizedError] createEv: Not Authorized to access createEv" in result.err
    assert "auth mode apiKey, the API's default" in result.err
    assert "--as USER" in result.err
    assert "record  Ev" not in result.err
    assert "100 Ev records failed" in result.err


@pytest.mark.parametrize(
    ("path", "is_developer", "expected"),
    [
        pytest.param(["listPosts"], False, "Choose who reads and writes: ", id="denied by a rule"),
        pytest.param(None, False, "Deploy.", id="expired key"),
        pytest.param(["listPosts"], True, "Deploy.", id="the developer"),
    ],
)
def test_what_to_do_about_a_denial(path: Any, is_developer: bool, expected: str) -> None:
    """Another caller is proposed where a rule denies this one, not where the key is wrong."""
    backend: Any = SimpleNamespace(data=SimpleNamespace(generate_client=lambda **_: None))
    caller = data_command._Caller(None, None, is_developer)
    with pytest.raises(UnauthorizedError) as caught, data_command._acting(backend, caller):
        raise UnauthorizedError("no", errors=[{"path": path}], resolution="Deploy.")
    assert str(caught.value.resolution).startswith(expected)


def test_the_password_is_asked_for(ann: Path, seedctl: CommandLine) -> None:
    """Without a secret the password is asked for on the terminal; without a terminal the error says
    which option replaces it. A wrong password is the usual error."""
    (ann / "Note.csv").write_text("content\nx\n")
    result = seedctl("data", "import", "Note.csv", "--as", ANN)
    assert result.code == 3
    assert "[PromptUnavailableError] Password of ann@example.com has to be typed" in result.err
    assert "--password-secret NAME" in result.err
    with connect(ann, local=True) as backend:
        backend.secrets.set("wrong", "Wr0ng-password!")
    wrong = seedctl("data", "import", "Note.csv", "--as", ANN, "--password-secret", "wrong")
    assert (wrong.code, "[NotAuthorizedException]" in wrong.err) == (1, True)


def test_the_question_for_a_password_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user name may be a secret, and the screen may be shared."""
    register(ANN)
    asked: list[str] = []

    def ask(_: TerminalPrompter, question: str) -> str:
        asked.append(question)
        return PASSWORD

    monkeypatch.setattr(TerminalPrompter, "ask", ask)
    backend: Any = None
    assert data_command._password(backend, data_command._Caller(ANN, None, False)) == PASSWORD
    assert asked == ["Password of ***"]


def test_users_are_exported_without_passwords(ann: Path, seedctl: CommandLine) -> None:
    """The users have attributes and groups. Masked by a secret, two exports have the same
    pseudonyms, in which neither the address nor the name is left; otherwise each has its own."""
    with connect(ann, local=True) as backend:
        for group in backend.require_auth().groups or ():
            backend.auth.add_to_group(ANN, group.name)
    assert seedctl("data", "export", "plain", "--caller").code == 0
    (user,) = _lines(ann / "plain" / "users.jsonl")
    imported = seedctl("data", "import", "plain", "--caller", "--if-exists", "skip")
    assert "The users of the export are not created, since it has no passwords" in imported.err
    assert user["attributes"]["email"] == ANN
    assert user["attributes"]["locale"] == "en"
    assert (user["status"], user["enabled"]) == ("CONFIRMED", True)
    assert set(user) == {"username", "attributes", "groups", "status", "enabled"}
    masks = ("--mask", "email", "--mask", "users.sub", "--mask", "username", "--mask", "owner")
    for name in ("one", "two"):
        secret = ("--mask-secret", "anns-password")
        assert seedctl("data", "export", name, "--caller", *masks, *secret).code == 0
    for name in ("three", "four"):
        assert seedctl("data", "export", name, "--caller", *masks).code == 0
    names = ("one", "two", "three", "four")
    one, two, three, four = (_lines(ann / name / "users.jsonl")[0] for name in names)
    assert one == two
    assert len({json.dumps(each) for each in (one, three, four)}) == 3
    assert one["attributes"]["email"].endswith("@example.com")
    assert one["attributes"]["email"] != ANN
    assert one["username"] == one["attributes"]["sub"] != user["username"]
    assert one["attributes"]["locale"] == "en"
    manifest = json.loads((ann / "one" / "manifest.json").read_text())
    assert "users.email" in manifest["masked"]
    assert "Employee.email" in manifest["masked"]
    text = "".join(path.read_text() for path in (ann / "one").iterdir())
    assert [each for each in (PASSWORD, ANN, user["username"]) if each in text] == []


@pytest.mark.parametrize("kind", [NotAuthorizedError, InvalidCredentialError])
def test_users_that_may_not_be_listed(
    ann: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch, kind: type[SeedctlError]
) -> None:
    """Without the permission to list users, the records are exported, and a warning says why no
    users are."""

    def denied(_pool: object) -> None:
        raise kind("Your AWS identity may not call cognito-idp:ListGroups.")

    monkeypatch.setattr(auth, "list_users", denied)
    result = seedctl("data", "export", "out", "--caller")
    assert result.code == 0
    assert "Warning: The users are not exported: Your AWS identity may not call cognito-idp" in (
        result.err
    )
    assert not (ann / "out" / "users.jsonl").exists()


def test_backends_without_users(project_of: Callable[[str], Path], seedctl: CommandLine) -> None:
    """Without a user pool the records alone are exported. If a model has the name of the users' file,
    its records are in it, and a warning says that the users are not."""
    folder = project_of("blog_apikey")
    file = folder / "amplify_outputs.json"
    document = json.loads(file.read_text())
    models = document["data"]["model_introspection"]["models"]
    models["Users"] = {**models["PostMeta"], "name": "Users", "pluralName": "Userss"}
    file.write_text(json.dumps(document))
    result = seedctl("data", "export", "out")
    assert result.code == 0, result.err
    assert "Warning: The users are not exported: users.jsonl is the file of a model." in result.err
    del document["auth"], models["Users"]
    file.write_text(json.dumps(document))
    result = seedctl("data", "export", "out")
    assert result.code == 0, result.err
    assert "Warning" not in result.err
    assert not (folder / "out" / "users.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        pytest.param(("--as", "a", "--caller"), 2, "--as and --caller exclude", id="two callers"),
        pytest.param(("--password-secret", "a"), 2, "goes with --as USER", id="nobody's password"),
        pytest.param(("--model", "Todos"), 1, "Did you mean Todo?", id="model"),
        pytest.param(("--mask", "contents"), 1, "Did you mean content?", id="field"),
        pytest.param(("--mask", "Todo.contents"), 1, "Did you mean Todo.content", id="its field"),
        pytest.param(("--mask", "Todo.email"), 1, "--mask Todo.email: no model", id="not there"),
        pytest.param(("--mask-secret", "none"), 4, "SSMParameterNotFoundError", id="secret"),
    ],
)
def test_wrong_options(
    project_of: Callable[[str], Path],
    seedctl: CommandLine,
    arguments: tuple[str, ...],
    code: int,
    expected: str,
) -> None:
    """A wrong option ends the command before a file is written."""
    folder = project_of("todo_userpool")
    result = seedctl("data", "export", "out", *arguments)
    assert result.code == code
    assert expected in result.err
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Comment.csv", "the schema has no model Comment", id="no model"),
        pytest.param("missing", "missing cannot be read: No such file", id="no file"),
        pytest.param("empty", "empty has no file of any model", id="empty folder"),
        pytest.param("Todo.json", "Todo.json is neither CSV nor JSON Lines", id="kind"),
        pytest.param("Todo.csv", "Todo.csv cannot be read", id="missing"),
    ],
)
def test_nothing_to_import(
    project_of: Callable[[str], Path], seedctl: CommandLine, name: str, expected: str
) -> None:
    """What cannot be imported is named, and nothing is written."""
    folder = project_of("todo_userpool")
    (folder / "empty").mkdir()
    (folder / "Comment.csv").write_text("id\n1\n")
    (folder / "Todo.json").write_text("[]")
    result = seedctl("data", "import", name, "--caller")
    assert result.code in {1, 3}
    assert expected in result.err
    assert "Target:" not in result.err


def test_one_file_has_one_model(project_of: Callable[[str], Path], seedctl: CommandLine) -> None:
    """Two models for one file are wrong usage."""
    project_of("blog_apikey")
    result = seedctl("data", "import", "a.csv", "--model", "Post", "--model", "Tag")
    assert (result.code, "give --model once" in result.err) == (2, True)


def test_the_commands_name_their_options(seedctl: CommandLine) -> None:
    """The help of both commands shows who may act."""
    for command in ("export", "import"):
        shown = seedctl("data", command, "--help").out
        assert "--as USER" in shown
        assert "--caller" in shown
