"""Who calls, by access key and signature."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.rules import role_of
from seedctl.local.s3.signature import ChunkSigner, check_expiry, read_signature, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedctl.local.identity_pool import Principal
    from seedctl.local.s3.buckets import Bucket
    from seedctl.local.s3.requests import S3Request
    from seedctl.local.s3.rules import Role
    from seedctl.outputs import UserGroup

_LOCAL = "local"
_TEMPORARY = "ASIA"


@dataclass(frozen=True, slots=True)
class Caller:
    role: Role | None
    """None is the developer, who may do everything."""
    payload_hash: str
    signer: ChunkSigner | None = None
    """None if the signature cannot be checked."""

    def may(self, action: str, bucket: Bucket, path: str) -> bool:
        return self.role is None or bucket.rules.allows(self.role, action, path)

    def check(self, action: str, bucket: Bucket, path: str) -> None:
        """Raise S3Error AccessDenied unless *action* is allowed."""
        if not self.may(action, bucket, path):
            raise S3Error("AccessDenied")


class Callers:
    def __init__(
        self,
        principal: Callable[[str], Principal | None],
        groups: Sequence[UserGroup],
        clock: Callable[[], float],
    ) -> None:
        self._principal = principal
        self._groups = groups
        self._clock = clock

    def identify(self, request: S3Request) -> Caller:
        """Return who sent *request*. Raises S3Error.

        A key that was not given out here is the developer's own: it is taken at its word, as
        everywhere in the sandbox, since its secret is AWS's.
        """
        signature = read_signature(request)
        now = self._clock()
        key = signature.access_key_id
        if key == _LOCAL:
            signing_key = verify(signature, _LOCAL, request, now)
            check_expiry(signature, now)
            return Caller(None, signature.payload_hash, ChunkSigner(signing_key, signature))
        if not key.startswith(_TEMPORARY):
            check_expiry(signature, now)
            return Caller(None, signature.payload_hash)
        principal = self._principal(key)
        if principal is None:
            # Whether they ran out or another sandbox gave them: the client is to get new ones.
            raise S3Error("ExpiredToken")
        if not hmac.compare_digest((signature.token or "").encode(), principal.token.encode()):
            raise S3Error("InvalidToken")
        signing_key = verify(signature, principal.secret, request, now)
        check_expiry(signature, now)
        role = role_of(principal.identity_id, principal.claims, self._groups)
        return Caller(role, signature.payload_hash, ChunkSigner(signing_key, signature))
