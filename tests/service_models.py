"""botocore's models of the services, read once for all sessions of a process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def shared_service_models() -> Iterator[None]:
    """Let the sessions share what they have loaded: each would read megabytes again."""
    create_loader = botocore.session.create_loader
    caches: dict[str | None, dict[Any, Any]] = {}

    def create_sharing(search_path_string: str | None = None) -> Any:
        loader = create_loader(search_path_string)
        loader._cache = caches.setdefault(search_path_string, loader._cache)
        return loader

    botocore.session.create_loader = create_sharing
    try:
        yield
    finally:
        botocore.session.create_loader = create_loader
