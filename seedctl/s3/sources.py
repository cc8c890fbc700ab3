"""What can be uploaded: open it as one readable stream, and find the files of a folder."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, Protocol

from seedctl.errors import FileAccessError, InvalidUploadSource, ObjectIsTooLarge

_MAX_OBJECT_SIZE = 5 * 1024**4  # bytes, the limit of S3
_READ_SIZE = 1024 * 1024  # bytes
_MOST_NAMED = 20
_DEFAULT_TYPE = "application/octet-stream"


class Readable(Protocol):
    """A file object opened in binary mode."""

    def read(self, size: int = -1, /) -> bytes: ...


UploadData = str | bytes | bytearray | memoryview | Path | Readable | Iterable[bytes]


class Source(NamedTuple):
    stream: IO[bytes]
    size: int | None
    """The bytes left to read from the stream; None if unknown."""
    path: Path | None = None
    """The file, if all of it is sent: the parts of an upload are then read from it directly."""


@contextmanager
def open_source(data: UploadData) -> Iterator[Source]:
    """Open *data* as a stream for the block. Raises InvalidUploadSource, FileAccessError."""
    if isinstance(data, str):
        try:
            data = data.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _invalid_source("text that is not valid Unicode") from error
    if isinstance(data, bytes | bytearray | memoryview):
        yield Source(io.BytesIO(data), _checked(memoryview(data).nbytes))
    elif isinstance(data, Path):
        try:
            stream = data.open("rb")
            facts = os.fstat(stream.fileno())
        except (OSError, ValueError) as error:  # ValueError: the path contains a null byte
            reason = error.strerror if isinstance(error, OSError) else error
            raise FileAccessError(
                f"{data} cannot be read: {reason}.",
                resolution="Give the path of an existing file, relative to the project root.",
            ) from error
        with stream:
            if stat.S_ISREG(facts.st_mode) and facts.st_size:
                yield Source(stream, _checked(facts.st_size), data)
            else:  # a pipe, or a virtual file such as in /proc
                yield Source(_Pieces(_read_all(stream)), None)  # type: ignore[arg-type]
    elif hasattr(data, "read"):
        size = _checked(_remaining_size(data))
        # A pipe may return fewer bytes than requested before its end; _Pieces reads on.
        yield Source(data if size is not None else _Pieces(_read_all(data)), size)  # type: ignore[arg-type]
    elif isinstance(data, Iterable) and not isinstance(data, Mapping):
        yield Source(_Pieces(iter(data)), None)  # type: ignore[arg-type]
    else:
        raise _invalid_source(f"a {type(data).__name__}")


def guess_content_type(path: str, data: UploadData) -> str:
    """Return the content type for the extension of the object's key, else of the file's name."""
    types = content_types()
    for name in (path, data.name if isinstance(data, Path) else ""):
        extension = PurePosixPath(name).suffix[1:].lower()
        if extension in types:
            return types[extension]
    return _DEFAULT_TYPE


@cache
def content_types() -> dict[str, str]:
    """Return the content types by extension. Unlike ``mimetypes``, the same on every machine."""
    found = {}
    for line in Path(__file__).with_name("mime.types").read_text("utf-8").splitlines():
        content_type, *extensions = line.partition("#")[0].split() or [""]
        found.update(dict.fromkeys(extensions, content_type))
    return found


def files_below(folder: Path, prefix: str) -> list[tuple[str, Path]]:
    """Return the files below *folder*, each with the key it gets under *prefix*.

    Raises FileAccessError if the folder does not exist or cannot be read, and one that names all
    files which cannot be uploaded.
    """
    if prefix and not prefix.endswith("/"):
        prefix += "/"

    def raise_unreadable(error: OSError) -> None:
        raise FileAccessError(
            f"{error.filename} cannot be read: {error.strerror}.",
            resolution="Give the path of an existing folder, relative to the project's root.",
        ) from error

    found = []
    unusable: dict[str, str] = {}
    for root, folders, names in os.walk(folder, onerror=raise_unreadable):
        folders.sort()
        for name in names:
            path = Path(root, name)
            relative = path.relative_to(folder).as_posix()
            found.append((prefix + relative, path))
            reason = _why_unusable(path)
            if reason is not None:
                unusable[relative] = reason
    if unusable:
        raise _unusable_files(folder, unusable)
    return sorted(found)


def _why_unusable(path: Path) -> str | None:
    """Return why *path* cannot be uploaded; None if it can."""
    try:
        # Before opening it: opening a pipe blocks until another process writes to it.
        if not stat.S_ISREG(path.stat().st_mode):
            return "not a regular file"
        path.open("rb").close()
    except OSError as error:
        is_broken = isinstance(error, FileNotFoundError) and path.is_symlink()
        return "a broken link" if is_broken else error.strerror or type(error).__name__
    return None


def _unusable_files(folder: Path, unusable: Mapping[str, str]) -> FileAccessError:
    named = [f"{name} ({unusable[name]})" for name in sorted(unusable)]
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED:] = [f"{len(named) - _MOST_NAMED} more"]
    return FileAccessError(
        f"Some files in {folder} cannot be uploaded: {', '.join(named)}.",
        resolution="Nothing was sent. Move these files out of the folder, or make them readable.",
    )


class SourceStoppedError(Exception):
    """Carries what a source raised that is not an Exception, such as sys.exit() in a generator."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason = reason


class _Pieces:
    """Makes an iterator of bytes readable like a file. Not seekable."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1, /) -> bytes:
        read: list[bytes] = []
        wanted = size if size >= 0 else _MAX_OBJECT_SIZE
        while wanted > 0:
            if not self._left:
                piece = self._next()
                if piece is None:
                    break
                if not isinstance(piece, bytes | bytearray | memoryview):
                    raise _invalid_source(
                        f"pieces of {type(piece).__name__}",
                        "Encode the text: give pieces of bytes.",
                    )
                self._left = bytes(piece)
            taken, self._left = self._left[:wanted], self._left[wanted:]
            read.append(taken)
            wanted -= len(taken)
        return b"".join(read)

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except Exception:
            raise
        except BaseException as reason:
            # In a thread of the transfer manager it would only end the thread, unnoticed.
            raise SourceStoppedError(reason) from reason


def _read_all(stream: Readable) -> Iterator[bytes]:
    while piece := stream.read(_READ_SIZE):
        yield piece


def _remaining_size(stream: object) -> int | None:
    """Return how many bytes are left in *stream*; None if it cannot seek."""
    # The wrapper that tempfile makes of a text file only has the attribute.
    if isinstance(stream, io.TextIOBase) or getattr(stream, "encoding", None) is not None:
        raise _invalid_source("a file opened as text", 'Open it with mode "rb".')
    try:
        start: int = stream.tell()  # type: ignore[attr-defined]
        end: int = stream.seek(0, io.SEEK_END)  # type: ignore[attr-defined]
        stream.seek(start)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    if isinstance(end, int) and end < start:
        raise _invalid_source("a file positioned after its end", "Rewind it with seek(0).")
    return end - start if isinstance(end, int) else None


def _checked(size: int | None) -> int | None:
    if size is not None and size > _MAX_OBJECT_SIZE:
        raise ObjectIsTooLarge(
            f"An object cannot be larger than 5 TB; this one has {size} bytes.",
            resolution="Split it into several objects.",
        )
    return size


def _invalid_source(what: str, advice: str | None = None) -> InvalidUploadSource:
    return InvalidUploadSource(
        f"Upload source type can only be text, bytes, a pathlib.Path, a binary file or an iterable "
        f"of bytes, not {what}.",
        resolution=advice,
    )
