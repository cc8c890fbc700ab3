"""``upload_many`` and ``upload_directory``: files drawn, sent several at once, results in order."""

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

_AGAIN = {
    "update": "Run again: files that are there are replaced.",
    "skip": "Run again: files that are there are left as they are.",
    "error": 'With if_exists="skip" a second run goes on where this one stopped.',
}


@dataclass(frozen=True, slots=True)
class NewFile:
    """One file of many to upload, with the options of ``upload_data`` that are its own."""

    path: StoragePath
    data: UploadData = field(repr=False)
    content_type: str | None = None
    content_disposition: str | ContentDisposition | None = None
    content_encoding: str | None = None
    metadata: Mapping[str, str] | None = None


AnyFile = NewFile | tuple["StoragePath", "UploadData"]
"""A file, or just its path and its data."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file."""

    index: int
    path: str | None
    """None where the file was wrong before it had one."""
    state: FileState
    error: SeedctlError | None = None
    uploaded: UploadedObject | None = None


class ManyOptions(NamedTuple):
    concurrency: int
    if_exists: IfFileExists
    on_error: OnError
    bucket: str
    """What it is called to the observer."""
    identity_id: str
    """Whose, for paths that are made from it."""


def upload_all(
    files: Iterable[AnyFile],
    send: Callable[..., UploadedObject],
    observer: Observer,
    options: ManyOptions,
) -> list[FileResult]:
    """Do *send*, which is ``upload_data``, for each of *files*, several at once.

    *observer* hears of those that *send* does not tell of. Raises BulkError unless told to collect.
    """
    _check(files, options)
    results: list[FileResult] = []
    tally = Tally(observer, "files", len(files) if isinstance(files, Sized) else None)

    def refused(name: str, error: SeedctlError) -> None:
        observer.on_event(failure("file", options.bucket, error, row=name))
        tally.add(failed=1)

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

    send_one = retrying(send_once, can_repeat=_can_be_read_again)

    def work(file: NewFile) -> UploadedObject | None:
        try:
            return send_one(file)
        except SeedctlError as error:
            if isinstance(error, PreconditionFailed) and options.if_exists == "skip":
                observer.on_event(Event("file", options.bucket, "existed"))
                return None
            observer.on_event(failure("file", options.bucket, error, row=str(file.path)))
            raise

    jobs: Iterable[NewFile]
    if isinstance(files, Sized):
        # What is all at hand is looked at together, before any of it is sent.
        is_strict = options.on_error == "raise"
        jobs = list(_drawn(files, options.identity_id, results, None if is_strict else refused))
    else:
        jobs = _drawn(files, options.identity_id, results, refused)
    with tally:
        outcomes = run(jobs, work, concurrency=options.concurrency, tally=tally)
    # Files that were wrong are in the results already; the outcomes are of the others, in order.
    tried = [each for each in results if each.state == "not tried"]
    for result, outcome in zip(tried, outcomes, strict=True):
        results[result.index] = _result(result, outcome)
    if options.on_error == "raise":
        _raise_failures(results, _AGAIN[options.if_exists])
    return results


def _drawn(
    files: Iterable[AnyFile],
    identity_id: str,
    results: list[FileResult],
    refused: Callable[[str, SeedctlError], None] | None,
) -> Iterator[NewFile]:
    """Draw *files*, with a result for each; one that is wrong fails here, by itself.

    *refused* is told the name of each that is wrong, and why; without it, that is raised.
    """
    met: dict[str, int] = {}
    for index, given in enumerate(files):
        try:
            file = _new_file(index, given, identity_id)
            path = str(file.path)
            first = met.setdefault(path, index)
            if first != index:
                raise InvalidStorageOperationInput(
                    f"Rows {first} and {index} have the same path, {mask(path)}.",
                    resolution="Leave one of them out.",
                )
        except SeedctlError as error:
            if refused is None:
                raise
            written = _parts(given)[0]
            name = written if isinstance(written, str) else None
            results.append(FileResult(index, name, "failed", error))
            refused(name or f"rows[{index}]", error)
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
            f"The files are a {type(files).__name__}, not many files.",
            resolution="Give a list or a generator of NewFile(path, data), or of pairs of both.",
        )


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise InvalidStorageOperationInput for a *value* that is none of *choices*."""
    if value not in choices:
        raise InvalidStorageOperationInput(
            f"There is no {name}={value!r}.",
            resolution=f"Use one of {', '.join(map(repr, choices))}.",
        )


def _parts(given: AnyFile) -> tuple[object, ...]:
    """Return the path and the data of *given*, as far as it has both."""
    if isinstance(given, NewFile):
        return given.path, given.data
    return given if isinstance(given, tuple) and len(given) == 2 else (None,)


def _new_file(index: int, given: AnyFile, identity_id: str) -> NewFile:
    """Return *given* with the path that it has for whoever has *identity_id*."""
    if len(_parts(given)) == 1:
        raise InvalidStorageOperationInput(
            f"Row {index} is a {type(given).__name__}, which is no file to upload.",
            resolution="Give NewFile(path, data), or a pair of path and data.",
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


def _raise_failures(results: list[FileResult], again: str) -> None:
    failed = [result.error for result in results if result.error is not None]
    if failed:
        left = sum(result.state == "not tried" for result in results)
        raise bulk_error(
            "files", failed, results=results, not_tried=left, resolution=again
        ) from failed[0]
