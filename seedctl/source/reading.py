"""The outputs document for the local sandbox, made from the project's own source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seedctl.outputs.assembly import local_document
from seedctl.source.digests import source_digests
from seedctl.source.synthesis import synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.project import Project
    from seedctl.source.toolchain import Toolchain


def read_source(
    project: Project, entry: Path, toolchain: Toolchain, *, seconds: int
) -> dict[str, Any]:
    """Return the outputs document of the backend that the file *entry* of *project* defines.

    ``custom.seedctl`` has the digests of the source files, and one of the document itself. *seconds*
    is how long the synthesis may take. Raises BackendSourceError and InvalidAmplifyOutputsError.
    """
    with synthesize(project, entry, toolchain, seconds=seconds) as synthesized:
        document = local_document(synthesized.assembly)
    details = document["custom"]["seedctl"]
    details["sources"] = source_digests(project.root, synthesized.loaded)
    details["digest"] = _digest(document)
    return document


def is_unedited(document: Any) -> bool:
    """Whether *document* is as ``read_source`` made it, so that it can be made again."""
    try:
        return bool(document["custom"]["seedctl"]["digest"] == _digest(document))
    except (LookupError, TypeError):
        return False


def _digest(document: Mapping[str, Any]) -> str:
    """Return the digest of *document*, whatever its layout, without the digest in it."""
    custom = document["custom"]
    details = {name: value for name, value in custom["seedctl"].items() if name != "digest"}
    text = json.dumps({**document, "custom": {**custom, "seedctl": details}}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
