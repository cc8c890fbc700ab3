"""User records, and how they are found: by user name, by ``sub``, by e-mail address or number."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.passwords import Verifier
from seedctl.local.cognito.totp import SoftwareToken
from seedctl.local.documents import from_document
from seedctl.local.protocol import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.store import View

CONFIRMED = "CONFIRMED"
FORCE_CHANGE_PASSWORD = "FORCE_CHANGE_PASSWORD"  # noqa: S105 - a status
RESET_REQUIRED = "RESET_REQUIRED"
UNCONFIRMED = "UNCONFIRMED"


@dataclass(frozen=True, slots=True)
class AccountCode:
    """A one-time code that was sent outside of a sign-in, until it is used."""

    attribute: str
    """``email`` or ``phone_number``."""
    destination: str
    """Where it was sent: for a new address, the one that the code makes current."""
    code: str = field(repr=False)
    expires: float
    """Epoch seconds."""


@dataclass(slots=True)
class User:
    """A user as stored. There is no password in it: see :class:`Verifier`."""

    username: str
    """A UUID equal to ``sub`` where people sign in by attribute."""
    sub: str
    attributes: dict[str, str]
    """Without ``sub``."""
    created: float
    modified: float
    status: str = FORCE_CHANGE_PASSWORD
    enabled: bool = True
    verifier: Verifier | None = field(default=None, repr=False)
    temporary_until: float | None = None
    """When a temporary password ends to be good."""
    failures: int = 0
    """Wrong passwords in a row."""
    failed_at: float = 0.0
    token_epoch: int = 0
    """Tokens of an earlier epoch have been revoked."""
    software_token: SoftwareToken | None = field(default=None, repr=False)
    """The verified one."""
    pending_token: SoftwareToken | None = field(default=None, repr=False)
    """One associated with an access token, and not verified yet."""
    mfa_enabled: list[str] = field(default_factory=list)
    """The factors turned on for this user, by the names of their challenges."""
    mfa_preferred: str | None = None
    newest_codes: dict[str, str] = field(default_factory=dict)
    """The id of the last code sent by each method: an older one is good no more."""
    account_codes: dict[str, AccountCode] = field(default_factory=dict)
    """The last code sent for each purpose."""
    calls: dict[str, list[float]] = field(default_factory=dict)
    """When the operations that are limited for each user were called in the last hour."""
    groups: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """The index entries that lead here, so that a change can remove them."""

    def described(self, *, attributes_key: str = "Attributes") -> dict[str, Any]:
        """Return the user as Cognito's replies show it."""
        return {
            "Username": self.username,
            attributes_key: self.attribute_list(),
            "UserCreateDate": self.created,
            "UserLastModifiedDate": self.modified,
            "Enabled": self.enabled,
            "UserStatus": self.status,
        }

    def mfa_settings(self) -> dict[str, Any]:
        """Return what GetUser and AdminGetUser, and no other calls, show besides."""
        settings: dict[str, Any] = {}
        if self.mfa_enabled:
            settings["UserMFASettingList"] = self.mfa_enabled
        if self.mfa_preferred is not None:
            settings["PreferredMfaSetting"] = self.mfa_preferred
        return settings

    def attribute_list(self) -> list[dict[str, str]]:
        attributes = {"sub": self.sub, **self.attributes}
        return [{"Name": name, "Value": value} for name, value in attributes.items()]


class UserRecords:
    """The users of one pool, within one transaction."""

    def __init__(self, view: View, pool: UserPool) -> None:
        self.view = view
        self._pool = pool
        self._kind = f"user {pool.id}"
        self._index = f"user name {pool.id}"

    def find(self, name: str) -> User | None:
        """Return the user that *name*, in whatever case, means in a call."""
        entry = None
        for index_name in ("username", *self._pool.username_attributes, "sub"):
            entry = entry or self.view.get(self._index, _entry(index_name, name))
        return self.by_username(entry["username"]) if entry is not None else None

    def by_username(self, username: str) -> User | None:
        document = self.view.get(self._kind, username)
        return None if document is None else _user(document)

    def require(self, name: str) -> User:
        """Return the user. Raises UserNotFoundException, as administrators are told."""
        user = self.find(name)
        if user is None:
            raise ServiceError("UserNotFoundException", "User does not exist.")
        return user

    def insert(self, user: User) -> None:
        """Add *user*. Raises UsernameExistsException."""
        taken = self.taken(user)
        if taken is not None:
            raise ServiceError(
                "UsernameExistsException",
                "User account already exists"
                if taken == "username"
                else f"An account with the given {taken} already exists.",
            )
        self._write(user)

    def save(self, user: User) -> None:
        """Store *user* as it is now. Raises AliasExistsException."""
        self.check_free(user)
        self._write(user)

    def check_free(self, user: User) -> None:
        """Raise AliasExistsException if another user has one of the addresses of *user*."""
        taken = self.taken(user)
        if taken is not None:
            raise ServiceError(
                "AliasExistsException", f"An account with the given {taken} already exists."
            )

    def delete(self, user: User) -> None:
        for name in user.names:
            self.view.delete(self._index, name)
        self.view.delete(self._kind, user.username)

    def all(self) -> Iterator[User]:
        for document in self.view.scan(self._kind):
            yield _user(document)

    def _entries(self, user: User) -> dict[str, str]:
        """Return the index entries *user* should have, with what each is made of."""
        entries = {_entry("username", user.username): "username"}
        if not self._pool.username_attributes:
            entries[_entry("sub", user.sub)] = "sub"
        for name in self._pool.username_attributes:
            if user.attributes.get(name):
                entries[_entry(name, user.attributes[name])] = name
        return entries

    def taken(self, user: User) -> str | None:
        """Return which of the names of *user* another user has, None if all are free."""
        for entry, name in self._entries(user).items():
            if entry not in user.names and self.view.get(self._index, entry) is not None:
                return name
        return None

    def _write(self, user: User) -> None:
        entries = list(self._entries(user))
        for entry in user.names:
            if entry not in entries:
                self.view.delete(self._index, entry)
        for entry in entries:
            if entry not in user.names:
                self.view.put(self._index, entry, {"username": user.username})
        user.names = entries
        self.view.put(self._kind, user.username, asdict(user))


def _entry(index_name: str, value: str) -> str:
    # Gen 2 pools are case-insensitive.
    return f"{index_name}:{value.lower()}"


def _user(document: dict[str, Any]) -> User:
    verifier = document.pop("verifier", None)
    tokens = {name: document.pop(name, None) for name in ("software_token", "pending_token")}
    codes = document.pop("account_codes", {})
    objects = {
        "account_codes": {name: from_document(AccountCode, code) for name, code in codes.items()},
        "verifier": from_document(Verifier, verifier) if verifier is not None else None,
        **{name: _token(token) for name, token in tokens.items()},
    }
    return from_document(User, {**document, **objects})


def _token(document: dict[str, Any] | None) -> SoftwareToken | None:
    if document is None:
        return None
    used = tuple(document.get("used_steps", ()))
    return from_document(SoftwareToken, {**document, "used_steps": used})
