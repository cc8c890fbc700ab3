"""The files of one backend: makes storages, which share what the outputs file says of buckets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.aws import Identity
    from seedctl.project import AmplifyOutputs
    from seedctl.report import Observer
    from seedctl.storage.client import Storage
    from seedctl.storage.section import StorageSection
    from seedctl.storage.task import Objects


class Files:
    """Makes the storages of one backend. Thread-safe."""

    def __init__(
        self,
        objects: Callable[[], Objects],
        outputs: Callable[[], AmplifyOutputs],
        observer: Observer,
        before_write: Callable[[], None],
    ) -> None:
        self._objects = objects
        self._outputs = outputs
        self._observer = observer
        self._before_write = before_write
        self._lock = threading.Lock()
        self._section: StorageSection | None = None

    def storage_for(self, identity: Identity) -> Storage:
        """Return a storage that acts as *identity*."""
        from seedctl.storage.client import Storage  # noqa: PLC0415 - slow, and secrets need none

        return Storage(self._objects, self._buckets, identity, self._observer, self._before_write)

    def _buckets(self) -> StorageSection:
        from seedctl.storage.section import parse_storage_section  # noqa: PLC0415

        with self._lock:
            if self._section is None:
                self._section = parse_storage_section(self._outputs())
            return self._section
