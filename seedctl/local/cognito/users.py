"""User records, and their lookup by user name, ``sub``, e-mail address or phone number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from seedctl.local.cognito.attributes import ADDRESSES
from seedctl.local.cognito.errors import unknown_user
from seedctl.local.cognito.passwords import Verifier
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.totp import SoftwareToken
from seedctl.local.protocol import ServiceError
from seedctl.local.store import View, from_document

CONFIRMED = "CONFIRMED"
FORCE_CHANGE_PASSWORD = "FORCE_CHANGE_PASSWORD"  # noqa: S105 - a status
RESET_REQUIRED = "RESET_REQUIRED"
UNCONFIRMED = "UNCONFIRMED"


@dataclass(frozen=True, slots=True)
class AccountCode:
    """An unused one-time code that was sent outside of a sign-in."""

    attribute: str
    """``email`` or ``phone_number``."""
    destination: str
    """The address it was sent to; confirming a new address's code makes the address current."""
    code: str = field(repr=False)
    expires: float
    """Epoch seconds."""


@dataclass(slots=True)
class User:
    """A user as stored, with a ``Verifier`` instead of a password."""

    username: str
    """Equal to ``sub`` if users of the pool sign in by an attribute."""
    sub: str
    attributes: dict[str, str]
    """Without ``sub``."""
    created: float
    modified: float
    status: str = FORCE_CHANGE_PASSWORD
    enabled: bool = True
    verifier: Verifier | None = field(default=None, repr=False)
    temporary_until: float | None = None
    """When a temporary password expires, in epoch seconds."""
    failures: int = 0
    """Wrong passwords in a row."""
    failed_at: float = 0.0
    token_epoch: int = 0
    """Incremented by a global sign-out: tokens of an earlier epoch are revoked."""
    software_token: SoftwareToken | None = field(default=None, repr=False)
    """The verified software token."""
    pending_token: SoftwareToken | None = field(default=None, repr=False)
    """A software token from AssociateSoftwareToken that is not verified yet."""
    mfa_enabled: list[str] = field(default_factory=list)
    """The factors turned on for this user, as names of challenges."""
    mfa_preferred: str | None = None
    newest_codes: dict[str, str] = field(default_factory=dict)
    """The id of the last code sent by each method; older codes are invalid."""
    account_codes: dict[str, AccountCode] = field(default_factory=dict)
    """The last code sent for each purpose."""
    calls: dict[str, list[float]] = field(default_factory=dict)
    """Times of calls in the last hour, for each operation with a limit per user."""

    def described(self, *, attributes_key: str = "Attributes") -> dict[str, Any]:
        """Return the user in the format of Cognito's replies."""
        return {
            "Username": self.username,
            attributes_key: self.attribute_list(),
            "UserCreateDate": self.created,
            "UserLastModifiedDate": self.modified,
            "Enabled": self.enabled,
            "UserStatus": self.status,
        }

    def mfa_settings(self) -> dict[str, Any]:
        """Return the MFA settings, which only GetUser and AdminGetUser show."""
        settings: dict[str, Any] = {}
        if self.mfa_enabled:
            settings["UserMFASettingList"] = self.mfa_enabled
        if self.mfa_preferred is not None:
            settings["PreferredMfaSetting"] = self.mfa_preferred
        return settings

    def attribute_list(self) -> list[dict[str, str]]:
        attributes = {"sub": self.sub, **self.attributes}
        return [{"Name": name, "Value": value} for name, value in attributes.items()]


_COLUMNS = ("username", "sub", "status", "enabled", "created", "modified", "attributes")
_SECRETS = {"verifier": Verifier, "software_token": SoftwareToken, "pending_token": SoftwareToken}


class UserRecords:
    """The users of one pool in one transaction. *now* is its time in epoch seconds."""

    def __init__(self, view: View, pool: UserPool, now: float) -> None:
        self.view = view
        self.pool = pool
        self.now = now

    def find(self, name: str) -> User | None:
        """Return the user with the user name, alias or ``sub`` *name*.

        Case is ignored, unless the pool says otherwise.
        """
        names = ("username", *self._aliases)
        found = (self._first(*self._is(column, name)) for column in names)
        by_name = next(filter(None, found), None)
        return by_name or self._first("sub = ?", [name.lower()])

    def by_username(self, username: str) -> User | None:
        return self._first("username = ?", [username])

    def require(self, name: str) -> User:
        """Return the user. Raises UserNotFoundException, the error that administrators get."""
        user = self.find(name)
        if user is None:
            raise unknown_user()
        return user

    def insert(self, user: User) -> None:
        """Add *user*. Raises UsernameExistsException."""
        conflict = self.find_conflict(user)
        if conflict == "username":
            raise ServiceError("UsernameExistsException", "User account already exists")
        if conflict is not None:
            raise _conflict_error("UsernameExistsException", conflict)
        self._write(user)

    def save(self, user: User) -> None:
        """Store the changes of *user*. Raises AliasExistsException."""
        self.check_no_conflict(user)
        self._write(user)

    def save_modified(self, user: User) -> None:
        """As ``save``, and set the time of the last modification."""
        user.modified = self.now
        self.save(user)

    def check_no_conflict(self, user: User) -> None:
        """Raise AliasExistsException if another user has an address of *user*."""
        conflict = self.find_conflict(user)
        if conflict is not None:
            raise _conflict_error("AliasExistsException", conflict)

    def delete(self, user: User) -> None:
        for table in ("membership", "user"):
            self.view.execute(
                f"DELETE FROM {table} WHERE pool = ? AND username = ?",  # noqa: S608 - our names
                (self.pool.id, user.username),
            )

    def page(self, condition: str, values: Sequence[Any], order: str, size: int) -> list[User]:
        """Return the first *size* users that match *condition* in *order*, both SQL."""
        query = f"SELECT * FROM user WHERE pool = ? AND {condition} ORDER BY {order} LIMIT ?"  # noqa: S608 - our names
        return [self._read(row) for row in self.view.rows(query, self.pool.id, *values, size)]

    def find_conflict(self, user: User) -> str | None:
        """Return which name or alias of *user* another user already has, None if all are free."""
        values = {"username": user.username, **user.attributes}
        for name in ("username", *self._aliases):
            condition, given = self._is(name, values.get(name) or "")
            query = f"SELECT 1 FROM user WHERE pool = ? AND {condition} AND sub <> ?"  # noqa: S608 - our names
            if given[0] and self.view.execute(query, (self.pool.id, *given, user.sub)).fetchone():
                return name
        return None

    @property
    def _aliases(self) -> list[str]:
        return [name for name in ADDRESSES if name in self.pool.username_attributes]

    def _is(self, name: str, value: str) -> tuple[str, list[str]]:
        """Return the SQL condition that the user name or alias *name* is *value*, and its values."""
        condition, values = f"lower_{name} = ?", [value.lower()]
        if self.pool.is_case_sensitive:
            exact = name if name == "username" else f"json_extract(attributes, '$.{name}')"
            condition, values = f"{condition} AND {exact} = ?", [*values, value]
        return condition, values

    def _first(self, condition: str, values: list[str]) -> User | None:
        # A pool that had other aliases before may have two such users: return the older one. The plus
        # keeps SQLite from scanning all users by age.
        found = self.page(condition, values, "+created", 1)
        return found[0] if found else None

    def _write(self, user: User) -> None:
        document = asdict(user)
        columns = {name: document.pop(name) for name in _COLUMNS}
        secret = {name: document.pop(name) for name in ("account_codes", *_SECRETS)}
        self.view.put(
            "user",
            pool=self.pool.id,
            **columns,
            lower_username=user.username.lower(),
            **{f"lower_{name}": _lower(user.attributes.get(name)) for name in ADDRESSES},
            more=document,
            secret=self.view.seal.encrypt(secret, "user", self.pool.id, user.username),
        )

    def _read(self, row: dict[str, Any]) -> User:
        secret = self.view.seal.decrypt(row["secret"], "user", self.pool.id, row["username"])
        for name, kind in _SECRETS.items():
            if secret[name] is not None:
                secret[name] = from_document(kind, secret[name])
        for purpose, code in secret["account_codes"].items():
            secret["account_codes"][purpose] = from_document(AccountCode, code)
        columns = {name: row[name] for name in _COLUMNS}
        columns["enabled"] = bool(columns["enabled"])
        return from_document(User, {**row["more"], **secret, **columns})


def _lower(value: str | None) -> str | None:
    return value.lower() if value else None


def _conflict_error(code: str, name: str) -> ServiceError:
    return ServiceError(code, f"An account with the given {name} already exists.")
