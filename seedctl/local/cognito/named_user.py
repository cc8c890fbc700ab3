"""What the calls share that name a user and come without any proof of who calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.local.cognito.admin import username
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.local.cognito.service import UserPoolService


def named_user(service: UserPoolService, call: Call) -> str:
    """Return the Username of *call*, after its client and the parameters that have no effect."""
    service.check_client(call)
    refuse_secret_hash({"SECRET_HASH": call.input.get("SecretHash")})
    call.text_map("ClientMetadata")
    return username(call)


def refuse_secret_hash(parameters: Mapping[str, object]) -> None:
    if parameters.get("SECRET_HASH") is not None:
        # Cognito's own words for it are not known [?].
        raise ServiceError(
            "NotAuthorizedException", "The client has no secret, but a secret hash was received."
        )
