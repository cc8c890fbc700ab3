"""Storage clients of one backend, which share what the outputs file says of buckets."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.aws.calls import AWS
    from seedctl.aws.credentials import Identity
    from seedctl.aws.objects import S3
    from seedctl.outputs import OutputsSource
    from seedctl.report import Observer
    from seedctl.s3.client import Storage
    from seedctl.s3.object_call import Objects
    from seedctl.s3.section import StorageSection


class StorageFactory:
    """Makes storage clients for one backend. Thread-safe."""

    def __init__(
        self,
        aws: AWS,
        outputs: OutputsSource,
        observer: Observer,
        before_write: Callable[[], None],
    ) -> None:
        self._aws = aws
        self._outputs = outputs
        self._observer = observer
        self._before_write = before_write
        self._lock = threading.Lock()
        self._section: StorageSection | None = None

    def storage_for(self, identity: Identity) -> Storage:
        """Return a storage client that acts as *identity*."""
        from seedctl.s3.client import Storage  # noqa: PLC0415 - slow, and secrets need none

        return Storage(self._objects, self._buckets, identity, self._observer, self._before_write)

    @cached_property
    def _s3(self) -> S3:
        from seedctl.aws.objects import S3  # noqa: PLC0415 - botocore's S3 takes its time to load

        return S3(self._aws)

    def _objects(self) -> Objects:
        return self._s3

    def _buckets(self) -> StorageSection:
        from seedctl.s3.section import parse_storage_section  # noqa: PLC0415

        with self._lock:
            if self._section is None:
                self._section = parse_storage_section(self._outputs.outputs)
            return self._section
