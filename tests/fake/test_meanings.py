"""Values have the meaning of their field: by its type, then by its name."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.fake.draws import RowDraws
from seedctl.fake.meanings import meaning_of
from tests.fake.conftest import with_models
from tests.local_appsync.builders import model

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fake.api import FakeAPI

NAME = r"\w[\w \u0900-\u097f]*"
DATE = r"\d{4}-\d\d-\d\d"
DATE_TIME = DATE + r"T\d\d:\d\d:\d\d\.000Z"
URL = r"https://www\.example\.(com|org|net)/[a-z]+/[a-z]+-[a-z]+"
SENTENCE = r"The [a-z ]+\."


def values(scalar: str, name: str, owner: str = "Thing", count: int = 50) -> list[Any]:
    draws, make = RowDraws("7", owner), meaning_of(scalar, name, owner).make
    return [make(draws.of(number)) for number in range(count)]


TEXTS = [
    ("String", "email", "Thing", r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)"),
    ("String", "workEmail", "Thing", r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)"),
    ("AWSEmail", "anything", "Thing", r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)"),
    ("String", "firstName", "Thing", NAME),
    ("String", "last_name", "Thing", NAME),
    ("String", "name", "User", NAME),
    ("String", "authorName", "Post", NAME),
    ("String", "assignee", "Task", NAME),
    ("String", "name", "Company", rf"{NAME} [A-Z][a-z]+"),
    ("String", "name", "ShopOrganization", rf"{NAME} [A-Z][a-z]+"),
    ("String", "name", "Product", r"[A-Z][a-z]+ [A-Z][A-Za-z ]+"),
    ("String", "name", "Category", r"[a-z]+"),
    ("String", "userName", "User", r"[a-z]+\.[a-z]+\d+"),
    ("String", "phone", "User", r"\+1\d{3}555\d{4}"),
    ("AWSPhone", "x", "User", r"\+1\d{3}555\d{4}"),
    ("String", "countryCode", "Thing", r"[A-Z]{2}"),
    ("String", "currency", "Thing", r"[A-Z]{3}"),
    ("String", "locale", "Thing", r"[a-z]{2}-[A-Z]{2}"),
    ("String", "timeZone", "Thing", r"[A-Z][a-z]+/[A-Z][A-Za-z_/]+"),
    ("String", "description", "Thing", rf"{SENTENCE}( {SENTENCE})+"),
    ("String", "notes", "Thing", SENTENCE),
    ("String", "slug", "Thing", r"[a-z]+-[a-z]+"),
    ("String", "imageUrl", "Thing", URL),
    ("String", "avatar", "Thing", URL),
    ("AWSURL", "x", "Thing", URL),
    ("String", "imageKey", "Thing", r"[a-z]+-[a-z]+\.jpg"),
    ("String", "sku", "Thing", r"[A-Z]{3}-\d{4}"),
    ("ID", "externalId", "Thing", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab].*"),
    ("ID", "x", "Thing", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab].*"),
    ("String", "publishedAt", "Thing", DATE_TIME),
    ("String", "birthDate", "Thing", r"(19[4-9]|200)\d-\d\d-\d\d"),
    ("AWSDate", "dueDate", "Thing", r"202[56]-\d\d-\d\d"),
    ("AWSDateTime", "created", "Thing", r"202[1-3]-.*Z"),
    ("AWSTime", "x", "Thing", r"(0[6-9]|1\d|2[01]):(00|15|30|45):00"),
    ("AWSIPAddress", "x", "Thing", r"10(\.\d{1,3}){3}"),
    ("String", "color", "Thing", r"#[0-9a-f]{6}"),
    ("String", "x", "Thing", r"[A-Z][a-z]+( [a-z]+)+"),
]


def test_texts() -> None:
    """A text has the form of what the field is called, and rows differ."""
    wrong = []
    for scalar, name, owner, pattern in TEXTS:
        found = values(scalar, name, owner)
        if len(set(found)) <= 5 or not all(re.fullmatch(pattern, value) for value in found):
            wrong.append((scalar, name, owner, sorted(set(found))[:6]))
    assert wrong == []


@pytest.mark.parametrize(
    ("scalar", "name", "low", "high"),
    [
        ("Int", "age", 18, 90),
        ("Int", "year", 1990, 2024),
        ("Int", "rating", 1, 5),
        ("Int", "minPrice", 1, 500),
        ("Int", "likesCount", 0, 100),
        ("Float", "price", 1, 500),
        ("Float", "x", 0, 1000),
        ("Float", "lapTime", 0, 1000),
        ("Float", "latitude", -90, 90),
        ("Float", "lng", -180, 180),
        ("Int", "createdAt", 1_640_000_000, 1_710_000_000),
        ("AWSTimestamp", "expiresAt", 1_735_000_000, 1_770_000_000),
    ],
)
def test_numbers(scalar: str, name: str, low: int, high: int) -> None:
    """A number is in a range that fits the field's name, whole for Int, and not always the same."""
    found = values(scalar, name)
    assert all(low <= value <= high for value in found)
    assert all(isinstance(value, int) for value in found) or scalar == "Float"
    assert len(set(found)) > 4


def test_flags() -> None:
    """What is usually true is often true, and what is seldom true is not."""
    shares = {
        name: Counter(values("Boolean", name, count=300))[True]
        for name in ("isActive", "deleted", "x")
    }
    assert 200 < shares["isActive"] < 280
    assert 5 < shares["deleted"] < 60
    assert 110 < shares["x"] < 190


def test_names_come_from_many_languages() -> None:
    """Names are in several scripts; addresses of their owners are in ASCII."""
    names = values("String", "name", "User", 200)
    scripts = {re.sub(r"[^A-Z].*", "", unicodedata.name(name[0])) for name in names}
    assert {
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "ARABIC",
        "HEBREW",
        "DEVANAGARI",
        "CJK",
        "HANGUL",
    } <= scripts
    assert all(address.isascii() for address in values("String", "email", "User", 200))


def test_fields_of_one_person_or_place_agree() -> None:
    """The name and the address of a person belong together, as do a city and its country."""
    fields = {
        "firstName": "String", "lastName": "String", "email": "AWSEmail",
        "ownerName": "String", "ownerEmail": "String",
        "city": "String", "countryCode": "String", "currency": "String", "billingCity": "String",
    }  # fmt: skip
    api = with_models({"Contact": model("Contact", fields)})
    rows = list(api.fake("Contact", 200))
    for row in rows:
        if row["firstName"].isascii() and row["lastName"].isascii():
            start = f"{row['firstName']}.{row['lastName']}{row.number + 1}@".lower()
            assert row["email"].startswith(start)
    places = {(row["city"], row["countryCode"], row["currency"]) for row in rows}
    assert len(places) == len({city for city, _, _ in places})
    assert {row["city"] == row["billingCity"] for row in rows} == {True, False}
    assert {row["ownerEmail"] == row["email"] for row in rows} == {False}


def test_parts_of_an_address_agree(blog: FakeAPI) -> None:
    """The coordinates in a part of an address are those of its city."""
    addresses = [row["address"] for row in blog.fake("Author", 200)]
    places = {(each["city"], each["geo"]["lat"], each["geo"]["lon"]) for each in addresses}
    assert 15 < len(places) == len({city for city, _, _ in places})


@pytest.mark.parametrize("scalar", ["AWSEmail", "AWSPhone", "ID"])
def test_addresses_are_never_repeated(scalar: str) -> None:
    """Of 20,000 rows no two have the same address, since users sign in with them."""
    found = values(scalar, "x", count=20_000)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "kind",
    [
        *("String", "ID", "Int", "Float", "AWSDate", "AWSDateTime", "AWSTime", "AWSTimestamp"),
        *("AWSEmail", "AWSPhone", "AWSURL", "AWSIPAddress"),
    ],
)
def test_keys_are_unique(kind: str, one_field: Callable[..., FakeAPI]) -> None:
    """Whatever type a key has, no two rows have the same."""
    rows = one_field("value", f"{kind}!", key=True).fake("Thing", 1000)
    assert len({row["value"] for row in rows}) == 1000
