"""What the calls of a user pool share: the pool, its state, the clock, the open challenges."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedctl.local.cognito.pool import unknown_client, unknown_pool
from seedctl.local.cognito.users import UserRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.sessions import Sessions
    from seedctl.local.cognito.tokens import Tokens
    from seedctl.local.protocol import Call
    from seedctl.local.store import Store


class UserPoolService:
    """Handed to every handler."""

    def __init__(
        self,
        *,
        store: Store,
        pool: UserPool,
        clock: Callable[[], float],
        sessions: Sessions,
        tokens: Tokens,
    ) -> None:
        self.store = store
        self.pool = pool
        self.clock = clock
        self.sessions = sessions
        self.tokens = tokens

    def check_pool(self, call: Call) -> None:
        pool_id = call.text("UserPoolId", maximum=55)
        if pool_id != self.pool.id:
            raise unknown_pool(pool_id)

    def check_client(self, call: Call) -> None:
        client_id = call.text("ClientId", maximum=128)
        if client_id != self.pool.client_id:
            raise unknown_client(client_id)

    @contextmanager
    def reading_users(self) -> Iterator[UserRecords]:
        with self.store.reading() as view:
            yield UserRecords(view, self.pool)

    @contextmanager
    def changing_users(self) -> Iterator[UserRecords]:
        """Give the users for one atomic change: all of the block, or nothing if it raises."""
        with self.store.transaction() as view:
            yield UserRecords(view, self.pool)
