"""The caller of a request, identified by access key and signature."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seedctl.local.identity_pool import Principal
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.requests import S3Request
from seedctl.local.s3.rules import Role, role_of
from seedctl.local.s3.signature import ChunkVerifier, check_expiry, read_signature, verify
from seedctl.outputs.auth import UserGroup

_LOCAL = "local"
_TEMPORARY = "ASIA"


@dataclass(frozen=True, slots=True)
class Requester:
    role: Role | None
    """None for the developer, who may do everything."""
    payload_hash: str
    verifier: ChunkVerifier | None = None
    """Checks the chunks of the body; None if the secret key is unknown."""


def identify(
    request: S3Request,
    find_principal: Callable[[str], Principal | None],
    groups: Sequence[UserGroup],
    now: float,
) -> Requester:
    """Return who sent *request*. Raises S3Error.

    *find_principal* returns the holder of a temporary access key that this sandbox issued. A
    permanent key is the developer's: its signature is not checked, since only AWS knows the secret.
    """
    signature = read_signature(request)
    key = signature.access_key_id
    if key == _LOCAL:
        return Requester(None, signature.payload_hash, verify(signature, _LOCAL, request, now))
    if not key.startswith(_TEMPORARY):
        check_expiry(signature, now)
        return Requester(None, signature.payload_hash)
    holder = find_principal(key)
    if holder is None:
        # Expired, or issued by another sandbox: either way the client has to get new credentials.
        raise S3Error("ExpiredToken")
    if not hmac.compare_digest((signature.token or "").encode(), holder.token.encode()):
        raise S3Error("InvalidToken")
    role = role_of(holder.identity_id, holder.claims, groups)
    verifier = verify(signature, holder.secret, request, now)
    return Requester(role, signature.payload_hash, verifier)
