"""The secret of an app client: where seedctl reads it, and what it uses it for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seedctl import connect, masking
from seedctl.cognito.pool import APP_CLIENT_SECRET
from seedctl.srp import secret_hash
from tests.fake_aws import CALLER, FakeAWS
from tests.running import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import CommandLine

SECRET = "Pl4nted-client-secret"
SIGN_IN = "from seedctl import *\nsign_in_user('ann@example.com', 'Password123!')\n"
REFUSED = (
    "NotAuthorizedException",
    "Client c is configured with secret but SECRET_HASH was not received",
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_project(tmp_path / "project")
    (root / "amplify" / "seed" / "seed.py").write_text(SIGN_IN)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.delenv(APP_CLIENT_SECRET, raising=False)
    return root


def _seed(root: Path, seedctl: CommandLine) -> tuple[str, list[tuple[str, dict[str, object]]]]:
    with FakeAWS(GetCallerIdentity=CALLER, InitiateAuth=REFUSED) as aws:
        result = seedctl("seed", "-C", str(root), "--endpoint-url", aws.url)
        return result.err, [call for call in aws.calls if call[0] == "InitiateAuth"]


def test_a_client_with_a_secret_says_where_to_give_it(root: Path, seedctl: CommandLine) -> None:
    """The error is Cognito's own, and the resolution names the variable that seedctl reads."""
    err, calls = _seed(root, seedctl)
    assert "SECRET_HASH was not received" in err
    assert APP_CLIENT_SECRET in err
    assert "SECRET_HASH" not in json.dumps(calls)


def test_the_secret_of_the_environment(
    root: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is used to sign each request, and is masked wherever it would be shown."""
    monkeypatch.setenv(APP_CLIENT_SECRET, SECRET)
    script = root / "amplify" / "seed" / "seed.py"
    script.write_text(f"import os\nprint(os.environ[{APP_CLIENT_SECRET!r}])\n{SIGN_IN}")
    err, calls = _seed(root, seedctl)
    outputs = json.loads((root / "amplify_outputs.json").read_text())["auth"]
    expected = secret_hash(outputs["user_pool_client_id"], SECRET, "ann@example.com")
    assert [call["AuthParameters"]["SECRET_HASH"] for _, call in calls] == [expected]  # type: ignore[index]
    assert "another secret" in err
    assert SECRET not in err
    assert masking.mask(SECRET) == "***"


def test_an_argument_overrides_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """connect(app_client_secret=...) overrides the variable; an empty variable counts as unset."""
    for given, variable, expected in (
        ("own", "other", "own"),
        (None, "other", "other"),
        (None, "", None),
    ):
        monkeypatch.setenv(APP_CLIENT_SECRET, variable)
        backend = connect(root, identifier="ann", local=False, app_client_secret=given)
        assert backend.auth._pool._client_secret == expected


def test_the_local_sandbox_needs_no_client_secret(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its app client has no secret, and Cognito refuses a secret hash for such a client."""
    monkeypatch.setenv(APP_CLIENT_SECRET, SECRET)
    with connect(root, identifier="ann", local=True) as backend:
        backend.auth.create_user("ann@example.com", "Password123!")
        assert backend.auth.sign_in("ann@example.com", "Password123!")
