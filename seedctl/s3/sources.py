"""What can be uploaded: text, bytes, files and pieces of bytes, as one readable stream."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from seedctl.errors import FileAccessError, InvalidUploadSource, ObjectIsTooLarge
from seedctl.s3.content_types import DEFAULT_TYPE, content_type_of

_LARGEST = 5 * 1024**4  # bytes, as S3 has it
_PIECE = 1024 * 1024


class Readable(Protocol):
    """A file object that gives bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


UploadData = str | bytes | bytearray | memoryview | Path | Readable | Iterable[bytes]


class Source(NamedTuple):
    stream: IO[bytes]
    size: int | None
    """In bytes from where the stream stands; None where only reading it would tell."""
    path: Path | None = None
    """Of a file that is read from its beginning: parts need not go through memory."""


@contextmanager
def open_source(data: UploadData) -> Iterator[Source]:
    """Give *data* as a stream for the block. Raises InvalidUploadSource, FileAccessError."""
    if isinstance(data, str):
        try:
            data = data.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _refused("text that is not valid Unicode") from error
    if isinstance(data, bytes | bytearray | memoryview):
        yield Source(io.BytesIO(data), _checked(memoryview(data).nbytes))
    elif isinstance(data, Path):
        try:
            stream = data.open("rb")
            facts = os.fstat(stream.fileno())
        except (OSError, ValueError) as error:  # ValueError: no file can be called so
            reason = error.strerror if isinstance(error, OSError) else error
            raise FileAccessError(
                f"{data} cannot be read: {reason}.",
                resolution="Give the path of a file that is there, from the project's root.",
            ) from error
        with stream:
            if stat.S_ISREG(facts.st_mode) and facts.st_size:
                yield Source(stream, _checked(facts.st_size), data)
            else:  # a pipe, or a file that the system makes up as it is read
                yield Source(_Pieces(_read_all(stream)), None)  # type: ignore[arg-type]
    elif isinstance(data, io.TextIOBase):
        raise _refused("a file opened as text", 'Open it with mode "rb".')
    elif hasattr(data, "read"):
        rest = _checked(_rest_of(data))
        # A pipe may give less than it is asked for without being at its end.
        yield Source(data if rest is not None else _Pieces(_read_all(data)), rest)  # type: ignore[arg-type]
    elif isinstance(data, Iterable) and not isinstance(data, Mapping):
        yield Source(_Pieces(iter(data)), None)  # type: ignore[arg-type]
    else:
        raise _refused(f"a {type(data).__name__}")


def guess_content_type(path: str, data: UploadData) -> str:
    """Return the content type by the name of the object, else of the file it is made from."""
    file_name = data.name if isinstance(data, Path) else ""
    return content_type_of(path) or content_type_of(file_name) or DEFAULT_TYPE


class SourceStoppedError(Exception):
    """What a source raised that is no error, such as sys.exit() in a generator."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason = reason


class _Pieces:
    """Pieces of bytes, read as a file is. Not seekable: they come once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1, /) -> bytes:
        read: list[bytes] = []
        wanted = size if size >= 0 else _LARGEST
        while wanted > 0:
            if not self._left:
                piece = self._next()
                if piece is None:
                    break
                if not isinstance(piece, bytes | bytearray | memoryview):
                    raise _refused(
                        f"pieces of {type(piece).__name__}", "Give pieces of bytes: text encoded."
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
            # The transfer manager's threads would end by it, and nobody hear of it.
            raise SourceStoppedError(reason) from reason


def _read_all(stream: Readable) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


def _rest_of(stream: object) -> int | None:
    """Return how many bytes are left in *stream*; None for one that cannot be measured."""
    if getattr(stream, "encoding", None) is not None:  # as a temporary file's wrapper has it
        raise _refused("a file opened as text", 'Open it with mode "rb".')
    try:
        start: int = stream.tell()  # type: ignore[attr-defined]
        end: int = stream.seek(0, io.SEEK_END)  # type: ignore[attr-defined]
        stream.seek(start)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    if isinstance(end, int) and end < start:
        raise _refused("a file that stands behind its end", "Set it back with seek(0).")
    return end - start if isinstance(end, int) else None


def _checked(size: int | None) -> int | None:
    if size is not None and size > _LARGEST:
        raise ObjectIsTooLarge(
            f"An object cannot be larger than 5 TB, and this one has {size} bytes.",
            resolution="Upload it in pieces, as several objects.",
        )
    return size


def _refused(what: str, advice: str | None = None) -> InvalidUploadSource:
    return InvalidUploadSource(
        f"Upload source type can only be text, bytes, a pathlib.Path, a binary file or an iterable "
        f"of bytes, not {what}.",
        resolution=advice,
    )
