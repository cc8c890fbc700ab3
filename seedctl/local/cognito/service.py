"""What the calls of a user pool share: the pool, its state, the clock, the open challenges."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.attributes import read_username
from seedctl.local.cognito.errors import not_authorized, unknown_client, unknown_pool
from seedctl.local.cognito.sessions import Sessions
from seedctl.local.cognito.tokens import Tokens
from seedctl.local.cognito.users import UserRecords
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.users import User
    from seedctl.local.store import Store

_HOUR = 3600.0
MAX_TOKEN = 131072

# How often Cognito lets one user call what could be used to guess codes or to flood an inbox. As
# published, for each user and hour. For a forgotten password it is 5 to 20, by risk: the least.
CALLS_PER_HOUR = {
    "ChangePassword": 5,
    "ConfirmForgotPassword": 5,
    "ConfirmSignUp": 15,
    "ForgotPassword": 5,
    "GetUserAttributeVerificationCode": 5,
    "ResendConfirmationCode": 5,
    "VerifyUserAttribute": 15,
}


class UserPoolService:
    """Handed to every handler."""

    def __init__(self, store: Store, pool: UserPool, clock: Callable[[], float]) -> None:
        self.store = store
        self.pool = pool
        self.clock = clock
        self.sessions = Sessions(clock)
        self.tokens = Tokens(store, pool, clock)

    def check_pool(self, call: Call) -> None:
        pool_id = call.text("UserPoolId", maximum=55)
        if pool_id != self.pool.id:
            raise unknown_pool(pool_id)

    def check_client(self, call: Call) -> None:
        client_id = call.text("ClientId", maximum=128)
        if client_id != self.pool.client_id:
            raise unknown_client(client_id)

    def named_user(self, call: Call) -> str:
        """Return the Username of a *call* that comes without any proof of who calls.

        Its client is checked before, and so are the parameters that have no effect.
        """
        self.check_client(call)
        refuse_secret_hash({"SECRET_HASH": call.input.get("SecretHash")})
        call.text_map("ClientMetadata")
        return read_username(call)

    def claims_of(self, call: Call) -> dict[str, Any]:
        """Return the claims of the call's access token. Raises NotAuthorizedException."""
        return self.tokens.access_claims(call.text("AccessToken", maximum=MAX_TOKEN))

    @contextmanager
    def reading_users(self) -> Iterator[UserRecords]:
        with self.store.reading() as view:
            yield UserRecords(view, self.pool, self.clock())

    @contextmanager
    def changing_users(self) -> Iterator[UserRecords]:
        """Give the users for one atomic change: all of the block, or nothing if it raises."""
        with self.store.transaction() as view:
            yield UserRecords(view, self.pool, self.clock())

    @contextmanager
    def changing_user(self, name: str) -> Iterator[tuple[UserRecords, User]]:
        """Give the user *name* for one atomic change, stored as modified when the block ends.

        Raises UserNotFoundException, as administrators are told.
        """
        with self.changing_users() as users:
            user = users.require(name)
            yield users, user
            users.save_modified(user)

    @contextmanager
    def changing_caller(self, claims: dict[str, Any]) -> Iterator[tuple[UserRecords, User]]:
        """As ``changing_user``, for the user that *claims* speak for."""
        with self.changing_users() as users:
            user = self.tokens.of_claims(users, claims)
            yield users, user
            users.save_modified(user)

    def count_call(self, call: Call, name: str) -> None:
        """Count *call* about the user *name*. Raises LimitExceededException.

        In a transaction of its own, so that a call which is refused afterwards counts too. Names
        that nobody has are not counted [?].
        """
        operation = call.operation
        with self.changing_users() as users:
            user = users.find(name)
            if user is None:
                return
            calls = user.calls.get(operation, [])
            recent = [moment for moment in calls if users.now - moment < _HOUR]
            if len(recent) >= CALLS_PER_HOUR[operation]:
                text = "Attempt limit exceeded, please try after some time."
                raise ServiceError("LimitExceededException", text)
            user.calls[operation] = [*recent, users.now]
            users.save(user)


def refuse_secret_hash(parameters: Mapping[str, object]) -> None:
    if parameters.get("SECRET_HASH") is not None:
        # Cognito's own words for it are not known [?].
        raise not_authorized("The client has no secret, but a secret hash was received.")
