"""The user pool, API and buckets that an outputs file, or the outputs of a stack, name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from seedctl.outputs.document import AmplifyOutputs


def resources_of_file(outputs: AmplifyOutputs) -> list[tuple[str, str]]:
    """Return the ids in *outputs*, each with its kind: "user pool", "API" or "bucket"."""
    found = []
    if outputs.auth is not None:
        found.append(("user pool", outputs.auth.user_pool_id))
    if outputs.data is not None:
        found.append(("API", outputs.data.url))
    if outputs.storage is not None:
        buckets = (outputs.storage.default, *outputs.storage.buckets)
        found += [("bucket", each.bucket_name) for each in buckets]
    return found


def resources_of_stack(outputs: Mapping[str, str | None]) -> dict[str, set[str]]:
    """Return the ids in the *outputs* of a root stack by kind, without the kinds that it lacks.

    A project may name resources of its own with ``backend.addOutput``; those count too.
    """
    custom = _json(outputs.get("customOutputs"))
    auth, data, storage = (_part(custom, name) for name in ("auth", "data", "storage"))
    buckets = [_json(each) for each in _list(_json(outputs.get("buckets")))]
    found = {
        "user pool": [outputs.get("userPoolId"), auth.get("user_pool_id")],
        "API": [outputs.get("awsAppsyncApiEndpoint"), data.get("url")],
        "bucket": [
            outputs.get("bucketName"),
            *(each.get("bucketName") for each in _objects(buckets)),
            storage.get("bucket_name"),
            *(each.get("bucket_name") for each in _objects(_list(storage.get("buckets")))),
        ],
    }
    named = {kind: {each for each in ids if each} for kind, ids in found.items()}
    return {kind: ids for kind, ids in named.items() if ids}


def _json(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(values: list[Any]) -> list[dict[str, Any]]:
    return [each for each in values if isinstance(each, dict)]


def _part(document: object, key: str) -> dict[str, Any]:
    part = document.get(key) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}
