"""What a script calls on users: one statement each, over the current backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.backend import current_backend
from seedctl.bulk.engine import MOST_AT_ONCE
from seedctl.cognito.mfa import MFACallbacks
from seedctl.cognito.totp import Authenticator
from seedctl.cognito.types import (
    AuthOutputs,
    AuthSession,
    AuthSignUp,
    AuthUser,
    ChallengeResponse,
    CurrentUser,
    NewUser,
    StandardUserAttributes,
    TOTPSetup,
    UserResult,
)
from seedctl.nearest import module_getattr
from seedctl.users.session import UserSession

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from seedctl.cognito.types import (
        AnyUser,
        IfUserExists,
        MFAPreference,
        OnError,
        SignInChallenge,
        SignInFlow,
        SignUpChallenge,
        TOTPSignUpChallenge,
    )

__all__ = [
    "AuthOutputs",
    "AuthSession",
    "AuthSignUp",
    "AuthUser",
    "Authenticator",
    "ChallengeResponse",
    "CurrentUser",
    "NewUser",
    "StandardUserAttributes",
    "TOTPSetup",
    "UserResult",
    "UserSession",
    "add_to_user_group",
    "create_and_sign_up_user",
    "create_users",
    "fetch_auth_session",
    "get_current_user",
    "sign_in_user",
    "sign_out",
]


def create_and_sign_up_user(
    username: str,
    password: str,
    *,
    sign_in_flow: SignInFlow = "Password",
    sign_in_after_creation: bool = False,
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
    """Create a user with its final password, signing out whoever was signed in.

    *sign_in_flow* is "Password" or "MFA". With *sign_in_after_creation* the new user stays signed
    in. *user_attributes* are named as in Cognito, such as ``family_name`` or ``custom:plan``. The
    user is put into *groups*, which must exist in the user pool.

    A user that an earlier run left unfinished is finished. For a whole one *if_exists* decides:
    "error" raises UsernameExistsError, "skip" leaves the user as it is, "sign_in" proves the password
    and adds the groups, "update" sets the attributes besides. *temporary_password* takes up a user
    that was made elsewhere and has to set its final password.

    With ``sign_in_flow="MFA"`` the callbacks have the codes; without them e-mail and SMS codes are
    asked for. TOTP needs its callback, such as ``Authenticator().enroll``; *sign_in_challenge* has
    the code of a user whose TOTP an earlier run has set up before it was stopped. *mfa_preference*
    chooses among several methods.

    Raises InvalidParameterException, InvalidPasswordException, NoGroupError and others for what
    cannot end well, before anything is written; UsernameExistsError; NotAuthorizedException for
    another password.
    """
    return current_backend().ambient_auth.create_user(
        username,
        password,
        sign_in_flow=sign_in_flow,
        sign_in_after_creation=sign_in_after_creation,
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


def create_users(
    users: Iterable[NewUser],
    *,
    concurrency: int = MOST_AT_ONCE,
    if_exists: IfUserExists = "error",
    on_error: OnError = "raise",
) -> list[UserResult]:
    """Create many users at once, in threads, as fast as Cognito's quotas allow.

    Whoever is signed in stays so. The results are in the order of *users*. A user that an earlier
    run left unfinished is finished; one that is whole fails its row ("error"), is left as it is
    ("skip"), has to have the password and is put into the groups ("sign_in"), and gets the
    attributes besides ("update"). Raises BulkError unless *on_error* is "collect".
    """
    return current_backend().auth.create_users(
        users, concurrency=concurrency, if_exists=if_exists, on_error=on_error
    )


def sign_in_user(
    username: AnyUser,
    password: str,
    *,
    sign_in_flow: SignInFlow = "Password",
    sign_in_challenge: SignInChallenge | None = None,
    mfa_preference: MFAPreference | None = None,
    totp_sign_up_challenge: TOTPSignUpChallenge | None = None,
) -> UserSession:
    """Sign a user in, in place of whoever was signed in; the session returned is truthy.

    With ``sign_in_flow="MFA"`` *sign_in_challenge* has the code of every method, such as
    ``authenticator.code``; without it the code is asked for. The last two serve a user whose MFA was
    never finished. Raises NotAuthorizedException for a wrong password or an unknown user.
    """
    return current_backend().ambient_auth.sign_in(
        username,
        password,
        sign_in_flow=sign_in_flow,
        sign_in_challenge=sign_in_challenge,
        mfa_preference=mfa_preference,
        totp_sign_up_challenge=totp_sign_up_challenge,
    )


def add_to_user_group(user: AnyUser, group: str) -> None:
    """Add *user* to *group*, which must exist in the user pool.

    Raises NoGroupsError, NoGroupError, UserNotFoundError. Tokens from before lack the group: sign
    in again to use it.
    """
    current_backend().auth.add_to_group(user, group)


def sign_out(*, everywhere: bool = False) -> None:
    """Sign out whoever is signed in and revoke the tokens; nobody signed in is fine.

    With *everywhere* all of the user's sessions end, as ``signOut({global: true})`` does.
    """
    current_backend().ambient_auth.sign_out(everywhere=everywhere)


def get_current_user() -> CurrentUser:
    """Return who is signed in. Raises UserUnAuthenticatedException when nobody is."""
    return current_backend().ambient_auth.current_user()


def fetch_auth_session(*, force_refresh: bool = False) -> AuthSession:
    """Return the tokens of whoever is signed in, refreshed when expired; all None for nobody."""
    return current_backend().ambient_auth.fetch_auth_session(force_refresh=force_refresh)


__getattr__ = module_getattr(__name__, __all__)
