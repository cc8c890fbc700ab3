"""The storage calls that change nothing: list, download, properties and URLs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from seedctl.aws.credentials import Identity
from seedctl.report import Observer
from seedctl.s3.downloads import download, presigned_url, properties_of
from seedctl.s3.inputs import (
    check_url_expiration,
    owner_option,
    range_header,
    resolve_path,
    response_header_options,
)
from seedctl.s3.listing import Listing
from seedctl.s3.object_call import ObjectCall
from seedctl.s3.results import (
    BucketChoice,
    ContentDisposition,
    DownloadedObject,
    ObjectProperties,
    OnProgress,
    StorageItem,
    StoragePage,
    StoragePath,
    StorageUrl,
    SubpathStrategy,
)
from seedctl.s3.section import StorageSection

if TYPE_CHECKING:
    from seedctl.aws.objects import S3


@dataclass(eq=False, repr=False)
class StorageReader:
    """Reads objects of the backend's buckets. Thread-safe."""

    _s3: Callable[[], S3]
    _section: Callable[[], StorageSection]
    _identity: Identity
    """Says, at each call, who makes it."""
    _observer: Observer
    _before_write: Callable[..., None]
    """Called before every change."""

    def list(
        self,
        path: StoragePath = "",
        *,
        page_size: int | None = None,
        next_token: str | None = None,
        subpath_strategy: SubpathStrategy | None = None,
        bucket: BucketChoice | None = None,
        expected_bucket_owner: str | None = None,
    ) -> StoragePage:
        """Return one page of the objects whose keys begin with *path*.

        Args:
            path: The beginning of the keys; "" for the whole bucket. A function is called with the
                caller's identity id and returns it.
            page_size: How many objects to return at most, 1 to 1,000. Default, and the result of
                any other number: 1,000, as in the JavaScript client.
            next_token: ``next_token`` of the previous page. Default: return the first page.
            subpath_strategy: ``{"strategy": "exclude"}`` leaves out objects in subfolders and
                returns these folders in ``excluded_subpaths``. Default: include them.
            bucket: The bucket's name in the outputs file, or a ``BucketInfo``. Default: the default
                bucket.
            expected_bucket_owner: The account id that must own the bucket, 12 digits. Default: any.

        Raises:
            NoCredentials: The identity pool gives the caller no credentials.
            AccessDenied: The caller may not list this path.
            StorageError: S3 refused the call for another reason.
        """
        listing = self._listing(path, subpath_strategy, bucket, expected_bucket_owner)
        return listing.page(page_size, next_token)

    def list_all(
        self,
        path: StoragePath = "",
        *,
        subpath_strategy: SubpathStrategy | None = None,
        bucket: BucketChoice | None = None,
        expected_bucket_owner: str | None = None,
    ) -> Iterator[StorageItem]:
        """Iterate over every object whose key begins with *path*, fetching pages as needed.

        The caller is whoever is signed in now, also if another user has signed in by the time the
        objects are read.

        Args:
            path: As for ``list``.
            subpath_strategy: As for ``list``.
            bucket: As for ``list``.
            expected_bucket_owner: As for ``list``.

        Raises:
            NoCredentials: As for ``list``.
            AccessDenied: As for ``list``, raised when a page is fetched.
            StorageError: As for ``list``, raised when a page is fetched.
        """
        listing = self._listing(path, subpath_strategy, bucket, expected_bucket_owner)
        return (item for page in listing.pages() for item in page.items)

    def get_url(
        self,
        path: StoragePath,
        *,
        expires_in: int = 900,
        validate_object_existence: bool = False,
        content_type: str | None = None,
        content_disposition: str | ContentDisposition | None = None,
        cache_control: str | None = None,
        bucket: BucketChoice | None = None,
        expected_bucket_owner: str | None = None,
        use_accelerate_endpoint: bool = False,
    ) -> StorageUrl:
        """Return a presigned URL: anyone who has it can download the object until it expires.

        Args:
            path: The object's key, without a leading slash. A function is called with the caller's
                identity id and returns the key.
            expires_in: Lifetime in seconds, at most 7 days. It is shortened to the remaining
                lifetime of the credentials that sign it, which is one hour at most.
            validate_object_existence: Ask S3 first whether the object exists. By default nothing is
                sent, and the URL may point to an object that does not exist.
            content_type: The Content-Type header that S3 will send with the object. Default: the
                stored one.
            content_disposition: The same for Content-Disposition: text, or
                ``{"type": "attachment", "filename": "a.txt"}``.
            cache_control: The same for Cache-Control.
            bucket: The bucket's name in the outputs file, or a ``BucketInfo``. Default: the default
                bucket.
            expected_bucket_owner: The account id that must own the bucket, 12 digits. Default: any.
            use_accelerate_endpoint: Use S3 Transfer Acceleration, which the bucket must have
                enabled.

        Raises:
            UrlExpirationMaxLimitExceed: *expires_in* is more than 7 days.
            NoCredentials: The identity pool gives the caller no credentials.
            NotFound: There is no such object; only with *validate_object_existence*.
            AccessDenied: The caller may not read this path; only with *validate_object_existence*.
        """
        check_url_expiration(expires_in)
        owner = owner_option(expected_bucket_owner)
        call = self._object_call(path, bucket, accelerate=use_accelerate_endpoint)
        if validate_object_existence:
            call.send("head_object", "get", Key=call.path, **owner)
        headers = response_header_options(content_type, content_disposition, cache_control)
        return presigned_url(call, {**owner, **headers}, expires_in)

    def download_data(
        self,
        path: StoragePath,
        to: Path | IO[bytes] | None = None,
        *,
        bytes_range: tuple[int, int] | None = None,
        on_progress: OnProgress | None = None,
        bucket: BucketChoice | None = None,
        expected_bucket_owner: str | None = None,
        use_accelerate_endpoint: bool = False,
    ) -> DownloadedObject:
        """Download an object into memory or to *to*.

        Args:
            path: The object's key, without a leading slash. A function is called with the caller's
                identity id and returns the key.
            to: Where to write it. A ``pathlib.Path`` is created or replaced only once the download
                is complete. A file object must be open in binary mode. Default: return the bytes in
                ``body``.
            bytes_range: The first and the last byte to download, counted from 0, both included.
                Default: the whole object.
            on_progress: Called with a ``TransferProgress`` after each piece, also from other
                threads but never from two at once.
            bucket: The bucket's name in the outputs file, or a ``BucketInfo``. Default: the default
                bucket.
            expected_bucket_owner: The account id that must own the bucket, 12 digits. Default: any.
            use_accelerate_endpoint: Use S3 Transfer Acceleration, which the bucket must have
                enabled.

        Raises:
            NoCredentials: The identity pool gives the caller no credentials.
            NoSuchKey: There is no such object. A caller who may not list gets AccessDenied instead.
            AccessDenied: The caller may not read this path.
            FileAccessError: *to* cannot be written.
            StorageError: S3 refused the call for another reason.
        """
        options = owner_option(expected_bucket_owner)
        if bytes_range is not None:
            options["Range"] = range_header(bytes_range)
        call = self._object_call(path, bucket, accelerate=use_accelerate_endpoint)
        return download(call, to, options, on_progress)

    def get_properties(
        self,
        path: StoragePath,
        *,
        bucket: BucketChoice | None = None,
        expected_bucket_owner: str | None = None,
    ) -> ObjectProperties:
        """Return an object's size, content type, metadata and ETag, without downloading it.

        Args:
            path: The object's key, without a leading slash. A function is called with the caller's
                identity id and returns the key.
            bucket: The bucket's name in the outputs file, or a ``BucketInfo``. Default: the default
                bucket.
            expected_bucket_owner: The account id that must own the bucket, 12 digits. Default: any.

        Raises:
            NoCredentials: The identity pool gives the caller no credentials.
            NotFound: There is no such object. A caller who may not list gets AccessDenied instead.
            AccessDenied: The caller may not read this path.
        """
        owner = owner_option(expected_bucket_owner)
        call = self._object_call(path, bucket)
        return properties_of(call.path, call.send("head_object", "get", Key=call.path, **owner))

    def _listing(
        self,
        path: StoragePath,
        strategy: SubpathStrategy | None,
        bucket: BucketChoice | None,
        expected_bucket_owner: str | None,
    ) -> Listing:
        owner = owner_option(expected_bucket_owner)
        call = self._object_call(path, bucket, may_be_empty=True)
        return Listing(call, strategy, owner)

    def _object_call(
        self,
        path: StoragePath,
        bucket: BucketChoice | None,
        *,
        may_be_empty: bool = False,
        accelerate: bool = False,
    ) -> ObjectCall:
        # Bind the identity here: the transfer manager's threads do not see who is signed in.
        identity = self._identity.bind()
        chosen = self._section().bucket(bucket)
        key = resolve_path(path, identity, may_be_empty=may_be_empty)
        call = ObjectCall(self._s3(), chosen, key, identity, accelerate)
        call.credentials()
        return call
