"""Create a user with its final password, whatever breaks off in between.

The user is made with a temporary password, which the first sign-in replaces. A run that dies between
the two leaves a half-made user; the journal and the derived temporary password let the next run
finish it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedctl import masking
from seedctl.auth.attributes import check_username, copied_attribute, wire_attributes
from seedctl.auth.mfa import check_sign_up
from seedctl.auth.passwords import check_password, derive_temporary_password
from seedctl.auth.sign_in import TRANSIENT, is_last, pause
from seedctl.errors import (
    CognitoError,
    EndpointUnreachableError,
    InvalidParameterException,
    NotAuthorizedException,
    SeedctlError,
    ServiceFailedError,
    UsernameExistsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from seedctl.auth.journal import Journal, Note
    from seedctl.auth.mfa import Answers
    from seedctl.auth.pool import UserPool
    from seedctl.auth.session import UserSession
    from seedctl.auth.types import IfUserExists, SignInFlow
    from seedctl.project import AuthSection
    from seedctl.report import State

    class SignsIn(Protocol):
        """Signs *user* in, setting *new_password* if Cognito asks for one."""

        def __call__(
            self, user: CheckedUser, password: str, *, new_password: str | None = None
        ) -> UserSession: ...


# Failures after which nobody knows whether the work was done.
_UNCERTAIN = (EndpointUnreachableError, ServiceFailedError)


@dataclass(frozen=True, slots=True)
class CheckedUser:
    """A user to create, with everything checked that can be checked before the first write."""

    username: str
    password: str = field(repr=False)
    sign_in_flow: SignInFlow
    attributes: list[dict[str, str]] = field(repr=False)
    if_exists: IfUserExists
    answers: Answers = field(repr=False)
    email: str | None
    groups: tuple[str, ...] = ()


def check_new_user(
    settings: AuthSection,
    username: str,
    password: str,
    *,
    sign_in_flow: SignInFlow,
    user_attributes: Mapping[str, Any] | None,
    if_exists: IfUserExists,
    answers: Answers,
    groups: tuple[str, ...] = (),
) -> CheckedUser:
    """Return what :class:`Creation` takes, or raise for what cannot end well."""
    check_flow(sign_in_flow)
    check_username(username, settings)
    check_password(password, settings.password_policy)
    masking.register(password)
    attributes = wire_attributes(username, user_attributes, settings)
    given = {attribute["Name"]: attribute["Value"] for attribute in attributes}
    check_sign_up(sign_in_flow, answers, settings, username, given)
    email = given.get("email")
    if email is None and copied_attribute(username, settings) == "email":
        email = username
    return CheckedUser(
        username, password, sign_in_flow, attributes, if_exists, answers, email, groups
    )


def check_flow(flow: SignInFlow) -> None:
    if flow not in ("Password", "MFA"):  # no set: what is given may have no hash
        raise InvalidParameterException(
            f"sign_in_flow is {flow!r}.", resolution='Use "Password" or "MFA".'
        )


class Creation:
    """Creates checked users in one pool."""

    def __init__(
        self,
        pool: UserPool,
        journal: Journal,
        sign_in: SignsIn,
        sleep: Callable[[float], None],
        join: Callable[[str, str], None],
    ) -> None:
        """*join* adds the user of that name to the group."""
        self._pool = pool
        self._journal = journal
        self._sign_in = sign_in
        self._sleep = sleep
        self._join = join
        self._begun: set[str] = set()
        """Users that this process was the first to begin, and has not finished."""

    def create(self, user: CheckedUser) -> tuple[UserSession | None, State]:
        """Create *user* and return it signed in, with what became of it.

        With ``if_exists="skip"`` there is no session of a user that was there.
        """
        pool_id = self._pool.settings.user_pool_id
        temporary = derive_temporary_password(
            user.password, user_pool_id=pool_id, username=user.username
        )
        note = self._journal.begin(pool_id, user.username)
        if note == "new":
            self._begun.add(user.username)
        try:
            existed, answer_lost = self._create_in_pool(user, temporary)
        except _UNCERTAIN:
            raise  # it may have been created all the same: the journal keeps it
        except SeedctlError:
            if note == "new":
                self._forget(user)
            raise
        if not existed:
            self._journal.confirm(pool_id, user.username)
            session, state = self._finish(user, temporary, is_new=True)
        else:
            found, state = self._take_up(
                user, temporary, "begun" if answer_lost and note == "new" else note
            )
            if found is None:
                return None, state
            session = found
            # Not before the password has shown that this is the user who is meant.
            try:
                self._join_groups(user)
            except BaseException:
                session.sign_out()
                raise
        if user.username in self._begun:
            # An earlier try of this process may have got as far as this one found the user.
            state = "created"
        self._forget(user)
        return session, state

    def _take_up(
        self, user: CheckedUser, temporary: str, note: Note
    ) -> tuple[UserSession | None, State]:
        """Go on with a user that is in the pool, as far as *note* tells whose it is."""
        if note == "created":
            return self._finish(user, temporary, is_new=False)
        if note == "begun":
            return self._finish_or_meet(user, temporary)
        self._begun.discard(user.username)
        self._refuse_existing(user)
        if user.if_exists == "skip":
            return None, "existed"
        return self._sign_in_existing(user, temporary)

    def _finish_or_meet(
        self, user: CheckedUser, temporary: str
    ) -> tuple[UserSession | None, State]:
        """Take up a user that was there, and may be ours: nobody has heard whether we created it.

        It is ours only where the temporary password fits.
        """
        try:
            return self._sign_in(user, temporary, new_password=user.password), "finished"
        except NotAuthorizedException as refusal:
            _raise_if_locked(refusal)
        self._refuse_existing(user)
        if user.if_exists == "skip":
            return None, "existed"
        self._forget(user)
        return self._sign_in(user, user.password), "existed"

    def _forget(self, user: CheckedUser) -> None:
        self._begun.discard(user.username)
        self._journal.finish(self._pool.settings.user_pool_id, user.username)

    def _refuse_existing(self, user: CheckedUser) -> None:
        """Forget a user that is none of ours, and raise UsernameExistsError if it must be new."""
        if user.if_exists not in {"error", "skip"}:
            return
        self._forget(user)
        if user.if_exists == "error":
            raise UsernameExistsError(
                f"The user {masking.mask(user.username)} already exists.",
                resolution='Use another name, sign in instead, or pass if_exists="sign_in".',
            )

    def _join_groups(self, user: CheckedUser) -> None:
        for group in user.groups:
            self._join(user.username, group)

    def _create_in_pool(self, user: CheckedUser, temporary: str) -> tuple[bool, bool]:
        """Create the user; return whether it existed, and whether an answer was lost on the way.

        After a lost answer, a user that exists may well be the one this call has made.
        """
        pool = self._pool
        answer_lost = False
        for attempt in itertools.count(1):
            try:
                pool.create_user(user.username, user.attributes, temporary)
            except CognitoError as error:
                if error.code != "UsernameExistsException":
                    raise
                return True, answer_lost
            except TRANSIENT as error:
                if is_last(attempt, pool.aws.max_attempts, error):
                    raise
                answer_lost = answer_lost or isinstance(error, _UNCERTAIN)
                self._sleep(pause(attempt))
            else:
                return False, answer_lost
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _finish(
        self, user: CheckedUser, temporary: str, *, is_new: bool
    ) -> tuple[UserSession, State]:
        """Give a user its final password: one just created, or one a run has left half-made.

        Another run may be at the same user right now, or have finished it: then the final password
        is the one that fits.
        """
        if is_new:
            # While the password is temporary: a run that stops here is taken up again.
            self._join_groups(user)
        try:
            session = self._sign_in(user, temporary, new_password=user.password)
        except NotAuthorizedException as refusal:
            _raise_if_locked(refusal)
            try:
                session = self._sign_in(user, user.password)
            except NotAuthorizedException as second:
                _raise_if_locked(second)
                if is_new:
                    raise refusal from None
                raise UsernameExistsError(
                    f"The user {masking.mask(user.username)} already exists, left unfinished by an "
                    "earlier run with another password.",
                    resolution="Delete the user, or run with the password of that run.",
                ) from refusal
            if is_new:
                return session, "created"
            # MFA comes after the final password, and groups may: a run may have stopped between.
            return session, "finished" if session.mfa_method or user.groups else "existed"
        return session, "created" if is_new else "finished"

    def _sign_in_existing(self, user: CheckedUser, temporary: str) -> tuple[UserSession, State]:
        """Sign in a user that was there before and that nothing says is unfinished.

        Only on request: a failed sign-in counts towards locking the account.
        """
        pool_id = self._pool.settings.user_pool_id
        try:
            session = self._sign_in(user, user.password)
        except NotAuthorizedException as error:
            _raise_if_locked(error)
            refusal = error
        except BaseException:
            # The password was right, so the user is whole: it is not for the next run to finish.
            self._journal.finish(pool_id, user.username)
            raise
        else:
            self._journal.finish(pool_id, user.username)
            return session, "existed"
        try:
            return self._sign_in(user, temporary, new_password=user.password), "finished"
        except NotAuthorizedException:
            pass
        if not self._journal.names(pool_id, user.username):
            # Our marker is gone: a run beside this one has finished the user in the meantime.
            return self._sign_in(user, user.password), "existed"
        self._journal.finish(pool_id, user.username)
        refusal.resolution = "The user exists with another password: use that one."
        raise refusal


def _raise_if_locked(refusal: NotAuthorizedException) -> None:
    """Raise *refusal* where it says nothing of the password: there were too many wrong ones."""
    if "attempts exceeded" in refusal.message:  # Cognito has no code of its own for this
        refusal.resolution = (
            "Cognito refuses a user for a while after several wrong passwords. Wait some minutes, "
            "then run again with the right one."
        )
        raise refusal
