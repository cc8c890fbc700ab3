"""``upload_many`` and ``upload_directory``: files drawn, sent several at once, results in order."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from seedctl.bulk import Tally, bulk_error, persistent, run
from seedctl.errors import InvalidStorageOperationInput, PreconditionFailed, SeedctlError
from seedctl.report import Event, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from seedctl.bulk import Outcome
    from seedctl.report import Observer
    from seedctl.storage.results import ContentDisposition, StoragePath, UploadedObject
    from seedctl.storage.sources import UploadData

IfFileExists = Literal["overwrite", "skip", "error"]
OnError = Literal["raise", "collect"]
FileState = Literal["uploaded", "existed", "failed", "not tried"]

_AGAIN = {
    "overwrite": "Run again: files that are there are written anew.",
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
    """None where it is made from the identity id and the file was not tried."""
    state: FileState
    error: SeedctlError | None = None
    uploaded: UploadedObject | None = None


class ManyOptions(NamedTuple):
    concurrency: int
    if_exists: IfFileExists
    on_error: OnError
    bucket: str
    """What it is called to the observer."""


def upload_all(
    files: Iterable[AnyFile],
    send: Callable[..., UploadedObject],
    observer: Observer,
    options: ManyOptions,
) -> list[FileResult]:
    """Do *send*, which is ``upload_data``, for each of *files*, several at once.

    *observer* hears of those that *send* does not tell of. Raises BulkError unless told to collect.
    """
    _check(options)
    drawn: list[NewFile] = []

    def draw() -> Iterator[NewFile]:
        for given in files:
            drawn.append(_new_file(given))
            yield drawn[-1]

    def send_once(file: NewFile) -> UploadedObject:
        return send(
            file.path,
            file.data,
            content_type=file.content_type,
            content_disposition=file.content_disposition,
            content_encoding=file.content_encoding,
            metadata=file.metadata,
            prevent_overwrite=options.if_exists != "overwrite",
        )

    send_one = persistent(send_once, can_repeat=_can_be_read_again)

    def work(file: NewFile) -> UploadedObject | None:
        try:
            return send_one(file)
        except SeedctlError as error:
            if isinstance(error, PreconditionFailed) and options.if_exists == "skip":
                observer.on_event(Event("file", options.bucket, "existed"))
                return None
            path = file.path if isinstance(file.path, str) else "a path made from the identity id"
            observer.on_event(failure("file", options.bucket, error, row=path))
            raise

    # What is all at hand is looked at together, before any of it is sent.
    jobs = list(draw()) if isinstance(files, Sized) else draw()
    with Tally(observer, "files", len(drawn) or None) as tally:
        outcomes = run(jobs, work, concurrency=options.concurrency, tally=tally)
    results = [
        _result(index, *each) for index, each in enumerate(zip(drawn, outcomes, strict=True))
    ]
    if options.on_error == "raise":
        _raise_failures(results, _AGAIN[options.if_exists])
    return results


def _can_be_read_again(file: NewFile) -> bool:
    data = file.data
    return isinstance(data, str | bytes) or (isinstance(data, Path) and data.is_file())


def _check(options: ManyOptions) -> None:
    for name, choices in (("if_exists", IfFileExists), ("on_error", OnError)):
        if getattr(options, name) not in get_args(choices):
            raise InvalidStorageOperationInput(
                f"There is no {name}={getattr(options, name)!r}.",
                resolution=f"Use one of {', '.join(map(repr, get_args(choices)))}.",
            )


def _new_file(given: AnyFile) -> NewFile:
    if isinstance(given, NewFile):
        return given
    if isinstance(given, tuple) and len(given) == 2:
        return NewFile(*given)
    raise InvalidStorageOperationInput(
        f"A {type(given).__name__} is no file to upload.",
        resolution="Give NewFile(path, data), or a pair of path and data.",
    )


def _result(index: int, file: NewFile, outcome: Outcome[UploadedObject | None]) -> FileResult:
    path = file.path if isinstance(file.path, str) else None
    if not outcome.was_tried:
        return FileResult(index, path, "not tried")
    if outcome.error is not None:
        return FileResult(index, path, "failed", outcome.error)
    if outcome.value is None:
        return FileResult(index, path, "existed")
    return FileResult(index, outcome.value.path, "uploaded", uploaded=outcome.value)


def _raise_failures(results: list[FileResult], again: str) -> None:
    failed = [result.error for result in results if result.error is not None]
    if failed:
        left = sum(result.state == "not tried" for result in results)
        raise bulk_error(
            "files", failed, results=results, not_tried=left, resolution=again
        ) from failed[0]
