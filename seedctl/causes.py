"""What led to an error, as text: the causes that are shown below its message."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seedctl.errors import SeedctlError
from seedctl.masking import mask

if TYPE_CHECKING:
    from collections.abc import Iterator

# Exceptions of these are told by the error that was raised from them; --debug shows them.
_TRANSLATED = ("botocore.", "seedctl.")
_SENTENCE = 20


class Cause(NamedTuple):
    """One of the causes of an error, on one line."""

    name: str
    """The exception's, or the code under which a service refused; empty where it gave none."""
    text: str

    def __str__(self) -> str:
        return " ".join(filter(None, [f"[{self.name}]" if self.name else "", self.text]))


def causes(error: BaseException, *, with_foreign: bool = True) -> Iterator[Cause]:
    """Yield what led to *error*, nearest first; what stands in a message above is left out.

    Without *with_foreign* only errors of seedctl are told, and what the services said.
    """
    told = [str(error)]
    for link in _chain(error):
        is_ours = isinstance(link, SeedctlError)
        for cause in _causes_at(link) if is_ours or with_foreign else ():
            if not _is_told(cause.text, told, is_ours=is_ours):
                told.append(cause.text)
                yield cause


def _chain(error: BaseException) -> Iterator[BaseException]:
    met: list[BaseException] = []  # a script can make a chain that bites its own tail
    link: BaseException | None = error
    while link is not None and link not in met:
        met.append(link)
        yield link
        link = link.__cause__


def _causes_at(error: BaseException) -> Iterator[Cause]:
    text = " ".join(str(error).split())
    if isinstance(error, SeedctlError):
        yield Cause(error.name, text)
        if error.service_message:
            yield Cause(error.service_code, error.service_message)
    elif not type(error).__module__.startswith(_TRANSLATED):
        yield Cause(type(error).__name__, mask(text))


def _is_told(text: str, told: list[str], *, is_ours: bool) -> bool:
    # A script's short text, such as a key, may be part of any message.
    if not is_ours and len(text) < _SENTENCE:
        return text in told
    return any(text.removesuffix(".") in each for each in told)
