"""Fixtures for the tests of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cognito.standin import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def make_stage(tmp_path: Path) -> Callable[..., Stage]:
    """Make an Auth over a stand-in Cognito; keyword arguments change its auth section."""

    def make(**settings: object) -> Stage:
        return Stage(tmp_path / "state", **settings)

    return make


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage()
