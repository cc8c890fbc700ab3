"""List the objects below a path, and remove them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from seedctl.errors import AccessDenied, InvalidStorageOperationInput, StorageError
from seedctl.s3.object_call import ObjectCall
from seedctl.s3.results import StorageItem, StoragePage, SubpathStrategy

PAGE_SIZE = 1000
"""The largest page that S3 returns."""
_EVERYTHING = {"*", "*/"}


class Listing:
    """Lists the objects whose keys begin with one path."""

    def __init__(
        self, call: ObjectCall, strategy: SubpathStrategy | None, owner: Mapping[str, Any]
    ) -> None:
        self._call = call
        self._parameters = {"Prefix": call.path, **_delimiter(strategy), **owner}

    def page(self, page_size: int | None, next_token: str | None) -> StoragePage:
        """Return one page. Sizes outside 1 to 1,000 mean 1,000, as in the JavaScript client.

        Raises InvalidStorageOperationInput if it is not a whole number.
        """
        is_number = isinstance(page_size, int) and not isinstance(page_size, bool)
        if page_size is not None and not is_number:
            raise InvalidStorageOperationInput(
                f"page_size={page_size!r} is not a whole number.",
                resolution=f"Give one from 1 to {PAGE_SIZE}, or leave it out.",
            )
        size = page_size if page_size is not None and 0 < page_size <= PAGE_SIZE else PAGE_SIZE
        token = {"ContinuationToken": next_token} if next_token is not None else {}
        response = self._call.send(
            "list_objects_v2", "list", MaxKeys=size, **self._parameters, **token
        )
        return StoragePage(
            tuple(
                StorageItem(entry["Key"], entry["ETag"], entry["LastModified"], entry["Size"])
                for entry in response.get("Contents", ())
            ),
            response.get("NextContinuationToken") if response.get("IsTruncated") else None,
            tuple(entry["Prefix"] for entry in response.get("CommonPrefixes", ())),
        )

    def pages(self) -> Iterator[StoragePage]:
        token = None
        while True:
            page = self.page(None, token)
            yield page
            token = page.next_token
            if token is None:
                return


def check_folder(path: str) -> None:
    """Raise InvalidStorageOperationInput for a path that means the entire bucket."""
    if path in _EVERYTHING:
        raise InvalidStorageOperationInput(
            f"{path!r} would delete the entire bucket.",
            resolution='Name a folder, such as "pictures/", or an object.',
        )


def remove_all(call: ObjectCall, owner: Mapping[str, Any], on_removed: Callable[[], None]) -> int:
    """Remove all objects below the call's path and return how many.

    *on_removed* is called once for each removed object. Raises StorageError.
    """
    count = 0
    for page in Listing(call, None, owner).pages():
        if not page.items:
            continue
        response = call.send(
            "delete_objects",
            "delete",
            Delete={"Objects": [{"Key": item.path} for item in page.items]},
            **owner,
        )
        failed = response.get("Errors", [])
        for _ in response.get("Deleted", []):
            on_removed()
            count += 1
        if failed:
            _raise_failed_removal(call, failed[0], count)
    return count


def _delimiter(strategy: SubpathStrategy | None) -> dict[str, str]:
    if strategy is None or strategy.get("strategy") == "include":
        return {}
    if strategy.get("strategy") != "exclude":
        raise InvalidStorageOperationInput(
            f"There is no subpath strategy {strategy.get('strategy')!r}.",
            resolution='Use {"strategy": "exclude"} or {"strategy": "include"}.',
        )
    return {"Delimiter": strategy.get("delimiter") or "/"}


def _raise_failed_removal(call: ObjectCall, failed: Mapping[str, str], count: int) -> None:
    kind = AccessDenied if failed.get("Code") == "AccessDenied" else StorageError
    reason = failed.get("Message") or failed.get("Code", "no reason given")
    with call.explain_denials("delete", failed.get("Key")):
        raise kind(
            f"{failed.get('Key')} cannot be removed: {reason}. {count} objects were removed before.",
            code=failed.get("Code", ""),
        )
