"""The caller of a request: an API key, a user of the user pool, or an IAM principal.

Signatures of IAM requests are not verified. The access key id alone identifies the caller, and only
ids that the sandbox knows are accepted.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seedctl.local.appsync.errors import unauthenticated
from seedctl.local.cognito.tokens import ExpiredTokenError
from seedctl.local.identity_pool import Principal
from seedctl.local.protocol import ServiceError
from seedctl.outputs.sections import DataOutputs

API_KEY = "apiKey"
USER_POOL = "userPools"
IAM = "iam"
IDENTITY_POOL = "identityPool"

_PROVIDERS: Mapping[str | None, str] = {
    "API_KEY": API_KEY,
    "AMAZON_COGNITO_USER_POOLS": USER_POOL,
    "AWS_IAM": IAM,
    "AWS_LAMBDA": "function",
    "OPENID_CONNECT": "oidc",
}
_LOCAL_KEY = "local"
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=([^/, ]+)/[0-9]{8}/[a-z0-9-]+/appsync/aws4_request *,.*"
)
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Caller:
    provider: str
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The claims of a user's token."""
    is_guest: bool = False
    """For IDENTITY_POOL: whether the caller has the unauthenticated role."""

    @property
    def username(self) -> str | None:
        name = self.claims.get("username") or self.claims.get("cognito:username")
        return name if isinstance(name, str) else None

    def groups(self, claim: str) -> tuple[str, ...]:
        found = self.claims.get(claim)
        if isinstance(found, str):
            return (found,)
        return tuple(found) if isinstance(found, list) else ()


class Callers:
    """Identifies the callers of one API."""

    def __init__(
        self,
        data: DataOutputs,
        *,
        read_token: Callable[[str], dict[str, Any]],
        find_principal: Callable[[str], Principal | None],
    ) -> None:
        """*read_token* returns the claims of a token, or raises ServiceError if it is not valid.

        *find_principal* returns the holder of an access key id of the identity pool, else None.
        """
        self._default = _PROVIDERS.get(data.default_authorization_type, IAM)
        # If the file does not list the providers, all are accepted.
        listed = _PROVIDERS if data.authorization_types is None else data.authorization_types
        self._enabled = {self._default, *(_PROVIDERS.get(name) for name in listed)}
        self._api_key = data.api_key
        self._read_token = read_token
        self._find_principal = find_principal

    def identify(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller who sent *headers*. Raises RefusedCallError."""
        authorization = headers.get("authorization")
        api_key = headers.get("x-api-key")
        # If both headers are sent, authorization wins [?].
        if authorization is None and api_key is None and self._default == USER_POOL:
            raise unauthenticated("Valid authorization header not provided.")
        if authorization is None:
            return self._of_api_key(api_key)
        if authorization.startswith("AWS4-HMAC-SHA256"):
            return self._of_signature(authorization)
        return self._of_token(authorization.removeprefix("Bearer "))

    def _of_api_key(self, given: str | None) -> Caller:
        known = self._api_key
        if API_KEY not in self._enabled or known is None or given is None:
            raise unauthenticated()
        if not hmac.compare_digest(known.encode(), given.encode("utf-8", "replace")):
            raise unauthenticated()
        return Caller(API_KEY)

    def _of_signature(self, authorization: str) -> Caller:
        # Gen 2 always enables IAM, whatever the file lists.
        match = _SIGNED.fullmatch(authorization)
        if match is not None and match[1] == _LOCAL_KEY:
            return Caller(IAM)
        found = self._find_principal(match[1]) if match is not None else None
        if found is None:
            raise unauthenticated()
        return Caller(IDENTITY_POOL, found.claims, is_guest=found.is_guest)

    def _of_token(self, token: str) -> Caller:
        if not _JWT.fullmatch(token) and "function" in self._enabled:
            raise unauthenticated(
                "The Lambda authorizer is not available locally: its handler is your own code."
            )
        if USER_POOL not in self._enabled:
            raise unauthenticated()
        if not _JWT.fullmatch(token):
            raise unauthenticated("Unable to parse JWT token.")
        try:
            return Caller(USER_POOL, self._read_token(token))
        except ExpiredTokenError as error:
            raise unauthenticated("Token has expired.") from error  # [?]
        except ServiceError as error:
            raise unauthenticated("Valid authorization header not provided.") from error
