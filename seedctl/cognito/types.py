"""The values that go in and out of the sign-up and sign-in calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict
from urllib.parse import quote

from seedctl.errors import InvalidParameterException

if TYPE_CHECKING:
    from seedctl.aws.credentials import Credentials
    from seedctl.errors import SeedctlError

SignInFlow = Literal["Password", "MFA"]
MFAPreference = Literal["EMAIL", "SMS", "TOTP"]
IfUserExists = Literal["error", "skip", "sign_in", "update"]
OnError = Literal["raise", "collect"]
UserState = Literal["created", "existed", "finished", "updated", "failed", "not tried"]


@dataclass(frozen=True, slots=True)
class ChallengeResponse:
    """A callback's answer. Returning the code itself as text does just as well."""

    challenge_response: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TOTPSetup:
    """What an authenticator app needs to make codes for a user."""

    shared_secret: str = field(repr=False)
    """Base32, as Cognito sends it."""
    username: str
    """The user pool's internal name, the default account in :meth:`get_setup_uri`."""

    def get_setup_uri(self, app_name: str, account_name: str | None = None) -> str:
        """Return the ``otpauth://`` address that authenticator apps read from a QR code."""
        app, account = quote(app_name, safe=""), quote(account_name or self.username, safe="")
        return f"otpauth://totp/{app}:{account}?secret={self.shared_secret}&issuer={app}"


Answer = str | ChallengeResponse
SignInChallenge = Callable[[], Answer]
SignUpChallenge = Callable[[], Answer]
TOTPSignUpChallenge = Callable[[TOTPSetup], Answer]


class StandardUserAttributes(TypedDict, total=False):
    """Cognito's standard attributes, under Cognito's names; values are text."""

    address: str
    birthdate: str
    email: str
    family_name: str
    gender: str
    given_name: str
    locale: str
    middle_name: str
    name: str
    nickname: str
    phone_number: str
    picture: str
    preferred_username: str
    profile: str
    updated_at: str
    website: str
    zoneinfo: str


class _AuthUserRequired(TypedDict):
    username: str


class AuthUser(_AuthUserRequired, total=False):
    """What signs a user in: ``sign_in_user(**user)``."""

    password: str
    sign_in_flow: SignInFlow
    sign_in_challenge: SignInChallenge


class _AuthSignUpRequired(TypedDict):
    username: str
    password: str


class AuthSignUp(_AuthSignUpRequired, total=False):
    """What creates a user: ``create_and_sign_up_user(**sign_up)``."""

    sign_in_flow: SignInFlow
    sign_in_after_creation: bool
    user_attributes: Mapping[str, Any]
    mfa_preference: MFAPreference
    email_sign_up_challenge: SignUpChallenge
    sms_sign_up_challenge: SignUpChallenge
    totp_sign_up_challenge: TOTPSignUpChallenge
    sign_in_challenge: SignInChallenge
    if_exists: IfUserExists
    groups: Collection[str]
    temporary_password: str


@dataclass(frozen=True, slots=True)
class AuthOutputs:
    """A user that is there now."""

    username: str
    """As typed; the user pool may have an internal name of its own."""
    user_id: str | None
    """The ``sub``; None for a user that was there and was left as it is (``if_exists="skip"``)."""
    sign_in_flow: SignInFlow


@dataclass(frozen=True, slots=True)
class NewUser:
    """One of many users to create, with the groups to be in."""

    username: str
    password: str = field(repr=False)
    _: KW_ONLY
    groups: Collection[str] = ()
    temporary_password: str | None = field(default=None, repr=False)
    """The present password of a user that was made elsewhere and has to set its final one."""
    user_attributes: Mapping[str, Any] | None = field(default=None, repr=False)
    sign_in_flow: SignInFlow = "Password"
    mfa_preference: MFAPreference | None = None
    email_sign_up_challenge: SignUpChallenge | None = field(default=None, repr=False)
    sms_sign_up_challenge: SignUpChallenge | None = field(default=None, repr=False)
    totp_sign_up_challenge: TOTPSignUpChallenge | None = field(default=None, repr=False)
    sign_in_challenge: SignInChallenge | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UserResult:
    """What became of one of many users."""

    index: int
    """Where the user was among those given."""
    username: str
    """As typed."""
    user_id: str | None
    """The ``sub``; None for a user that nobody has signed in."""
    state: UserState
    """"finished": an earlier run had left the user unfinished. "not tried": something went wrong
    before that concerns all users, such as a network that is down."""
    error: SeedctlError | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """Who is signed in, as the id token says."""

    username: str
    """The user pool's internal name, a UUID in pools with e-mail or phone login."""
    user_id: str
    login_id: str
    """The name that was typed to sign in."""


@dataclass(frozen=True, slots=True)
class AuthSession:
    """What whoever is signed in acts with; a guest has only an identity, and nobody nothing."""

    access_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    user_sub: str | None = None
    identity_id: str | None = None
    """Of the identity pool; None for a backend that has none or lets no guests in."""
    credentials: Credentials | None = None


class HasUsername(Protocol):
    """Anything that names a user, such as what creating or signing one in returns."""

    @property
    def username(self) -> str: ...


AnyUser = str | HasUsername | AuthUser


def username_of(user: AnyUser) -> str:
    """Return the name that *user* stands for. Raises InvalidParameterException for none."""
    if isinstance(user, str):
        return user
    name = user.get("username") if isinstance(user, Mapping) else getattr(user, "username", None)
    if not isinstance(name, str):
        raise InvalidParameterException(
            f"A {type(user).__name__} does not name a user.",
            resolution="Give a user name, or what create_and_sign_up_user or sign_in_user returned.",
        )
    return name
