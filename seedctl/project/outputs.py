"""``amplify_outputs.json``, versions 1 to 1.5, as frozen dataclasses.

Unknown keys are ignored, since later versions add some. A missing or mistyped key is an error that
names the file, the key path and what was expected. What an old version does not say stays None:
unknown, not "off" and not "empty".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from seedctl.errors import AmplifyOutputsNotFoundError, InvalidAmplifyOutputsError
from seedctl.project.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

MFAConfiguration = Literal["NONE", "OPTIONAL", "REQUIRED"]
MFAMethod = Literal["SMS", "TOTP", "EMAIL"]

# In the order in which the JavaScript tool sends them.
STANDARD_ATTRIBUTES = (
    "address",
    "birthdate",
    "email",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "zoneinfo",
    "updated_at",
    "website",
)
"""The user attributes that Cognito has by itself, but for ``sub``, which nobody sets."""

_POOL_ID = re.compile(r"[a-z0-9-]+_[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    min_length: int
    require_numbers: bool
    require_lowercase: bool
    require_uppercase: bool
    require_symbols: bool


@dataclass(frozen=True, slots=True)
class Group:
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
    username_attributes: tuple[str, ...] | None = None
    user_verification_types: tuple[str, ...] | None = None
    unauthenticated_identities_enabled: bool | None = None
    mfa_configuration: MFAConfiguration | None = None
    mfa_methods: tuple[MFAMethod, ...] | None = None
    can_list_email_mfa: bool = True
    """False before version 1.4, whose mfa_methods cannot name EMAIL."""
    groups: tuple[Group, ...] | None = None
    """None before version 1.3."""

    @property
    def user_pool_region(self) -> str:
        """The region to call, which is part of the pool's id; *aws_region* may differ."""
        return self.user_pool_id.partition("_")[0]

    @property
    def user_pool_name(self) -> str:
        """The pool's id without its region, as SRP uses it."""
        return self.user_pool_id.partition("_")[2]


@dataclass(frozen=True, slots=True)
class AmplifyOutputs:
    version: str
    auth: AuthSection | None
    path: Path
    document: dict[str, Any] = field(repr=False, compare=False)
    """The whole file, for the sections that have a room of their own."""


def load_outputs(path: Path) -> AmplifyOutputs:
    """Read the outputs file at *path*.

    Raises AmplifyOutputsNotFoundError when it is absent or only the stub written before the first
    deployment, InvalidAmplifyOutputsError when it is not what Amplify writes.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise AmplifyOutputsNotFoundError(
            f"{path} does not exist.",
            resolution="Deploy the sandbox with npx ampx sandbox, or name the file with --outputs.",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidAmplifyOutputsError(f"{path} cannot be read: {error}") from error
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidAmplifyOutputsError(
            f"{path} is not JSON: {error}",
            resolution="Make the file anew with npx ampx sandbox or npx ampx generate outputs.",
        ) from error
    return parse_outputs(document, path)


def parse_outputs(document: Any, path: Path) -> AmplifyOutputs:
    """Return the outputs in *document*; *path* is named in errors."""
    root = Reader(document, path)
    version = root.text("version")
    if version != "1" and not version.startswith("1."):
        root.fail("version", 'a version that begins with "1"', version)
    if not document.keys() - {"version", "$schema"}:
        raise AmplifyOutputsNotFoundError(
            f"{path} holds only a version: nothing has been deployed yet.",
            resolution="Deploy the sandbox with npx ampx sandbox and wait until it is done.",
        )
    auth = root.child("auth")
    return AmplifyOutputs(
        version=version,
        auth=_auth(auth, version) if auth is not None else None,
        path=path,
        document=document,
    )


def _auth(auth: Reader, version: str) -> AuthSection:
    pool_id = auth.text("user_pool_id")
    if not _POOL_ID.fullmatch(pool_id):
        auth.fail("user_pool_id", "a user pool id such as us-east-1_AbCdEfGhI", pool_id)
    policy = auth.child("password_policy")
    return AuthSection(
        aws_region=auth.text("aws_region"),
        user_pool_id=pool_id,
        user_pool_client_id=auth.text("user_pool_client_id"),
        identity_pool_id=auth.optional_text("identity_pool_id"),
        password_policy=_password_policy(policy) if policy is not None else None,
        standard_required_attributes=auth.optional_texts("standard_required_attributes"),
        username_attributes=auth.optional_texts("username_attributes"),
        user_verification_types=auth.optional_texts("user_verification_types"),
        unauthenticated_identities_enabled=auth.optional_flag("unauthenticated_identities_enabled"),
        mfa_configuration=auth.optional_choice(
            "mfa_configuration", ("NONE", "OPTIONAL", "REQUIRED")
        ),
        mfa_methods=auth.optional_choices("mfa_methods", ("SMS", "TOTP", "EMAIL")),
        can_list_email_mfa=_minor(version) >= 4,
        groups=_groups(auth),
    )


def _password_policy(policy: Reader) -> PasswordPolicy:
    return PasswordPolicy(
        min_length=policy.integer("min_length", minimum=6, maximum=99),
        require_numbers=policy.flag("require_numbers"),
        require_lowercase=policy.flag("require_lowercase"),
        require_uppercase=policy.flag("require_uppercase"),
        require_symbols=policy.flag("require_symbols"),
    )


def _groups(auth: Reader) -> tuple[Group, ...] | None:
    entries = auth.optional_objects("groups")
    if entries is None:
        return None
    groups = []
    for entry in entries:
        for name in entry.keys():  # noqa: SIM118 - a Reader, not a dict
            group = entry.child(name)
            precedence = group.optional_integer("precedence") if group is not None else None
            groups.append(Group(name, precedence))
    return tuple(groups)


def _minor(version: str) -> int:
    digits = version.partition(".")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() and digits.isascii() else 0
