"""S3 clients whose requests are signed as one identity of the identity pool.

One botocore client for each region serves all identities, since making a client takes longer than a
small upload. Each call passes its identity as an extra parameter, which is taken out again before
botocore validates the parameters, and used to sign the request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore import credentials as boto
from botocore.exceptions import ClientError

from seedctl.aws.credentials import Credentials, Identity, IdentityCredentials
from seedctl.aws.logs import redacted_logs
from seedctl.errors import NoCredentials

IDENTITY_PARAM = "seedctl_identity"
"""The extra parameter of a call, and the key in the context of its request."""
# A response to HEAD has no body with an error code, only the status 400.
_EXPIRED_CODES = {"ExpiredToken", "RequestExpired", "400"}
# The calls that write or read the object itself; the transfer manager decides which comes first.
_WRITES = {"complete_multipart_upload", "put_object"}
_READS = {"head_object", "get_object"}

_thread = threading.local()
"""``identity``: the identity of the call that this thread makes."""


class DeveloperIdentity:
    """The developer, who reads what a deployment has stored."""

    def __init__(self, credentials: Callable[[], Credentials]) -> None:
        self._credentials = credentials

    def bind(self) -> DeveloperIdentity:
        return self

    def credentials(self, *, renew: bool = False) -> IdentityCredentials:  # noqa: ARG002 - Identity's
        """Return the developer's credentials; botocore renews them itself, whatever *renew* says."""
        return IdentityCredentials("", self._credentials())

    def groups(self) -> None:
        """Return None: the developer is in no group of the user pool."""


def sign_per_identity(client: Any) -> None:
    """Have *client* sign each request with the credentials of the identity passed to the call."""
    events = client.meta.events
    events.register("provide-client-params.s3", _pop_identity)
    events.register("before-sign.s3", _sign_as_identity)


def with_identity(identity: Identity) -> dict[str, Any]:
    """Return the extra parameter that makes a call as *identity*."""
    return {IDENTITY_PARAM: identity}


class IdentityBoundClient:
    """A client that makes every call as one identity, also for the transfer manager.

    If S3 says that the credentials have expired, they are renewed and the call is made once more.
    """

    def __init__(
        self, client: Any, identity: Identity, on_parts_left: Callable[[str], None] = lambda _: None
    ) -> None:
        """*on_parts_left* is called with the id of an upload whose parts could not be deleted."""
        self.meta = client.meta
        self.only_if_absent = False
        """Whether an upload must fail if the object exists."""
        self.response: dict[str, Any] = {}
        """The response that describes the object, which the transfer manager does not return."""
        self._client = client
        self._identity = identity
        self._on_parts_left = on_parts_left

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        return partial(self.call, operation)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call the client's method named *operation*."""
        if self.only_if_absent and operation in _WRITES:
            parameters["IfNoneMatch"] = "*"
        body = parameters.get("Body")
        start = body.tell() if body is not None else 0
        try:
            response = self._send(operation, parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _EXPIRED_CODES:
                raise
            self._identity.credentials(renew=True)
            if body is not None:
                body.seek(start)
            response = self._send(operation, parameters)
        if operation in _WRITES or (operation in _READS and not self.response):
            self.response = _object_facts(response)
        return response

    def abort_multipart_upload(self, **parameters: Any) -> dict[str, Any]:
        try:
            return self._send("abort_multipart_upload", parameters)
        except Exception:
            self._on_parts_left(parameters["UploadId"])
            raise

    @redacted_logs()
    def _send(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        response: dict[str, Any] = getattr(self._client, operation)(
            **parameters, **with_identity(self._identity)
        )
        return response


def _object_facts(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return *response* without its body; for a range, with the size of the whole object."""
    facts = {name: value for name, value in response.items() if name != "Body"}
    if "ContentRange" in facts:
        facts["ContentLength"] = int(facts["ContentRange"].rpartition("/")[2])
    return facts


def _pop_identity(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    # botocore itself makes calls without the parameter, within one of ours: to find the region of
    # a bucket. They get the same identity.
    identity = params.pop(IDENTITY_PARAM, None) or _thread.identity
    _thread.identity = context[IDENTITY_PARAM] = identity


def _sign_as_identity(request: Any, **_: object) -> None:
    if request.context.get("is_presign_request"):
        # Whoever opens the URL sends no such headers: S3 takes them from the query too.
        for name in [name for name in request.headers if name.lower().startswith("x-amz-")]:
            request.params[name] = request.headers[name]
            del request.headers[name]
    current = request.context[IDENTITY_PARAM].credentials()
    if current is None:
        raise NoCredentials(
            "Credentials should not be empty.",
            resolution="Sign a user in first, or allow guest access: the backend needs an identity "
            "pool that gives this caller credentials.",
        )
    keys = current.credentials
    request.context.setdefault("signing", {})["request_credentials"] = boto.Credentials(
        keys.access_key_id, keys.secret_access_key, keys.session_token
    )
