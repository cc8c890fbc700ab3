"""The requests to the user pool, one method for each operation, and what to do after a refusal.

One error code of Cognito has many causes, and only the text of the message tells them apart.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from seedctl import masking
from seedctl.cognito.attributes import FORMS
from seedctl.cognito.new_user import no_group_error
from seedctl.cognito.types import MFAPreference, NewUser
from seedctl.errors import CognitoError, OutputsMismatchError, UserNotFoundError
from seedctl.masking import mask
from seedctl.outputs import AuthSection, OutputsSource
from seedctl.outputs.details import UserPoolDetails
from seedctl.report import Event, Observer
from seedctl.srp import device_verifier, secret_hash

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS

_SERVICE = "cognito-idp"
_MFA_SETTINGS: Mapping[MFAPreference, str] = {
    "EMAIL": "EmailMfaSettings",
    "SMS": "SMSMfaSettings",
    "TOTP": "SoftwareTokenMfaSettings",
}


APP_CLIENT_SECRET = "SEEDCTL_APP_CLIENT_SECRET"  # noqa: S105 - the name of a variable
"""The environment variable with the app client's secret."""

NEEDS_CLIENT_SECRET = (
    f"The app client has a secret: give it in the environment variable {APP_CLIENT_SECRET}, or as "
    "connect(app_client_secret=...). Amplify's own app clients have none, so check the outputs file "
    "too."
)
ENABLE_SRP = (
    "Enable ALLOW_USER_SRP_AUTH in the app client, as Amplify does. Check that the outputs file names "
    "Amplify's app client."
)
_WRONG_SECRET = (
    f"The app client has another secret than the one in {APP_CLIENT_SECRET} or "
    "connect(app_client_secret=...), or none at all: correct it, or leave it out."
)

_HASH = r"secret.?hash|configured (with|for) secret"

# Messages of NotAuthorizedException, the error code of a wrong password, that have another cause.
_NOT_ABOUT_PASSWORD = {
    r"attempts exceeded": "Cognito refuses a user for a while after several wrong passwords. Wait "
    "some minutes, then run again with the right one.",
    r"\bdisabled\b": "Enable the user in the user pool, such as with aws "
    "cognito-idp admin-enable-user, then run again.",
    r"\bexpired\b": "Delete the user, or have an administrator set a new temporary password, and "
    "give that as temporary_password=.",
    _HASH: NEEDS_CLIENT_SECRET,
}
_BY_MESSAGE = {
    _HASH: NEEDS_CLIENT_SECRET,
    r"phone.?number format|should be a phone": f"Give {FORMS['phone_number']}.",
    r"email.*format|should be an email": f"Give {FORMS['email']}.",
    r"should be either an email or a phone": f"Give {FORMS['email']}, or {FORMS['phone_number']}.",
    r"Attribute does not exist in the schema": "Leave the attribute out, or add it under "
    "userAttributes in amplify/auth/resource.ts and deploy.",
    r"did not conform to the schema": "Give the attributes that userAttributes in "
    "amplify/auth/resource.ts requires, with values that it allows.",
    r"Attribute cannot be updated": "The attribute is not mutable: only a new user can be given it.",
    r"(not enabled|not allowed) for th(e|is) client": ENABLE_SRP,
}
_BY_CODE = {
    "PasswordResetRequiredException": "Set a new password, such as with aws cognito-idp "
    "admin-set-user-password --permanent, or with the code that Cognito has sent to the user.",
    "InvalidPasswordException": "Choose a password that meets the pool's policy. If the outputs file "
    "has another policy, regenerate it with seedctl outputs.",
    "UserNotConfirmedException": "Confirm the user, such as with aws cognito-idp "
    "admin-confirm-sign-up, or delete it and create it again.",
}


class UserPool:
    """One user pool and its app client. The pool's own region serves every call."""

    def __init__(
        self, aws: AWS, outputs: OutputsSource, *, client_secret: str | None = None
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

    @property
    def details(self) -> UserPoolDetails | None:
        """What a file made from the project's source tells of the pool besides."""
        return self._outputs.outputs.details.user_pool

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

    def add_to_group(self, username: str, group: str, observer: Observer) -> None:
        """Add the user to *group*. Raises NoGroupError and UserNotFoundError."""
        pool_id = self.settings.user_pool_id
        parameters = {"UserPoolId": pool_id, "Username": username, "GroupName": group}
        try:
            self._call("AdminAddUserToGroup", parameters)
        except CognitoError as error:
            if error.code == "UserNotFoundException":
                raise UserNotFoundError(
                    f"There is no user {mask(username)} to add to the group {mask(group)}.",
                    resolution="Create the user first.",
                ) from error
            if error.code == "ResourceNotFoundException":
                raise no_group_error(group) from error
            raise
        # "set", not "added": Cognito does not say whether the user was in the group before.
        observer.on_event(Event("group membership", username, "set", group))

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

    def read_pages(
        self, operation: str, items: str, token: str, **parameters: str
    ) -> Iterator[dict[str, Any]]:
        """Yield the *items* of all pages of a list; *token* is what the operation calls its token."""
        request: dict[str, Any] = {"UserPoolId": self.settings.user_pool_id, **parameters}
        while True:
            reply = self._call(operation, request)
            yield from reply[items]
            if not reply.get(token):
                return
            request = {**request, token: reply[token]}

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
                resolution="Check the profile, and regenerate amplify_outputs.json with seedctl "
                "outputs.",
            ) from error


def is_about_password(refusal: CognitoError) -> bool:
    """Whether *refusal*, a NotAuthorizedException, is about a wrong password."""
    return _find(_NOT_ABOUT_PASSWORD, refusal.message) is None


def explain(refusal: CognitoError, *, has_secret: bool) -> None:
    """Set *refusal*'s resolution, if its message or code is known.

    *has_secret* is whether the caller gave an app client secret.
    """
    table = _NOT_ABOUT_PASSWORD if refusal.code == "NotAuthorizedException" else _BY_MESSAGE
    advice = _find(table, refusal.message) or _BY_CODE.get(refusal.code)
    if advice is NEEDS_CLIENT_SECRET and has_secret:
        advice = _WRONG_SECRET
    refusal.resolution = refusal.resolution or advice


def _find(table: Mapping[str, str], message: str) -> str | None:
    return next(
        (advice for pattern, advice in table.items() if re.search(pattern, message, re.IGNORECASE)),
        None,
    )
