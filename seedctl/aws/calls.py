"""Make AWS calls: one client per service and region, with retries and translated errors."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any

import botocore.session
from botocore import httpsession, xform_name
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.utils import get_environ_proxies

from seedctl import errors
from seedctl.aws import response_checks
from seedctl.aws.configuration import client_config, new_session
from seedctl.aws.credential_failures import credential_source, how_to_renew
from seedctl.aws.credentials import Credentials
from seedctl.aws.failures import translate
from seedctl.aws.identity_client import sign_per_identity
from seedctl.aws.logs import redacted_logs
from seedctl.aws.pacing import CallStatistics, RateLimitedCaller, tries_for
from seedctl.aws.rates import CLOCK, Clock
from seedctl.aws.settings import (
    AWSSettings,
    check_endpoint,
    check_max_attempts,
    checked_region,
    is_emulator,
    is_loopback,
)
from seedctl.project.quotas import Quotas

_MAX_ATTEMPTS = 3  # botocore's own default in its standard mode

# The services that every seed run may call. If one of them goes to an emulator, all of them must.
# Other services are checked when they are first called.
_SERVICES = ("ssm", "cognito-idp", "sts", "cloudformation")

_READS = re.compile(r"(Admin|Batch)?(AssumeRole|Describe|Get|Head|List|Lookup|Query|Scan|Search)")


class AWS:
    """Makes calls with the developer's credentials, or to the local sandbox. Thread-safe.

    Tests replace it with a subclass that makes no calls.
    """

    def __init__(
        self,
        settings: AWSSettings,
        *,
        fallback_region: Callable[[], str | None] = lambda: None,
        quotas: Quotas = MappingProxyType({}),
        before_write: Callable[[str], None] = lambda _: None,
        clock: Clock = CLOCK,
    ) -> None:
        """*fallback_region* returns the region if options, environment and profile name none.

        *quotas* are calls per second, by name, which replace AWS's default quotas. *before_write*
        is called with the service before each call that may change something as the developer.
        """
        self._settings = settings
        self._rate_limited = RateLimitedCaller(quotas, is_paced=settings.is_paced, clock=clock)
        self._fallback_region = fallback_region
        self._lock = threading.RLock()
        self._session: botocore.session.Session | None = None
        self._clients: dict[tuple[str, str | None, bool, bool], Any] = {}
        self._before_write = before_write

    @property
    def is_local(self) -> bool:
        return self._settings.is_local

    @property
    def endpoint_url(self) -> str | None:
        """The address that gets all calls instead of AWS; None if there is no such address."""
        return self._settings.endpoint_url

    @property
    def is_emulator(self) -> bool:
        """Whether calls go to the local sandbox or another emulator instead of AWS."""
        return is_emulator(self.endpoint("cognito-idp"))

    @property
    def max_attempts(self) -> int:
        """How many times a failing call is attempted at most, including the first attempt."""
        return self._chosen_attempts() or _MAX_ATTEMPTS

    def close(self) -> None:
        """Close the connections of all clients. A later call opens new ones."""
        for client in tuple(self._clients.values()):  # another thread may make one meanwhile
            client.close()

    def statistics(self) -> dict[str, CallStatistics]:
        """Return the counts of calls and throttled calls, and the time waited, by operation."""
        return self._rate_limited.statistics()

    def count(self, operation: str, *, is_throttled: bool) -> None:
        """Count a call that was not made through this object's clients."""
        self._rate_limited.count(operation, calls=1, throttled=int(is_throttled))

    def environment(self) -> dict[str, str | None]:
        """Return the environment variables that configure other AWS clients in the same way."""
        return self._settings.environment()

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        """Make one call and return AWS's response; raise a SeedctlError for an error.

        *region* is for services whose region is in the outputs file. With *once* a failed call is
        not retried, since it may have taken effect or used up a single-use session. Only a
        throttled call without a Session parameter is retried even then.
        """
        tries = 1
        is_brief = self._settings.timeout_seconds is not None
        once = once or is_brief
        try:
            with self.translating(service, operation), redacted_logs():
                client = self.client(service, region, once=once)
                if _may_change(client, operation):
                    self._before_write(service)
                uses_session_up = once and "Session" in parameters
                attempts = 1 if is_brief else self._chosen_attempts()
                tries = tries_for(service, attempts, uses_session_up=uses_session_up)
                method = getattr(client, xform_name(operation))
                return self._rate_limited.call(method, parameters, tries=tries)
        except errors.ThrottledError as error:
            error.was_repeated = tries > 1
            raise

    def client(
        self, service: str, region: str | None, *, once: bool = False, accelerate: bool = False
    ) -> Any:
        """Return the shared botocore client for such calls. Only for this package."""
        key = (service, region, once, accelerate)
        if key not in self._clients:
            with self._lock:
                if key not in self._clients:
                    if not self._clients:
                        self.refuse_mixed_endpoints()
                    if service not in _SERVICES:
                        self._refuse_other_endpoint(service)
                    client = self._new_client(service, region, once=once, accelerate=accelerate)
                    self._clients[key] = client
        return self._clients[key]

    def region(self) -> str:
        """Return the region of Parameter Store and STS. Raises MissingRegionError."""
        chosen = self._settings.chosen_region()
        if chosen is None and not self.is_local:
            with self.translating("configuration", "region"):
                configured = self._botocore().get_scoped_config().get("region")
            chosen = checked_region(configured, source="the profile") if configured else None
        chosen = chosen or self._fallback_region()
        if chosen is None:
            raise errors.MissingRegionError(
                "No AWS region: not in the options, the environment, the profile or an outputs "
                "file.",
                resolution="Give one with --region or AWS_REGION.",
            )
        return chosen

    def endpoint(self, service: str) -> str | None:
        """Return the configured address of *service*; None means AWS itself."""
        if self._settings.endpoint_url is not None:
            return self._settings.endpoint_url
        session = self._botocore()
        if session.get_config_variable("ignore_configured_endpoint_urls"):
            return None
        with self.translating("configuration", "endpoint"):
            provider = ConfiguredEndpointProvider(
                full_config=session.full_config,
                scoped_config=session.get_scoped_config(),
                client_name=service,
            )
            url: str | None = provider.provide()
        return check_endpoint(url, source=f"The endpoint of {service}") if url else None

    def credentials(self) -> Credentials:
        """Return the developer's credentials, refreshed if necessary.

        Raises InvalidCredentialError when there are none.
        """
        if self.is_local:
            return Credentials("local", "local")
        with self.translating("configuration", "credentials"), redacted_logs():
            found = self._botocore().get_credentials()
            keys = found.get_frozen_credentials() if found is not None else None
        if keys is None:
            raise errors.InvalidCredentialError(
                "There are no AWS credentials to sign with.",
                resolution=f"{self.how_to_renew()} With no AWS account, use --local.",
            )
        return Credentials(keys.access_key, keys.secret_key, keys.token)

    def credential_source(self) -> str:
        """Return where the developer's credentials come from, in words, such as 'profile "dev"'.

        Raises InvalidCredentialError for an unknown profile and for unusable configuration files.
        """
        self._botocore()
        return credential_source(self._settings.profile_name)

    def credentials_expiry(self) -> datetime | None:
        """Return when the developer's credentials expire; None if they do not, or do not tell.

        Raises InvalidCredentialError.
        """
        with self.translating("configuration", "credentials"), redacted_logs():
            # botocore has no public way.
            expiry: datetime | None = getattr(
                self._botocore().get_credentials(), "_expiry_time", None
            )
        return expiry

    def certificates(self) -> str:
        """Return the path of the CA bundle that boto3 would use."""
        configured = self._botocore().get_config_variable("ca_bundle")
        return str(configured or httpsession.get_cert_path(True))

    def proxy(self, url: str) -> str | None:
        """Return the URL of the proxy that boto3 would use for *url*; None for none."""
        if is_loopback(url):  # a proxy cannot reach this machine's loopback addresses
            return None
        proxies: dict[str, str] = get_environ_proxies(url)
        return proxies.get(url.partition(":")[0])

    def refuse_mixed_endpoints(self) -> None:
        """Raise MixedEndpointsError if some calls would reach an emulator and some real AWS."""
        emulated = [service for service in _SERVICES if is_emulator(self.endpoint(service))]
        real = [service for service in _SERVICES if service not in emulated]
        if emulated and real:
            raise _mixed(", ".join(emulated), ", ".join(real))

    def _refuse_other_endpoint(self, service: str) -> None:
        if is_emulator(self.endpoint(service)) != self.is_emulator:
            raise _mixed(*(("Cognito", service) if self.is_emulator else (service, "Cognito")))

    @contextmanager
    def translating(self, service: str, operation: str) -> Iterator[None]:
        """Translate botocore's exceptions into seedctl's. Others are bugs and pass unchanged."""
        try:
            yield
        except Exception as error:
            profile = None if self.is_local else self._settings.profile_name
            renew = self.how_to_renew()
            translated = translate(
                error, service=service, operation=operation, profile=profile, renew=renew
            )
            if translated is None:
                raise
            raise translated from error

    def _botocore(self) -> botocore.session.Session:
        with self._lock:
            if self._session is None:
                self._session = new_session(self._settings)
            return self._session

    def how_to_renew(self) -> str:
        """Return what to do about credentials that are missing, expired or rejected."""
        return how_to_renew(self._settings.profile_name, self._botocore().get_scoped_config())

    def _chosen_attempts(self) -> int | None:
        configured = os.environ.get("AWS_MAX_ATTEMPTS")
        if configured is None:
            configured = self._botocore().get_scoped_config().get("max_attempts")
        return check_max_attempts(configured)

    def _new_client(self, service: str, region: str | None, *, once: bool, accelerate: bool) -> Any:
        endpoint = self.endpoint(service)
        session = self._botocore()
        _ = self.max_attempts  # raises an error that names the source of an invalid number
        mode = os.environ.get("AWS_RETRY_MODE") or session.get_scoped_config().get("retry_mode")
        config = client_config(
            service,
            endpoint,
            mode,
            once=once,
            accelerate=accelerate,
            timeout_seconds=self._settings.timeout_seconds,
        )
        # For S3 the keys only stop botocore from searching for credentials: each request is signed
        # as an identity of the identity pool.
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        region = region or self.region()
        client = session.create_client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            config=config,
            **(keys if self.is_local or service == "s3" else {}),
        )
        # Quotas belong to an account. Its id is unknown here, so endpoint and profile stand for it.
        quota_key = (endpoint, None if self.is_local else self._settings.profile_name, region)
        self._rate_limited.attach(client, service, quota_key)
        response_checks.attach(client, service)
        if service == "s3":
            sign_per_identity(client)
        return client


def _may_change(client: Any, operation: str) -> bool:
    """Whether *operation* may change something with the developer's credentials.

    Cognito's users make their own calls, such as a sign-in, with their tokens instead.
    """
    if _READS.match(operation):
        return False
    return bool(client.meta.service_model.operation_model(operation).auth_type != "none")


def _mixed(emulated: str, real: str) -> errors.MixedEndpointsError:
    return errors.MixedEndpointsError(
        f"{emulated} would reach an emulator, but {real} the real AWS.",
        resolution="Set AWS_ENDPOINT_URL or --endpoint-url for all services, or unset the "
        "AWS_ENDPOINT_URL_* variables.",
    )
