"""``backend.auth``: create users, sign them in, and add them to groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from seedctl import masking
from seedctl.bulk.engine import MOST_AT_ONCE, BulkOptions, OnError
from seedctl.cognito.attributes import copied_attribute, sign_in_advice
from seedctl.cognito.journal import Journal
from seedctl.cognito.mfa import check_callbacks, check_password_flow
from seedctl.cognito.new_user import CheckedUser, check_flow, check_group, check_new_user
from seedctl.cognito.pool import UserPool
from seedctl.cognito.sign_in import SignIn
from seedctl.cognito.types import (
    AnyUser,
    AuthOutputs,
    IfUserExists,
    MFAPreference,
    NewUser,
    SignInChallenge,
    SignInFlow,
    SignUpOptions,
    TOTPSignUpChallenge,
    UserResult,
    username_of,
)
from seedctl.cognito.user_list import StoredUser, list_users
from seedctl.errors import InvalidParameterException, NotAuthorizedException
from seedctl.prompter import CodeSource, TerminalCodes
from seedctl.report import Event, Observer
from seedctl.users.creation import UserCreator
from seedctl.users.many import BulkUserCreator, fake_new_users
from seedctl.users.open_sessions import OpenSessions
from seedctl.users.session import SessionServices, UserSession

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Auth:
    """The users of one backend.

    Thread-safe. No method changes which user the functions of ``seedctl.auth`` act as.
    """

    def __init__(
        self,
        pool: UserPool,
        journal: Journal,
        observer: Observer,
        before_write: Callable[[], None],
        *,
        services: SessionServices,
        codes: CodeSource | None = None,
        on_password: Callable[[str, str], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*services* are what sessions use besides the user pool.

        *codes* supplies the one-time codes for which a call has no callback. *on_password* receives
        the name and the final password of each user that is created.
        """
        self._pool = pool
        self._journal = journal
        self._observer = observer
        self._before_write = before_write
        self._codes = codes or TerminalCodes()
        self._on_password = on_password
        self._sleep = sleep
        self._sessions = OpenSessions(services, observer.on_warning)

    def create_user(
        self,
        username: str,
        password: str,
        *,
        if_exists: IfUserExists = "error",
        **options: Unpack[SignUpOptions],
    ) -> AuthOutputs:
        """Create a user with its final password. The user is not signed in afterwards.

        A user that an earlier run left unfinished is finished, whatever *if_exists* says.

        Args:
            username: An e-mail address or phone number, or a name, as the user pool requires.
            password: The final password.
            if_exists: What to do with an existing user. "error" raises UsernameExistsError; "skip"
                leaves the user unchanged; "sign_in" checks the password and adds the groups;
                "update" does that and sets the attributes.
            options: The fields of ``NewUser``, such as ``groups``, ``user_attributes`` or
                ``mfa_preference``. ``create_and_sign_up_user`` explains each.

        Returns:
            The user. ``user_id`` is None for a user that was skipped.

        Raises:
            InvalidParameterException: An argument is wrong. This and all that the outputs file rules
                out, such as InvalidPasswordException and NoGroupError, is raised before any write.
            UsernameExistsError: The user exists, and *if_exists* is "error".
            NotAuthorizedException: The user exists with another password.
        """
        user = self.check_new_user(NewUser(username, password, **options), if_exists)
        outputs, session = self.create(user)
        if session is not None:
            session.sign_out()
        return outputs

    def check_new_user(self, user: NewUser, if_exists: IfUserExists) -> CheckedUser:
        """Return the argument of ``create``, or raise if the creation could not succeed.

        Args:
            user: The user to create.
            if_exists: What is to happen if the user exists: see ``create_user``.
        """
        return check_new_user(user, self._pool.settings, if_exists=if_exists)

    def create(self, user: CheckedUser) -> tuple[AuthOutputs, UserSession | None]:
        """Create a checked user; return it with its session, which is None if it was skipped.

        Args:
            user: The result of ``check_new_user``.
        """
        self._before_write()
        session, state = self._creator().create(user)
        user_id = session.user_id if session is not None else None
        self._observer.on_event(Event("user", user.username, state, user_id or ""))
        return AuthOutputs(user.username, user_id, user.sign_in_flow), session

    def create_users(
        self,
        users: Iterable[NewUser],
        *,
        concurrency: int = MOST_AT_ONCE,
        if_exists: IfUserExists = "error",
        on_error: OnError = "raise",
    ) -> list[UserResult]:
        """Create many users in threads, as fast as Cognito's quotas allow.

        Users that an earlier run left unfinished are finished, whatever *if_exists* says.

        Args:
            users: The users. A sequence is checked completely before the first request; an iterator
                is consumed and checked during the call, so it may be longer than memory allows.
            concurrency: How many users to create at the same time, from 1 to 64.
            if_exists: What to do with an existing user. "error" makes its row fail; "skip" leaves
                the user unchanged; "sign_in" checks the password and adds the groups; "update" does
                that and sets the attributes.
            on_error: "raise" raises BulkError for failed rows, after the other rows; "collect" only
                returns them.

        Returns:
            One result for each user, in the order of *users*.

        Raises:
            BulkError: A row failed, and *on_error* is "raise"; its ``results`` are all results.
        """
        options = BulkOptions(concurrency, if_exists, on_error)
        creator = self._creator()
        return BulkUserCreator(
            self._pool, creator, self._observer, self._before_write, options
        ).run(users)

    def fake_users(
        self,
        count: int,
        password: str,
        *,
        seed: int | str = 0,
        groups: Any = (),
        user_attributes: Mapping[str, Any] | None = None,
    ) -> list[NewUser]:
        """Generate users for ``create_users`` that fit the user pool. Nothing is sent.

        Args:
            count: How many users, from 0.
            password: The password of all of them, which the pool's policy must accept.
            seed: Another seed gives other users. A number or a text.
            groups: Groups of which each user gets one, or a mapping with their weights, or a
                function that gets the user's attributes and returns the groups. By default none.
            user_attributes: Attributes besides those that the pool requires, or in place of them:
                values, lists and functions, as for ``fake`` of a model.

        Raises:
            InvalidInputError: *count* is no number, or a value cannot be generated.
        """
        given = {"seed": seed, "groups": groups, "user_attributes": user_attributes}
        return fake_new_users(self._pool, count, password, **given)

    def sign_in(
        self,
        user: AnyUser,
        password: str,
        *,
        sign_in_flow: SignInFlow = "Password",
        sign_in_challenge: SignInChallenge | None = None,
        mfa_preference: MFAPreference | None = None,
        totp_sign_up_challenge: TOTPSignUpChallenge | None = None,
    ) -> UserSession:
        """Sign a user in, and return the session. The caller has to sign it out.

        Args:
            user: The user's name, or an object that has it, such as AuthOutputs.
            password: The final password.
            sign_in_flow: "Password" accepts only a sign-in without a code; "MFA" answers Cognito's
                requests for codes too.
            sign_in_challenge: Returns the code, for any MFA method; such as ``authenticator.code``.
                Without it the code comes from SEEDCTL_MFA_COMMAND, the inbox of the local sandbox
                (not for TOTP), or a prompt on the terminal.
            mfa_preference: The method to use or set up, if Cognito offers several.
            totp_sign_up_challenge: Sets up TOTP for a user whose MFA set-up was not finished.

        Raises:
            NotAuthorizedException: Wrong password or unknown user; Cognito does not say which.
            SignInException: The user needs more than *sign_in_flow* allows.
        """
        existing = NewUser(
            username_of(user),
            password,
            sign_in_flow=sign_in_flow,
            sign_in_challenge=sign_in_challenge,
            mfa_preference=mfa_preference,
            totp_sign_up_challenge=totp_sign_up_challenge,
        )
        check_flow(sign_in_flow)
        check_callbacks(existing)
        if sign_in_flow == "Password":
            check_password_flow(self._pool.settings)
        _check_credentials(existing.username, password)
        return self._sign_in_existing(existing)

    def report_sign_in(self, session: UserSession) -> None:
        """Report to the observer that a session is going to be used.

        Args:
            session: The session of a user who has just signed in.
        """
        self._observer.on_event(Event("session", session.username, "signed in"))

    def add_to_group(self, user: AnyUser, group: str) -> None:
        """Add a user to a group. Adding a member again is not an error.

        Args:
            user: The user's name, or an object that has it, such as AuthOutputs.
            group: A group that exists in the user pool.

        Raises:
            NoGroupsError: The user pool has no groups.
            NoGroupError: The user pool has no such group.
            UserNotFoundError: The user does not exist.
        """
        username = username_of(user)
        check_group(self._pool.settings, group)
        self._before_write()
        self._pool.add_to_group(username, group, self._observer)

    def list_users(self) -> Iterator[StoredUser]:
        """Yield all users of the user pool, with their attributes and groups.

        It calls ListGroups, ListUsersInGroup and ListUsers with the developer's own credentials.

        Raises:
            NotAuthorizedError: The credentials do not allow these calls.
        """
        return list_users(self._pool)

    def open_sessions(self) -> frozenset[UserSession]:
        """Return the sessions that are not signed out."""
        return self._sessions.all()

    def drop_sessions(self) -> None:
        """End all open sessions without a request, because the user pool is about to forget them."""
        for session in self.open_sessions():
            session.drop()

    def close(self, *, but: Collection[UserSession] = ()) -> None:
        """Sign out all open sessions; after Ctrl-C or another signal in at most two seconds.

        Args:
            but: The sessions to leave open.
        """
        self._sessions.close(but)

    def _creator(self) -> UserCreator:
        return UserCreator(
            self._pool,
            self._journal,
            self._sign_in_new,
            self._sleep,
            self._observer,
            self._on_password,
        )

    def _sign_in_new(
        self, user: CheckedUser, password: str, new_password: str | None
    ) -> UserSession:
        sign_in = SignIn(
            self._pool,
            user,
            password,
            new_password,
            attributes=user.attributes,
            email=user.email,
            set_preference=True,
        )
        return self._open(sign_in)

    def _sign_in_existing(self, user: NewUser) -> UserSession:
        username, settings = user.username, self._pool.settings
        is_unfinished = self._journal.is_unfinished(settings.user_pool_id, username)
        email = username if copied_attribute(username, settings) == "email" else None
        # A run that was stopped while it waited for a code has not set the preference yet.
        sign_in = SignIn(
            self._pool, user, user.password, None, email=email, set_preference=is_unfinished
        )
        try:
            session = self._open(sign_in)
        except NotAuthorizedException as error:
            if is_unfinished:
                error.resolution = error.resolution or (
                    "An earlier run left this user unfinished: create_and_sign_up_user with the "
                    "same password finishes it."
                )
            error.resolution = error.resolution or sign_in_advice(username, settings)
            raise
        if is_unfinished:
            self._journal.clear(settings.user_pool_id, username)
        self.report_sign_in(session)
        return session

    def _open(self, sign_in: SignIn) -> UserSession:
        sign_in.codes, sign_in.sleep = self._codes, self._sleep
        sign_in.warn, sign_in.before_write = self._observer.on_warning, self._before_write
        return self._sessions.open(sign_in)


def _check_credentials(username: str, password: str) -> None:
    if not isinstance(password, str):
        raise InvalidParameterException(
            f"The password to sign in with is a {type(password).__name__}, not text.",
            resolution="Give it as str; get_secret returns one.",
        )
    if not username or not password:
        raise InvalidParameterException(
            f"The {'password' if username else 'user name'} to sign in with is empty.",
            resolution="Give both; a secret may be missing.",
        )
    masking.register(password)
