"""How to renew credentials, by their source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore import exceptions as boto

from seedctl.aws.calls import AWS
from seedctl.aws.credential_failures import how_to_renew
from seedctl.aws.settings import AWSSettings
from seedctl.errors import InvalidCredentialError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("profile", "config", "advice"),
    [
        pytest.param("dev", {"login_session": "arn"}, "aws login --profile dev.", id="aws login"),
        pytest.param("dev", {"sso_session": "s"}, "aws sso login --profile dev.", id="a session"),
        pytest.param(None, {"sso_start_url": "https://x"}, "aws sso login.", id="by default"),
        pytest.param("dev", {"credential_process": "tool"}, "by hand", id="a program"),
        pytest.param("dev", {}, "--profile or AWS_PROFILE", id="nothing is known"),
    ],
)
@pytest.mark.skipif(not hasattr(boto, "LoginError"), reason="botocore knows aws login since 1.41")
def test_the_profile_says_how(profile: str | None, config: dict[str, str], advice: str) -> None:
    """The advice names exactly the command that renews these credentials."""
    assert advice in how_to_renew(profile, config)


def test_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in the environment apply if no profile is chosen; the advice is not to sign in."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    assert "AWS_SESSION_TOKEN" in how_to_renew(None, {"sso_session": "s"})
    assert "aws sso login" in how_to_renew("dev", {"sso_session": "s"})


def test_a_botocore_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """If botocore does not support `aws login`, the advice is an update, not a sign-in."""
    monkeypatch.delattr(boto, "LoginError", raising=False)
    advice = how_to_renew("dev", {"login_session": "arn"})
    assert "botocore[crt]>=1.41" in advice
    assert "Sign in again" not in advice


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        pytest.param("credential_process=/no/such/tool", "credential_process", id="no program"),
        pytest.param("sso_session=s", "--profile", id="a session that is not there"),
        pytest.param(
            "login_session=arn:aws:iam::1:user/a",
            "botocore[crt]" if hasattr(boto, "LoginError") else "too old",
            id="a library is missing",
        ),
    ],
)
def test_a_profile_that_gives_no_credentials(
    write_profiles: Callable[..., None], settings: str, advice: str
) -> None:
    """A missing program, session or library is a configuration error."""
    write_profiles(f"[profile dev]\nregion=us-east-1\n{settings}\n")
    aws = AWS(AWSSettings(profile="dev"))
    with pytest.raises(InvalidCredentialError, match='profile "dev"') as caught:
        aws.call("ssm", "GetParameter", {"Name": "x"})
    assert caught.value.exit_code == 3
    assert advice in (caught.value.resolution or "")


def test_a_missing_profile(write_profiles: Callable[..., None]) -> None:
    """If the profile's settings cannot be read, the advice is the general one."""
    write_profiles("[profile dev]\n")
    with pytest.raises(InvalidCredentialError, match="could not be found") as caught:
        AWS(AWSSettings(profile="nope")).call("ssm", "GetParameter", {"Name": "x"})
    assert "Name a configured profile" in (caught.value.resolution or "")
