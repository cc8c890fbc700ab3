"""Fixtures for the tests of the AppSync client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.appsync.appsync import ClientHarness

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def harness_of() -> Callable[..., ClientHarness]:
    """Return a function that makes a client over a fake connection pool."""

    def make(outputs: str = "todo_userpool.json", **options: Any) -> ClientHarness:
        return ClientHarness(outputs, **options)

    return make


@pytest.fixture
def todo(harness_of: Callable[..., ClientHarness]) -> ClientHarness:
    return harness_of()


@pytest.fixture
def blog(harness_of: Callable[..., ClientHarness]) -> ClientHarness:
    return harness_of("blog_apikey.json")


@pytest.fixture
def store(harness_of: Callable[..., ClientHarness]) -> ClientHarness:
    return harness_of("store_userpool.json")
