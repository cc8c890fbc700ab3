"""Name the cases of a test that loops over them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def case(*values: object) -> Iterator[None]:
    """Put *values*, which say which case this is, in front of the message of a failure.

    For tables of cases that need no clean fixture: each test item takes a few milliseconds by itself.
    """
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:
        named = ", ".join(map(repr, values))
        raise AssertionError(f"case {named}: {type(error).__name__}: {error}") from error
