"""The table of Cognito's calls, and the service that dispatches them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from seedctl.local.cognito import (
    admin,
    describe,
    groups,
    listing,
    mfa_settings,
    own_account,
    sign_in,
    sign_up,
)
from seedctl.local.cognito.errors import not_authorized, unknown_client, unknown_pool
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.protocol import Call, Operation, ServiceError
from seedctl.local.store import Store
from seedctl.outputs import AuthSection, UserGroup

if TYPE_CHECKING:
    from seedctl.outputs.details import UserPoolDetails

    Handler = Callable[[UserPoolService, Call], dict[str, Any]]

# Calls with credentials. Their UserPoolId is checked before the handler runs.
_SIGNED: dict[str, Handler] = {
    "AdminAddUserToGroup": partial(groups.change_membership, groups.ADD),
    "AdminConfirmSignUp": partial(admin.change_named_user, admin.confirm),
    "AdminCreateUser": admin.admin_create_user,
    "AdminDeleteUser": admin.admin_delete_user,
    "AdminDeleteUserAttributes": admin.admin_delete_user_attributes,
    "AdminDisableUser": partial(admin.change_named_user, admin.disable),
    "AdminEnableUser": partial(admin.change_named_user, admin.enable),
    "AdminGetUser": admin.admin_get_user,
    "AdminInitiateAuth": sign_in.admin_initiate_auth,
    "AdminListGroupsForUser": groups.admin_list_groups_for_user,
    "AdminRemoveUserFromGroup": partial(groups.change_membership, groups.REMOVE),
    "AdminResetUserPassword": admin.admin_reset_user_password,
    "AdminRespondToAuthChallenge": sign_in.respond_to_auth_challenge,
    "AdminSetUserMFAPreference": mfa_settings.admin_set_user_mfa_preference,
    "AdminSetUserPassword": admin.admin_set_user_password,
    "AdminUpdateUserAttributes": admin.admin_update_user_attributes,
    "AdminUserGlobalSignOut": partial(admin.change_named_user, admin.sign_out_everywhere),
    "CreateGroup": groups.create_group,
    "DeleteGroup": groups.delete_group,
    "DescribeUserPool": describe.describe_user_pool,
    "DescribeUserPoolClient": describe.describe_user_pool_client,
    "GetGroup": groups.get_group,
    "GetUserPoolMfaConfig": describe.get_user_pool_mfa_config,
    "ListGroups": groups.list_groups,
    "ListUsers": listing.list_users,
    "ListUsersInGroup": groups.list_users_in_group,
}
# Calls without credentials. A token or a session in them identifies the caller, if anything does.
_UNSIGNED: dict[str, Handler] = {
    "AssociateSoftwareToken": mfa_settings.associate_software_token,
    "ChangePassword": own_account.change_password,
    "ConfirmForgotPassword": sign_up.confirm_forgot_password,
    "ConfirmSignUp": sign_up.confirm_sign_up,
    "DeleteUser": own_account.delete_user,
    "DeleteUserAttributes": own_account.delete_user_attributes,
    "ForgotPassword": sign_up.forgot_password,
    "GetTokensFromRefreshToken": sign_in.get_tokens_from_refresh_token,
    "GetUser": own_account.get_user,
    "GetUserAttributeVerificationCode": own_account.get_user_attribute_verification_code,
    "GlobalSignOut": own_account.global_sign_out,
    "InitiateAuth": sign_in.initiate_auth,
    "ResendConfirmationCode": sign_up.resend_confirmation_code,
    "RespondToAuthChallenge": sign_in.respond_to_auth_challenge,
    "RevokeToken": own_account.revoke_token,
    "SetUserMFAPreference": mfa_settings.set_user_mfa_preference,
    "SignUp": sign_up.sign_up,
    "UpdateUserAttributes": own_account.update_user_attributes,
    "VerifySoftwareToken": mfa_settings.verify_software_token,
    "VerifyUserAttribute": own_account.verify_user_attribute,
}


class Cognito:
    """The ``AWSCognitoIdentityProviderService`` of one sandbox."""

    def __init__(
        self,
        store: Store,
        auth: AuthSection | None,
        clock: Callable[[], float],
        details: UserPoolDetails | None = None,
    ) -> None:
        self._service: UserPoolService | None = None
        if auth is not None:
            self._service = UserPoolService(store, UserPool.deployed(auth, details), clock)
        self.operations = {
            name: Operation(partial(self._answer, handler, is_signed), is_signed)
            for handlers, is_signed in ((_SIGNED, True), (_UNSIGNED, False))
            for name, handler in handlers.items()
        }

    @property
    def groups(self) -> Sequence[UserGroup]:
        """The groups that were deployed with the pool."""
        return self._service.pool.groups if self._service is not None else ()

    def clear_caches(self) -> None:
        """Drop the cached signing key and all pending challenges: the state was replaced."""
        if self._service is not None:
            self._service.tokens.clear_cache()
            self._service.sessions.clear()

    def claims_of(self, token: str) -> dict[str, Any]:
        """Return the claims of a valid access or id token, for other services. Raises ServiceError.

        On AWS, those services accept a revoked token until it expires; here they reject it.
        """
        claims = self.unexpired_claims(token)
        assert self._service is not None
        with self._service.reading_users() as users:
            self._service.tokens.user_of_claims(users, claims)
        return claims

    def unexpired_claims(self, token: str) -> dict[str, Any]:
        """Return the claims of an access or id token that has not expired. Raises ServiceError.

        For AppSync, which checks only signature and expiry: it still accepts a revoked token, and
        the token of a user who was disabled or deleted since [?].
        """
        if self._service is None:
            raise not_authorized("There is no user pool in this sandbox.")
        return self._service.tokens.user_claims(token)

    def well_known(self, path: str) -> dict[str, Any] | None:
        """Return the public document at *path*, None if Cognito publishes none there."""
        service = self._service
        if service is None:
            return None
        base = f"/{service.pool.id}/.well-known"
        if path == f"{base}/jwks.json":
            return {"keys": [service.tokens.signing_key().jwk]}
        if path == f"{base}/openid-configuration":
            return {
                "issuer": service.pool.issuer,
                "jwks_uri": f"{service.pool.issuer}/.well-known/jwks.json",
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code", "token"],
                "subject_types_supported": ["public"],
            }
        return None

    def _answer(self, handler: Handler, is_signed: bool, call: Call) -> dict[str, Any]:
        service = self._service
        if service is None:
            raise _nothing_deployed(call)
        if is_signed:
            service.check_pool(call)
        return handler(service, call)


def _nothing_deployed(call: Call) -> ServiceError:
    pool_id = call.optional_text("UserPoolId")
    if pool_id is not None:
        return unknown_pool(pool_id)
    client_id = call.optional_text("ClientId")
    if client_id is not None:
        return unknown_client(client_id)
    return ServiceError("ResourceNotFoundException", "There is no user pool in this sandbox.")
