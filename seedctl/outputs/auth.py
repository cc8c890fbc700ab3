"""The ``auth`` section of the outputs file. None means that the file does not say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

from seedctl.outputs.reader import Reader
from seedctl.outputs.sections import A_REGION, REGION

MFAConfiguration = Literal["NONE", "OPTIONAL", "REQUIRED"]
MFAMethod = Literal["SMS", "TOTP", "EMAIL"]
MFA_CONFIGURATIONS: tuple[MFAConfiguration, ...] = ("NONE", "OPTIONAL", "REQUIRED")
MFA_METHODS: tuple[MFAMethod, ...] = ("SMS", "TOTP", "EMAIL")


class StandardUserAttributes(TypedDict, total=False):
    """Cognito's standard user attributes, under Cognito's names. All values are text."""

    # In the order in which the JavaScript tool sends them.
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
    zoneinfo: str
    updated_at: str
    website: str


STANDARD_ATTRIBUTES = tuple(StandardUserAttributes.__annotations__)
"""Cognito's standard user attributes, except ``sub``, which only Cognito sets."""

_SHORTEST_PASSWORD = 6  # the lowest minimum that a Cognito password policy can have
_POOL_ID = re.compile(r"[a-z0-9-]+_[0-9A-Za-z]+")
_CLIENT_ID = re.compile(r"[\w+]+", re.ASCII)
_IDENTITY_POOL_ID = re.compile(r"[a-z0-9-]+:[0-9A-Za-z-]+")
# CloudFormation's words, which Amplify wrote into the file in the middle of 2024.
_MFA_ALIASES: Mapping[str, MFAConfiguration] = {"OFF": "NONE", "ON": "REQUIRED"}
# Users can be created without it even if it is required [?].
_NEVER_REQUIRED = ("updated_at",)


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The rules for passwords. A rule that the file does not mention does not apply."""

    min_length: int = _SHORTEST_PASSWORD
    require_numbers: bool = False
    require_lowercase: bool = False
    require_uppercase: bool = False
    require_symbols: bool = False


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A group of the user pool. A user of several groups gets the role of the lowest precedence."""

    name: str
    precedence: int | None


@dataclass(frozen=True, slots=True)
class AuthSection:
    """The user pool, its app client and identity pool. None means that the file does not say."""

    aws_region: str
    user_pool_id: str
    user_pool_client_id: str
    identity_pool_id: str | None = None
    password_policy: PasswordPolicy | None = None
    standard_required_attributes: tuple[str, ...] | None = None
    """The attributes that a new user must have."""
    username_attributes: tuple[str, ...] | None = None
    user_verification_types: tuple[str, ...] | None = None
    unauthenticated_identities_enabled: bool | None = None
    mfa_configuration: MFAConfiguration | None = None
    mfa_methods: tuple[MFAMethod, ...] | None = None
    can_list_email_mfa: bool = True
    """False before version 1.4 of the file, in which mfa_methods cannot contain EMAIL."""
    groups: tuple[UserGroup, ...] | None = None
    """None before version 1.3 of the file."""

    @property
    def user_pool_region(self) -> str:
        """The pool's region, which its id begins with; *aws_region* may be another one."""
        return self.user_pool_id.partition("_")[0]

    @property
    def user_pool_name(self) -> str:
        """The pool's id without its region, as SRP uses it."""
        return self.user_pool_id.partition("_")[2]


def parse_auth(auth: Reader, version: str) -> AuthSection:
    """Parse the auth section of a file of that *version*. Raises InvalidAmplifyOutputsError."""
    policy = auth.child("password_policy")
    required = auth.optional_choices("standard_required_attributes", STANDARD_ATTRIBUTES)
    return AuthSection(
        aws_region=auth.matching("aws_region", REGION, A_REGION),
        user_pool_id=auth.matching(
            "user_pool_id", _POOL_ID, "a user pool id such as us-east-1_AbCdEfGhI"
        ),
        user_pool_client_id=auth.matching(
            "user_pool_client_id", _CLIENT_ID, "the id of an app client"
        ),
        identity_pool_id=auth.optional_matching(
            "identity_pool_id", _IDENTITY_POOL_ID, "an identity pool id such as us-east-1:1234-abcd"
        ),
        password_policy=parse_password_policy(policy) if policy is not None else None,
        standard_required_attributes=None
        if required is None
        else tuple(name for name in required if name not in _NEVER_REQUIRED),
        username_attributes=auth.optional_choices(
            "username_attributes", ("email", "phone_number", "username")
        ),
        user_verification_types=auth.optional_choices(
            "user_verification_types", ("email", "phone_number")
        ),
        unauthenticated_identities_enabled=auth.optional_flag("unauthenticated_identities_enabled"),
        mfa_configuration=auth.optional_choice(
            "mfa_configuration", MFA_CONFIGURATIONS, _MFA_ALIASES
        ),
        mfa_methods=auth.optional_choices("mfa_methods", MFA_METHODS),
        can_list_email_mfa=_minor(version) >= 4,
        groups=parse_groups(auth),
    )


def parse_password_policy(policy: Reader) -> PasswordPolicy:
    """Parse ``password_policy``. Raises InvalidAmplifyOutputsError."""
    return PasswordPolicy(
        min_length=policy.optional_integer_between("min_length", _SHORTEST_PASSWORD, 99)
        or _SHORTEST_PASSWORD,
        require_numbers=policy.optional_flag("require_numbers") or False,
        require_lowercase=policy.optional_flag("require_lowercase") or False,
        require_uppercase=policy.optional_flag("require_uppercase") or False,
        require_symbols=policy.optional_flag("require_symbols") or False,
    )


def parse_groups(auth: Reader) -> tuple[UserGroup, ...] | None:
    """Parse ``groups``; None if there is no such key. Raises InvalidAmplifyOutputsError."""
    entries = auth.optional_objects("groups")
    if entries is None:
        return None
    groups = []
    for entry in entries:
        for name in entry.keys():  # noqa: SIM118 - a Reader, not a dict
            group = entry.child(name)
            precedence = group.optional_integer("precedence") if group is not None else None
            groups.append(UserGroup(name, precedence))
    return tuple(groups)


def _minor(version: str) -> int:
    digits = version.partition(".")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() and digits.isascii() else 0
