"""What an update of attributes by the user's own token does besides, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.masking import mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ADDRESSES = ("email", "phone_number")
# Only administrators may set them.
VERIFIED = tuple(f"{address}_verified" for address in _ADDRESSES)


def update_warnings(
    username: str,
    *,
    given: Mapping[str, str],
    sent: Sequence[Mapping[str, str]],
    before: Mapping[str, Any],
    deliveries: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """Yield what the caller might not expect of an update that has been made.

    *given* is what was asked for, *sent* the attributes of it that a user may set, *before* the
    claims of the user's id token, *deliveries* the CodeDeliveryDetails of Cognito's reply.
    """
    values = {attribute["Name"]: attribute["Value"] for attribute in sent}
    destinations = {each.get("AttributeName"): each.get("Destination") for each in deliveries}
    for address, flag in zip(_ADDRESSES, VERIFIED, strict=True):
        is_verified = _is_true(before.get(flag))
        if address in destinations:
            yield (
                f"Cognito has sent a code to {destinations[address]} for the new {address} of "
                f"{mask(username)}: until the code is confirmed, it is not verified, and in a pool of "
                "Amplify Gen 2 the old one stays."
            )
            is_verified = False
        elif address in values and values[address] != before.get(address):
            yield f"The new {address} of {mask(username)} is not verified: {flag} is false now."
            is_verified = False
        if flag in given and _is_true(given[flag]) != is_verified:
            yield f"{flag} of {mask(username)} was not set: only an administrator may set it."


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
