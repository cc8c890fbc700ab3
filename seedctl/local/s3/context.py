"""What one call has at hand, and how every answer begins."""

from __future__ import annotations

import base64
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING

from seedctl.local.http1 import Response
from seedctl.local.s3.documents import XML_TYPE
from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.local.s3.buckets import Bucket
    from seedctl.local.s3.callers import Caller
    from seedctl.local.s3.files import Files
    from seedctl.local.s3.requests import S3Request
    from seedctl.local.store import Store

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Room:
    """What outlives a call."""

    store: Store
    files: Files
    buckets: Mapping[str, Bucket]

    def bucket(self, name: str) -> Bucket:
        found = self.buckets.get(name)
        if found is None:
            raise S3Error("NoSuchBucket", BucketName=name)
        return found


@dataclass(frozen=True, slots=True)
class Context:
    room: Room
    request: S3Request
    caller: Caller
    now: float

    @property
    def bucket(self) -> Bucket:
        return self.room.bucket(self.request.bucket)

    @property
    def key(self) -> str:
        return self.request.key

    def parameter(self, name: str, default: str = "") -> str:
        return self.request.parameters.get(name, default)

    def check(self, action: str) -> None:
        """Raise S3Error AccessDenied unless the caller may do *action* here."""
        self.caller.check(action, self.bucket, self.key)

    def check_is_developer(self) -> None:
        # Amplify grants none of these to anyone.
        if self.caller.role is not None:
            raise S3Error("AccessDenied")


def reply(status: int = 200, body: bytes = b"", headers: Headers = ()) -> Response:
    content = (("Content-Type", XML_TYPE),) if body else ()
    return Response(status, body, (*content, *headers))


def request_ids() -> tuple[str, str]:
    """Return a RequestId and a HostId of the forms that S3 gives."""
    return uuid.uuid4().hex[:16].upper(), base64.b64encode(secrets.token_bytes(48)).decode()


def iso(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def http_date(moment: float) -> str:
    return formatdate(int(moment), usegmt=True)
