"""What a script calls to read and write records, and the types of the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, overload

from seedctl.appsync.auth_modes import AuthMode
from seedctl.appsync.batches import RowResult
from seedctl.appsync.client import BaseDataClient, ClientT, DataClient
from seedctl.appsync.records import Page, Record
from seedctl.backend import current_backend
from seedctl.nearest import module_getattr
from seedctl.rows import reader

__all__ = [
    "BaseDataClient",
    "DataClient",
    "Page",
    "Record",
    "RowResult",
    "generate_client",
    "read_rows",
]

_Row = TypeVar("_Row")


@overload
def generate_client(
    schema: None = None,
    *,
    auth_mode: AuthMode | None = None,
    auth_token: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    credentials: Literal["caller"] | None = None,
) -> DataClient: ...


@overload
def generate_client(
    schema: type[ClientT],
    *,
    auth_mode: AuthMode | None = None,
    auth_token: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    credentials: Literal["caller"] | None = None,
) -> ClientT: ...


def generate_client(
    schema: Any = None,
    *,
    auth_mode: AuthMode | None = None,
    auth_token: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    credentials: Literal["caller"] | None = None,
) -> BaseDataClient:
    """Return a client for the backend's models that acts as the user signed in at each call.

    Args:
        schema: The class ``Schema`` that ``seedctl types`` wrote, which has the types of the models
            for editors and type checkers: see docs/types.md. None returns a ``DataClient``.
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
        InvalidInputError: *schema* is no such class, but an auth mode, for example.
        NoEndpoint: The backend has no data resource.
    """
    client: BaseDataClient = current_backend().data.generate_client(
        schema,
        auth_mode=auth_mode,
        auth_token=auth_token,
        api_key=api_key,
        headers=headers,
        credentials=credentials,
    )
    return client


def read_rows(path: str | Path, model: reader.CreatesRows[_Row]) -> Iterator[_Row]:
    """Return an iterator over the rows of a CSV or JSON Lines file, for ``create_many``.

    The values are converted to the types of the model's fields. A row that cannot be converted
    raises its error when it is used, so that ``create_many`` counts it as a failed row.

    Args:
        path: The file. ``.csv`` and ``.tsv`` are CSV with a header of field names, ``.jsonl`` and
            ``.ndjson`` have a JSON object in each line. It is read while rows are taken.
        model: The model, such as ``client.models.Post``.

    Raises:
        FileAccessError: The file cannot be read.
        DataFileError: The file's kind or its header is wrong; the message names the place.
        InvalidInputError: *model* is not the client of a model.
    """
    return cast("Iterator[_Row]", reader.read_rows(Path(path), model))


__getattr__ = module_getattr(__name__, __all__)
