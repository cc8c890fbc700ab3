"""Files in the backend's S3 buckets: the methods of ``Storage`` as functions.

Each function acts as the user who is signed in when it is called, or as a guest.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from seedctl.backend import current_backend
from seedctl.nearest import module_getattr
from seedctl.s3.client import Storage
from seedctl.s3.results import (
    CopiedObject,
    DownloadedObject,
    FileResult,
    NewFile,
    ObjectProperties,
    RemovedObject,
    StorageItem,
    StoragePage,
    StorageUrl,
    TransferProgress,
    UploadedObject,
)
from seedctl.s3.section import BucketInfo

__all__ = [
    "BucketInfo",
    "CopiedObject",
    "DownloadedObject",
    "FileResult",
    "NewFile",
    "ObjectProperties",
    "RemovedObject",
    "Storage",
    "StorageItem",
    "StoragePage",
    "StorageUrl",
    "TransferProgress",
    "UploadedObject",
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

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _function(
    method: Callable[Concatenate[Storage, _Arguments], _Result],
) -> Callable[_Arguments, _Result]:
    """Return *method* as a function on the current backend's storage, with the same signature."""

    @wraps(method)
    def function(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        return method(current_backend().storage, *arguments, **options)

    signature = inspect.signature(method)
    function.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values()][1:]
    )
    function.__qualname__ = method.__name__
    return function


upload_data = _function(Storage.upload_data)
upload_many = _function(Storage.upload_many)
upload_directory = _function(Storage.upload_directory)
list = _function(Storage.list)  # noqa: A001 - the JavaScript client's name
list_all = _function(Storage.list_all)
get_url = _function(Storage.get_url)
download_data = _function(Storage.download_data)
get_properties = _function(Storage.get_properties)
copy = _function(Storage.copy)
remove = _function(Storage.remove)

__getattr__ = module_getattr(__name__, __all__)
