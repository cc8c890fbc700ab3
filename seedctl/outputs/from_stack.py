"""Map the outputs of a CloudFormation stack to the document of ``amplify_outputs.json``.

The result equals the file that ``ampx generate outputs`` writes, with its keys in the same order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs.merging import ABSENT, in_written_form, merge

JSON: TypeAlias = "dict[str, Any] | list[Any] | str | float | bool | None"

OUTPUTS_VERSIONS = ("1", "1.1", "1.2", "1.3", "1.4", "1.5")
"""The versions of the outputs file, oldest first."""

_ENTRY_VERSION = "1"
_MFA = {"OFF": "NONE", "OPTIONAL": "OPTIONAL", "ON": "REQUIRED"}
_PASSWORD_RULES = {
    "require_lowercase": "REQUIRES_LOWERCASE",
    "require_numbers": "REQUIRES_NUMBERS",
    "require_symbols": "REQUIRES_SYMBOLS",
    "require_uppercase": "REQUIRES_UPPERCASE",
}
_SOCIAL_PROVIDERS = ("GOOGLE", "FACEBOOK", "LOGIN_WITH_AMAZON", "SIGN_IN_WITH_APPLE")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_KINDS = {dict: "an object", list: "a list", int: "a whole number"}


def outputs_document(
    stack_outputs: Mapping[str, str],
    metadata: Mapping[str, Any],
    model_introspection: JSON | None,
    *,
    version: str = "1.4",
) -> dict[str, Any]:
    """Return the outputs document of a backend.

    Args:
        stack_outputs: The names and values of the root stack's outputs. Empty values count as missing.
        metadata: The ``Metadata`` of the root stack's template: which outputs belong to which part
            of the backend. Outputs that it does not name are left out.
        model_introspection: The content of ``modelIntrospectionSchema.json``; None if the backend
            has no data.
        version: The version of the outputs file, one of *OUTPUTS_VERSIONS*.

    Raises:
        InvalidAmplifyOutputsError: An output that is needed is missing, is not what Amplify writes, or
            has a key that another output has too.
    """
    minor = OUTPUTS_VERSIONS.index(version)
    document: dict[str, Any] = {}
    auth, data, storage, custom = (
        _Entry.of(name, metadata, stack_outputs)
        for name in ("Auth", "GraphQL", "Storage", "Custom")
    )
    if auth is not None:
        merge(document, {"auth": _auth(auth, minor)})
    if data is not None:
        merge(document, {"data": _data(data, model_introspection)})
    if storage is not None:
        merge(document, {"storage": _storage(storage, minor)})
    merge(document, {"version": version})
    if custom is not None:
        merge(document, custom.parsed("customOutputs", dict, required=True))
    written: dict[str, Any] = in_written_form(document)
    return written


def document_text(document: Mapping[str, Any]) -> str:
    """Return *document* as the text of the outputs file, which has no final line break."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # As in JavaScript: half of a surrogate pair, which no file can have, is escaped.
    return _SURROGATE.sub(lambda half: f"\\u{ord(half.group()):04x}", text)


class _Entry:
    """The stack outputs of one part of the backend."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    @classmethod
    def of(
        cls, name: str, metadata: Mapping[str, Any], stack_outputs: Mapping[str, str]
    ) -> _Entry | None:
        """Return the part *name*; None if the backend has none."""
        entry = metadata.get(f"AWS::Amplify::{name}")
        if not isinstance(entry, dict) or "version" not in entry or "stackOutputs" not in entry:
            return None
        if entry["version"] != _ENTRY_VERSION:
            raise InvalidAmplifyOutputsError(
                f"The stack's metadata has AWS::Amplify::{name} in version {entry['version']}; "
                f"this version of seedctl reads version {_ENTRY_VERSION}.",
                resolution="Update seedctl.",
            )
        names = entry["stackOutputs"]
        return cls({name: stack_outputs[name] for name in names if stack_outputs.get(name)})

    def text(self, name: str) -> Any:
        """Return the output *name*; ABSENT if it is missing."""
        return self._values.get(name, ABSENT)

    def required(self, name: str) -> str:
        if name not in self._values:
            raise InvalidAmplifyOutputsError(
                f"The stack has no output {name}, or an empty one.", resolution=_RESOLUTION
            )
        return self._values[name]

    def listed(self, name: str) -> Any:
        """Return the parts of the output *name* between commas; ABSENT if it is missing."""
        return self._values[name].split(",") if name in self._values else ABSENT

    def parsed(self, name: str, kind: type | None = None, *, required: bool = False) -> Any:
        """Return the JSON in the output *name*, of type *kind* if given; ABSENT if it is missing."""
        if required:
            self.required(name)
        if name not in self._values:
            return ABSENT
        return parse_json(self._values[name], f"The stack output {name}", kind)


_RESOLUTION = "Deploy the backend again with the current Amplify packages."


def parse_json(text: str, subject: str, kind: type | None = None) -> Any:
    """Return the JSON *text*, with numbers as JavaScript writes them.

    Raises InvalidAmplifyOutputsError, which names *subject*, if it is not JSON, or *kind* is given
    and it is of another type.
    """
    try:
        value = json.loads(text, parse_float=_number, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise InvalidAmplifyOutputsError(
            f"{subject} is not JSON: {error}", resolution=_RESOLUTION
        ) from error
    if kind is not None and not isinstance(value, kind):
        raise InvalidAmplifyOutputsError(
            f"{subject} has {json.dumps(value)}; expected {_KINDS[kind]}.",
            resolution=_RESOLUTION,
        )
    return value


def _number(text: str) -> float:
    """Return the number *text* as JavaScript has it: with 53 bits, and 1.0 written as 1."""
    exact = Decimal(repr(float(text)))
    return int(exact) if exact == exact.to_integral_value() and abs(exact) < 10**21 else float(text)


def _auth(outputs: _Entry, minor: int) -> dict[str, Any]:
    has_oauth = ABSENT not in map(outputs.text, ("oauthRedirectSignIn", "oauthRedirectSignOut"))
    guests = outputs.text("allowUnauthenticatedIdentities")
    return {
        "user_pool_id": outputs.required("userPoolId"),
        "aws_region": outputs.required("authRegion"),
        "user_pool_client_id": outputs.required("webClientId"),
        "identity_pool_id": outputs.text("identityPoolId"),
        "mfa_methods": outputs.parsed("mfaTypes"),
        "standard_required_attributes": outputs.parsed("signupAttributes"),
        "username_attributes": outputs.parsed("usernameAttributes"),
        "user_verification_types": outputs.parsed("verificationMechanisms"),
        "groups": outputs.parsed("groups") if minor >= 3 else ABSENT,
        "mfa_configuration": _MFA.get(outputs.text("mfaConfiguration"), ABSENT),
        "password_policy": _password_policy(outputs),
        "oauth": _oauth(outputs) if has_oauth else ABSENT,
        "unauthenticated_identities_enabled": guests if guests is ABSENT else guests == "true",
        "passwordless": _passwordless(outputs) if minor >= 4 else ABSENT,
    }


def _password_policy(outputs: _Entry) -> Any:
    length = outputs.parsed("passwordPolicyMinLength", int)
    requirements = outputs.parsed("passwordPolicyRequirements", list)
    if length is ABSENT and requirements is ABSENT:
        return ABSENT
    required = () if requirements is ABSENT else requirements
    return {
        "min_length": 8 if length is ABSENT else length,
        **{key: name in required for key, name in _PASSWORD_RULES.items()},
    }


def _oauth(outputs: _Entry) -> dict[str, Any]:
    providers, scopes = outputs.parsed("socialProviders", list), outputs.parsed("oauthScope")
    domain = outputs.text("oauthCognitoDomain")
    return {
        "identity_providers": []
        if providers is ABSENT
        else [provider for provider in providers if provider in _SOCIAL_PROVIDERS],
        "redirect_sign_in_uri": outputs.listed("oauthRedirectSignIn"),
        "redirect_sign_out_uri": outputs.listed("oauthRedirectSignOut"),
        "response_type": outputs.text("oauthResponseType"),
        "scopes": [] if scopes is ABSENT else scopes,
        "domain": "" if domain is ABSENT else domain,
    }


def _passwordless(outputs: _Entry) -> Any:
    options = outputs.parsed("passwordlessOptions", dict)
    if options is ABSENT:
        return ABSENT
    web_authn = options.get("webAuthn")
    return {
        "email_otp_enabled": options.get("emailOtpEnabled", ABSENT),
        "sms_otp_enabled": options.get("smsOtpEnabled", ABSENT),
        "web_authn": {
            "relying_party_id": web_authn.get("relyingPartyId", ABSENT),
            "user_verification": web_authn.get("userVerification", ABSENT),
        }
        if isinstance(web_authn, dict)
        else ABSENT,
        "preferred_challenge": options.get("preferredChallenge") or ABSENT,
    }


def _data(outputs: _Entry, model_introspection: JSON | None) -> dict[str, Any]:
    return {
        "url": outputs.required("awsAppsyncApiEndpoint"),
        "aws_region": outputs.required("awsAppsyncRegion"),
        "api_key": outputs.text("awsAppsyncApiKey"),
        "default_authorization_type": outputs.required("awsAppsyncAuthenticationType"),
        "authorization_types": outputs.listed("awsAppsyncAdditionalAuthenticationTypes"),
        "model_introspection": ABSENT if model_introspection is None else model_introspection,
    }


def _storage(outputs: _Entry, minor: int) -> dict[str, Any]:
    default = {
        "aws_region": outputs.required("storageRegion"),
        "bucket_name": outputs.required("bucketName"),
    }
    if minor == 0:
        return default
    buckets = outputs.parsed("buckets", list)
    keys = {"name": "name", "bucket_name": "bucketName", "aws_region": "storageRegion"}
    if minor >= 2:
        keys["paths"] = "paths"
    listed = [] if buckets is ABSENT else [_bucket(text) for text in buckets]
    return {
        **default,
        "buckets": [
            {key: bucket.get(name, ABSENT) for key, name in keys.items()} for bucket in listed
        ],
    }


def _bucket(entry: Any) -> dict[str, Any]:
    text = entry if isinstance(entry, str) else json.dumps(entry)
    bucket: dict[str, Any] = parse_json(text, "The stack output buckets", dict)
    return bucket
