"""``amplify_outputs.json``, versions 1 to 1.5, as frozen dataclasses.

Unknown keys are ignored, since later versions add some. A missing key, or a value of the wrong type,
is an error that names the file, the key path and what was expected. None means that the file has no
such information, as in old versions: it does not mean "off" or "empty".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from seedctl import errors
from seedctl.outputs.auth import AuthSection, parse_auth
from seedctl.outputs.details import BackendDetails, parse_details
from seedctl.outputs.model_schema import ModelSources, parse_model_schema
from seedctl.outputs.reader import Reader, how_to_regenerate
from seedctl.outputs.sections import DataOutputs, StorageOutputs, parse_data, parse_storage
from seedctl.project.root import (
    NO_OUTPUTS,
    Project,
    UnreadableFileError,
    find_outputs,
    read_text,
)


@dataclass(frozen=True, slots=True)
class AmplifyOutputs:
    """The whole outputs file. A section is None if the backend has no such resource."""

    version: str
    auth: AuthSection | None
    data: DataOutputs | None
    storage: StorageOutputs | None
    details: BackendDetails
    """What only a file made from the project's source contains; the local sandbox applies it."""
    path: Path
    document: dict[str, Any] = field(repr=False, compare=False)
    """The JSON document itself."""

    def model_sources(self) -> ModelSources:
        """Parse the source of the models, by name; none if the file lacks it. Loads graphql-core.

        Raises InvalidAmplifyOutputsError.
        """
        text = self.details.model_schema
        return {} if text is None else parse_model_schema(text, self.path)

    def served_at(self, url: str) -> dict[str, Any]:
        """Return the document with the API of the local sandbox at *url* in place of the deployed one."""
        data = self.document.get("data")
        if not isinstance(data, dict):
            return self.document
        return {**self.document, "data": {**data, "url": f"{url}/graphql"}}


def load_outputs(path: Path) -> AmplifyOutputs:
    """Read the outputs file at *path*.

    Raises AmplifyOutputsNotFoundError if it does not exist or is only the stub that Amplify writes
    before the first deployment, and InvalidAmplifyOutputsError if it is not what Amplify writes.
    """
    try:
        text = read_text(path)
    except FileNotFoundError as error:
        raise errors.AmplifyOutputsNotFoundError(
            f"{path} does not exist.",
            resolution=NO_OUTPUTS,
        ) from error
    except UnreadableFileError as error:
        raise errors.InvalidAmplifyOutputsError(
            f"{path} cannot be read: {error}.",
            resolution="Make it a file that this account may read, or name another with --outputs.",
        ) from error.__cause__
    try:
        document = json.loads(text)
        # JSON may hold half of a surrogate pair, but no service accepts it. This raises ValueError.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise errors.InvalidAmplifyOutputsError(
            f"{path} is not JSON: {error}", resolution=how_to_regenerate(path)
        ) from error
    return parse_outputs(document, path)


def parse_outputs(document: Any, path: Path) -> AmplifyOutputs:
    """Return the outputs in *document*; errors name *path*. Raises as ``load_outputs``."""
    root = Reader(document, path)
    version = root.text("version")
    if version != "1" and not version.startswith("1."):
        root.fail("version", 'a version that begins with "1"', version)
    if not document.keys() - {"version", "$schema"}:
        raise errors.AmplifyOutputsNotFoundError(
            f"{path} holds only a version: nothing has been deployed yet.",
            resolution="Deploy the sandbox with npx ampx sandbox and wait until it is done. If it is "
            "deployed, write the file with seedctl outputs. For --local, seedctl local init is enough.",
        )
    auth, data, storage = (root.child(name) for name in ("auth", "data", "storage"))
    return AmplifyOutputs(
        version=version,
        auth=parse_auth(auth, version) if auth is not None else None,
        data=parse_data(data, path) if data is not None else None,
        storage=parse_storage(storage) if storage is not None else None,
        details=parse_details(root),
        path=path,
        document=document,
    )


class OutputsSource:
    """Finds and reads the outputs file, once."""

    def __init__(self, project: Project, *, explicit: Path | None, is_local: bool) -> None:
        """*explicit* is the file that the user named; None means the project's own.

        *is_local* is whether it is for the local sandbox, which may use a file of its own.
        """
        self._project = project
        self._explicit = explicit
        self._is_local = is_local

    @cached_property
    def outputs(self) -> AmplifyOutputs:
        """The outputs file. Raises AmplifyOutputsNotFoundError, InvalidAmplifyOutputsError."""
        return load_outputs(
            find_outputs(self._project, explicit=self._explicit, local=self._is_local)
        )

    def if_any(self) -> AmplifyOutputs | None:
        """Return the outputs file, or None if the project has none and the user named none.

        Secrets work without one. Raises AmplifyOutputsNotFoundError if the file that the user named
        does not exist, and InvalidAmplifyOutputsError.
        """
        try:
            return self.outputs
        except errors.AmplifyOutputsNotFoundError:
            if self._explicit is not None:
                raise
            return None

    @property
    def auth(self) -> AuthSection | None:
        """The auth section; None if the backend has no auth resource."""
        return self.outputs.auth

    def require_auth(self) -> AuthSection:
        """Return the auth section. Raises MissingAuthError if there is none."""
        if self.outputs.auth is None:
            raise errors.MissingAuthError(
                f"{self.outputs.path} has no auth section: this backend has no auth resource.",
                resolution="Add one in amplify/auth/resource.ts and deploy; or, for --local, run "
                "seedctl local init.",
            )
        return self.outputs.auth

    def region(self) -> str | None:
        """Return the user pool's region, the last resort for calls without a configured region."""
        if self._is_local:
            return "us-east-1"
        auth = self.outputs.auth
        return auth.user_pool_region if auth is not None else None
