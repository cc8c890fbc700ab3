"""The deployed user pool and app client, with Gen 2 defaults for what the outputs file omits."""

from __future__ import annotations

from dataclasses import dataclass

from seedctl.outputs import AuthSection, PasswordPolicy, UserGroup

DEFAULT_POLICY = PasswordPolicy(
    min_length=8,
    require_numbers=True,
    require_lowercase=True,
    require_uppercase=True,
    require_symbols=True,
)
# An app client of Amplify Gen 2 allows these and, without passwordless login, nothing else.
ALLOWED_FLOWS = ("ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH")
_MFA_METHODS = ("SMS", "TOTP", "EMAIL")
_SET_BY_COGNITO = ("sub", "updated_at")
_RECOVERY = ("email", "phone_number")


@dataclass(frozen=True, slots=True)
class UserPool:
    id: str
    client_id: str
    region: str
    name: str
    """The id without its region; SRP signatures include it."""
    username_attributes: tuple[str, ...]
    """``email``, ``phone_number`` or both; empty where user names are free text."""
    required_attributes: tuple[str, ...]
    """Without ``sub`` and ``updated_at``, which Cognito sets itself."""
    verification_types: tuple[str, ...]
    """Attributes that Cognito verifies by a code; a new value takes effect with the code."""
    password_policy: PasswordPolicy
    mfa_configuration: str
    mfa_methods: tuple[str, ...]
    """``SMS``, ``TOTP``, ``EMAIL``; empty if MFA is off."""
    groups: tuple[UserGroup, ...]

    @classmethod
    def deployed(cls, auth: AuthSection) -> UserPool:
        names = ("email",) if auth.username_attributes is None else auth.username_attributes
        # A pool has either free-text user names or sign-in attributes, never both.
        aliases = () if "username" in names else names
        required = auth.standard_required_attributes
        required = aliases if required is None else required
        verified = auth.user_verification_types
        configuration = auth.mfa_configuration or "NONE"
        # A pool that requires MFA has a method, even if the file names none: files before version 1.4
        # cannot name EMAIL. Allow all methods then [?].
        methods = auth.mfa_methods or (_MFA_METHODS if configuration == "REQUIRED" else ())
        return cls(
            id=auth.user_pool_id,
            client_id=auth.user_pool_client_id,
            region=auth.user_pool_region,
            name=auth.user_pool_name,
            username_attributes=aliases,
            required_attributes=tuple(name for name in required if name not in _SET_BY_COGNITO),
            verification_types=aliases if verified is None else verified,
            password_policy=auth.password_policy or DEFAULT_POLICY,
            mfa_configuration=configuration,
            mfa_methods=() if configuration == "NONE" else methods,
            groups=auth.groups or (),
        )

    @property
    def recovery_attributes(self) -> tuple[str, ...]:
        """The attributes that a reset code may be sent to, in order of preference."""
        return tuple(name for name in _RECOVERY if name in self.verification_types) or _RECOVERY

    @property
    def issuer(self) -> str:
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://cognito-idp.{self.region}.{suffix}/{self.id}"
