"""The types that the sign-up and sign-in calls take and return."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, Protocol, TypedDict
from urllib.parse import quote

from seedctl.aws.credentials import Credentials
from seedctl.errors import InvalidParameterException, SeedctlError

SignInFlow = Literal["Password", "MFA"]
MFAPreference = Literal["EMAIL", "SMS", "TOTP"]
IfUserExists = Literal["error", "skip", "sign_in", "update"]
UserState = Literal["created", "existed", "finished", "updated", "failed", "not tried"]


@dataclass(frozen=True, slots=True)
class ChallengeResponse:
    """What a challenge callback may return instead of the code as a plain ``str``."""

    challenge_response: str = field(repr=False)
    """The one-time code."""


@dataclass(frozen=True, slots=True)
class TOTPSetup:
    """What an authenticator app needs to generate TOTP codes for a user."""

    shared_secret: str = field(repr=False)
    """The secret in base32, as Cognito sent it."""
    username: str
    """The user pool's internal user name: the default account name in ``get_setup_uri``."""

    def get_setup_uri(self, app_name: str, account_name: str | None = None) -> str:
        """Return the ``otpauth://`` URI that authenticator apps read from a QR code.

        Args:
            app_name: The issuer that the app shows.
            account_name: The account that the app shows; by default ``username``.
        """
        app, account = quote(app_name, safe=""), quote(account_name or self.username, safe="")
        return f"otpauth://totp/{app}:{account}?secret={self.shared_secret}&issuer={app}"


Answer = str | ChallengeResponse
SignInChallenge = Callable[[], Answer]
SignUpChallenge = Callable[[], Answer]
TOTPSignUpChallenge = Callable[[TOTPSetup], Answer]


class _AuthUserRequired(TypedDict):
    username: str


class AuthUser(_AuthUserRequired, total=False):
    """What signs a user in: ``sign_in_user(**user)``."""

    password: str
    sign_in_flow: SignInFlow
    sign_in_challenge: SignInChallenge


class SignInOptions(TypedDict, total=False):
    """The optional keyword arguments of a sign-in."""

    sign_in_flow: SignInFlow
    sign_in_challenge: SignInChallenge | None
    mfa_preference: MFAPreference | None
    totp_sign_up_challenge: TOTPSignUpChallenge | None


class SignUpOptions(TypedDict, total=False):
    """The optional keyword arguments that describe a new user: the fields of ``NewUser``."""

    sign_in_flow: SignInFlow
    user_attributes: Mapping[str, Any] | None
    groups: Collection[str]
    temporary_password: str | None
    mfa_preference: MFAPreference | None
    email_sign_up_challenge: SignUpChallenge | None
    sms_sign_up_challenge: SignUpChallenge | None
    totp_sign_up_challenge: TOTPSignUpChallenge | None
    sign_in_challenge: SignInChallenge | None


class _AuthSignUpRequired(TypedDict):
    username: str
    password: str


class AuthSignUp(_AuthSignUpRequired, SignUpOptions, total=False):
    """What creates a user: ``create_and_sign_up_user(**sign_up)``."""

    sign_in_after_creation: bool
    if_exists: IfUserExists


@dataclass(frozen=True, slots=True)
class AuthOutputs:
    """The user that a call created or found.

    Attributes:
        username: The name as the caller gave it; the user pool may use an internal name.
        user_id: The ``sub``; None for an existing user that was skipped (``if_exists="skip"``).
        sign_in_flow: The flow that the user was created with.
    """

    username: str
    user_id: str | None
    sign_in_flow: SignInFlow


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to create: all that a sign-up can say about one user.

    The fields mean what the arguments of ``create_and_sign_up_user`` with the same names mean.

    Attributes:
        username: An e-mail address or phone number, or a name, as the user pool requires.
        password: The final password; it must meet the password policy of the user pool.
        groups: Groups of the user pool to add the user to.
        temporary_password: The current temporary password of a user that another tool created and
            that still has to set its final password.
        user_attributes: Attributes under Cognito's names, such as ``family_name`` or
            ``custom:plan``.
        sign_in_flow: "Password", or "MFA" to set up MFA too.
        mfa_preference: The MFA method to set up, where the user pool offers several.
        email_sign_up_challenge: Returns the code that Cognito sent by e-mail.
        sms_sign_up_challenge: Returns the code that Cognito sent by SMS.
        totp_sign_up_challenge: Takes a ``TOTPSetup`` and returns the first TOTP code.
        sign_in_challenge: Returns the code for any method that has no callback above.
    """

    username: str
    password: str = field(repr=False)
    _: KW_ONLY
    groups: Collection[str] = ()
    temporary_password: str | None = field(default=None, repr=False)
    user_attributes: Mapping[str, Any] | None = field(default=None, repr=False)
    sign_in_flow: SignInFlow = "Password"
    mfa_preference: MFAPreference | None = None
    email_sign_up_challenge: SignUpChallenge | None = field(default=None, repr=False)
    sms_sign_up_challenge: SignUpChallenge | None = field(default=None, repr=False)
    totp_sign_up_challenge: TOTPSignUpChallenge | None = field(default=None, repr=False)
    sign_in_challenge: SignInChallenge | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UserResult:
    """The outcome for one user of ``create_users``.

    Attributes:
        index: The position of the user in the input, from 0.
        username: The name as the caller gave it.
        user_id: The ``sub``; None for a user that was not signed in: it failed or was skipped.
        state: "finished": an earlier run had left the user incomplete, and this call completed it.
            "not tried": an earlier error affects all users, such as a network that is down.
        error: Why the user failed; None unless *state* is "failed".
    """

    index: int
    username: str
    user_id: str | None
    state: UserState
    error: SeedctlError | None = None


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The signed-in user, as the id token describes it.

    Attributes:
        username: The user pool's internal name: a UUID in user pools with e-mail or phone login.
        user_id: The ``sub``.
        login_id: The name that the user signed in with.
    """

    username: str
    user_id: str
    login_id: str


@dataclass(frozen=True, slots=True)
class AuthSession:
    """Tokens and credentials of the current user.

    A guest has only an identity id and credentials; without a user and a guest all fields are None.

    Attributes:
        access_token: The access token, a JWT that expires.
        id_token: The id token, a JWT with the attributes of the user.
        user_sub: The ``sub`` of the user; None for a guest.
        identity_id: The identity pool's id for this user or guest; None without an identity pool,
            and for a guest where the pool does not allow guests.
        credentials: Temporary AWS credentials of the identity pool.
    """

    access_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    user_sub: str | None = None
    identity_id: str | None = None
    credentials: Credentials | None = None


class HasUsername(Protocol):
    """Any object with a user name, such as AuthOutputs or UserSession."""

    @property
    def username(self) -> str: ...


AnyUser = str | HasUsername | AuthUser


def username_of(user: AnyUser) -> str:
    """Return the user name in *user*. Raises InvalidParameterException if it has none."""
    if isinstance(user, str):
        return user
    name = user.get("username") if isinstance(user, Mapping) else getattr(user, "username", None)
    if not isinstance(name, str):
        raise InvalidParameterException(
            f"A {type(user).__name__} does not name a user.",
            resolution="Give a user name, or what create_and_sign_up_user or sign_in_user returned.",
        )
    return name
