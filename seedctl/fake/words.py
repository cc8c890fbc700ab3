"""The lists of words in ``words.json``, and texts composed of them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from seedctl.fake.draws import Draw

# Reserved for documentation: nobody gets an e-mail or a call (RFC 2606, North American numbering plan).
_DOMAINS = ("example.com", "example.org", "example.net")
_FIRST_FICTIONAL_LINE = 100  # 555-0100 to 555-0199 of each area code


class Name(NamedTuple):
    """A given or family name in its own script, and in ASCII for addresses."""

    text: str
    ascii: str


class Person(NamedTuple):
    given: Name
    family: Name
    is_family_first: bool

    @property
    def name(self) -> str:
        """The full name, as it is written in its language."""
        return (
            f"{self.family.text}{self.given.text}"
            if self.is_family_first
            else f"{self.given.text} {self.family.text}"
        )


class Place(NamedTuple):
    """A city, with what its inhabitants have in common."""

    city: str
    state: str
    country: str
    country_code: str
    postal_code: str
    street: str
    time_zone: str
    locale: str
    currency: str
    latitude: int
    """In hundredths of a degree."""
    longitude: int


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    text = Path(__file__).with_name("words.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@lru_cache
def words(kind: str) -> tuple[str, ...]:
    """Return the words of a *kind*, such as "nouns"."""
    return tuple(_document()[kind].split("|"))


@lru_cache(maxsize=1)
def _people() -> tuple[tuple[tuple[Name, ...], tuple[Name, ...], bool], ...]:
    return tuple(
        (_names(entry["given"]), _names(entry["family"]), entry.get("order") == "family")
        for entry in _document()["people"]
    )


def _names(text: str) -> tuple[Name, ...]:
    pairs = (entry.partition("=") for entry in text.split("|"))
    return tuple(Name(name, (written or name).lower()) for name, _, written in pairs)


@lru_cache(maxsize=1)
def _places() -> tuple[Place, ...]:
    return tuple(Place(*entry) for entry in _document()["places"])


def person(draw: Draw) -> Person:
    given, family, is_family_first = draw.choose(_people())
    return Person(draw.choose(given), draw.choose(family), is_family_first)


def place(draw: Draw) -> Place:
    return draw.choose(_places())


def username(draw: Draw) -> str:
    """Return a user name that no other row has."""
    found = person(draw)
    return f"{found.given.ascii}.{found.family.ascii}{draw.row + 1}"


def email(draw: Draw) -> str:
    """Return an e-mail address that no other row has."""
    return f"{username(draw)}@{draw.choose(_DOMAINS)}"


def phone(draw: Draw) -> str:
    """Return a phone number that no other row has; the first 26,700 are reserved for fiction."""
    codes = words("areaCodes")
    line, area = divmod(draw.row, len(codes))
    return f"+1{codes[area]}555{(_FIRST_FICTIONAL_LINE + line) % 10_000:04}"


def slug(draw: Draw) -> str:
    return f"{draw.choose(words('adjectives'))}-{draw.choose(words('nouns'))}"


def phrase(draw: Draw) -> str:
    """Return a short title."""
    adjective, noun = draw.choose(words("adjectives")), draw.choose(words("nouns"))
    if draw.below(2):
        return f"The {adjective} {noun}"
    return f"{adjective.capitalize()} {noun} and {draw.choose(words('nouns'))}"


def sentence(draw: Draw) -> str:
    choose = draw.choose
    adjectives, nouns = words("adjectives"), words("nouns")
    return (
        f"The {choose(adjectives)} {choose(nouns)} {choose(words('verbs'))} "
        f"the {choose(adjectives)} {choose(nouns)}."
    )


def paragraph(draw: Draw) -> str:
    return " ".join(sentence(draw) for _ in range(2 + draw.below(3)))


def product(draw: Draw) -> str:
    return f"{draw.choose(words('materials'))} {draw.choose(words('products'))}"


def company(draw: Draw) -> str:
    return f"{person(draw).family.text} {draw.choose(words('companies'))}"


def code(draw: Draw) -> str:
    """Return an article number."""
    letters = "".join(draw.choose("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(3))
    return f"{letters}-{draw.below(10_000):04}"


def url(draw: Draw) -> str:
    return f"https://www.{draw.choose(_DOMAINS)}/{draw.choose(words('topics'))}/{slug(draw)}"


def file_name(draw: Draw) -> str:
    return f"{slug(draw)}.jpg"


def color(draw: Draw) -> str:
    return f"#{draw.below(1 << 24):06x}"


def hexadecimal(draw: Draw) -> str:
    return f"{draw.below(1 << 128):032x}"


def uuid(draw: Draw) -> str:
    """Return a UUID of version 4: two rows have the same with a probability of 2 ** -122."""
    number = draw.below(1 << 128) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def street_address(draw: Draw) -> str:
    found = place(draw)
    return f"{found.street} {1 + draw.below(120)}"


def address(draw: Draw) -> str:
    found = place(draw)
    return f"{found.street} {1 + draw.below(120)}, {found.postal_code} {found.city}"


def ip_address(draw: Draw) -> str:
    number = draw.below(1 << 24)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
