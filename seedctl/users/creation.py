"""Create a user with its final password, whatever breaks off in between.

The user is made with a temporary password, which the first sign-in replaces. A run that dies between
the two leaves an unfinished user; the journal and the derived temporary password let the next run
finish it. What is next follows from two things, by the table NEXT: what the journal says, and what
the user pool answers to AdminCreateUser.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from seedctl.cognito.attributes import copied_attribute
from seedctl.cognito.groups import add_to_group
from seedctl.cognito.passwords import derive_temporary_password
from seedctl.cognito.refusals import is_about_password
from seedctl.cognito.sign_in import TRANSIENT, is_last, pause
from seedctl.cognito.updates import VERIFIED, update_warnings
from seedctl.errors import (
    CognitoError,
    EndpointUnreachableError,
    InvalidResponseError,
    NotAuthorizedException,
    SeedctlError,
    ServiceFailedError,
    UsernameExistsError,
)
from seedctl.masking import mask
from seedctl.report import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal, Protocol

    from seedctl.cognito.creation import CheckedUser
    from seedctl.cognito.journal import Claim, Journal, JournalState
    from seedctl.cognito.pool import UserPool
    from seedctl.report import Observer, State
    from seedctl.users.session import UserSession

    Known = JournalState | Literal["waited"]
    """What is known of a user before it is created; "waited": another run on this machine was
    creating it when this one came, and has ended."""
    PoolAnswer = Literal["created", "exists", "exists, answer lost"]
    """What the pool answers; the last: that it exists, after an answer of this run was lost."""
    Step = Literal["set password", "finish", "try to finish", "check existing", "check concurrent"]

    class SignsIn(Protocol):
        """Signs *user* in, setting *new_password* if Cognito asks for one."""

        def __call__(
            self, user: CheckedUser, password: str, *, new_password: str | None = None
        ) -> UserSession: ...


# Failures after which nobody knows whether the work was done.
_UNCERTAIN = (EndpointUnreachableError, InvalidResponseError, ServiceFailedError)

# "set password": the user is new. "finish": an earlier run's, unfinished. "try to finish": perhaps
# an earlier run's; it is where the temporary password fits. "check existing": somebody else's. "check concurrent": one that
# a run beside this one has just created.
NEXT: Mapping[tuple[Known, PoolAnswer], Step] = {
    ("new", "created"): "set password",
    ("new", "exists"): "check existing",
    ("new", "exists, answer lost"): "try to finish",
    ("started", "created"): "set password",
    ("started", "exists"): "try to finish",
    ("started", "exists, answer lost"): "try to finish",
    ("created", "created"): "set password",
    ("created", "exists"): "finish",
    ("created", "exists, answer lost"): "finish",
    ("waited", "created"): "set password",
    ("waited", "exists"): "check concurrent",
    ("waited", "exists, answer lost"): "try to finish",
}

# The passwords to sign in with, one after the other until one fits, and what the user is then. A
# failed sign-in counts towards locking the account, so that there are never more than three. The
# last look is for a user whose final password a run on another machine has set in between.
SIGN_INS: Mapping[Step, tuple[tuple[Literal["temporary", "final"], State], ...]] = {
    "set password": (("temporary", "created"), ("final", "created")),
    "finish": (("temporary", "finished"), ("final", "finished")),
    "try to finish": (("temporary", "finished"), ("final", "existed")),
    "check existing": (("final", "existed"), ("temporary", "finished"), ("final", "existed")),
    "check concurrent": (("final", "existed"), ("temporary", "finished"), ("final", "existed")),
}
_LAST_LOOK = 2  # after so many refusals
_PAUSE_BEFORE_LAST_LOOK = 1.0  # seconds

_TAKEN = re.compile(r"\bgiven (email|phone)")
_ATTRIBUTES = {"email": "email", "phone": "phone_number"}


class Creation:
    """Creates checked users in one pool."""

    def __init__(
        self,
        pool: UserPool,
        journal: Journal,
        sign_in: SignsIn,
        sleep: Callable[[float], None],
        observer: Observer,
    ) -> None:
        """*observer* hears of users that are unfinished, and of groups."""
        self._pool = pool
        self._journal = journal
        self._sign_in = sign_in
        self._sleep = sleep
        self._observer = observer
        self._started_here: set[str] = set()
        """Users that this process was the first to begin, and has not finished."""

    def create(self, user: CheckedUser) -> tuple[UserSession | None, State]:
        """Create *user* and return it signed in, with what became of it.

        With ``if_exists="skip"`` there is no session of a user that was there.
        """
        with self._journal.claim(self._pool.settings.user_pool_id, user.username) as claim:
            return self._create(user, claim)

    def _create(self, user: CheckedUser, claim: Claim) -> tuple[UserSession | None, State]:
        known: Known = claim.state
        if known == "new":
            if claim.was_waited_for:
                known = "waited"
            elif user.temporary_password is not None:
                known = "started"  # whoever has its temporary password means this user
            else:
                self._started_here.add(user.username)
        temporary = user.temporary_password or derive_temporary_password(
            user.password,
            user_pool_id=self._pool.settings.user_pool_id,
            username=user.username,
        )
        try:
            answer = self._create_in_pool(user, temporary)
        except _UNCERTAIN:
            raise  # it may have been created all the same: the journal keeps it
        except SeedctlError:
            if claim.state == "new":
                self._clear_journal(user, claim)
            raise
        step = NEXT[known, answer]
        if answer == "created":
            claim.mark_created()
            self._observer.on_event(Event("user", user.username, "unfinished"))
            # While the password is temporary: a run that stops here is taken up again.
            self._join_groups(user)
        elif step in {"check existing", "check concurrent"}:
            self._clear_journal(
                user, claim
            )  # there is nothing that a later run would have to finish
            if user.if_exists == "skip" or (step == "check existing" and user.if_exists == "error"):
                return self._keep_existing(user)
        return self._finish(user, temporary, claim, step)

    def _finish(
        self, user: CheckedUser, temporary: str, claim: Claim, step: Step
    ) -> tuple[UserSession | None, State]:
        """Sign in as *step* says, and do what is left."""
        session, state, refusals = self._sign_in_by(step, user, temporary, claim)
        if session is None:
            if len(refusals) < len(SIGN_INS[step]):
                self._clear_journal(user, claim)
                return self._keep_existing(user)
            raise self._no_password_fits(user, claim, step, refusals)
        if step == "finish" and refusals and not session.mfa_method and not user.groups:
            state = "existed"  # a run beside this one has done all that there was to do
        try:
            if step != "set password":
                # Not before the password has shown that this is the user who is meant.
                self._join_groups(user)
            if user.if_exists == "update" and state == "existed" and self._update(user, session):
                state = "updated"
        except BaseException:
            session.sign_out()
            raise
        if user.username in self._started_here:
            # An earlier try of this process may have got as far as this one found the user.
            state = "created"
        self._clear_journal(user, claim)
        return session, state

    def _sign_in_by(
        self, step: Step, user: CheckedUser, temporary: str, claim: Claim
    ) -> tuple[UserSession | None, State, list[NotAuthorizedException]]:
        """Try the passwords of *step* until one fits, or is not to be tried.

        Return the session, if there is one, with what the user is, and the refusals.
        """
        refusals: list[NotAuthorizedException] = []
        for which, state in SIGN_INS[step]:
            if refusals and step == "try to finish" and user.if_exists in {"error", "skip"}:
                break  # not ours, and not to be signed in
            if len(refusals) == _LAST_LOOK:
                self._sleep(_PAUSE_BEFORE_LAST_LOOK)
            if state == "existed":
                self._clear_journal(
                    user, claim
                )  # whole, if it fits: not for the next run to finish
            try:
                if which == "temporary":
                    session = self._sign_in(user, temporary, new_password=user.password)
                else:
                    session = self._sign_in(user, user.password)
            except NotAuthorizedException as refusal:
                if not is_about_password(refusal):
                    raise
                refusals.append(refusal)
            else:
                return session, state, refusals
        return None, "existed", refusals

    def _no_password_fits(
        self,
        user: CheckedUser,
        claim: Claim,
        step: Step,
        refusals: list[NotAuthorizedException],
    ) -> SeedctlError:
        """Return the error for a user that no password fits."""
        if step == "set password":
            return refusals[0]
        if step == "finish":
            error = UsernameExistsError(
                f"The user {mask(user.username)} already exists, left unfinished by an earlier run with "
                "another password.",
                resolution="Delete the user, or run with the password of that run.",
            )
            error.__cause__ = refusals[0]
            return error
        self._clear_journal(user, claim)
        if user.if_exists == "error":
            return _exists(user)
        refusals[0].resolution = (
            "The user exists with another password: use that one. If it has only a temporary "
            "password, give that as temporary_password= and the final one as the password."
        )
        return refusals[0]

    def _clear_journal(self, user: CheckedUser, claim: Claim) -> None:
        self._started_here.discard(user.username)
        claim.clear()

    @staticmethod
    def _keep_existing(user: CheckedUser) -> tuple[None, State]:
        """Leave a user that was there as it is. Raises UsernameExistsError if it must be new."""
        if user.if_exists == "error":
            raise _exists(user)
        return None, "existed"

    def _update(self, user: CheckedUser, session: UserSession) -> bool:
        """Set the attributes that users may set themselves; return whether there were any.

        Warns of codes that Cognito sends, and of flags that it drops or that only it may set.
        """
        own_name = copied_attribute(user.username, self._pool.settings)
        attributes = [
            attribute
            for attribute in user.attributes
            if attribute["Name"] not in (*VERIFIED, own_name)
        ]
        tokens = session.tokens()
        deliveries = self._pool.update_attributes(tokens.access, attributes) if attributes else []
        for warning in update_warnings(
            user.username,
            given={attribute["Name"]: attribute["Value"] for attribute in user.attributes},
            sent=attributes,
            before=tokens.id_claims(),
            deliveries=deliveries,
        ):
            self._observer.on_warning(warning)
        return bool(attributes)

    def _join_groups(self, user: CheckedUser) -> None:
        for group in user.groups:
            add_to_group(self._pool, user.username, group, self._observer)

    def _create_in_pool(self, user: CheckedUser, temporary: str) -> PoolAnswer:
        """Create the user, again where no clear answer comes."""
        pool = self._pool
        answer_lost = False
        for attempt in itertools.count(1):
            try:
                pool.create_user(user.username, user.attributes, temporary)
            except CognitoError as error:
                if error.code != "UsernameExistsException":
                    raise
                self._refuse_taken_attribute(user, error)
                return "exists, answer lost" if answer_lost else "exists"
            except TRANSIENT as error:
                if is_last(attempt, pool.aws.max_attempts, error):
                    raise
                answer_lost = answer_lost or isinstance(error, _UNCERTAIN)
                self._sleep(pause(attempt))
            else:
                return "created"
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _refuse_taken_attribute(self, user: CheckedUser, error: CognitoError) -> None:
        """Raise where it is not the name that is taken, which only Cognito's text tells."""
        found = _TAKEN.search(error.message)
        attribute = _ATTRIBUTES[found.group(1)] if found else None
        if attribute is None or attribute == copied_attribute(user.username, self._pool.settings):
            return
        raise CognitoError(
            f"The user {mask(user.username)} was not created: another user has its {attribute}.",
            code=error.code,
            resolution=f"Give the user another {attribute}, or leave it out.",
        ) from error


def _exists(user: CheckedUser) -> UsernameExistsError:
    return UsernameExistsError(
        f"The user {mask(user.username)} already exists.",
        resolution='Use another name, or pass if_exists="skip" or "sign_in". A user that has only a '
        "temporary password is finished with temporary_password=.",
    )
