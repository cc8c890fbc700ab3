"""Confirm the device of a sign-in, for user pools that remember devices.

Such a pool refuses to refresh the tokens of an unconfirmed device. Each sign-in uses a new device, so
its password is never needed again and is not stored.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

from seedctl import srp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.cognito.pool import UserPool

_PASSWORD_BYTES = 40
_SALT_BITS = 128


def confirm_device(pool: UserPool, access_token: str, metadata: Mapping[str, Any]) -> None:
    """Confirm the device in Cognito's NewDeviceMetadata. Raises CognitoError."""
    password = base64.b64encode(secrets.token_bytes(_PASSWORD_BYTES)).decode()
    salt = secrets.randbits(_SALT_BITS)
    device_key = metadata["DeviceKey"]
    verifier = device_verifier(metadata.get("DeviceGroupKey", ""), device_key, password, salt)
    pool.confirm_device(access_token, device_key, verifier)


def device_verifier(group_key: str, device_key: str, password: str, salt: int) -> Mapping[str, str]:
    """Return the DeviceSecretVerifierConfig. In SRP the device group acts as the user pool."""
    x = srp.private_key(group_key, device_key, password, salt)
    return {
        "Salt": _base64(salt),
        "PasswordVerifier": _base64(srp.power(srp.g, x)),
    }


def _base64(number: int) -> str:
    return base64.b64encode(srp.pad(number)).decode()
