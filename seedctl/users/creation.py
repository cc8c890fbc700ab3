"""Create a user with its final password, even if an earlier run stopped in the middle.

Cognito creates a user with a temporary password, which the first sign-in replaces with the final one.
A run that stops between the two leaves an unfinished user. The next run can finish it: the journal
names the user, and its temporary password can be derived again.

This is a state machine. The table NEXT_STEP gives the next step for each pair of what the journal has
recorded and what the user pool responds to AdminCreateUser. The table SIGN_INS gives the passwords to
try in each step, and the resulting state of the user.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from seedctl.cognito.attributes import (
    VERIFIED_FLAGS,
    copied_attribute,
    possibly_copied_attribute,
    update_warnings,
)
from seedctl.cognito.journal import Claim, Journal, JournalState
from seedctl.cognito.new_user import CheckedUser, derive_temporary_password
from seedctl.cognito.pool import UserPool, is_about_password
from seedctl.cognito.sign_in import retry
from seedctl.errors import (
    CognitoError,
    EndpointUnreachableError,
    InvalidPasswordException,
    InvalidResponseError,
    NotAuthorizedException,
    SeedctlError,
    ServiceFailedError,
    UsernameExistsError,
)
from seedctl.masking import mask
from seedctl.report import Event, Observer, State
from seedctl.users.session import UserSession

PriorState = JournalState | Literal["concurrent"]
"""What is known about a user before AdminCreateUser: what the journal has recorded, or
"concurrent": this run had to wait for another run that was creating the user."""
PoolResponse = Literal["created", "exists", "exists, response lost"]
"""The outcome of AdminCreateUser. "exists, response lost": the user exists, but an earlier
request of this run got no clear response, and may have created it."""
Step = Literal["set password", "finish", "try to finish", "check existing", "check concurrent"]
"""What to do next:

- "set password": this run has created the user; set its final password.
- "finish": an earlier run created the user and did not finish it.
- "try to finish": perhaps an earlier run created it; the temporary password will show.
- "check existing": something else created the user; ``if_exists`` decides.
- "check concurrent": a concurrent run has just created the user.
"""

SignsIn = Callable[[CheckedUser, str, str | None], UserSession]
"""Signs a user in with a password; the third argument answers NEW_PASSWORD_REQUIRED."""


# After these errors the request may or may not have been carried out.
_UNCERTAIN = (EndpointUnreachableError, InvalidResponseError, ServiceFailedError)

NEXT_STEP: Mapping[tuple[PriorState, PoolResponse], Step] = {
    ("new", "created"): "set password",
    ("new", "exists"): "check existing",
    ("new", "exists, response lost"): "try to finish",
    ("started", "created"): "set password",
    ("started", "exists"): "try to finish",
    ("started", "exists, response lost"): "try to finish",
    ("created", "created"): "set password",
    ("created", "exists"): "finish",
    ("created", "exists, response lost"): "finish",
    ("concurrent", "created"): "set password",
    ("concurrent", "exists"): "check concurrent",
    ("concurrent", "exists, response lost"): "try to finish",
}

# The passwords to try, in order, and the state of the user if one is accepted. At most three, because
# Cognito locks a user after several wrong passwords. The third attempt, after a pause, succeeds if a
# run on another machine has set the final password meanwhile.
SIGN_INS: Mapping[Step, tuple[tuple[Literal["temporary", "final"], State], ...]] = {
    "set password": (("temporary", "created"), ("final", "created")),
    "finish": (("temporary", "finished"), ("final", "finished")),
    "try to finish": (("temporary", "finished"), ("final", "existed")),
    "check existing": (("final", "existed"), ("temporary", "finished"), ("final", "existed")),
    "check concurrent": (("final", "existed"), ("temporary", "finished"), ("final", "existed")),
}
_ATTEMPTS_BEFORE_PAUSE = 2
_PAUSE_SECONDS = 1.0

# In Cognito's message: which attribute belongs to another user.
_STRICTER_POLICY = (
    "The outputs file has another password policy than the pool, or none, so the user exists by now, "
    "with a temporary password made from this one: delete the user (in the local sandbox: seedctl local "
    "reset), and choose a password that meets the pool's policy."
)
_TAKEN = re.compile(r"\bgiven (email|phone)")
_TAKEN_ATTRIBUTES = {"email": "email", "phone": "phone_number"}


@dataclass(eq=False)
class UserCreator:
    """Creates the users of one call. Thread-safe."""

    pool: UserPool
    journal: Journal
    sign_in: SignsIn
    sleep: Callable[[float], None]
    observer: Observer
    """Receives events about unfinished users and groups, and warnings."""
    on_password: Callable[[str, str], None] | None = None
    """Receives the name and the final password of each user that accepted it."""
    started_here: set[str] = field(default_factory=set)
    """Users that this call was the first to start, and has not finished yet."""

    def create(self, user: CheckedUser) -> tuple[UserSession | None, State]:
        """Create *user*, and return its session and its state.

        The session is None for an existing user that was skipped (``if_exists="skip"``).
        """
        with self.journal.claim(self.pool.settings.user_pool_id, user.username) as claim:
            session, state = _Creation(self, user, claim).run()
        if session is not None and self.on_password is not None:
            self.on_password(user.username, user.password)
        return session, state


class _Creation:
    """The creation of one user, while this run holds the claim on it."""

    def __init__(self, creator: UserCreator, user: CheckedUser, claim: Claim) -> None:
        self._creator = creator
        self._pool = creator.pool
        self._observer = creator.observer
        self._user = user
        self._claim = claim
        self._response_lost = False
        pool_id = self._pool.settings.user_pool_id
        self._temporary_password = user.temporary_password or derive_temporary_password(
            user.password, user_pool_id=pool_id, username=user.username
        )

    def run(self) -> tuple[UserSession | None, State]:
        user = self._user
        prior = self._prior_state()
        try:
            response = retry(self._create_in_pool, self._pool.aws.max_attempts, self._creator.sleep)
        except _UNCERTAIN:
            raise  # Cognito may have created the user, so it stays in the journal
        except SeedctlError:
            if self._claim.state == "new":
                self._clear_journal()
            raise
        step = NEXT_STEP[prior, response]
        if response == "created":
            self._claim.mark_created()
            self._observer.on_event(Event("user", user.username, "unfinished"))
            # Before the password is set: if this fails, the next run still finds an unfinished user.
            self._add_groups()
        elif step in {"check existing", "check concurrent"}:
            self._clear_journal()  # this run did not create it, so no later run has to finish it
            if user.if_exists == "skip" or (step == "check existing" and user.if_exists == "error"):
                return self._skip_existing()
        return self._finish(step)

    def _prior_state(self) -> PriorState:
        if self._claim.state != "new":
            return self._claim.state
        if self._claim.was_waited_for:
            return "concurrent"
        if self._user.temporary_password is not None:
            return "started"  # a caller that knows the temporary password means this very user
        self._creator.started_here.add(self._user.username)
        return "new"

    def _create_in_pool(self) -> PoolResponse:
        user = self._user
        try:
            self._pool.create_user(user, user.attributes, self._temporary_password)
        except CognitoError as error:
            if error.code != "UsernameExistsException":
                raise
            self._raise_if_attribute_taken(error)
            return "exists, response lost" if self._response_lost else "exists"
        except _UNCERTAIN:
            self._response_lost = True
            raise
        return "created"

    def _raise_if_attribute_taken(self, error: CognitoError) -> None:
        """Raise if another user has an attribute of this user. Only Cognito's message tells this."""
        found = _TAKEN.search(error.message)
        attribute = _TAKEN_ATTRIBUTES[found.group(1)] if found else None
        own_name = possibly_copied_attribute(self._user.username, self._pool.settings)
        if attribute is None or attribute == own_name:
            return
        raise CognitoError(
            f"The user {mask(self._user.username)} was not created: another user has its "
            f"{attribute}.",
            code=error.code,
            resolution=f"Give the user another {attribute}, or leave it out.",
        ) from error

    def _finish(self, step: Step) -> tuple[UserSession | None, State]:
        """Sign in as *step* requires, then set groups and attributes."""
        user = self._user
        session, state, refusals = self._try_passwords(step)
        if session is None:
            if len(refusals) < len(SIGN_INS[step]):
                self._clear_journal()
                return self._skip_existing()
            raise self._no_password_fits(step, refusals)
        if step == "finish" and refusals and not session.mfa_method and not user.groups:
            state = "existed"  # a concurrent run has already finished everything
        try:
            if step != "set password":
                # Add groups only after the password proved that this is the intended user.
                self._add_groups()
            if user.if_exists == "update" and state == "existed" and self._update(session):
                state = "updated"
        except BaseException:
            session.sign_out()
            raise
        if user.username in self._creator.started_here:
            # An earlier attempt of this same call created the user, so it is new to the caller.
            state = "created"
        self._clear_journal()
        return session, state

    def _try_passwords(
        self, step: Step
    ) -> tuple[UserSession | None, State, list[NotAuthorizedException]]:
        """Sign in with each password of *step* until Cognito accepts one.

        Return the session, if any, the state of the user, and Cognito's refusals.
        """
        user = self._user
        refusals: list[NotAuthorizedException] = []
        for password, state in SIGN_INS[step]:
            if refusals and step == "try to finish" and user.if_exists in {"error", "skip"}:
                break  # this user was created by something else, and must not be signed in
            if len(refusals) == _ATTEMPTS_BEFORE_PAUSE:
                self._creator.sleep(_PAUSE_SECONDS)
            if state == "existed":
                # A user that accepts its final password needs no finishing by a later run.
                self._clear_journal()
            try:
                session = self._sign_in(password)
            except NotAuthorizedException as refusal:
                if not is_about_password(refusal):
                    raise
                refusals.append(refusal)
            else:
                return session, state, refusals
        return None, "existed", refusals

    def _sign_in(self, password: str) -> UserSession:
        """Sign in with the password that SIGN_INS calls *password*."""
        user, sign_in = self._user, self._creator.sign_in
        if password != "temporary":  # noqa: S105 - the name of one
            return sign_in(user, user.password, None)
        try:
            return sign_in(user, self._temporary_password, user.password)
        except InvalidPasswordException as refusal:
            if user.temporary_password is None:
                refusal.resolution = _STRICTER_POLICY
            raise

    def _no_password_fits(self, step: Step, refusals: list[NotAuthorizedException]) -> SeedctlError:
        """Return the error for a user that accepted none of the passwords."""
        if step == "set password":
            return refusals[0]
        if step == "finish":
            error = UsernameExistsError(
                f"The user {mask(self._user.username)} already exists, left unfinished by an earlier "
                "run with another password.",
                resolution="Delete the user, or run with the password of that run.",
            )
            error.__cause__ = refusals[0]
            return error
        self._clear_journal()
        if self._user.if_exists == "error":
            return self._exists_error()
        refusals[0].resolution = (
            "The user exists with another password: use that one. If it has only a temporary "
            "password, give that as temporary_password= and the final one as the password."
        )
        return refusals[0]

    def _clear_journal(self) -> None:
        self._creator.started_here.discard(self._user.username)
        self._claim.clear()

    def _skip_existing(self) -> tuple[None, State]:
        """Leave the existing user unchanged, or raise UsernameExistsError."""
        if self._user.if_exists == "error":
            raise self._exists_error()
        return None, "existed"

    def _exists_error(self) -> UsernameExistsError:
        return UsernameExistsError(
            f"The user {mask(self._user.username)} already exists.",
            resolution='Use another name, or pass if_exists="skip" or "sign_in". For a user that has '
            "only a temporary password, pass that as temporary_password=.",
        )

    def _add_groups(self) -> None:
        for group in self._user.groups:
            self._pool.add_to_group(self._user.username, group, self._observer)

    def _update(self, session: UserSession) -> bool:
        """Set the attributes that the user's own token may set; return whether there are any.

        Warns about codes that Cognito sends, and about attributes that only an administrator may set.
        """
        username, given = self._user.username, self._user.attributes
        own_name = copied_attribute(username, self._pool.settings)
        own = [each for each in given if each["Name"] not in (*VERIFIED_FLAGS, own_name)]
        tokens = session.tokens()
        before = tokens.id_claims()
        # Cognito refuses to set an immutable attribute again, even to the value that it has.
        sent = [each for each in own if before.get(each["Name"]) != each["Value"]]
        deliveries = self._pool.update_attributes(tokens.access, sent) if sent else []
        for warning in update_warnings(
            username,
            given={attribute["Name"]: attribute["Value"] for attribute in given},
            sent=sent,
            before=before,
            deliveries=deliveries,
        ):
            self._observer.on_warning(warning)
        return bool(own)
