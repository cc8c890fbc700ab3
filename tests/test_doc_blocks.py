"""Every code block of README.md and docs/ is run or compared with what seedctl prints.

``tests/test_docs.py`` runs the complete scripts. Here are the parts of scripts (``python fragment``),
the cells of a notebook (``python cell``), the commands, and what is shown of their output. The blocks
that no test of this folder runs are listed in ``NOT_RUN``.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from seedctl import connect
from seedctl.cli.main import cli
from seedctl.cli.options import Settings
from seedctl.local.inbox import InboxMessage, deliver
from seedctl.local.state_folder import prepare
from seedctl.local.store import Store
from seedctl.project import find_project
from seedctl.project.quotas import chosen_quotas
from seedctl.report import Report
from tests.fake_aws import CALLER, FakeAWS
from tests.running import DATA, CommandLine
from tests.test_docs import BLOCKS, GROUPS, SCRIPTS, SECRETS, Block, is_file, with_fewer_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

USER, PASSWORD = SECRETS["username"], SECRETS["password"]

NOT_RUN = {
    "mfa.md python fragment": "tests/cli/test_mfa.py runs them, with a terminal and a clock of its own",
    "mfa.md text Enter the code": "tests/cli/test_mfa.py compares it, on a terminal",
    "mfa.md text [MFACodeUnavailableError]": "tests/cli/test_mfa.py compares it",
    "data-requests.md python fragment from seedctl import data\n\nclient = data.generate_client()\n"
    "print(client.queries.echo": "the local sandbox refuses custom operations; "
    "tests/appsync calls them",
    "local-state.md sql": "tests/local/test_offline_doc.py runs the queries",
    "from-source.md text": "it needs Node.js; tests/source runs it with recorded results",
    "tutorial.md sh $ seedctl local init\nReading": "it needs Node.js; tests/source runs it so too",
    "types.md python fragment": "tests/schema_file checks its types; without its file it cannot run",
    "rows.md python fragment from seedctl.data": "docs/data-sets.md has it with a file, as a script",
    "data-sets.md ts": "tests/data/data_sets.json has what these models become",
    "outputs.md sh $ seedctl outputs": "it reads a stack at AWS; tests/cli/test_outputs.py has such runs",
    "targets.md text $ seedctl seed": "its target is at AWS; tests/test_target_guard.py has such refusals",
    "targets.md text Target": "its target is at AWS; tests/test_target.py compares such lines",
    "testing.md python fragment": "tests/test_pytest_plugin.py runs pytest with them",
    "testing.md text $ python -m pytest": "tests/test_pytest_plugin.py runs pytest in the same way",
    "testing-without-pytest.md python fragment": "tests/test_testing.py runs them in the sample project",
    "notebooks.md ipython": "tests/test_testing.py runs them as a notebook does",
    "testing-without-pytest.md yaml": "tests/test_pytest_plugin.py runs its steps",
    "snapshots.md python fragment": "its names are the reader's; tests/local/test_snapshots.py calls both",
    "amplify-js.md js": "it needs a browser or Node with aws-amplify",
    "tutorial.md ts": "it is the user's own Amplify source",
    "architecture.md": "it is part of a module that does not exist",
    "benchmarks.md text": "they are measured times",
    "benchmarks-local.md text": "they are measured times",
    "errors.md": "it is a template; tests/test_errors_doc.py runs each error",
    "ci.md yaml": "tests/test_docs.py runs the workflow",
    "report.md text Todo records": "tests/cli/test_progress.py draws such bars on a terminal",
    "repeated-runs.md text": "it follows an interrupted run; tests/cognito/test_creation.py has them",
    "report.md json": "tests/cli/test_report_file.py compares it with a report",
    "report.md yaml": "it needs jq, and GitHub's summary file",
    "doctor.md text": "tests/doctor plants these faults, and more",
    "faults.md text": "the numbers are those of one run",
    "README.md sh make": "a test cannot run all tests; `make demo` installs seedctl again",
    "README.md sh pip": "CI installs the package and its extras",
    "completion.md sh eval": "tests/cli/test_completion.py asks for each shell's script",
    "completion.md fish": "tests/cli/test_completion.py asks for each shell's script",
    "other-programs.md sh aws": "tests/test_other_programs.py runs the AWS CLI, if it is installed",
    "other-programs.md sh curl": "tests/test_other_programs.py runs curl, if it is installed",
    "README.md text Usage": "tests/test_docs.py compares it",
    "README.md text $ seedctl seed": "tests/test_docs.py compares it",
    "tutorial.md sh $ seedctl seed": "tests/test_docs.py compares it",
}
"""Blocks by page, info and beginning, with the reason why they are not run here."""

SHELLS = {"sh", "bash", "fish"}


def _find(info: str, *, page: str = "") -> list[Block]:
    return [b for b in BLOCKS if b.info == info and b.page.name.startswith(page)]


def _title(block: Block) -> str:
    return " ".join(filter(None, (block.page.name, block.info, block.text)))


def _is_listed(block: Block) -> bool:
    return any(map(_title(block).startswith, NOT_RUN))


def _params(blocks: Iterable[Block]) -> list[Any]:
    return [pytest.param(block, id=block.id) for block in blocks if not _is_listed(block)]


# --- Python ---------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the project of the documentation, with the models, paths and files of its fragments."""
    folder = tmp_path / "my-app"
    (folder / "amplify" / "seed").mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "my-app"}\n', encoding="utf-8")
    for picture in (folder / "banner.png", folder / "assets" / "banner.png"):
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(b"\x89PNG")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "ann")
    monkeypatch.setenv("COLUMNS", "120")
    return folder


@pytest.fixture
def seedctl(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    monkeypatch.setenv("SEEDCTL_LOCAL", "1")
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def backend_file(project: Path, seedctl: CommandLine) -> Path:
    """Describe the backend: the groups, the models Todo and Post, a query, and a bucket."""
    options = [word for group in GROUPS for word in ("--group", group)]
    assert seedctl("local", "init", *options).code == 0
    outputs = project / "amplify" / "seed" / "local_outputs.json"
    document = json.loads(outputs.read_text(encoding="utf-8"))
    blog, todo, store = (
        json.loads((DATA / "outputs" / f"{name}.json").read_text(encoding="utf-8"))["data"]
        for name in ("blog_apikey", "todo_userpool", "store_userpool")
    )
    models = blog["model_introspection"]["models"] | todo["model_introspection"]["models"]
    for model in models.values():
        for attribute in model["attributes"]:
            if attribute["type"] == "auth":
                attribute["properties"]["rules"] = [{"allow": "private"}]
    document["data"] = blog | {"default_authorization_type": "AMAZON_COGNITO_USER_POOLS"}
    blog["model_introspection"]["queries"] = {
        "echo": store["model_introspection"]["queries"]["echo"]
    }
    blog["model_introspection"]["models"] = models
    bucket = {"bucket_name": "local-sandbox-bucket-1", "aws_region": "us-east-1"}
    rights = {"authenticated": ["get", "list", "write"]}
    rules = {
        "pictures/*": rights,
        "private/${cognito-identity.amazonaws.com:sub}/*": {"entityidentity": ["get", "write"]},
    }
    document["storage"] = {**bucket, "buckets": [{**bucket, "name": "files", "paths": rules}]}
    outputs.write_text(json.dumps(document), encoding="utf-8")
    return outputs


@pytest.mark.parametrize("block", _params(_find("python fragment")))
def test_fragments(
    block: Block, project: Path, backend_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of a script runs where the rest of it has created and signed in a user."""
    with connect(project, local=True, observer=Report()) as backend:
        for name, value in SECRETS.items():
            if f'"{name}"' in block.text:
                backend.secrets.set(name, value)
        url = backend.environment()["AWS_ENDPOINT_URL"] or ""
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        names: dict[str, Any] = {"__name__": "__main__"}
        if "create_and_sign_up_user(" not in block.text:
            exec(_SIGN_UP, names)
            exec(_RECORDS if "models" in block.text else "", names)
        if "temporary_password" in block.text:
            pool = backend.require_auth().user_pool_id
            invited = {"Username": "kim@example.com", "TemporaryPassword": "Temp0rary!"}
            backend.aws.call("cognito-idp", "AdminCreateUser", {"UserPoolId": pool, **invited})
        text = with_fewer_rows(block.text).replace("http://127.0.0.1:20005", url)
        exec(compile(text, block.id, "exec"), names)


_SIGN_UP = f"""
import seedctl
seedctl.create_and_sign_up_user("{USER}", "{PASSWORD}", sign_in_after_creation=True)
"""
_RECORDS = """
import seedctl
models = seedctl.data.generate_client().models
models.Post.create({"id": "p-1", "title": "One", "labels": ["a"]})
models.Comment.create({"postId": "p-1", "text": "First"})
"""


@pytest.mark.parametrize("page", sorted({block.page.name for block in _find("python cell")}))
def test_cells(page: str, project: Path, backend_file: Path) -> None:
    """The cells of a page run one after the other, as in a notebook, also those with await."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in _find("python cell", page=page):
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(block.text, block.id, "exec", flags=flags)
        done = eval(code, names)
        if inspect.iscoroutine(done):
            asyncio.run(done)


# --- commands -------------------------------------------------------------------------------------


def _commands(block: Block) -> Iterator[list[str]]:
    """Yield the arguments of each call of seedctl in *block*."""
    is_transcript = "$ seedctl " in block.text
    for line in block.text.replace("\\\n", " ").splitlines():
        if is_transcript and not line.startswith("$ "):
            continue
        found = re.search(r"(?:^|^\$ |[|(] ?|run: )(seedctl [^|)<>]*)", line)
        if found is not None:
            words = found[1].replace("$APP_ID", "d1a2b3c4d5e6f7").replace("$BRANCH", "main")
            yield shlex.split(words, comments=True)[1:]


_COMMANDS = [
    pytest.param(arguments, id=f"{block.id} {' '.join(arguments)}")
    for block in BLOCKS
    if block.info in {*SHELLS, "yaml"} or block.text.startswith("$ seedctl ")
    for arguments in _commands(block)
]


@pytest.mark.parametrize("arguments", _COMMANDS)
def test_commands_are_accepted(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command that is shown has only options and arguments that it takes."""
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)  # not that of groups
    cli.main(arguments, "seedctl", standalone_mode=False, obj=Settings())


def test_a_wrong_command_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail."""
    assert len(_COMMANDS) > 30
    with pytest.raises(click.UsageError):
        test_commands_are_accepted(["seed", "--value-only"], monkeypatch)
    with pytest.raises(click.UsageError):
        test_commands_are_accepted(["secret", "get"], monkeypatch)


# --- what is printed ------------------------------------------------------------------------------


def _normal(text: str) -> str:
    """Return *text* without what differs from run to run, and from machine to machine."""
    text = text.replace("(local sandbox", "(sandbox")
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "SUB", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"Seeded in [0-9.]+ s", "Seeded in N s", text)
    text = re.sub(r"  \d{8}  ", "  CODE  ", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def _is_transcript(block: Block) -> bool:
    return re.match(r"\$ (?!seedctl seed)", block.text) is not None


@pytest.mark.parametrize("block", _params(filter(_is_transcript, BLOCKS)))
def test_transcripts(block: Block, project: Path, seedctl: CommandLine) -> None:
    """A block of commands with their output shows what they print, one after the other."""
    assert seedctl("local", "init", "--group", "READERS").code == 0
    if "local inbox" in block.text:
        _send_codes(project, block.text.count("EMAIL"))
    elif "local reset" in block.text:
        assert seedctl("secret", "set", "a", stdin=b"x").code == 0
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        words = shlex.split(line)
        if words[0] == "cat":
            Path(words[1]).write_text(shown, encoding="utf-8")
            continue
        result = seedctl(*words[1:], stdin=PASSWORD.encode())
        assert result.code == 0, result.err
        shown = shown.replace("Enter secret value (hidden):\n", "")  # only on a terminal
        assert _normal(result.err + result.out).strip() == _normal(shown).strip()


def _send_codes(project: Path, count: int) -> None:
    with closing(Store.open(prepare(project / ".amplify" / "seedctl"))) as store:
        for number in range(count):
            code = f"{number:08}"
            message = InboxMessage(USER, "u", (USER,), "EMAIL", USER, code, sent_at=number)
            with store.transaction() as view:
                deliver(view, message)


def _shown(page: str, beginning: str) -> str:
    (block,) = [b for b in BLOCKS if b.page.name == page and b.text.startswith(beginning)]
    return block.text


@pytest.mark.parametrize(
    ("page", "beginning", "script"),
    [
        pytest.param(
            "tutorial.md",
            "[NoGroupError]",
            "from seedctl import *\n"
            'user = create_and_sign_up_user("ann@example.com", "Passw0rd!")\n'
            'add_to_user_group(user, "nobody")\n',
            id="an unknown group",
        ),
        pytest.param(
            "storage.md",
            "[AccessDenied]",
            'from seedctl import storage\n\n\nstorage.upload_data("pictures/1", "x")\n',
            id="a denied upload",
        ),
        pytest.param(
            "report.md",
            "user     ann",
            "from seedctl import *\n"
            'create_and_sign_up_user("ann@example.com", "Passw0rd!", sign_in_after_creation=True)\n'
            'rows = [{"content": 1 if n == 7 else str(n)} for n in range(200)]\n'
            'data.generate_client().models.Todo.create_many(rows, on_error="collect")\n',
            id="a failed row",
        ),
        pytest.param("ci.md", "::error", 'import json\njson.loads("{ a")\n', id="an annotation"),
    ],
)
def test_shown_ends_of_runs(
    page: str,
    beginning: str,
    script: str,
    backend_file: Path,
    seedctl: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a page shows as the end of a run is exactly what that run prints."""
    document = json.loads(backend_file.read_text(encoding="utf-8"))
    document["auth"]["groups"] = [{name: {"precedence": 1}} for name in ("READERS", "EDITORS")]
    backend_file.write_text(json.dumps(document), encoding="utf-8")
    backend_file.with_name("seed.py").write_text(script, encoding="utf-8")
    if beginning.startswith("::"):
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = seedctl("seed")
    assert result.code == 1
    assert _normal(_shown(page, beginning)) in _normal(result.out + result.err)


def test_the_shown_policy(
    project: Path, backend_file: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy, and the error of a caller without it, are those that seedctl prints."""
    document = json.loads(backend_file.read_text(encoding="utf-8"))
    document["auth"]["user_pool_id"] = "us-east-1_AbCdEfGhI"
    (project / "amplify_outputs.json").write_text(json.dumps(document), encoding="utf-8")
    (project / "amplify" / "seed" / "seed.py").write_text(
        'import seedctl\nseedctl.get_secret("seed-user-password")\n', encoding="utf-8"
    )
    error = _shown("permissions.md", "[SSMCredentialsError]")
    (sentence,) = re.findall(r"\[AccessDeniedException\] (.*)", error)
    caller = CALLER.replace(":iam::123456789012:user/", ":sts::123456789012:assumed-role/ann/")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "example")
    monkeypatch.delenv("SEEDCTL_LOCAL")
    with FakeAWS(GetCallerIdentity=caller) as aws:
        aws.replies["GetParameter"] = ("AccessDeniedException", sentence)
        printed = seedctl("--endpoint-url", aws.url, "generate-policy")
        assert printed.out == _shown("permissions.md", "{")
        failed = seedctl("--endpoint-url", aws.url, "seed")
    assert failed.code == 4
    assert _without_line(failed.err).endswith(error)


def test_the_shown_quotas(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings in pyproject.toml and in the variable are read; those of the variable count."""
    table = _shown("many-users.md", "[tool.seedctl.quotas]")
    (project / "pyproject.toml").write_text(table, encoding="utf-8")
    (name, value) = re.findall(r'export (\w+)="(.*)"', _shown("many-users.md", "export "))[0]
    monkeypatch.setenv(name, value)
    expected = {"UserCreation": 80, "ParameterWrite": None, "UserAuthentication": 200}
    assert chosen_quotas(find_project(project)) == expected


def _without_line(text: str) -> str:
    return re.sub(r"^  at amplify/seed/seed.py, line \d+\n", "", text, flags=re.MULTILINE)


# --- nothing is left out --------------------------------------------------------------------------

_COMPARED = {
    "permissions.md json",
    "permissions.md text",
    "report.md text user",
    "ci.md text",
    "storage.md text",
    "tutorial.md text",
    "users.md text",
    "many-users.md toml",
    "many-users.md bash",
}
"""Blocks that the tests above, or in tests/test_docs.py, compare by their page and beginning."""


def test_every_block_is_tested_or_listed() -> None:
    """A block is a script, a fragment, a cell, commands, compared, or listed with the reason."""
    left = []
    for block in BLOCKS:
        text = _title(block)
        is_run = block in SCRIPTS or block.info in {"python fragment", "python cell"}
        is_run = is_run or (block.info in SHELLS and any(_commands(block))) or is_file(block)
        is_compared = any(map(text.startswith, _COMPARED)) or _is_transcript(block)
        if not (is_run or is_compared or _is_listed(block)):
            left.append(block.id)
    assert left == []


def test_the_list_names_existing_blocks() -> None:
    """Nothing stays in the lists after its block has gone."""
    for beginning in [*NOT_RUN, *_COMPARED]:
        assert any(_title(block).startswith(beginning) for block in BLOCKS), beginning
