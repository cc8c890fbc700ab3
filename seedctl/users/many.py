"""``create_users``, the bulk call that creates users, and the rows of ``fake_users``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from seedctl.bulk.engine import BulkOptions, unwritten_state
from seedctl.bulk.row_by_row import RowByRowCall
from seedctl.cognito.new_user import CheckedUser, check_new_user
from seedctl.cognito.pool import UserPool
from seedctl.cognito.types import IfUserExists, NewUser, UserResult, UserState
from seedctl.errors import InvalidParameterException, SeedctlError
from seedctl.masking import mask
from seedctl.report import Event, Observer, failure
from seedctl.users.creation import UserCreator


class BulkUserCreator(RowByRowCall[NewUser, "CheckedUser", UserResult]):
    """Creates the users of one call of ``create_users``."""

    noun = "users"
    item_type = "NewUser"
    item_example = "NewUser(username, password, …)"
    error_type = InvalidParameterException
    next_runs: ClassVar[Mapping[str, str]] = {
        "error": 'With if_exists="skip" a second run continues where this one stopped.',
        "skip": "Run again: existing users are left unchanged.",
        "sign_in": "Run again: existing users are signed in, not created.",
        "update": "Run again: existing users are updated.",
    }

    def __init__(
        self,
        pool: UserPool,
        creator: UserCreator,
        observer: Observer,
        before_write: Callable[[], None],
        options: BulkOptions,
    ) -> None:
        super().__init__(observer, options)
        self._pool = pool
        self._creator = creator
        self._if_exists = cast("IfUserExists", options.if_exists)
        self._before_write = before_write
        self.on_invalid = self.on_duplicate = "refuse" if options.on_error == "raise" else "skip"

    def before_first_row(self) -> None:
        self._before_write()

    def check(self, index: int, item: NewUser) -> CheckedUser:
        if not isinstance(item, NewUser):
            raise InvalidParameterException(
                f"Row {index} is a {type(item).__name__}, not a NewUser.",
                resolution="Give NewUser(username, password, …).",
            )
        return check_new_user(item, self._pool.settings, if_exists=self._if_exists)

    def key(self, row: CheckedUser) -> str:
        # Names that differ only in case may be different users: that depends on the user pool.
        return row.username

    def shared_by(self, row: CheckedUser) -> str:
        return f"are the same user, {mask(row.username)}"

    def write_row(self, index: int, row: CheckedUser) -> UserResult:
        session, state = self._creator.create(row)
        user_id = session.user_id if session is not None else None
        if session is not None:
            session.sign_out()
        self._observer.on_event(Event("user", row.username, state, user_id or ""))
        return UserResult(index, row.username, user_id, cast("UserState", state))

    def unwritten(self, index: int, row: NewUser, error: SeedctlError | None) -> UserResult:
        name = getattr(row, "username", "")
        name = name if isinstance(name, str) else ""
        return UserResult(index, name, None, unwritten_state(error), error)

    def failure(self, result: UserResult, error: SeedctlError) -> Event:
        return failure("user", result.username or f"rows[{result.index}]", error)


def fake_new_users(
    pool: UserPool,
    count: int,
    password: str,
    *,
    seed: int | str,
    groups: Any,
    user_attributes: Mapping[str, Any] | None,
) -> list[NewUser]:
    """Return the users that ``Auth.fake_users`` describes. Raises InvalidInputError."""
    from seedctl.fake import fake_users  # noqa: PLC0415 - most scripts make no users

    made = fake_users(
        pool.settings,
        pool.details,
        count,
        groups=groups,
        attributes=user_attributes or {},
        seed=seed,
    )
    return [
        NewUser(user.username, password, user_attributes=user.attributes, groups=user.groups)
        for user in made
    ]
