"""Uploads and downloads: all kinds of sources, parts, progress, and cleaning up after failures."""

from __future__ import annotations

import errno
import io
import mimetypes
import os
import re
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors, masking
from seedctl.s3 import sources, uploads
from seedctl.s3.results import TransferProgress
from seedctl.s3.sources import content_types, guess_content_type
from tests.cases import case
from tests.s3.s3 import FakeIdentity, FakeS3, Reply, Sent, StorageHarness, error

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024
BUCKET = "amplify-demo-sandbox-mystoragebucket-abc123"


class Objects:
    """A small S3: it stores objects and unfinished uploads, and fails on request."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[int, bytes] = {}
        self.is_open = False
        self.refuse: Any = lambda sent: None
        self.calls: Counter[str] = Counter()

    def __call__(self, sent: Sent) -> Reply:
        refusal = self.refuse(sent)
        if refusal is not None:
            return refusal  # type: ignore[no-any-return]
        if sent.method == "POST" and "uploads" in sent.query:
            self.is_open = True
            return Reply(body="<X><UploadId>UP1</UploadId></X>")
        if sent.method == "PUT" and "partNumber" in sent.query:
            self.parts[int(sent.query["partNumber"])] = sent.body
            return Reply(headers={"etag": '"part"'})
        if sent.method == "POST":
            self.objects[sent.key] = b"".join(self.parts[n] for n in sorted(self.parts))
            self.is_open = False
            return Reply(body='<X><ETag>"whole-2"</ETag></X>')
        if sent.method == "DELETE" and "uploadId" in sent.query:
            self.is_open, self.parts = False, {}
            return Reply(204)
        if sent.method == "PUT":
            self.objects[sent.key] = sent.body
            return Reply(headers={"etag": '"one"'})
        if sent.key not in self.objects:
            return error("NoSuchKey", status=404) if sent.method == "GET" else Reply(404)
        return self._read(sent)

    def _read(self, sent: Sent) -> Reply:
        body = self.objects[sent.key]
        facts = {"etag": '"one"', "last-modified": "Wed, 15 Jan 2025 12:00:00 GMT"}
        if "range" in sent.headers:
            first, _, last = sent.headers["range"].removeprefix("bytes=").partition("-")
            if int(first) >= len(body):
                return error("InvalidRange", status=416)
            end = min(int(last or len(body)), len(body) - 1)
            facts["content-range"] = f"bytes {first}-{end}/{len(body)}"
            body = body[int(first) : end + 1]
            return Reply(206, facts, body.decode("ascii"))
        if sent.method == "HEAD":
            return Reply(headers={**facts, "content-length": str(len(body))})
        return Reply(headers=facts, body=body.decode("ascii"))


@pytest.fixture
def s3() -> Objects:
    return Objects()


@pytest.fixture
def harness(s3: Objects) -> Iterator[StorageHarness]:
    with FakeS3(answer=s3) as server:
        made = StorageHarness(server.url)
        made.server = server  # type: ignore[attr-defined]
        yield made


def _pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * 700_000


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("grüße", "grüße".encode(), id="text"),
        pytest.param(b"abc", b"abc", id="bytes"),
        pytest.param(bytearray(b"abc"), b"abc", id="bytearray"),
        pytest.param(memoryview(b"abc"), b"abc", id="memoryview"),
        pytest.param(memoryview(b"abcd").cast("H"), b"abcd", id="memoryview of words"),
        pytest.param(io.BytesIO(b"abc"), b"abc", id="file object"),
        pytest.param(iter([b"a", b"", b"bc"]), b"abc", id="iterator"),
        pytest.param([b"a", b"bc"], b"abc", id="list of bytes"),
        pytest.param(_pieces(20), b"x" * 14_000_000, id="long iterator"),
        pytest.param(io.BytesIO(b"y" * (6 * MIB)), b"y" * (6 * MIB), id="long file object"),
        pytest.param("", b"", id="nothing"),
    ],
)
def test_every_kind_of_data_arrives(
    harness: StorageHarness, s3: Objects, data: Any, expected: bytes
) -> None:
    """Text, bytes, files and iterables are stored byte for byte, with their size in the result."""
    uploaded = harness.storage.upload_data("a/x", data)
    assert s3.objects["a/x"] == expected
    assert uploaded.size == len(expected)
    assert harness.announced == 1
    assert {event.state for event in harness.report.records} == {"uploaded"}


def test_a_file_object_is_read_from_where_it_stands(harness: StorageHarness, s3: Objects) -> None:
    """A file is sent from its current position."""
    file = io.BytesIO(b"headerbody")
    file.seek(6)
    assert harness.storage.upload_data("x", file).size == 4
    assert s3.objects["x"] == b"body"


def test_a_pipe_has_no_end_to_seek_to(harness: StorageHarness, s3: Objects) -> None:
    """A file object that cannot seek can be sent too."""

    class Pipe(io.RawIOBase):
        left = b"from a pipe"

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1, /) -> bytes:
            taken, self.left = self.left[:4], self.left[4:]
            return taken

    harness.storage.upload_data("x", Pipe())
    assert s3.objects["x"] == b"from a pipe"

    class Readable:
        read = io.BytesIO(b"only read").read

    harness.storage.upload_data("y", Readable())
    assert s3.objects["y"] == b"only read"


def test_invalid_data_is_refused(harness: StorageHarness, s3: Objects) -> None:
    """Anything other than text and bytes is refused, and no object is created."""
    data: Any
    for case_name, data in (
        ("mapping", {"a": b"1"}),
        ("None", None),
        ("number", 7),
        ("text file", io.StringIO("text")),
        ("pieces of text", ["text"]),
        ("no Unicode", "\ud800"),
    ):
        with case(case_name):
            with pytest.raises(errors.InvalidUploadSource):
                harness.storage.upload_data("x", data)
            assert s3.objects == {}


def test_a_missing_file_is_refused(harness: StorageHarness, tmp_path: Path) -> None:
    """A missing file is named in the error."""
    with pytest.raises(errors.FileAccessError, match="nothing-here"):
        harness.storage.upload_data("x", tmp_path / "nothing-here")


def test_what_is_too_large_is_refused(
    harness: StorageHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than S3 can store is refused before anything is sent, whatever it is read from."""
    monkeypatch.setattr(sources, "_MAX_OBJECT_SIZE", 3)
    (tmp_path / "x").write_bytes(b"abcd")
    data: Any
    for data in (b"abcd", tmp_path / "x", io.BytesIO(b"abcd")):
        with pytest.raises(errors.ObjectIsTooLarge):
            harness.storage.upload_data("x", data)
    assert _sent(harness) == []


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="only Linux has such files")
def test_a_file_without_a_size_is_read_to_its_end(harness: StorageHarness, s3: Objects) -> None:
    """A virtual file, whose size is given as 0, is sent with all of its content."""
    harness.storage.upload_data("x", Path("/proc/version"))
    assert s3.objects["x"] == Path("/proc/version").read_bytes() != b""


def test_the_content_type_is_guessed(harness: StorageHarness, tmp_path: Path) -> None:
    """The type is guessed from the object's name, else the file's, unless it is given."""
    for case_name, path, file, expected in (
        ("png", "a/b.png", None, "image/png"),
        ("upper case", "a/b.JPG", None, "image/jpeg"),
        ("newer", "a/b.webp", None, "image/webp"),
        ("json", "a/b.json", None, "application/json"),
        ("a number", "a/0.123", None, "application/octet-stream"),
        ("by the file", "a/b", "c.csv", "text/csv"),
        ("the object's name first", "a/b.png", "c.csv", "image/png"),
        (
            "an office document",
            "a/b.docx",
            None,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("ods", "a/b.ods", None, "application/vnd.oasis.opendocument.spreadsheet"),
        ("sound", "a/b.m4a", None, "audio/mp4"),
        ("subtitles", "a/b.srt", None, "application/x-subrip"),
        ("a font", "a/b.otf", None, "font/otf"),
        ("JSON Lines", "a/b.jsonl", None, "application/jsonl"),
        ("a compressed archive", "a/b.tar.gz", None, "application/gzip"),
        ("an archive", "a/b.7z", None, "application/x-7z-compressed"),
        ("no ending", "a.b/c", None, "application/octet-stream"),
    ):
        with case(case_name):
            data: Any = b"x"
            if file is not None:
                data = tmp_path / file
                data.write_bytes(b"x")
            assert harness.storage.upload_data(path, data).content_type == expected


def test_a_content_type_that_is_given(harness: StorageHarness) -> None:
    """A type that is given is used, whatever the name."""
    for path in ("a/b.png", "a/b"):
        assert harness.storage.upload_data(path, b"x", content_type="a/b").content_type == "a/b"


def test_the_content_type_is_the_same_on_every_machine(
    harness: StorageHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's own table of types is not used."""
    monkeypatch.setitem(mimetypes.types_map, ".png", "image/wrong")
    mimetypes.add_type("image/unknown", ".seedctl-unknown")
    assert harness.storage.upload_data("a.png", b"x").content_type == "image/png"
    found = harness.storage.upload_data("a.seedctl-unknown", b"x").content_type
    assert found == "application/octet-stream"


def test_every_content_type_is_well_formed() -> None:
    """Each type in the table is valid, and found for extensions in upper and lower case."""
    assert len(content_types()) > 100
    for ending, type_ in content_types().items():
        assert re.fullmatch(r"[a-z]+/[A-Za-z0-9.+-]+", type_), ending
        assert guess_content_type(f"x.{ending.upper()}", b"") == type_


@pytest.mark.parametrize("size", [3, 11 * MIB])
def test_progress_is_reported(harness: StorageHarness, size: int) -> None:
    """Progress reaches the full size; the total is known from the start."""
    told: list[Any] = []
    harness.storage.upload_data("x", b"x" * size, on_progress=told.append)
    assert [each.transferred_bytes for each in told] == sorted(
        each.transferred_bytes for each in told
    )
    assert told[-1].transferred_bytes == size
    assert {each.total_bytes for each in told} == {size}


def test_a_failing_callback_ends_the_upload(harness: StorageHarness, s3: Objects) -> None:
    """An exception of the progress callback reaches the script, and nothing stays in the bucket."""

    def fail(_: object) -> None:
        raise RuntimeError("from the script")

    with pytest.raises(RuntimeError, match="from the script"):
        harness.storage.upload_data("x", b"x" * (11 * MIB), on_progress=fail)
    assert not s3.is_open


@pytest.mark.parametrize(
    "fails",
    [
        pytest.param(lambda sent: sent.query.get("partNumber") == "2", id="a part"),
        pytest.param(
            lambda sent: sent.method == "POST" and "uploadId" in sent.query, id="the completion"
        ),
    ],
)
def test_a_failed_upload_leaves_nothing(harness: StorageHarness, s3: Objects, fails: Any) -> None:
    """After a failed upload the parts are deleted."""
    s3.refuse = lambda sent: error("AccessDenied", "Access Denied") if fails(sent) else None
    with pytest.raises(errors.AccessDenied):
        harness.storage.upload_data("x", b"x" * (11 * MIB))
    assert not s3.is_open
    assert s3.objects == {}
    assert not harness.report.records


def test_a_source_that_fails_leaves_nothing(harness: StorageHarness, s3: Objects) -> None:
    """A generator's exception reaches the script, and the parts are deleted."""

    def pieces() -> Iterator[bytes]:
        yield b"x" * (12 * MIB)
        raise ZeroDivisionError from KeyError("why")

    with pytest.raises(ZeroDivisionError) as caught:
        harness.storage.upload_data("x", pieces())
    assert isinstance(caught.value.__cause__, KeyError)
    assert not s3.is_open


def test_a_warning_for_parts_that_cannot_be_deleted(harness: StorageHarness, s3: Objects) -> None:
    """If even deleting the parts fails, a warning names the unfinished upload, without secrets."""
    masking.register("Swordfish-77")
    s3.refuse = lambda sent: (
        error("AccessDenied")
        if sent.query.get("partNumber") == "1" or sent.method == "DELETE"
        else None
    )
    with pytest.raises(errors.AccessDenied):
        harness.storage.upload_data("Swordfish-77", b"x" * (11 * MIB))
    (warning,) = harness.report.warnings
    assert "of *** could not be deleted: the unfinished upload UP1 stays" in warning


def test_prevent_overwrite_of_a_large_object(harness: StorageHarness, s3: Objects) -> None:
    """The condition is sent with the request that completes the upload and creates the object."""
    s3.refuse = lambda sent: (
        error("PreconditionFailed", status=412) if "if-none-match" in sent.headers else None
    )
    with pytest.raises(errors.PreconditionFailed):
        harness.storage.upload_data("x", b"x" * (11 * MIB), prevent_overwrite=True)
    assert not s3.is_open
    conditional = [each for each in _sent(harness) if "if-none-match" in each.headers]
    assert [each.method for each in conditional] == ["POST"]


def test_who_may_not_read_may_upload(harness: StorageHarness, s3: Objects) -> None:
    """The size check after an upload in parts is skipped if it is denied."""
    s3.refuse = lambda sent: Reply(403) if sent.method == "HEAD" else None
    assert harness.storage.upload_data("x", b"x" * (11 * MIB)).e_tag == '"whole-2"'


def test_a_wrong_size_is_an_error(harness: StorageHarness, s3: Objects) -> None:
    """An object of another size than the data is an error."""
    facts = {"content-length": "5", "etag": "x", "last-modified": "Wed, 15 Jan 2025 12:00:00 GMT"}
    s3.refuse = lambda sent: Reply(headers=facts) if sent.method == "HEAD" else None
    with pytest.raises(errors.StorageError, match="but got 5") as caught:
        harness.storage.upload_data("x", b"x" * (11 * MIB))
    assert caught.value.name == "UploadSizeMismatch"
    s3.refuse = lambda sent: Reply(404) if sent.method == "HEAD" else None
    with pytest.raises(errors.NotFound):  # another writer removed it
        harness.storage.upload_data("x", b"x" * (6 * MIB))


def test_a_checksum_is_sent_when_asked_for(harness: StorageHarness) -> None:
    """crc-32 is sent; another algorithm is refused."""
    harness.storage.upload_data("x", b"abc", checksum_algorithm="crc-32")
    assert _sent(harness)[0].headers["x-amz-checksum-crc32"] == "NSRBwg=="
    with pytest.raises(errors.InvalidStorageOperationInput):
        harness.storage.upload_data("x", b"abc", checksum_algorithm="md5")  # type: ignore[arg-type]


def test_downloads_go_to_memory_or_a_file(
    harness: StorageHarness, s3: Objects, tmp_path: Path
) -> None:
    """An object is downloaded into memory, a file object, or a file, in ranges."""
    s3.objects["x.json"] = b'{"a": 1}'
    read = harness.storage.download_data("x.json")
    assert read.json() == {"a": 1}
    assert read.body == b'{"a": 1}'
    target = io.BytesIO()
    told: list[Any] = []
    found = harness.storage.download_data("x.json", target, on_progress=told.append)
    assert found.body is None
    assert target.getvalue() == b'{"a": 1}'
    assert told == [TransferProgress(8, 8)]
    s3.objects["large"] = bytes(range(48, 58)) * 1_900_000
    found = harness.storage.download_data("large", tmp_path / "large", on_progress=told.append)
    assert (tmp_path / "large").read_bytes() == s3.objects["large"]
    assert found.size == told[-1].transferred_bytes == 19_000_000
    assert told[-1].total_bytes is None
    with pytest.raises(TypeError, match="written to a file"):
        found.text()
    found = harness.storage.download_data("large", tmp_path / "part", bytes_range=(5, 9))
    assert (found.path, found.size, found.body) == ("large", 5, None)
    assert (tmp_path / "part").read_bytes() == b"56789"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large", "part"]


def test_a_download_that_breaks_off_goes_on(harness: StorageHarness, s3: Objects) -> None:
    """When a download breaks off, the rest of the same version is requested."""
    s3.objects["x"] = b"0123456789" * 400_000
    cut = [
        Reply(
            headers={"etag": '"one"', "last-modified": "Wed, 15 Jan 2025 12:00:00 GMT"},
            body=s3.objects["x"].decode(),
            cut_after=1_500_000,
        )
    ]
    s3.refuse = lambda sent: cut.pop() if cut and sent.method == "GET" else None
    assert harness.storage.download_data("x").body == s3.objects["x"]
    again = _sent(harness)[1].headers
    assert again["range"].endswith("-")
    assert again["if-match"] == '"one"'


def test_a_download_that_fails_leaves_no_file(harness: StorageHarness, tmp_path: Path) -> None:
    """A failed download raises an error, creates no file, and leaves an existing one unchanged."""
    old = tmp_path / "old"
    old.write_text("as it was")
    with pytest.raises(errors.NoSuchKey):
        harness.storage.download_data("nope", old)
    with pytest.raises(errors.NoSuchKey):
        harness.storage.download_data("nope", old, bytes_range=(0, 1))
    assert old.read_text() == "as it was"
    with pytest.raises(errors.NoSuchKey):
        harness.storage.download_data("nope")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_file_that_cannot_be_written_is_named(
    harness: StorageHarness, s3: Objects, tmp_path: Path
) -> None:
    """A missing folder is not created: the error names it."""
    s3.objects["x"] = b"x"
    for bytes_range in (None, (0, 0)):
        with pytest.raises(errors.FileAccessError, match="no-folder"):
            harness.storage.download_data(
                "x", tmp_path / "no-folder" / "x", bytes_range=bytes_range
            )


def test_what_a_callback_of_a_download_raises_reaches_the_script(
    harness: StorageHarness, s3: Objects, tmp_path: Path
) -> None:
    """An error of the target's disk is explained; one of another file is the script's own."""
    s3.objects["x"] = b"x"
    raised: OSError

    def fail(_: object) -> None:
        raise raised

    name: str | bytes | int
    for name in (str(tmp_path / "other" / "file"), b"other/file", 99):
        raised = FileNotFoundError(errno.ENOENT, "No such file", name)
        with pytest.raises(FileNotFoundError):
            harness.storage.download_data("x", tmp_path / "x", bytes_range=(0, 0), on_progress=fail)
    raised = OSError(errno.ENOSPC, "No space left")
    with pytest.raises(errors.FileAccessError, match="No space left"):
        harness.storage.download_data("x", tmp_path / "x", bytes_range=(0, 0), on_progress=fail)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_object_can_be_read(harness: StorageHarness, s3: Objects, tmp_path: Path) -> None:
    """An empty object becomes an empty file, although it has no range of bytes."""
    s3.objects["x"] = b""
    assert harness.storage.download_data("x").body == b""
    assert harness.storage.download_data("x", tmp_path / "x").size == 0
    assert (tmp_path / "x").read_bytes() == b""


def test_expired_credentials_are_renewed_once() -> None:
    """When S3 says that the credentials expired they are renewed once; then it is an error."""
    identity = FakeIdentity()
    expired = error("ExpiredToken", "The provided token has expired.", 400)
    with FakeS3(expired, Reply(headers={"etag": '"e"'}), expired, expired) as server:
        harness = StorageHarness(server.url, identity=identity)
        harness.storage.upload_data("x", b"abc")
        assert identity.renewals == 1
        assert server.sent[1].body == b"abc"
        with pytest.raises(errors.StorageError) as caught:
            harness.storage.upload_data("x", b"abc")
        assert caught.value.name == "ExpiredToken"


def test_ctrl_c_deletes_the_parts(s3: Objects) -> None:
    """Ctrl-C during an upload in parts ends it and deletes the parts."""
    reached = threading.Event()

    def interrupt(sent: Sent) -> None:
        if sent.query.get("partNumber") == "1" and not reached.is_set():
            reached.set()
            # As a terminal's Ctrl-C, which the main thread gets.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    s3.refuse = interrupt
    with FakeS3(answer=s3) as server, pytest.raises(KeyboardInterrupt):
        StorageHarness(server.url).storage.upload_data("x", b"x" * (40 * MIB))
    assert not s3.is_open
    assert s3.objects == {}


def _sent(harness: StorageHarness) -> list[Sent]:
    sent: list[Sent] = harness.server.sent  # type: ignore[attr-defined]
    return sent


@pytest.mark.parametrize(
    ("size", "parts"), [pytest.param(12 * MIB, 3, id="5 MiB"), pytest.param(33 * MIB, 3, id="16")]
)
def test_large_files_go_in_larger_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, parts: int
) -> None:
    """Parts have 5 MiB as in the JavaScript client, those of a very large file 16 MiB."""
    assert uploads._LARGE_FILE == 256 * MIB
    monkeypatch.setattr(uploads, "_LARGE_FILE", 32 * MIB)  # so much would take a second to send
    with (tmp_path / "x").open("wb") as file:
        file.truncate(size)
    sizes: list[int] = []

    def answer(sent: Sent) -> Reply:
        if "partNumber" in sent.query:
            sizes.append(len(sent.body))
        facts = {"etag": '"e"', "last-modified": "Wed, 15 Jan 2025 12:00:00 GMT"}
        if sent.method == "HEAD":
            return Reply(headers={**facts, "content-length": str(size)})
        return Reply(headers=facts, body="<X><UploadId>U</UploadId><ETag>e</ETag></X>")

    with FakeS3(answer=answer) as server:
        assert StorageHarness(server.url).storage.upload_data("x", tmp_path / "x").size == size
    assert len(sizes) == parts
    assert sum(sizes) == size


@pytest.mark.parametrize("reason", [SystemExit(3), KeyboardInterrupt()])
def test_a_source_that_ends_the_script_leaves_nothing(
    harness: StorageHarness, s3: Objects, reason: BaseException
) -> None:
    """sys.exit() in a generator aborts the upload like an exception, and reaches the script."""

    def pieces() -> Iterator[bytes]:
        for number in range(20):
            if number == 12:
                raise reason
            yield b"x" * MIB

    with pytest.raises(type(reason)):
        harness.storage.upload_data("x", pieces())
    assert not s3.is_open
    assert s3.objects == {}


def test_credentials_that_expire_during_an_upload(s3: Objects) -> None:
    """A part rejected for expired credentials is sent again with new ones."""
    refused = iter([error("ExpiredToken", status=400)])
    s3.refuse = lambda sent: next(refused, None) if sent.query.get("partNumber") == "2" else None
    identity = FakeIdentity()
    with FakeS3(answer=s3) as server:
        StorageHarness(server.url, identity=identity).storage.upload_data("x", b"ab" * (6 * MIB))
    assert identity.renewals == 1
    assert s3.objects["x"] == b"ab" * (6 * MIB)


def test_a_refused_head_is_an_error_of_ours() -> None:
    """Responses without a body, and redirections to another region, are errors of S3."""
    identity = FakeIdentity()
    with FakeS3(answer=lambda _: Reply(400)) as server, pytest.raises(errors.StorageError):
        StorageHarness(server.url, identity=identity).storage.get_properties("x")
    assert identity.renewals == 1
    moved = error("PermanentRedirect", "elsewhere", 301)
    moved = moved._replace(headers={**moved.headers, "x-amz-bucket-region": "eu-west-1"})
    refused = pytest.raises(errors.StorageError, match="elsewhere")
    with FakeS3(answer=lambda _: moved) as server, refused:
        StorageHarness(server.url).storage.upload_data("x", b"y")


@pytest.mark.parametrize("target", ["a-path-as-text", io.StringIO()])
def test_downloads_go_to_paths_and_binary_files_only(harness: StorageHarness, target: Any) -> None:
    """Text as a path, and a file opened as text, are refused before anything is requested."""
    with pytest.raises(errors.InvalidStorageOperationInput, match="cannot be written to a"):
        harness.storage.download_data("x", target)
    assert _sent(harness) == []


def test_pipes_can_be_uploaded(harness: StorageHarness, s3: Objects, tmp_path: Path) -> None:
    """A named pipe and an empty file are read to the end."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"through a pipe",))
    writer.start()
    harness.storage.upload_data("a", tmp_path / "pipe")
    writer.join()
    (tmp_path / "empty").touch()
    harness.storage.upload_data("b", tmp_path / "empty")
    assert s3.objects == {"a": b"through a pipe", "b": b""}
    file = io.BytesIO(b"abc")
    file.seek(100)
    with pytest.raises(errors.InvalidUploadSource, match="after its end"):
        harness.storage.upload_data("c", file)
