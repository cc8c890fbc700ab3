"""The causes of an error as text, to be shown below its message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from seedctl.errors import SeedctlError
from seedctl.masking import mask, mask_message

# Errors raised from exceptions of these packages explain them already; --debug shows them.
_TRANSLATED = ("botocore.", "seedctl.")
_SHORTEST_SENTENCE = 20  # characters


class Cause(NamedTuple):
    """One of the causes of an error, on one line."""

    name: str
    """The name of the exception, or the service's error code; empty if it gave none."""
    text: str

    def __str__(self) -> str:
        return " ".join(filter(None, [f"[{self.name}]" if self.name else "", self.text]))


def causes(error: BaseException, *, with_foreign: bool = True) -> Iterator[Cause]:
    """Yield the causes of *error*, the nearest first, without those that a message above contains.

    Without *with_foreign*, yield only errors of seedctl and messages of services.
    """
    shown = [_one_line(error)]
    for link in _chain(error):
        is_ours = isinstance(link, SeedctlError)
        for cause in _causes_at(link) if is_ours or with_foreign else ():
            if not _is_shown(cause.text, shown, is_ours=is_ours):
                shown.append(cause.text)
                yield cause


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []  # a script can create a chain that is a circle
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        yield link
        link = link.__cause__


def _causes_at(error: BaseException) -> Iterator[Cause]:
    text = _one_line(error)
    if isinstance(error, SeedctlError):
        yield Cause(error.name, text)
        if error.service_message:
            yield Cause(error.service_code, error.service_message)
    elif not type(error).__module__.startswith(_TRANSLATED):
        yield Cause(type(error).__name__, text)


def _one_line(error: BaseException) -> str:
    masked = mask_message if isinstance(error, SeedctlError) else mask
    return " ".join(masked(str(error)).split())  # masked first: a secret may contain line breaks


def _is_shown(text: str, shown: list[str], *, is_ours: bool) -> bool:
    # A short text of a script's exception, such as a key, may be part of any message by chance.
    if not is_ours and len(text) < _SHORTEST_SENTENCE:
        return text in shown
    return any(text.removesuffix(".") in each for each in shown)
