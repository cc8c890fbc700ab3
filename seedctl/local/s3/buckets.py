"""The buckets that the outputs file tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.local.s3.rules import PathRules

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    region: str
    rules: PathRules


def buckets_of(storage: object) -> Mapping[str, Bucket]:
    """Return the buckets in *storage*, a section of the outputs or None, by their names."""
    if not isinstance(storage, dict):
        return {}
    listed = storage.get("buckets")
    entries = listed if isinstance(listed, list) else []
    found: dict[str, Bucket] = {}
    # The default bucket comes last: where it is listed too, its entry there has the rules.
    for entry in (*entries, storage):
        name = entry.get("bucket_name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name and name not in found:
            region = entry.get("aws_region")
            found[name] = Bucket(
                name,
                region if isinstance(region, str) else "us-east-1",
                PathRules(entry.get("paths")),
            )
    return found
