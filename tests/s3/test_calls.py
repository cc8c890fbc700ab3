"""Listing, URLs, copying and removing, and what is refused before anything is sent."""

from __future__ import annotations

import errno
import hashlib
import inspect
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from seedctl import connect, errors, storage
from seedctl.aws.calls import AWS
from seedctl.aws.credentials import Credentials
from seedctl.aws.objects import S3
from seedctl.aws.settings import AWSSettings
from seedctl.outputs import load_outputs, parse_outputs
from seedctl.s3.client import Storage
from seedctl.s3.section import BucketInfo, parse_storage_section
from tests.cases import case
from tests.s3.s3 import DATA, FakeIdentity, FakeS3, Reply, Sent, StorageHarness, error

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER = "123456789012"
NOWHERE = "http://127.0.0.1:9"


def _page(*keys: str, token: str | None = None) -> Reply:
    contents = "".join(
        f"<Contents><Key>{key}</Key><ETag>e</ETag><Size>1</Size>"
        "<LastModified>2025-01-15T12:00:00.000Z</LastModified></Contents>"
        for key in keys
    )
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return Reply(
        body=f"<ListBucketResult><IsTruncated>{str(bool(token)).lower()}</IsTruncated>"
        f"<EncodingType>url</EncodingType>{more}{contents}</ListBucketResult>"
    )


def test_all_pages_are_read() -> None:
    """list_all continues until there is no token; keys are returned unchanged."""
    with FakeS3(_page("a%20b", "%C3%BC", token="t1"), _page("c")) as server:
        found = list(StorageHarness(server.url).storage.list_all("a"))
    assert [item.path for item in found] == ["a b", "ü", "c"]
    assert server.sent[1].query["continuation-token"] == "t1"
    assert server.sent[0].query["max-keys"] == "1000"


@pytest.mark.parametrize(("size", "asked"), [(0, "1000"), (2000, "1000"), (1, "1"), (None, "1000")])
def test_the_page_size_is_bounded(size: int | None, asked: str) -> None:
    """A page size that S3 does not allow means the largest one, as in the JavaScript client."""
    with FakeS3(_page()) as server:
        assert StorageHarness(server.url).storage.list("a/", page_size=size).items == ()
    assert server.sent[0].query["max-keys"] == asked


def _deleted(key: str) -> str:
    return f"<Deleted><Key>{key}</Key></Deleted>"


def test_a_folder_is_removed_page_by_page() -> None:
    """With a slash at the end of the path, all objects below it are removed, 1,000 per request."""
    replies = [
        _page("a/1", "a/2", token="t"),
        Reply(body=f"<DeleteResult>{_deleted('a/1')}{_deleted('a/2')}</DeleteResult>"),
        _page("a/3"),
        Reply(body=f"<DeleteResult>{_deleted('a/3')}</DeleteResult>"),
    ]
    with FakeS3(*replies) as server:
        harness = StorageHarness(server.url)
        removed = harness.storage.remove("a/", expected_bucket_owner=OWNER)
    assert removed.count == 3
    assert sum(harness.report.records.values()) == 3
    assert b"<Key>a/1</Key>" in server.sent[1].body
    assert b"<Key>a/3</Key>" in server.sent[3].body
    assert {sent.headers["x-amz-expected-bucket-owner"] for sent in server.sent} == {OWNER}


def test_an_empty_folder_is_no_error() -> None:
    """Without objects nothing is removed."""
    with FakeS3(_page()) as server:
        assert StorageHarness(server.url).storage.remove("a/").count == 0


@pytest.mark.parametrize(
    ("code", "kind"),
    [("AccessDenied", errors.AccessDenied), ("InternalError", errors.StorageError)],
)
def test_objects_that_cannot_be_removed(code: str, kind: type[errors.StorageError]) -> None:
    """If S3 does not remove an object, the error names it and how many were removed."""
    failed = f"<Error><Key>a/2</Key><Code>{code}</Code><Message>no</Message></Error>"
    with FakeS3(
        _page("a/1", "a/2"), Reply(body=f"<DeleteResult>{_deleted('a/1')}{failed}</DeleteResult>")
    ) as server:
        harness = StorageHarness(server.url)
        with pytest.raises(
            kind, match=r"a/2 cannot be removed: no\. 1 objects were removed before"
        ) as caught:
            harness.storage.remove("a/")
    assert caught.value.code == code
    assert sum(harness.report.records.values()) == 1


REFUSED: list[Any] = [
    ("remove all", lambda s: s.remove("/"), "InvalidStoragePathInput"),
    ("remove star", lambda s: s.remove("*"), "InvalidStorageOperationInput"),
    ("remove nothing", lambda s: s.remove(""), "InvalidStorageOperationInput"),
    ("0 s", lambda s: s.get_url("x", expires_in=0), "InvalidStorageOperationInput"),
    ("range", lambda s: s.download_data("x", bytes_range=(5, 4)), "InvalidStorageOperationInput"),
    ("before", lambda s: s.download_data("x", bytes_range=(-1, 4)), "InvalidStorageOperationInput"),
    (
        "only the target's bucket",
        lambda s: s.copy("x", {"path": "y", "bucket": "archive"}),
        "InvalidCopyOperationStorageBucket",
    ),
    (
        "strategy",
        lambda s: s.list("x", subpath_strategy={"strategy": "some"}),
        "InvalidStorageOperationInput",
    ),
    ("b", lambda s: s.upload_data("x", "y", bucket=7), "InvalidStorageOperationInput"),
    ("long", lambda s: s.upload_data("x" * 1025, "y"), "InvalidStoragePathInput"),
    ("surrogate", lambda s: s.upload_data("\ud800", "y"), "InvalidStoragePathInput"),
    ("7", lambda s: s.upload_data(lambda _: 7, "y"), "InvalidStorageOperationInput"),
    ("no source", lambda s: s.copy({}, "x"), "NoSourcePath"),
    ("no destination", lambda s: s.copy("x", {}), "NoDestinationPath"),
    ("id", lambda s: s.list("x", expected_bucket_owner="1234567890123"), "InvalidAWSAccountID"),
    ("int", lambda s: s.list("x", expected_bucket_owner=123456789012), "InvalidAWSAccountID"),
    *(
        (
            f"page size {size!r}",
            lambda s, size=size: s.list("x", page_size=size),
            "InvalidStorageOperationInput",
        )
        for size in (True, 2.5, "5")
    ),
]


def test_invalid_calls_send_nothing() -> None:
    """An invalid call sends nothing and reports nothing."""
    for label, call, name in REFUSED:
        with case(label):
            harness = StorageHarness(NOWHERE)
            with pytest.raises(errors.SeedctlError) as caught:
                call(harness.storage)
            assert caught.value.name == name
            assert harness.announced == 0


NO_HEADERS: list[Any] = [
    ("type with a line break", {"content_type": "a\nb"}, "content_type"),
    ("type of a number", {"content_type": 7}, "content_type"),
    ("encoding with NUL", {"content_encoding": "\x00"}, "content_encoding"),
    ("disposition", {"content_disposition": "a\r\nb"}, "content_disposition"),
    ("disposition of a number", {"content_disposition": 7}, "content_disposition"),
    (
        "disposition's type",
        {"content_disposition": {"type": "in\nline"}},
        "content_disposition['type']",
    ),
    (
        "disposition's name",
        {"content_disposition": {"filename": "a\nb"}},
        "content_disposition['filename']",
    ),
    (
        "surrogate",
        {"content_disposition": {"filename": "\ud800"}},
        "content_disposition['filename']",
    ),
    ("metadata of a number", {"metadata": {"n": 1}}, "metadata['n']"),
    ("metadata with a line break", {"metadata": {"n": "a\nb"}}, "metadata['n']"),
    ("metadata beyond ASCII", {"metadata": {"n": "\xfc"}}, "metadata['n']"),
    ("name", {"metadata": {"a b": "x"}}, "'a b' cannot be a metadata name"),
    ("number as name", {"metadata": {1: "x"}}, "1 cannot be a metadata name"),
    ("metadata that is no mapping", {"metadata": [("n", "x")]}, "metadata"),
]


def test_invalid_headers_are_named() -> None:
    """A value that cannot be sent is refused before anything is sent, with the option's name."""
    for label, options, named in NO_HEADERS:
        with case(label):
            harness = StorageHarness(NOWHERE)
            with pytest.raises(errors.InvalidStorageOperationInput) as caught:
                harness.storage.upload_data("x", "y", **options)
            assert caught.value.message.startswith(named)
            assert harness.announced == 0
            if "metadata" not in options and "content_encoding" not in options:
                with pytest.raises(errors.InvalidStorageOperationInput):
                    harness.storage.get_url("x", **options)


def test_a_quotation_mark_does_not_end_a_filename() -> None:
    """Quotation marks and backslashes are escaped; other text is sent unchanged."""
    with FakeS3(Reply(headers={"etag": '"e"'})) as server:
        given: Any = {"type": "inline", "filename": 'a "b" \\ c; x=\xfc.txt'}
        StorageHarness(server.url).storage.upload_data("x", "y", content_disposition=given)
    sent = server.sent[0].headers["content-disposition"].encode("latin-1").decode()
    assert sent == 'inline; filename="a \\"b\\" \\\\ c; x=\xfc.txt"'


NEEDS_KEYS: list[Any] = [
    ("upload", lambda s: s.upload_data("x", "y")),
    ("list", lambda s: s.list("x")),
    ("list_all", lambda s: list(s.list_all("x"))),
    ("get_url", lambda s: s.get_url("x")),
    ("download", lambda s: s.download_data("x")),
    ("properties", lambda s: s.get_properties("x")),
    ("copy", lambda s: s.copy("x", "y")),
    ("remove", lambda s: s.remove("x")),
]


def test_calls_without_credentials() -> None:
    """Without an identity every call raises NoCredentials."""
    for label, call in NEEDS_KEYS:
        with case(label):
            harness = StorageHarness(NOWHERE, identity=FakeIdentity(identity_id=None))
            with pytest.raises(errors.NoCredentials):
                call(harness.storage)
            assert harness.announced == 0


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda s: s.upload_data("a", b"x"), id="upload"),
        pytest.param(lambda s: s.upload_many([("a", b"x")]), id="upload many"),
        pytest.param(lambda s: s.copy("a", "b"), id="copy"),
        pytest.param(lambda s: s.remove("a"), id="remove"),
        pytest.param(lambda s: s.remove("a/"), id="remove folder"),
    ],
)
def test_the_target_is_named_before_the_first_write(call: Callable[[Storage], Any]) -> None:
    """Every call that changes a bucket names the target once, before the first request."""
    announced: list[int] = []

    def answer(sent: Sent) -> Reply:
        announced.append(harness.announced)
        if sent.method == "DELETE":
            return Reply()
        if sent.method != "PUT":
            return _page()
        is_copy = "x-amz-copy-source" in sent.headers
        body = '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>' if is_copy else ""
        return Reply(headers={"etag": '"e"'}, body=body)

    with FakeS3(answer=answer) as server:
        harness = StorageHarness(server.url)
        call(harness.storage)
    assert announced
    assert set(announced) == {1}
    assert harness.announced == 1


def test_a_copy_sends_its_conditions() -> None:
    """Conditions on the source and the owners of both buckets are sent."""
    with FakeS3(Reply(body='<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>')) as server:
        harness = StorageHarness(server.url)
        harness.storage.copy(
            {
                "path": "a/ü+b.png",
                "bucket": "myStorage",
                "e_tag": '"e1"',
                "not_modified_since": datetime(2025, 1, 15, tzinfo=timezone.utc),
                "expected_bucket_owner": OWNER,
            },
            {"path": "b", "bucket": BucketInfo("other", "eu-west-1")},
        )
    headers = server.sent[0].headers
    assert headers["x-amz-copy-source"].endswith("/a/%C3%BC%2Bb.png")
    assert headers["x-amz-copy-source-if-match"] == '"e1"'
    assert "x-amz-copy-source-if-unmodified-since" in headers
    assert headers["x-amz-source-expected-bucket-owner"] == OWNER
    assert "x-amz-expected-bucket-owner" not in headers
    assert server.sent[0].bucket == "other"


def test_a_url_expires_with_its_credentials() -> None:
    """A URL is shortened to the lifetime of the credentials, and expires with them."""
    ends = datetime.now(timezone.utc) + timedelta(minutes=10)
    identity = FakeIdentity(keys=Credentials("ASIA", "secret", "token", ends))
    url = StorageHarness(NOWHERE, identity=identity).storage.get_url("x", expires_in=3600)
    seconds = int(parse_qs(urlsplit(url.url).query)["X-Amz-Expires"][0])
    assert 500 <= seconds <= 600  # not an hour, and less than 600 by the time that this took
    assert ends - timedelta(seconds=1) <= url.expires_at <= ends
    assert "Signature" not in repr(url)
    week = 7 * 24 * 3600
    lasting = FakeIdentity(keys=Credentials("ASIA", "secret", "token", None))
    url = StorageHarness(NOWHERE, identity=lasting).storage.get_url("x", expires_in=week)
    assert f"X-Amz-Expires={week}&" in url.url
    over = FakeIdentity(keys=Credentials("ASIA", "secret", "token", datetime.now(timezone.utc)))
    assert "X-Amz-Expires=1&" in StorageHarness(NOWHERE, identity=over).storage.get_url("x").url
    assert "X-Amz-Expires=1&" in StorageHarness(NOWHERE).storage.get_url("x", expires_in=1).url


def test_a_url_on_aws_is_virtual_hosted_and_regional() -> None:
    """On AWS the bucket is part of the host name; a bucket with dots is in the path."""
    aws = AWS(AWSSettings(region="eu-central-1"))
    section = parse_storage_section(
        load_outputs(DATA / "outputs" / "storage_only_multi_bucket.json")
    )
    harness = StorageHarness(NOWHERE)
    client = Storage(lambda: S3(aws), lambda: section, FakeIdentity(), harness.report, lambda: None)
    plain = urlsplit(client.get_url("a b/ü").url)
    assert plain.hostname == f"{section.default.bucket_name}.s3.us-east-1.amazonaws.com"
    assert plain.path == "/a%20b/%C3%BC"
    other = client.get_url("x", bucket="archive").url
    assert ".s3.eu-west-1.amazonaws.com/x" in other
    dotted = client.get_url("x", bucket=BucketInfo("with.dots", "us-east-1")).url
    assert dotted.startswith("https://s3.us-east-1.amazonaws.com/with.dots/x?")
    fast = client.get_url("x", use_accelerate_endpoint=True).url
    assert f"{section.default.bucket_name}.s3-accelerate.amazonaws.com" in fast


def test_a_folder_is_uploaded(tmp_path: Path) -> None:
    """Every file in a folder gets its path as key, in order, and its own content type."""
    for name in ("b.txt", "a/ü b.png", "a/.hidden"):
        path = tmp_path / "assets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    with FakeS3(answer=lambda _: Reply(headers={"etag": '"e"'})) as server:
        harness = StorageHarness(server.url)
        found = harness.storage.upload_directory("pictures", tmp_path / "assets")
        assert {each.state for each in found} == {"uploaded"}
        assert [each.path for each in found] == [
            "pictures/a/.hidden",
            "pictures/a/ü b.png",
            "pictures/b.txt",
        ]
        assert {sent.key: sent.headers["content-type"] for sent in server.sent} == {
            "pictures/a/.hidden": "application/octet-stream",
            "pictures/a/ü b.png": "image/png",
            "pictures/b.txt": "text/plain",
        }
        with pytest.raises(errors.FileAccessError, match="no-such-folder"):
            harness.storage.upload_directory("x/", tmp_path / "no-such-folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes and links are POSIX's")
def test_a_folder_with_unusable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All unreadable files are named together, before the first file is sent."""
    folder = tmp_path / "assets"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.txt", "locked.txt"):
        (folder / name).write_text("x")
    (folder / "sub" / "gone").symlink_to("nowhere")
    (folder / "sub" / "loop").symlink_to("loop")
    (folder / "to a file").symlink_to("a.txt")
    os.mkfifo(folder / "pipe")
    opened = Path.open

    def refuse(self: Path, *rest: Any, **more: Any) -> Any:
        if self.name == "locked.txt":  # whose mode would not keep an administrator out
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(self, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        harness = StorageHarness(NOWHERE)
        with pytest.raises(errors.FileAccessError) as caught:
            harness.storage.upload_directory("x/", folder, on_error="collect")
    assert caught.value.message == (
        f"Some files in {folder} cannot be uploaded: locked.txt (Permission denied), pipe (not a "
        f"regular file), sub/gone (a broken link), sub/loop ({os.strerror(errno.ELOOP)})."
    )
    assert "Nothing was sent" in (caught.value.resolution or "")
    assert harness.announced == 0
    for name in ("pipe", "sub/gone", "sub/loop"):
        (folder / name).unlink()
    with FakeS3(answer=lambda _: Reply(headers={"etag": '"e"'})) as server:
        found = StorageHarness(server.url).storage.upload_directory("x/", folder)
    assert [each.path for each in found] == ["x/a.txt", "x/locked.txt", "x/to a file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links are POSIX's")
def test_many_unusable_files_are_counted(tmp_path: Path) -> None:
    """Of very many unreadable files the first are named, and the others counted."""
    for number in range(25):
        (tmp_path / f"n{number:02}").symlink_to("nowhere")
    with pytest.raises(errors.FileAccessError, match=r"n19 \(a broken link\), 5 more\.") as caught:
        StorageHarness(NOWHERE).storage.upload_directory("x/", tmp_path)
    assert "n20" not in caught.value.message


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"bucket_name": None}, "storage.bucket_name", id="no name"),
        pytest.param({"aws_region": 7}, "storage.aws_region", id="no region"),
        pytest.param({"buckets": {}}, "storage.buckets", id="no list"),
        pytest.param(
            {"buckets": [{"name": "b", "bucket_name": "x", "aws_region": "r"}] * 2},
            "no other bucket has",
            id="twice",
        ),
        pytest.param(
            {"buckets": [{"name": "b", "bucket_name": "x", "aws_region": "r", "paths": {"a": 1}}]},
            "storage.buckets[0].paths.a",
            id="rules",
        ),
    ],
)
def test_a_broken_section_is_an_error(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    """Errors in the storage section name the key path."""
    bucket = {"name": "b", "bucket_name": "x", "aws_region": "us-east-1"}
    section = {"bucket_name": "x", "aws_region": "us-east-1", "buckets": [bucket], **changes}
    document = {"version": "1.4", "storage": section}
    with pytest.raises(errors.InvalidAmplifyOutputsError) as caught:
        parse_outputs(document, tmp_path / "outputs.json")
    assert says in caught.value.message


def test_a_default_bucket_need_not_be_listed(tmp_path: Path) -> None:
    """Old outputs files have one bucket and no path rules."""
    document = {"version": "1", "storage": {"bucket_name": "x", "aws_region": "eu-west-1"}}
    section = parse_storage_section(parse_outputs(document, tmp_path / "outputs.json"))
    assert section.default.display_name == "x"
    assert section.default.rules is None


def test_the_namespace_acts_on_the_current_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``from seedctl import storage; storage.list()`` calls the current backend's method."""
    # The script that runs is pytest's own, unless a worker of its does.
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    with pytest.raises(AttributeError, match="no_such_call"):
        _ = storage.__getattr__("no_such_call")
    with pytest.raises(errors.NoBackendError):
        storage.list("x")
    (tmp_path / "package.json").write_text('{"name": "app"}')
    (tmp_path / "amplify_outputs.json").write_text('{"version": "1.4", "custom": {}}')
    with (
        connect(tmp_path, identifier="alice", target="none") as backend,
        backend.activate(),
        pytest.raises(errors.NoBucket) as caught,
    ):
        storage.list("x")
    assert caught.value.exit_code == 3


def test_signatures_are_those_of_the_methods() -> None:
    """Each function has the name, documentation and parameters of its method, and calls it."""
    called: list[object] = []
    for name in storage.__all__:
        function, method = getattr(storage, name), getattr(Storage, name, None)
        if isinstance(function, type):
            continue
        assert (function.__name__, function.__qualname__) == (name, name)
        assert function.__wrapped__ is method
        assert function.__doc__ == method.__doc__
        assert [*inspect.signature(function).parameters] == [*inspect.signature(method).parameters][
            1:
        ]
        called.append(name)
    assert len(called) == 10


def test_a_bucket_by_its_real_name_has_its_rules() -> None:
    """A bucket given by its real name has the path rules of the outputs file."""
    section = parse_storage_section(load_outputs(DATA / "outputs" / "todo_userpool.json"))
    named = section.bucket(BucketInfo(section.default.bucket_name, "us-east-1"))
    assert named.rules == section.default.rules
    assert section.bucket(BucketInfo("elsewhere", "us-east-1")).rules is None
    with pytest.raises(errors.InvalidStorageBucket) as caught:
        section.bucket("mystorage")
    assert caught.value.resolution == "The outputs file has: myStorage."


IN_THE_WAY = error("PreconditionFailed", status=412)
OF_X = hashlib.md5(b"x").hexdigest()


@pytest.mark.parametrize(
    ("replies", "is_stored"),
    [
        pytest.param(
            [error("InternalError", status=500), IN_THE_WAY, Reply(headers={"etag": f'"{OF_X}"'})],
            True,
            id="its own",
        ),
        pytest.param(
            [error("InternalError", status=500), IN_THE_WAY, Reply(headers={"etag": '"other"'})],
            False,
            id="another's",
        ),
        pytest.param(
            [error("InternalError", status=500), IN_THE_WAY, Reply(403)], False, id="unreadable"
        ),
        pytest.param([IN_THE_WAY], False, id="at once"),
    ],
)
def test_a_retried_upload_that_was_stored(
    monkeypatch: pytest.MonkeyPatch, replies: list[Reply], is_stored: bool
) -> None:
    """With prevent_overwrite, an object stored by an attempt without a response is not an error."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with FakeS3(*replies) as server:
        storage = StorageHarness(server.url).storage
        if is_stored:
            assert storage.upload_data("a", "x", prevent_overwrite=True).e_tag == f'"{OF_X}"'
        else:
            with pytest.raises(errors.PreconditionFailed):
                storage.upload_data("a", "x", prevent_overwrite=True)
    assert len(server.sent) == len(replies)
