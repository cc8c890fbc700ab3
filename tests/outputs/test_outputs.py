"""amplify_outputs.json: every version can be read, and errors name the key that is wrong."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedctl.errors import (
    AmplifyOutputsNotFoundError,
    InvalidAmplifyOutputsError,
    MissingAuthError,
    SeedctlError,
)
from seedctl.outputs import (
    AuthSection,
    OutputsSource,
    PasswordPolicy,
    UserGroup,
    load_outputs,
    parse_outputs,
)
from seedctl.outputs.resources import resources_of_file
from seedctl.project import Project
from tests.cases import case
from tests.changes import ABSENT, changed, places

DATA = Path(__file__).parents[1] / "data"
EXAMPLES = sorted([*DATA.glob("amplify_outputs.*.json"), *(DATA / "outputs").glob("*.json")])
BASIC: dict[str, Any] = json.loads((DATA / "amplify_outputs.basic.json").read_text("utf-8"))
MFA: dict[str, Any] = json.loads((DATA / "amplify_outputs.mfa.json").read_text("utf-8"))
HERE = Path("/app/amplify_outputs.json")

RULES = ("require_numbers", "require_lowercase", "require_uppercase", "require_symbols")


def _changed(key_path: str, value: object, document: dict[str, Any] = BASIC) -> dict[str, Any]:
    """Return *document* with the value at *key_path* ("auth.groups") replaced or removed."""
    result: dict[str, Any] = changed(document, tuple(key_path.split(".")), value)
    return result


def _auth(document: dict[str, Any]) -> AuthSection:
    auth = parse_outputs(document, HERE).auth
    assert auth is not None
    return auth


# --- valid files --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_loads(path: Path) -> None:
    """Every file that Amplify wrote can be read completely."""
    outputs = load_outputs(path)
    document = json.loads(path.read_text("utf-8"))
    assert outputs.version == document["version"]
    assert outputs.document == document
    assert outputs.path == path
    assert (outputs.auth is not None) == ("auth" in document)
    if outputs.auth is not None:
        assert outputs.auth.user_pool_id == document["auth"]["user_pool_id"]


def test_no_example_is_missing() -> None:
    """The tests above have all examples: a wrong folder would give them none."""
    assert len(EXAMPLES) == 13


def test_sample_a_in_full() -> None:
    """Each key of the auth section is in the attribute with the same name."""
    assert _auth(BASIC) == AuthSection(
        aws_region="us-east-1",
        user_pool_id="us-east-1_AbCdEfGhI",
        user_pool_client_id="4k7exampleclientid1234567",
        identity_pool_id="us-east-1:11111111-2222-3333-4444-555555555555",
        password_policy=PasswordPolicy(8, True, True, True, True),
        standard_required_attributes=("email",),
        username_attributes=("email",),
        user_verification_types=("email",),
        unauthenticated_identities_enabled=True,
        mfa_configuration="NONE",
        mfa_methods=(),
        groups=(UserGroup("admin", 0),),
    )


def test_sample_b_in_full() -> None:
    """Lists keep their order, and rules that are off differ from those that are on."""
    auth = _auth(MFA)
    assert auth.mfa_configuration == "REQUIRED"
    assert auth.mfa_methods == ("SMS", "TOTP", "EMAIL")
    assert auth.groups == (UserGroup("admin", 0), UserGroup("editors", 1))
    assert auth.username_attributes == ("email", "phone_number")
    assert auth.standard_required_attributes == ("email", "phone_number", "given_name")
    assert auth.password_policy == PasswordPolicy(
        min_length=10,
        require_numbers=True,
        require_lowercase=True,
        require_uppercase=True,
        require_symbols=False,
    )


@pytest.mark.parametrize("rule", RULES)
def test_each_password_rule(rule: str) -> None:
    """Each of the four password rules is read from its own key."""
    policy = _auth(_changed(f"auth.password_policy.{rule}", False)).password_policy
    assert policy is not None
    assert [name for name in RULES if not getattr(policy, name)] == [rule]


@pytest.mark.parametrize(
    ("version", "names_email"),
    [
        ("1", False),
        ("1.1", False),
        ("1.2", False),
        ("1.3", False),
        ("1.4", True),
        ("1.5", True),
        ("1.10", True),
        ("1.4.2", True),
        ("1.x", False),
        ("1.", False),
        ("1.\u0665", False),  # a digit five, and not ours
    ],
)
def test_versions(version: str, names_email: bool) -> None:
    """Every version 1.x can be read; MFA methods can contain EMAIL only since version 1.4."""
    outputs = parse_outputs({**BASIC, "version": version}, HERE)
    assert outputs.version == version
    assert outputs.auth is not None
    assert outputs.auth.can_list_email_mfa is names_email


@pytest.mark.parametrize("version", ["2", "0.9", "10", "11.1", "1-4", "v1", " 1"])
def test_other_versions_are_refused(version: str) -> None:
    """An unknown version is an error."""
    with pytest.raises(InvalidAmplifyOutputsError) as caught:
        parse_outputs({**BASIC, "version": version}, HERE)
    assert caught.value.message == (
        f'{HERE}: version is {version!r}; expected a version that begins with "1".'
    )


OPTIONAL = (
    "identity_pool_id",
    "password_policy",
    "standard_required_attributes",
    "username_attributes",
    "user_verification_types",
    "unauthenticated_identities_enabled",
    "mfa_configuration",
    "mfa_methods",
    "groups",
)


@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
@pytest.mark.parametrize("key", OPTIONAL)
def test_a_missing_key_is_none(key: str, value: object) -> None:
    """A missing or null key is None, which means neither "off" nor "empty"."""
    assert getattr(_auth(_changed(f"auth.{key}", value)), key) is None
    assert getattr(_auth(BASIC), key) is not None


@pytest.mark.parametrize("key", ["mfa_methods", "groups", "username_attributes"])
def test_an_empty_list_is_empty(key: str) -> None:
    """An empty list is an empty tuple, unlike a missing list."""
    assert getattr(_auth(_changed(f"auth.{key}", [])), key) == ()


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        pytest.param([{"a": {}}], (UserGroup("a", None),), id="no precedence"),
        pytest.param([{"a": None}], (UserGroup("a", None),), id="null"),
        pytest.param([{"a": {"precedence": 3, "new": 1}}], (UserGroup("a", 3),), id="unknown key"),
        pytest.param(
            [{"a": {"precedence": 0}, "b": {}}, {}, {"c": {}}],
            (UserGroup("a", 0), UserGroup("b", None), UserGroup("c", None)),
            id="several in one object",
        ),
    ],
)
def test_groups(groups: object, expected: tuple[UserGroup, ...]) -> None:
    """The groups are the keys of all objects in the list, in their order."""
    assert _auth(_changed("auth.groups", groups)).groups == expected


def test_unknown_keys_and_methods_are_tolerated() -> None:
    """Unknown keys and values, as later versions may have, are ignored."""
    document = _changed("auth.new_key", {"x": [1]})
    document["auth"]["mfa_methods"] = ["TOTP", "PIGEON", "SMS"]
    document["auth"]["password_policy"]["history"] = 5
    document["new_section"] = []
    auth = _auth(document)
    assert auth.mfa_methods == ("TOTP", "SMS")
    assert auth.password_policy == _auth(BASIC).password_policy


@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
@pytest.mark.parametrize(
    ("rule", "unsaid"),
    [
        ("min_length", 6),
        ("require_numbers", False),
        ("require_lowercase", False),
        ("require_uppercase", False),
        ("require_symbols", False),
    ],
)
def test_a_missing_password_rule_does_not_apply(rule: str, unsaid: object, value: object) -> None:
    """Password rules may be missing; the lowest minimum length is Cognito's, six."""
    policy = _auth(_changed(f"auth.password_policy.{rule}", value)).password_policy
    expected = {"min_length": 8, **dict.fromkeys(RULES, True), rule: unsaid}
    assert policy is not None
    assert asdict(policy) == expected


@pytest.mark.parametrize(("word", "meant"), [("OFF", "NONE"), ("ON", "REQUIRED")])
def test_the_mfa_mode_in_cloudformations_words(word: str, meant: str) -> None:
    """CloudFormation's words for the MFA mode, which Amplify wrote for weeks, can be read."""
    assert _auth(_changed("auth.mfa_configuration", word)).mfa_configuration == meant


def test_attributes_that_cognito_sets_are_not_required() -> None:
    """A user needs no value for ``sub`` and ``updated_at``, even if they are required."""
    required = ["sub", "email", "updated_at", "given_name", "something_new"]
    auth = _auth(_changed("auth.standard_required_attributes", required))
    assert auth.standard_required_attributes == ("email", "given_name")


@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
def test_a_backend_without_auth(value: object) -> None:
    """A backend that only has data or storage has no auth section."""
    assert parse_outputs(_changed("auth", value), HERE).auth is None


def test_the_pools_region_and_name_come_from_its_id() -> None:
    """The pool's region and name come from its id, even if aws_region is another one."""
    auth = _auth(_changed("auth.aws_region", "eu-west-1"))
    assert (auth.user_pool_region, auth.user_pool_name) == ("us-east-1", "AbCdEfGhI")


def test_the_repr_leaves_the_document_out() -> None:
    """The repr does not show the document, which may contain an API key."""
    assert "da2-" in json.dumps(MFA)
    assert "da2-" not in repr(parse_outputs(MFA, HERE))


def test_limits_are_included() -> None:
    """The shortest and the longest minimum length of passwords, and of a bucket's name, are read."""
    for length in (6, 99):
        policy = _auth(_changed("auth.password_policy.min_length", length)).password_policy
        assert policy is not None
        assert policy.min_length == length
    bucket = {"bucket_name": "b" * 255, "aws_region": "us-east-1"}
    storage = parse_outputs({"version": "1", "storage": bucket}, HERE).storage
    assert storage is not None
    assert storage.default.bucket_name == "b" * 255


def test_a_list_of_unknown_values_counts_as_absent() -> None:
    """A list with nothing but what later versions may have says nothing; it is not empty."""
    assert _auth(_changed("auth.mfa_methods", ["PIGEON"])).mfa_methods is None


def test_a_role_without_actions_is_read() -> None:
    """A path rule whose actions are null grants nothing."""
    rules = {"a/*": {"guest": None, "authenticated": ["get"]}}
    bucket = {"name": "b", "bucket_name": "b", "aws_region": "us-east-1", "paths": rules}
    section = {"bucket_name": "b", "aws_region": "us-east-1", "buckets": [bucket]}
    storage = parse_outputs({"version": "1", "storage": section}, HERE).storage
    assert storage is not None
    assert storage.buckets[0].paths == {"a/*": {"guest": (), "authenticated": ("get",)}}


def test_an_api_has_a_web_address() -> None:
    """http is as good as https, as emulators have it; a host and a possible port are needed."""
    for url, is_valid in (
        ("http://127.0.0.1:4000/graphql", True),
        ("https:///graphql", False),
        ("https://a:99999/graphql", False),
        ("ftp://a/graphql", False),
    ):
        document = {"version": "1", "data": {"url": url, "aws_region": "us-east-1"}}
        refused = pytest.raises(InvalidAmplifyOutputsError, match=r"data\.url")
        with case(url), nullcontext() if is_valid else refused:
            parse_outputs(document, HERE)


def test_the_local_api_replaces_the_deployed_one() -> None:
    """The document for a front end has the sandbox's address, and all else as it was."""
    outputs = load_outputs(DATA / "outputs" / "todo_userpool.json")
    served = outputs.served_at("http://127.0.0.1:1")
    assert served.pop("data") == {**outputs.document["data"], "url": "http://127.0.0.1:1/graphql"}
    assert served == {key: value for key, value in outputs.document.items() if key != "data"}
    only_auth = _changed("data", ABSENT)
    assert parse_outputs(only_auth, HERE).served_at("http://127.0.0.1:1") == only_auth


def test_the_resources_are_those_of_all_sections() -> None:
    """The pool, the API and every bucket are named with their kind; a section may be missing."""
    outputs = load_outputs(DATA / "outputs" / "storage_only_multi_bucket.json")
    storage = outputs.document["storage"]
    buckets = [storage["bucket_name"], *(each["bucket_name"] for each in storage["buckets"])]
    assert resources_of_file(outputs)[-len(buckets) :] == [("bucket", name) for name in buckets]
    outputs = load_outputs(DATA / "outputs" / "todo_userpool.json")
    assert resources_of_file(outputs)[:2] == [
        ("user pool", outputs.document["auth"]["user_pool_id"]),
        ("API", outputs.document["data"]["url"]),
    ]


def test_the_file_is_found_and_read_once(tmp_path: Path) -> None:
    """The local sandbox has a file of its own; a file that the user names must exist."""
    project = Project(tmp_path)
    source = OutputsSource(project, explicit=None, is_local=False)
    assert source.if_any() is None
    (tmp_path / "amplify_outputs.json").write_text(
        json.dumps(_changed("auth.aws_region", "eu-west-1"))
    )
    assert source.if_any() is source.outputs is source.outputs
    assert source.region() == "us-east-1"
    assert source.require_auth() is source.auth
    local = tmp_path / "amplify" / "seed" / "local_outputs.json"
    local.parent.mkdir(parents=True)
    local.write_text('{"version": "1", "custom": {}}')
    (tmp_path / "amplify_outputs.json").unlink()
    of_sandbox = OutputsSource(project, explicit=None, is_local=True)
    assert (of_sandbox.outputs.path, of_sandbox.region()) == (local, "us-east-1")
    assert OutputsSource(project, explicit=local, is_local=False).region() is None
    with pytest.raises(MissingAuthError):
        of_sandbox.require_auth()
    missing = OutputsSource(project, explicit=tmp_path / "missing.json", is_local=False)
    with pytest.raises(AmplifyOutputsNotFoundError):
        missing.if_any()
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InvalidAmplifyOutputsError):
        OutputsSource(Project(tmp_path), explicit=tmp_path / "broken.json", is_local=True).if_any()
    (tmp_path / "amplify_outputs.json").write_text("{")
    with pytest.raises(InvalidAmplifyOutputsError):
        OutputsSource(project, explicit=None, is_local=False).if_any()


# --- invalid files -----------------------------------------------------------------------------

# Where to put a wrong value, the value, the key path in the message, and what it expects.
MISTYPED = [
    ("version", 1.4, "version", "text that is not empty"),
    ("version", "", "version", "text that is not empty"),
    ("auth", [], "auth", "an object"),
    ("auth", "x", "auth", "an object"),
    ("auth.aws_region", 1, "auth.aws_region", "text that is not empty"),
    ("auth.aws_region", "", "auth.aws_region", "text that is not empty"),
    ("auth.user_pool_id", True, "auth.user_pool_id", "text that is not empty"),
    (
        "auth.user_pool_id",
        "pool",
        "auth.user_pool_id",
        "a user pool id such as us-east-1_AbCdEfGhI",
    ),
    ("auth.user_pool_id", "a_b_c", "auth.user_pool_id", "a user pool id"),
    ("auth.user_pool_client_id", {}, "auth.user_pool_client_id", "text that is not empty"),
    ("auth.user_pool_client_id", "a}b", "auth.user_pool_client_id", "the id of an app client"),
    ("auth.user_pool_client_id", "\u00fc", "auth.user_pool_client_id", "the id of an app client"),
    ("auth.identity_pool_id", "US-east-1:1-a", "auth.identity_pool_id", "an identity pool id such"),
    ("auth.aws_region", "us east", "auth.aws_region", "an AWS region such as us-east-1"),
    ("auth.identity_pool_id", [], "auth.identity_pool_id", "text that is not empty"),
    ("auth.identity_pool_id", "pool", "auth.identity_pool_id", "an identity pool id such as"),
    ("auth.password_policy", [], "auth.password_policy", "an object"),
    ("auth.password_policy.min_length", "8", "auth.password_policy.min_length", "a whole number"),
    ("auth.password_policy.min_length", 8.0, "auth.password_policy.min_length", "a whole number"),
    ("auth.password_policy.min_length", True, "auth.password_policy.min_length", "a whole number"),
    ("auth.password_policy.min_length", 5, "auth.password_policy.min_length", "from 6 to 99"),
    ("auth.password_policy.min_length", 100, "auth.password_policy.min_length", "from 6 to 99"),
    (
        "auth.password_policy.require_numbers",
        "yes",
        "auth.password_policy.require_numbers",
        "true or false",
    ),
    (
        "auth.password_policy.require_symbols",
        1,
        "auth.password_policy.require_symbols",
        "true or false",
    ),
    (
        "auth.standard_required_attributes",
        "email",
        "auth.standard_required_attributes",
        "a list of texts",
    ),
    ("auth.username_attributes", {}, "auth.username_attributes", "a list of texts"),
    ("auth.username_attributes", ["email", 2], "auth.username_attributes[1]", "text"),
    ("auth.user_verification_types", [None], "auth.user_verification_types[0]", "text"),
    (
        "auth.unauthenticated_identities_enabled",
        "true",
        "auth.unauthenticated_identities_enabled",
        "true or false",
    ),
    ("auth.mfa_configuration", "SMS", "auth.mfa_configuration", "one of NONE, OPTIONAL, REQUIRED"),
    ("auth.mfa_configuration", [], "auth.mfa_configuration", "one of NONE, OPTIONAL, REQUIRED"),
    ("auth.mfa_methods", "SMS", "auth.mfa_methods", "a list of texts"),
    ("auth.mfa_methods", [7], "auth.mfa_methods[0]", "text"),
    ("auth.groups", {"admin": {}}, "auth.groups", "a list of objects"),
    ("auth.groups", [{}, "admin"], "auth.groups[1]", "an object"),
    ("auth.groups", [{"admin": 0}], "auth.groups[0].admin", "an object"),
    (
        "auth.groups",
        [{"admin": {"precedence": "0"}}],
        "auth.groups[0].admin.precedence",
        "a whole number",
    ),
    (
        "auth.groups",
        [{"admin": {"precedence": True}}],
        "auth.groups[0].admin.precedence",
        "a whole number",
    ),
]


def test_a_mistyped_key() -> None:
    """For a value of the wrong type, the error names file, key path and what was expected."""
    for key_path, value, place, expected in MISTYPED:
        with case(key_path, value):
            with pytest.raises(InvalidAmplifyOutputsError) as caught:
                parse_outputs(_changed(key_path, value), HERE)
            assert caught.value.message.startswith(f"{HERE}: {place} is ")
            assert expected in caught.value.message.partition("; expected ")[2]
            assert caught.value.exit_code == 3
            assert "npx ampx" in (caught.value.resolution or "")


REQUIRED = [
    ("version", "text"),
    ("auth.aws_region", "text"),
    ("auth.user_pool_id", "text"),
    ("auth.user_pool_client_id", "text"),
]


@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
@pytest.mark.parametrize(("key_path", "expected"), REQUIRED, ids=[row[0] for row in REQUIRED])
def test_a_missing_key(key_path: str, expected: str, value: object) -> None:
    """For a missing required key, the error names file, key path and what was expected."""
    with pytest.raises(InvalidAmplifyOutputsError) as caught:
        parse_outputs(_changed(key_path, value), HERE)
    assert caught.value.message == f"{HERE}: {key_path} is missing; expected {expected}."
    assert "npx ampx" in (caught.value.resolution or "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param({}, "an object", id="object"),
        pytest.param([], "a list", id="list"),
        pytest.param(True, "true or false", id="flag"),
        pytest.param(7, "7", id="number"),
    ],
)
def test_the_wrong_value_is_described(value: object, shown: str) -> None:
    """The message says which value was found, or which kind for objects and lists."""
    with pytest.raises(InvalidAmplifyOutputsError, match=f"aws_region is {shown};"):
        parse_outputs(_changed("auth.aws_region", value), HERE)


def test_a_long_wrong_value_is_shortened() -> None:
    """A very long value is shortened in the message."""
    with pytest.raises(InvalidAmplifyOutputsError) as caught:
        parse_outputs(_changed("auth.mfa_configuration", "x" * 500), HERE)
    assert f"'{'x' * 40}…'" in caught.value.message
    with pytest.raises(InvalidAmplifyOutputsError, match=f"'{'x' * 40}'"):
        parse_outputs(_changed("auth.mfa_configuration", "x" * 40), HERE)


@pytest.mark.parametrize("document", [None, [], "x", 1, True], ids=json.dumps)
def test_a_file_that_is_no_object(document: object) -> None:
    """A JSON file that is not an object is refused."""
    with pytest.raises(InvalidAmplifyOutputsError, match=r"the whole file is .*expected an object"):
        parse_outputs(document, HERE)


@pytest.mark.parametrize("document", [{"version": "1.4"}, {"$schema": "x", "version": "1"}])
def test_the_stub_is_not_a_deployed_backend(document: object) -> None:
    """The stub from before the first deployment is not a backend without resources."""
    with pytest.raises(AmplifyOutputsNotFoundError, match="nothing has been deployed") as caught:
        parse_outputs(document, HERE)
    assert str(HERE) in caught.value.message
    assert caught.value.exit_code == 3


# --- files ---------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that does not exist is "not found", not "invalid"."""
    path = tmp_path / "amplify_outputs.json"
    with pytest.raises(AmplifyOutputsNotFoundError, match="does not exist") as caught:
        load_outputs(path)
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", "is not JSON", id="empty"),
        pytest.param(b'{"version": "1.4",', "is not JSON", id="cut off"),
        pytest.param(b'\xef\xbb\xbf{"version": "1.4"}', "is not JSON", id="byte order mark"),
        pytest.param(b"[" * 100_000, "is not JSON", id="nested too deep"),
        pytest.param(b'{"version": ' + b"1" * 5000 + b"}", "is not JSON", id="endless number"),
        pytest.param(b'{"version": "\xff"}', "read: it is not UTF-8 text", id="not UTF-8"),
        pytest.param('{"version": "1"}'.encode("utf-16"), "read: it is UTF-16", id="UTF-16"),
        pytest.param(b'{"version": "1", "x": "\\ud800"}', "is not JSON", id="half a character"),
        pytest.param(None, "cannot be read: Is a directory", id="a folder"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    """A file that is not JSON text is refused with its path and the reason."""
    path = tmp_path / "amplify_outputs.json"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(InvalidAmplifyOutputsError, match=complaint) as caught:
        load_outputs(path)
    assert caught.value.message.startswith(str(path))
    assert caught.value.__cause__ is not None


def test_a_broken_local_file_is_written_again_by_local_init(tmp_path: Path) -> None:
    """The advice fits the tool that wrote the file, which may have conflict markers of a merge."""
    for name, command in (
        ("local_outputs.json", "seedctl local init --force"),
        ("amplify_outputs.json", "npx ampx sandbox"),
    ):
        path = tmp_path / name
        for text in ("<<<<<<< HEAD\n{}", '{"version": 1}', '{"auth": {}, "version": "1"}', "[]"):
            path.write_text(text)
            with pytest.raises(InvalidAmplifyOutputsError) as caught:
                load_outputs(path)
            assert command in str(caught.value.resolution)


# --- anything else -------------------------------------------------------------------------------

_KEYS = ("auth", "version", "groups", "admin", "precedence", "$schema", "password_policy", "\ud800")
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["1.4", "us-east-1_A", "NONE", "TOTP", "\ud800", ""])
)
_JSON = st.recursive(
    _LEAVES,
    lambda node: (
        st.lists(node, max_size=3)
        | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=3), node, max_size=3)
    ),
    max_leaves=8,
)


def _places(document: Any) -> list[tuple[Any, ...]]:
    """Return the path of every node of *document*, without those in the model introspection."""
    return [(), *(place for place in places(document) if "model_introspection" not in place)]


_ODD: tuple[Any, ...] = (None, True, 0, -1, 1e400, "", "x", "\ud800", [], [None], {}, {"": [0]})


@pytest.mark.parametrize("document", [BASIC, MFA], ids=["basic", "mfa"])
def test_any_value_in_any_place_is_read_or_refused(document: Any) -> None:
    """With an odd value in place of any node, the file is read, or refused with its name."""
    for place in _places(document):
        for value in _ODD:
            _read_or_refuse(changed(document, place, value))


@settings(max_examples=30)
@given(data=st.data(), document=st.sampled_from([BASIC, MFA]))
def test_any_other_document_is_read_or_refused(data: st.DataObject, document: Any) -> None:
    """With any JSON in place of any node, the file is read, or refused with its name."""
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(document)))
        document = changed(document, place, data.draw(_JSON))
    _read_or_refuse(document)


@settings(max_examples=30)
@given(document=_JSON)
def test_any_json_at_all_is_read_or_refused(document: Any) -> None:
    """Any other JSON document is read, or refused with the file's name."""
    _read_or_refuse(document)


def _read_or_refuse(document: Any) -> None:
    refusal: SeedctlError | None = None
    try:
        outputs = parse_outputs(document, HERE)
    except SeedctlError as error:
        refusal = error
    else:
        hash((outputs.version, outputs.auth))  # frozen through and through
    if refusal is not None:
        assert refusal.exit_code == 3
        assert str(HERE) in refusal.message
        assert refusal.resolution
