"""Fixtures for the tests of the AppSync client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.appsync.appsync import Stage

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def stage_of() -> Callable[..., Stage]:
    """Return a function that makes a client over a fake connection pool."""

    def make(outputs: str = "todo_userpool.json", **options: Any) -> Stage:
        return Stage(outputs, **options)

    return make


@pytest.fixture
def todo(stage_of: Callable[..., Stage]) -> Stage:
    return stage_of()


@pytest.fixture
def blog(stage_of: Callable[..., Stage]) -> Stage:
    return stage_of("blog_apikey.json")


@pytest.fixture
def store(stage_of: Callable[..., Stage]) -> Stage:
    return stage_of("store_userpool.json")
