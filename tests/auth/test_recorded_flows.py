"""The requests of the password flow equal those recorded from the JavaScript tool."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.auth.ambient import AmbientAuth
from seedctl.errors import (
    MFARequiredError,
    NotAuthorizedException,
    UserExistsError,
    UsernameExistsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.auth.standin import Stage

PASSWORD = "Passw0rd!"  # the recording's
USER = "user1@example.com"
_VARIABLE = {
    "TemporaryPassword": "<temp>",
    "SRP_A": "<A hex>",
    "TIMESTAMP": "<timestamp>",
    "PASSWORD_CLAIM_SIGNATURE": "<signature>",
    "PASSWORD_CLAIM_SECRET_BLOCK": "<SECRET_BLOCK as received>",
    "AccessToken": "<access token>",
    "Token": "<refresh token>",
}


def recorded(flow: str) -> list[dict[str, Any]]:
    text = (Path(__file__).parents[1] / "data" / "cognito_flows.json").read_text(encoding="utf-8")
    flows = {row["id"]: row["requests"] for row in json.loads(text)["flows"]}
    requests: list[dict[str, Any]] = flows[flow]
    return requests


def as_recorded(requests: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    def blank(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: _VARIABLE.get(key) or blank(item) for key, item in value.items()}
        return [blank(item) for item in value] if isinstance(value, list) else value

    return [{"operation": operation, "body": blank(body)} for operation, body in requests]


def test_password_flow_sends_what_the_javascript_tool_sends(stage: Stage) -> None:
    """All nineteen recorded requests of the password situation, in order, field by field."""
    door = AmbientAuth(stage.auth)

    def create(attributes: dict[str, str] | None) -> Any:
        return door.create_user(
            USER,
            PASSWORD,
            sign_in_flow="Password",
            sign_in_after_creation=False,
            user_attributes=attributes,
            if_exists="error",
        )

    attributes = {"locale": "en", "phone_number": "+15551234567", "given_name": "", "email": USER}
    user = create(attributes)
    stage.auth.add_to_group(user, "admin")
    with pytest.raises(UsernameExistsError):
        create(None)
    for _ in range(2):
        door.sign_in(USER, PASSWORD, sign_in_flow="Password")
    door.sign_out()
    with pytest.raises(NotAuthorizedException):
        door.sign_in(USER, "wrong", sign_in_flow="Password")
    with pytest.raises(UserExistsError):
        door.sign_in("nobody@example.com", PASSWORD, sign_in_flow="Password")
    door.sign_in(USER, PASSWORD, sign_in_flow="Password")
    door.sign_out(everywhere=True)

    assert as_recorded(stage.cognito.requests) == recorded("password")


def test_srp_values_have_the_form_cognito_expects(stage: Stage) -> None:
    """SRP_A is lower-case hex, the timestamp has an unpadded day, nothing optional is null."""
    stage.auth.create_user(USER, PASSWORD)
    by_operation = dict(stage.cognito.requests)
    assert re.fullmatch(
        r"[0-9a-f]{700,768}", by_operation["InitiateAuth"]["AuthParameters"]["SRP_A"]
    )
    answers = stage.cognito.requests[2][1]["ChallengeResponses"]
    assert re.fullmatch(r"\w{3} \w{3} [1-9]\d? \d\d:\d\d:\d\d UTC \d{4}", answers["TIMESTAMP"])
    assert "Session" not in stage.cognito.requests[2][1]


def test_password_flow_on_an_mfa_pool_is_refused_before_the_first_write(
    make_stage: Callable[..., Stage],
) -> None:
    """Deviation "pwonmfa": never a success without tokens, and no user left behind."""
    stage = make_stage(mfa_configuration="REQUIRED")
    with pytest.raises(MFARequiredError):
        stage.auth.create_user(USER, PASSWORD)
    with pytest.raises(MFARequiredError):
        stage.auth.sign_in(USER, PASSWORD)
    assert stage.cognito.requests == []
    assert stage.announced == 0
