"""Who calls, by access key and signature."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.rules import role_of
from seedctl.local.s3.signature import check_expiry, read_signature, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedctl.local.identity_pool import Principal
    from seedctl.local.s3.requests import S3Request
    from seedctl.local.s3.rules import Role
    from seedctl.local.s3.signature import ChunkSigner
    from seedctl.outputs.document import UserGroup

_LOCAL = "local"
_TEMPORARY = "ASIA"


@dataclass(frozen=True, slots=True)
class Requester:
    role: Role | None
    """None is the developer, who may do everything."""
    payload_hash: str
    signer: ChunkSigner | None = None
    """None if the signature cannot be checked."""


def identify(
    request: S3Request,
    principal: Callable[[str], Principal | None],
    groups: Sequence[UserGroup],
    now: float,
) -> Requester:
    """Return who sent *request*; *principal* tells who holds an access key. Raises S3Error.

    A key that was not given out here is the developer's own: it is taken at its word, as
    everywhere in the sandbox, since its secret is AWS's.
    """
    signature = read_signature(request)
    key = signature.access_key_id
    if key == _LOCAL:
        return Requester(None, signature.payload_hash, verify(signature, _LOCAL, request, now))
    if not key.startswith(_TEMPORARY):
        check_expiry(signature, now)
        return Requester(None, signature.payload_hash)
    holder = principal(key)
    if holder is None:
        # Whether they ran out or another sandbox gave them: the client is to get new ones.
        raise S3Error("ExpiredToken")
    if not hmac.compare_digest((signature.token or "").encode(), holder.token.encode()):
        raise S3Error("InvalidToken")
    role = role_of(holder.identity_id, holder.claims, groups)
    signer = verify(signature, holder.secret, request, now)
    return Requester(role, signature.payload_hash, signer)
