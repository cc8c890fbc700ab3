"""Makes the storage clients of one backend, which share one parsed storage section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from seedctl.aws.credentials import Identity
from seedctl.outputs import OutputsSource
from seedctl.report import Observer
from seedctl.s3.section import StorageSection, parse_storage_section

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS
    from seedctl.aws.objects import S3
    from seedctl.s3.client import Storage


@dataclass(eq=False, repr=False)
class StorageFactory:
    """Makes storage clients for one backend. Thread-safe."""

    _aws: AWS
    _outputs: OutputsSource
    _observer: Observer
    _before_write: Callable[..., None]

    def storage_for(self, identity: Identity) -> Storage:
        """Return a storage client that acts as *identity*."""
        from seedctl.s3.client import Storage  # noqa: PLC0415 - slow, and many runs need no storage

        return Storage(
            lambda: self._s3, lambda: self._section, identity, self._observer, self._before_write
        )

    @cached_property
    def _s3(self) -> S3:
        from seedctl.aws.objects import S3  # noqa: PLC0415 - s3transfer loads slowly

        return S3(self._aws)

    @cached_property
    def _section(self) -> StorageSection:
        return parse_storage_section(self._outputs.outputs)
