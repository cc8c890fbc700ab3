"""``local_outputs.json``: an outputs file for work without an AWS account, safe to commit.

Pure functions from values to documents. The result contains no identifier of a real backend.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seedctl.errors import InvalidCommandInputError
from seedctl.outputs import STANDARD_ATTRIBUTES

_POOL_NAME = "Local00001"
_CLIENT_ID = "0localclient00000000000001"
_IDENTITY_POOL = "00000000-0000-4000-8000-000000000001"
_API_KEY = "da2-localsandbox00000000000001"
_API_NAME = "localsandbox00000000000001"
_APP_ID = "0" * 31 + "1"

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_USERNAME_ATTRIBUTES = ("email", "phone_number")
_MFA_CONFIGURATIONS = ("NONE", "OPTIONAL", "REQUIRED")
_MFA_METHODS = ("SMS", "TOTP", "EMAIL")


def from_outputs(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an outputs *document* with local ids in place of the real ones.

    Regions, groups, policies, models and paths are copied unchanged. An id that also occurs
    elsewhere, such as in ``custom``, is replaced there too.
    """
    replaced = dict(_replacements(document))
    # Longest first: the name of one bucket may be a prefix of another's.
    originals = sorted(replaced, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(original) for original in originals) or r"(?!)")

    def replace_ids(value: object) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda match: replaced[match[0]], value)
        if isinstance(value, list):
            return [replace_ids(item) for item in value]
        if isinstance(value, dict):
            return {key: replace_ids(item) for key, item in value.items()}
        return value

    return {key: replace_ids(value) for key, value in document.items()}


def from_options(
    *,
    username_attributes: Sequence[str] = ("email",),
    groups: Sequence[str] = (),
    required_attributes: Sequence[str] = (),
    mfa_configuration: str = "NONE",
    mfa_methods: Sequence[str] = (),
    region: str = "us-east-1",
) -> dict[str, Any]:
    """Return the document of a backend that has only users and groups.

    Args:
        username_attributes: The attributes users sign in with: ``email``, ``phone_number`` or both.
            As in every Gen 2 backend, they are required attributes too.
        groups: The names of the groups, in order of precedence.
        required_attributes: Further standard attributes that users must have.
        mfa_configuration: ``NONE``, ``OPTIONAL`` or ``REQUIRED``.
        mfa_methods: ``SMS``, ``TOTP`` and ``EMAIL``; empty if MFA is ``NONE``.
        region: The AWS region in the ids; nothing is deployed there.

    Raises:
        InvalidCommandInputError: A value, or the combination of values, is not allowed.
    """
    if not _REGION.fullmatch(region):
        raise _invalid("region", region, "a region such as us-east-1")
    _check_choices("username attribute", username_attributes, _USERNAME_ATTRIBUTES)
    if not username_attributes:
        raise _invalid("username attributes", "none", "email, phone_number or both")
    _check_choices("required attribute", required_attributes, STANDARD_ATTRIBUTES)
    _check_choices("MFA configuration", [mfa_configuration], _MFA_CONFIGURATIONS)
    _check_choices("MFA method", mfa_methods, _MFA_METHODS)
    _check_mfa(mfa_configuration, mfa_methods, username_attributes)
    _check_groups(groups)
    return {
        "auth": {
            "user_pool_id": f"{region}_{_POOL_NAME}",
            "aws_region": region,
            "user_pool_client_id": _CLIENT_ID,
            "identity_pool_id": f"{region}:{_IDENTITY_POOL}",
            "mfa_methods": [method for method in _MFA_METHODS if method in mfa_methods],
            "standard_required_attributes": list(
                dict.fromkeys([*username_attributes, *required_attributes])
            ),
            "username_attributes": list(username_attributes),
            "user_verification_types": list(username_attributes),
            "groups": [{name: {"precedence": index}} for index, name in enumerate(groups)],
            "mfa_configuration": mfa_configuration,
            "password_policy": {
                "min_length": 8,
                "require_lowercase": True,
                "require_numbers": True,
                "require_symbols": True,
                "require_uppercase": True,
            },
            "unauthenticated_identities_enabled": True,
        },
        "version": "1.4",
    }


def to_text(document: Mapping[str, Any]) -> str:
    """Return the file content of *document*."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _replacements(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each id in *document* together with the local id that replaces it."""
    auth = _section(document, "auth")
    for key, separator, local in (
        ("user_pool_id", "_", _POOL_NAME),
        ("identity_pool_id", ":", _IDENTITY_POOL),
    ):
        region, found, _ = _text(auth, key).partition(separator)
        if found:
            yield auth[key], f"{region}{separator}{local}"
    yield from _named(auth, "user_pool_client_id", _CLIENT_ID)
    domain = _text(_section(auth, "oauth"), "domain")
    if domain:
        _, dot, rest = domain.partition(".")
        yield domain, f"localsandbox{dot}{rest}"
    events = _section(_section(document, "custom"), "events")
    for number, api in enumerate((_section(document, "data"), events), start=1):
        yield from _named(api, "api_key", f"{_API_KEY[:-1]}{number}")
        match = re.match(r"https://([^./]+)\.", _text(api, "url"))
        if match is not None:
            yield match[1], f"{_API_NAME[:-1]}{number}"
    yield from _buckets(_section(document, "storage"))
    for section in (
        _section(_section(document, "analytics"), "amazon_pinpoint"),
        _section(document, "notifications"),
    ):
        yield from _named(section, "app_id", _APP_ID)
        yield from _named(section, "amazon_pinpoint_app_id", _APP_ID)


def _buckets(storage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    listed = storage.get("buckets")
    entries = [storage, *(listed if isinstance(listed, list) else [])]
    names = [_text(entry, "bucket_name") for entry in entries]
    for number, name in enumerate(dict.fromkeys(filter(None, names)), start=1):
        yield name, f"local-sandbox-bucket-{number}"


def _named(section: Mapping[str, Any], key: str, local: str) -> Iterator[tuple[str, str]]:
    if _text(section, key):
        yield section[key], local


def _section(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _text(section: Mapping[str, Any], key: str) -> str:
    value = section.get(key)
    return value if isinstance(value, str) else ""


def _check_mfa(configuration: str, methods: Sequence[str], logins: Sequence[str]) -> None:
    if configuration == "NONE" and methods:
        raise _invalid("MFA configuration", "NONE", "OPTIONAL or REQUIRED with MFA methods")
    if configuration != "NONE" and not methods:
        raise _invalid("MFA methods", "none", "at least one of SMS, TOTP, EMAIL with MFA")
    if methods and "phone_number" in logins and "SMS" not in methods:
        # Amplify has the same rule and refuses to deploy such a backend.
        raise _invalid("MFA methods", ", ".join(methods), "SMS too, for sign-in by phone")


def _check_groups(groups: Sequence[str]) -> None:
    _check_unique("group", groups)
    for name in groups:
        printable = all(unicodedata.category(char)[0] in "LMSNP" for char in name)
        if not 1 <= len(name) <= 128 or not printable:
            raise _invalid("group name", name[:128], "1 to 128 characters without blanks")


def _check_choices(what: str, values: Sequence[str], choices: Sequence[str]) -> None:
    _check_unique(what, values)
    for value in values:
        if value not in choices:
            raise _invalid(what, value, f"one of {', '.join(choices)}")


def _check_unique(what: str, values: Sequence[str]) -> None:
    if len(set(values)) != len(values):
        raise _invalid(what, ", ".join(values), "each of them once")


def _invalid(what: str, value: str, expected: str) -> InvalidCommandInputError:
    return InvalidCommandInputError(f"The {what} {value!r} is invalid: expected {expected}.")
