"""The buckets that the outputs file tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.local.s3.rules import PathRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.outputs.sections import StorageOutputs


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    region: str
    rules: PathRules


def buckets_of(storage: StorageOutputs | None) -> Mapping[str, Bucket]:
    """Return the buckets in *storage* by their names."""
    if storage is None:
        return {}
    found: dict[str, Bucket] = {}
    # The default bucket comes last: where it is listed too, its entry there has the rules.
    for entry in (*storage.buckets, storage.default):
        if entry.bucket_name not in found:
            found[entry.bucket_name] = Bucket(
                entry.bucket_name, entry.aws_region, PathRules(entry.paths)
            )
    return found
