"""Fixtures for the tests of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cognito.fake_cognito import AuthHarness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def make_harness(tmp_path: Path) -> Callable[..., AuthHarness]:
    """Make an Auth over a fake Cognito; keyword arguments change its auth section."""

    def make(**settings: object) -> AuthHarness:
        return AuthHarness(tmp_path / "state", **settings)

    return make


@pytest.fixture
def harness(make_harness: Callable[..., AuthHarness]) -> AuthHarness:
    return make_harness()
