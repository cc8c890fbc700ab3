"""The files of one backend, as one user or guest may use them."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, get_args

from seedctl.report import Event
from seedctl.s3.addresses import address, answer_options
from seedctl.s3.downloads import download, properties_of
from seedctl.s3.folders import check_folder, files_below, remove_all
from seedctl.s3.inputs import (
    check_url_expiration,
    copy_parameters,
    owner_option,
    range_header,
    resolve_path,
    upload_options,
)
from seedctl.s3.listing import Listing
from seedctl.s3.many import IfFileExists, ManyOptions, NewFile, check_choice, upload_all
from seedctl.s3.object_call import ObjectCall
from seedctl.s3.results import CopiedObject, RemovedObject
from seedctl.s3.sources import guess_content_type, open_source
from seedctl.s3.uploads import upload

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from seedctl.aws.credentials import Identity
    from seedctl.report import Observer, State
    from seedctl.s3.many import AnyFile, FileResult, OnError
    from seedctl.s3.object_call import Objects
    from seedctl.s3.results import (
        BucketChoice,
        ChecksumAlgorithm,
        ContentDisposition,
        CopyDestination,
        CopySource,
        DownloadedObject,
        ObjectProperties,
        OnProgress,
        StorageItem,
        StoragePage,
        StoragePath,
        StorageUrl,
        SubpathStrategy,
        UploadedObject,
    )
    from seedctl.s3.section import StorageSection
    from seedctl.s3.sources import UploadData

    # In the class, list is the JavaScript client's call.
    Results = builtins.list[FileResult]


class Storage:
    """Reads and writes objects of the backend's buckets. Thread-safe.

    *path* is the whole key, without a slash before it; as a function it is given the identity id.
    *bucket* is a friendly name of the outputs file or a BucketInfo, by default the default bucket.
    All calls raise NoCredentials where the identity pool gives none, AccessDenied where the role
    of the caller does not reach, and StorageError for S3's other refusals.
    """

    def __init__(
        self,
        objects: Callable[[], Objects],
        section: Callable[[], StorageSection],
        identity: Identity,
        observer: Observer,
        before_write: Callable[[], None],
    ) -> None:
        """*identity* is whoever acts when a call is made."""
        self._objects = objects
        self._section = section
        self._identity = identity
        self._observer = observer
        self._before_write = before_write

    def upload_data(
        self,
        path: StoragePath,
        data: UploadData,
        *,
        content_type: str | None = None,
        content_disposition: str | ContentDisposition | None = None,
        content_encoding: str | None = None,
        metadata: Mapping[str, str] | None = None,
        prevent_overwrite: bool = False,
        if_exists: IfFileExists = "update",
        expected_bucket_owner: str | None = None,
        checksum_algorithm: ChecksumAlgorithm | None = None,
        on_progress: OnProgress | None = None,
        bucket: BucketChoice | None = None,
        use_accelerate_endpoint: bool = False,
    ) -> UploadedObject:
        """Store *data* at *path*, and return when it is there.

        Data is text (sent as UTF-8), bytes, a ``pathlib.Path`` to read, a file opened in binary
        mode, or an iterable of bytes. Its content type is guessed from the name unless given. More
        than 5 MiB go in parts, of which a failure leaves none behind. An object that is there is
        replaced ("update"), left as it is and returned ("skip"), or raises PreconditionFailed
        ("error", for which the JavaScript client has *prevent_overwrite*).
        """
        check_choice("if_exists", if_exists, get_args(IfFileExists))
        with open_source(data) as source:
            options = upload_options(
                content_type=content_type,
                content_disposition=content_disposition,
                content_encoding=content_encoding,
                metadata=metadata,
                prevent_overwrite=prevent_overwrite or if_exists != "update",
                expected_bucket_owner=expected_bucket_owner,
                checksum_algorithm=checksum_algorithm,
            )
            call = self._task(path, bucket, accelerate=use_accelerate_endpoint)
            options.setdefault("ContentType", guess_content_type(call.path, data))
            call.credentials()
            self._before_write()
            warn, keeps = self._observer.on_warning, if_exists == "skip"
            stored, state = upload(call, source, options, on_progress, warn, keeps=keeps)
        self._tell(call, state)
        return stored

    def upload_many(
        self,
        files: Iterable[AnyFile],
        *,
        concurrency: int = 8,
        if_exists: IfFileExists = "update",
        on_error: OnError = "raise",
        bucket: BucketChoice | None = None,
    ) -> Results:
        """Store many files, *concurrency* at once; return a FileResult for each, in order.

        A file is a NewFile, or a pair of its path and data; a generator is drawn from as there is
        room. *if_exists* says what becomes of a
        file that is there: it is replaced ("update"), left as it is ("skip"), or fails ("error"). Raises
        BulkError when all were tried, unless *on_error* is "collect".
        """
        call = self._task("", bucket, may_be_empty=True)
        identity_id = call.credentials().identity_id
        bound = Storage(
            self._objects, self._section, call.identity, self._observer, self._before_write
        )
        return upload_all(
            files,
            lambda path, data, **given: bound.upload_data(path, data, bucket=bucket, **given),
            self._observer,
            ManyOptions(concurrency, if_exists, on_error, call.bucket.display_name, identity_id),
        )

    def upload_directory(
        self,
        path: StoragePath,
        folder: Path,
        *,
        concurrency: int = 8,
        if_exists: IfFileExists = "update",
        on_error: OnError = "raise",
        bucket: BucketChoice | None = None,
    ) -> Results:
        """Store every file below *folder* under *path*, as :meth:`upload_many` does.

        ``upload_directory("pictures/", Path("assets"))`` stores ``assets/a/b.png`` as
        ``pictures/a/b.png``, in the order of the names. Links to files are followed, links to
        folders are not. All are looked at first: FileAccessError names what cannot be read.
        """
        call = self._task(path, bucket, may_be_empty=True)
        return self.upload_many(
            [NewFile(key, file) for key, file in files_below(folder, call.path)],
            concurrency=concurrency,
            if_exists=if_exists,
            on_error=on_error,
            bucket=bucket,
        )

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
        """Return one page of the objects whose keys begin with *path*, at most 1,000.

        The page's ``next_token`` gives the next one.
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
        """Iterate over every object whose key begins with *path*, page after page."""
        # Now, not at the first step: who is signed in then may be somebody else.
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
        """Return an address by which anybody may get the object for *expires_in* seconds.

        That is cut to what is left of the credentials that sign it, an hour at most. The three
        content options are what the answer's headers will say. Without
        *validate_object_existence* nothing is sent, and the object need not be there. Raises
        UrlExpirationMaxLimitExceed.
        """
        check_url_expiration(expires_in)
        owner = owner_option(expected_bucket_owner)
        call = self._task(path, bucket, accelerate=use_accelerate_endpoint)
        if validate_object_existence:
            call.call("head_object", "get", Key=call.path, **owner)
        answer = answer_options(content_type, content_disposition, cache_control)
        return address(call, {**owner, **answer}, expires_in)

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
        """Return the object with its bytes in ``body``, or write it to *to*.

        A file named by its path is there whole or not at all; large objects come in parallel
        ranges. *bytes_range* is the first and the last byte wanted. Raises NoSuchKey, or
        AccessDenied where the caller may not list either.
        """
        options = owner_option(expected_bucket_owner)
        if bytes_range is not None:
            options["Range"] = range_header(bytes_range)
        call = self._task(path, bucket, accelerate=use_accelerate_endpoint)
        call.credentials()
        return download(call, to, options, on_progress)

    def get_properties(
        self,
        path: StoragePath,
        *,
        bucket: BucketChoice | None = None,
        expected_bucket_owner: str | None = None,
    ) -> ObjectProperties:
        """Return what S3 keeps of the object beside its bytes. Raises NotFound."""
        owner = owner_option(expected_bucket_owner)
        call = self._task(path, bucket)
        call.credentials()
        return properties_of(call.path, call.call("head_object", "get", Key=call.path, **owner))

    def copy(
        self, source: StoragePath | CopySource, destination: StoragePath | CopyDestination
    ) -> CopiedObject:
        """Copy an object of up to 5 GB, with its metadata, within S3.

        With a bucket on one side, the other needs one too. Raises
        InvalidCopyOperationStorageBucket, NoSourcePath, NoDestinationPath.
        """
        given = copy_parameters(source, destination)
        origin = self._task(given.source_path, given.source_bucket)
        target = self._task(given.destination_path, given.destination_bucket)
        target.credentials()
        self._before_write()
        with origin.explain_source_denial():
            target.call(
                "copy_object",
                "write",
                Key=target.path,
                CopySource={"Bucket": origin.bucket.bucket_name, "Key": origin.path},
                MetadataDirective="COPY",
                **given.options,
            )
        self._tell(target, "copied")
        return CopiedObject(target.path)

    def remove(
        self,
        path: StoragePath,
        *,
        bucket: BucketChoice | None = None,
        expected_bucket_owner: str | None = None,
    ) -> RemovedObject:
        """Remove the object at *path*, or with a slash at its end all that is below it.

        An object that is not there is fine. A folder needs the permission to list it too.
        """
        owner = owner_option(expected_bucket_owner)
        call = self._task(path, bucket)
        check_folder(call.path)
        call.credentials()
        self._before_write()
        if call.path.endswith("/"):
            count = remove_all(call, owner, lambda: self._tell(call, "removed"))
            return RemovedObject(call.path, count)
        call.call("delete_object", "delete", Key=call.path, **owner)
        self._tell(call, "removed")
        return RemovedObject(call.path, None)

    def _listing(
        self,
        path: StoragePath,
        strategy: SubpathStrategy | None,
        bucket: BucketChoice | None,
        expected_bucket_owner: str | None,
    ) -> Listing:
        owner = owner_option(expected_bucket_owner)
        call = self._task(path, bucket, may_be_empty=True)
        call.credentials()
        return Listing(call, strategy, owner)

    def _task(
        self,
        path: StoragePath,
        bucket: BucketChoice | None,
        *,
        may_be_empty: bool = False,
        accelerate: bool = False,
    ) -> ObjectCall:
        # Bound here, once: the transfer manager's threads do not see who is signed in.
        identity = self._identity.bind()
        chosen = self._section().bucket(bucket)
        key = resolve_path(path, identity, may_be_empty=may_be_empty)
        return ObjectCall(self._objects(), chosen, key, identity, accelerate)

    def _tell(self, call: ObjectCall, state: State) -> None:
        self._observer.on_event(Event("file", call.bucket.display_name, state))
