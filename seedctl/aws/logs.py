"""What botocore and urllib3 log of seedctl's own calls: everything but what may be secret.

A script, or a program that uses :func:`seedctl.connect`, may turn on debug logs. botocore then logs
whole requests and answers, before anybody knows which values in them are secret. So nothing is left
to the list of known values here: bodies, headers that authenticate and signatures are withheld by
their place.

The loggers are shared with the process's other clients, of boto3 or urllib3. Only what is logged
within :func:`redacted_logs` is redacted by place. Of other clients' records only known secret
values are masked: a record without one is not touched.
"""

from __future__ import annotations

import logging
import pkgutil
import traceback
from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest

from seedctl.masked_output import MaskingFilter
from seedctl.masking import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = ("botocore", "s3transfer", "urllib3")
# What these log is made of a request: its canonical form, its signature, its body.
_WITHHELD = ("botocore.auth", "botocore.compress")
# Parts of the names of headers and members, in small letters.
_SECRET_NAMES = (
    "api-key",
    "authorization",
    "body",
    "cookie",
    "credential",
    "customer-key",
    "password",
    "secret",
    "signature",
    "token",
)

_is_own_call: ContextVar[bool] = ContextVar("seedctl_is_own_call", default=False)


@contextmanager
def redacted_logs() -> Iterator[None]:
    """For the block, or the function it decorates, withhold what the thread's calls are made of.

    Not for a generator: its caller's calls would count as ours between two values.
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
    # A filter sees only what its own logger logs: each module's gets it, imported yet or not.
    redaction = _Redaction()
    for package in _PACKAGES:
        spec = find_spec(package)
        for name in _modules(package, list(spec.submodule_search_locations or ()) if spec else []):
            logging.getLogger(name).addFilter(redaction)


def _modules(package: str, folders: list[str]) -> Iterator[str]:
    """Yield the names of *package*, which lies in *folders*, and of all modules below it."""
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
        is_withheld = record.name in _WITHHELD
        record.args = tuple(MASK if is_withheld else _shown(each) for each in record.args)
    if record.exc_info and record.exc_info[0] is not None:
        # An exception may quote the answer that it is about, or an address with its signature.
        kind, _, trace = record.exc_info
        record.exc_text = "".join([*traceback.format_tb(trace), kind.__name__])
        record.exc_info = None


def _shown(value: object) -> object:
    """Return what a log may show in place of *value*."""
    if isinstance(value, AWSPreparedRequest):
        # botocore signs text and sends bytes.
        headers = {
            name: text.decode("latin-1") if isinstance(text, bytes) else text
            for name, text in value.headers.items()
        }
        return f"{value.method} {value.url} {_without_secrets(headers)}"
    if isinstance(value, Mapping):
        return _without_secrets(value)
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if isinstance(value, BaseException):
        return type(value).__name__
    return value


def _without_secrets(members: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return headers, or the parts of a request, without those whose name says that they tell."""
    shown = {}
    for name, value in members.items():
        is_secret = any(part in str(name).lower() for part in _SECRET_NAMES)
        shown[name] = MASK if is_secret else _shown(value)
    return shown
