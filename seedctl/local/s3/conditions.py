"""Conditional requests: the ``If-*`` headers, compared with the stored object."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.index import StoredObject


def check_reading(headers: Mapping[str, str], stored: StoredObject, prefix: str = "") -> None:
    """Raise S3Error PreconditionFailed or NotModified if *stored* fails a condition in *headers*.

    A copy passes the *prefix* of the headers about its source, and never gets NotModified.
    """
    if_match = headers.get(f"{prefix}if-match")
    if if_match is not None:
        if not _lists_etag_of(if_match, stored):
            raise _precondition_failed("If-Match")
    elif _is_later(headers.get(f"{prefix}if-unmodified-since"), stored) is True:
        raise _precondition_failed("If-Unmodified-Since")
    if_none_match = headers.get(f"{prefix}if-none-match")
    if if_none_match is not None:
        is_same, condition = _lists_etag_of(if_none_match, stored), "If-None-Match"
    else:
        is_later = _is_later(headers.get(f"{prefix}if-modified-since"), stored)
        is_same, condition = is_later is False, "If-Modified-Since"
    if is_same:
        raise _precondition_failed(condition) if prefix else S3Error("NotModified")


def check_writing(headers: Mapping[str, str], found: StoredObject | None) -> None:
    """Raise S3Error unless *headers* allow to write in place of *found*, None if no object exists.

    Only a check in the transaction that writes is final.
    """
    if_none_match, if_match = headers.get("if-none-match"), headers.get("if-match")
    if if_none_match is not None:
        if if_none_match != "*":
            raise S3Error("NotImplemented", "If-None-Match may only be * when writing.")
        if found is not None:
            raise _precondition_failed("If-None-Match")
    if if_match is not None:
        if found is None:
            raise S3Error("NoSuchKey")
        if not _lists_etag_of(if_match, found):
            raise _precondition_failed("If-Match")


def _lists_etag_of(etags: str, stored: StoredObject) -> bool:
    listed = [etag.strip().removeprefix("W/").strip('"') for etag in etags.split(",")]
    return "*" in listed or stored.etag in listed


def _is_later(date: str | None, stored: StoredObject) -> bool | None:
    """Whether *stored* was modified after *date*; None if *date* is missing or not a date."""
    if date is None:
        return None
    try:
        return int(stored.modified) > parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _precondition_failed(condition: str) -> S3Error:
    return S3Error("PreconditionFailed", Condition=condition)
