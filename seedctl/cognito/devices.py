"""Devices, for pools that remember them: a sign-in is confirmed to come from one of its own.

Without it such a pool refuses to renew the tokens. The password of a device is not kept: the next
sign-in is another device's, so that no challenge ever asks for it.
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
    """Confirm the device that Cognito's NewDeviceMetadata names. Raises CognitoError."""
    password = base64.b64encode(secrets.token_bytes(_PASSWORD_BYTES)).decode()
    salt = secrets.randbits(_SALT_BITS)
    device_key = metadata["DeviceKey"]
    verifier = device_verifier(metadata.get("DeviceGroupKey", ""), device_key, password, salt)
    pool.confirm_device(access_token, device_key, verifier)


def device_verifier(group_key: str, device_key: str, password: str, salt: int) -> Mapping[str, str]:
    """Return the DeviceSecretVerifierConfig: a device is a user whose pool is its group."""
    x = srp.private_key(group_key, device_key, password, salt)
    return {
        "Salt": _base64(salt),
        "PasswordVerifier": _base64(srp.power(srp.g, x)),
    }


def _base64(number: int) -> str:
    return base64.b64encode(srp.pad(number)).decode()
