"""The requests to the user pool, one method for each operation."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from seedctl import masking
from seedctl.cognito.refusals import explain
from seedctl.errors import CognitoError, OutputsMismatchError
from seedctl.srp import device_verifier, secret_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.aws.calls import Caller
    from seedctl.cognito.types import MFAPreference, NewUser
    from seedctl.outputs import AuthSection

_SERVICE = "cognito-idp"
_MFA_SETTINGS: Mapping[MFAPreference, str] = {
    "EMAIL": "EmailMfaSettings",
    "SMS": "SMSMfaSettings",
    "TOTP": "SoftwareTokenMfaSettings",
}


class AuthOutputsSource(Protocol):
    """The auth section of the outputs file, read at the first use."""

    @property
    def auth(self) -> AuthSection | None:
        """The auth section; None for a backend without an auth resource."""
        ...

    def require_auth(self) -> AuthSection:
        """Return the auth section. Raises MissingAuthError when there is none."""
        ...


class UserPool:
    """One user pool and its app client. The pool's own region serves every call."""

    def __init__(
        self, aws: Caller, outputs: AuthOutputsSource, *, client_secret: str | None = None
    ) -> None:
        """*outputs* are read at the first use, since a backend may have no user pool.

        *client_secret* is the app client's secret; app clients that Amplify creates have none.
        """
        self.aws = aws
        self._outputs = outputs
        self._client_secret = client_secret
        if client_secret:
            masking.register(client_secret)

    @property
    def settings(self) -> AuthSection:
        """The auth section of the outputs file. Raises MissingAuthError if it has none."""
        return self._outputs.require_auth()

    def create_user(
        self, user: NewUser, attributes: list[dict[str, str]], temporary_password: str
    ) -> dict[str, Any]:
        """Create *user*, without retries: a retry after a lost response would find a duplicate."""
        parameters = {
            "UserPoolId": self.settings.user_pool_id,
            "Username": user.username,
            "UserAttributes": attributes,
            "TemporaryPassword": temporary_password,
            "MessageAction": "SUPPRESS",
        }
        return self._call("AdminCreateUser", parameters, once=True)

    def add_to_group(self, username: str, group: str) -> None:
        pool_id = self.settings.user_pool_id
        parameters = {"UserPoolId": pool_id, "Username": username, "GroupName": group}
        self._call("AdminAddUserToGroup", parameters)

    def initiate_srp(self, username: str, srp_a: str) -> dict[str, Any]:
        parameters = {"USERNAME": username, "SRP_A": srp_a}
        return self._initiate("USER_SRP_AUTH", parameters, username)

    def refresh(
        self, refresh_token: str, username: str, device_key: str | None = None
    ) -> dict[str, Any]:
        """Refresh the tokens; *device_key* names the confirmed device in pools that remember devices."""
        parameters = {"REFRESH_TOKEN": refresh_token}
        if device_key is not None:
            parameters["DEVICE_KEY"] = device_key
        return self._initiate("REFRESH_TOKEN_AUTH", parameters, username)

    def confirm_device(self, access_token: str, metadata: Mapping[str, Any]) -> None:
        """Confirm the device in Cognito's NewDeviceMetadata, for pools that remember devices.

        Such a pool refuses to refresh the tokens of an unconfirmed device. Each sign-in uses a new
        device, so its password is never needed again and is not stored.
        """
        device_key = metadata["DeviceKey"]
        password = base64.b64encode(secrets.token_bytes(40)).decode()
        salt = secrets.randbits(128)
        verifier = device_verifier(metadata.get("DeviceGroupKey", ""), device_key, password, salt)
        parameters = {
            "AccessToken": access_token,
            "DeviceKey": device_key,
            "DeviceName": "seedctl",
            "DeviceSecretVerifierConfig": verifier,
        }
        self._call("ConfirmDevice", parameters)

    def respond(
        self, challenge: str, responses: Mapping[str, str], session: str | None
    ) -> dict[str, Any]:
        """Answer *challenge*, without retries: Cognito accepts one answer for each *session*."""
        parameters: dict[str, Any] = {
            "ClientId": self.settings.user_pool_client_id,
            "ChallengeName": challenge,
            "ChallengeResponses": {**responses, **self._secret_hash(responses["USERNAME"])},
        }
        if session:
            parameters["Session"] = session
        return self._call("RespondToAuthChallenge", parameters, once=True)

    def associate_software_token(self, user_key: dict[str, str]) -> dict[str, Any]:
        """Start to set up TOTP. *user_key* is a Session during a sign-in, else an AccessToken."""
        return self._call("AssociateSoftwareToken", user_key, once=True)

    def verify_software_token(self, code: str, user_key: dict[str, str]) -> dict[str, Any]:
        return self._call("VerifySoftwareToken", {"UserCode": code, **user_key}, once=True)

    def prefer_mfa(self, access_token: str, method: MFAPreference) -> None:
        """Make *method* the user's preferred MFA method; the other methods do not change."""
        settings = {"Enabled": True, "PreferredMfa": True}
        parameters = {"AccessToken": access_token, _MFA_SETTINGS[method]: settings}
        self._call("SetUserMFAPreference", parameters)

    def update_attributes(
        self, access_token: str, attributes: list[dict[str, str]]
    ) -> list[dict[str, str]]:
        """Change the user's attributes with the user's own token, not as an administrator.

        Return the CodeDeliveryDetails of the codes that Cognito sent to new addresses.
        """
        parameters = {"AccessToken": access_token, "UserAttributes": attributes}
        reply = self._call("UpdateUserAttributes", parameters)
        deliveries: list[dict[str, str]] = reply.get("CodeDeliveryDetailsList") or []
        return deliveries

    def revoke(self, refresh_token: str) -> None:
        parameters = {"ClientId": self.settings.user_pool_client_id, "Token": refresh_token}
        if self._client_secret:
            parameters["ClientSecret"] = self._client_secret
        self._call("RevokeToken", parameters)

    def global_sign_out(self, access_token: str) -> None:
        self._call("GlobalSignOut", {"AccessToken": access_token})

    def _initiate(self, flow: str, parameters: dict[str, str], username: str) -> dict[str, Any]:
        request = {
            "AuthFlow": flow,
            "AuthParameters": {**parameters, **self._secret_hash(username)},
            "ClientId": self.settings.user_pool_client_id,
        }
        return self._call("InitiateAuth", request)

    def _secret_hash(self, username: str) -> dict[str, str]:
        if not self._client_secret:
            return {}
        digest = secret_hash(self.settings.user_pool_client_id, self._client_secret, username)
        return {"SECRET_HASH": digest}

    def _call(
        self, operation: str, parameters: dict[str, Any], *, once: bool = False
    ) -> dict[str, Any]:
        region = self.settings.user_pool_region
        try:
            return self.aws.call(_SERVICE, operation, parameters, region=region, once=once)
        except CognitoError as error:
            is_group = operation == "AdminAddUserToGroup"
            if error.code != "ResourceNotFoundException" or (
                is_group and self.settings.user_pool_id not in error.message
            ):
                explain(error, has_secret=bool(self._client_secret))
                raise
            raise OutputsMismatchError(
                f"The user pool {self.settings.user_pool_id} of the outputs file, or its app "
                f"client {self.settings.user_pool_client_id}, is not there: {error.message}",
                resolution="Check the profile, and regenerate amplify_outputs.json with npx ampx "
                "sandbox.",
            ) from error
