"""Create users, sign them in, put them into groups: the object door."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl import masking
from seedctl.auth.attributes import check_username, wire_attributes
from seedctl.auth.challenges import TRANSIENT, SignIn, pause
from seedctl.auth.passwords import check_password, derive_temporary_password
from seedctl.auth.session import UserSession
from seedctl.auth.types import AuthOutputs, username_of
from seedctl.errors import (
    CognitoError,
    EndpointUnreachableError,
    InvalidParameterException,
    MFARequiredError,
    NoGroupError,
    NoGroupsError,
    NotAuthorizedException,
    SeedctlError,
    UserExistsError,
    UsernameExistsError,
    UserNotFoundError,
)
from seedctl.report import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.auth.journal import Journal
    from seedctl.auth.pool import UserPool
    from seedctl.auth.types import AnyUser, IfExists, SignInFlow
    from seedctl.report import Observer, State


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to create, with everything checked that can be checked before the first write."""

    username: str
    password: str = field(repr=False)
    sign_in_flow: SignInFlow
    attributes: list[dict[str, str]] = field(repr=False)
    if_exists: IfExists


class Auth:
    """The users of one backend. Safe for many threads; touches nothing ambient."""

    def __init__(
        self,
        pool: Callable[[], UserPool],
        journal: Journal,
        observer: Observer,
        before_write: Callable[[], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*pool* is asked at the first use, since a backend need not have one."""
        self._pool = pool
        self._journal = journal
        self._observer = observer
        self._before_write = before_write
        self._sleep = sleep
        self._lock = threading.Lock()
        self._open: set[UserSession] = set()

    def create_user(
        self,
        username: str,
        password: str,
        *,
        sign_in_flow: SignInFlow = "Password",
        user_attributes: Mapping[str, Any] | None = None,
        if_exists: IfExists = "error",
    ) -> AuthOutputs:
        """Create a user whose password is *password*; nobody is signed in afterwards.

        A user that an earlier run left half-made is finished. For one that is whole, *if_exists*
        decides: "error" raises UsernameExistsError, "sign_in" checks that the password is right.
        Raises InvalidPasswordException and InvalidParameterException before anything is written.
        """
        user = self.check_new_user(
            username,
            password,
            sign_in_flow=sign_in_flow,
            user_attributes=user_attributes,
            if_exists=if_exists,
        )
        outputs, session = self.create(user)
        session.sign_out()
        return outputs

    def check_new_user(
        self,
        username: str,
        password: str,
        *,
        sign_in_flow: SignInFlow = "Password",
        user_attributes: Mapping[str, Any] | None = None,
        if_exists: IfExists = "error",
    ) -> NewUser:
        """Return what :meth:`create` takes, or raise for what Cognito would refuse."""
        settings = self._pool().settings
        masking.register(password)
        _check_flow(sign_in_flow, settings.mfa_configuration)
        if if_exists not in {"error", "sign_in"}:
            raise InvalidParameterException(
                f"if_exists is {if_exists!r}.", resolution='Use "error" or "sign_in".'
            )
        check_username(username, settings)
        check_password(password, settings.password_policy)
        attributes = wire_attributes(username, user_attributes, settings)
        return NewUser(username, password, sign_in_flow, attributes, if_exists)

    def create(self, user: NewUser) -> tuple[AuthOutputs, UserSession]:
        """Create a checked *user* and return it signed in."""
        pool = self._pool()
        pool_id = pool.settings.user_pool_id
        temporary = derive_temporary_password(
            user.password, user_pool_id=pool_id, username=user.username
        )
        self._before_write()
        is_first_try = self._journal.begin(pool_id, user.username)
        try:
            existed, answer_lost = self._create_in_pool(user, temporary)
        except EndpointUnreachableError:
            raise  # it may have been created all the same: the journal keeps it
        except SeedctlError:
            if is_first_try:
                self._journal.finish(pool_id, user.username)
            raise
        if existed and is_first_try and not answer_lost:
            session, state = self._sign_in_existing(user, temporary)
        else:
            session, state = self._finish(user, temporary, is_new=not existed)
        self._journal.finish(pool_id, user.username)
        self._observer.on_event(Event("user", user.username, state, session.user_id))
        return AuthOutputs(user.username, session.user_id, user.sign_in_flow), session

    def sign_in(
        self, user: AnyUser, password: str, *, sign_in_flow: SignInFlow = "Password"
    ) -> UserSession:
        """Sign *user* in and return the session, whose end is the caller's to see to.

        Raises NotAuthorizedException for a wrong password or an unknown user, which Cognito does
        not tell apart.
        """
        pool = self._pool()
        username = username_of(user)
        masking.register(password)
        _check_flow(sign_in_flow, pool.settings.mfa_configuration)
        if not username or not password:
            raise InvalidParameterException(
                f"The {'password' if username else 'user name'} to sign in with is empty.",
                resolution="Give both; a secret may be missing.",
            )
        try:
            session = self._sign_in(username, password)
        except NotAuthorizedException as error:
            error.resolution = error.resolution or (
                "Check the user name and the password."
                if not self._journal.names(pool.settings.user_pool_id, username)
                else "An earlier run left this user unfinished: create_and_sign_up_user with the "
                "same password finishes it."
            )
            raise
        self._observer.on_event(Event("session", username, "signed in"))
        return session

    def add_to_group(self, user: AnyUser, group: str) -> None:
        """Add *user* to *group*, which must exist in the user pool. Twice is as good as once.

        Raises NoGroupsError, NoGroupError and UserNotFoundError.
        """
        pool = self._pool()
        username = username_of(user)
        self._check_group(pool, group)
        self._before_write()
        try:
            pool.add_to_group(username, group)
        except CognitoError as error:
            if error.code == "UserNotFoundException":
                raise UserNotFoundError(
                    f"There is no user {username} to add to the group {group}.",
                    resolution="Create the user first.",
                ) from error
            if error.code == "ResourceNotFoundException":
                raise _no_group(group) from error
            raise
        self._observer.on_event(Event("group member", username, "added", group))

    def close(self) -> None:
        """Sign out every session that is still open."""
        while True:
            with self._lock:
                if not self._open:
                    return
                session = self._open.pop()
            session.sign_out()

    def _sign_in(
        self, username: str, password: str, *, new_password: str | None = None
    ) -> UserSession:
        pool = self._pool()
        try:
            tokens = SignIn(pool, username, password, new_password, sleep=self._sleep).run()
        except CognitoError as error:
            if error.code == "UserNotFoundException":
                raise UserExistsError(
                    f"There is no user {username} to sign in.", resolution="Create it first."
                ) from error
            raise
        session = UserSession(
            pool, username, tokens, on_end=self._ended, warn=self._observer.on_warning
        )
        with self._lock:
            self._open.add(session)
        return session

    def _create_in_pool(self, user: NewUser, temporary: str) -> tuple[bool, bool]:
        """Create the user; return whether it existed, and whether an answer was lost on the way.

        After a lost answer, a user that exists may well be the one this call has made.
        """
        pool = self._pool()
        answer_lost = False
        for attempt in itertools.count(1):
            try:
                pool.create_user(user.username, user.attributes, temporary)
            except CognitoError as error:
                if error.code != "UsernameExistsException":
                    raise
                return True, answer_lost
            except TRANSIENT as error:
                if attempt >= pool.aws.max_attempts:
                    raise
                answer_lost = answer_lost or isinstance(error, EndpointUnreachableError)
                self._sleep(pause(attempt))
            else:
                return False, answer_lost
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _finish(self, user: NewUser, temporary: str, *, is_new: bool) -> tuple[UserSession, State]:
        """Give a user its final password: one just created, or one a run has left half-made.

        Another run may be at the same user right now, or have finished it: then the final password
        is the one that fits.
        """
        try:
            session = self._sign_in(user.username, temporary, new_password=user.password)
        except NotAuthorizedException as refusal:
            try:
                session = self._sign_in(user.username, user.password)
            except NotAuthorizedException:
                if is_new:
                    raise refusal from None
                raise UsernameExistsError(
                    f"The user {user.username} already exists, left unfinished by an earlier run "
                    "with another password.",
                    resolution="Delete the user, or run with the password of that run.",
                ) from refusal
            return session, "created" if is_new else "existed"
        return session, "created" if is_new else "finished"

    def _sign_in_existing(self, user: NewUser, temporary: str) -> tuple[UserSession, State]:
        """Sign in a user that was there before and that nothing says is unfinished.

        Only on request: a failed sign-in counts towards locking the account.
        """
        self._journal.finish(self._pool().settings.user_pool_id, user.username)
        if user.if_exists == "error":
            raise UsernameExistsError(
                f"The user {user.username} already exists.",
                resolution='Use another name, sign in instead, or pass if_exists="sign_in".',
            )
        try:
            return self._sign_in(user.username, user.password), "existed"
        except NotAuthorizedException as refusal:
            try:
                return self._finish(user, temporary, is_new=False)
            except UsernameExistsError:
                refusal.resolution = "The user exists with another password: use that one."
                raise refusal from None

    def _ended(self, session: UserSession) -> None:
        with self._lock:
            self._open.discard(session)

    @staticmethod
    def _check_group(pool: UserPool, group: str) -> None:
        groups = pool.settings.groups
        if groups is None:
            return  # outputs before version 1.3 do not say: Cognito will
        if not groups:
            raise NoGroupsError(
                "The user pool has no groups.",
                resolution=f'Add groups: ["{group}"] in amplify/auth/resource.ts and deploy.',
            )
        names = [known.name for known in groups]
        if group not in names:
            raise _no_group(group, names)


def _check_flow(flow: SignInFlow, mfa_configuration: str | None) -> None:
    if flow not in {"Password", "MFA"}:
        raise InvalidParameterException(
            f"sign_in_flow is {flow!r}.", resolution='Use "Password" or "MFA".'
        )
    if flow == "Password" and mfa_configuration == "REQUIRED":
        raise MFARequiredError(
            "The user pool requires MFA, so nobody can sign in with a password alone.",
            resolution='Use sign_in_flow="MFA".',
        )


def _no_group(group: str, names: list[str] | None = None) -> NoGroupError:
    known = f" It has {', '.join(names)}." if names else ""
    return NoGroupError(
        f"The user pool has no group {group}.{known}",
        resolution=f'Use one it has, or add "{group}" in amplify/auth/resource.ts and deploy.',
    )
