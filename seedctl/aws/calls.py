"""Make AWS calls: sessions, one client per service and region, retries, errors."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import botocore.session
from botocore import httpsession, xform_name
from botocore.config import Config
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.utils import get_environ_proxies

from seedctl.aws import answers
from seedctl.aws.configuration import new_session, s3_config
from seedctl.aws.credentials import Credentials
from seedctl.aws.endpoints import is_emulator, is_loopback
from seedctl.aws.failures import translate
from seedctl.aws.logs import redacted_logs
from seedctl.aws.pacing import CallStatistics, RateLimitedCaller, tries_for
from seedctl.aws.rates import CLOCK
from seedctl.aws.renewal import how_to_renew
from seedctl.aws.settings import (
    AWSSettings,
    check_endpoint,
    check_max_attempts,
    check_retry_mode,
    checked_region,
)
from seedctl.errors import (
    InvalidCredentialError,
    MissingRegionError,
    MixedEndpointsError,
    ThrottledError,
)
from seedctl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedctl.aws.quotas import Quotas
    from seedctl.aws.rates import Clock

_CONNECTIONS = 64  # as many as things are done at once at most
_MAX_ATTEMPTS = 3  # botocore's own default in its standard mode

# What any seed run may reach. Where one of them goes to an emulator, all of them must; a service
# that only some runs need is looked at when it is first called.
_SERVICES = ("ssm", "cognito-idp", "sts", "cloudformation")


class Caller(Protocol):
    """Whoever makes AWS calls. Tests put a recorder here."""

    @property
    def is_local(self) -> bool: ...

    @property
    def is_emulator(self) -> bool:
        """Whether calls go to something in AWS's place: the local sandbox or an emulator."""
        ...

    @property
    def max_attempts(self) -> int:
        """How often a failed call is made at most, the first time included."""
        ...

    def environment(self) -> dict[str, str | None]:
        """Return the variables by which other AWS clients of the process do the same."""
        ...

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        """Make one call and return AWS's reply; raise a SeedctlError for a refusal.

        *region* is for services whose region the outputs file fixes. With *once* nothing is
        repeated, for calls that use up a single-use session or may have been done; but for a call
        that AWS refused for its rate, and that is not the answer to a session.
        """
        ...


class AWS:
    """The developer's AWS identity, or the local sandbox's. Thread-safe; clients are made once."""

    def __init__(
        self,
        settings: AWSSettings,
        *,
        fallback_region: Callable[[], str | None] = lambda: None,
        quotas: Quotas = MappingProxyType({}),
        clock: Clock = CLOCK,
    ) -> None:
        """*fallback_region* is asked when options, environment and profile name no region.

        *quotas* are calls a second, by name, that hold in place of AWS's defaults.
        """
        self._settings = settings
        self._pace = RateLimitedCaller(quotas, is_paced=settings.is_paced, clock=clock)
        self._fallback_region = fallback_region
        self._lock = threading.RLock()
        self._session: botocore.session.Session | None = None
        self._clients: dict[tuple[str, str | None, bool, bool], Any] = {}

    @property
    def is_local(self) -> bool:
        return self._settings.is_local

    @property
    def is_emulator(self) -> bool:
        return is_emulator(self.endpoint("cognito-idp"))

    @property
    def max_attempts(self) -> int:
        return self._chosen_attempts() or _MAX_ATTEMPTS

    def statistics(self) -> dict[str, CallStatistics]:
        """Return how many calls were made so far, throttled and held back, by operation."""
        return self._pace.statistics()

    def count(self, operation: str, *, is_throttled: bool) -> None:
        """Count a call that was made otherwise than through this object's clients."""
        self._pace.count(operation, 1, int(is_throttled), 0.0)

    def environment(self) -> dict[str, str | None]:
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
        tries = 1
        try:
            with self.translating(service, operation), redacted_logs():
                client = self.client(service, region, once=once)
                tries = tries_for(
                    service,
                    self._chosen_attempts(),
                    uses_session_up=once and "Session" in parameters,
                )
                method = getattr(client, xform_name(operation))
                return self._pace.call(method, parameters, tries=tries)
        except ThrottledError as error:
            error.was_repeated = tries > 1
            raise

    def client(
        self, service: str, region: str | None, *, once: bool = False, accelerate: bool = False
    ) -> Any:
        """Return the botocore client that all calls of this kind share; for this room only."""
        key = (service, region, once, accelerate)
        client = self._clients.get(key)
        if client is None:
            with self._lock:
                client = self._clients.get(key)
                if client is None:
                    if not self._clients:
                        self.refuse_mixed_endpoints()
                    if service not in _SERVICES:
                        self._refuse_elsewhere(service)
                    client = self._new_client(service, region, once=once, accelerate=accelerate)
                    self._clients[key] = client
        return client

    def region(self) -> str:
        """Return the region of Parameter Store and STS. Raises MissingRegionError."""
        chosen = self._settings.chosen_region()
        if chosen is None and not self.is_local:
            chosen = self._profile_region()
        chosen = chosen or self._fallback_region()
        if chosen is None:
            raise MissingRegionError(
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
        """Return the developer's own credentials, refreshed when they need it.

        Raises InvalidCredentialError when there are none.
        """
        if self.is_local:
            return Credentials("local", "local")
        with self.translating("configuration", "credentials"), redacted_logs():
            found = self._botocore().get_credentials()
            keys = found.get_frozen_credentials() if found is not None else None
        if keys is None:
            raise InvalidCredentialError(
                "There are no AWS credentials to sign with.",
                resolution=f"{self._how_to_renew()} With no AWS account, use --local.",
            )
        return Credentials(keys.access_key, keys.secret_key, keys.token)

    def certificates(self) -> str:
        """Return the file of the authorities to trust, the one that boto3 would use."""
        own = self._botocore().get_config_variable("ca_bundle")
        path: str = own or httpsession.get_cert_path(True)
        return path

    def proxy(self, url: str) -> str | None:
        """Return the proxy by which *url* is reached, as boto3 would choose it."""
        if is_loopback(url):  # which no proxy has a way to
            return None
        proxies: dict[str, str] = get_environ_proxies(url)
        return proxies.get(url.partition(":")[0])

    def refuse_mixed_endpoints(self) -> None:
        """Raise MixedEndpointsError if some calls would reach an emulator and some real AWS."""
        emulated = [service for service in _SERVICES if is_emulator(self.endpoint(service))]
        real = [service for service in _SERVICES if service not in emulated]
        if emulated and real:
            raise _mixed(", ".join(emulated), ", ".join(real))

    def _refuse_elsewhere(self, service: str) -> None:
        if is_emulator(self.endpoint(service)) != self.is_emulator:
            raise _mixed(*(("Cognito", service) if self.is_emulator else (service, "Cognito")))

    @contextmanager
    def translating(self, service: str, operation: str) -> Iterator[None]:
        """Raise botocore's exceptions as seedctl's; others, which are bugs, as they are."""
        try:
            yield
        except Exception as error:
            profile = None if self.is_local else self._settings.profile_name
            translated = translate(
                error,
                service=service,
                operation=operation,
                profile=profile,
                renew=self._how_to_renew(),
            )
            if translated is None:
                raise
            raise translated from error

    def _botocore(self) -> botocore.session.Session:
        with self._lock:
            if self._session is None:
                self._session = new_session(self._settings)
            return self._session

    def _how_to_renew(self) -> str:
        try:
            config = self._botocore().get_scoped_config()
        except BotoCoreError:  # no such profile, or a file that cannot be read
            config = {}
        return how_to_renew(self._settings.profile_name, config)

    def _chosen_attempts(self) -> int | None:
        configured = os.environ.get("AWS_MAX_ATTEMPTS")
        if configured is None:
            configured = self._botocore().get_scoped_config().get("max_attempts")
        return check_max_attempts(configured)

    def _profile_region(self) -> str | None:
        with self.translating("configuration", "region"):
            region = self._botocore().get_scoped_config().get("region")
        return checked_region(region, source="the profile") if region else None

    def _new_client(self, service: str, region: str | None, *, once: bool, accelerate: bool) -> Any:
        endpoint = self.endpoint(service)
        session = self._botocore()
        # Naming a mode here would override AWS_RETRY_MODE and the profile, so only without them.
        _ = self.max_attempts  # refused here with a word on where it comes from
        retries: dict[str, Any] = {}
        mode = os.environ.get("AWS_RETRY_MODE") or session.get_scoped_config().get("retry_mode")
        if not check_retry_mode(mode):
            retries["mode"] = "standard"
        if once:
            retries["total_max_attempts"] = 1
        config = Config(
            retries=retries or None,
            user_agent_extra=f"seedctl/{__version__}",
            max_pool_connections=_CONNECTIONS,
            # A proxy has no way to this machine's loopback addresses.
            proxies={} if is_loopback(endpoint) else None,
        )
        if service == "s3":
            config = config.merge(
                s3_config(is_emulator=is_emulator(endpoint), accelerate=accelerate)
            )
        # For S3 they only keep botocore from looking for others: an identity signs each request.
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        region = region or self.region()
        client = session.create_client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            config=config,
            **(keys if self.is_local or service == "s3" else {}),
        )
        # Quotas are an account's, which nobody knows here: a profile's or an emulator's.
        quota_key = (endpoint, None if self.is_local else self._settings.profile_name, region)
        self._pace.attach(client, service, quota_key)
        answers.attach(client, service)
        return client


def _mixed(emulated: str, real: str) -> MixedEndpointsError:
    return MixedEndpointsError(
        f"{emulated} would reach an emulator, but {real} the real AWS.",
        resolution="Set AWS_ENDPOINT_URL or --endpoint-url for all services, or unset the "
        "AWS_ENDPOINT_URL_* variables.",
    )
