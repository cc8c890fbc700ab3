"""Which failures are retried, which stop a whole bulk call, and the error that it ends with."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from seedctl.errors import (
    BulkError,
    EndpointUnreachableError,
    FileAccessError,
    InvalidCommandInputError,
    SeedctlError,
    ServiceFailedError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Job = TypeVar("_Job")
_Value = TypeVar("_Value")

_ENVIRONMENT_EXIT_CODES = (3, 4)  # exit codes of the caller's set-up and of AWS
_TRANSIENT = (EndpointUnreachableError, ServiceFailedError, ThrottledError)
_TRIES = 3


def is_fatal_for_batch(error: SeedctlError | None) -> bool:
    """Whether *error* is not about one job: no credentials, denied, throttled, unreachable."""
    if error is None or isinstance(error, FileAccessError):  # the job's own file
        return False
    # A value that cannot be used stands in the environment or a settings file.
    return error.exit_code in _ENVIRONMENT_EXIT_CODES or isinstance(error, InvalidCommandInputError)


def retrying(
    work: Callable[[_Job], _Value],
    *,
    can_repeat: Callable[[_Job], bool] = lambda _: True,
) -> Callable[[_Job], _Value]:
    """Return *work* that is done again when AWS fails or is not reached, although calls repeat too.

    Among thousands of jobs one meets a bad moment several times running, and would stop them all.
    When a job has met it to the last, the others give up at once: it is more than a moment.
    """
    is_hopeless = threading.Event()

    def persist(job: _Job) -> _Value:
        for attempt in range(1, _TRIES):
            try:
                return work(job)
            except _TRANSIENT as error:
                has_waited = isinstance(error, ThrottledError) and error.was_repeated
                if has_waited or is_hopeless.is_set() or not can_repeat(job):
                    raise
            time.sleep(random.uniform(0.5, 1.0) * 2**attempt)  # noqa: S311 - jitter
        try:
            return work(job)
        except _TRANSIENT:
            is_hopeless.set()
            raise

    return persist


def bulk_error(
    what: str,
    errors: Sequence[SeedctlError],
    *,
    results: Sequence[object],
    not_tried: int = 0,
    resolution: str | None = None,
) -> BulkError:
    """Return what to raise when *errors* came of *what*, such as "Todo records".

    Raise it from the first of them.
    """
    left = f", {not_tried} {'was' if not_tried == 1 else 'were'} not tried" if not_tried else ""
    return BulkError(
        f"{len(errors)} of {len(results)} {what} failed{left}; the first: {errors[0].message}",
        results=results,
        resolution=resolution or errors[0].resolution,
    )
