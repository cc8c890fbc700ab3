"""The file that the script uploads: to the first path in the buckets' rules that the user may write to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.errors import LocalSandboxError, SeedctlError
from seedctl.outputs.path_rules import IDENTITY
from seedctl.s3.section import parse_storage_section

if TYPE_CHECKING:
    from seedctl.outputs import AmplifyOutputs
    from seedctl.s3.client import Storage

TEXT = "My first file"
_NAME = "first.txt"


@dataclass(frozen=True, slots=True)
class FirstFile:
    """A file that the script uploads."""

    path: str
    """The path, in which IDENTITY is the place of the user's identity id."""
    bucket: str | None
    """The friendly name of the bucket; None for the default one."""

    @property
    def has_identity(self) -> bool:
        return IDENTITY in self.path

    def upload(self, storage: Storage) -> None:
        """Upload the file with *storage*. Raises SeedctlError."""
        storage.upload_data(
            lambda identity_id: self.path.replace(IDENTITY, str(identity_id)),
            TEXT,
            bucket=self.bucket,
        )


def find_file(storage: Storage, outputs: AmplifyOutputs) -> FirstFile | None:
    """Return the first file that *storage* can upload, None if there is none.

    Files that were tried are not deleted. Buckets without rules in the outputs file are left out.
    """
    if outputs.storage is None:
        return None
    for candidate in _candidates(outputs):
        try:
            candidate.upload(storage)
        except LocalSandboxError:
            raise
        except SeedctlError:
            continue
        return candidate
    return None


def names_group(outputs: AmplifyOutputs, group: str) -> bool:
    """Whether a path rule of a bucket may be for *group*."""
    if outputs.storage is None:
        return False
    section = parse_storage_section(outputs)
    rules = [each.rules or {} for each in (section.default, *section.named.values())]
    return any(group in grantee for each in rules for grants in each.values() for grantee in grants)


def _candidates(outputs: AmplifyOutputs) -> Iterator[FirstFile]:
    section = parse_storage_section(outputs)
    default = section.default
    others = [each for each in section.named.values() if each.bucket_name != default.bucket_name]
    for bucket in (default, *others):
        for pattern in bucket.rules or ():
            # Only the last wildcard stands for the file's name.
            folder, wildcard, end = pattern.rpartition("*")
            path = f"{folder.replace('*', 'first')}{_NAME if wildcard and not end else ''}{end}"
            yield FirstFile(path, None if bucket is default else bucket.name)
