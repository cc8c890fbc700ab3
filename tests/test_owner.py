"""Which backend an outputs file belongs to, as CloudFormation tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import (
    AccessDeniedError,
    AWSError,
    EndpointUnreachableError,
    MixedEndpointsError,
)
from seedctl.outputs import load_outputs
from seedctl.outputs.resources import resources_of_stack
from seedctl.owner import OWNERS, Ownership, find_bucket_owner, find_owner
from seedctl.project import BackendIdentifier, OtherStack, Project
from tests.aws.recorder import Call, Recorder

if TYPE_CHECKING:
    from seedctl.outputs import AmplifyOutputs

ALICE = BackendIdentifier("@acme/my-app", "alice")
BOB = BackendIdentifier("@acme/my-app", "bob")
MAIN = BackendIdentifier("d1a2b3c4d5e6f7", "feature/login-v2", "branch")
POOL = "us-east-1_AbCdEfGhI"
BASIC: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "amplify_outputs.basic.json").read_text("utf-8")
)
URL, BUCKET = BASIC["data"]["url"], BASIC["storage"]["bucket_name"]
SAME = {"userPoolId": POOL, "awsAppsyncApiEndpoint": URL, "bucketName": BUCKET}
TAGS = {
    "amplify:deployment-type": "branch",
    "amplify:app-id": MAIN.namespace,
    "amplify:branch-name": MAIN.name,
}
DENIED = AccessDeniedError("Your AWS identity may not call it.", code="AccessDenied")


def _stack(name: str, outputs: Mapping[str, str], **more: Any) -> dict[str, Any]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"StackName": name, "Outputs": listed, **more}


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Formation(Recorder):
    """A CloudFormation with the given stacks, by name or id, and the stack of each resource."""

    def __init__(
        self,
        stacks: Mapping[str, dict[str, Any] | Exception],
        resources: Mapping[str, str] | Exception,
        *,
        is_emulator: bool = False,
    ) -> None:
        super().__init__(is_emulator=is_emulator)
        self._stacks, self._resources = stacks, resources

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        self.calls.append(Call(service, operation, dict(parameters), region, once))
        if not parameters:
            return {"Stacks": [each for each in self._stacks.values() if isinstance(each, dict)]}
        (name,) = parameters.values()
        if operation == "DescribeStackResources":
            if isinstance(self._resources, Exception):
                raise self._resources
            found: Any = self._resources.get(name)
            reply = {"StackResources": [{"StackName": found}]}
        else:
            found = self._stacks.get(name)
            reply = {"Stacks": [found]}
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise AWSError(f"Stack with id {name} does not exist", code="ValidationError")
        return reply


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "package.json").write_text('{"name": "@acme/my-app"}', encoding="utf-8")
    return Project(tmp_path)


def _outputs(project: Project, **changed: Any) -> AmplifyOutputs:
    document = {key: value for key, value in {**BASIC, **changed}.items() if value is not None}
    path = project.root / "amplify_outputs.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_outputs(path)


def _find(project: Project, aws: Recorder, **changed: Any) -> Ownership:
    return find_owner(aws, project, ALICE, _outputs(project, **changed))


CHOSEN: dict[str, dict[str, Any] | Exception | None] = {
    "same": _stack(ALICE.stack_name, SAME),
    "differs": _stack(ALICE.stack_name, {**SAME, "userPoolId": "us-east-1_Other"}),
    "silent": _stack(ALICE.stack_name, {"region": "us-east-1"}),
    "missing": None,
    "unreadable": DENIED,
}
ROOTS: dict[str, dict[str, Any] | None] = {
    "chosen": _stack(ALICE.stack_name, SAME),
    "own": _stack(BOB.stack_name, SAME),
    "other": _stack(MAIN.stack_name, SAME, Tags=_tags(TAGS)),
    "unknown": None,
}


# What the chosen stack tells, which stack owns the pool, and whose the outputs are then.
ROWS = [
    ("same", "chosen", "chosen"),
    ("same", "own", "chosen"),
    ("same", "other", "other"),
    ("same", "unknown", "chosen"),
    ("differs", "chosen", "mismatch"),
    ("differs", "own", "mismatch"),
    ("differs", "other", "other"),
    ("differs", "unknown", "mismatch"),
    ("silent", "chosen", "chosen"),
    ("silent", "own", "mismatch"),
    ("silent", "other", "other"),
    ("silent", "unknown", "unknown"),
    ("missing", "chosen", "unknown"),  # deployed between two look-ups
    ("missing", "own", "mismatch"),
    ("missing", "other", "other"),
    ("missing", "unknown", "missing"),
    ("unreadable", "chosen", "unknown"),
    ("unreadable", "own", "mismatch"),
    ("unreadable", "other", "other"),
    ("unreadable", "unknown", "unknown"),
]


@pytest.mark.parametrize(("chosen", "root", "owner"), ROWS)
def test_each_row_of_the_table(project: Project, chosen: str, root: str, owner: str) -> None:
    """What the chosen stack tells and which stack owns the pool decide whose the outputs are."""
    stacks = {ALICE.stack_name: CHOSEN[chosen], "root-id": ROOTS[root]}
    stacks["nested"] = _stack("nested", {}, RootId="root-id", ParentId="between")
    found = {name: stack for name, stack in stacks.items() if stack is not None}
    aws = Formation(found, {POOL: "nested"} if ROOTS[root] is not None else {})
    ownership = _find(project, aws)
    assert ownership.owner == owner
    assert {call.region for call in aws.calls} == {"us-east-1"}
    assert all(call.once for call in aws.calls)
    backends = {"chosen": ALICE, "own": BOB, "other": MAIN}
    expected = backends.get(root)
    if expected is None:
        assert ownership.backend is None
    else:
        assert ownership.backend is not None
        assert ownership.backend.stack_name == expected.stack_name
    if root == "other":
        assert ownership.backend == MAIN


def test_the_table_is_complete() -> None:
    """Each pair is tested; all but a stack that is missing and owns the pool have a row."""
    rows = {(chosen, root) for chosen, root, _ in ROWS}
    assert rows == {(chosen, root) for chosen in CHOSEN for root in ROOTS}
    assert rows - set(OWNERS) == {("missing", "chosen")}


def test_the_calls_for_an_own_sandbox(project: Project) -> None:
    """Three look-ups: the chosen stack, the pool's, and the one in which that is nested."""
    stacks: dict[str, Any] = {ALICE.stack_name: _stack(ALICE.stack_name, SAME, StackId="id")}
    stacks["nested"] = _stack("nested", {}, RootId="id")
    aws = Formation(stacks, {POOL: "nested"})
    assert _find(project, aws).owner == "chosen"
    assert [list(call.parameters.values()) for call in aws.calls] == [
        [ALICE.stack_name],
        [POOL],
        ["nested"],
    ]


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        pytest.param({"awsAppsyncApiEndpoint": "https://other"}, f"names the API {URL}", id="API"),
        pytest.param({"awsAppsyncApiEndpoint": ""}, "has none", id="no API"),
        pytest.param({"bucketName": "other"}, f"names the bucket {BUCKET}", id="bucket"),
        pytest.param({"userPoolId": "us-east-1_O"}, "has us-east-1_O", id="pool"),
    ],
)
def test_each_resource_is_compared(
    project: Project, changed: dict[str, str], difference: str
) -> None:
    """A file with one resource of another backend is refused, and the resource is named."""
    stack = _stack(ALICE.stack_name, {**SAME, **changed})
    ownership = _find(project, Formation({ALICE.stack_name: stack}, {}))
    assert ownership.owner == "mismatch"
    assert difference in ownership.difference


def test_parts_of_two_other_backends(project: Project) -> None:
    """The pool of a branch and the API of a third backend: nobody can allow that by a name."""
    other = _stack(MAIN.stack_name, {**SAME, "awsAppsyncApiEndpoint": "https://third"})
    ownership = _find(project, Formation({MAIN.stack_name: other}, {POOL: MAIN.stack_name}))
    assert ownership.owner == "mismatch"
    assert "https://third" in ownership.difference


def test_stacks_are_searched_where_nobody_tells_the_stack_of_a_resource(project: Project) -> None:
    """Emulators do not tell it; then the root stack whose outputs name the pool is the owner."""
    other = _stack(MAIN.stack_name, SAME, Tags=_tags(TAGS))
    nested = _stack("nested", SAME, RootId="root-id")
    aws = Formation({"nested": nested, MAIN.stack_name: other}, {}, is_emulator=True)
    ownership = _find(project, aws)
    assert (ownership.owner, ownership.backend) == ("other", MAIN)
    pages = Recorder(
        AWSError(f"{ALICE.stack_name} does not exist", code="ValidationError"),
        AWSError("not supported"),
        {"Stacks": [nested], "NextToken": "2"},
        {"Stacks": [other]},
    )
    assert _find(project, pages).backend == MAIN
    assert [call.parameters for call in pages.calls[2:]] == [{}, {"NextToken": "2"}]


def test_the_pools_owner_decides_where_the_stack_is_missing(project: Project) -> None:
    """On an emulator without the sandbox's stack, a branch that owns the pool is found all the same."""
    other = _stack(MAIN.stack_name, SAME, Tags=_tags(TAGS))
    stacks, owns = {MAIN.stack_name: other}, {POOL: MAIN.stack_name}
    assert _find(project, Formation(stacks, owns, is_emulator=True)).owner == "other"
    nobody = _find(project, Formation({}, {}, is_emulator=True))
    assert (nobody.owner, nobody.reason) == ("unknown", f"there is no stack {ALICE.stack_name}")
    assert _find(project, Formation({}, {})).owner == "missing"


@pytest.mark.parametrize(
    ("name", "tags", "expected"),
    [
        pytest.param(MAIN.stack_name, TAGS, MAIN, id="raw names in the tags"),
        pytest.param(
            MAIN.stack_name,
            {},
            BackendIdentifier("d1a2b3c4d5e6f7", "featureloginv2", "branch", "4adb7deb4a"),
            id="no tags",
        ),
        pytest.param(
            MAIN.stack_name,
            {**TAGS, "amplify:branch-name": "main"},
            BackendIdentifier("d1a2b3c4d5e6f7", "featureloginv2", "branch", "4adb7deb4a"),
            id="tags of another stack",
        ),
        pytest.param("my-stack", {}, OtherStack.of("my-stack"), id="not of Amplify"),
        pytest.param(
            BOB.stack_name,
            {"amplify:deployment-type": "standalone"},
            BackendIdentifier("@acme/my-app", "bob", "sandbox", BOB.stack_name[-10:]),
            id="a sandbox only by its name",
        ),
    ],
)
def test_the_owner_is_named(
    project: Project, name: str, tags: dict[str, str], expected: BackendIdentifier
) -> None:
    """The raw names come from the tags if they fit, else the parts from the stack's name."""
    stack = _stack(name, SAME, Tags=_tags(tags))
    ownership = _find(project, Formation({name: stack}, {POOL: name}))
    assert (ownership.owner, ownership.backend) == ("other", expected)


@pytest.mark.parametrize("is_parsed", [False, True], ids=["named", "by its stack"])
def test_a_chosen_branch_is_called_by_its_raw_name(project: Project, is_parsed: bool) -> None:
    """The name that was given counts also where the stack has no tags; a stack's tags have it."""
    chosen = BackendIdentifier.from_stack_name(MAIN.stack_name) if is_parsed else MAIN
    assert chosen is not None
    stack = _stack(MAIN.stack_name, SAME, Tags=_tags(TAGS if is_parsed else {}))
    aws = Formation({MAIN.stack_name: stack}, {POOL: MAIN.stack_name})
    ownership = find_owner(aws, project, chosen, _outputs(project))
    assert (ownership.owner, ownership.backend) == ("chosen", MAIN)


@pytest.mark.parametrize("is_found", [True, False], ids=["by its id", "by the outputs"])
@pytest.mark.parametrize(
    ("name", "tags", "owner", "backend"),
    [
        pytest.param(ALICE.stack_name, {}, "chosen", None, id="chosen"),
        pytest.param(BOB.stack_name, {}, "chosen", None, id="own"),
        pytest.param(MAIN.stack_name, TAGS, "other", MAIN, id="branch"),
        pytest.param(
            BOB.stack_name,
            {"amplify:deployment-type": "branch"},
            "other",
            BackendIdentifier("@acme/my-app", "bob", "sandbox", BOB.stack_name[-10:]),
            id="a sandbox only by its name",
        ),
    ],
)
def test_the_owner_of_a_bucket(
    project: Project,
    is_found: bool,
    name: str,
    tags: dict[str, str],
    owner: str,
    backend: BackendIdentifier | None,
) -> None:
    """Its stack is looked up by the bucket's id, or else by the outputs of all stacks."""
    outputs = {} if is_found else {"bucketName": "photos"}
    stack = _stack(name, outputs, Tags=_tags(tags))
    aws = Formation({name: stack}, {"photos": name} if is_found else {})
    ownership = find_bucket_owner(aws, project, ALICE, "photos", "eu-west-1")
    assert (ownership.owner, ownership.backend) == (owner, backend)
    assert {call.region for call in aws.calls} == {"eu-west-1"}


def test_a_bucket_of_no_stack(project: Project) -> None:
    """Its owner is unknown, with the reason if a look-up failed."""
    nowhere = find_bucket_owner(Formation({}, {}), project, ALICE, "photos", None)
    assert (nowhere.owner, nowhere.reason) == ("unknown", "")
    denied = find_bucket_owner(Formation({}, DENIED), project, ALICE, "photos", None)
    assert (denied.owner, denied.reason) == ("unknown", DENIED.message.removesuffix("."))


def test_a_chosen_stack_whose_tags_say_branch(project: Project) -> None:
    """The tags count as much as the name: such a stack is not treated as a sandbox."""
    stack = _stack(ALICE.stack_name, SAME, Tags=_tags({"amplify:deployment-type": "branch"}))
    ownership = _find(project, Formation({ALICE.stack_name: stack}, {}))
    assert (ownership.owner, ownership.is_deployed_elsewhere) == ("chosen", True)


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        pytest.param(DENIED, 2, id="denied"),
        pytest.param(EndpointUnreachableError("No response."), 1, id="unreachable"),
        pytest.param(AWSError("Rate exceeded", code="Throttling"), 2, id="throttled"),
        pytest.param(
            AWSError("the name is wrong", code="ValidationError"), 2, id="another refusal"
        ),
        pytest.param(AWSError("x does not exist", code="Other"), 2, id="another code"),
    ],
)
def test_what_cannot_be_read(project: Project, error: AWSError, calls: int) -> None:
    """The reason of the first failure is stated; an address that does not answer is tried once."""
    aws = Formation({ALICE.stack_name: error}, AWSError("Another failure.", code="Other"))
    ownership = _find(project, aws)
    assert (ownership.owner, ownership.reason) == ("unknown", error.message.removesuffix("."))
    assert len(aws.calls) == calls


@pytest.mark.parametrize("error", [MixedEndpointsError("Some calls are real."), KeyError("bug")])
def test_other_failures_are_raised(project: Project, error: Exception) -> None:
    """What is no failure of AWS, such as a run that would mix AWS and an emulator, ends the check."""
    with pytest.raises(type(error)):
        _find(project, Formation({ALICE.stack_name: error}, {}))


@pytest.mark.parametrize(
    "reply", [{"Stacks": []}, {}, {"Stacks": [{}]}, {"Stacks": [{"Outputs": [{"OutputKey": "a"}]}]}]
)
def test_replies_without_anything_to_compare(project: Project, reply: dict[str, Any]) -> None:
    """An emulator may send little: then nothing is known."""
    ownership = _find(project, Recorder(reply, {"StackResources": []}, {}))
    assert ownership.owner == "unknown"
    assert ownership.reason


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        pytest.param({"auth": None}, [BUCKET], id="no auth"),
        pytest.param({"auth": None, "storage": None}, [], id="an API alone"),
        pytest.param({"auth": None, "data": None}, [BUCKET], id="buckets alone"),
        pytest.param({"auth": None, "data": None, "storage": None}, [], id="nothing"),
    ],
)
def test_outputs_with_some_sections(
    project: Project, changed: dict[str, None], asked: list[str]
) -> None:
    """What there is is compared; without a user pool, the default bucket's owner is asked for."""
    aws = Formation({ALICE.stack_name: _stack(ALICE.stack_name, SAME)}, {})
    changed = {**changed, "custom": {"x": 1}}  # type: ignore[dict-item]
    assert _find(project, aws, **changed).owner == "chosen"
    resources = [call for call in aws.calls if call.operation == "DescribeStackResources"]
    assert [call.parameters["PhysicalResourceId"] for call in resources] == asked
    is_empty = all(section in changed for section in ("auth", "data", "storage"))
    assert {call.region for call in aws.calls} == {None if is_empty else "us-east-1"}


def test_the_stack_is_in_the_pools_region(project: Project) -> None:
    """The stack is looked up in the pool's region, even if aws_region is another one."""
    auth = {**BASIC["auth"], "user_pool_id": "eu-west-1_A"}
    aws = Formation({}, {})
    assert _find(project, aws, auth=auth).region == "eu-west-1"
    assert {call.region for call in aws.calls} == {"eu-west-1"}


def test_resources_in_the_outputs_of_a_stack() -> None:
    """All buckets count, and what backend.addOutput adds; broken JSON counts as nothing."""
    buckets = [json.dumps({"name": "a", "bucketName": "one"}), json.dumps({"bucketName": "two"})]
    custom = {
        "auth": {"user_pool_id": "shared"},
        "data": {"url": "https://custom"},
        "storage": {"bucket_name": "three", "buckets": [{"bucket_name": "four"}, 7]},
    }
    outputs = {
        "userPoolId": "own",
        "buckets": json.dumps([*buckets, "{", "7"]),
        "customOutputs": json.dumps(custom),
    }
    assert resources_of_stack(outputs) == {
        "user pool": {"own", "shared"},
        "API": {"https://custom"},
        "bucket": {"one", "two", "three", "four"},
    }
    for text in ("{", "[]", "null", '{"storage": 7, "auth": []}', "[" * 100_000):
        assert resources_of_stack({"customOutputs": text, "buckets": text}) == {}
