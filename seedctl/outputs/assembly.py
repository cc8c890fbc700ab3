"""Read a cloud assembly: what the AWS CDK generates from a project's source, before a deployment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs.details import FORMAT
from seedctl.outputs.from_stack import outputs_document
from seedctl.outputs.local_ids import with_local_ids
from seedctl.outputs.made_up_attributes import BUCKET_DEPLOYMENT, MadeUpAttributes
from seedctl.outputs.pool_template import existing_pool_details, user_pool_details
from seedctl.outputs.templates import Deployment, Stack

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.outputs.templates import AttributeOf

_TEMPLATE = ".template.json"
_NESTED_TEMPLATE = ".nested.template.json"
_MODEL_SCHEMA = "model-schema.graphql"
_PLATFORM = "AWS::Amplify::Platform"


class Assembly:
    """The folder of a cloud assembly, with the templates of one Amplify backend."""

    def __init__(self, folder: Path) -> None:
        """Raises InvalidAmplifyOutputsError if *folder* has no such templates."""
        self._folder = folder
        self._stack_name, self._template = self._root()
        named = folder / f"{self._stack_name}.assets.json"
        assets = _read_json(named if named.exists() else folder / "assets.json")
        self._files: dict[str, str] = {
            hash_: entry["source"]["path"]
            for hash_, entry in assets["files"].items()
            if "path" in entry["source"]
        }

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata of the root stack's template."""
        found: Mapping[str, Any] = self._template.get("Metadata", {})
        return found

    def stack(self, attribute_of: AttributeOf, *, region: str) -> Stack:
        """Return the root stack as deployed in *region*, with the attributes of *attribute_of*."""
        deployment = Deployment(self._stack_name, region, attribute_of, self._nested_template)
        return Stack(self._template, deployment)

    def model_introspection(self) -> Any:
        """Return the models as JSON for clients; None if the backend has no data."""
        paths = self._assets("modelIntrospectionSchema.json")
        return _read_json(paths[0]) if paths else None

    def model_schema(self, stack: Stack, uri: str) -> str | None:
        """Return the GraphQL source of the models; None if the backend has no data.

        *uri* is the stack output with the place of that source, in a bucket of *stack*.
        """
        paths = self._assets(_MODEL_SCHEMA)
        if len(paths) > 1:  # the project has another API beside the one of its outputs
            bucket = uri.removeprefix("s3://").partition("/")[0]
            hashes = {
                str(key).partition(".")[0]
                for resource in stack.resources()
                if resource.type == BUCKET_DEPLOYMENT
                and resource.property("DestinationBucketName") == bucket
                for key in resource.property("SourceObjectKeys") or ()
            }
            paths = [self._folder / self._files[hash_] / _MODEL_SCHEMA for hash_ in hashes]
        return paths[0].read_text(encoding="utf-8") if paths else None

    def _root(self) -> tuple[str, dict[str, Any]]:
        """Return the name and the template of the root stack."""
        for path in sorted(self._folder.glob(f"*{_TEMPLATE}")):
            if not path.name.endswith(_NESTED_TEMPLATE):
                template = _read_json(path)
                if _PLATFORM in template.get("Metadata", {}):
                    return path.name.removesuffix(_TEMPLATE), template
        raise InvalidAmplifyOutputsError(
            f"{self._folder} has no template of an Amplify backend.",
            resolution="Call defineBackend in amplify/backend.ts.",
        )

    def _nested_template(self, hash_: str) -> dict[str, Any] | None:
        name = self._files.get(hash_)
        return None if name is None else _read_json(self._folder / name)

    def _assets(self, name: str) -> list[Path]:
        """Return the paths of the files *name*, each of which may be in a folder of its own."""
        return [*self._folder.glob(name), *sorted(self._folder.glob(f"asset.*/{name}"))]


def stack_outputs(stack: Stack) -> dict[str, str]:
    """Return the names and values of the outputs of *stack*, in its template's order."""
    return {name: stack.output(name) for name in stack.template.get("Outputs", {})}


def local_document(assembly_folder: Path, *, region: str = "us-east-1") -> dict[str, Any]:
    """Return the outputs document for the local sandbox of the backend in *assembly_folder*.

    It has what ``ampx generate outputs`` would write, with made-up ids, which are the same in each
    run. ``custom.seedctl`` has what such a file lacks, except for ``sources``, which the caller adds.

    Args:
        assembly_folder: The folder of the cloud assembly, which the AWS CDK has written.
        region: The AWS region in the ids.

    Raises:
        InvalidAmplifyOutputsError: The folder has no Amplify backend, or one that seedctl cannot read.
    """
    assembly = Assembly(assembly_folder)
    attributes = MadeUpAttributes(region)
    stack = assembly.stack(attributes, region=region)
    outputs = stack_outputs(stack)
    mapped = outputs_document(outputs, assembly.metadata, assembly.model_introspection())
    auth = mapped.get("auth", {})
    pool = attributes.resource(auth.get("user_pool_id"))
    client = attributes.resource(auth.get("user_pool_client_id"))
    details = {
        "format": FORMAT,
        "model_schema": assembly.model_schema(stack, outputs.get("amplifyApiModelSchemaS3Uri", "")),
        "user_pool": existing_pool_details(stack.resources())
        if pool is None
        else user_pool_details(pool, client, stack.resources()),
    }
    # A project that uses an existing user pool has real ids in its source.
    document = with_local_ids(mapped)
    custom = document.setdefault("custom", {})
    if not isinstance(custom, dict) or "seedctl" in custom:
        raise InvalidAmplifyOutputsError(
            "The project's own output custom is not an object, or has a key seedctl.",
            resolution="Rename the key that backend.addOutput gives.",
        )
    custom["seedctl"] = {key: value for key, value in details.items() if value is not None}
    return document


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidAmplifyOutputsError(
            f"{path} is not what the AWS CDK writes: {error}",
            resolution="Install the project's npm packages again.",
        ) from error
