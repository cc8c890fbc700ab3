"""The tokens of a signed-in user: issue, refresh, revoke and check them.

Each sign-in stores a *grant*. All tokens of the sign-in carry its ``origin_jti``. The grant holds a
digest of the refresh token, never the token itself.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.attributes import FLAGS
from seedctl.local.cognito.errors import disabled_user, not_authorized, unknown_user
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.users import User, UserRecords
from seedctl.local.protocol import ServiceError
from seedctl.local.store import Store

if TYPE_CHECKING:
    from seedctl.local.cognito.signing import SigningKey

_SCOPE = "aws.cognito.signin.user.admin"


class ExpiredTokenError(ServiceError):
    """An expired token. It has its own class since other services use another error message."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One sign-in, valid as long as its refresh token."""

    origin_jti: str
    username: str
    sub: str
    client_id: str
    auth_time: int
    token_epoch: int
    refresh_digest: str
    revoked: bool = False


_GRANT = tuple(each.name for each in fields(Grant))


class Tokens:
    def __init__(self, store: Store, pool: UserPool, clock: Callable[[], float]) -> None:
        self._store = store
        self._pool = pool
        self._clock = clock
        self._key: SigningKey | None = None

    def signing_key(self) -> SigningKey:
        """Return the pool's key. The first call loads cryptography and may generate the key."""
        # If two threads get here at once, both get the same key from the store.
        if self._key is None:
            from seedctl.local.cognito.signing import SigningKey  # noqa: PLC0415

            self._key = SigningKey.of_pool(self._store, self._pool.id)
        return self._key

    def clear_cache(self) -> None:
        """Read the key again at the next call."""
        self._key = None

    def grant(self, users: UserRecords, user: User) -> tuple[Grant, str]:
        """Record a new sign-in of *user*; return it with its refresh token."""
        origin_jti = str(uuid.uuid4())
        refresh_token = f"{origin_jti}.{secrets.token_urlsafe(768)}"
        grant = Grant(
            origin_jti=origin_jti,
            username=user.username,
            sub=user.sub,
            client_id=self._pool.client_id,
            auth_time=int(self._clock()),
            token_epoch=user.token_epoch,
            refresh_digest=self._digest(refresh_token),
        )
        users.view.put("session", pool=self._pool.id, **asdict(grant))
        return grant, refresh_token

    def result(
        self, user: User, grant: Grant, groups: list[str], refresh_token: str | None
    ) -> dict[str, Any]:
        """Return the AuthenticationResult with new id and access tokens of *grant*.

        *groups* must be in the order of their precedence.
        """
        now = int(self._clock())
        common: dict[str, Any] = {
            "sub": user.sub,
            **({"cognito:groups": groups} if groups else {}),
            "iss": self._pool.issuer,
            "origin_jti": grant.origin_jti,
            "event_id": str(uuid.uuid4()),
            "auth_time": grant.auth_time,
            "iat": now,
        }
        flags = {name: user.attributes[name] == "true" for name in FLAGS if name in user.attributes}
        id_claims = {
            **user.attributes,
            **flags,
            **common,
            "cognito:username": user.username,
            "aud": grant.client_id,
            "exp": now + self._pool.id_token_seconds,
            "token_use": "id",
            "jti": str(uuid.uuid4()),
        }
        access_claims = {
            **common,
            "client_id": grant.client_id,
            "exp": now + self._pool.access_token_seconds,
            "token_use": "access",
            "scope": _SCOPE,
            "jti": str(uuid.uuid4()),
            "username": user.username,
        }
        key = self.signing_key()
        result: dict[str, Any] = {
            "AccessToken": key.sign(access_claims),
            "ExpiresIn": self._pool.access_token_seconds,
            "IdToken": key.sign(id_claims),
            "TokenType": "Bearer",
        }
        if refresh_token is not None:
            result["RefreshToken"] = refresh_token
        return result

    def user_of_refresh_token(self, users: UserRecords, token: str) -> tuple[User, Grant]:
        """Return the user and grant of a valid refresh token. Raises NotAuthorizedException."""
        grant = self._by_refresh_token(users, token)
        user = users.by_username(grant.username) if grant is not None else None
        if grant is None or user is None or user.sub != grant.sub:
            raise not_authorized("Invalid Refresh Token")
        if grant.client_id != self._pool.client_id:
            raise not_authorized("Invalid Refresh Token")
        if self._clock() > grant.auth_time + self._pool.refresh_token_seconds:
            raise not_authorized("Refresh Token has expired")
        if not user.enabled:
            raise disabled_user()
        if grant.revoked or grant.token_epoch != user.token_epoch:
            raise not_authorized("Refresh Token has been revoked")
        return user, grant

    def access_claims(self, token: str) -> dict[str, Any]:
        """Return the claims of an access token of this pool. Raises NotAuthorizedException.

        Call it before the transaction in which ``user_of_claims`` gets the user: it may have to
        generate the signing key, which would block other writers.
        """
        return self.user_claims(token, ("access",), "Invalid Access Token")

    def user_claims(
        self, token: str, uses: Sequence[str] = ("access", "id"), refusal: str = "Invalid Token"
    ) -> dict[str, Any]:
        """As ``access_claims``, for an access or an id token."""
        claims = self.signing_key().read(token)
        if claims is None or claims["token_use"] not in uses:
            raise not_authorized(refusal)
        if self._clock() > claims["exp"]:
            raise ExpiredTokenError("NotAuthorizedException", "Access Token has expired")
        return claims

    def user_of_claims(self, users: UserRecords, claims: dict[str, Any]) -> User:
        """Return the user that *claims* belong to. Raises NotAuthorizedException."""
        # Access tokens and id tokens use different names for the user name.
        user = users.by_username(claims.get("username") or claims["cognito:username"])
        if user is None or user.sub != claims["sub"]:
            raise unknown_user()
        if not user.enabled:
            raise disabled_user()
        grant = self._grant(users, claims["origin_jti"])
        if grant is None or grant.revoked or grant.token_epoch != user.token_epoch:
            raise not_authorized("Access Token has been revoked")
        return user

    def is_jwt(self, token: str) -> bool:
        """Whether *token* is an id or access token that this pool signed."""
        return self.signing_key().read(token) is not None

    def revoke(self, users: UserRecords, token: str) -> None:
        """End the sign-in of a refresh token. An unknown or revoked token is not an error."""
        grant = self._by_refresh_token(users, token)
        if grant is not None:
            users.view.put("session", pool=self._pool.id, **asdict(replace(grant, revoked=True)))

    def _by_refresh_token(self, users: UserRecords, token: str) -> Grant | None:
        grant = self._grant(users, token.partition(".")[0])
        is_right = grant and hmac.compare_digest(grant.refresh_digest, self._digest(token))
        return grant if is_right else None

    def _grant(self, users: UserRecords, origin_jti: str) -> Grant | None:
        query = "SELECT * FROM session WHERE pool = ? AND origin_jti = ?"
        row = users.view.row(query, self._pool.id, origin_jti)
        return None if row is None else Grant(**{name: row[name] for name in _GRANT})

    def _digest(self, token: str) -> str:
        """Return the digest that is stored instead of a refresh *token*."""
        return self._store.seal.digest("refresh token", token).hex()
