"""Planted secrets are found nowhere: not in output, traces, logs, or any byte on disk."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from seedctl import connect
from seedctl.auth.passwords import derive_temporary_password
from tests.fake_aws import CALLER, FakeAWS
from tests.running import CommandLine, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLANTED = 'Pl4nted "söcret"/+ ✓ value'
USERNAME = "planted-user@example.com"


def spellings(value: str) -> Iterator[bytes]:
    raw = value.encode()
    yield raw
    yield quote(value).encode()
    yield quote_plus(value).encode()
    yield json.dumps(value)[1:-1].encode()
    yield json.dumps(value, ensure_ascii=False)[1:-1].encode()
    yield raw.hex().encode()
    for shift in range(3):
        digits = base64.b64encode(b"x" * shift + raw).rstrip(b"=")
        yield digits[(0, 2, 3)[shift] : -2]


def assert_absent(value: str, text: bytes, where: str) -> None:
    for spelling in spellings(value):
        assert spelling not in text, f"{where} shows {spelling!r}"


@pytest.fixture
def seedctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def test_nothing_shows_a_secret_not_even_a_failing_script_with_debug(
    tmp_path: Path,
    seedctl: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Status, table, trace, workflow command, logs and state are searched in every spelling."""
    folder = make_project(tmp_path / "project", "leaks")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    caplog.set_level(logging.INFO)
    shown = seedctl("--local", "secret", "set", "password", stdin=PLANTED.encode()).err
    result = seedctl("seed", "--local", "--debug", "-v")
    assert result.code == 1
    assert "ValueError" in result.err
    assert "***" in result.err
    shown += result.out + result.err + caplog.text
    assert "::error" in shown
    temporary = derive_temporary_password(
        PLANTED, user_pool_id="us-east-1_AbCdEfGhI", username="ann@example.com"
    )
    for value in (PLANTED, temporary):
        assert_absent(value, shown.encode(), "the output")
    assert "eyJ" not in shown
    files = [path for path in (folder / ".amplify").rglob("*") if path.is_file()]
    assert files
    for path in files:
        for value in (PLANTED, temporary):
            assert_absent(value, path.read_bytes(), str(path))


def test_a_user_name_that_is_a_secret_is_kept_too(
    tmp_path: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide keeps user names in secrets: table and state show none, only the sub."""
    folder = make_project(tmp_path / "project", "guide_auth")
    monkeypatch.chdir(folder)
    seedctl("--local", "secret", "set", "username", stdin=USERNAME.encode())
    seedctl("--local", "secret", "set", "password", stdin=b"Password123!")
    result = seedctl("seed", "--local", "-v", "--debug")
    assert result.code == 0
    assert "***" in result.err
    assert_absent(USERNAME, result.err.encode(), "the output")
    for path in (folder / ".amplify").rglob("*"):
        if path.is_file():
            assert_absent(USERNAME, path.read_bytes(), str(path))


def test_the_journal_of_a_broken_run_holds_no_secret_and_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run cut off in the middle leaves a marker that tells nothing by itself."""
    folder = make_project(tmp_path / "project")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with FakeAWS(GetCallerIdentity=CALLER, AdminCreateUser={"User": {"Username": "u"}}) as aws:
        backend = connect(folder, endpoint_url=aws.url)
        aws.replies["InitiateAuth"] = ("ThrottlingException", "slow")
        with backend, pytest.raises(Exception, match="Throttling"):
            backend.auth.create_user(USERNAME, "Password123!")
    markers = [path for path in (folder / ".amplify").rglob("*") if path.is_file()]
    assert len(markers) == 1
    assert markers[0].read_bytes() == b"created"
    assert USERNAME not in str(markers[0])
    assert oct((folder / ".amplify/seedctl").stat().st_mode & 0o777) == "0o700"
