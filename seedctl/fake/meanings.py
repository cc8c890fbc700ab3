"""What a field means: first by its scalar, then by its name, such as ``email``, ``price`` or ``city``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from seedctl.fake import moments, tables, words
from seedctl.fake.draws import Draw
from seedctl.fake.tables import FULL_NAME, PERSON, PLACE, Maker, Numbers


class Meaning(NamedTuple):
    """How the values of a field are made."""

    make: Maker
    shared: str | None = None
    """Fields of a row with this in common are made of the same choices: the name and the e-mail
    address of one person, the city and the country of one place. None for fields by themselves."""


_TITLE = Meaning(words.phrase)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


def meaning_of(scalar: str, name: str, owner: str) -> Meaning:
    """Return how the values of a field are made.

    *scalar* is the field's type, *name* its name, *owner* the model or custom type that has it.
    """
    snake = _WORD.sub("_", name).strip("_").lower()
    return next(_candidates(scalar, snake, owner))


def _candidates(scalar: str, name: str, owner: str) -> Iterator[Meaning]:
    """Yield what a field may mean, the likeliest first."""
    form = _MOMENTS.get(scalar)
    if form is not None:
        yield Meaning(moments.moment_maker(name, form))
    if scalar in _SCALARS:
        yield _SCALARS[scalar]
    if scalar == "AWSEmail":
        yield Meaning(words.email, _shared(PERSON, name, "e_?mail|email_address|mail"))
    if scalar == "Boolean":
        yield from (
            Meaning(tables.shares(share)) for ends, share in tables.BOOLEANS if _match(ends, name)
        )
        yield Meaning(tables.shares(50))
    if scalar in ("Int", "Float"):
        yield from _numbers(scalar, name)
    if scalar == "String":
        yield from _moment_texts(name)
        yield from _names(name, owner)
    yield from (
        Meaning(make, shared and _shared(shared, name, ends))
        for ends, make, shared in tables.TEXTS
        if _match(ends, name)
    )
    yield Meaning(words.uuid) if scalar == "ID" else _TITLE


def _numbers(scalar: str, name: str) -> Iterator[Meaning]:
    is_whole = scalar == "Int"
    if not is_whole:
        for ends, make in tables.COORDINATES:
            if _match(ends, name):
                yield Meaning(make, _shared(PLACE, name, ends))
    for ends, numbers in tables.NUMBERS:
        if _match(ends, name):
            yield Meaning(Numbers(numbers.low, numbers.high) if is_whole else numbers)
    if is_whole and _match("(\\w+_)?at|timestamp|time", name):
        yield Meaning(moments.moment_maker(name, moments.as_timestamp))
    yield Meaning(Numbers(0, 1000) if is_whole else Numbers(0, 1000, 2))


def _moment_texts(name: str) -> Iterator[Meaning]:
    for ends, form in tables.TEXT_MOMENTS:
        if _match(ends, name):
            yield Meaning(moments.moment_maker(name, form))


def _names(name: str, owner: str) -> Iterator[Meaning]:
    """Yield what a name or title is of: of what stands before it, or of the model."""
    before, _, last = name.rpartition("_")
    if last in tables.PEOPLE:
        yield Meaning(FULL_NAME, f"{PERSON} {name}")
    if last not in ("name", "title") or (last == "name" and _match("user", before)):
        return  # the name of a user is what the user signs in with
    subject = before or _WORD.sub("_", owner).strip("_").lower()
    is_name = last == "name"
    if is_name and subject.rpartition("_")[2] in tables.PEOPLE:
        # The name of a model itself is shared with its e-mail address.
        yield Meaning(FULL_NAME, f"{PERSON} {before}")
    for ends, make, shared in tables.NAMES:
        if _match(ends, subject) and (is_name or make is words.product):
            yield Meaning(make, shared and f"{shared} {before}")


def _match(ends: str, name: str) -> re.Match[str] | None:
    return re.search(rf"(?:^|_)(?:{ends})$", name)


def _shared(kind: str, name: str, ends: str) -> str:
    """Return what fields of *kind* with the same words before their *ends* have in common."""
    match = _match(ends, name)
    return f"{kind} {name[: match.start()] if match is not None else name}"


def _json(draw: Draw) -> dict[str, object]:
    return {"color": draw.choose(words.words("colors")), "size": 1 + draw.below(9)}


_MOMENTS: dict[str, Callable[[datetime], Any]] = {
    "AWSDate": tables.DATE,
    "AWSDateTime": moments.as_datetime,
    "AWSTimestamp": moments.as_timestamp,
}
_SCALARS = {
    "AWSTime": Meaning(moments.time_of_day),
    "AWSPhone": Meaning(words.phone),
    "AWSURL": Meaning(words.url),
    "AWSIPAddress": Meaning(words.ip_address),
    "AWSJSON": Meaning(_json),
}
