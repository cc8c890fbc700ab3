"""S3 through the identity pool: files of the backend's buckets, as the signed-in user or a guest.

A script's ``from seedctl import storage`` gets the calls of the JavaScript client; the rest is
reached through :class:`seedctl.Backend`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.functions.storage import (
        copy,
        download_data,
        get_properties,
        get_url,
        list,  # noqa: A004 - the JavaScript client's name
        list_all,
        remove,
        upload_data,
        upload_directory,
        upload_many,
    )

__all__ = [
    "copy",
    "download_data",
    "get_properties",
    "get_url",
    "list",
    "list_all",
    "remove",
    "upload_data",
    "upload_directory",
    "upload_many",
]


def __getattr__(name: str) -> object:
    # The one import that points up: the room's name is also the namespace scripts import.
    if name in __all__:
        from seedctl.functions import storage  # noqa: PLC0415

        return getattr(storage, name)
    from seedctl.nearest import no_such_name  # noqa: PLC0415 - for a mistake only

    raise no_such_name(__name__, name, __all__)
