"""``seedctl local init``: the outputs file of the local sandbox, where nothing is deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from seedctl.cli.connection import display_path, outputs_source, project_of
from seedctl.cli.console import Console
from seedctl.cli.options import Command, options
from seedctl.errors import (
    AmplifyPackagesNotFoundError,
    BackendSourceError,
    FileAccessError,
    NodeNotFoundError,
)
from seedctl.local import blueprint
from seedctl.project.root import SCRIPT, UnreadableFileError, find_outputs, is_there, read_text
from seedctl.prompter import can_prompt
from seedctl.runner.report_file import write_file
from seedctl.source.reading import is_unedited, read_source
from seedctl.source.synthesis import DEFAULT_SECONDS
from seedctl.source.toolchain import find_backend, find_toolchain

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.cli.options import Settings
    from seedctl.errors import SeedctlError
    from seedctl.outputs import AmplifyOutputs

_OR_DESCRIBE = "Or describe the backend with options, such as --from options --group READERS."


@dataclass(frozen=True)
class _Description:
    """The options that describe a backend."""

    logins: tuple[str, ...]
    groups: tuple[str, ...]
    mfa: str | None
    methods: tuple[str, ...]

    @property
    def is_given(self) -> bool:
        return bool(self.logins or self.groups or self.mfa)

    def document(self) -> dict[str, Any]:
        attributes = {"email": "email", "phone": "phone_number"}
        default = () if self.mfa in {None, "none"} else ("totp",)
        return blueprint.from_options(
            username_attributes=tuple(attributes[login] for login in self.logins or ("email",)),
            groups=self.groups,
            mfa_configuration=(self.mfa or "none").upper(),
            mfa_methods=[method.upper() for method in self.methods or default],
        )


@click.command(cls=Command)
@click.option(
    "--from",
    "origin",
    type=click.Choice(["source", "outputs", "options"]),
    help="What to read: amplify/backend.ts, amplify_outputs.json, or the options below.  "
    "[default: the first one that exists]",
)
@click.option(
    "--timeout",
    "seconds",
    type=click.IntRange(1, 3600),
    default=DEFAULT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long amplify/backend.ts may take.",
)
@click.option(
    "--login",
    "logins",
    type=click.Choice(["email", "phone"]),
    multiple=True,
    help="What users sign in with; repeatable.  [default: email]",
)
@click.option(
    "--group", "groups", multiple=True, metavar="NAME", help="A group of the user pool; repeatable."
)
@click.option(
    "--mfa",
    type=click.Choice(["none", "optional", "required"]),
    help="Whether users have MFA.  [default: none]",
)
@click.option(
    "--mfa-method",
    "methods",
    type=click.Choice(["totp", "sms", "email"]),
    multiple=True,
    help="An MFA method; repeatable.  [default: totp]",
)
@click.option("--force", is_flag=True, help="Replace the file even if you edited it.")
@options("project_dir", "outputs")
def init(
    settings: Settings,
    *,
    origin: str | None,
    seconds: int,
    force: bool,
    **described: Any,
) -> None:
    """Write amplify/seed/local_outputs.json.

    With --local, it takes the place of amplify_outputs.json if nothing is deployed.

    It is made from amplify/backend.ts, with Node.js and the project's own Amplify packages, which
    run offline; else from amplify_outputs.json, with local ids; else from the options. The file
    contains no secret: commit it. Run the command again after a change of the source. --force also
    replaces a file that you edited, or that was not made from the source.
    """
    description = _Description(**described)
    if description.methods and description.mfa is None:
        raise click.UsageError("--mfa-method needs --mfa optional or --mfa required.")
    if description.is_given and origin not in {None, "options"}:
        raise click.UsageError(f"--login, --group and --mfa have no effect with --from {origin}.")
    _Initialisation(settings, description, seconds, force=force).run(
        "options" if description.is_given else origin
    )


class _Initialisation:
    """One run of the command."""

    def __init__(
        self, settings: Settings, description: _Description, seconds: int, *, force: bool
    ) -> None:
        self._settings = settings
        self._console = Console(settings)
        self._description = description
        self._seconds = seconds
        self._force = force
        self._project = project_of(settings)
        self._path = self._project.local_outputs

    def run(self, origin: str | None) -> None:
        """Write the file from *origin*; None means the first one that can be read."""
        existing = _existing_text(self._path)
        may_replace = existing is None or self._force
        if existing is not None and not may_replace and not _is_made_from_source(existing):
            why = ", and was edited or not made from the project's source" if existing else ""
            raise FileAccessError(
                f"{self._path} is there already{why}.",
                resolution="Replace it with --force, or edit it.",
            )
        document, source = self._read(origin)
        text = blueprint.to_text(document)
        shown = display_path(self._settings, self._path)
        if text == existing:
            self._console.success(f"{shown} is up to date with {source}.")
            return
        if not may_replace and not _is_made_from_source(text):
            raise FileAccessError(
                f"{self._path} was made from the project's source, which has more details than {source}.",
                resolution="Replace it with --force.",
            )
        write_file(self._path, text)
        self._console.success(f"Wrote {shown} from {source}.")
        used = find_outputs(self._project, local=True)
        if used != self._path:
            self._console.status(
                f"--local uses {display_path(self._settings, used)}, which is there too. "
                f"--outputs {shown} selects the new file."
            )
        if not is_there(self._project.root / SCRIPT):
            self._console.status("Next: seedctl init writes a first seed script that fits it.")

    def _read(self, origin: str | None) -> tuple[dict[str, Any], str]:
        """Return the document made from *origin*, and the name of what was read."""
        entry = find_backend(self._project)
        unreadable: SeedctlError | None = None
        if origin == "source" or (origin is None and entry and self._settings.outputs is None):
            try:
                return self._from_source(entry)
            except (NodeNotFoundError, AmplifyPackagesNotFoundError) as error:
                if origin == "source":
                    raise
                unreadable = error
        outputs = self._outputs(origin) if origin != "options" else None
        if outputs is not None:
            if unreadable is not None:
                self._console.warning(
                    "The backend's source was not read. "
                    f"{unreadable.message} {unreadable.resolution}"
                )
            shown = display_path(self._settings, outputs.path)
            return blueprint.from_outputs(outputs.document), shown
        if unreadable is not None:
            # A file that describes another backend than the source would not be noticed.
            unreadable.resolution = f"{unreadable.resolution} {_OR_DESCRIBE}"
            raise unreadable
        if self._description.is_given:
            return self._description.document(), "the options"
        if origin is None:
            self._console.status(
                "There is no amplify/backend.ts to read, and no amplify_outputs.json."
            )
        return _ask().document(), "the options"

    def _from_source(self, entry: Path | None) -> tuple[dict[str, Any], str]:
        if entry is None:
            raise BackendSourceError(
                f"{self._project.root} has no amplify/backend.ts, .js, .mjs or .cjs.",
                resolution="Go to the folder that holds amplify/, or name it with -C.",
            )
        name = display_path(self._settings, entry)
        toolchain = find_toolchain(self._project)
        self._console.status(f"Reading {name} with Node.js {toolchain.version} …")
        return read_source(self._project, entry, toolchain, seconds=self._seconds), name

    def _outputs(self, origin: str | None) -> AmplifyOutputs | None:
        """Return the deployed outputs, or None where nothing is deployed and *origin* is open."""
        source = outputs_source(self._settings, local=False)
        return source.outputs if origin == "outputs" else source.if_any()


def _existing_text(path: Path) -> str | None:
    """Return the text of the file at *path*: None if nothing is there, empty if it is unreadable."""
    if not is_there(path):
        return None
    try:
        return read_text(path)
    except (UnreadableFileError, FileNotFoundError):
        return ""


def _is_made_from_source(text: str) -> bool:
    """Whether *text* is a file made from the project's source, and not edited since."""
    try:
        return is_unedited(json.loads(text))
    except (ValueError, RecursionError):
        return False


def _ask() -> _Description:
    """Ask for logins and groups; without a terminal ask nothing and use the defaults."""
    if not can_prompt():
        return _Description((), (), None, ())
    login = click.prompt(
        "Users sign in with",
        type=click.Choice(["email", "phone", "both"]),
        default="email",
        err=True,
    )
    groups = click.prompt("Groups, separated by commas", default="", show_default=False, err=True)
    logins = ("email", "phone") if login == "both" else (login,)
    names = tuple(name.strip() for name in groups.split(",") if name.strip())
    return _Description(logins, names, None, ())
