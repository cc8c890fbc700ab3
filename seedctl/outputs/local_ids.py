"""Ids for work without an AWS account, in place of those that AWS gave.

An outputs document with them is safe to commit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

ACCOUNT = "000000000000"
POOL_NAME = "Local00001"
CLIENT_ID = "0localclient00000000000001"
IDENTITY_POOL = "00000000-0000-4000-8000-000000000001"
_API_KEY = "da2-localsandbox00000000000001"
_API_NAME = "localsandbox00000000000001"
_APP_ID = "0" * 31 + "1"


def with_local_ids(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an outputs *document* with local ids in place of the real ones.

    Regions, groups, policies, models, and the names and paths of buckets are copied unchanged. An id
    that also occurs elsewhere, such as in ``custom``, is replaced there too.
    """
    replaced = dict(_replacements(document))
    # Longest first: the name of one bucket may be a prefix of another's.
    originals = sorted(replaced, key=len, reverse=True)
    any_original = "|".join(re.escape(original) for original in originals) or r"(?!)"
    # As a whole word: the fixed name of a bucket may be a part of any other word.
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{any_original})(?![A-Za-z0-9])")

    def replace_ids(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda match: replaced[match[0]], value)
        if isinstance(value, list):
            return [replace_ids(item) for item in value]
        if isinstance(value, dict):
            return {
                key: item if _is_copied(key, value) else replace_ids(item)
                for key, item in value.items()
            }
        return value

    return {key: replace_ids(value) for key, value in document.items()}


def _is_copied(key: str, section: Mapping[str, Any]) -> bool:
    """Whether *key* of *section* has the project's own names, which may equal that of a bucket."""
    is_of_bucket = key in {"name", "paths"} and "bucket_name" in section
    return is_of_bucket or key == "model_introspection"


def _replacements(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each id in *document* together with the local id that replaces it."""
    auth = _section(document, "auth")
    for key, separator, local in (
        ("user_pool_id", "_", POOL_NAME),
        ("identity_pool_id", ":", IDENTITY_POOL),
    ):
        region, found, _ = _text(auth, key).partition(separator)
        if found:
            yield auth[key], f"{region}{separator}{local}"
    yield from _named(auth, "user_pool_client_id", CLIENT_ID)
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
