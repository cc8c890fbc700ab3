"""What is written to CSV is read as the same value; what cannot be is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seedctl.data import read_rows
from seedctl.errors import DataFileError
from seedctl.rows.writers import CSVWriter, JSONLineWriter
from tests.appsync.appsync import ClientHarness

if TYPE_CHECKING:
    from pathlib import Path

STAGE = ClientHarness("store_userpool.json")
WRITER = CSVWriter(STAGE.schema.models["Scalars"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a,b",
        'a "b"',
        '"',
        "a\nb",
        "a\rb",
        "a\r\nb",
        "null",
        "true",
        "007",
        "#",
        "=1+1",
        "🐢",
    ],
)
def test_a_text_is_read_as_it_was(tmp_path: Path, text: str) -> None:
    """Any text is the same after it was written and read, on every version of Python."""
    file = tmp_path / "a.csv"
    row = {"id": "1", "aString": text, "aIds": [text, "x|y"], "aBool": False, "aFloat": 1e-07}
    file.write_bytes((WRITER.header + WRITER.text(row)).encode())
    assert [dict(each) for each in read_rows(file, STAGE.models.Scalars)] == [row]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('""', "it stands for an empty text in CSV"),
        (' "a" ', "it has a space before its quotes"),
        ("a\0b", "it has a NUL character"),
        ("x" * 140_000, "it is too long for CSV"),
    ],
)
def test_a_text_that_csv_cannot_hold(text: str, why: str) -> None:
    """A value that would be read as another one is an error that names the field."""
    with pytest.raises(DataFileError) as caught:
        WRITER.text({"id": "1", "aString": text})
    assert caught.value.message == f"A value of Scalars.aString cannot be written: {why}."


def test_people_can_read_the_files() -> None:
    """Text is written as it is, and Booleans as JSON has them."""
    assert JSONLineWriter().text({"a": "Zoë", "b": True}) == '{"a":"Zoë","b":true}\n'
    line = WRITER.text({"id": "1", "aString": "Zoë", "aBool": True, "aIds": ["Zoë"]})
    assert line.startswith("1,Zoë,,,true,")
    assert '"[""Zoë""]"' in line


def test_an_owner_that_is_not_declared() -> None:
    """The owner that the API adds has a column too; relations have none."""
    harness = ClientHarness("auth_rules.json")
    assert (
        CSVWriter(harness.schema.models["Note"]).header
        == "id,content,createdAt,updatedAt,owner\r\n"
    )
