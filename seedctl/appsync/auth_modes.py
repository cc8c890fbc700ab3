"""How a request says who asks: the auth mode, where it comes from, and its headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from seedctl.errors import (
    InvalidAuthModeError,
    InvalidInputError,
    LocalSandboxError,
    NoApiKey,
    NoAuthorizationHeader,
    NoCredentials,
    NoSignedUser,
    NoValidAuthTokens,
    SeedctlError,
)
from seedctl.nearest import advice

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.aws.credentials import Credentials, IdentityCredentials

AuthMode = Literal["apiKey", "userPool", "iam", "identityPool", "oidc", "lambda", "none"]
Source = Literal["call", "client", "default"]

_SOURCES = {"call": "from the call", "client": "from the client", "default": "the API's default"}


class RequestIdentity(Protocol):
    """Whoever a client acts as. CallOptions at each call, since the answer may change."""

    def access_token(self) -> str | None:
        """Return the signed-in user's access token; None when nobody is signed in."""
        ...

    def credentials(self) -> IdentityCredentials | None:
        """Return the identity pool's credentials for the user or guest; None when it has none."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What a client was made with, or one call was given. None leaves the choice to the other."""

    auth_mode: AuthMode | None = None
    auth_token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.auth_mode is not None and self.auth_mode not in get_args(AuthMode):
            raise InvalidAuthModeError(
                f"There is no auth mode {self.auth_mode!r}.",
                resolution=advice(str(self.auth_mode), get_args(AuthMode)),
            )
        if self.headers is not None and not isinstance(self.headers, Mapping):
            raise InvalidInputError(
                f"headers= is a {type(self.headers).__name__}, not a mapping.",
                resolution='Write headers={"x-name": "value"}.',
            )


NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class ResolvedAuthMode:
    """The auth mode of one call."""

    mode: AuthMode
    source: Source

    def __str__(self) -> str:
        return f"auth mode {self.mode}, {_SOURCES[self.source]}"


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a request is sent with; *credentials* sign it, when it is to be signed."""

    headers: Mapping[str, str]
    credentials: Credentials | None = None


def resolve_auth_mode(call: Options, client: Options, default: AuthMode) -> ResolvedAuthMode:
    """Return the auth mode of a call: its own, else the client's, else the API's."""
    if call.auth_mode is not None:
        return ResolvedAuthMode(call.auth_mode, "call")
    if client.auth_mode is not None:
        return ResolvedAuthMode(client.auth_mode, "client")
    return ResolvedAuthMode(default, "default")


def authorize(
    chosen: ResolvedAuthMode,
    call: Options,
    client: Options,
    *,
    api_key: str | None,
    identity: RequestIdentity,
    caller: Callable[[], Credentials] | None,
) -> Authorization:
    """Return the headers of a call. *caller* has the developer's credentials, when they sign.

    A call's headers replace the client's, and a token in the options wins over everything.
    """
    custom = call.headers if call.headers is not None else client.headers or {}
    headers = {name.lower(): str(value) for name, value in custom.items()}
    token = call.auth_token or client.auth_token
    if token is not None:
        headers["authorization"] = token
    mode = chosen.mode
    if mode == "apiKey":
        key = call.api_key or client.api_key or api_key
        return Authorization({"x-api-key": _api_key(key, chosen), **headers})
    if mode == "lambda" and "authorization" not in headers:
        raise NoAuthorizationHeader(
            f"No auth token specified ({chosen}).",
            resolution="Give auth_token= to the call or to generate_client().",
        )
    # A request is signed only when nothing else in it says who asks.
    if mode in {"none", "lambda"} or "authorization" in headers or "x-api-key" in headers:
        return Authorization(headers)
    if mode in {"userPool", "oidc"}:
        return Authorization({"authorization": _access_token(identity, chosen), **headers})
    return Authorization(headers, caller() if caller is not None else _keys(identity, chosen))


def _api_key(key: str | None, chosen: ResolvedAuthMode) -> str:
    if key is None:
        raise NoApiKey(
            f"No api-key configured ({chosen}).",
            resolution="The outputs file has no data.api_key: add apiKeyAuthorizationMode to the "
            "data resource and deploy, give api_key= to generate_client(), or use another "
            "auth_mode.",
        )
    return key


def _access_token(identity: RequestIdentity, chosen: ResolvedAuthMode) -> str:
    try:
        token = identity.access_token()
    except LocalSandboxError:
        raise
    except SeedctlError as error:
        raise NoSignedUser(
            f"No current user ({chosen}): {error.message}",
            resolution=error.resolution or "Sign in again.",
        ) from error
    if token is None:
        raise NoValidAuthTokens(
            f"No federated jwt: nobody is signed in here ({chosen}).",
            resolution="Call sign_in_user(...) first, use session.data of a signed-in user, or "
            "give another auth_mode. Threads of a pool do not inherit a sign-in.",
        )
    return token


def _keys(identity: RequestIdentity, chosen: ResolvedAuthMode) -> Credentials:
    found = identity.credentials()
    if found is None:
        raise NoCredentials(
            f"No credentials ({chosen}): nobody is signed in, and guests get none; or the backend "
            "has no identity pool.",
            resolution="Sign in first, allow guest access in amplify/auth/resource.ts, or sign "
            'with your own AWS credentials: generate_client(credentials="caller").',
        )
    return found.credentials
