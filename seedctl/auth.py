"""Users: create them, sign them in and out, add them to groups; all on the current backend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from seedctl.backend import current_backend
from seedctl.bulk.engine import MOST_AT_ONCE, OnError
from seedctl.cognito.totp import Authenticator
from seedctl.cognito.types import (
    AnyUser,
    AuthOutputs,
    AuthSession,
    AuthSignUp,
    AuthUser,
    ChallengeResponse,
    CurrentUser,
    IfUserExists,
    MFAPreference,
    NewUser,
    SignInChallenge,
    SignInFlow,
    SignUpChallenge,
    TOTPSetup,
    TOTPSignUpChallenge,
    UserResult,
)
from seedctl.nearest import module_getattr
from seedctl.outputs import StandardUserAttributes
from seedctl.users.session import UserSession

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
    "fake_users",
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
    """Sign out the current user, and create a user or finish one that an earlier run left unfinished.

    Args:
        username: An e-mail address or phone number, or a name, as the user pool requires.
        password: The final password, which has to meet the password policy of the user pool.
        sign_in_flow: "Password", or "MFA" to set up MFA too.
        sign_in_after_creation: True: the user is the current user afterwards. False: nobody is.
        user_attributes: By Cognito's names, such as ``family_name`` or ``custom:plan``.
        groups: Existing groups of the user pool to add the user to.
        if_exists: What to do with an existing user. "error" raises UsernameExistsError; "skip"
            leaves the user unchanged; "sign_in" checks the password and adds the groups; "update"
            does that and sets the attributes.
        temporary_password: The current password of a user that another tool created and that still
            has to set its final password.
        mfa_preference: The method to set up, "TOTP", "SMS" or "EMAIL", if the pool offers several.
        email_sign_up_challenge: Returns the code sent by e-mail. Without it the code comes from
            SEEDCTL_MFA_COMMAND, the inbox of the local sandbox, or a prompt on the terminal.
        sms_sign_up_challenge: The same for the code sent by SMS.
        totp_sign_up_challenge: Takes a TOTPSetup and returns the first TOTP code, such as
            ``Authenticator().enroll``. TOTP requires it.
        sign_in_challenge: Returns any other code, such as the TOTP code of a user for whom an
            earlier run has set up TOTP.

    Returns:
        The name as given, the ``sub``, and the flow; pass it to ``add_to_user_group``.

    Raises:
        InvalidParameterException: An argument is wrong. This and all that the outputs file rules
            out, such as InvalidPasswordException and NoGroupError, is raised before any write.
        UsernameExistsError: The user exists, and *if_exists* is "error".
        NotAuthorizedException: The user exists with another password.
    """
    user = NewUser(
        username,
        password,
        sign_in_flow=sign_in_flow,
        user_attributes=user_attributes,
        groups=groups,
        temporary_password=temporary_password,
        mfa_preference=mfa_preference,
        email_sign_up_challenge=email_sign_up_challenge,
        sms_sign_up_challenge=sms_sign_up_challenge,
        totp_sign_up_challenge=totp_sign_up_challenge,
        sign_in_challenge=sign_in_challenge,
    )
    return current_backend().ambient_auth.create_user(
        user, if_exists=if_exists, sign_in_after_creation=sign_in_after_creation
    )


def create_users(
    users: Iterable[NewUser],
    *,
    concurrency: int = MOST_AT_ONCE,
    if_exists: IfUserExists = "error",
    on_error: OnError = "raise",
) -> list[UserResult]:
    """Create many users in threads, as fast as Cognito's quotas allow.

    The current user stays signed in. Users that an earlier run left unfinished are finished, whatever
    *if_exists* says.

    Args:
        users: The users. A sequence is checked completely before the first request; an iterator is
            consumed and checked during the call, so it may be longer than memory allows.
        concurrency: How many users to create at the same time, from 1 to 64.
        if_exists: What to do with an existing user. "error" makes its row fail; "skip" leaves the
            user unchanged; "sign_in" checks the password and adds the groups; "update" does that and
            sets the attributes.
        on_error: "raise" raises BulkError for failed rows, after the other rows; "collect" only
            returns them.

    Returns:
        One result for each user, in the order of *users*.

    Raises:
        BulkError: A row failed, and *on_error* is "raise"; its ``results`` are all results.
    """
    return current_backend().auth.create_users(
        users, concurrency=concurrency, if_exists=if_exists, on_error=on_error
    )


def fake_users(
    count: int,
    password: str,
    *,
    seed: int | str = 0,
    groups: Any = (),
    user_attributes: Mapping[str, Any] | None = None,
) -> list[NewUser]:
    """Generate users for ``create_users`` that fit the user pool. Nothing is sent.

    They have user names of the kind that the pool accepts, and the attributes that it requires. A
    user depends only on the seed and its number: if you ask for more users, the others stay the same.

    Args:
        count: How many users, from 0.
        password: The password of all of them, which the pool's policy must accept.
        seed: Another seed gives other users. A number or a text.
        groups: Groups of which each user gets one, or a mapping with their weights, or a function
            that gets the user's attributes and returns the groups. By default none.
        user_attributes: Attributes besides those that the pool requires, or in place of them:
            values, lists and functions, as for ``fake`` of a model.

    Raises:
        InvalidInputError: *count* is no number, or a value cannot be generated.
    """
    return current_backend().auth.fake_users(
        count, password, seed=seed, groups=groups, user_attributes=user_attributes
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
    """Sign a user in, after signing out the current user of this thread or task.

    Args:
        username: The user's name, or an object that has it, such as AuthOutputs.
        password: The final password.
        sign_in_flow: "Password" accepts only a sign-in without a code; "MFA" answers Cognito's
            requests for codes too.
        sign_in_challenge: Returns the code, for any MFA method; such as ``authenticator.code``.
            Without it the code comes from SEEDCTL_MFA_COMMAND, the inbox of the local sandbox (not
            for TOTP), or a prompt on the terminal.
        mfa_preference: The method to use or set up, if Cognito offers several.
        totp_sign_up_challenge: Sets up TOTP for a user whose MFA set-up was not finished.

    Returns:
        The session, which is always truthy.

    Raises:
        NotAuthorizedException: Wrong password or unknown user; Cognito does not say which.
        SignInException: The user needs more than *sign_in_flow* allows.
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
    """Add a user to a group.

    Tokens from before the call do not contain the group: sign in again to use it.

    Args:
        user: The user's name, or an object that has it, such as AuthOutputs.
        group: A group that exists in the user pool.

    Raises:
        NoGroupsError: The user pool has no groups.
        NoGroupError: The user pool has no such group.
        UserNotFoundError: The user does not exist.
    """
    current_backend().auth.add_to_group(user, group)


def sign_out(*, everywhere: bool = False) -> None:
    """Sign out the current user and revoke its tokens. Does nothing if nobody is signed in.

    Args:
        everywhere: End all sessions of the user, as ``signOut({global: true})`` does.
    """
    current_backend().ambient_auth.sign_out(everywhere=everywhere)


def get_current_user() -> CurrentUser:
    """Return the names and the id of the current user.

    Raises:
        UserUnAuthenticatedException: Nobody is signed in.
    """
    return current_backend().ambient_auth.session().current_user()


def fetch_auth_session(*, force_refresh: bool = False) -> AuthSession:
    """Return the tokens and AWS credentials of the current user, refreshed if they have expired.

    Without a signed-in user, the session is that of a guest, if the identity pool allows guests;
    otherwise all its fields are None.

    Args:
        force_refresh: Refresh the tokens and the credentials even if they have not expired.
    """
    return current_backend().ambient_auth.fetch_auth_session(force_refresh=force_refresh)


__getattr__ = module_getattr(__name__, __all__)
