"""CSV files: right ones give the values of the model's types, wrong ones name the place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seedctl.data import read_rows
from seedctl.errors import BulkError, DataFileError, FileAccessError, InvalidInputError
from seedctl.rows import text_files
from tests.appsync.appsync import ClientHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STAGE = ClientHarness("store_userpool.json")
SCALARS, PRODUCT = STAGE.models.Scalars, STAGE.models.Product


def _rows(path: Path, content: str | bytes, model: Any = SCALARS) -> Iterator[Any]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(path, model)


CELLS: list[tuple[str, str, object]] = [
    ("aString", "a text", "a text"),
    ("aString", " with spaces ", " with spaces "),
    ("aString", '"a ""quoted"", text"', 'a "quoted", text'),
    ("aString", '"two\nlines"', "two\nlines"),
    ("aString", '"two\r\nlines"', "two\r\nlines"),
    ("aString", '""""""', ""),
    ("aString", "null", "null"),
    ("aString", "007", "007"),
    ("aString", 'a 5" disk', 'a 5" disk'),
    ("aString", "  ", "  "),
    ("id", "0042", "0042"),
    ("aInt", " 12 ", 12),
    ("aInt", "-7", -7),
    ("aInt", "007", 7),
    ("aInt", "5.0", 5),
    ("aInt", "1e3", 1000),
    ("aFloat", "4.5", 4.5),
    ("aFloat", ".5", 0.5),
    ("aFloat", "3", 3),
    ("aFloat", "-1.5E-3", -0.0015),
    ("aBool", "TRUE", True),
    ("aBool", "no", False),
    ("aBool", "1", True),
    ("aBool", "false ", False),
    ("aDate", "2024-02-29", "2024-02-29"),
    ("aDate", " 2024-02-29", "2024-02-29"),
    ("aDate", "-0044-03-15", "-0044-03-15"),
    ("aTime", "12:30:00.123", "12:30:00.123"),
    ("aDateTime", "2025-01-31T12:30:00Z", "2025-01-31T12:30:00Z"),
    ("aDateTime", "2025-01-31 12:30:00+01:00", "2025-01-31T12:30:00+01:00"),
    ("aTimestamp", "1738326600", 1738326600),
    ("aTimestamp", "2025-01-31T12:30:00Z", 1738326600),
    ("aTimestamp", "2025-01-31 13:30:00+01:00", 1738326600),
    ("aEmail", "ann@example.com ", "ann@example.com"),
    ("aJson", '"{""a"": [1, null]}"', '{"a": [1, null]}'),
    ("aJson", "12", "12"),
    ("aPhone", "+14255550123", "+14255550123"),
    ("aUrl", "https://example.com/?a=b", "https://example.com/?a=b"),
    ("aIp", "192.0.2.1", "192.0.2.1"),
    ("aIds", "a|b | c", ["a", "b", "c"]),
    ("aIds", '"[""a|b"", 5]"', ["a|b", 5]),
    ("aIds", "one", ["one"]),
    ("aIds", "[]", []),
    ("arrReq", "1|2", [1, 2]),
    ("arrReq", '"[1, null]"', [1, None]),
    ("jsons", '"[{""a"": 1}]"', ['{"a": 1}']),
]


def test_a_cell_becomes_a_value(tmp_path: Path) -> None:
    """A cell is converted to the type of its field; the converter of records then checks it."""
    wrong = []
    for column, cell, value in CELLS:
        (row,) = _rows(tmp_path / "a.csv", f"{column}\n{cell}\n")
        if dict(row) != {column: value} or type(row[column]) is not type(value):
            wrong.append((column, cell, dict(row)))
    assert wrong == []


def test_a_nul_character_fails_its_row(tmp_path: Path) -> None:
    """Python 3.10 refuses to read such a line, later versions read it: the row fails with each."""
    first, middle, last = _rows(tmp_path / "a.csv", "id,aString\nfirst,\nwrong,nul\0\nlast,\n")
    assert [dict(first), dict(last)] == [{"id": "first"}, {"id": "last"}]
    with pytest.raises(DataFileError, match=r"a\.csv, line 3.* NUL character"):
        dict(middle)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("id,aInt\nx,5\n", id="plain"),
        pytest.param("\ufeffid,aInt\r\nx,5\r\n", id="byte order mark and CRLF"),
        pytest.param("id,aInt\rx,5\r", id="CR alone"),
        pytest.param("id;aInt\nx;5", id="semicolons, no line break at the end"),
        pytest.param("id\taInt\nx\t5\n", id="tabs"),
        pytest.param('"id";"aInt"\n"x";"5"\n', id="quoted with semicolons"),
        pytest.param("\n\n id , aInt \n\nx,5\n\n", id="blank lines and spaces in the header"),
        pytest.param("id,aInt\nx,5\n,\n,\n", id="empty records at the end"),
        pytest.param("id,aInt,createdAt,aBool,aIds\nx,5,2020-01-01,, \n", id="left out"),
    ],
)
def test_a_file_is_read(tmp_path: Path, content: str) -> None:
    """Separators, line ends, a byte order mark, blank lines and empty cells make no difference;
    columns that the API fills are left out."""
    assert [dict(row) for row in _rows(tmp_path / "a.csv", content)] == [{"id": "x", "aInt": 5}]
    assert [dict(row) for row in _rows(tmp_path / "A.TSV", content)] == [{"id": "x", "aInt": 5}]


WRONG_CELLS: list[tuple[str, str | bytes, str]] = [
    ("aInt", "five", "column 2: Scalars.aInt must be Int"),
    ("aInt", "4.5", "column 2: Scalars.aInt must be Int"),
    ("aInt", "3000000000", "of 32 bits"),
    ("aInt", '"1,000"', "Scalars.aInt must be Int"),
    ("aInt", "1_000", "Scalars.aInt must be Int"),
    ("aInt", "0x10", "Scalars.aInt must be Int"),
    ("aInt", "١٢", "Scalars.aInt must be Int"),
    ("aInt", "9" * 5000, "Scalars.aInt must be Int"),
    ("aInt", "TRUE", "Scalars.aInt must be Int"),
    ("aFloat", '"1,5"', "column 2: Scalars.aFloat must be Float"),
    ("aFloat", "nan", "Scalars.aFloat must be Float"),
    ("aFloat", "Infinity", "Scalars.aFloat must be Float"),
    ("aFloat", "1e999", "Scalars.aFloat must be Float"),
    ("aFloat", "12 EUR", "Scalars.aFloat must be Float"),
    ("aBool", "maybe", "column 2: Scalars.aBool must be Boolean"),
    ("aBool", "2", "Scalars.aBool must be Boolean"),
    ("aDate", "31.01.2025", "Scalars.aDate must be AWSDate: a date, or text such as 2025-01-31"),
    ("aDate", "2025-1-1", "Scalars.aDate must be AWSDate"),
    ("aDate", "2025-02-30", "Scalars.aDate must be AWSDate"),
    ("aDate", "2025-13-01", "Scalars.aDate must be AWSDate"),
    ("aTime", "25:00", "Scalars.aTime must be AWSTime"),
    ("aTime", "12:30:99", "Scalars.aTime must be AWSTime"),
    ("aTime", "noon", "Scalars.aTime must be AWSTime"),
    ("aDateTime", "2025-01-31T12:30:00", "text with a zone"),
    ("aDateTime", "2025-01-31", "Scalars.aDateTime must be AWSDateTime"),
    ("aDateTime", "2025-02-29T12:30:00Z", "Scalars.aDateTime must be AWSDateTime"),
    ("aDateTime", "2025-02-28T24:30:00Z", "Scalars.aDateTime must be AWSDateTime"),
    ("aTimestamp", "yesterday", "Scalars.aTimestamp must be AWSTimestamp"),
    ("aTimestamp", "2025-01-31T12:30:00", "a datetime with a time zone"),
    ("aTimestamp", "1.5", "Scalars.aTimestamp must be AWSTimestamp"),
    ("aEmail", "ann", "Scalars.aEmail must be AWSEmail: text such as ann@example.com"),
    ("aEmail", "a b@example.com", "Scalars.aEmail must be AWSEmail"),
    ("aJson", "{a: 1}", "column 2: Scalars.aJson must be JSON"),
    ("aJson", "plain text", "Scalars.aJson must be JSON"),
    ("aJson", "NaN", "Scalars.aJson must be JSON"),
    ("aPhone", "call me", "Scalars.aPhone must be AWSPhone"),
    ("aUrl", "example", "Scalars.aUrl must be AWSURL"),
    ("aIp", "300.0.0.1", "Scalars.aIp must be AWSIPAddress"),
    ("aIds", "a||b", "Scalars.aIds must be a list: values separated by |"),
    ("aIds", '"[a, b]"', "Scalars.aIds must be a list"),
    ("aIds", '"[true]"', "Scalars.aIds[0] must be ID"),
    ("arrReq", "1|x", "Scalars.arrReq[1] must be Int"),
    ("arrReq", '"[1"', "Scalars.arrReq must be a list"),
    ("arrReq", '"[NaN]"', "Scalars.arrReq must be a list"),
    ("arrReq", '"' + "[" * 30_000 + '"', "Scalars.arrReq must be a list"),
    ("reqArr", '"[null]"', "Scalars.reqArr[0] must be not null"),
    ("jsons", "1|2", "Scalars.jsons must be a list in JSON"),
    ("aString", ' "quoted"', "column 2: Scalars.aString has a space before its quotes"),
    ("aString", b"caf\xe9", "is not UTF-8 text"),
]


def test_a_wrong_cell_fails_its_row(tmp_path: Path) -> None:
    """The error names the file, the line, the column and what is expected; other rows are read."""
    file = tmp_path / "a.csv"
    wrong = []
    for column, cell, expected in WRONG_CELLS:
        text = cell if isinstance(cell, bytes) else cell.encode()
        content = f"id,{column}\nfirst,\n".encode() + b"wrong," + text + b"\nlast,\n"
        first, middle, last = _rows(file, content)
        others = [dict(first), dict(last)] == [{"id": "first"}, {"id": "last"}]
        try:
            found = f"no error: {dict(middle)}"
        except DataFileError as error:
            found = error.message
            if others and found.startswith(f"{file}, line 3") and expected in found:
                advice = error.resolution or "no resolution"
                found = "" if "docs/rows.md" in advice and "validate" not in advice else advice
        if found:
            wrong.append((column, cell[:50], found))
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("x", "line 3 has 1 cells, and the header has 2", id="too few"),
        pytest.param("x,1,2", "line 3 has 3 cells, and the header has 2", id="too many"),
        pytest.param("x;1", "line 3 has 1 cells", id="another separator"),
        pytest.param('"x"y,1', "line 3: the CSV cannot be read", id="text after a quote"),
        pytest.param('"x" ,1', "line 3: the CSV cannot be read", id="space after a quote"),
        pytest.param('"two\nlines"y,1', "lines 3 to 4: the CSV", id="on two lines"),
    ],
)
def test_a_wrong_record_fails_alone(tmp_path: Path, line: str, expected: str) -> None:
    """A record that cannot be split into its cells names its lines; those after it are read."""
    *_, wrong, last = _rows(tmp_path / "a.csv", f"id,aInt\nfirst,1\n{line}\nlast,2\n")
    with pytest.raises(DataFileError) as caught:
        len(wrong)
    assert f"a.csv, {expected}" in caught.value.message
    assert dict(last) == {"id": "last", "aInt": 2}


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        pytest.param('"never closed\n1,2\n', "ends inside of a quoted cell", id="open quote"),
        pytest.param('"' + "x" * 200_000 + '",1\ny,2\n', "rest of the file", id="too long"),
    ],
)
def test_a_quote_that_is_never_closed(tmp_path: Path, rest: str, expected: str) -> None:
    """What follows cannot be read: the last row says so."""
    first, wrong = _rows(tmp_path / "a.csv", f"id,aInt\nfirst,1\n{rest}")
    assert dict(first) == {"id": "first", "aInt": 1}
    with pytest.raises(DataFileError, match=expected):
        _ = wrong["id"]


def test_a_file_without_line_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is too long is not read into memory, neither in the header nor in the rows."""
    monkeypatch.setattr(text_files, "_MAX_LINE", 50)
    first, wrong = _rows(tmp_path / "a.csv", "id,aInt\na,1\n" + "b,1," * 20 + "\nc,3\n")
    assert first["id"] == "a"
    with pytest.raises(DataFileError, match="line 3: a cell or line is too long"):
        len(wrong)
    with pytest.raises(DataFileError, match="line 1: a cell or line is too long"):
        _rows(tmp_path / "a.csv", "id," * 20)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", "a.csv is empty", id="empty"),
        pytest.param(b"\n\r\n", "a.csv is empty", id="blank"),
        pytest.param(b"\xef\xbb\xbf", "a.csv is empty", id="byte order mark alone"),
        pytest.param("id,aInt\n".encode("utf-16"), "a.csv is UTF-16", id="UTF-16"),
        pytest.param(b"id,aInt,id\n", "line 1: the column 'id' is there more", id="twice"),
        pytest.param(b"id,ainteger\n", "column 2: Scalars has no field 'ainteger'", id="unknown"),
        pytest.param(b"id,\n", "column 2: Scalars has no field ''", id="nameless"),
        pytest.param(b"id,caf\xe9\n", "column 2: Scalars has no field", id="not UTF-8"),
        pytest.param(b"1,2\n3,4\n", "column 1: Scalars has no field '1'", id="no header"),
        pytest.param(b"PK\x03\x04\x00\x00", "a.csv", id="a spreadsheet"),
        pytest.param(b'"id,aInt\n', "ends inside of a quoted cell", id="open quote in the header"),
        pytest.param(
            b"id;a,b,c\n", "column 2: Scalars has no field 'a,b,c'", id="commas in a name"
        ),
        pytest.param(b"\nid,aInt,x\n", "line 2, column 3: Scalars has no field", id="line 2"),
    ],
)
def test_a_wrong_file_is_refused_at_once(tmp_path: Path, content: bytes, expected: str) -> None:
    """A file whose header is wrong is refused before a row is read, so that nothing is written."""
    with pytest.raises(DataFileError) as caught:
        _rows(tmp_path / "a.csv", content)
    assert expected in caught.value.message


def test_relations_are_no_columns(tmp_path: Path) -> None:
    """A relation as a column is refused with the foreign key to give; a near name is suggested."""
    with pytest.raises(DataFileError, match=r"Product\.stocks is a relation") as caught:
        _rows(tmp_path / "a.csv", "sku,stocks\n", PRODUCT)
    assert caught.value.resolution == ("Give its foreign key, sku, warehouse, shelf of StockMove.")
    with pytest.raises(DataFileError) as caught:
        _rows(tmp_path / "a.csv", "sku,warehuose\n", PRODUCT)
    assert caught.value.resolution == "Did you mean warehouse?"


def test_custom_types_and_enums(tmp_path: Path) -> None:
    """A custom type is JSON in a cell; a wrong field of it, or of an enum, is named."""
    right, *wrong = _rows(
        tmp_path / "a.csv",
        "sku;price;category\n"
        'a;{"amount": 5, "currency": "EUR"};BOOK\n'
        'b;{"amount": "5", "currency": "EUR"};\n'
        'c;{"amount": 5};\n'
        "d;5 EUR;\n"
        "e;[1];\n"
        "f;;BOKO\n",
        PRODUCT,
    )
    price = {"amount": 5, "currency": "EUR"}
    assert dict(right) == {"sku": "a", "price": price, "category": "BOOK"}
    expected = [
        "line 3, column 2: Product.price.amount must be Float",
        "line 4, column 2: Product.price.currency is required, and missing.",
        "line 5, column 2: Product.price must be JSON with the fields of Money.",
        "line 6, column 2: Product.price must be a mapping with the fields of Money.",
        "line 7, column 3: Product.category must be one of ProductCategory: BOOK, GAME, OTHER.",
    ]
    for row, text in zip(wrong, expected, strict=True):
        with pytest.raises(DataFileError) as caught:
            dict(row)
        assert text in caught.value.message
    assert caught.value.resolution == "Did you mean BOOK?"


def test_a_failed_row_in_a_bulk_call(tmp_path: Path) -> None:
    """create_many sends the right rows; the others fail with the file and line in the result, the
    message and the report, also when the API or the check of required fields refuses them."""
    harness = ClientHarness("store_userpool.json")
    refused = {"path": ["a1"], "message": "no", "errorType": "DynamoDB:X"}
    harness.answer({"data": {"a0": {"id": "a"}, "a1": None}, "errors": [refused]})
    rows = _rows(
        tmp_path / "a.csv",
        "id,aInt,arrReq\na,1,1\nb,x,1\nc,2,1\nd,1,\n",
        harness.models.Scalars,
    )
    with pytest.raises(BulkError) as caught:
        harness.models.Scalars.create_many(rows)
    results = caught.value.results
    assert [each.state for each in results] == ["created", "failed", "failed", "failed"]
    file = tmp_path / "a.csv"
    assert [each.place for each in results] == [f"{file}, line {line}" for line in (2, 3, 4, 5)]
    assert "3 of 4 Scalars records failed; the first, " in caught.value.message
    assert "a.csv, line 3, column 2: " in caught.value.message
    assert f"{file}, line 5, column 3: Scalars.arrReq is required" in results[3].error.message
    assert {event.row for event, _ in harness.report.failures} == {
        f"{file}, line {line}" for line in (3, 4, 5)
    }
    assert harness.sent["a0"] == {"id": "a", "aInt": 1, "arrReq": [1]}


def test_rows_of_records_that_are_deleted(tmp_path: Path) -> None:
    """delete_many names the line of each row too, whether there was a record or not."""
    harness = ClientHarness("store_userpool.json")
    gone = {
        "path": ["a1"],
        "message": "no",
        "errorType": "DynamoDB:ConditionalCheckFailedException",
    }
    harness.answer({"data": {"a0": {"id": "a"}, "a1": None}, "errors": [gone]})
    results = harness.models.Scalars.delete_many(_rows(tmp_path / "a.csv", "id\na\nb\n"))
    file = tmp_path / "a.csv"
    assert [(each.state, each.place) for each in results] == [
        ("deleted", f"{file}, line 2"),
        ("missing", f"{file}, line 3"),
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder and an unknown kind of file are refused at once."""
    for name in ("missing.csv", "missing.jsonl"):
        with pytest.raises(FileAccessError, match=f"{name} cannot be read"):
            read_rows(tmp_path / name, SCALARS)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileAccessError):
        read_rows(str(tmp_path / "folder.csv"), SCALARS)
    with pytest.raises(DataFileError, match=r"rows\.json is neither CSV nor JSON Lines"):
        read_rows(tmp_path / "rows.json", SCALARS)


def test_two_rows_with_one_key(tmp_path: Path) -> None:
    """The second of two rows with the same key fails, and is named by its line."""
    harness = ClientHarness("store_userpool.json")
    rows = _rows(tmp_path / "a.csv", "id,arrReq\na,1\n\na,2\n", harness.models.Scalars)
    results = harness.models.Scalars.create_many(rows, on_error="collect")
    assert [each.state for each in results] == ["created", "failed"]
    assert results[1].error is not None
    assert results[1].error.message.endswith("line 4: a row before it has the same key (id).")


def test_something_else_than_a_model(tmp_path: Path) -> None:
    """The name of a model, as text, is refused with what to give."""
    model: Any = "Scalars"
    with pytest.raises(InvalidInputError, match="got str") as caught:
        _rows(tmp_path / "a.csv", "id\n", model)
    assert caught.value.resolution == "Give the client of a model, such as client.models.Post."


def test_a_row_shows_its_place(tmp_path: Path) -> None:
    """The text of a row, for a script that prints it, has its place and its values or its error."""
    good, bad = _rows(tmp_path / "a.csv", "id,aInt\na,1\nb,x\n")
    assert repr(good) == f"<FileRow {tmp_path / 'a.csv'}, line 2: {{'id': 'a', 'aInt': 1}}>"
    assert len(good) == 2
    assert "line 3: DataFileError(" in repr(bad)
