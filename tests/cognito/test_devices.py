"""Pools that remember devices: a sign-in confirms its device, and each refresh names it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seedctl import srp
from seedctl.errors import CognitoError
from seedctl.srp import device_verifier
from tests.cognito.fake_cognito import INTERNAL, tokens

if TYPE_CHECKING:
    from tests.cognito.fake_cognito import AuthHarness

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "srp.json").read_text())
USER, PASSWORD = "ann@example.com", "Final-passw0rd"
KEY = "us-east-1_11111111-2222-3333-4444-555555555555"
DEVICE = {"DeviceKey": KEY, "DeviceGroupKey": "-AbCdEfGh"}


@pytest.fixture
def remembering(harness: AuthHarness) -> AuthHarness:
    """A pool that remembers devices, with one user."""
    harness.cognito.password = PASSWORD
    harness.cognito.new_device = DEVICE
    return harness


def test_device_is_confirmed_and_named(remembering: AuthHarness) -> None:
    """The device is confirmed right after the sign-in, and every refresh carries its key."""
    session = remembering.auth.sign_in(USER, PASSWORD)
    name, sent = remembering.cognito.requests[-1]
    assert name == "ConfirmDevice"
    assert sent.keys() == {"AccessToken", "DeviceKey", "DeviceName", "DeviceSecretVerifierConfig"}
    assert (sent["AccessToken"], sent["DeviceKey"]) == (tokens()["AccessToken"], KEY)
    config = sent["DeviceSecretVerifierConfig"]
    numbers = {name: int.from_bytes(base64.b64decode(text), "big") for name, text in config.items()}
    assert numbers.keys() == {"Salt", "PasswordVerifier"}
    assert 0 < numbers["Salt"] < 2**128
    assert 2**3000 < numbers["PasswordVerifier"] < srp.N
    for _ in range(2):
        session.tokens(force_refresh=True)
        assert remembering.cognito.requests[-1][1]["AuthParameters"]["DEVICE_KEY"] == KEY


def test_every_sign_in_uses_a_new_device(remembering: AuthHarness) -> None:
    """A later sign-in names no device, so Cognito sends no device challenge."""
    first = remembering.auth.sign_in(USER, PASSWORD)
    again = remembering.auth.sign_in(USER, PASSWORD)
    confirmed = [
        sent["DeviceSecretVerifierConfig"]
        for name, sent in remembering.cognito.requests
        if name == "ConfirmDevice"
    ]
    assert len(confirmed) == 2
    assert confirmed[0] != confirmed[1]
    for name, sent in remembering.cognito.requests:
        answers = sent.get("ChallengeResponses", {}) | sent.get("AuthParameters", {})
        assert "DEVICE_KEY" not in answers, name
    first.sign_out()
    again.sign_out()


def test_created_users_have_a_device_too(remembering: AuthHarness) -> None:
    """The device of the sign-in that sets the final password is confirmed too."""
    remembering.cognito.password = None
    remembering.auth.create_user(USER, PASSWORD)
    assert remembering.cognito.operations().count("ConfirmDevice") == 1


def test_unconfirmed_device_is_a_warning(remembering: AuthHarness) -> None:
    """A device that cannot be confirmed leads to a warning: the user is signed in."""
    remembering.cognito.faults[("ConfirmDevice", 0)] = CognitoError(
        "Too many devices.", code="LimitExceededException"
    )
    session = remembering.auth.sign_in(USER, PASSWORD)
    assert session.user_id == INTERNAL
    (warning,) = remembering.report.warnings
    assert "the device of ann@example.com could not be confirmed: Too many" in warning


def test_pools_without_devices(harness: AuthHarness) -> None:
    """In a pool without devices nothing is confirmed, and a refresh names no device."""
    harness.cognito.password = PASSWORD
    session = harness.auth.sign_in(USER, PASSWORD)
    session.tokens(force_refresh=True)
    name, sent = harness.cognito.requests[-1]
    assert name == "InitiateAuth"
    assert sent["AuthParameters"].keys() == {"REFRESH_TOKEN"}
    assert "ConfirmDevice" not in harness.cognito.operations()


def test_verifier() -> None:
    """The verifier is the one that the JavaScript client computes."""
    row = GOLDEN["device_verifier"]
    salt = int(row["salt_padded_hex"], 16)
    made = device_verifier(row["device_group_key"], row["device_key"], row["random_password"], salt)
    assert made == {
        "Salt": row["ConfirmDevice_Salt_base64"],
        "PasswordVerifier": row["ConfirmDevice_PasswordVerifier_base64"],
    }
