"""The folder of an export: a file for each model, one for the users, and a manifest of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from seedctl.errors import DataFileError, FileAccessError
from seedctl.masking import mask
from seedctl.nearest import advice
from seedctl.project.lock import FileLock
from seedctl.rows.writers import RowWriter

MANIFEST = "manifest.json"
USERS_FILE = "users.jsonl"

_FORMAT = "seedctl rows"
_VERSION = 1
_UNFINISHED = ".part"


class ModelFile(NamedTuple):
    """The rows of one model in a file."""

    model: str
    path: Path
    rows: int | None = None
    """The number of rows according to the manifest; None without a manifest."""


class ExportFolder:
    """Writes an export. Files get their final names when all are complete, the manifest last."""

    def __init__(self, folder: Path) -> None:
        """Raises FileAccessError if other files than those of an earlier export are in *folder*.

        The same if another export writes to it. Until ``discard`` no other can.
        """
        self._folder = folder
        self._files: list[tuple[Path, dict[str, Any]]] = []
        self._earlier = _files_of_earlier_export(folder / MANIFEST)
        self._is_new = not folder.exists()
        with _writing(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            names = {path.name for path in folder.iterdir()}
        leftover = {name for name in names if name.endswith(_UNFINISHED)}
        if names - leftover and MANIFEST not in names:
            raise FileAccessError(
                f"{mask(str(folder))} is not empty, and no earlier export is in it.",
                resolution="Name a new folder.",
            )
        with _writing(folder):
            lock = FileLock.take(folder / f"lock{_UNFINISHED}", seconds=0)
        if lock is None:
            raise FileAccessError(
                f"Another export is writing to {mask(str(folder))}.",
                resolution="Wait for its end, or name another folder.",
            )
        self._lock = lock

    def write(
        self,
        name: str,
        entry: Mapping[str, Any],
        rows: Iterable[Mapping[str, Any]],
        writer: RowWriter,
    ) -> int:
        """Write *rows* to the file *name*, and return their number. *entry* describes the file."""
        path = self._folder / f"{name}{_UNFINISHED}"
        count = 0
        with _writing(path):
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)  # the rows may be real data
            file = path.open("w", encoding="utf-8", newline="")
        with file:
            _write_text(file, path, writer.header)
            for row in rows:
                _write_text(file, path, writer.text(row))
                count += 1
            with _writing(path):
                file.flush()
        self._files.append((path, {"file": name, **entry, "rows": count}))
        return count

    def has(self, name: str) -> bool:
        """Whether a file of this *name* was written. Case is ignored, as some file systems do."""
        return name.casefold() in {entry["file"].casefold() for _, entry in self._files}

    def finish(self, masked: Sequence[str]) -> None:
        """Replace an earlier export by this one. *masked* are the fields that are masked."""
        users = [entry for _, entry in self._files if "model" not in entry]
        document = {
            "format": _FORMAT,
            "version": _VERSION,
            "models": [entry for _, entry in self._files if "model" in entry],
            "users": users[0] if users else None,
            "masked": list(masked),
        }
        manifest = self._folder / MANIFEST
        with _writing(manifest):
            # Without a manifest, a mixture of two exports cannot be taken for a complete one.
            manifest.unlink(missing_ok=True)
            for name in self._earlier:
                (self._folder / name).unlink(missing_ok=True)
            for path, _ in self._files:
                path.replace(path.with_suffix(""))
            manifest.touch(mode=0o600)
            manifest.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    def discard(self) -> None:
        """Delete what is not of use after the export, and what is left if it did not end."""
        for path in self._folder.glob(f"*{_UNFINISHED}"):
            with suppress(OSError):
                path.unlink()
        if self._is_new:
            with suppress(OSError):  # after a complete export, the folder is not empty
                self._folder.rmdir()
        self._lock.release()


def _write_text(file: IO[str], path: Path, text: str) -> None:
    with _writing(path):  # not around the loop over rows: its errors are not about this file
        file.write(text)


def _files_of_earlier_export(manifest: Path) -> list[str]:
    if not manifest.exists():
        return []
    return [_file_name(manifest, entry) for entry in _entries(manifest)]


def model_files(
    source: Path, models: Mapping[str, str], suffixes: Sequence[str], wanted: Sequence[str]
) -> list[ModelFile]:
    """Return the files of *source*, a folder or one file, in the order of *models*.

    *models* are the names of the models with their plurals, *suffixes* the endings that a file of
    rows may have. If *wanted* is not empty, only the files of these models are returned. Raises
    DataFileError for a file that belongs to no model.
    """
    if not source.is_dir():
        with _writing(source, "read"):
            source.stat()  # before its name is taken for a model's
        name = wanted[0] if wanted else _model_of(source, models)
        return [ModelFile(name, source)]
    manifest = source / MANIFEST
    if manifest.exists():
        found = [
            ModelFile(each["model"], source / _file_name(manifest, each), each.get("rows"))
            for each in _entries(manifest)
            if "model" in each
        ]
    else:
        with _writing(source, "read"):
            paths = sorted(source.iterdir())
        found = [
            ModelFile(_model_of(path, models), path)
            for path in paths
            if path.suffix.lower() in suffixes
        ]
    found = [each for each in found if not wanted or each.model in wanted]
    order = list(models)
    unknown = [each for each in found if each.model not in models]
    if unknown:
        raise _no_model(unknown[0].path, unknown[0].model, models)
    missing = [name for name in wanted if name not in {each.model for each in found}]
    if missing or not found:
        raise DataFileError(
            f"{mask(str(source))} has no file of {missing[0] if missing else 'any model'}.",
            resolution=f"Name each file after its model, such as {order[0]}.jsonl.",
        )
    return sorted(found, key=lambda each: order.index(each.model))


def has_users(source: Path) -> bool:
    """Whether *source* is the folder of an export with at least one user."""
    manifest = source / MANIFEST
    return manifest.exists() and any(
        "model" not in each and each.get("rows") != 0 for each in _entries(manifest)
    )


def _model_of(path: Path, models: Mapping[str, str]) -> str:
    """Return the model whose name or plural is the name of *path*. Case is ignored."""
    stem = path.stem
    if stem in models:
        return stem
    folded = stem.casefold()
    found = [
        name for name, plural in models.items() if folded in (name.casefold(), plural.casefold())
    ]
    if len(found) == 1:
        return found[0]
    raise _no_model(path, stem, models)


def _no_model(path: Path, name: str, models: Mapping[str, str]) -> DataFileError:
    return DataFileError(
        f"{mask(str(path))}: the schema has no model {mask(name)}.",
        resolution=f"{advice(name, models)} Name the file after its model, or name the model with "
        "--model.",
    )


def _entries(manifest: Path) -> list[dict[str, Any]]:
    """Return what *manifest* says of each file: those of the models, then that of the users."""
    try:
        with _writing(manifest, "read"):
            document = json.loads(manifest.read_bytes())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise _bad_manifest(manifest, "it is not the manifest of an export")
    if document.get("version") != _VERSION:
        raise _bad_manifest(manifest, "another version of seedctl has written it")
    models, users = document.get("models"), document.get("users")
    entries = [*(models if isinstance(models, list) else [None]), *([users] if users else [])]
    for each in entries:
        if not isinstance(each, dict) or not isinstance(each.get("model", ""), str):
            raise _bad_manifest(manifest, "its list of models is wrong")
    return entries


def _file_name(manifest: Path, entry: Mapping[str, Any]) -> str:
    """Return the name of the file of *entry*, which is in the folder of the manifest itself."""
    name = entry.get("file")
    if not isinstance(name, str) or Path(name).name != name or name in {"", ".", ".."}:
        raise _bad_manifest(manifest, "it names a file that is not in its folder")
    return name


def _bad_manifest(manifest: Path, why: str) -> DataFileError:
    return DataFileError(
        f"{mask(str(manifest))} cannot be used: {why}.",
        resolution="Export again to a new folder, or remove the manifest to read all files there.",
    )


@contextmanager
def _writing(path: Path, verb: str = "written") -> Iterator[None]:
    """Raise FileAccessError if *path* cannot be written; *verb* is another word for that."""
    try:
        yield
    except OSError as error:
        raise FileAccessError(
            f"{mask(str(path))} cannot be {verb}: {error.strerror}.",
            resolution="Check the path, its permissions and the space on the disk.",
        ) from error
