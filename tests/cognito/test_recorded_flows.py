"""The requests of the password flow equal those recorded from the JavaScript tool."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.cognito.types import NewUser
from seedctl.errors import (
    MFANotConfiguredError,
    MFAPreferenceNotAvailableError,
    MFARequiredError,
    MissingTOTPChallengeError,
    NotAuthorizedException,
    SeedctlError,
    SignInException,
    UserExistsError,
    UsernameExistsError,
)
from seedctl.users.signed_in import AmbientAuth
from tests.cognito.fake_cognito import INTERNAL, no_identities

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.cognito.types import MFAPreference
    from tests.cognito.fake_cognito import AuthHarness

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


def test_password_flow_sends_what_the_javascript_tool_sends(harness: AuthHarness) -> None:
    """All nineteen recorded requests of the password situation, in order, field by field."""
    auth = AmbientAuth(harness.auth, no_identities())

    def create(attributes: dict[str, str] | None) -> Any:
        user = NewUser(USER, PASSWORD, user_attributes=attributes)
        return auth.create_user(user, if_exists="error", sign_in_after_creation=False)

    attributes = {"locale": "en", "phone_number": "+15551234567", "given_name": "", "email": USER}
    user = create(attributes)
    harness.auth.add_to_group(user, "admin")
    with pytest.raises(UsernameExistsError):
        create(None)
    for _ in range(2):
        auth.sign_in(USER, PASSWORD, sign_in_flow="Password")
    auth.sign_out()
    with pytest.raises(NotAuthorizedException):
        auth.sign_in(USER, "wrong", sign_in_flow="Password")
    with pytest.raises(UserExistsError):
        auth.sign_in("nobody@example.com", PASSWORD, sign_in_flow="Password")
    auth.sign_in(USER, PASSWORD, sign_in_flow="Password")
    auth.sign_out(everywhere=True)

    assert as_recorded(harness.cognito.requests) == recorded("password")


def test_srp_values_have_the_form_cognito_expects(harness: AuthHarness) -> None:
    """SRP_A is lower-case hex, the timestamp has an unpadded day, nothing optional is null."""
    harness.auth.create_user(USER, PASSWORD)
    by_operation = dict(harness.cognito.requests)
    assert re.fullmatch(
        r"[0-9a-f]{700,768}", by_operation["InitiateAuth"]["AuthParameters"]["SRP_A"]
    )
    answers = harness.cognito.requests[2][1]["ChallengeResponses"]
    assert re.fullmatch(r"\w{3} \w{3} [1-9]\d? \d\d:\d\d:\d\d UTC \d{4}", answers["TIMESTAMP"])
    assert "Session" not in harness.cognito.requests[2][1]


@dataclass(frozen=True)
class Situation:
    """A recorded MFA situation: the fake Cognito's challenges and the caller's options."""

    after_new_password: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sign_in: str | None = None
    preference: MFAPreference | None = None
    sign_in_parameters: dict[str, str] = field(default_factory=dict)
    has_totp_callback: bool = True


def listed(key: str, *methods: str) -> dict[str, str]:
    return {key: json.dumps(methods)}


SETUP, CHOOSE = "MFAS_CAN_SETUP", "MFAS_CAN_CHOOSE"
SITUATIONS = {
    "totp": Situation([("MFA_SETUP", listed(SETUP, "SOFTWARE_TOKEN_MFA"))], "SOFTWARE_TOKEN_MFA"),
    "selsms": Situation(
        [
            ("SELECT_MFA_TYPE", listed(CHOOSE, "SMS_MFA", "SOFTWARE_TOKEN_MFA")),
            ("SMS_MFA", {}),
        ],
        "SMS_MFA",
        "SMS",
    ),
    "seltotp": Situation(
        [
            ("SELECT_MFA_TYPE", listed(CHOOSE, "SMS_MFA", "SOFTWARE_TOKEN_MFA")),
            ("MFA_SETUP", listed(SETUP, "SOFTWARE_TOKEN_MFA")),
        ],
        "SOFTWARE_TOKEN_MFA",
        "TOTP",
    ),
    "email": Situation([("EMAIL_OTP", {})], "EMAIL_OTP", "EMAIL"),
    "setupsmsonly": Situation(
        [("MFA_SETUP", listed(SETUP, "SMS_MFA"))],
        "MFA_SETUP",
        sign_in_parameters=listed(SETUP, "SMS_MFA"),
    ),
    "optional": Situation(),
    "nopref": Situation(
        [("SELECT_MFA_TYPE", listed(CHOOSE, "SMS_MFA", "SOFTWARE_TOKEN_MFA"))],
        "SELECT_MFA_TYPE",
        sign_in_parameters=listed(CHOOSE, "SMS_MFA", "SOFTWARE_TOKEN_MFA"),
    ),
    "prefna": Situation(
        [("SELECT_MFA_TYPE", listed(CHOOSE, "SMS_MFA", "SOFTWARE_TOKEN_MFA"))],
        "SELECT_MFA_TYPE",
        "EMAIL",
        sign_in_parameters=listed(CHOOSE, "SMS_MFA", "SOFTWARE_TOKEN_MFA"),
    ),
    "setupboth": Situation(
        [("MFA_SETUP", listed(SETUP, "SOFTWARE_TOKEN_MFA", "EMAIL_OTP"))],
        "SOFTWARE_TOKEN_MFA",
        "TOTP",
    ),
    "setupemail": Situation(
        [("MFA_SETUP", listed(SETUP, "EMAIL_OTP")), ("EMAIL_OTP", {})], "EMAIL_OTP"
    ),
    "setupsmstotp": Situation(
        [("MFA_SETUP", listed(SETUP, "SMS_MFA", "SOFTWARE_TOKEN_MFA"))],
        "MFA_SETUP",
        "SMS",
        sign_in_parameters=listed(SETUP, "SMS_MFA", "SOFTWARE_TOKEN_MFA"),
    ),
    "nototp": Situation(
        [("MFA_SETUP", listed(SETUP, "SOFTWARE_TOKEN_MFA"))],
        "MFA_SETUP",
        sign_in_parameters=listed(SETUP, "SOFTWARE_TOKEN_MFA"),
        has_totp_callback=False,
    ),
}


def play(harness: AuthHarness, situation: Situation) -> list[SeedctlError]:
    """Create with the MFA flow, then sign in by MFA, then by password; return what was raised."""
    auth = AmbientAuth(harness.auth, no_identities())
    harness.cognito.after_new_password = list(situation.after_new_password)
    harness.cognito.sign_in_challenge = situation.sign_in
    harness.cognito.sign_in_parameters = situation.sign_in_parameters
    harness.codes.codes = ["123456"] * 9
    new_user = NewUser(
        USER,
        PASSWORD,
        sign_in_flow="MFA",
        mfa_preference=situation.preference,
        totp_sign_up_challenge=(lambda _: "123456") if situation.has_totp_callback else None,
    )
    raised: list[SeedctlError] = []

    def attempt(call: Callable[[], object]) -> None:
        try:
            call()
        except SeedctlError as error:
            raised.append(error)

    attempt(lambda: auth.create_user(new_user, if_exists="error", sign_in_after_creation=True))
    harness.cognito.after_new_password = []
    attempt(
        lambda: auth.sign_in(
            USER, PASSWORD, sign_in_flow="MFA", mfa_preference=situation.preference
        )
    )
    attempt(lambda: auth.sign_in(USER, PASSWORD, sign_in_flow="Password"))
    return raised


def deviations() -> set[str]:
    path = Path(__file__).parents[1] / "data" / "deviations.toml"
    return {row["id"] for row in tomllib.loads(path.read_text())["cognito_flows"]}


@pytest.mark.parametrize("flow", sorted(set(SITUATIONS) - deviations()))
def test_mfa_flows_send_what_the_javascript_tool_sends(
    make_harness: Callable[..., AuthHarness], flow: str
) -> None:
    """Every recorded situation that is not a listed deviation, request by request."""
    harness = make_harness(mfa_configuration=None, mfa_methods=None)
    play(harness, SITUATIONS[flow])
    assert as_recorded(harness.cognito.requests) == recorded(flow)


def test_every_recorded_flow_is_tested_or_a_deviation() -> None:
    """Every recorded situation is either tested or listed as a deviation."""
    path = Path(__file__).parents[1] / "data" / "cognito_flows.json"
    recordings = {row["id"] for row in json.loads(path.read_text())["flows"]}
    assert recordings == {*SITUATIONS, "password"} | deviations()


@pytest.mark.parametrize("flow", ["setupboth", "setupemail"])
def test_set_up_by_preference_ends_signed_in(
    make_harness: Callable[..., AuthHarness], flow: str
) -> None:
    """Deviations "setupboth" and "setupemail": never a silent success without tokens."""
    harness = make_harness(mfa_configuration=None, mfa_methods=None)
    raised = play(harness, SITUATIONS[flow])
    assert harness.states() == ["created"]
    assert "SetUserMFAPreference" in harness.cognito.operations()
    assert [type(error) for error in raised] == [SignInException]  # only the password flow
    if flow == "setupemail":
        answer = next(
            body["ChallengeResponses"]
            for name, body in harness.cognito.requests
            if body.get("ChallengeName") == "MFA_SETUP"
        )
        assert answer == {"USERNAME": INTERNAL, "EMAIL": USER}


def test_sms_is_not_quietly_replaced_by_totp(make_harness: Callable[..., AuthHarness]) -> None:
    """Deviation "setupsmstotp": the preference is respected, and the error says what it needs."""
    harness = make_harness(mfa_configuration=None, mfa_methods=None)
    raised = play(harness, SITUATIONS["setupsmstotp"])
    assert isinstance(raised[0], MFAPreferenceNotAvailableError)
    assert "phone_number" in (raised[0].resolution or "")
    assert "AssociateSoftwareToken" not in harness.cognito.operations()


def test_totp_without_a_callback_asks_cognito_for_no_secret(
    make_harness: Callable[..., AuthHarness],
) -> None:
    """Deviation "nototp": without a callback for the secret it is not even requested."""
    harness = make_harness(mfa_configuration=None, mfa_methods=None)
    raised = play(harness, SITUATIONS["nototp"])
    assert isinstance(raised[0], MissingTOTPChallengeError)
    assert "AssociateSoftwareToken" not in harness.cognito.operations()


def test_mfa_on_a_pool_with_mfa_off_is_refused_before_the_first_write(
    make_harness: Callable[..., AuthHarness],
) -> None:
    """Deviation "notconf": no user is left behind with a password nobody knows."""
    harness = make_harness(mfa_configuration="NONE", mfa_methods=())
    with pytest.raises(MFANotConfiguredError):
        harness.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert harness.cognito.requests == []


def test_password_flow_on_an_mfa_pool_is_refused_before_the_first_write(
    make_harness: Callable[..., AuthHarness],
) -> None:
    """Deviation "pwonmfa": never a success without tokens, and no user left behind."""
    harness = make_harness(mfa_configuration="REQUIRED")
    with pytest.raises(MFARequiredError):
        harness.auth.create_user(USER, PASSWORD)
    with pytest.raises(MFARequiredError):
        harness.auth.sign_in(USER, PASSWORD)
    assert harness.cognito.requests == []
    assert harness.announced == 0
