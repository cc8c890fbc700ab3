"""``create_users``: check the rows, create the users in threads, return the results in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import TYPE_CHECKING, NamedTuple, get_args

from seedctl.bulk.engine import check_concurrency, run
from seedctl.bulk.failures import bulk_error, retrying
from seedctl.bulk.progress import Tally
from seedctl.cognito.new_user import check_new_user
from seedctl.cognito.types import IfUserExists, NewUser, OnError, UserResult
from seedctl.errors import InvalidParameterException, SeedctlError
from seedctl.masking import mask
from seedctl.report import Event, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.cognito.new_user import CheckedUser
    from seedctl.cognito.pool import UserPool
    from seedctl.cognito.types import UserState
    from seedctl.report import Observer, State
    from seedctl.users.creation import UserCreator

_WHAT = "users"
_NEXT_RUN: Mapping[str, str] = {
    "error": 'With if_exists="skip" a second run continues where this one stopped.',
    "skip": "Run again: existing users are left unchanged.",
    "sign_in": "Run again: existing users are signed in and kept.",
    "update": "Run again: existing users are updated.",
}
_STATES: Mapping[State, UserState] = {
    "created": "created",
    "existed": "existed",
    "finished": "finished",
    "updated": "updated",
}


class _Outcome(NamedTuple):
    state: UserState
    user_id: str | None


class BatchUserCreator:
    """Creates the users of one call of ``create_users``."""

    def __init__(
        self,
        pool: UserPool,
        creator: UserCreator,
        observer: Observer,
        before_write: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._creator = creator
        self._observer = observer
        self._before_write = before_write

    def create(
        self,
        users: Iterable[NewUser],
        *,
        concurrency: int,
        if_exists: IfUserExists,
        on_error: OnError,
    ) -> list[UserResult]:
        _check_options(users, concurrency, if_exists, on_error)
        results: dict[int, UserResult] = {}
        total = len(users) if isinstance(users, Sized) else None
        tally = Tally(self._observer, _WHAT, total)

        def on_invalid(name: str, error: SeedctlError) -> None:
            self._observer.on_event(failure("user", name, error))
            tally.add(failed=1)

        rows = _CheckedRows(self._pool, users, if_exists, results, on_invalid)
        jobs: Iterable[CheckedUser] = self._announced(rows)
        with tally:  # around the checks too: it counts invalid rows
            if total is not None:
                jobs = list(rows)
                if on_error == "raise":
                    _raise_failures(results, _NEXT_RUN[if_exists], not_tried=len(jobs))
                if jobs:
                    self._before_write()
            work = self._reporting_failures(retrying(self._create_one))
            outcomes = run(jobs, work, concurrency=concurrency, tally=tally)
        # Invalid rows have their results already. The outcomes belong to the other rows, in order.
        valid = [index for index, each in sorted(results.items()) if each.state == "not tried"]
        for index, outcome in zip(valid, outcomes, strict=False):
            username = results[index].username
            if outcome.value is not None:
                state, user_id = outcome.value
                results[index] = UserResult(index, username, user_id, state)
            elif outcome.error is not None:
                results[index] = UserResult(index, username, None, "failed", outcome.error)
        if on_error == "raise":
            _raise_failures(results, _NEXT_RUN[if_exists])
        return [results[index] for index in sorted(results)]

    def _announced(self, rows: Iterable[CheckedUser]) -> Iterator[CheckedUser]:
        for row in rows:
            self._before_write()
            yield row

    def _reporting_failures(
        self, create: Callable[[CheckedUser], _Outcome]
    ) -> Callable[[CheckedUser], _Outcome]:
        def work(user: CheckedUser) -> _Outcome:
            try:
                return create(user)
            except SeedctlError as error:
                self._observer.on_event(failure("user", user.username, error))
                raise

        return work

    def _create_one(self, user: CheckedUser) -> _Outcome:
        session, state = self._creator.create(user)
        user_id = session.user_id if session is not None else None
        if session is not None:
            session.sign_out()
        self._observer.on_event(Event("user", user.username, state, user_id or ""))
        return _Outcome(_STATES[state], user_id)


class _CheckedRows:
    """Iterates over the valid rows and checks each; records invalid rows in the results."""

    def __init__(
        self,
        pool: UserPool,
        users: Iterable[NewUser],
        if_exists: IfUserExists,
        results: dict[int, UserResult],
        on_invalid: Callable[[str, SeedctlError], None],
    ) -> None:
        """*on_invalid* is called with the name and the error of each invalid row."""
        self._pool = pool
        self._on_invalid = on_invalid
        self._users = users
        self._if_exists = if_exists
        self._results = results
        self._first_index: dict[str, int] = {}

    def __iter__(self) -> Iterator[CheckedUser]:
        for index, user in enumerate(self._users):
            name = getattr(user, "username", "")
            name = name if isinstance(name, str) else ""
            try:
                checked = self._check(index, user)
            except SeedctlError as error:
                self._results[index] = UserResult(index, name, None, "failed", error)
                self._on_invalid(name or f"rows[{index}]", error)
                continue
            self._results[index] = UserResult(index, name, None, "not tried")
            yield checked

    def _check(self, index: int, user: NewUser) -> CheckedUser:
        if not isinstance(user, NewUser):
            raise InvalidParameterException(
                f"Row {index} is a {type(user).__name__}, not a NewUser.",
                resolution="Give NewUser(username, password, …).",
            )
        checked = check_new_user(user, self._pool.settings, if_exists=self._if_exists)
        # Names that differ only in case may be different users: that depends on the user pool.
        first = self._first_index.setdefault(user.username, index)
        if first != index:
            raise InvalidParameterException(
                f"Rows {first} and {index} are the same user, {mask(user.username)}.",
                resolution="Leave one of them out.",
            )
        return checked


def _raise_failures(results: dict[int, UserResult], next_run: str, *, not_tried: int = 0) -> None:
    ordered = [results[index] for index in sorted(results)]
    errors = [each.error for each in ordered if each.error is not None]
    if errors:
        not_tried = not_tried or sum(each.state == "not tried" for each in ordered)
        resolution = " ".join(text for text in (errors[0].resolution, next_run) if text)
        raise bulk_error(
            _WHAT, errors, results=ordered, not_tried=not_tried, resolution=resolution
        ) from errors[0]


def _check_options(
    users: Iterable[NewUser], concurrency: int, if_exists: IfUserExists, on_error: OnError
) -> None:
    check_concurrency(concurrency)
    for name, value, choices in (
        ("if_exists", if_exists, get_args(IfUserExists)),
        ("on_error", on_error, get_args(OnError)),
    ):
        if value not in choices:
            raise InvalidParameterException(f"{name}={value!r} is none of {', '.join(choices)}.")
    if isinstance(users, Mapping | str | bytes | NewUser) or not isinstance(users, Iterable):
        raise InvalidParameterException(
            f"Expected an iterable of NewUser, got {type(users).__name__}.",
            resolution="Give a list or a generator of NewUser(username, password, …).",
        )
