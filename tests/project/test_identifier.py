"""The identifier and the names that are made from it, compared with those that ampx makes."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedctl.errors import (
    BackendIdConversionFault,
    InvalidCommandInputError,
    SandboxIdentifierNotFoundError,
)
from seedctl.project import BackendIdentifier, check_identifier_option, os_account_name

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "data" / "identifiers.json").read_text(encoding="utf-8")
)
CASES = GOLDEN["cases"]
FAILURES = [pytest.param(row, id=row["description"]) for row in GOLDEN["failures"]]
STACK_NAMES = GOLDEN["parse_stack_name"]


def test_every_golden_row_is_tested() -> None:
    """No row of ampx's results is missing."""
    assert (len(CASES), len(FAILURES), len(STACK_NAMES)) == (36, 3, 11)


def _names(identifier: BackendIdentifier, secret: str) -> dict[str, Any]:
    """Return the names made from *identifier*, under the keys of the golden rows."""
    return {
        "stack_name": identifier.stack_name,
        "stack_name_length": len(identifier.stack_name),
        "parameter_prefix": identifier.parameter_prefix,
        "parameter_path": identifier.parameter_path(secret),
        "shared_prefix": identifier.shared_prefix,
        "shared_parameter_path": identifier.shared_parameter_path(secret),
        "resource_reference_path": identifier.resource_reference_path("userPoolId"),
    }


def test_names_equal_those_of_ampx() -> None:
    """Stack name and parameter paths equal ampx's, so each tool finds the other's secrets."""
    wrong: list[tuple[str, object]] = []
    for row in CASES:
        identifier = BackendIdentifier(**row["identifier"])
        made = _names(identifier, row["secret_name"])
        parsed = BackendIdentifier.from_stack_name(identifier.stack_name)
        if made != {name: row[name] for name in made} or made["stack_name_length"] > 127:
            wrong.append((row["description"], made))
        if parsed != BackendIdentifier(**row["stack_name_parsed"]):
            wrong.append((row["description"], parsed))
    assert wrong == []


@pytest.mark.parametrize("row", FAILURES)
def test_what_ampx_cannot_convert_is_refused(row: dict[str, Any]) -> None:
    """An identifier whose stack name cannot be parsed back has no parameter paths."""
    identifier = BackendIdentifier(**row["identifier"])
    assert identifier.stack_name == row["stack_name"]
    paths: list[Callable[[], str]] = [
        lambda: identifier.parameter_prefix,
        lambda: identifier.parameter_path("x"),
        lambda: identifier.resource_reference_path("x"),
    ]
    for path in paths:
        with pytest.raises(BackendIdConversionFault) as caught:
            path()
        assert caught.value.name == row["parameter_path_error"]["name"]
        assert caught.value.exit_code == 3
        assert identifier.to_json() in caught.value.message
        assert "hash" in (caught.value.resolution or "")


def test_stack_names_are_parsed_back() -> None:
    """A stack name has five parts; the first is "amplify" and the fourth a type."""
    parsed = {row["stack_name"]: row["parsed"] for row in STACK_NAMES}
    assert {name: BackendIdentifier.from_stack_name(name) for name in parsed} == {
        name: None if parts is None else BackendIdentifier(**parts)
        for name, parts in parsed.items()
    }


@pytest.mark.parametrize(
    ("namespace", "name", "in_javascript"),
    [
        pytest.param("a\ud83d", "bob", "a\ufffdbob", id="high, at the end"),
        pytest.param("a\ude00b", "bob", "a\ufffdbbob", id="low"),
        pytest.param("\ud83d\ud83dx", "bob", "\ufffd\ufffdxbob", id="two highs"),
        pytest.param("a\ud83d", "\ude00b", "a\ufffd\ufffdb", id="halves in different parts"),
        pytest.param("a\ud83d\ude00", "bob", "a\U0001f600bob", id="a pair is a character"),
        pytest.param("\ufeffapp", "bob", "\ufeffappbob", id="a byte order mark is text"),
    ],
)
def test_half_surrogate_pairs_are_hashed_as_in_javascript(
    namespace: str, name: str, in_javascript: str
) -> None:
    """For half of a surrogate pair, JavaScript hashes U+FFFD, and so does seedctl."""
    digest = hashlib.sha512(in_javascript.encode()).hexdigest()[:10]
    assert BackendIdentifier(namespace, name).stack_name.endswith(f"-sandbox-{digest}")


@settings(max_examples=50)
@given(namespace=st.text(max_size=250), name=st.text(max_size=120))
def test_any_text_gives_a_valid_stack_name(namespace: str, name: str) -> None:
    """For any package name, stack names are ASCII, at most 127 characters, and give valid paths."""
    identifier = BackendIdentifier(namespace, name)
    assert identifier.stack_name.isascii()
    assert len(identifier.stack_name) <= 127
    parsed = BackendIdentifier.from_stack_name(identifier.stack_name)
    assert parsed is not None
    assert identifier.parameter_prefix.startswith(f"/amplify/{parsed.namespace}/{parsed.name}-")


def test_json_is_written_as_ampx_writes_it() -> None:
    """The JSON is compact, in ampx's order of keys, and has a hash only if one was given."""
    identifier = BackendIdentifier("@acme/café", "alice")
    assert identifier.to_json() == '{"namespace":"@acme/café","name":"alice","type":"sandbox"}'
    with_hash = BackendIdentifier("a", "b", "branch", "0123456789")
    assert with_hash.to_json() == (
        '{"namespace":"a","name":"b","type":"branch","hash":"0123456789"}'
    )


def test_json_fits_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a surrogate pair is escaped, as JSON.stringify does, so the variable can be set."""
    identifier = BackendIdentifier("a\ud83dé", "b")
    assert identifier.to_json() == '{"namespace":"a\\ud83dé","name":"b","type":"sandbox"}'
    monkeypatch.setenv("AMPLIFY_BACKEND_IDENTIFIER", identifier.to_json())
    assert BackendIdentifier.from_json(os.environ["AMPLIFY_BACKEND_IDENTIFIER"]) == identifier


def test_json_is_read_back() -> None:
    """Each tool reads the JSON that the other one wrote as the same backend."""
    identifiers = [BackendIdentifier(**row["identifier"]) for row in CASES]
    written = [identifier.to_json() for identifier in identifiers]
    assert [BackendIdentifier.from_json(text) for text in written] == identifiers
    assert [json.loads(text) for text in written] == [row["identifier"] for row in CASES]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("alice", id="not JSON"),
        pytest.param('{"namespace":"a","name":"b"', id="cut off"),
        pytest.param("[" * 100_000, id="nested too deep"),
        pytest.param("null", id="null"),
        pytest.param('["a","b","sandbox"]', id="a list"),
        pytest.param('{"namespace":"a","name":"b"}', id="no type"),
        pytest.param('{"namespace":"a","type":"sandbox"}', id="no name"),
        pytest.param('{"name":"b","type":"sandbox"}', id="no namespace"),
        pytest.param('{"namespace":1,"name":"b","type":"sandbox"}', id="a number"),
        pytest.param('{"namespace":"a","name":null,"type":"sandbox"}', id="a null"),
    ],
)
def test_other_json_is_no_identifier(text: str) -> None:
    """For other content of the variable, the error names it and shows an example."""
    with pytest.raises(
        SandboxIdentifierNotFoundError, match="AMPLIFY_BACKEND_IDENTIFIER"
    ) as caught:
        BackendIdentifier.from_json(text)
    assert caught.value.exit_code == 3
    assert '"namespace"' in (caught.value.resolution or "")


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        pytest.param("", None, id="absent"),
        pytest.param(',"hash":null', None, id="null"),
        pytest.param(',"hash":7', None, id="a number"),
        pytest.param(',"hash":"abc"', "abc", id="given"),
        pytest.param(',"more":{}', None, id="unknown key"),
    ],
)
def test_the_hash_is_optional(text: str, digest: str | None) -> None:
    """A hash in the environment is used; without one it is computed."""
    read = BackendIdentifier.from_json(f'{{"namespace":"a","name":"b","type":"sandbox"{text}}}')
    assert read == BackendIdentifier("a", "b", "sandbox", digest)


@pytest.mark.parametrize("text", ["a", "Z9", "feature-1-x", "---", "a" * 15])
def test_identifier_options_that_ampx_allows(text: str) -> None:
    """A sandbox name has 1 to 15 letters, digits and dashes."""
    assert check_identifier_option(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("a" * 16, id="sixteen"),
        pytest.param("a_b", id="underscore"),
        pytest.param("a.b", id="dot"),
        pytest.param("a b", id="space"),
        pytest.param("alice\n", id="line break at the end"),
        pytest.param("café", id="not ASCII"),
        pytest.param("١٢", id="digits of another script"),
    ],
)
def test_identifier_options_that_ampx_refuses(text: str) -> None:
    """Any other name is a usage error that says where the value came from."""
    with pytest.raises(InvalidCommandInputError) as caught:
        check_identifier_option(text, source="SEEDCTL_IDENTIFIER")
    assert caught.value.message.startswith(f"SEEDCTL_IDENTIFIER is {text!r}")
    assert caught.value.exit_code == 2
    assert "1 to 15" in (caught.value.resolution or "")


def test_an_account_name_that_is_no_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the user's own account the advice is to omit it, for others it is a valid name."""
    monkeypatch.setattr("seedctl.project.identifier.os_account_name", lambda: "john.doe")
    with pytest.raises(InvalidCommandInputError) as own:
        check_identifier_option("john.doe")
    assert "Leave it out" in (own.value.resolution or "")
    assert "--identifier johndoe or SEEDCTL_IDENTIFIER=johndoe" in (own.value.resolution or "")
    with pytest.raises(InvalidCommandInputError) as other:
        check_identifier_option("jane.roe")
    assert "Leave it out" not in (other.value.resolution or "")
    assert "--identifier janeroe" in (other.value.resolution or "")
    assert "run as that account" in (other.value.resolution or "")


def test_advice_where_the_account_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice also works if the user id has no name, or the text has no letter."""

    def nameless() -> str:
        raise SandboxIdentifierNotFoundError("no name")

    monkeypatch.setattr("seedctl.project.identifier.os_account_name", nameless)
    with pytest.raises(InvalidCommandInputError) as caught:
        check_identifier_option("…")
    assert "--identifier dev1" in (caught.value.resolution or "")


def test_the_account_of_the_effective_uid(monkeypatch: pytest.MonkeyPatch) -> None:
    """USER, LOGNAME and the like may be wrong; the sandbox is named after the real account."""
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert os_account_name() == pwd.getpwuid(os.geteuid()).pw_name != "somebody-else"


def test_the_effective_uid_beats_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under sudo -u or setuid, the sandbox is named after the effective account."""
    other = next(entry for entry in pwd.getpwall() if entry.pw_uid != os.getuid())
    monkeypatch.setattr(os, "geteuid", lambda: other.pw_uid)
    assert os_account_name() == pwd.getpwuid(other.pw_uid).pw_name


def test_a_uid_without_a_name_asks_for_an_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container whose uid has no account, the error says how to name the sandbox."""
    nobody = max(entry.pw_uid for entry in pwd.getpwall()) + 1_234_567
    monkeypatch.setattr(os, "geteuid", lambda: nobody % 2**31)
    with pytest.raises(SandboxIdentifierNotFoundError, match="which has no account name") as caught:
        os_account_name()
    assert "--identifier" in (caught.value.resolution or "")
    assert caught.value.exit_code == 3
