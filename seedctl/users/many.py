"""``create_users``: rows checked, made in threads, and their results in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, get_args

from seedctl.bulk.engine import check_concurrency, run
from seedctl.bulk.failures import bulk_error, retrying
from seedctl.bulk.progress import Tally
from seedctl.cognito.creation import check_new_user, checked_groups
from seedctl.cognito.mfa import MFACallbacks
from seedctl.cognito.types import IfUserExists, NewUser, OnError, UserResult
from seedctl.errors import InvalidParameterException, SeedctlError
from seedctl.masking import mask
from seedctl.report import Event, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.cognito.creation import CheckedUser
    from seedctl.cognito.pool import UserPool
    from seedctl.cognito.types import UserState
    from seedctl.report import Observer, State
    from seedctl.users.creation import Creation

_WHAT = "users"
_AGAIN: Mapping[str, str] = {
    "error": 'With if_exists="skip" a second run goes on where this one stopped.',
    "skip": "Run again: users that are there are left as they are.",
    "sign_in": "Run again: users that are there are signed in and kept.",
    "update": "Run again: users that are there are updated.",
}
_STATES: Mapping[State, UserState] = {
    "created": "created",
    "existed": "existed",
    "finished": "finished",
    "updated": "updated",
}


class _Made(NamedTuple):
    state: UserState
    user_id: str | None


class ManyUsers:
    """Creates many users of one pool."""

    def __init__(
        self,
        pool: UserPool,
        creation: Creation,
        observer: Observer,
        before_write: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._creation = creation
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
        rows = _Rows(self._pool, users, if_exists, results, partial(self._refused, tally))
        jobs: Iterable[CheckedUser] = self._announced(rows)
        with tally:  # rows that are wrong are told of too, so an end has to be
            if total is not None:
                jobs = list(rows)
                if on_error == "raise":
                    _raise_failures(results, _AGAIN[if_exists], not_tried=len(jobs))
                if jobs:
                    self._before_write()
            make = partial(self._told, retrying(self._make))
            outcomes = run(jobs, make, concurrency=concurrency, tally=tally)
        # Rows that were wrong are in the results already; the outcomes are of the others, in order.
        drawn = (index for index, each in sorted(results.items()) if each.state == "not tried")
        for index, outcome in zip(list(drawn), outcomes, strict=False):
            username = results[index].username
            if outcome.value is not None:
                state, user_id = outcome.value
                results[index] = UserResult(index, username, user_id, state)
            elif outcome.error is not None:
                results[index] = UserResult(index, username, None, "failed", outcome.error)
        if on_error == "raise":
            _raise_failures(results, _AGAIN[if_exists])
        return [results[index] for index in sorted(results)]

    def _announced(self, rows: Iterable[CheckedUser]) -> Iterator[CheckedUser]:
        for row in rows:
            self._before_write()
            yield row

    def _refused(self, tally: Tally, name: str, error: SeedctlError) -> None:
        self._observer.on_event(failure("user", name, error))
        tally.add(failed=1)

    def _told(self, make: Callable[[CheckedUser], _Made], user: CheckedUser) -> _Made:
        try:
            return make(user)
        except SeedctlError as error:
            self._observer.on_event(failure("user", user.username, error))
            raise

    def _make(self, user: CheckedUser) -> _Made:
        session, state = self._creation.create(user)
        if session is None:
            self._observer.on_event(Event("user", user.username, state))
            return _Made(_STATES[state], None)
        session.sign_out()
        self._observer.on_event(Event("user", user.username, state, session.user_id))
        return _Made(_STATES[state], session.user_id)


class _Rows:
    """Draws and checks rows; one that is wrong fails here, by itself."""

    def __init__(
        self,
        pool: UserPool,
        users: Iterable[NewUser],
        if_exists: IfUserExists,
        results: dict[int, UserResult],
        refused: Callable[[str, SeedctlError], None],
    ) -> None:
        """*refused* is told the name of each that is wrong, and why."""
        self._pool = pool
        self._refused = refused
        self._users = users
        self._if_exists = if_exists
        self._results = results
        self._met: dict[str, int] = {}

    def __iter__(self) -> Iterator[CheckedUser]:
        for index, user in enumerate(self._users):
            name = getattr(user, "username", "")
            name = name if isinstance(name, str) else ""
            try:
                checked = self._checked(index, user)
            except SeedctlError as error:
                self._results[index] = UserResult(index, name, None, "failed", error)
                self._refused(name or f"rows[{index}]", error)
                continue
            self._results[index] = UserResult(index, name, None, "not tried")
            yield checked

    def _checked(self, index: int, user: NewUser) -> CheckedUser:
        if not isinstance(user, NewUser):
            raise InvalidParameterException(
                f"Row {index} is a {type(user).__name__}, not a NewUser.",
                resolution="Give NewUser(username, password, …).",
            )
        checked = check_new_user(
            self._pool.settings,
            user.username,
            user.password,
            sign_in_flow=user.sign_in_flow,
            user_attributes=user.user_attributes,
            if_exists=self._if_exists,
            callbacks=MFACallbacks(
                user.mfa_preference,
                user.sign_in_challenge,
                email_sign_up_challenge=user.email_sign_up_challenge,
                sms_sign_up_challenge=user.sms_sign_up_challenge,
                totp_sign_up_challenge=user.totp_sign_up_challenge,
            ),
            groups=checked_groups(user.username, user.groups),
            temporary_password=user.temporary_password,
        )
        # Names that differ in case may be two users: only Cognito knows whether the pool tells them
        # apart.
        first = self._met.setdefault(user.username, index)
        if first != index:
            raise InvalidParameterException(
                f"Rows {first} and {index} are the same user, {mask(user.username)}.",
                resolution="Leave one of them out.",
            )
        return checked


def _raise_failures(results: dict[int, UserResult], again: str, *, not_tried: int = 0) -> None:
    ordered = [results[index] for index in sorted(results)]
    errors = [each.error for each in ordered if each.error is not None]
    if errors:
        not_tried = not_tried or sum(each.state == "not tried" for each in ordered)
        resolution = " ".join(text for text in (errors[0].resolution, again) if text)
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
            f"The users are a {type(users).__name__}, not many NewUser objects.",
            resolution="Give a list or a generator of NewUser(username, password, …).",
        )
