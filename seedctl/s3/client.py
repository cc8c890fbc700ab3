"""The objects of one backend's buckets, as one user or guest may use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from seedctl.bulk.engine import BulkOptions, OnError, check_choice
from seedctl.errors import InvalidStorageOperationInput
from seedctl.report import Event, State
from seedctl.s3.inputs import copy_parameters, owner_option, upload_options
from seedctl.s3.listing import check_folder, remove_all
from seedctl.s3.many import BulkUploader
from seedctl.s3.object_call import ObjectCall
from seedctl.s3.reader import StorageReader
from seedctl.s3.results import (
    AnyFile,
    BucketChoice,
    ChecksumAlgorithm,
    ContentDisposition,
    CopiedObject,
    CopyDestination,
    CopySource,
    FileResult,
    IfFileExists,
    NewFile,
    OnProgress,
    RemovedObject,
    StoragePath,
    UploadedObject,
)
from seedctl.s3.sources import UploadData, files_below, guess_content_type, open_source
from seedctl.s3.uploads import upload


class Storage(StorageReader):
    """Reads and writes objects of the backend's buckets. Thread-safe."""

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
        """Upload *data* to *path*, and return when the object is stored.

        More than 5 MiB are sent in parts; if the upload fails, its stored parts are deleted.

        Args:
            path: The object's key, or a function that returns it for the caller's identity id.
            data: Text (sent as UTF-8), bytes, a ``Path``, a binary file, or an iterable of bytes.
            content_type: The MIME type. Default: guessed from the extension of *path* or the file.
            content_disposition: Text, or ``{"type": "attachment", "filename": "a.txt"}``.
            content_encoding: The header to store, such as "gzip". The data is sent unchanged.
            metadata: Names, which S3 turns into lower case, and values, which must be ASCII text.
            prevent_overwrite: The JavaScript client's name for ``if_exists="error"``.
            if_exists: "update" replaces an existing object, "skip" leaves it as it is and returns
                it, "error" raises PreconditionFailed.
            expected_bucket_owner: The account id that must own the bucket, 12 digits.
            checksum_algorithm: "crc-32" makes S3 verify and store this checksum.
            on_progress: Called with a ``TransferProgress`` after each piece, not always from the
                same thread, but never from two at once.
            bucket: A bucket's name in the outputs file, or a ``BucketInfo``. Default: the default.
            use_accelerate_endpoint: Use S3 Transfer Acceleration; the bucket must have it enabled.

        Raises:
            InvalidUploadSource: *data* is of a type that cannot be uploaded.
            FileAccessError: The file cannot be read.
            NoCredentials: The identity pool gives the caller no credentials.
            AccessDenied: The caller may not write to this path.
        """
        check_choice("if_exists", if_exists, get_args(IfFileExists), InvalidStorageOperationInput)
        file = NewFile(path, data, content_type, content_disposition, content_encoding, metadata)
        options = upload_options(
            file,
            prevent_overwrite=prevent_overwrite or if_exists != "update",
            expected_bucket_owner=expected_bucket_owner,
            checksum_algorithm=checksum_algorithm,
        )
        with open_source(data) as source:
            call = self._object_call(path, bucket, accelerate=use_accelerate_endpoint)
            options.setdefault("ContentType", guess_content_type(call.path, data))
            self._check_target(call)
            warn, skip = self._observer.on_warning, if_exists == "skip"
            stored, state = upload(call, source, options, on_progress, warn, skip_existing=skip)
        self._report(call, state)
        return stored

    def upload_many(
        self,
        files: Iterable[AnyFile],
        *,
        concurrency: int = 8,
        if_exists: IfFileExists = "update",
        on_error: OnError = "raise",
        bucket: BucketChoice | None = None,
    ) -> list[FileResult]:
        """Upload many files, several at a time.

        Args:
            files: Each a ``NewFile``, or a pair of its path and data. A list is validated before
                anything is sent. From a generator, a file is taken when a thread is free for it.
            concurrency: How many files to upload at once, 1 to 64.
            if_exists: What to do if an object exists: "update" replaces it, "skip" leaves it as it
                is, "error" makes this file fail.
            on_error: "raise" raises a BulkError after all files were tried, and refuses a list with
                an invalid file before anything is sent. "collect" only returns the results.
            bucket: The bucket's name in the outputs file, or a ``BucketInfo``, for all files.
                Default: the default bucket.

        Returns:
            A FileResult for each file, in the order of *files*.

        Raises:
            BulkError: A file failed; its ``results`` has all of them. Not with "collect".
            NoCredentials: The identity pool gives the caller no credentials.
        """
        call = self._object_call("", bucket, may_be_empty=True)
        identity_id = call.credentials().identity_id
        bound = Storage(self._s3, self._section, call.identity, self._observer, self._before_write)

        def send(file: NewFile) -> UploadedObject:
            return bound.upload_data(
                file.path,
                file.data,
                content_type=file.content_type,
                content_disposition=file.content_disposition,
                content_encoding=file.content_encoding,
                metadata=file.metadata,
                prevent_overwrite=if_exists != "update",
                bucket=bucket,
            )

        options = BulkOptions(concurrency, if_exists, on_error)
        name = call.bucket.display_name
        return BulkUploader(send, self._observer, name, identity_id, options).run(files)

    def upload_directory(
        self,
        path: StoragePath,
        folder: Path,
        *,
        concurrency: int = 8,
        if_exists: IfFileExists = "update",
        on_error: OnError = "raise",
        bucket: BucketChoice | None = None,
    ) -> list[FileResult]:
        """Upload every file in *folder* and its subfolders, as ``upload_many`` does.

        ``upload_directory("pictures/", Path("assets"))`` stores ``assets/a/b.png`` as
        ``pictures/a/b.png``.

        Args:
            path: The beginning of the keys, such as "pictures/"; a missing slash at its end is
                added. A function is called with the caller's identity id and returns it.
            folder: The local folder. Symbolic links to files are followed, links to folders are
                not.
            concurrency: As for ``upload_many``.
            if_exists: As for ``upload_many``.
            on_error: As for ``upload_many``.
            bucket: As for ``upload_many``.

        Returns:
            A FileResult for each file, sorted by key.

        Raises:
            FileAccessError: A file cannot be read; checked for all files before anything is sent.
            BulkError: As for ``upload_many``.
            NoCredentials: As for ``upload_many``.
        """
        call = self._object_call(path, bucket, may_be_empty=True)
        return self.upload_many(
            [NewFile(key, file) for key, file in files_below(folder, call.path)],
            concurrency=concurrency,
            if_exists=if_exists,
            on_error=on_error,
            bucket=bucket,
        )

    def copy(
        self, source: StoragePath | CopySource, destination: StoragePath | CopyDestination
    ) -> CopiedObject:
        """Copy an object of up to 5 GB, with its metadata, within S3.

        Args:
            source: The key to copy from, or a mapping with ``path`` and optionally ``bucket``,
                ``e_tag`` and ``not_modified_since`` (copy only if they still match) and
                ``expected_bucket_owner``.
            destination: The key to copy to, or a mapping with ``path`` and optionally ``bucket``
                and ``expected_bucket_owner``. If one side names a bucket, the other must too.

        Raises:
            NoSourcePath: *source* has no path.
            NoDestinationPath: *destination* has no path.
            InvalidCopyOperationStorageBucket: Only one side names a bucket.
            NoCredentials: The identity pool gives the caller no credentials.
            AccessDenied: The caller may not read the source or not write to the destination.
            PreconditionFailed: The source is not as ``e_tag`` or ``not_modified_since`` requires.
        """
        original, copied, options = copy_parameters(source, destination)
        origin = self._object_call(original["path"], original.get("bucket"))
        target = self._object_call(copied["path"], copied.get("bucket"))
        self._check_target(target)
        with origin.explain_source_denial():
            target.send(
                "copy_object",
                "write",
                Key=target.path,
                CopySource={"Bucket": origin.bucket.bucket_name, "Key": origin.path},
                MetadataDirective="COPY",
                **options,
            )
        self._report(target, "copied")
        return CopiedObject(target.path)

    def remove(
        self,
        path: StoragePath,
        *,
        bucket: BucketChoice | None = None,
        expected_bucket_owner: str | None = None,
    ) -> RemovedObject:
        """Delete one object, or a folder with everything in it. A missing object is no error.

        Args:
            path: The object's key, without a leading slash. With a slash at its end: delete every
                object whose key begins with it, which needs permission to list them. A function is
                called with the caller's identity id and returns the path.
            bucket: The bucket's name in the outputs file, or a ``BucketInfo``. Default: the default
                bucket.
            expected_bucket_owner: The account id that must own the bucket, 12 digits. Default: any.

        Raises:
            NoCredentials: The identity pool gives the caller no credentials.
            AccessDenied: The caller may not delete, or list, this path.
            StorageError: S3 refused to delete an object of the folder.
        """
        owner = owner_option(expected_bucket_owner)
        call = self._object_call(path, bucket)
        check_folder(call.path)
        self._check_target(call)
        if call.path.endswith("/"):
            count = remove_all(call, owner, lambda: self._report(call, "removed"))
            return RemovedObject(call.path, count)
        call.send("delete_object", "delete", Key=call.path, **owner)
        self._report(call, "removed")
        return RemovedObject(call.path, None)

    def _check_target(self, call: ObjectCall) -> None:
        """Raise if the guard lets nothing be written to the backend, or to this bucket."""
        self._before_write()
        if not self._section().lists(call.bucket):  # named with a BucketInfo
            self._before_write(call.bucket.bucket_name, call.bucket.region)

    def _report(self, call: ObjectCall, state: State) -> None:
        self._observer.on_event(Event("file", call.bucket.display_name, state))
