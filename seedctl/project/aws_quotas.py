"""AWS's default quotas, in calls per second, of which the client and the local sandbox both know.

A quota is for one account and region, and for a category of operations. The categories of Cognito
have Cognito's names; those of Parameter Store are ours.

[?] marks what AWS does not document. For most operations, the category is published. These we put
into one ourselves [?]: signing out, InitiateAuth to refresh, GetTokensFromRefreshToken, sending an
attribute's or a sign-up's code again, setting up MFA, and deleting parameters. The throughput of
Parameter Store for writes is a default, but not a promise [?].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RESPOND = "RespondToAuthChallenge"
PER_USER = "PerUser"

# Each category's quota and its operations.
_COGNITO: Mapping[str, tuple[int, str]] = {
    "UserAuthentication": (120, "AdminInitiateAuth InitiateAuth"),
    # 3 times UserAuthentication
    RESPOND: (360, "AdminRespondToAuthChallenge RespondToAuthChallenge"),
    "UserCreation": (50, "AdminConfirmSignUp AdminCreateUser ConfirmSignUp SignUp"),
    "UserAccountRecovery": (
        30,
        """AdminResetUserPassword AdminSetUserPassword ChangePassword ConfirmForgotPassword
        ForgotPassword""",
    ),
    "UserRead": (120, "AdminGetUser GetUser"),
    "UserUpdate": (
        25,
        """AdminDeleteUser AdminDeleteUserAttributes AdminDisableUser AdminEnableUser
        AdminUpdateUserAttributes AdminUserGlobalSignOut DeleteUser DeleteUserAttributes
        GetUserAttributeVerificationCode GlobalSignOut ResendConfirmationCode
        UpdateUserAttributes VerifyUserAttribute""",
    ),
    "UserToken": (120, "GetTokensFromRefreshToken RevokeToken"),
    "UserResourceRead": (50, "AdminListGroupsForUser"),
    "UserResourceUpdate": (
        25,
        """AdminAddUserToGroup AdminRemoveUserFromGroup AdminSetUserMFAPreference
        AssociateSoftwareToken ConfirmDevice SetUserMFAPreference VerifySoftwareToken""",
    ),
    "UserList": (30, "ListUsers ListUsersInGroup"),
    "UserPoolRead": (15, "DescribeUserPool"),
    "UserPoolResourceRead": (20, "GetGroup GetUserPoolMfaConfig ListGroups"),
    "UserPoolResourceUpdate": (15, "CreateGroup DeleteGroup"),
    "UserPoolClientRead": (15, "DescribeUserPoolClient"),
    PER_USER: (10, ""),  # of one user, reads and writes each, whatever the operation
}
_SSM: Mapping[str, tuple[int, str]] = {
    "ParameterRead": (40, "GetParameter GetParameters GetParametersByPath"),
    "ParameterWrite": (3, "DeleteParameter DeleteParameters PutParameter"),
}
DEFAULT_QUOTAS: Mapping[str, int] = {
    name: quota for name, (quota, _) in {**_COGNITO, **_SSM}.items()
}
CATEGORIES: Mapping[tuple[str, str], str] = {
    (service, operation): category
    for service, rows in (("cognito-idp", _COGNITO), ("ssm", _SSM))
    for category, (_, operations) in rows.items()
    for operation in operations.split()
}
"""The category of each operation, by service and operation."""
