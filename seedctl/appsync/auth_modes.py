"""How a request authenticates: the auth mode, where it was chosen, and the headers it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from seedctl import errors
from seedctl.aws.credentials import Credentials, IdentityCredentials
from seedctl.nearest import advice
from seedctl.outputs.sections import DataOutputs

AuthMode = Literal["apiKey", "userPool", "iam", "identityPool", "oidc", "lambda", "none"]
Source = Literal["call", "client", "default"]

SIGNING_MODES: frozenset[AuthMode] = frozenset({"iam", "identityPool"})
_MODES_BY_TYPE: Mapping[str | None, AuthMode] = {
    "AMAZON_COGNITO_USER_POOLS": "userPool",
    "API_KEY": "apiKey",
    "AWS_IAM": "iam",
    "AWS_LAMBDA": "lambda",
    "OPENID_CONNECT": "oidc",
}
_SOURCES = {"call": "from the call", "client": "from the client", "default": "the API's default"}


class RequestIdentity(Protocol):
    """The user that a client acts as. Read at each call, since the user may change in between."""

    def access_token(self) -> str | None:
        """Return the signed-in user's access token, or None when nobody is signed in."""
        ...

    def credentials(self) -> IdentityCredentials | None:
        """Return the identity pool's credentials for the user or guest, or None without any."""
        ...


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """The auth options of a client or of one call. None in a call means: use the client's."""

    auth_mode: AuthMode | None = None
    auth_token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.auth_mode is not None and self.auth_mode not in get_args(AuthMode):
            raise errors.InvalidAuthModeError(
                f"There is no auth mode {self.auth_mode!r}.",
                resolution=advice(str(self.auth_mode), get_args(AuthMode)),
            )
        if self.headers is not None and not isinstance(self.headers, Mapping):
            raise errors.InvalidInputError(
                f"headers= is a {type(self.headers).__name__}, not a mapping.",
                resolution='Write headers={"x-name": "value"}.',
            )


DEFAULT_AUTH = AuthOptions()


@dataclass(frozen=True, slots=True)
class ResolvedAuthMode:
    """The auth mode that one call uses, and where it was chosen."""

    mode: AuthMode
    source: Source

    def __str__(self) -> str:
        return f"auth mode {self.mode}, {_SOURCES[self.source]}"


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Authenticates the requests of one client, each by the options of its call."""

    data: DataOutputs
    identity: RequestIdentity
    client: AuthOptions
    """The options of the client, for what a call leaves open."""
    caller_credentials: Callable[[], Credentials] | None = None
    """Returns the developer's own credentials; None signs with those of *identity*."""

    def resolve(self, call: AuthOptions) -> ResolvedAuthMode:
        """Return the auth mode of a call: its own, else the client's, else the API's."""
        if call.auth_mode is not None:
            return ResolvedAuthMode(call.auth_mode, "call")
        if self.client.auth_mode is not None:
            return ResolvedAuthMode(self.client.auth_mode, "client")
        # amplify-js also uses "iam" for an authorization type that it does not know.
        mode = _MODES_BY_TYPE.get(self.data.default_authorization_type, "iam")
        return ResolvedAuthMode(mode, "default")

    def authorize(self, call: AuthOptions) -> tuple[Mapping[str, str], Credentials | None]:
        """Return the headers that authenticate a call, and the credentials to sign it with, if any.

        The headers of a call replace those of the client; an auth token in the options takes
        precedence over both. Raises NoSignedUser and others.
        """
        client, resolved = self.client, self.resolve(call)
        mode = resolved.mode
        custom = call.headers if call.headers is not None else client.headers or {}
        headers = {name.lower(): str(value) for name, value in custom.items()}
        token = call.auth_token or client.auth_token
        if token is not None:
            headers["authorization"] = token
        if mode == "apiKey":
            key = call.api_key or client.api_key or self.data.api_key
            if key is None:
                raise errors.NoApiKey(
                    f"No api-key configured ({resolved}).",
                    resolution="The outputs file has no data.api_key: add apiKeyAuthorizationMode "
                    "to the data resource and deploy, give api_key= to generate_client(), or use "
                    "another auth_mode.",
                )
            return {"x-api-key": key, **headers}, None
        if mode == "lambda" and "authorization" not in headers:
            raise errors.NoAuthorizationHeader(
                f"No auth token specified ({resolved}).",
                resolution="Give auth_token= to the call or to generate_client().",
            )
        # A request that authenticates by a header of its own is not signed.
        if mode == "none" or "authorization" in headers or "x-api-key" in headers:
            return headers, None
        if mode in {"userPool", "oidc"}:
            return {"authorization": _access_token(self.identity, resolved), **headers}, None
        if self.caller_credentials is not None:
            return headers, self.caller_credentials()
        return headers, _identity_credentials(self.identity, resolved)


def _access_token(identity: RequestIdentity, resolved: ResolvedAuthMode) -> str:
    try:
        token = identity.access_token()
    except errors.LocalSandboxError:
        raise
    except errors.SeedctlError as error:
        raise errors.NoSignedUser(
            f"No current user ({resolved}): {error.message}",
            resolution=error.resolution or "Sign in again.",
        ) from error
    if token is None:
        raise errors.NoValidAuthTokens(
            f"No federated jwt: nobody is signed in here ({resolved}).",
            resolution="Call sign_in_user(...) first, use session.data of a signed-in user, or "
            "give another auth_mode. The threads of a thread pool do not inherit a sign-in.",
        )
    return token


def _identity_credentials(identity: RequestIdentity, resolved: ResolvedAuthMode) -> Credentials:
    found = identity.credentials()
    if found is None:
        raise errors.NoCredentials(
            f"No credentials ({resolved}): nobody is signed in and guests have no access, or the "
            "backend has no identity pool.",
            resolution="Sign in first, allow guest access in amplify/auth/resource.ts, or sign "
            'with your own AWS credentials: generate_client(credentials="caller").',
        )
    return found.credentials
