"""Requests a second: AWS's default quotas, and the sliding window that keeps them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW = 1.0

RESPOND = "RespondToAuthChallenge"
PER_USER = "PerUser"

# Per account and region. Cognito's names and figures; Parameter Store has figures only, and its
# default throughput for writes is not a promise [?].
DEFAULT_QUOTAS: Mapping[str, int] = {
    "UserAuthentication": 120,
    RESPOND: 360,  # three times UserAuthentication
    "UserCreation": 50,
    "UserAccountRecovery": 30,
    "UserRead": 120,
    "UserUpdate": 25,
    "UserToken": 120,
    "UserResourceRead": 50,
    "UserResourceUpdate": 25,
    "UserList": 30,
    "UserPoolRead": 15,
    "UserPoolResourceRead": 20,
    "UserPoolResourceUpdate": 15,
    "UserPoolClientRead": 15,
    PER_USER: 10,  # of one user, reads and writes each
    "ParameterRead": 40,
    "ParameterWrite": 3,
}

# Which category an operation is in is published for most; [?] marks those that we put there.
_COGNITO: Mapping[str, tuple[str, ...]] = {
    "UserAuthentication": ("AdminInitiateAuth", "InitiateAuth"),  # a refresh is one too [?]
    RESPOND: ("AdminRespondToAuthChallenge", "RespondToAuthChallenge"),
    "UserCreation": ("AdminConfirmSignUp", "AdminCreateUser", "ConfirmSignUp", "SignUp"),
    "UserAccountRecovery": (
        "AdminResetUserPassword",
        "AdminSetUserPassword",
        "ChangePassword",
        "ConfirmForgotPassword",
        "ForgotPassword",
    ),
    "UserRead": ("AdminGetUser", "GetUser"),
    "UserUpdate": (
        "AdminDeleteUser",
        "AdminDeleteUserAttributes",
        "AdminDisableUser",
        "AdminEnableUser",
        "AdminUpdateUserAttributes",
        "AdminUserGlobalSignOut",  # [?]
        "DeleteUser",
        "DeleteUserAttributes",
        "GetUserAttributeVerificationCode",  # [?]
        "GlobalSignOut",  # [?]
        "ResendConfirmationCode",  # [?]
        "UpdateUserAttributes",
        "VerifyUserAttribute",
    ),
    "UserToken": ("GetTokensFromRefreshToken", "RevokeToken"),  # the first [?]
    "UserResourceRead": ("AdminListGroupsForUser",),
    "UserResourceUpdate": (
        "AdminAddUserToGroup",
        "AdminRemoveUserFromGroup",
        "AdminSetUserMFAPreference",  # [?]
        "AssociateSoftwareToken",  # [?]
        "SetUserMFAPreference",  # [?]
        "VerifySoftwareToken",  # [?]
    ),
    "UserList": ("ListUsers", "ListUsersInGroup"),
    "UserPoolRead": ("DescribeUserPool",),
    "UserPoolResourceRead": ("GetGroup", "GetUserPoolMfaConfig", "ListGroups"),
    "UserPoolResourceUpdate": ("CreateGroup", "DeleteGroup"),
    "UserPoolClientRead": ("DescribeUserPoolClient",),
}
_SSM: Mapping[str, tuple[str, ...]] = {
    "ParameterRead": ("GetParameter", "GetParameters", "GetParametersByPath"),
    "ParameterWrite": ("DeleteParameter", "DeleteParameters", "PutParameter"),  # deleting [?]
}
CATEGORIES: Mapping[tuple[str, str], str] = {
    (service, operation): category
    for service, rows in (("cognito-idp", _COGNITO), ("ssm", _SSM))
    for category, operations in rows.items()
    for operation in operations
}
_USER_READS = {"UserAuthentication", RESPOND, "UserRead", "UserResourceRead"}


class Window:
    """Grants at most *limit* requests in any second, the end of which does not belong to it."""

    def __init__(self, limit: int) -> None:
        self._granted: deque[float] = deque(maxlen=limit)

    def has_room(self, now: float) -> bool:
        granted = self._granted
        return len(granted) < (granted.maxlen or 0) or now - granted[0] >= WINDOW

    def grant(self, now: float) -> None:
        self._granted.append(now)

    def is_over(self, now: float) -> bool:
        return not self._granted or now - self._granted[-1] >= WINDOW


class Quotas:
    """The windows of one sandbox. Not thread-safe: whoever asks gives the time in order."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.limits = limits
        self._categories = {name: Window(limit) for name, limit in limits.items()}
        self._users: dict[tuple[str, bool], Window] = {}
        self._pruned_at = 0.0

    def admit(self, category: str, user: str | None, now: float) -> bool:
        """Whether a request of *category* about *user* is granted.

        Only then does it use the quotas up [?].
        """
        windows = [self._categories[category]]
        if category == RESPOND and not windows[0].has_room(now):
            # What goes beyond is counted with the sign-ins.
            windows = [self._categories["UserAuthentication"]]
        if user is not None:
            windows.append(self._of_user(user, now, is_read=category in _USER_READS))
        if not all(window.has_room(now) for window in windows):
            return False
        for window in windows:
            window.grant(now)
        return True

    def _of_user(self, name: str, now: float, *, is_read: bool) -> Window:
        if now - self._pruned_at >= WINDOW:
            self._pruned_at = now
            self._users = {key: kept for key, kept in self._users.items() if not kept.is_over(now)}
        return self._users.setdefault((name, is_read), Window(self.limits[PER_USER]))
