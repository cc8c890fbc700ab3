"""Find and read the project's files: its outputs, its seed script, its settings for seedctl."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedctl import errors

OUTPUTS_NAME = "amplify_outputs.json"
LOCAL_OUTPUTS = Path("amplify", "seed", "local_outputs.json")
SCRIPT = Path("amplify", "seed", "seed.py")
NO_OUTPUTS = (
    "If the backend is deployed, write the file with seedctl outputs, with the same options that "
    "choose the backend. Otherwise deploy it with npx ampx sandbox, or name another file with "
    "--outputs."
)
"""What to do where there is no outputs file."""
STATE_FOLDER = Path(".amplify", "seedctl")


@dataclass(frozen=True, slots=True)
class Project:
    """An Amplify project.

    Attributes:
        root: The folder that holds ``amplify/`` and ``package.json``.
    """

    root: Path

    @property
    def state_folder(self) -> Path:
        """The folder of seedctl's journal and of the local sandbox's state."""
        return self.root / STATE_FOLDER

    @property
    def local_outputs(self) -> Path:
        """The outputs file that ``seedctl local init`` writes."""
        return self.root / LOCAL_OUTPUTS


def find_project(start: Path, *, explicit: Path | None = None) -> Project:
    """Return the project in the folder *explicit*, or else the nearest one at or above *start*.

    Raises ProjectNotFoundError.
    """
    if explicit is not None:
        if _is_folder(explicit):
            return Project(explicit.resolve())
        reason = "is not a folder that can be used" if is_there(explicit) else "does not exist"
        raise errors.ProjectNotFoundError(
            f"The project folder {explicit} {reason}.",
            resolution="Give the folder that holds amplify/ and package.json to -C.",
        )
    try:
        here = start.resolve(strict=True)
    except OSError as error:  # the working directory may have been removed
        raise errors.ProjectNotFoundError(
            f"The folder {start} cannot be used: {error.strerror}.",
            resolution="Go to the project's folder, or name it with -C.",
        ) from error
    folders = [here, *here.parents]
    for folder in folders:
        if _has_amplify(folder):
            return Project(folder)
    for folder in folders:
        if _has_package_name(folder):
            return Project(folder)
    raise errors.ProjectNotFoundError(
        f"{here} is not inside an Amplify project: no folder here or above has amplify/backend.ts "
        "or amplify/seed/, or a package.json with a name.",
        resolution=_how_to_complete(here) or "Go to the project's folder, or name it with -C.",
    )


def namespace_of(project: Project) -> str:
    """Return the ``name`` of the project's ``package.json``, the namespace of its sandboxes.

    Raises InvalidPackageJsonError.
    """
    path = project.root / "package.json"
    fix = 'Run in the project\'s root, with a package.json that has a "name".'
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError:
        # Hide the cause: it says nothing that this message does not say.
        raise errors.InvalidPackageJsonError(
            f"{path} does not exist.", resolution='Create it, such as {"name": "my-app"}.'
        ) from None
    except UnreadableFileError as error:
        raise errors.InvalidPackageJsonError(
            f"{path} cannot be read: {error}.", resolution=fix
        ) from error.__cause__
    except (ValueError, RecursionError) as error:
        # A byte order mark ends here too; ampx cannot read such a file either.
        raise errors.InvalidPackageJsonError(
            f"{path} is not JSON: {error}", resolution=fix
        ) from error
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, str) or not name:
        raise errors.InvalidPackageJsonError(f'{path} has no "name" with a text.', resolution=fix)
    return name


def find_outputs(project: Project, *, explicit: Path | None = None, local: bool = False) -> Path:
    """Return the path of the outputs file to read.

    *explicit* is a file that the user named. With *local*, ``amplify/seed/local_outputs.json`` is
    used if nothing was deployed yet. Raises AmplifyOutputsNotFoundError.
    """
    if explicit is not None:
        if not is_there(explicit) or _is_folder(explicit):
            reason = "is not a file" if is_there(explicit) else "does not exist"
            raise errors.AmplifyOutputsNotFoundError(
                f"The outputs file {explicit} {reason}.",
                resolution="Give the path of an amplify_outputs.json to --outputs.",
            )
        return explicit.resolve()
    deployed = project.root / OUTPUTS_NAME
    has_local = is_there(project.local_outputs)
    if local and has_local and not _describes_backend(deployed):
        return project.local_outputs
    if is_there(deployed):
        return deployed
    fix = NO_OUTPUTS
    if not local and has_local:
        fix = f"{fix[:-1]}; or use --local: {LOCAL_OUTPUTS.as_posix()} exists."
    if local:
        fix = f"Write {LOCAL_OUTPUTS.as_posix()} with seedctl local init, or deploy the sandbox."
    raise errors.AmplifyOutputsNotFoundError(f"{deployed} does not exist.", resolution=fix)


def find_script(project: Project, *, explicit: Path | None = None) -> Path:
    """Return the path of the seed script. Raises SeedScriptNotFoundError, FileAccessError."""
    path = (project.root / SCRIPT if explicit is None else explicit).absolute()
    if is_there(path) and not _is_folder(path):
        try:
            path.open("rb").close()
        except OSError as error:
            raise errors.FileAccessError(
                f"The seed script {path} cannot be read: {error.strerror}.",
                resolution="Make it a file that this account may read, or name another with "
                "--script.",
            ) from error
        return path
    fix = f"Write {SCRIPT.as_posix()} with seedctl init, or name the script with --script."
    typescript = path.with_name("seed.ts")
    if explicit is None and typescript.is_file():
        fix = f"Write {SCRIPT.as_posix()} beside seed.ts, such as with seedctl init: seedctl runs Python."
    raise errors.SeedScriptNotFoundError(f"There is no seed script at {path}.", resolution=fix)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # whatever it is, its contents cannot be listed
        return False


def _has_amplify(folder: Path) -> bool:
    amplify = folder / "amplify"
    try:
        if not amplify.is_dir():
            return False
        seed = amplify / "seed"
        return seed.is_dir() or any(path.is_file() for path in amplify.glob("backend.*"))
    except OSError as error:  # this may be the project: do not silently use another one above it
        raise errors.ProjectNotFoundError(
            f"The folder {amplify} cannot be read: {error.strerror}.",
            resolution="Make it readable for this account, or name the project's folder with -C.",
        ) from error


def _has_package_name(folder: Path) -> bool:
    # This only recognises a project; namespace_of() reports a broken file.
    try:
        namespace_of(Project(folder))
    except errors.InvalidPackageJsonError:
        return False
    return True


def _how_to_complete(folder: Path) -> str | None:
    """Return how to make *folder* a project if it has the resources of a backend; None if it has none."""
    try:
        names = sorted(path.parent.name for path in (folder / "amplify").glob("*/resource.ts"))
    except OSError:
        return None
    if not names:
        return None
    imports = " ".join(f'import {{ {name} }} from "./{name}/resource";' for name in names)
    return (
        "If this is the project, run npm init -y, and write amplify/backend.ts, such as: "
        f'import {{ defineBackend }} from "@aws-amplify/backend"; {imports} '
        f"defineBackend({{ {', '.join(names)} }});"
    )


def _describes_backend(path: Path) -> bool:
    """Whether *path* holds more than a version, which is all that it holds before a deployment."""
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError:
        return False
    except (UnreadableFileError, ValueError, RecursionError):
        return True  # so that the broken file is read, and reported
    return not isinstance(content, dict) or bool(content.keys() - {"version", "$schema"})


def tool_table(project: Project, name: str) -> Mapping[str, Any]:
    """Return the table ``[tool.seedctl.<name>]`` of pyproject.toml; empty if it does not exist.

    Raises InvalidCommandInputError if the file is not TOML or the entry is not a table, and
    FileAccessError if the file exists but cannot be read.
    """
    path = project.root / "pyproject.toml"
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise errors.FileAccessError(
            f"{path} cannot be read: {error.strerror}.",
            resolution="Make it a file that this account may read.",
        ) from error
    if b"seedctl" not in source:  # most projects have no settings for us; loading TOML takes time
        return {}
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 - few projects need it
    else:
        import tomli as tomllib  # noqa: PLC0415
    try:
        document: dict[str, Any] = tomllib.loads(source.decode())
    except ValueError as error:
        raise errors.InvalidCommandInputError(
            f"{path} is not TOML: {error}", resolution="Correct the file."
        ) from error
    for key in ("tool", "seedctl", name):
        document = document.get(key, {})
        if not isinstance(document, dict):
            raise errors.InvalidCommandInputError(
                f"{path}: {key} in [tool.seedctl.{name}] is not a table.",
                resolution=f"Write the settings below [tool.seedctl.{name}].",
            )
    return document


class UnreadableFileError(Exception):
    """A file exists but cannot be read. Its text is the reason, written as the end of a sentence."""


def read_text(path: Path) -> str:
    """Return the text of *path*, which must be UTF-8.

    Raises FileNotFoundError, and UnreadableFileError for any other reason.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableFileError(error.strerror or type(error).__name__) from error
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            reason = "it is UTF-16 text; save it as UTF-8"
        else:
            reason = f"it is not UTF-8 text ({error.reason} at byte {error.start})"
        raise UnreadableFileError(reason) from error


def is_there(path: Path) -> bool:
    """Whether anything exists at *path*: a file, a folder, a broken link or something unreadable."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # reading it will raise the reason
    return True
