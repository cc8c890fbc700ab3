"""JSON Lines: an object in each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seedctl.data import read_rows
from seedctl.errors import DataFileError
from seedctl.rows import text_files
from tests.appsync.appsync import ClientHarness

if TYPE_CHECKING:
    from pathlib import Path

STAGE = ClientHarness("store_userpool.json")
SCALARS, MOVES = STAGE.models.Scalars, STAGE.models.StockMove


def test_lines_are_read(tmp_path: Path) -> None:
    """A byte order mark, blank lines and fields that the API sets are passed over; null is null."""
    file = tmp_path / "a.jsonl"
    file.write_bytes(
        b'\xef\xbb\xbf{"id": "a", "aInt": 1.0, "createdAt": "x"}\r\n\n{"id": "b", "aInt": null}'
    )
    assert [dict(row) for row in read_rows(file, SCALARS)] == [
        {"id": "a", "aInt": 1},
        {"id": "b", "aInt": None},
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{'id': 1}", "line 2, column 2: this is not JSON"),
        (b'{"id": "x"', "line 2, column 11: this is not JSON"),
        (b'{"aFloat": NaN}', "line 2: this is not JSON"),
        (b"[" * 30_000, "line 2"),
        (b'["id"]', "line 2 is not a JSON object"),
        (b"12", "line 2 is not a JSON object"),
        (b'{"id": "caf\xe9"}', "line 2 is not UTF-8 (byte 12)"),
        (b'{"nope": 1}', "line 2: Scalars has no field 'nope'"),
        (b'{"aInt": "5"}', "line 2: Scalars.aInt must be Int: a whole number"),
        (b'{"aIds": "x"}', "line 2: Scalars.aIds must be a list"),
        (b'{"aDate": "2025-02-30"}', "line 2: Scalars.aDate must be AWSDate"),
    ],
)
def test_a_wrong_line_fails_alone(tmp_path: Path, line: bytes, expected: str) -> None:
    """The error names the file, the line and what is wrong; the other lines are read."""
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"id": "1"}\n' + line + b'\n{"id": "3"}\n')
    first, wrong, last = read_rows(file, SCALARS)
    assert (first["id"], last["id"]) == ("1", "3")
    with pytest.raises(DataFileError) as caught:
        dict(wrong)
    assert f"a.jsonl, {expected}" in caught.value.message
    assert caught.value.resolution


def test_a_relation_is_no_field(tmp_path: Path) -> None:
    """A related record in a line is refused with the foreign key to give."""
    file = tmp_path / "a.ndjson"
    file.write_text('{"id": "1", "product": {"sku": "x"}}\n')
    (row,) = read_rows(file, MOVES)
    with pytest.raises(DataFileError, match=r"StockMove\.product is a relation") as caught:
        dict(row)
    assert caught.value.resolution == ("Give its foreign key, sku, warehouse, shelf of StockMove.")


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is one endless line, such as a JSON document, is not read into memory."""
    monkeypatch.setattr(text_files, "_MAX_LINE", 20)
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "1"}\n{"id": "a text of some length"}\n{"id": "3"}\n')
    _, wrong = read_rows(file, SCALARS)
    with pytest.raises(DataFileError, match="longer than"):
        dict(wrong)
