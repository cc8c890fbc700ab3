"""The deployed user pool and app client.

The template decides, where ``local_outputs.json`` has its details; else the outputs file, and Gen 2
defaults for what that omits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from seedctl.outputs import AuthSection, PasswordPolicy, UserGroup
from seedctl.outputs.auth import MFA_METHODS
from seedctl.outputs.details import UserPoolDetails

if TYPE_CHECKING:
    from seedctl.outputs.details import UserAttribute

DEFAULT_POLICY = PasswordPolicy(
    min_length=8,
    require_numbers=True,
    require_lowercase=True,
    require_uppercase=True,
    require_symbols=True,
)
# An app client of Amplify Gen 2 allows these and, without passwordless login, nothing else.
DEFAULT_FLOWS = ("ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH")
_HOUR = 3600
DAY = 24 * _HOUR
_NO_DETAILS = UserPoolDetails()
_SET_BY_COGNITO = ("sub", "updated_at")
_RECOVERY = ("email", "phone_number")

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class UserPool:
    id: str
    client_id: str
    region: str
    name: str
    """The id without its region; SRP signatures include it."""
    username_attributes: tuple[str, ...]
    """``email``, ``phone_number`` or both; empty where user names are free text."""
    is_case_sensitive: bool
    schema: Mapping[str, UserAttribute] | None
    """The attributes that the template names, all custom ones among them; None if it is not known."""
    required_attributes: tuple[str, ...]
    """Without ``sub`` and ``updated_at``, which Cognito sets itself."""
    auto_verified: tuple[str, ...]
    """Attributes that Cognito sends a code to when they are set or changed by their user."""
    verify_before_update: tuple[str, ...]
    """Attributes whose new value takes effect with its code."""
    recovery_attributes: tuple[str, ...]
    """The attributes that a reset code may be sent to, in order of preference."""
    password_policy: PasswordPolicy
    temporary_password_days: int
    mfa_configuration: str
    mfa_methods: tuple[str, ...]
    """``SMS``, ``TOTP``, ``EMAIL``; empty if MFA is off."""
    groups: tuple[UserGroup, ...]
    allows_sign_up: bool
    auth_flows: tuple[str, ...]
    """What the app client allows, such as ``ALLOW_USER_SRP_AUTH``."""
    access_token_seconds: int
    id_token_seconds: int
    refresh_token_seconds: int

    @classmethod
    def deployed(cls, auth: AuthSection, details: UserPoolDetails | None = None) -> UserPool:
        """Return the pool of *auth*, with *details* of the template where it has them.

        This is the only place that decides between the two.
        """
        told = details or _NO_DETAILS
        # A pool has either free-text user names or sign-in attributes, never both.
        names = _first(told.username_attributes, auth.username_attributes, ("email",))
        aliases = () if "username" in names else names
        schema = None
        required = _first(auth.standard_required_attributes, aliases)
        if told.attributes is not None:
            schema = {each.name: each for each in told.attributes}
            required = tuple(each.name for each in told.attributes if each.is_required)
        verified = _first(told.auto_verified_attributes, auth.user_verification_types, aliases)
        recovery = tuple(name for name in _RECOVERY if name in verified) or _RECOVERY
        configuration = _first(told.mfa_configuration, auth.mfa_configuration, "NONE")
        # A pool that requires MFA has a method, even if the file names none: files before version 1.4
        # cannot name EMAIL. Allow all methods then [?].
        methods = _first(told.mfa_methods, auth.mfa_methods, ())
        methods = methods or (MFA_METHODS if configuration == "REQUIRED" else ())
        return cls(
            id=auth.user_pool_id,
            client_id=auth.user_pool_client_id,
            region=auth.user_pool_region,
            name=auth.user_pool_name,
            username_attributes=aliases,
            is_case_sensitive=told.is_case_sensitive or False,
            schema=schema,
            required_attributes=tuple(name for name in required if name not in _SET_BY_COGNITO),
            auto_verified=verified,
            verify_before_update=_first(told.verify_before_update, verified),
            recovery_attributes=told.recovery_attributes or recovery,
            password_policy=_first(told.password_policy, auth.password_policy, DEFAULT_POLICY),
            temporary_password_days=told.temporary_password_days or 7,
            mfa_configuration=configuration,
            mfa_methods=() if configuration == "NONE" else methods,
            groups=_first(told.groups, auth.groups, ()),
            allows_sign_up=told.allows_sign_up is not False,
            auth_flows=told.auth_flows or DEFAULT_FLOWS,
            access_token_seconds=told.access_token_seconds or _HOUR,
            id_token_seconds=told.id_token_seconds or _HOUR,
            refresh_token_seconds=told.refresh_token_seconds or 30 * DAY,
        )

    def fold(self, name: str) -> str:
        """Return *name* as user names are compared: in lower case, unless case matters."""
        return name if self.is_case_sensitive else name.lower()

    @property
    def issuer(self) -> str:
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://cognito-idp.{self.region}.{suffix}/{self.id}"


def _first(*values: _Value | None) -> _Value:
    """Return the first of *values* that is not None; the last is a default."""
    return next(value for value in values if value is not None)
