"""Listing: the right keys in the right order, whatever the size of the pages."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from seedctl.local.s3 import index
from seedctl.local.s3.listing import read_page, start_after
from seedctl.local.state_folder import prepare
from seedctl.local.store import Store
from tests.cases import case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.local.store import View

KEYS = ["a", "a/b", "a/b/c", "a/b/d", "a//x", "a-b", "b/ü", "b/u", "ü/1", "z z+", "😀"]


@pytest.fixture(scope="module")
def s3(shared: Any) -> Any:
    client = shared.client()
    for key in KEYS:
        client.put_object(Bucket=shared.bucket, Key=key, Body=key.encode())
    return client


def _model(keys: list[str], prefix: str, delimiter: str) -> list[tuple[bytes, bool]]:
    """Return all entries of a listing in order, by the simplest implementation of the rules."""
    found: dict[bytes, bool] = {}
    for key in sorted(key.encode() for key in keys):
        if not key.startswith(prefix.encode()):
            continue
        rest = key[len(prefix.encode()) :]
        head, cut, _ = rest.partition(delimiter.encode()) if delimiter else (rest, b"", b"")
        found[prefix.encode() + head + cut] = bool(cut)
    return sorted(found.items())


@pytest.fixture(scope="module")
def bucket_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[list[str]], View]]:
    """Return a function that gives the bucket ``b`` objects with exactly the given keys."""
    store = Store.open(prepare(tmp_path_factory.mktemp("state")))

    def fill(keys: list[str]) -> View:
        view.execute("DELETE FROM object")
        for key in keys:
            index.put(view, index.StoredObject("b", key, "f", 1, "e", 0.0))
        return view

    with store.transaction() as view:
        yield fill
    store.close()


_TEXT = st.text(alphabet="ab/-ü\U0001f600\x7f", max_size=5)


@settings(max_examples=50)
@given(
    keys=st.lists(_TEXT.filter(bool), max_size=25, unique=True),
    prefix=_TEXT,
    delimiter=st.sampled_from(["", "/", "-", "/a", "ü"]),
    size=st.integers(min_value=1, max_value=7),
)
def test_pages(
    bucket_of: Callable[[list[str]], View], keys: list[str], prefix: str, delimiter: str, size: int
) -> None:
    """The pages together are the listing: no duplicates, no gaps, and all but the last are full."""
    view = bucket_of(keys)
    got: list[tuple[bytes, bool]] = []
    last: str | None = ""
    while last is not None:
        start = start_after(last, prefix=prefix, delimiter=delimiter)
        found = read_page(view, "b", prefix=prefix, delimiter=delimiter, start=start, size=size)
        objects = [(stored.key.encode(), False) for stored in found.objects]
        entries = objects + [(key.encode(), True) for key in found.prefixes]
        assert len(entries) == size or found.last is None
        got += sorted(entries)
        last = found.last
    assert got == _model(keys, prefix, delimiter)


def test_pages_over_the_wire(s3: Any, shared: Any) -> None:
    """A paginator of boto3 returns exactly the expected entries, with sizes and etags."""
    for size in (
        1,
        2,
        1000,
    ):
        for prefix, delimiter in (
            ("", ""),
            ("", "/"),
            ("a/", "/"),
            ("a", "/"),
            ("b/", ""),
            ("no", ""),
        ):
            for encoding in (
                None,
                "url",
            ):
                with case(size, prefix, delimiter, encoding):
                    pages = s3.get_paginator("list_objects_v2").paginate(
                        Bucket=shared.bucket,
                        Prefix=prefix,
                        Delimiter=delimiter,
                        PaginationConfig={"PageSize": size},
                        **({"EncodingType": encoding} if encoding else {}),
                    )
                    # If the caller sets encoding-type, boto3 does not decode the keys.
                    decode = unquote if encoding else str
                    keys, prefixes = [], []
                    for found in pages:
                        contents, common = (
                            found.get("Contents", []),
                            found.get("CommonPrefixes", []),
                        )
                        assert found["KeyCount"] == len(contents) + len(common) <= size
                        assert (found["Name"], found["Prefix"], found["MaxKeys"]) == (
                            shared.bucket,
                            prefix,
                            size,
                        )
                        assert found.get("Delimiter", "") == delimiter
                        for entry in contents:
                            assert entry["Size"] == len(decode(entry["Key"]).encode())
                            assert (entry["StorageClass"], entry["ETag"][0]) == ("STANDARD", '"')
                            keys.append(decode(entry["Key"]))
                        prefixes += [decode(entry["Prefix"]) for entry in common]
                    expected = _model(KEYS, prefix, delimiter)
                    assert keys == [key.decode() for key, is_common in expected if not is_common]
                    assert prefixes == [key.decode() for key, is_common in expected if is_common]


def test_start_after(s3: Any, shared: Any) -> None:
    """A listing may begin after a key, which need not exist."""
    found = s3.list_objects_v2(Bucket=shared.bucket, StartAfter="a/b/c", FetchOwner=True)
    assert [entry["Key"] for entry in found["Contents"]][:2] == ["a/b/d", "b/u"]
    assert (found["StartAfter"], found["Contents"][0]["Owner"]["ID"]) == ("a/b/c", "0" * 12)
    token = s3.list_objects_v2(Bucket=shared.bucket, MaxKeys=1)["NextContinuationToken"]
    again = s3.list_objects_v2(Bucket=shared.bucket, MaxKeys=1, ContinuationToken=token)
    assert again["ContinuationToken"] == token
    assert [entry["Key"] for entry in again["Contents"]] == ["a-b"]


def test_list_objects_v1(s3: Any, shared: Any) -> None:
    """The first version of the operation uses markers for its pages."""
    keys, prefixes, marker = [], [], ""
    while True:
        found = s3.list_objects(Bucket=shared.bucket, Delimiter="/", MaxKeys=2, Marker=marker)
        keys += [entry["Key"] for entry in found.get("Contents", [])]
        prefixes += [entry["Prefix"] for entry in found.get("CommonPrefixes", [])]
        if not found["IsTruncated"]:
            break
        marker = found["NextMarker"]
    expected = _model(KEYS, "", "/")
    assert keys == [key.decode() for key, is_common in expected if not is_common]
    assert prefixes == [key.decode() for key, is_common in expected if is_common]
    plain = s3.list_objects(Bucket=shared.bucket, Marker="z")
    assert [entry["Key"] for entry in plain["Contents"]] == ["z z+", "ü/1", "😀"]


def test_refused(s3: Any, shared: Any) -> None:
    """Invalid parameters are rejected."""
    for options in (
        {"MaxKeys": -1},
        {"EncodingType": "other"},
        {"ContinuationToken": "???"},
        {"ContinuationToken": "eA=="},
    ):
        with case(options), pytest.raises(ClientError, match="InvalidArgument"):
            s3.list_objects_v2(Bucket=shared.bucket, **options)


def test_sizes_of_pages(s3: Any, shared: Any) -> None:
    """A page has at most 1000 entries, and may have none."""
    assert s3.list_objects_v2(Bucket=shared.bucket, MaxKeys=5000)["MaxKeys"] == 1000
    found = s3.list_objects_v2(Bucket=shared.bucket, MaxKeys=0)
    assert (found["KeyCount"], found["IsTruncated"]) == (0, False)


def test_two_processes_see_the_same(start: Any) -> None:
    """A listing shows at once what another sandbox on the same state writes and deletes."""
    one, two = start(), start()
    first, second = one.client(), two.client()

    def keys(client: Any) -> list[str]:
        found = client.list_objects_v2(Bucket=one.bucket)
        return [entry["Key"] for entry in found.get("Contents", [])]

    assert keys(first) == keys(second) == []
    for number in range(6):
        (first if number % 2 else second).put_object(
            Bucket=one.bucket, Key=f"{5 - number}", Body=b"x"
        )
    assert keys(first) == keys(second) == ["0", "1", "2", "3", "4", "5"]
    first.delete_object(Bucket=one.bucket, Key="3")
    second.put_object(Bucket=one.bucket, Key="3", Body=b"y")
    second.delete_object(Bucket=one.bucket, Key="0")
    assert keys(first) == keys(second) == ["1", "2", "3", "4", "5"]


def test_objects_are_readable_by_any_tool(start: Any) -> None:
    """Any SQLite tool can read the table of objects."""
    harness = start()
    harness.client().put_object(Bucket=harness.bucket, Key="a/b", Body=b"xy", Metadata={"a": "b"})
    connection = sqlite3.connect(harness.folder / "local" / "state.db")
    query = "SELECT key, size, json_extract(metadata, '$.a'), file FROM object"
    ((key, size, metadata, file),) = connection.execute(query)
    connection.close()
    assert (key, size, metadata) == ("a/b", 2, "b")
    assert harness.files() == {file}
