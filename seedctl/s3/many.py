"""``upload_many`` and ``upload_directory``: upload several files at a time, results in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from seedctl.bulk.engine import check_concurrency, run
from seedctl.bulk.failures import bulk_error, retrying
from seedctl.bulk.progress import Tally
from seedctl.errors import (
    InvalidStorageOperationInput,
    InvalidStoragePathInput,
    PreconditionFailed,
    SeedctlError,
)
from seedctl.masking import mask
from seedctl.report import Event, failure
from seedctl.s3.inputs import check_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.bulk.engine import Outcome
    from seedctl.report import Observer
    from seedctl.s3.results import ContentDisposition, StoragePath, UploadedObject
    from seedctl.s3.sources import UploadData

IfFileExists = Literal["error", "skip", "update"]
OnError = Literal["raise", "collect"]
FileState = Literal["uploaded", "existed", "failed", "not tried"]

_RUN_AGAIN = {
    "update": "Run again: existing files are replaced.",
    "skip": "Run again: existing files are left as they are.",
    "error": 'Run again with if_exists="skip" to continue where this run stopped.',
}


@dataclass(frozen=True, slots=True)
class NewFile:
    """One file for ``upload_many``.

    Args:
        path: The object's key, without a leading slash. A function is called with the caller's
            identity id and returns the key.
        data: As for ``upload_data``. Only text, bytes and the ``pathlib.Path`` of a regular file
            can be sent again after a failure.
        content_type: As for ``upload_data``; by default guessed from the path.
        content_disposition: As for ``upload_data``.
        content_encoding: As for ``upload_data``.
        metadata: As for ``upload_data``.
    """

    path: StoragePath
    data: UploadData = field(repr=False)
    content_type: str | None = None
    content_disposition: str | ContentDisposition | None = None
    content_encoding: str | None = None
    metadata: Mapping[str, str] | None = None


AnyFile = NewFile | tuple["StoragePath", "UploadData"]
"""A file, or a pair of its path and its data."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """The outcome of one file."""

    index: int
    """The file's position among the files given, from 0."""
    path: str | None
    """The object's key; None if the file was invalid and had no path."""
    state: FileState
    error: SeedctlError | None = None
    """Why it failed; None unless ``state`` is "failed"."""
    uploaded: UploadedObject | None = None
    """What ``upload_data`` returned; None unless ``state`` is "uploaded"."""


class ManyOptions(NamedTuple):
    concurrency: int
    if_exists: IfFileExists
    on_error: OnError
    bucket: str
    """The bucket's display name, for the observer."""
    identity_id: str
    """The caller's identity id, for paths that are functions of it."""


def upload_all(
    files: Iterable[AnyFile],
    send: Callable[..., UploadedObject],
    observer: Observer,
    options: ManyOptions,
) -> list[FileResult]:
    """Call *send*, which is ``upload_data``, for each of *files*, several at once.

    *send* reports the files that it stores to *observer*; all others are reported here. Raises
    BulkError unless ``on_error`` is "collect".
    """
    _check(files, options)
    results: list[FileResult] = []
    tally = Tally(observer, "files", len(files) if isinstance(files, Sized) else None)

    def on_invalid(name: str, error: SeedctlError) -> None:
        observer.on_event(failure("file", options.bucket, error, row=name))
        tally.add(failed=1)

    is_list = isinstance(files, Sized)
    refuse_all = is_list and options.on_error == "raise"
    jobs: Iterable[NewFile] = _validated(
        files, options.identity_id, results, None if refuse_all else on_invalid
    )
    if is_list:  # validate all files before the first one is sent
        jobs = list(jobs)
    with tally:
        work = _worker(send, observer, options)
        outcomes = run(jobs, work, concurrency=options.concurrency, tally=tally)
    # The results of invalid files are final; the outcomes belong to the other files, in order.
    pending = [each for each in results if each.state == "not tried"]
    for result, outcome in zip(pending, outcomes, strict=True):
        results[result.index] = _result(result, outcome)
    if options.on_error == "raise":
        _raise_failures(results, _RUN_AGAIN[options.if_exists])
    return results


def _worker(
    send: Callable[..., UploadedObject], observer: Observer, options: ManyOptions
) -> Callable[[NewFile], UploadedObject | None]:
    """Return the function that uploads one file; it returns None for a file that existed."""

    def send_once(file: NewFile) -> UploadedObject:
        return send(
            file.path,
            file.data,
            content_type=file.content_type,
            content_disposition=file.content_disposition,
            content_encoding=file.content_encoding,
            metadata=file.metadata,
            prevent_overwrite=options.if_exists != "update",
        )

    send_with_retries = retrying(send_once, can_repeat=_can_be_read_again)

    def work(file: NewFile) -> UploadedObject | None:
        try:
            return send_with_retries(file)
        except SeedctlError as error:
            if isinstance(error, PreconditionFailed) and options.if_exists == "skip":
                observer.on_event(Event("file", options.bucket, "existed"))
                return None
            observer.on_event(failure("file", options.bucket, error, row=str(file.path)))
            raise

    return work


def _validated(
    files: Iterable[AnyFile],
    identity_id: str,
    results: list[FileResult],
    on_invalid: Callable[[str, SeedctlError], None] | None,
) -> Iterator[NewFile]:
    """Read *files* lazily, add a result for each to *results*, and yield the valid ones.

    *on_invalid* is called with the name and the error of each invalid file; if it is None, the
    error is raised.
    """
    rows: dict[str, int] = {}
    for index, given in enumerate(files):
        try:
            file = _new_file(index, given, identity_id)
            path = str(file.path)
            first = rows.setdefault(path, index)
            if first != index:
                raise InvalidStorageOperationInput(
                    f"Rows {first} and {index} have the same path, {mask(path)}.",
                    resolution="Leave one of them out.",
                )
        except SeedctlError as error:
            if on_invalid is None:
                raise
            written = _path_and_data(given)[0]
            name = written if isinstance(written, str) else None
            results.append(FileResult(index, name, "failed", error))
            on_invalid(name or f"rows[{index}]", error)
            continue
        results.append(FileResult(index, path, "not tried"))
        yield file


def _can_be_read_again(file: NewFile) -> bool:
    data = file.data
    return isinstance(data, str | bytes) or (isinstance(data, Path) and data.is_file())


def _check(files: Iterable[AnyFile], options: ManyOptions) -> None:
    check_concurrency(options.concurrency)
    check_choice("if_exists", options.if_exists, get_args(IfFileExists))
    check_choice("on_error", options.on_error, get_args(OnError))
    if isinstance(files, Mapping | str | bytes | NewFile) or not isinstance(files, Iterable):
        raise InvalidStorageOperationInput(
            f"Expected an iterable of NewFile, got {type(files).__name__}.",
            resolution="Give a list or a generator of NewFile(path, data), or of pairs (path, data).",
        )


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise InvalidStorageOperationInput if *value* is not one of *choices*."""
    if value not in choices:
        raise InvalidStorageOperationInput(
            f"There is no {name}={value!r}.",
            resolution=f"Use one of {', '.join(map(repr, choices))}.",
        )


def _path_and_data(given: AnyFile) -> tuple[object, ...]:
    """Return the path and the data of *given*, or ``(None,)`` if it is not a file."""
    if isinstance(given, NewFile):
        return given.path, given.data
    return given if isinstance(given, tuple) and len(given) == 2 else (None,)


def _new_file(index: int, given: AnyFile, identity_id: str) -> NewFile:
    """Return *given* as a NewFile, with its path for the identity *identity_id*."""
    if len(_path_and_data(given)) == 1:
        raise InvalidStorageOperationInput(
            f"Row {index} is a {type(given).__name__}, which is not a file to upload.",
            resolution="Give NewFile(path, data), or a pair (path, data).",
        )
    file = given if isinstance(given, NewFile) else NewFile(*given)
    path = file.path(identity_id) if callable(file.path) else file.path
    if not isinstance(path, str):
        raise InvalidStorageOperationInput(
            f"The path of row {index} is a {type(path).__name__}.",
            resolution="Give the path as text, or as a function of the identity id.",
        )
    try:
        return replace(file, path=check_path(path))
    except (InvalidStorageOperationInput, InvalidStoragePathInput) as error:
        text = f"Row {index}: {error.message}"
        raise type(error)(text, resolution=error.resolution) from None


def _result(result: FileResult, outcome: Outcome[UploadedObject | None]) -> FileResult:
    if not outcome.was_tried:
        return result
    if outcome.error is not None:
        return replace(result, state="failed", error=outcome.error)
    if outcome.value is None:
        return replace(result, state="existed")
    return replace(result, state="uploaded", uploaded=outcome.value)


def _raise_failures(results: list[FileResult], resolution: str) -> None:
    failed = [result.error for result in results if result.error is not None]
    if failed:
        not_tried = sum(result.state == "not tried" for result in results)
        raise bulk_error(
            "files", failed, results=results, not_tried=not_tried, resolution=resolution
        ) from failed[0]
