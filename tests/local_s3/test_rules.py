"""Which role may do what at which path: the path rules, as IAM evaluates them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from seedctl import connect
from seedctl.local.s3.buckets import buckets_of
from seedctl.local.s3.rules import Role, allows, role_of
from seedctl.outputs import parse_outputs
from seedctl.outputs.auth import UserGroup
from tests.cases import case

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTED = {"name": "files", "bucket_name": "b", "aws_region": "us-east-1"}
OWN = "private/${cognito-identity.amazonaws.com:sub}/*"
PATHS: dict[str, dict[str, tuple[str, ...]]] = {
    "pictures/*": {"authenticated": ("get", "list"), "groupsAdmins,Editors": ("get", "write")},
    "pictures/secret/*": {"groupsAdmins": ("get",)},
    "public/*": {"guest": ("get", "list"), "authenticated": ("get", "list", "write", "delete")},
    "public/fixed/*": {"guest": ("get",), "authenticated": ("get", "list")},
    OWN: {"entityidentity": ("get", "list", "write", "delete")},
    "drop/*": {"guest": ("write",), "authenticated": ("write",)},
}
GUEST = role_of("us-east-1:guest", {}, ())
USER = role_of("us-east-1:ann", {"sub": "1"}, ())
ADMIN, EDITOR, OTHER = (
    Role("us-east-1:bob", frozenset({f"groups{name}"})) for name in ("Admins", "Editors", "X")
)


def test_rules() -> None:
    """A path grants an action, unless a nested path does not repeat the grant."""
    for case_name, role, action, path, allowed in (
        ("guest", GUEST, "get", "public/x", True),
        ("guest writes", GUEST, "write", "public/x", False),
        ("guest elsewhere", GUEST, "get", "pictures/x", False),
        ("guest's own", GUEST, "get", "private/us-east-1:guest/x", False),
        ("not repeated below", GUEST, "list", "public/fixed/", False),
        ("repeated below", GUEST, "get", "public/fixed/x", True),
        ("denied below", USER, "write", "public/fixed/x", False),
        ("beside what is below", USER, "write", "public/fixed", True),
        ("denied for others below", USER, "get", "pictures/secret/x", False),
        ("deep", USER, "get", "pictures/a/b/c", True),
        ("the folder itself", USER, "get", "pictures/", True),
        ("list", USER, "list", "pictures/", True),
        ("list below", USER, "list", "pictures/a", True),
        ("list without slash", USER, "list", "pictures", False),
        ("list all", USER, "list", "", False),
        ("longer name", USER, "get", "picturesx", False),
        ("not at the beginning", USER, "get", "a/pictures/x", False),
        ("own", USER, "write", "private/us-east-1:ann/x", True),
        ("another's", USER, "get", "private/us-east-1:bob/x", False),
        ("longer id", USER, "get", "private/us-east-1:anna/x", False),
        ("placeholder", USER, "get", "private/" + OWN, False),
        ("group", ADMIN, "get", "pictures/secret/x", True),
        ("group denied below", ADMIN, "write", "pictures/secret/x", False),
        ("in place of authenticated", ADMIN, "list", "pictures/", False),
        ("in place of entity", ADMIN, "get", "private/us-east-1:bob/x", False),
        ("second group", EDITOR, "write", "pictures/x", True),
        ("second group below", EDITOR, "get", "pictures/secret/x", False),
        ("group without rules", OTHER, "get", "pictures/x", False),
        ("line break", USER, "get", "pictures/\n/x", True),
    ):
        with case(case_name):
            assert allows(PATHS, role, action, path) is allowed


def test_no_rules_grant_nothing() -> None:
    """Without any path, no role of the identity pool may do anything."""
    assert not allows({}, GUEST, "get", "a/x")


def _buckets(storage: dict[str, Any]) -> Any:
    document = {"version": "1.4", "storage": {"aws_region": "eu-west-1", **storage}}
    read = json.loads(json.dumps(document))
    return buckets_of(parse_outputs(read, Path("amplify_outputs.json")).storage)


@pytest.mark.parametrize(
    "storage",
    [
        pytest.param({"bucket_name": "b"}, id="no buckets"),
        pytest.param({"bucket_name": "b", "buckets": [LISTED]}, id="no paths"),
        pytest.param({"bucket_name": "b", "buckets": [{**LISTED, "paths": None}]}, id="null"),
    ],
)
def test_unknown_rules_allow_users(storage: Any) -> None:
    """If the outputs file lists no rules, users may do everything, and guests read and list."""
    rules = _buckets(storage)["b"].paths
    for action in ("get", "list", "write", "delete"):
        assert allows(rules, USER, action, "any/path")
        assert allows(rules, ADMIN, action, "any/path")
        assert allows(rules, GUEST, action, "any/path") is (action in ("get", "list"))


def test_inner_wildcards() -> None:
    """A wildcard in the middle of a path matches any owner, as in IAM."""
    rules = {"private/*/*": {"authenticated": ("get",)}}
    assert allows(rules, USER, "get", "private/someone/x")
    assert not allows(rules, USER, "get", "private/someone")


def test_group_roles() -> None:
    """The group with the lowest precedence gives the role; two with the same give none."""
    precedences = {"Editors": 1, "Admins": 0, "A": 5, "B": 5, "Late": None}
    groups = [UserGroup(name, precedence) for name, precedence in precedences.items()]
    for case_name, member_of, group in (
        ("lowest", ["Editors", "Admins"], "Admins"),
        ("only", ["Editors"], "Editors"),
        ("without precedence", ["Late", "Editors"], "Editors"),
        ("tie", ["A", "B"], None),
        ("tie further back", ["A", "B", "Admins"], "Admins"),
        ("not in the outputs", ["Unknown"], None),
        ("no list", "Admins", None),
    ):
        with case(case_name):
            role = role_of("id", {"cognito:groups": member_of}, groups)
            expected = {"authenticated", "entityidentity"} if group is None else {f"groups{group}"}
            assert role.names == expected


def test_buckets() -> None:
    """The default bucket has the region and the rules of its entry in the list."""
    (bucket,) = _buckets({"bucket_name": "b", "buckets": [{**LISTED, "paths": PATHS}]}).values()
    assert (bucket.bucket_name, bucket.aws_region) == ("b", "us-east-1")
    assert allows(bucket.paths, GUEST, "get", "public/x")
    assert _buckets({"bucket_name": "old"})["old"].aws_region == "eu-west-1"
    assert buckets_of(None) == {}


# --- over the wire ------------------------------------------------------------------------------


class People:
    """A guest, a user and members of groups, with credentials of the identity pool."""

    def __init__(self, harness: Any, folder: Path) -> None:
        self.harness = harness
        outputs = json.dumps(harness.document)
        folder.mkdir()
        (folder / "amplify_outputs.json").write_text(outputs)
        (folder / "package.json").write_text('{"name": "my-app"}')
        self.backend = connect(folder, endpoint_url=harness.sandbox.url, target="none")
        self.identities: dict[str, str] = {}

    def client(self, name: str, *groups: str) -> Any:
        if name == "guest":
            found = self.backend.ambient_auth._identity_pool.for_guest()
        else:
            user = self.backend.auth.create_user(f"{name}@example.com", "Passw0rd!")
            for group in groups:
                self.backend.auth.add_to_group(user, group)
            with self.backend.auth.sign_in(user, "Passw0rd!") as session:
                token = session.fetch_auth_session().id_token
                assert token is not None
                found = self.backend.ambient_auth._identity_pool.for_user(token)
        assert found is not None
        self.identities[name] = found.identity_id
        keys = found.credentials
        return self.harness.client(keys.access_key_id, keys.secret_access_key, keys.session_token)


@pytest.fixture
def people(start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    found = People(start(PATHS), tmp_path / "app")
    with found.backend:
        yield found


def _code(call: Any, **given: Any) -> str:
    try:
        call(**given)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


def test_guest_over_the_wire(people: People) -> None:
    """A guest may read and list public paths, and nothing else."""
    harness = people.harness
    harness.client().put_object(Bucket=harness.bucket, Key="public/x", Body=b"x")
    harness.client().put_object(Bucket=harness.bucket, Key="pictures/x", Body=b"x")
    guest = people.client("guest")
    at = {"Bucket": harness.bucket}
    assert guest.get_object(**at, Key="public/x")["Body"].read() == b"x"
    assert guest.list_objects_v2(**at, Prefix="public/")["KeyCount"] == 1
    assert _code(guest.get_object, **at, Key="public/missing") == "NoSuchKey"
    # A caller who may not list gets AccessDenied even for a missing object.
    assert _code(guest.get_object, **at, Key="public/fixed/missing") == "AccessDenied"
    assert _code(guest.head_object, **at, Key="public/fixed/missing") == "403"
    for call, given in (
        (guest.get_object, {"Key": "pictures/x"}),
        (guest.put_object, {"Key": "public/x", "Body": b"y"}),
        (guest.delete_object, {"Key": "public/x"}),
        (guest.list_objects_v2, {}),
        (guest.list_objects_v2, {"Prefix": "public"}),
        (guest.list_multipart_uploads, {}),
        (guest.get_bucket_location, {}),
        (guest.get_object, {"Key": "x", "Bucket": harness.archive}),
    ):
        assert _code(call, **{**at, **given}) == "AccessDenied"
    assert _code(guest.list_buckets) == "AccessDenied"
    reply = guest.delete_objects(**at, Delete={"Objects": [{"Key": "public/x"}]})
    assert reply["Errors"][0]["Code"] == "AccessDenied"
    assert harness.client().head_object(**at, Key="public/x")["ContentLength"] == 1


def test_user_over_the_wire(people: People) -> None:
    """Another user's folder is closed; a copy needs access to source and target, a part only to its target."""
    harness, ann, bob = people.harness, people.client("ann"), people.client("bob")
    own = f"private/{people.identities['ann']}/note"
    at = {"Bucket": harness.bucket}
    ann.put_object(**at, Key=own, Body=b"mine")
    assert ann.get_object(**at, Key=own)["Body"].read() == b"mine"
    for call in (bob.get_object, bob.delete_object, bob.head_object):
        assert _code(call, **at, Key=own) in ("AccessDenied", "403")
    source = {**at, "Key": own}
    assert _code(bob.copy_object, **at, Key="public/x", CopySource=source) == "AccessDenied"
    assert _code(ann.copy_object, **at, Key="pictures/x", CopySource=source) == "AccessDenied"
    ann.copy_object(**at, Key="public/x", CopySource=source)
    # Of several objects to delete, each needs the permission.
    for key in ("public/gone", "pictures/x"):
        harness.client().put_object(**at, Key=key, Body=b"x")
    several = {"Objects": [{"Key": "public/gone"}, {"Key": "pictures/x"}]}
    reply = ann.delete_objects(**at, Delete=several)
    assert [entry["Key"] for entry in reply["Deleted"]] == ["public/gone"]
    assert [entry["Key"] for entry in reply["Errors"]] == ["pictures/x"]
    assert _code(harness.client().head_object, **at, Key="public/gone") == "404"
    assert harness.client().head_object(**at, Key="pictures/x")["ContentLength"] == 1
    upload = ann.create_multipart_upload(**at, Key="drop/x")["UploadId"]
    part = {**at, "Key": "drop/x", "UploadId": upload}
    ann.upload_part(**part, PartNumber=1, Body=b"x")
    assert len(ann.list_parts(**part)["Parts"]) == 1
    ann.abort_multipart_upload(**part)
    assert _code(ann.create_multipart_upload, **at, Key="pictures/x") == "AccessDenied"
    ann.put_object(**at, Key="drop/x", Body=b"x")
    assert _code(ann.head_object, **at, Key="drop/x") == "403"


def test_group_over_the_wire(people: People) -> None:
    """A member of a group has its role instead of that of signed-in users."""
    harness, bob = people.harness, people.client("bob", "Admins")
    at = {"Bucket": harness.bucket}
    bob.put_object(**at, Key="pictures/x", Body=b"x")
    assert _code(bob.put_object, **at, Key="public/x", Body=b"x") == "AccessDenied"
    own = f"private/{people.identities['bob']}/x"
    assert _code(bob.put_object, **at, Key=own, Body=b"x") == "AccessDenied"


def test_credentials_expire_and_survive_a_restart(people: People, start: Any) -> None:
    """Credentials survive a restart, expire after an hour, and need their own token."""
    harness = people.harness
    guest = people.client("guest")
    found = people.backend.ambient_auth._identity_pool.for_guest()
    assert found is not None
    keys = found.credentials
    again = start(PATHS)
    later = again.client(keys.access_key_id, keys.secret_access_key, keys.session_token)
    at = {"Bucket": harness.bucket, "Prefix": "public/"}
    assert later.list_objects_v2(**at)["KeyCount"] == 0
    wrong = again.client(keys.access_key_id, keys.secret_access_key, "other")
    assert _code(wrong.list_objects_v2, **at) == "InvalidToken"
    wrong = again.client(keys.access_key_id, "other", keys.session_token)
    assert _code(wrong.list_objects_v2, **at) == "SignatureDoesNotMatch"
    identity = people.identities["guest"]
    issued = people.backend.aws.call(
        "cognito-identity", "GetCredentialsForIdentity", {"IdentityId": identity}
    )
    assert issued["IdentityId"] == identity
    harness.clock.ahead = 3601
    assert _code(guest.list_objects_v2, **at) == "ExpiredToken"
