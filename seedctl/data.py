"""What a script calls on data: one statement over the current backend, and the types it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from seedctl.appsync.bulk import RowResult
from seedctl.appsync.client import DataClient
from seedctl.appsync.records import Page, Record
from seedctl.backend import current_backend
from seedctl.nearest import module_getattr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.appsync.auth_modes import AuthMode

__all__ = ["DataClient", "Page", "Record", "RowResult", "generate_client"]


def generate_client(
    auth_mode: AuthMode | None = None,
    *,
    auth_token: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    credentials: Literal["caller"] | None = None,
) -> DataClient:
    """Return a client for the backend's models that acts as whoever is signed in when called.

    Without *auth_mode* the API's default holds. With ``credentials="caller"`` requests are signed
    with your own AWS credentials, which may write to every model.
    """
    return current_backend().data.generate_client(
        auth_mode,
        auth_token=auth_token,
        api_key=api_key,
        headers=headers,
        credentials=credentials,
    )


__getattr__ = module_getattr(__name__, __all__)
