"""Where the project, its outputs file and its seed script are."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from seedctl.errors import (
    AmplifyOutputsNotFoundError,
    InvalidPackageJsonError,
    ProjectNotFoundError,
    SeedScriptNotFoundError,
)
from seedctl.project.identifier import (
    BackendIdentifier,
    check_identifier_option,
    os_account_name,
)

OUTPUTS_NAME = "amplify_outputs.json"
LOCAL_OUTPUTS = Path("amplify", "seed", "local_outputs.json")
SCRIPT = Path("amplify", "seed", "seed.py")
STATE_FOLDER = Path(".amplify", "seedctl")


@dataclass(frozen=True, slots=True)
class Project:
    """An Amplify project: the folder that holds ``amplify/`` and ``package.json``."""

    root: Path

    @property
    def state_folder(self) -> Path:
        """Where seedctl keeps the journal and the local sandbox's state."""
        return self.root / STATE_FOLDER

    @property
    def local_outputs(self) -> Path:
        return self.root / LOCAL_OUTPUTS


def find_project(start: Path, *, explicit: Path | None = None) -> Project:
    """Return the project that *explicit* names, else the nearest one at or above *start*.

    Raises ProjectNotFoundError.
    """
    if explicit is not None:
        if not explicit.is_dir():
            raise ProjectNotFoundError(
                f"The project folder {explicit} does not exist.",
                resolution="Give the folder that holds amplify/ and package.json to -C.",
            )
        return Project(explicit.resolve())
    try:
        here = start.resolve(strict=True)
    except OSError as error:  # the working directory may have been removed
        raise ProjectNotFoundError(
            f"The folder {start} cannot be used: {error.strerror}.",
            resolution="Go to the project's folder, or name it with -C.",
        ) from error
    folders = [here, *here.parents]
    for folder in folders:
        if _has_amplify(folder):
            return Project(folder)
    for folder in folders:
        if _package_name(folder / "package.json"):
            return Project(folder)
    raise ProjectNotFoundError(
        f"{here} is not inside an Amplify project: no folder here or above has amplify/backend.ts "
        "or amplify/seed/, or a package.json with a name.",
        resolution="Go to the project's folder, or name it with -C.",
    )


def namespace_of(project: Project) -> str:
    """Return the ``name`` of the project's ``package.json``, the namespace of its sandboxes.

    Raises InvalidPackageJsonError.
    """
    path = project.root / "package.json"
    fix = 'Run in the project\'s root, with a package.json that has a "name".'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        # Its message is all there is to say: no cause below it.
        raise InvalidPackageJsonError(
            f"{path} does not exist.", resolution='Create it, such as {"name": "my-app"}.'
        ) from None
    except OSError as error:
        raise InvalidPackageJsonError(
            f"{path} cannot be read: {error.strerror}.", resolution=fix
        ) from error
    except (ValueError, RecursionError) as error:
        # A byte order mark is refused too: ampx cannot read such a file either.
        raise InvalidPackageJsonError(f"{path} is not JSON: {error}", resolution=fix) from error
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, str) or not name:
        raise InvalidPackageJsonError(f'{path} has no "name" that is text.', resolution=fix)
    return name


def find_outputs(project: Project, *, explicit: Path | None = None, local: bool = False) -> Path:
    """Return the path of the outputs file to read.

    With *local*, ``amplify/seed/local_outputs.json`` stands in where nothing was deployed yet.
    Raises AmplifyOutputsNotFoundError.
    """
    if explicit is not None:
        if not explicit.is_file():
            reason = "is not a file" if explicit.exists() else "does not exist"
            raise AmplifyOutputsNotFoundError(
                f"The outputs file {explicit} {reason}.",
                resolution="Give the path of an amplify_outputs.json to --outputs.",
            )
        return explicit.resolve()
    deployed = project.root / OUTPUTS_NAME
    if local and project.local_outputs.is_file() and not _describes_backend(deployed):
        return project.local_outputs
    if deployed.is_file():
        return deployed
    fix = "Deploy the sandbox with npx ampx sandbox, or name the file with --outputs."
    if not local and project.local_outputs.is_file():
        fix = f"{fix[:-1]}; or use --local: {LOCAL_OUTPUTS.as_posix()} is there."
    if local:
        fix = f"Write {LOCAL_OUTPUTS.as_posix()} with seedctl local init, or deploy the sandbox."
    raise AmplifyOutputsNotFoundError(f"{deployed} does not exist.", resolution=fix)


def find_script(project: Project, *, explicit: Path | None = None) -> Path:
    """Return the path of the seed script. Raises SeedScriptNotFoundError."""
    path = (project.root / SCRIPT if explicit is None else explicit).absolute()
    if path.is_file():
        return path
    fix = f"Create {SCRIPT.as_posix()}, or name the script with --script."
    typescript = path.with_name("seed.ts")
    if explicit is None and typescript.is_file():
        fix = f"Write {SCRIPT.as_posix()} beside seed.ts: seedctl runs Python."
    raise SeedScriptNotFoundError(f"There is no seed script at {path}.", resolution=fix)


def _has_amplify(folder: Path) -> bool:
    amplify = folder / "amplify"
    if not amplify.is_dir():
        return False
    return (amplify / "seed").is_dir() or any(path.is_file() for path in amplify.glob("backend.*"))


def _package_name(path: Path) -> str | None:
    # Only a way to recognise the project: a broken file is reported by namespace_of().
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    name = content.get("name") if isinstance(content, dict) else None
    return name if isinstance(name, str) and name else None


def _describes_backend(path: Path) -> bool:
    """Whether *path* holds more than the version, which is all there is before a deployment."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError, RecursionError):
        return True  # a broken file must be reported, not passed over
    return not isinstance(content, dict) or bool(content.keys() - {"version", "$schema"})


def chosen_identifier(given: str | BackendIdentifier | None, project: Project) -> BackendIdentifier:
    """Return the sandbox that is meant: *given*, or what the environment says, or the user's own."""
    if isinstance(given, BackendIdentifier):
        return given
    if given:
        return BackendIdentifier(namespace_of(project), check_identifier_option(given))
    from_peer = os.environ.get("AMPLIFY_BACKEND_IDENTIFIER")
    if from_peer:
        return BackendIdentifier.from_json(from_peer)
    name = os.environ.get("SEEDCTL_IDENTIFIER")
    if name:
        check_identifier_option(name, source="SEEDCTL_IDENTIFIER")
    return BackendIdentifier(namespace_of(project), name or os_account_name())
