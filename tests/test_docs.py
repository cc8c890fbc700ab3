"""The documentation is compared with what seedctl does.

Every ``python`` block in README.md and docs/ is a complete seed script, and these tests run it. A
script that fails on purpose is marked ```` ```python exits 1 ````. A block with the path of a file, such
as ```` ```csv amplify/seed/a.csv ````, is a file that the scripts of its page read.
``tests/test_doc_blocks.py`` runs the blocks that are only part of a script (```` ```python fragment
````), and all others.
"""

from __future__ import annotations

import ast
import importlib.resources
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from seedctl.cli.main import cli
from tests.deployed_backends import preview_backend, serve_with_sandbox
from tests.running import CommandLine, Result, subcommands
from tests.workflow_steps import StepRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
COMMANDS = ROOT / "docs" / "commands.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

SECRETS = {
    "username": "ann@example.com",
    "password": "Passw0rd!",
    "seed-user-password": "Passw0rd!",
}
GROUPS = ("READERS", "EDITORS", "admin")

# Steps of the workflow in docs/ci.md that the tests skip, because they download software.
INSTALL_STEPS = {"Install seedctl"}

# Concatenated, because this file must not contain them either.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.",
    "npm" + "js.",
    "crates" + ".io",
    "ana" + "conda.",
]
MACHINE_PATHS = ["/wo" + "rk/", "/ro" + "ot/", "/tmp" + "/venv"]


@dataclass(frozen=True)
class Block:
    """A fenced code block: the text after its opening fence, and its content."""

    page: Path
    line: int
    info: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.page.name}:{self.line}"


def _blocks(page: Path) -> Iterator[Block]:
    start, info, indent, lines = 0, "", "", list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = re.match(r"( *)```(.*)", line)
        if fence is None:
            lines.append(line.removeprefix(indent))
        elif start:
            assert not fence[2], f"{page.name}:{start} is not closed before line {number}"
            yield Block(page, start, info, "\n".join(lines) + "\n")
            start = 0
        else:
            start, info, indent, lines = number, fence[2].strip(), fence[1], []
    assert not start, f"{page.name}:{start} is never closed"


BLOCKS = [block for page in PAGES for block in _blocks(page)]


def is_file(block: Block) -> bool:
    """Whether *block* is a file that the scripts of its page read: it has a path."""
    return not block.info.startswith("python") and " " in block.info


SCRIPTS = [block for block in BLOCKS if block.info in {"python", "python exits 1"}]


def _commands(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        for word, below in subcommands(command):
            yield from _commands(below, f"{name} {word}")
    else:
        yield name


@pytest.fixture
def seedctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("SEEDCTL_LOCAL", "1")
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "ann")
    monkeypatch.setenv("COLUMNS", "120")
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seedctl: CommandLine) -> Path:
    """Create the project that the documentation describes, and change to it."""
    folder = tmp_path / "my-app"
    (folder / "amplify" / "seed").mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "my-app"}\n', encoding="utf-8")
    (folder / "amplify" / "backend.ts").write_text("// not read\n", encoding="utf-8")
    (folder / "amplify" / "seed" / "seed.py").write_text(SCRIPTS[0].text, encoding="utf-8")
    monkeypatch.chdir(folder)
    options = [word for group in GROUPS for word in ("--group", group)]
    assert seedctl("local", "init", *options).code == 0
    return folder


@pytest.mark.parametrize("name", sorted(_commands(cli, "seedctl")))
def test_every_command_is_documented(name: str) -> None:
    """Every command is in the table of all commands and on another page in docs/."""
    pattern = re.compile(re.escape(name) + r"\b")
    assert pattern.search(COMMANDS.read_text(encoding="utf-8"))
    assert any(
        pattern.search(page.read_text(encoding="utf-8")) for page in PAGES[1:] if page != COMMANDS
    )


def test_the_readme_shows_the_help_as_it_is(seedctl: CommandLine) -> None:
    """The README shows exactly what `seedctl --help` prints."""
    shown = [block.text for block in BLOCKS if block.text.startswith("Usage: seedctl [OPTIONS]")]
    assert shown == [seedctl("--help").out]


def test_every_variable_of_seedctl_is_documented() -> None:
    """The page of all commands lists the variables that seedctl reads or sets; no page has another."""
    pattern = re.compile(r"\bSEEDCTL_[A-Z_]*[A-Z]\b")
    sources = Path(str(importlib.resources.files("seedctl"))).rglob("*.py")
    used = {name for path in sources for name in pattern.findall(path.read_text("utf-8"))}
    assert set(pattern.findall(COMMANDS.read_text(encoding="utf-8"))) == used
    assert used >= {name for page in PAGES for name in pattern.findall(page.read_text("utf-8"))}


def test_every_option_that_is_documented_exists() -> None:
    """Every option of `seedctl` on a page exists."""
    found = 0
    known = {"--help", "-h", "--version"}
    stack: list[click.Command] = [cli]
    while stack:
        command = stack.pop()
        known.update(word for parameter in command.params for word in parameter.opts)
        if isinstance(command, click.Group):
            stack.extend(below for _, below in subcommands(command))
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            for command_line in re.findall(r"\bseedctl( [^`|#>]+)", line):
                own = command_line.partition(" -- ")[0]
                used = re.findall(r"(?<= )(--?[a-z][a-z-]*)(?=[ =.,;]|$)", own)
                assert set(used) <= known, f"{page.name}: {line}"
                found += len(used)
    assert found > 50


@pytest.mark.parametrize("block", [pytest.param(block, id=block.id) for block in SCRIPTS])
def test_every_documented_script_runs(block: Block, project: Path, seedctl: CommandLine) -> None:
    """Each script of the documentation seeds the local sandbox when it is copied to a new project;
    those of docs/data-sets.md can be run again."""
    for name, value in SECRETS.items():
        if f'"{name}"' in block.text:
            assert seedctl("secret", "set", name, stdin=value.encode()).code == 0
    outputs = project / "amplify" / "seed" / "local_outputs.json"
    if "storage" in block.text:
        _add_bucket(outputs)
    if "data" in block.text:
        _add_models(outputs, "blog_models" if "models.Post" in block.text else "data_sets")
    for file in _files_beside(block):
        path = project / file.info.partition(" ")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    following = BLOCKS[BLOCKS.index(block) + 1 :][:1]
    shown = "".join(each.text for each in following if each.text.startswith("… and "))
    script = block.text if shown else with_fewer_rows(block.text)
    (project / "amplify" / "seed" / "seed.py").write_text(script, encoding="utf-8")
    for _ in range(2 if block.page.name == "data-sets.md" else 1):
        result = seedctl("seed")
        assert result.code == int(block.info.endswith("exits 1")), result.err
        assert " Seeded in " in result.err
    assert _normal(shown, project) in _normal(result.err, project)


def with_fewer_rows(script: str) -> str:
    """Return *script* with a tenth of its users, records and files, such as 5 instead of 50."""
    return re.sub(r"\b[1-9][\d_]*0\b", lambda number: number[0][:-1], script)


def _add_bucket(outputs: Path) -> None:
    """Add the bucket of docs/many-files.md to the backend."""
    document = json.loads(outputs.read_text(encoding="utf-8"))
    bucket = {"bucket_name": "my-app-files", "aws_region": document["auth"]["aws_region"]}
    rules = {"pictures/*": {"authenticated": ["get", "list", "write"]}}
    document["storage"] = {**bucket, "buckets": [{**bucket, "name": "files", "paths": rules}]}
    outputs.write_text(json.dumps(document), encoding="utf-8")


def _add_models(outputs: Path, name: str) -> None:
    """Add the models of docs/data-sets.md to the backend."""
    document = json.loads(outputs.read_text(encoding="utf-8"))
    document["data"] = json.loads((ROOT / f"tests/data/{name}.json").read_text("utf-8"))
    outputs.write_text(json.dumps(document), encoding="utf-8")


def _files_beside(block: Block) -> list[Block]:
    """Return the blocks of the page of *block* that are files."""
    return [each for each in BLOCKS if each.page == block.page and is_file(each)]


def test_python_blocks_are_valid() -> None:
    """Each Python block is valid Python, also one that is only part of a script."""
    for block in BLOCKS:
        if block.info.startswith("python"):
            assert block.info.removeprefix("python") in {"", " cell", " fragment", " exits 1"}, (
                block.id
            )
            flags = ast.PyCF_ONLY_AST | (
                ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if "cell" in block.info else 0
            )
            compile(block.text, block.id, "exec", flags=flags)


def test_the_shown_runs_are_real(project: Path, seedctl: CommandLine) -> None:
    """The README and the tutorial show what a first and a second run of the script print."""
    assert seedctl("secret", "set", "seed-user-password", stdin=b"Passw0rd!").code == 0
    runs = [_normal(seedctl("seed").err, project) for _ in range(2)]
    assert "created" in runs[0]
    assert "already there" in runs[1]
    shown = [
        _normal(block.text.partition("\n")[2], Path("/tmp/my-app"))
        for block in BLOCKS
        if block.text.startswith("$ seedctl seed --local\n")
    ]
    assert shown == [runs[0], runs[0], runs[1]]


def _normal(text: str, project: Path) -> str:
    """Return *text* without the parts that differ from run to run."""
    text = text.replace(str(project.resolve()), "PROJECT").replace(str(project), "PROJECT")
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "SUB", text)
    text = re.sub(r"Seeded in [0-9.]+ s", "Seeded in N s", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize(
    "page", [pytest.param(p, id=p.name) for p in [*PAGES, *ROOT.glob("[CS]*.md")]]
)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """Every link to a file of this repository, or to a heading in it, has a target."""
    text = re.sub(
        r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target), link


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_are_short() -> None:
    """A page has fewer than 160 lines."""
    for page in PAGES:
        assert len(page.read_text(encoding="utf-8").splitlines()) < 160, page.name


def test_every_page_is_linked_from_the_readme() -> None:
    """The README links to every page, so that readers find it."""
    text = README.read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert f"](docs/{page.name})" in text


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    """The first section of the changelog is Unreleased."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE)[0] == "[Unreleased]"


def _workflow() -> dict[Any, Any]:
    # Imported dynamically: PyYAML is installed with moto, but without type stubs.
    yaml = importlib.import_module("yaml")
    (block,) = [block for block in BLOCKS if block.page.name == "ci.md" and block.info == "yaml"]
    workflow: dict[Any, Any] = yaml.safe_load(block.text)
    return workflow


def test_the_workflow_asks_for_no_more_than_it_needs() -> None:
    """Each job has only the permissions it names, and every action is pinned to a commit."""
    workflow = _workflow()
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["offline"]["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["preview"]["permissions"] == {"contents": "read", "id-token": "write"}
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
            assert "${{" not in step.get("run", ""), "the value would become part of the script"


def test_the_offline_job_of_the_workflow_works(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seedctl: CommandLine
) -> None:
    """The steps in docs/ci.md set a secret and seed twice, when run in a fresh checkout."""
    job = _workflow()["jobs"]["offline"]
    for name in ("SEEDCTL_LOCAL", "SEEDCTL_IDENTIFIER"):
        monkeypatch.delenv(name)
    for name, value in {"CI": "true", "GITHUB_ACTIONS": "true", **job["env"]}.items():
        monkeypatch.setenv(name, value)
    results = _run_steps(job, StepRunner(tmp_path, job["env"]), project, seedctl)
    last = [result.err.splitlines()[-1] for result in results]
    assert len(last) == 3
    assert last[0].startswith("✔ Created version 1 of secret seed-user-password")
    assert last[1].endswith("2 users created, 2 group memberships set, 1 secret read.")
    assert last[2].endswith("2 users already there, 2 group memberships set, 1 secret read.")


def _run_steps(
    job: dict[str, Any], runner: StepRunner, project: Path, seedctl: CommandLine
) -> list[Result]:
    """Run the steps of *job* that install nothing, and return the results of their calls."""
    results = []
    for step in job["steps"]:
        if "uses" in step or step["name"] in INSTALL_STEPS:
            continue
        values = {name: _expanded(value) for name, value in step.get("env", {}).items()}
        call = runner.run(step["run"], project, values)
        if call is not None:
            result = seedctl(*call.arguments, stdin=call.stdin)
            assert result.code == 0, f"{step['name']}: {result.err}"
            assert SECRETS["seed-user-password"] not in result.out + result.err
            results.append(result)
    return results


def test_the_preview_job_of_the_workflow_works(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seedctl: CommandLine
) -> None:
    """The steps in docs/ci.md seed a pull request's backend, from its outputs to the report."""
    job = _workflow()["jobs"]["preview"]
    summary = tmp_path / "summary.md"
    runner = StepRunner(
        tmp_path,
        {
            "GITHUB_STEP_SUMMARY": str(summary),
            **{name: _expanded(value) for name, value in job["env"].items()},
        },
    )
    monkeypatch.delenv("SEEDCTL_LOCAL")
    monkeypatch.delenv("SEEDCTL_IDENTIFIER")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("CI", "true")
    deployed = preview_backend(GROUPS)
    with serve_with_sandbox(deployed, tmp_path / "state") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        shown = [result.err for result in _run_steps(job, runner, project, seedctl)]
    assert len(shown) == 3
    assert "Wrote amplify_outputs.json" in shown[0]
    assert "secret seed-user-password (branch pr-12 of app d1a2b3c4d5e6f7)" in shown[1]
    assert "2 users created, 2 group memberships set, 1 secret read." in shown[2]
    report = json.loads(summary.read_text(encoding="utf-8"))
    assert (report["exit_code"], report["failed"]) == (0, 0)
    assert report["target"]["user_pool"] == deployed.outputs["userPoolId"]


def test_named_install_steps_exist() -> None:
    """The steps that the test skips exist in the workflow."""
    names = {step.get("name") for step in _workflow()["jobs"]["offline"]["steps"]}
    assert names >= INSTALL_STEPS


def _expanded(value: str) -> str:
    """Return *value* with the expressions in it evaluated, as GitHub does."""
    values = {
        "secrets.SEED_USER_PASSWORD": SECRETS["seed-user-password"],
        "vars.AMPLIFY_APP_ID": "d1a2b3c4d5e6f7",
        "github.event.number": "12",
    }
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: values[match[1]], value)


def test_no_file_names_a_registry_or_this_machine() -> None:
    """No file in git names a package registry or a path of one machine."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        [git, "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True
    ).stdout.decode()
    names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    assert "README.md" in names
    found = [
        f"{name}: {word}"
        for name in names
        for word in [*REGISTRIES, *MACHINE_PATHS]
        if word.encode() in (ROOT / name).read_bytes()
    ]
    assert found == []
