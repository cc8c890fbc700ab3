"""Errors that several user pool calls raise, with Cognito's own messages."""

from __future__ import annotations

from seedctl.local.protocol import ServiceError


def not_authorized(message: str) -> ServiceError:
    return ServiceError("NotAuthorizedException", message)


def invalid_parameter(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def disabled_user() -> ServiceError:
    return not_authorized("User is disabled.")


def wrong_password() -> ServiceError:
    return not_authorized("Incorrect username or password.")


def not_resettable() -> ServiceError:
    return not_authorized("User password cannot be reset in the current state.")


def not_confirmable(status: str) -> ServiceError:
    return not_authorized(f"User cannot be confirmed. Current status is {status}")


def invalid_session(detail: str = "") -> ServiceError:
    return not_authorized(f"Invalid session for the user{detail}.")


def expired_code(
    message: str = "Invalid code provided, please request a code again.",
) -> ServiceError:
    return ServiceError("ExpiredCodeException", message)


def wrong_code(
    message: str = "Invalid verification code provided, please try again.",
) -> ServiceError:
    return ServiceError("CodeMismatchException", message)


def unknown_user() -> ServiceError:
    return ServiceError("UserNotFoundException", "User does not exist.")


def unknown_pool(pool_id: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"User pool {pool_id} does not exist.")


def unknown_client(client_id: str) -> ServiceError:
    text = f"User pool client {client_id} does not exist."
    return ServiceError("ResourceNotFoundException", text)
