"""Create users, sign them in, put them into groups: the objects behind ``backend.auth``."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, get_args

from seedctl import masking
from seedctl.bulk.engine import MOST_AT_ONCE
from seedctl.cognito.attributes import copied_attribute, sign_in_advice
from seedctl.cognito.challenges import enroll_totp
from seedctl.cognito.creation import check_flow, check_new_user, checked_groups
from seedctl.cognito.groups import add_to_group, check_group
from seedctl.cognito.mfa import MFACallbacks, check_password_flow
from seedctl.cognito.sign_in import SignIn
from seedctl.cognito.types import AuthOutputs, IfUserExists, username_of
from seedctl.errors import (
    CognitoError,
    InvalidParameterException,
    NotAuthorizedException,
    UserExistsError,
)
from seedctl.masking import mask
from seedctl.prompter import TerminalCodes
from seedctl.report import Event
from seedctl.users.creation import Creation
from seedctl.users.ending import end_sessions
from seedctl.users.many import ManyUsers
from seedctl.users.session import UserSession

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from seedctl.cognito.creation import CheckedUser
    from seedctl.cognito.journal import Journal
    from seedctl.cognito.pool import UserPool
    from seedctl.cognito.types import (
        AnyUser,
        MFAPreference,
        NewUser,
        OnError,
        SignInChallenge,
        SignInFlow,
        SignUpChallenge,
        TOTPSignUpChallenge,
        UserResult,
    )
    from seedctl.prompter import CodeSource
    from seedctl.report import Observer
    from seedctl.users.session import SessionServices


class Auth:
    """The users of one backend. Safe for many threads; touches nothing ambient."""

    def __init__(
        self,
        pool: UserPool,
        journal: Journal,
        observer: Observer,
        before_write: Callable[[], None],
        *,
        services: SessionServices,
        codes: CodeSource | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*services* are what a session reaches besides the user pool.

        *codes* gives the one-time codes for which a call has no callback.
        """
        self._pool = pool
        self._journal = journal
        self._observer = observer
        self._before_write = before_write
        self._services = services
        self._codes = codes or TerminalCodes()
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
        groups: Collection[str] = (),
        if_exists: IfUserExists = "error",
        temporary_password: str | None = None,
        mfa_preference: MFAPreference | None = None,
        email_sign_up_challenge: SignUpChallenge | None = None,
        sms_sign_up_challenge: SignUpChallenge | None = None,
        totp_sign_up_challenge: TOTPSignUpChallenge | None = None,
        sign_in_challenge: SignInChallenge | None = None,
    ) -> AuthOutputs:
        """Create a user whose password is *password*; nobody is signed in afterwards.

        The user is put into *groups*. A user that an earlier run left unfinished is finished. For
        one that is whole, *if_exists* decides: "error" raises UsernameExistsError, "skip" leaves it
        as it is, groups included, "sign_in" checks that the password is right, "update" sets the
        attributes besides. *temporary_password* takes up a user that was made elsewhere and has to
        set its final password. Raises what the call and the outputs can tell to be wrong before
        anything is written.
        """
        user = self.check_new_user(
            username,
            password,
            sign_in_flow=sign_in_flow,
            user_attributes=user_attributes,
            groups=groups,
            if_exists=if_exists,
            temporary_password=temporary_password,
            callbacks=MFACallbacks(
                mfa_preference,
                sign_in_challenge,
                email_sign_up_challenge=email_sign_up_challenge,
                sms_sign_up_challenge=sms_sign_up_challenge,
                totp_sign_up_challenge=totp_sign_up_challenge,
            ),
        )
        outputs, session = self.create(user)
        if session is not None:
            session.sign_out()
        return outputs

    def check_new_user(
        self,
        username: str,
        password: str,
        *,
        sign_in_flow: SignInFlow,
        user_attributes: Mapping[str, Any] | None,
        groups: Collection[str],
        if_exists: IfUserExists,
        temporary_password: str | None,
        callbacks: MFACallbacks,
    ) -> CheckedUser:
        """Return what :meth:`create` takes, or raise for what cannot end well."""
        if if_exists not in get_args(IfUserExists):
            choices = ", ".join(f'"{choice}"' for choice in get_args(IfUserExists))
            raise InvalidParameterException(
                f"if_exists is {if_exists!r}.", resolution=f"Use one of {choices}."
            )
        return check_new_user(
            self._pool.settings,
            username,
            password,
            sign_in_flow=sign_in_flow,
            user_attributes=user_attributes,
            if_exists=if_exists,
            callbacks=callbacks,
            groups=checked_groups(username, groups),
            temporary_password=temporary_password,
        )

    def create(self, user: CheckedUser) -> tuple[AuthOutputs, UserSession | None]:
        """Create a checked *user* and return it signed in; one that was skipped has no session."""
        self._before_write()
        session, state = self._creation().create(user)
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
        """Create many users, as fast as Cognito's quotas allow; return what became of each.

        Rows that have a length are all checked before the first is sent; a generator is drawn as
        the work goes on. A user that an earlier run left unfinished is finished. One that is whole
        fails its row ("error"), is left as it is, groups included ("skip"), has to have the
        password and is put into the groups ("sign_in"), and gets the attributes besides
        ("update"). Raises BulkError, with the results, unless *on_error* is "collect".
        """
        many = ManyUsers(self._pool, self._creation(), self._observer, self._before_write)
        return many.create(users, concurrency=concurrency, if_exists=if_exists, on_error=on_error)

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
        """Sign *user* in and return the session, whose end is the caller's to see to.

        *sign_in_challenge* has the code of every MFA method; without it codes are asked for. The
        last two serve a user whose MFA was never finished. Raises NotAuthorizedException for a
        wrong password or an unknown user, which Cognito does not tell apart.
        """
        pool = self._pool
        username = username_of(user)
        check_flow(sign_in_flow)
        callbacks = MFACallbacks(
            mfa_preference, sign_in_challenge, totp_sign_up_challenge=totp_sign_up_challenge
        )
        callbacks.check()
        if sign_in_flow == "Password":
            check_password_flow(pool.settings)
        if not isinstance(password, str):
            raise InvalidParameterException(
                f"The password to sign in with is a {type(password).__name__}, not text.",
                resolution="Give it as str; a secret comes that way from get_secret.",
            )
        if not username or not password:
            raise InvalidParameterException(
                f"The {'password' if username else 'user name'} to sign in with is empty.",
                resolution="Give both; a secret may be missing.",
            )
        masking.register(password)
        pool_id = pool.settings.user_pool_id
        is_unfinished = self._journal.is_unfinished(pool_id, username)
        try:
            session = self._sign_in(
                SignIn(
                    pool,
                    username,
                    password,
                    callbacks=callbacks,
                    flow=sign_in_flow,
                    email=username if _is_email(username, pool) else None,
                    # A run that stopped at the code has not made the method the preference yet.
                    prefers=is_unfinished,
                )
            )
        except NotAuthorizedException as error:
            if is_unfinished:
                error.resolution = error.resolution or (
                    "An earlier run left this user unfinished: create_and_sign_up_user with the "
                    "same password finishes it."
                )
            error.resolution = error.resolution or sign_in_advice(username, pool.settings)
            raise
        if is_unfinished:
            self._journal.clear(pool_id, username)
        self.tell_signed_in(session)
        return session

    def tell_signed_in(self, session: UserSession) -> None:
        """Let the observer know of a session that somebody is going to use."""
        self._observer.on_event(Event("session", session.username, "signed in"))

    def add_to_group(self, user: AnyUser, group: str) -> None:
        """Add *user* to *group*, which must exist in the user pool. Twice is as good as once.

        Raises NoGroupsError, NoGroupError and UserNotFoundError.
        """
        pool = self._pool
        username = username_of(user)
        check_group(pool.settings, group)
        self._before_write()
        add_to_group(pool, username, group, self._observer)

    def close(self) -> None:
        """Sign out every session that is still open, many at once.

        Once the run is being ended by a signal, for two seconds at most; a warning tells of those
        that are left.
        """
        with self._lock:
            sessions = list(self._open)
        end_sessions(sessions, self._observer.on_warning)

    def _creation(self) -> Creation:
        pool = self._pool
        return Creation(pool, self._journal, self._sign_in_new, self._sleep, self._observer)

    def _sign_in_new(
        self, user: CheckedUser, password: str, *, new_password: str | None = None
    ) -> UserSession:
        sign_in = SignIn(
            self._pool,
            user.username,
            password,
            new_password,
            callbacks=user.callbacks,
            flow=user.sign_in_flow,
            email=user.email,
            prefers=True,
        )
        return self._sign_in(sign_in)

    def _sign_in(self, sign_in: SignIn) -> UserSession:
        sign_in.codes, sign_in.sleep = self._codes, self._sleep
        sign_in.warn = self._observer.on_warning
        try:
            tokens = sign_in.run()
        except CognitoError as error:
            if error.code == "UserNotFoundException":
                raise UserExistsError(
                    f"There is no user {mask(sign_in.username)} to sign in.",
                    resolution="Create it first.",
                ) from error
            raise
        session = UserSession(
            sign_in.pool,
            sign_in.username,
            tokens,
            mfa_method=sign_in.method,
            on_end=self._ended,
            warn=self._observer.on_warning,
            services=self._services,
        )
        with self._lock:
            self._open.add(session)
        try:
            self._settle_mfa(sign_in, tokens.access)
        except BaseException:
            session.sign_out()
            raise
        return session

    def _settle_mfa(self, sign_in: SignIn, access_token: str) -> None:
        """Make the user's MFA what the caller wants, where the sign-in went another way."""
        wanted = sign_in.callbacks.mfa_preference
        if wanted == "TOTP" and sign_in.method in {"EMAIL", "SMS"} and sign_in.has_totp_callback:
            # With e-mail MFA on as well, Cognito asks for its code before TOTP can be set up.
            enroll_totp(sign_in, {"AccessToken": access_token})
            sign_in.pool.prefer_mfa(access_token, "TOTP")
        elif wanted is not None and sign_in.prefers and sign_in.method != wanted:
            used = sign_in.method or "no code"
            self._observer.on_warning(
                f"{mask(sign_in.username)} signed in with {used}: {wanted} was not made the "
                "preference."
            )
        elif sign_in.method is not None and sign_in.prefers:
            sign_in.pool.prefer_mfa(access_token, sign_in.method)

    def _ended(self, session: UserSession) -> None:
        with self._lock:
            self._open.discard(session)


def _is_email(username: str, pool: UserPool) -> bool:
    return copied_attribute(username, pool.settings) == "email"
