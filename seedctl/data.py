"""What a script calls to read and write records, and the types of the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from seedctl.appsync.auth_modes import AuthMode
from seedctl.appsync.batches import RowResult
from seedctl.appsync.client import DataClient
from seedctl.appsync.records import Page, Record
from seedctl.backend import current_backend
from seedctl.nearest import module_getattr

__all__ = ["DataClient", "Page", "Record", "RowResult", "generate_client"]


def generate_client(
    auth_mode: AuthMode | None = None,
    *,
    auth_token: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    credentials: Literal["caller"] | None = None,
) -> DataClient:
    """Return a client for the backend's models that acts as the user signed in at each call.

    Args:
        auth_mode: How requests authenticate: "userPool", "apiKey", "iam", "identityPool", "oidc",
            "lambda" or "none". Each call may choose another. None uses the API's default, which
            stands in the outputs file.
        auth_token: The Authorization header to send. Required by "lambda"; in other modes it
            replaces the user's token or the signature.
        api_key: Replaces the API key of the outputs file.
        headers: HTTP headers for each request. Those of a call replace all of them.
        credentials: "caller" signs with your own AWS credentials in place of a user's. They may
            write to every model; the records then have no owner. Goes with *auth_mode* None, "iam"
            or "identityPool".

    Raises:
        InvalidAuthModeError: *auth_mode* is unknown, or cannot be combined with *credentials*.
        NoEndpoint: The backend has no data resource.
    """
    return current_backend().data.generate_client(
        auth_mode, auth_token=auth_token, api_key=api_key, headers=headers, credentials=credentials
    )


__getattr__ = module_getattr(__name__, __all__)
