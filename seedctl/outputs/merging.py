"""Merge the parts of an outputs document as Amplify's own tool does, in JavaScript's order of keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from seedctl.errors import InvalidAmplifyOutputsError

ABSENT: Final = object()
"""A missing value; its key still has a place in the order of keys."""

_VERSION = re.compile(r"(?<!\d)(\d{1,16})(?:\.(\d{1,16}))?(?:\.(\d{1,16}))?(?!\d)", re.ASCII)
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_INDEXES = 2**32 - 1  # how many indexes a JavaScript array can have


def merge(target: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Merge *part* into *target*, and its objects into those of *target*. Lists are joined.

    A ``version``, at any depth, becomes the higher of the two. Any other text, number or ``true`` must
    not be given twice.

    Raises InvalidAmplifyOutputsError for a value that is given again, and for two major versions.
    """
    for key, incoming in part.items():
        existing = target.get(key, ABSENT)
        if isinstance(existing, list):
            target[key] = existing + (incoming if isinstance(incoming, list) else [incoming])
        elif isinstance(incoming, dict):
            if not isinstance(existing, dict):
                _check_is_free(key, existing, incoming)
                existing = target[key] = {}
            merge(existing, incoming)
        elif isinstance(existing, dict) or existing is ABSENT:
            target[key] = incoming
        else:
            target[key] = _check_is_free(key, existing, incoming)


def in_written_form(value: Any) -> Any:
    """Return *value* in the form that JavaScript writes: without absent values, numeric keys first."""
    if isinstance(value, dict):
        present = {key: item for key, item in value.items() if item is not ABSENT}
        # JavaScript lists such keys by size before all others.
        indexes = sorted((key for key in present if _is_index(key)), key=int)
        return {key: in_written_form(present[key]) for key in dict.fromkeys([*indexes, *present])}
    if isinstance(value, list):
        return [in_written_form(item) for item in value]
    return value


def _is_index(key: str) -> bool:
    return _WHOLE_NUMBER.fullmatch(key) is not None and int(key) < _INDEXES


def _check_is_free(key: str, existing: Any, incoming: Any) -> Any:
    """Return what *key* has after *incoming* was put in the place of *existing*, which is no object."""
    if existing is ABSENT or not existing:
        return incoming
    if key != "version":
        raise InvalidAmplifyOutputsError(
            f"customOutputs of the stack has {key}, which its other outputs have too.",
            resolution="Let backend.addOutput give each key once, and none that Amplify gives.",
        )
    before, after = _version(existing), _version(incoming)
    if before is None or after is None:
        return incoming
    if before[0] != after[0]:
        raise InvalidAmplifyOutputsError(
            f"customOutputs of the stack has version {incoming}, its other outputs {existing}.",
            resolution="Let backend.addOutput give the version of the outputs file, or none.",
        )
    return incoming if after >= before else existing


def _version(value: Any) -> tuple[int, ...] | None:
    match = _VERSION.search(str(value)) if isinstance(value, (str, int, float)) else None
    return tuple(int(number or 0) for number in match.groups()) if match is not None else None
