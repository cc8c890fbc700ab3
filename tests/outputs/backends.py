"""Recorded backends: what the real packages synthesize and deploy, and the outputs file made of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.running import DATA

if TYPE_CHECKING:
    from pathlib import Path

BACKENDS = DATA / "backends"
ALL = sorted(path.parent.name for path in BACKENDS.glob("*/stack.json"))
SYNTHESIZED = sorted(path.parent.name for path in BACKENDS.glob("*/synth"))


def read(name: str, file: str) -> Any:
    """Return the JSON *file* of the backend *name*."""
    return json.loads((BACKENDS / name / file).read_text(encoding="utf-8"))


def stack_of(name: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the stack outputs and the template's metadata of the backend *name*."""
    stack = read(name, "stack.json")
    outputs = stack["DescribeStacks"]["Stacks"][0]["Outputs"]
    values = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    return values, json.loads(stack["GetTemplateSummary"]["Metadata"])


def introspection_of(name: str) -> Any:
    """Return the model introspection of the backend *name*; None if it has no data."""
    path = "synth/modelIntrospectionSchema.json"
    return read(name, path) if (BACKENDS / name / path).exists() else None


def written(document: Any) -> str:
    """Return the text that Amplify's tool writes for *document*."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def write_assembly(
    folder: Path, root: dict[str, Any], nested: dict[str, dict[str, Any]] | None = None
) -> Path:
    """Write a cloud assembly with the template *root*, and *nested* ones by the first of 64 digits."""
    files = {digit * 64: {"source": {"path": f"{digit}.json"}} for digit in nested or {}}
    documents: dict[str, Any] = {
        "amplify-app-me-sandbox-0123456789.template.json": root,
        "amplify-app-me-sandbox-0123456789.assets.json": {
            "files": {**files, "f" * 64: {"source": {"executable": ["make"]}}}
        },
        **{f"{digit}.json": template for digit, template in (nested or {}).items()},
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return folder
