"""What the handlers of user pool calls share: pool, state, clock, sessions and tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from seedctl.local.cognito.attributes import read_username
from seedctl.local.cognito.errors import not_authorized, unknown_client, unknown_pool
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.sessions import Sessions
from seedctl.local.cognito.tokens import Tokens
from seedctl.local.cognito.users import User, UserRecords
from seedctl.local.protocol import Call, ServiceError
from seedctl.local.store import Store

_HOUR = 3600.0
MAX_TOKEN = 131072

# Calls per user and hour, as Cognito publishes them: limits against guessing codes and flooding an
# inbox. For a forgotten password the limit is 5 to 20, depending on risk; this is the lowest.
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
    """The state of one user pool; every handler gets it."""

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
        """Return the Username of a *call* without credentials or token.

        Also checks its client, and the parameters that have no effect here.
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
        """Yield the users for one transaction, which is rolled back if the block raises."""
        with self.store.transaction() as view:
            yield UserRecords(view, self.pool, self.clock())

    @contextmanager
    def changing_user(self, name: str) -> Iterator[tuple[UserRecords, User]]:
        """Yield the user *name* for one transaction; save the user when the block ends.

        Raises UserNotFoundException, the error that administrators get.
        """
        with self.changing_users() as users:
            user = users.require(name)
            yield users, user
            users.save_modified(user)

    @contextmanager
    def changing_caller(self, claims: dict[str, Any]) -> Iterator[tuple[UserRecords, User]]:
        """As ``changing_user``, for the user that the token *claims* belong to."""
        with self.changing_users() as users:
            user = self.tokens.user_of_claims(users, claims)
            yield users, user
            users.save_modified(user)

    def count_call(self, call: Call, name: str) -> None:
        """Count *call* about the user *name*. Raises LimitExceededException.

        It uses its own transaction, so calls that fail afterwards count too. Unknown names are not
        counted [?].
        """
        operation = call.operation
        with self.changing_users() as users:
            user = users.find(name)
            if user is None:
                return
            calls = user.calls.get(operation, [])
            recent = [called for called in calls if users.now - called < _HOUR]
            if len(recent) >= CALLS_PER_HOUR[operation]:
                text = "Attempt limit exceeded, please try after some time."
                raise ServiceError("LimitExceededException", text)
            user.calls[operation] = [*recent, users.now]
            users.save(user)


def refuse_secret_hash(parameters: Mapping[str, object]) -> None:
    if parameters.get("SECRET_HASH") is not None:
        # Cognito's message is not known [?].
        raise not_authorized("The client has no secret, but a secret hash was received.")
