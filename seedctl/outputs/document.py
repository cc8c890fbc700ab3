"""``amplify_outputs.json``, versions 1 to 1.5, as frozen dataclasses.

Unknown keys are ignored, since later versions add some. A missing key, or a value of the wrong type,
is an error that names the file, the key path and what was expected. None means that the file has no
such information, as in old versions: it does not mean "off" or "empty".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypedDict

from seedctl import errors
from seedctl.outputs.reader import REGENERATE, Reader
from seedctl.outputs.sections import (
    A_REGION,
    REGION,
    DataOutputs,
    StorageOutputs,
    parse_data,
    parse_storage,
)
from seedctl.project.root import Project, UnreadableFileError, find_outputs, read_text

MFAConfiguration = Literal["NONE", "OPTIONAL", "REQUIRED"]
MFAMethod = Literal["SMS", "TOTP", "EMAIL"]


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
# Cognito sets the first. Users can be created without the second even if it is required [?].
_NEVER_REQUIRED = ("sub", "updated_at")


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
    """The user pool, its app client and identity pool. None means that the file does not tell."""

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


@dataclass(frozen=True, slots=True)
class AmplifyOutputs:
    """The whole outputs file. A section is None if the backend has no such resource."""

    version: str
    auth: AuthSection | None
    data: DataOutputs | None
    storage: StorageOutputs | None
    path: Path
    document: dict[str, Any] = field(repr=False, compare=False)
    """The JSON document itself."""


def load_outputs(path: Path) -> AmplifyOutputs:
    """Read the outputs file at *path*.

    Raises AmplifyOutputsNotFoundError if it does not exist or is only the stub that Amplify writes
    before the first deployment, and InvalidAmplifyOutputsError if it is not what Amplify writes.
    """
    try:
        text = read_text(path)
    except FileNotFoundError as error:
        raise errors.AmplifyOutputsNotFoundError(
            f"{path} does not exist.",
            resolution="Deploy the sandbox with npx ampx sandbox, or name the file with --outputs.",
        ) from error
    except UnreadableFileError as error:
        raise errors.InvalidAmplifyOutputsError(
            f"{path} cannot be read: {error}.",
            resolution="Make it a file that this account may read, or name another with --outputs.",
        ) from error.__cause__
    try:
        document = json.loads(text)
        # JSON may hold half of a surrogate pair, but no service accepts it. This raises ValueError.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise errors.InvalidAmplifyOutputsError(
            f"{path} is not JSON: {error}", resolution=REGENERATE
        ) from error
    return parse_outputs(document, path)


def parse_outputs(document: Any, path: Path) -> AmplifyOutputs:
    """Return the outputs in *document*; errors name *path*. Raises as ``load_outputs``."""
    root = Reader(document, path)
    version = root.text("version")
    if version != "1" and not version.startswith("1."):
        root.fail("version", 'a version that begins with "1"', version)
    if not document.keys() - {"version", "$schema"}:
        raise errors.AmplifyOutputsNotFoundError(
            f"{path} holds only a version: nothing has been deployed yet.",
            resolution="Deploy the sandbox with npx ampx sandbox and wait until it is done.",
        )
    auth, data, storage = (root.child(name) for name in ("auth", "data", "storage"))
    return AmplifyOutputs(
        version=version,
        auth=_auth(auth, version) if auth is not None else None,
        data=parse_data(data, path) if data is not None else None,
        storage=parse_storage(storage) if storage is not None else None,
        path=path,
        document=document,
    )


def _auth(auth: Reader, version: str) -> AuthSection:
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
        password_policy=_password_policy(policy) if policy is not None else None,
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
            "mfa_configuration", ("NONE", "OPTIONAL", "REQUIRED"), _MFA_ALIASES
        ),
        mfa_methods=auth.optional_choices("mfa_methods", ("SMS", "TOTP", "EMAIL")),
        can_list_email_mfa=_minor(version) >= 4,
        groups=_groups(auth),
    )


def _password_policy(policy: Reader) -> PasswordPolicy:
    return PasswordPolicy(
        min_length=policy.optional_integer_between("min_length", _SHORTEST_PASSWORD, 99)
        or _SHORTEST_PASSWORD,
        require_numbers=policy.optional_flag("require_numbers") or False,
        require_lowercase=policy.optional_flag("require_lowercase") or False,
        require_uppercase=policy.optional_flag("require_uppercase") or False,
        require_symbols=policy.optional_flag("require_symbols") or False,
    )


def _groups(auth: Reader) -> tuple[UserGroup, ...] | None:
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


class OutputsSource:
    """Finds and reads the outputs file, once."""

    def __init__(self, project: Project, *, explicit: Path | None, is_local: bool) -> None:
        """*explicit* is the file that the user named; None means the project's own.

        *is_local* is whether it is for the local sandbox, which may use a file of its own.
        """
        self._project = project
        self._explicit = explicit
        self._is_local = is_local

    @cached_property
    def outputs(self) -> AmplifyOutputs:
        """The outputs file. Raises AmplifyOutputsNotFoundError, InvalidAmplifyOutputsError."""
        return load_outputs(
            find_outputs(self._project, explicit=self._explicit, local=self._is_local)
        )

    def if_any(self) -> AmplifyOutputs | None:
        """Return the outputs file, or None if the project has none and the user named none.

        Secrets work without one. Raises AmplifyOutputsNotFoundError if the file that the user named
        does not exist, and InvalidAmplifyOutputsError.
        """
        try:
            return self.outputs
        except errors.AmplifyOutputsNotFoundError:
            if self._explicit is not None:
                raise
            return None

    @property
    def auth(self) -> AuthSection | None:
        """The auth section; None if the backend has no auth resource."""
        return self.outputs.auth

    def require_auth(self) -> AuthSection:
        """Return the auth section. Raises MissingAuthError if there is none."""
        if self.outputs.auth is None:
            raise errors.MissingAuthError(
                f"{self.outputs.path} has no auth section: this backend has no auth resource.",
                resolution="Add one in amplify/auth/resource.ts, deploy, and run again.",
            )
        return self.outputs.auth

    def region(self) -> str | None:
        """Return the user pool's region, the last resort for calls without a configured region."""
        if self._is_local:
            return "us-east-1"
        auth = self.outputs.auth
        return auth.user_pool_region if auth is not None else None
