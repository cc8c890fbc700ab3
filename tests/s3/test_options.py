"""What is sent for each option, what if_exists does, and how a denied call is explained."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors, masking
from seedctl.aws.credentials import ObjectLocation
from seedctl.report import Event
from seedctl.s3.results import NewFile
from seedctl.s3.section import BucketInfo
from tests.cases import case
from tests.s3.s3 import FakeIdentity, FakeS3, Reply, Sent, StorageHarness, error

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER = "123456789012"
OWNER_HEADER = "x-amz-expected-bucket-owner"
COPIED = Reply(body='<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>')
FACTS = {
    "etag": '"e"',
    "last-modified": "Wed, 15 Jan 2025 12:00:00 GMT",
    "content-length": "1",
    "content-type": "a/b",
    "x-amz-version-id": "v1",
}
EMPTY = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


def _answer(sent: Sent) -> Reply:
    if "x-amz-copy-source" in sent.headers:
        return COPIED
    if sent.method == "GET" and not sent.key:
        return Reply(body=EMPTY)
    if sent.method == "DELETE":
        return Reply(204)
    if sent.method == "PUT":
        return Reply(headers={"etag": '"e"'})
    return Reply(headers=FACTS, body="x")


def _header(name: str, value: str) -> Callable[[Sent], bool]:
    return lambda sent: sent.headers.get(name) == value


_OWNED = _header(OWNER_HEADER, OWNER)
_NEW_ONLY = _header("if-none-match", "*")
_FILE = NewFile(
    "a",
    "x",
    content_disposition={"filename": "a.txt"},
    content_encoding="gzip",
    metadata={"K": "v"},
)
OPTIONS: list[tuple[str, Callable[[Any, Path], Any], Callable[[Sent], bool]]] = [
    ("remove", lambda s, _: s.remove("a", expected_bucket_owner=OWNER), _OWNED),
    ("properties", lambda s, _: s.get_properties("a", expected_bucket_owner=OWNER), _OWNED),
    (
        "url",
        lambda s, _: s.get_url("a", validate_object_existence=True, expected_bucket_owner=OWNER),
        _OWNED,
    ),
    ("memory", lambda s, _: s.download_data("a", expected_bucket_owner=OWNER), _OWNED),
    ("file", lambda s, at: s.download_data("a", at / "a", expected_bucket_owner=OWNER), _OWNED),
    (
        "delimiter",
        lambda s, _: [*s.list_all("a", subpath_strategy={"strategy": "exclude", "delimiter": "-"})],
        lambda sent: sent.query["delimiter"] == "-",
    ),
    (
        "include",
        lambda s, _: s.list("a", subpath_strategy={"strategy": "include"}),
        lambda sent: "delimiter" not in sent.query,
    ),
    ("update", lambda s, _: s.upload_data("a", "x"), lambda s: "if-none-match" not in s.headers),
    ("error", lambda s, _: s.upload_data("a", "x", if_exists="error"), _NEW_ONLY),
    ("skip", lambda s, _: s.upload_data("a", "x", if_exists="skip"), _NEW_ONLY),
    (
        "disposition",
        lambda s, _: s.upload_many([_FILE]),
        _header("content-disposition", 'attachment; filename="a.txt"'),
    ),
    ("encoding", lambda s, _: s.upload_many([_FILE]), _header("content-encoding", "gzip")),
    ("metadata", lambda s, _: s.upload_many([_FILE]), _header("x-amz-meta-k", "v")),
    (
        "bucket",
        lambda s, _: s.upload_many([_FILE], bucket="archive"),
        lambda sent: sent.bucket == "amplify-demo-sandbox-archivebucket-def456",
    ),
    ("skip all", lambda s, at: s.upload_directory("d", at, if_exists="skip"), _NEW_ONLY),
    (
        "bucket of a folder",
        lambda s, at: s.upload_directory("d", at, bucket=BucketInfo("other", "eu-west-1")),
        lambda sent: sent.bucket == "other",
    ),
    (
        "folder without a prefix",
        lambda s, at: s.upload_directory("", at),
        lambda sent: sent.key in {"a", "f"},
    ),
]


def test_every_option_is_sent(tmp_path: Path) -> None:
    """An option of a call reaches S3 with each of its requests."""
    (tmp_path / "f").write_text("x")
    with FakeS3(answer=_answer) as server:
        for label, call, is_right in OPTIONS:
            with case(label):
                server.sent.clear()
                call(StorageHarness(server.url).storage, tmp_path)
                assert server.sent
                assert all(map(is_right, server.sent))
        storage = StorageHarness(server.url).storage
        url = storage.get_url("a", expected_bucket_owner=OWNER).url
        assert f"{OWNER_HEADER}={OWNER}&" in url
        assert "X-Amz-SignedHeaders=host&" in url, "who opens it sends no other header"
        assert storage.get_properties("a").version_id == "v1"


def test_the_acceleration_of_transfers_is_passed_on() -> None:
    """Uploads and downloads use S3 Transfer Acceleration if the call asks for it."""
    seen: list[bool] = []

    class Recorder:
        def __getattr__(self, _: str) -> Any:
            def record(*arguments: Any, **_: Any) -> None:
                seen.extend(
                    each.accelerate for each in arguments if isinstance(each, ObjectLocation)
                )
                raise errors.NotFound("x")

            return record

    storage = StorageHarness("http://127.0.0.1:9").storage
    storage._s3 = Recorder  # type: ignore[assignment]
    for is_used in (True, False):
        with pytest.raises(errors.NotFound):
            storage.upload_data("a", "x", use_accelerate_endpoint=is_used)
        with pytest.raises(errors.NotFound):
            storage.download_data("a", use_accelerate_endpoint=is_used)
    assert seen == [True, True, False, False]


def test_an_existing_object_is_skipped_or_refused() -> None:
    """ "skip" returns the existing object and hides no other refusal; "error" raises."""
    in_the_way = error("PreconditionFailed", status=412)
    replies = [in_the_way, Reply(headers=FACTS), error("InvalidRequest", "no", 400), in_the_way]
    with FakeS3(*replies) as server:
        harness = StorageHarness(server.url)
        found = harness.storage.upload_data("a", "longer", if_exists="skip")
        assert (found.e_tag, found.size, found.content_type) == ('"e"', 1, "a/b")
        with pytest.raises(errors.StorageError, match="no"):
            harness.storage.upload_data("a", "x", if_exists="skip")
        with pytest.raises(errors.PreconditionFailed):
            harness.storage.upload_data("a", "x", if_exists="error")
        with pytest.raises(errors.InvalidStorageOperationInput, match="if_exists"):
            harness.storage.upload_data("a", "x", if_exists="never")  # type: ignore[arg-type]
    assert [sent.method for sent in server.sent] == ["PUT", "HEAD", "PUT", "PUT"]
    assert harness.report.records == {Event("file", "myStorage", "existed"): 1}


def test_skipping_hides_no_other_refusal_of_one_of_many() -> None:
    """With if_exists="skip", a file that S3 refuses for another reason has failed."""
    with FakeS3(error("InvalidRequest", "no", 400)) as server:
        harness = StorageHarness(server.url)
        (found,) = harness.storage.upload_many(
            [("a", "x")], if_exists="skip", on_error="collect", bucket="archive"
        )
    assert found.state == "failed"
    assert [event.name for event in harness.report.records] == ["archive"]


def test_a_folder_is_uploaded_with_the_options_of_many(tmp_path: Path) -> None:
    """upload_directory passes its options on, and they are checked."""
    (tmp_path / "f").write_text("x")
    with FakeS3(error("InvalidRequest", "no", 400)) as server:
        storage = StorageHarness(server.url).storage
        (found,) = storage.upload_directory("d/", tmp_path, on_error="collect")
        assert found.state == "failed"
        with pytest.raises(errors.SeedctlError, match="concurrency"):
            storage.upload_directory("d/", tmp_path, concurrency=0)


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    """A link to a folder, which may lead back to a folder above it, is left out."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "f").write_text("x")
    with FakeS3(answer=_answer) as server:
        found = StorageHarness(server.url).storage.upload_directory("", tmp_path / "a")
    assert [each.path for each in found] == ["f"]


def test_changes_are_reported_for_their_bucket() -> None:
    """Each change is one event, with the bucket that it was made in."""
    with FakeS3(answer=_answer) as server:
        harness = StorageHarness(server.url)
        harness.storage.remove("a")
        source, target = {"path": "a", "bucket": "myStorage"}, {"path": "b", "bucket": "archive"}
        harness.storage.copy(source, target)  # type: ignore[arg-type]
    assert harness.report.records == {
        Event("file", "myStorage", "removed"): 1,
        Event("file", "archive", "copied"): 1,
    }


def test_the_guard_is_told_of_a_bucket_that_the_file_does_not_list() -> None:
    """The guard sees the name and region of such a bucket, of a copy that of its target."""
    other = BucketInfo("other", "eu-west-1")
    asked: list[tuple[str, ...]] = []
    with FakeS3(answer=_answer) as server:
        storage = StorageHarness(server.url).storage
        storage._before_write = lambda *bucket: asked.append(bucket)
        storage.upload_data("a", "x", bucket=other)
        storage.copy({"path": "a", "bucket": other}, {"path": "b", "bucket": "archive"})
        storage.copy({"path": "a", "bucket": "archive"}, {"path": "b", "bucket": other})
    assert asked == [(), ("other", "eu-west-1"), (), (), ("other", "eu-west-1")]


def test_many_files_are_of_who_called() -> None:
    """The caller of upload_many is read once, and not in the threads that send the files."""
    threads: list[int] = []

    class Unbound(FakeIdentity):
        def bind(self) -> FakeIdentity:
            threads.append(threading.get_ident())
            return FakeIdentity()

    with FakeS3(answer=_answer) as server:
        StorageHarness(server.url, identity=Unbound()).storage.upload_many([("a", "x"), ("b", "y")])
    assert threads == [threading.get_ident()]


def test_pages_are_fetched_as_needed() -> None:
    """list_all requests a page only when its objects are read."""
    page = (
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t"
        "</NextContinuationToken><Contents><Key>a</Key><ETag>e</ETag><Size>1</Size>"
        "<LastModified>2025-01-15T12:00:00.000Z</LastModified></Contents></ListBucketResult>"
    )
    with FakeS3(answer=lambda _: Reply(body=page)) as server:
        found = StorageHarness(server.url).storage.list_all("a")
        assert server.sent == []
        assert next(found).path == "a"
        assert len(server.sent) == 1


@pytest.mark.parametrize("kind", ["bytes", "seekable"])
def test_a_retried_upload_is_compared_from_where_it_began(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The object that an attempt without a response stored is compared with the data sent."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    class Seekable:
        """Has no method ``seekable``, as few files that are not Python's own."""

        def __init__(self, file: io.BytesIO) -> None:
            self.read, self.seek, self.tell = file.read, file.seek, file.tell

    file = io.BytesIO(b"headx")
    file.seek(4)
    lost = error("InternalError", status=500)
    in_the_way = error("PreconditionFailed", status=412)
    e_tag = '"9dd4e461268c8034f5c8564e155c67a6"'  # of x
    stored = Reply(headers={**FACTS, "etag": e_tag})
    with FakeS3(lost, in_the_way, stored, lost, in_the_way, Reply(404)) as server:
        storage = StorageHarness(server.url).storage
        data: Any = file if kind == "bytes" else Seekable(file)
        assert storage.upload_data("a", data, if_exists="error").e_tag == e_tag
        with pytest.raises(errors.PreconditionFailed):  # it was deleted meanwhile
            storage.upload_data("a", "x", if_exists="error")


DENIALS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("download", lambda s: s.download_data("pictures/x"), "allows anybody to get 'pictures/x'"),
    ("remove", lambda s: s.remove("pictures/x"), "allows anybody to delete 'pictures/x'"),
    ("copy to", lambda s: s.copy("public/x", "pictures/x"), "Writing 'pictures/x' is allowed by"),
    ("copy from", lambda s: s.copy("private/her/x", "public/x"), "Reading 'private/her/x' is"),
]


def test_a_denial_is_explained_by_what_was_tried() -> None:
    """The advice is about the action and the path that S3 denied; of a copy about either side."""
    with FakeS3(answer=lambda _: error("AccessDenied", "Access Denied")) as server:
        for label, call, says in DENIALS:
            with case(label):
                harness = StorageHarness(server.url, identity=FakeIdentity(member_of=None))
                with pytest.raises(errors.AccessDenied) as caught:
                    call(harness.storage)
                assert says in str(caught.value.resolution)


def test_a_denial_at_ones_own_path_is_explained() -> None:
    """The identity id of the caller tells the user's own folder from another's."""
    with FakeS3(answer=lambda _: error("AccessDenied", "Access Denied")) as server:
        storage = StorageHarness(server.url).storage
        with pytest.raises(errors.AccessDenied) as caught:
            storage.download_data(lambda identity_id: f"private/{identity_id}/x")
    assert "The outputs file allows a signed-in user without" in str(caught.value.resolution)


def test_a_denied_object_of_a_folder_is_explained() -> None:
    """If S3 denies to remove one object of a folder, the advice names this object."""
    listed = EMPTY.replace(
        "<IsTruncated>",
        "<Contents><Key>public/a</Key><ETag>e</ETag><Size>1</Size><LastModified>"
        "2025-01-15T12:00:00.000Z</LastModified></Contents><IsTruncated>",
    )
    failed = "<Error><Key>public/a</Key><Code>AccessDenied</Code></Error>"
    with FakeS3(Reply(body=listed), Reply(body=f"<DeleteResult>{failed}</DeleteResult>")) as server:
        storage = StorageHarness(server.url, identity=FakeIdentity(member_of=None)).storage
        with pytest.raises(errors.AccessDenied) as caught:
            storage.remove("public/")
    assert caught.value.message.startswith("public/a cannot be removed: AccessDenied. 0 objects")
    assert "Deleting 'public/a' is allowed by" in str(caught.value.resolution)


def test_another_cause_that_s3_names_is_not_replaced() -> None:
    """Where S3 names another cause than the role's policies, the advice is about that cause."""
    said = "User is not authorized with an explicit deny in a service control policy"
    with FakeS3(error("AccessDenied", said)) as server, pytest.raises(errors.AccessDenied) as got:
        StorageHarness(server.url).storage.upload_data("nope/x", "x")
    assert got.value.resolution is not None
    assert "No path rule" not in got.value.resolution


def test_secrets_in_paths_are_masked() -> None:
    """A secret value in a path is in no advice, warning or message."""
    masking.register("Swordfish-77")
    denied = error("AccessDenied", "Access Denied")
    said: list[object] = []
    with FakeS3(answer=lambda _: denied) as server:
        for groups, folder in ((None, "public"), (None, "pictures"), (("Swordfish-77",), "public")):
            storage = StorageHarness(server.url, identity=FakeIdentity(member_of=groups)).storage
            with pytest.raises(errors.AccessDenied) as caught:
                storage.download_data(f"{folder}/Swordfish-77")
            said.append(caught.value.resolution)
    with pytest.raises(errors.InvalidStorageOperationInput, match="have the same path") as twice:
        storage.upload_many([("Swordfish-77", "x"), ("Swordfish-77", "y")])
    said.append(twice.value.message)
    assert all("***" in str(text) and "Swordfish" not in str(text) for text in said), said
