"""``custom.seedctl`` of ``amplify/seed/local_outputs.json``: details that outputs files lack.

``seedctl local init`` takes them from the project's own source. Only the local sandbox uses them; for
details that are missing, it uses the rest of the outputs file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from seedctl.outputs.auth import (
    MFA_CONFIGURATIONS,
    MFA_METHODS,
    MFAConfiguration,
    MFAMethod,
    PasswordPolicy,
    UserGroup,
    parse_groups,
    parse_password_policy,
)
from seedctl.outputs.reader import Reader

FORMAT = 1
"""The format of ``custom.seedctl`` that this version writes, and the only one that it reads."""

AttributeType = Literal["String", "Number", "Boolean", "DateTime"]
_ADDRESSES = ("email", "phone_number")
_ATTRIBUTE_TYPES: tuple[AttributeType, ...] = ("String", "Number", "Boolean", "DateTime")


@dataclass(frozen=True, slots=True)
class UserAttribute:
    """One attribute of a user pool's schema. None means that there is no such limit."""

    name: str
    """As in requests: custom attributes begin with ``custom:``."""
    data_type: AttributeType
    is_required: bool
    is_mutable: bool
    min_length: int | None = None
    max_length: int | None = None
    min_value: int | None = None
    max_value: int | None = None


@dataclass(frozen=True, slots=True)
class UserPoolDetails:
    """The user pool and its app client as the template has them. None means that the template does not say.

    Where the template and the outputs disagree, Cognito behaves as the template says.
    """

    attributes: tuple[UserAttribute, ...] | None = None
    """Standard attributes that the template names, and all custom ones."""
    auth_flows: tuple[str, ...] | None = None
    """What the app client allows, such as ``ALLOW_USER_SRP_AUTH``."""
    auto_verified_attributes: tuple[str, ...] | None = None
    verify_before_update: tuple[str, ...] | None = None
    """Attributes whose new value counts only after the code that Cognito sends to it."""
    username_attributes: tuple[str, ...] | None = None
    is_case_sensitive: bool | None = None
    """Whether user names that differ in case are different users."""
    password_policy: PasswordPolicy | None = None
    mfa_configuration: MFAConfiguration | None = None
    mfa_methods: tuple[MFAMethod, ...] | None = None
    groups: tuple[UserGroup, ...] | None = None
    access_token_seconds: int | None = None
    id_token_seconds: int | None = None
    refresh_token_seconds: int | None = None
    temporary_password_days: int | None = None
    recovery_attributes: tuple[str, ...] | None = None
    """The attributes to which password reset codes may be sent, in order of preference."""
    allows_sign_up: bool | None = None
    """Whether users may sign up themselves."""


@dataclass(frozen=True, slots=True)
class BackendDetails:
    """The whole of ``custom.seedctl``."""

    model_schema: str | None = field(default=None, repr=False)
    """The GraphQL source of the models, with their defaults, validators and field rules."""
    user_pool: UserPoolDetails | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    """A digest of each source file of the project, by its path, to notice that the file is stale."""


def parse_details(document: Reader) -> BackendDetails:
    """Parse ``custom.seedctl`` of the whole *document*; the rest of ``custom`` is the project's own.

    Raises InvalidAmplifyOutputsError.
    """
    if not isinstance(document.raw("custom"), dict):
        return BackendDetails()
    custom = document.child("custom")
    details = custom.child("seedctl") if custom is not None else None
    if details is None:
        return BackendDetails()
    if details.optional_integer("format") != FORMAT:
        details.fail("format", f"{FORMAT}, the format of this version", details.raw("format"))
    pool = details.child("user_pool")
    sources = details.child("sources")
    return BackendDetails(
        model_schema=details.optional_text("model_schema"),
        user_pool=_user_pool(pool) if pool is not None else None,
        sources=_texts(sources) if sources is not None else {},
    )


def _texts(entry: Reader) -> dict[str, str]:
    names = entry.keys()
    return {name: entry.text(name) for name in names}


def _user_pool(pool: Reader) -> UserPoolDetails:
    attributes = pool.optional_objects("attributes")
    policy = pool.child("password_policy")
    return UserPoolDetails(
        attributes=None if attributes is None else tuple(map(_attribute, attributes)),
        auth_flows=pool.optional_texts("auth_flows"),
        auto_verified_attributes=pool.optional_choices("auto_verified_attributes", _ADDRESSES),
        verify_before_update=pool.optional_choices("verify_before_update", _ADDRESSES),
        username_attributes=pool.optional_choices("username_attributes", _ADDRESSES),
        is_case_sensitive=pool.optional_flag("case_sensitive"),
        password_policy=parse_password_policy(policy) if policy is not None else None,
        mfa_configuration=pool.optional_choice("mfa_configuration", MFA_CONFIGURATIONS),
        mfa_methods=pool.optional_choices("mfa_methods", MFA_METHODS),
        groups=parse_groups(pool),
        access_token_seconds=pool.optional_integer("access_token_seconds"),
        id_token_seconds=pool.optional_integer("id_token_seconds"),
        refresh_token_seconds=pool.optional_integer("refresh_token_seconds"),
        temporary_password_days=pool.optional_integer("temporary_password_days"),
        recovery_attributes=pool.optional_choices("recovery_attributes", _ADDRESSES),
        allows_sign_up=pool.optional_flag("allow_sign_up"),
    )


def _attribute(entry: Reader) -> UserAttribute:
    return UserAttribute(
        name=entry.text("name"),
        data_type=entry.optional_choice("data_type", _ATTRIBUTE_TYPES) or "String",
        is_required=entry.optional_flag("required") or False,
        is_mutable=entry.optional_flag("mutable") is not False,
        min_length=entry.optional_integer("min_length"),
        max_length=entry.optional_integer("max_length"),
        min_value=entry.optional_integer("min_value"),
        max_value=entry.optional_integer("max_value"),
    )
