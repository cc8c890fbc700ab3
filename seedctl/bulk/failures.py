"""Which failures are retried, which abort a bulk call, and the error that it raises at the end."""

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

_ENVIRONMENT_EXIT_CODES = (3, 4)  # the user's configuration, and AWS
_TRANSIENT = (EndpointUnreachableError, ServiceFailedError, ThrottledError)
_TRIES = 3


def is_fatal_for_batch(error: SeedctlError | None) -> bool:
    """Whether all other jobs would fail too: no credentials, denied, throttled, unreachable."""
    if error is None or isinstance(error, FileAccessError):  # the job's own file
        return False
    # An InvalidCommandInputError is about a value in the environment or a settings file.
    return error.exit_code in _ENVIRONMENT_EXIT_CODES or isinstance(error, InvalidCommandInputError)


def retrying(
    work: Callable[[_Job], _Value],
    *,
    can_repeat: Callable[[_Job], bool] = lambda _: True,
) -> Callable[[_Job], _Value]:
    """Return *work* with retries for failures of AWS and of the network.

    Single calls are retried too, but among thousands of jobs one is likely to use up these retries,
    and its failure would abort all others. Once one job has used up its retries here, the others
    stop retrying: the outage is not transient. Jobs for which *can_repeat* is false are not
    retried.
    """
    stop_retrying = threading.Event()

    def work_with_retries(job: _Job) -> _Value:
        for attempt in range(1, _TRIES):
            try:
                return work(job)
            except _TRANSIENT as error:
                was_retried = isinstance(error, ThrottledError) and error.was_repeated
                if was_retried or stop_retrying.is_set() or not can_repeat(job):
                    raise
            time.sleep(random.uniform(0.5, 1.0) * 2**attempt)  # noqa: S311 - jitter
        try:
            return work(job)
        except _TRANSIENT:
            stop_retrying.set()
            raise

    return work_with_retries


def bulk_error(
    what: str,
    errors: Sequence[SeedctlError],
    *,
    results: Sequence[object],
    not_tried: int = 0,
    resolution: str | None = None,
) -> BulkError:
    """Return the error for a bulk call on *what*, such as "Todo records", that ended with *errors*.

    Raise it from the first of *errors*.
    """
    skipped = f", {not_tried} {'was' if not_tried == 1 else 'were'} not tried" if not_tried else ""
    return BulkError(
        f"{len(errors)} of {len(results)} {what} failed{skipped}; the first: {errors[0].message}",
        results=results,
        resolution=resolution or errors[0].resolution,
    )
