"""Bulk calls that write each row by itself, with retries."""

from __future__ import annotations

import random
import threading
import time
from abc import abstractmethod

from seedctl.bulk.engine import BulkCall, BulkOptions, Item, Result, Row
from seedctl.errors import (
    FileAccessError,
    InvalidCommandInputError,
    SeedctlError,
    ThrottledError,
)
from seedctl.errors.aws import TRANSIENT
from seedctl.report import Observer

_ENVIRONMENT_EXIT_CODES = (3, 4)  # the user's configuration, and AWS
_TRIES = 3


class RowByRowCall(BulkCall[Item, Row, Result]):
    """A bulk call that writes each row by itself, and retries failures of AWS and of the network.

    Single calls are retried too, but among thousands of rows one is likely to use up these retries,
    and its failure would abort all others. Once one row has used up its retries here, the others
    stop retrying: the outage is not transient.
    """

    def __init__(self, observer: Observer, options: BulkOptions) -> None:
        super().__init__(observer, options)
        self._stop_retrying = threading.Event()

    @abstractmethod
    def write_row(self, index: int, row: Row) -> Result:
        """Write *row*, or raise why it failed."""

    def can_repeat(self, row: Row) -> bool:  # noqa: ARG002 - for subclasses
        """Whether *row* can be written again after a failure."""
        return True

    def write(self, batch: list[tuple[int, Row]]) -> tuple[list[Result], SeedctlError | None]:
        ((index, row),) = batch
        try:
            return [self._write_with_retries(index, row)], None
        except SeedctlError as error:
            fatal = error if _is_fatal(error) else None
            return [self.unwritten(index, row, error)], fatal

    def _write_with_retries(self, index: int, row: Row) -> Result:
        for attempt in range(1, _TRIES):
            try:
                return self.write_row(index, row)
            except TRANSIENT as error:
                was_retried = isinstance(error, ThrottledError) and error.was_repeated
                if was_retried or self._stop_retrying.is_set() or not self.can_repeat(row):
                    raise
            time.sleep(random.uniform(0.5, 1.0) * 2**attempt)  # noqa: S311 - jitter
        try:
            return self.write_row(index, row)
        except TRANSIENT:
            self._stop_retrying.set()
            raise


def _is_fatal(error: SeedctlError) -> bool:
    """Whether all other rows would fail too: no credentials, denied, throttled, unreachable."""
    if isinstance(error, FileAccessError):  # the row's own file
        return False
    # An InvalidCommandInputError is about a value in the environment or a settings file.
    return error.exit_code in _ENVIRONMENT_EXIT_CODES or isinstance(error, InvalidCommandInputError)
