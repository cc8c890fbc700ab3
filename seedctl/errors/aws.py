"""What AWS denied, throttled or did not answer: exit code 4."""

from __future__ import annotations

from seedctl.errors.base import SeedctlError


class AWSError(SeedctlError):
    """AWS refused or failed a call in a way no other class names."""

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
    """AWS went on refusing the call for its rate."""

    was_repeated = False
    """Whether the call was made again and again, each time later, before this was raised."""


class LimitExceededError(AWSError):
    """A limit of the account or the day is reached; waiting a moment does not help."""


class ServiceFailedError(AWSError):
    """AWS answered that it failed itself (5xx); the work may be done or not."""


class EndpointUnreachableError(AWSError):
    """No answer came: no route, no name, refused, cut or timed out."""


class SSMParameterNotFoundError(AWSError):
    """No secret of this name in this sandbox."""


class SecretError(AWSError):
    """A secret that cannot be used as it is."""


class InvalidResponseError(AWSError):
    """What answered is not the service: a proxy's page, half an answer, another server.

    Whether the call was carried out is not known.
    """

    @classmethod
    def of(
        cls, service: str, operation: str, lacks: str = "", *, resolution: str | None = None
    ) -> InvalidResponseError:
        """Return the error for one call; *lacks* says what is not in the answer.

        *resolution* is for an answer that tells more of where it came from.
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
    """The password exchange got a value from the service that no honest server sends."""
