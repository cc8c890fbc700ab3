"""Remove secrets from what botocore and urllib3 log about seedctl's own calls.

A script, or a program that uses ``seedctl.connect``, may turn on debug logs. botocore then logs
complete requests and responses, before their secret values are known and can be masked. So bodies,
signatures and headers that authenticate are always replaced.

Other boto3 and urllib3 clients in the process use the same loggers. Only records logged within
``redacted_logs`` are redacted in this way; in records of other clients only known secret values
are masked.
"""

from __future__ import annotations

import logging
import pkgutil
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSPreparedRequest

from seedctl.masked_output import MaskingFilter
from seedctl.masking import MASK

_PACKAGES = ("botocore", "s3transfer", "urllib3")
# These loggers log only parts of requests: the canonical form, the signature, the body.
_FULLY_REDACTED = ("botocore.auth", "botocore.compress")
# Parts of the names of headers and members whose values are secret.
_SECRET_NAMES = re.compile(
    "api-key|authorization|body|cookie|credential|customer-key|password|secret|signature|token",
    re.IGNORECASE,
)

_is_own_call: ContextVar[bool] = ContextVar("seedctl_is_own_call", default=False)


@contextmanager
def redacted_logs() -> Iterator[None]:
    """Redact what this thread's calls log, within the block or the decorated function.

    Do not decorate a generator: between two values its caller's calls would be redacted too.
    """
    _install()
    token = _is_own_call.set(True)
    try:
        yield
    finally:
        _is_own_call.reset(token)


class _Redaction(MaskingFilter):
    def filter(self, record: logging.LogRecord) -> bool:
        if _is_own_call.get():
            _redact(record)
        return super().filter(record)


@lru_cache(maxsize=1)
def _install() -> None:
    # A filter sees only records of its own logger, not of child loggers. So add it to the logger of
    # every module, also of those not imported yet.
    redaction = _Redaction()
    for package in _PACKAGES:
        spec = find_spec(package)
        for name in _modules(package, list(spec.submodule_search_locations or ()) if spec else []):
            logging.getLogger(name).addFilter(redaction)


def _modules(package: str, folders: list[str]) -> Iterator[str]:
    """Yield the names of *package*, which is in *folders*, and of all modules in it."""
    yield package
    for module in pkgutil.iter_modules(folders):
        name = f"{package}.{module.name}"
        if module.ispkg:
            yield from _modules(name, [str(Path(each, module.name)) for each in folders])
        else:
            yield name


def _redact(record: logging.LogRecord) -> None:
    if isinstance(record.args, Mapping):
        record.args = _without_secrets(record.args)
    elif record.args:
        is_redacted = record.name in _FULLY_REDACTED
        record.args = tuple(MASK if is_redacted else _redacted(each) for each in record.args)
    if record.exc_info and record.exc_info[0] is not None:
        # The message of an exception may quote a response, or a URL with its signature.
        kind, _, trace = record.exc_info
        record.exc_text = "".join([*traceback.format_tb(trace), kind.__name__])
        record.exc_info = None


def _redacted(value: object) -> object:
    """Return *value* in a form without secrets."""
    if isinstance(value, AWSPreparedRequest):
        # Headers are str before the request is sent, and bytes after that.
        headers = {
            name: text.decode("latin-1") if isinstance(text, bytes) else text
            for name, text in value.headers.items()
        }
        return f"{value.method} {value.url} {_without_secrets(headers)}"
    if isinstance(value, Mapping):
        return _without_secrets(value)
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if isinstance(value, BaseException):
        return type(value).__name__
    return value


def _without_secrets(members: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return headers or members with the values masked that have a secret name."""
    redacted = {}
    for name, value in members.items():
        redacted[name] = MASK if _SECRET_NAMES.search(str(name)) else _redacted(value)
    return redacted
