"""AWS denied a call, throttled it, or did not respond. Exit code 4."""

from __future__ import annotations

from seedctl.errors.base import SeedctlError


class AWSError(SeedctlError):
    """AWS refused a call, or failed, for a reason that has no class of its own."""

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        service: str = "",
        operation: str = "",
        code: str = "",
        request_id: str = "",
        resolution: str | None = None,
    ) -> None:
        super().__init__(message, resolution=resolution)
        self.service = service
        self.operation = operation
        self.code = code
        self.request_id = request_id


class AccessDeniedError(AWSError):
    """The caller's IAM permissions do not cover the call."""


class NotAuthorizedError(AccessDeniedError):
    """The caller may not create users or add them to groups."""


class SSMCredentialsError(AccessDeniedError):
    """The caller may not use the sandbox's secrets."""


class ThrottledError(AWSError):
    """AWS throttled the call."""

    was_repeated = False
    """Whether the call was retried, with increasing delays, before this was raised."""


class LimitExceededError(AWSError):
    """The account has reached a limit, such as one per day; retrying soon does not help."""


class ServiceFailedError(AWSError):
    """AWS failed (5xx). It is not known whether the call was carried out."""


class EndpointUnreachableError(AWSError):
    """No response: no route, no such host, connection refused or lost, or a timeout."""


class SSMParameterNotFoundError(AWSError):
    """The sandbox has no secret with this name."""


class SecretError(AWSError):
    """The value of a secret cannot be used."""


class InvalidResponseError(AWSError):
    """The response is not from the service: a proxy's page, another server, or half a response.

    It is not known whether the call was carried out.
    """

    @classmethod
    def of(
        cls, service: str, operation: str, lacks: str = "", *, resolution: str | None = None
    ) -> InvalidResponseError:
        """Return the error for one call; *lacks* says what the response lacks.

        *resolution* replaces the default one, if the response shows more about its origin.
        """
        whose = "AppSync" if service == "appsync" else "AWS"
        where = "the outputs file's data.url" if service == "appsync" else "AWS_ENDPOINT_URL"
        return cls(
            f"{service}:{operation} got an answer that is not {whose}'s{lacks}. Something else "
            "answers there.",
            service=service,
            operation=operation,
            resolution=resolution
            or f"Check --endpoint-url, {where} and any proxy on the way, then run again.",
        )


class SRPError(InvalidResponseError):
    """In the SRP password exchange, the server sent a value that no correct server sends."""


TRANSIENT = (EndpointUnreachableError, ServiceFailedError, ThrottledError)
"""The errors after which the same call may succeed: no response, or too many requests."""
