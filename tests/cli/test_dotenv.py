"""Reading a dotenv file for ``secret import``: one invalid line fails the whole file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seedctl.cli.secret import read_dotenv
from seedctl.errors import FileAccessError, InvalidSecretNameError, InvalidSecretValueError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("A=1\nB=2\n", {"A": "1", "B": "2"}, id="plain"),
        pytest.param("A=1", {"A": "1"}, id="no line break at the end"),
        pytest.param("export A=1\n", {"A": "1"}, id="export"),
        pytest.param("  A = 1  \n", {"A": "1"}, id="blanks around"),
        pytest.param("A='x y' # said\n", {"A": "x y"}, id="single quotes and a comment"),
        pytest.param('A="x y"# said\n', {"A": "x y"}, id="double quotes and a comment"),
        pytest.param("A=x y # said\n", {"A": "x y"}, id="a comment after a blank"),
        pytest.param("A=x#y\n", {"A": "x#y"}, id="a hash inside a value"),
        pytest.param('A="#"\n', {"A": "#"}, id="a hash in quotes"),
        pytest.param("# only\n\n   \n", {}, id="comments only"),
        pytest.param("", {}, id="empty"),
        pytest.param('A="x\\ny"\n', {"A": "x\ny"}, id="an escape in double quotes"),
        pytest.param("A='x\\ny'\n", {"A": "x\\ny"}, id="none in single quotes"),
        pytest.param("A=x\\ny\n", {"A": "x\\ny"}, id="none without quotes"),
        pytest.param('A="one\ntwo\n"\nB=2\n', {"A": "one\ntwo\n", "B": "2"}, id="several lines"),
        pytest.param("A='it\\'s'\n", {"A": "it's"}, id="a quote inside"),
        pytest.param("A==x=\n", {"A": "=x="}, id="equal signs in the value"),
        pytest.param("A=${HOME}\nB=$A\n", {"A": "${HOME}", "B": "$A"}, id="nothing is expanded"),
        pytest.param("A=1\nA=2\n", {"A": "2"}, id="the last of two counts"),
        pytest.param("a.b-c_D=1\n", {"a.b-c_D": "1"}, id="a name that only a secret may have"),
        pytest.param("A=ü密\U0001f680\n", {"A": "ü密\U0001f680"}, id="beyond ASCII"),
        pytest.param(f"A={'x' * 4096}\n", {"A": "x" * 4096}, id="as long as may be"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
def test_what_a_dotenv_file_may_hold(
    file: Path, text: str, values: dict[str, str], ending: str, mark: bytes
) -> None:
    """Names and values are read as other dotenv tools read them, and nothing is expanded."""
    file.write_bytes(mark + text.replace("\n", ending).encode())
    assert read_dotenv(file) == values


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("A=1\nhidden-part\n", 2, id="a name alone"),
        pytest.param("A=1\nhidden part=x\n", 2, id="two words"),
        pytest.param("=hidden-part\n", 1, id="no name"),
        pytest.param('A=1\n\n# c\n\nB="hidden-part\n', 5, id="a quote that never ends"),
        pytest.param("A='hidden-part' more\n", 1, id="text after a quote"),
        pytest.param("A: hidden-part\n", 1, id="YAML"),
        pytest.param('{"A": "hidden-part"}\n', 1, id="JSON"),
        pytest.param("A=-----BEGIN\nhidden-part\n-----END\n", 2, id="lines without quotes"),
        pytest.param("\n\n\nhidden-part\n", 4, id="after blank lines"),
        pytest.param("A='1\n2\n3'\nhidden-part\n", 4, id="after a value of several lines"),
        pytest.param("export\n", 1, id="export alone"),
    ],
)
def test_the_number_of_a_malformed_line_is_shown(file: Path, text: str, line: int) -> None:
    """A malformed line fails the import; its text is not shown, as it may be a secret."""
    file.write_text(text)
    with pytest.raises(InvalidSecretValueError) as caught:
        read_dotenv(file)
    assert caught.value.message == f"{file}, line {line}, is not of the form NAME=value."
    assert caught.value.exit_code == 2
    assert "quote" in (caught.value.resolution or "")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        pytest.param("A=1\nB=\n", 2, "The value of the secret B is empty.", id="empty"),
        pytest.param("\nB=''\n", 2, "The value of the secret B is empty.", id="empty quotes"),
        pytest.param("B= # said\n", 1, "The value of the secret B is empty.", id="a comment only"),
        pytest.param(
            f"B={'hidden-part' * 400}\n",
            1,
            "The value of the secret B has 4400 bytes; Parameter Store allows 4096.",
            id="too long",
        ),
    ],
)
def test_a_value_that_cannot_be_stored(file: Path, text: str, line: int, complaint: str) -> None:
    """A value that Parameter Store would refuse is found before anything is sent."""
    file.write_text(text)
    with pytest.raises(InvalidSecretValueError) as caught:
        read_dotenv(file)
    assert caught.value.message == f"{file}, line {line}: {complaint}"
    assert caught.value.resolution
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("A=1\nhidden/part=2\n", 2, id="a slash"),
        pytest.param("'hidden part'=2\n", 1, id="a blank in quotes"),
        pytest.param("A=1\n\nhidden+part==\n", 3, id="the end of something in base64"),
    ],
)
def test_a_name_that_a_secret_cannot_have(file: Path, text: str, line: int) -> None:
    """The name is not shown: in a broken file it may be part of a value."""
    file.write_text(text)
    with pytest.raises(InvalidSecretNameError) as caught:
        read_dotenv(file)
    assert caught.value.message == (
        f"{file}, line {line}: what is before = cannot be the name of a secret."
    )
    assert "letters, digits" in (caught.value.resolution or "")
    assert caught.value.__cause__ is None
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param("folder", "Is a directory", id="a folder"),
    ],
)
def test_a_file_that_cannot_be_read(file: Path, content: str | None, reason: str) -> None:
    """A missing file or a folder is a FileAccessError that says why."""
    if content is not None:
        file.mkdir()
    with pytest.raises(FileAccessError) as caught:
        read_dotenv(file)
    assert caught.value.message == f"{file} cannot be read: {reason}."
    assert "NAME=value" in (caught.value.resolution or "")
    assert caught.value.exit_code == 3
    assert caught.value.__cause__ is None
