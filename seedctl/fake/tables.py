"""Which values suit a field, by the end of its name. In each table the first match counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seedctl.fake import moments, words
from seedctl.fake.draws import Draw

Maker = Callable[[Draw], Any]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers from *low* to *high*, with *decimals* digits after the point."""

    low: int
    high: int
    decimals: int = 0

    def __call__(self, draw: Draw) -> int | float:
        scale: int = 10**self.decimals
        chosen = self.low * scale + draw.below((self.high - self.low) * scale + 1)
        return chosen / scale if self.decimals else chosen


def choice(kind: str) -> Maker:
    return lambda draw: draw.choose(words.words(kind))


def _of(values: str) -> Maker:
    chosen = tuple(values.split("|"))
    return lambda draw: draw.choose(chosen)


def _person(text: Callable[[words.Person], str]) -> Maker:
    return lambda draw: text(words.person(draw))


def _place(value: Callable[[words.Place], Any]) -> Maker:
    return lambda draw: value(words.place(draw))


def shares(percent: int) -> Maker:
    return lambda draw: draw.below(100) < percent


FULL_NAME = _person(lambda person: person.name)
DATE = moments.as_date
PERSON, PLACE = "person", "place"

# What is made, of which shared choices, by the end of the field's name. The first match counts.
TEXTS: tuple[tuple[str, Maker, str | None], ...] = (
    ("e_?mail|email_address|mail", words.email, PERSON),
    ("(given|first|fore)_?name", _person(lambda person: person.given.text), PERSON),
    ("middle_name", _person(lambda person: person.given.text), None),
    ("(family|last|sur)_?name", _person(lambda person: person.family.text), PERSON),
    ("full_?name|display_name", FULL_NAME, PERSON),
    (
        "preferred_username|user_?name|login|handle|nick_?name|screen_name",
        words.username,
        PERSON,
    ),
    ("gender|sex", choice("genders"), None),
    ("phone|phone_number|mobile|tel|telephone|fax", words.phone, None),
    ("country_code", _place(lambda place: place.country_code), PLACE),
    ("country", _place(lambda place: place.country), PLACE),
    ("city|town|location", _place(lambda place: place.city), PLACE),
    ("state|province|region|county", _place(lambda place: place.state), PLACE),
    ("zip|zip_?code|post(al)?_?code", _place(lambda place: place.postal_code), PLACE),
    ("street|street_address|(address_)?line_?1|address1", words.street_address, PLACE),
    ("address|formatted", words.address, PLACE),
    ("time_?zone|zone_?info|tz", _place(lambda place: place.time_zone), PLACE),
    ("locale|language|lang", _place(lambda place: place.locale), PLACE),
    ("currency(_code)?", _place(lambda place: place.currency), PLACE),
    ("company|organi[sz]ation|employer|brand|vendor|supplier|manufacturer", words.company, None),
    ("job|job_title|occupation|profession|position", choice("jobs"), None),
    ("department", choice("departments"), None),
    ("description|content|body|text|bio|biography|about|details|article", words.paragraph, None),
    (
        "summary|excerpt|notes?|comments?|message|review|subtitle|reason|caption",
        words.sentence,
        None,
    ),
    ("question", lambda draw: f"{words.sentence(draw)[:-1]}?", None),
    ("slug|path_?name", words.slug, None),
    ("url|uri|link|website|homepage|href|profile|src", words.url, None),
    ("(image|picture|photo|avatar|logo|icon|thumbnail|cover)_?(key|path)", words.file_name, None),
    ("image|picture|photo|avatar|logo|icon|thumbnail|cover", words.url, None),
    ("file_?name|file|path|key", words.file_name, None),
    ("colou?r_?(code|hex)?", words.color, None),
    ("category|topic|genre|tags?|interest|hobby|label", choice("topics"), None),
    ("status", choice("states"), None),
    ("type|kind", choice("topics"), None),
    ("priority|severity|level|difficulty", _of("low|medium|high"), None),
    ("unit", choice("units"), None),
    ("sku|isbn|barcode|code|reference|serial(_number)?|number", words.code, None),
    ("product|product_name|item_name", words.product, None),
    ("uuid|guid|(\\w+_)?ids?", words.uuid, None),
    ("token|hash|checksum|api_key", words.hexadecimal, None),
    ("ip|ip_address", words.ip_address, None),
    ("version", lambda draw: f"{draw.below(9)}.{draw.below(20)}.{draw.below(10)}", None),
    ("price|amount|total|cost", lambda draw: f"{Numbers(1, 500, 2)(draw):.2f}", None),
    ("year", _of("2019|2020|2021|2022|2023|2024"), None),
    ("time|hour", moments.time_of_day, None),
)
# For String fields that hold a moment.
TEXT_MOMENTS = (
    ("(\\w+_)?at|timestamp|date_?time", moments.as_datetime),
    ("birth_?da(y|te)|dob|(\\w+_)?(date|day|on)|deadline", DATE),
)
NUMBERS: tuple[tuple[str, Numbers], ...] = (
    ("age", Numbers(18, 90)),
    ("year", Numbers(1990, 2024)),
    ("month", Numbers(1, 12)),
    ("day", Numbers(1, 28)),
    ("hours?", Numbers(0, 23)),
    ("rating|score|stars|grade", Numbers(1, 5, 1)),
    ("percent|percentage|progress|discount|ratio", Numbers(0, 100, 1)),
    ("price|amount|total|subtotal|cost|fee|balance|budget|revenue|tax", Numbers(1, 500, 2)),
    ("salary|income", Numbers(20_000, 150_000)),
    ("quantity|qty|seats|guests|rooms|level|priority|size", Numbers(1, 10)),
    ("stock|inventory|capacity", Numbers(0, 500)),
    ("order|position|rank|index|sort|sort_order|line_no", Numbers(0, 99)),
    ("views|likes|downloads|followers|points|votes", Numbers(0, 10_000)),
    ("(\\w+_)?count", Numbers(0, 100)),
    ("minutes|duration", Numbers(5, 180)),
    ("width|height|length|depth", Numbers(10, 2000)),
    ("weight", Numbers(1, 100, 1)),
    ("temperature", Numbers(-10, 35, 1)),
)
COORDINATES: tuple[tuple[str, Maker], ...] = (
    ("lat|latitude", _place(lambda place: place.latitude / 100)),
    ("lng|lon|long|longitude", _place(lambda place: place.longitude / 100)),
)
BOOLEANS = (
    ("(\\w+_)?(deleted|archived|blocked|banned|hidden|disabled|cancell?ed|suspended|locked)", 10),
    ("(\\w+_)?(active|enabled|verified|published|visible|public|available|in_stock|approved)", 80),
)

# The last word of a field that holds a name, and of a model whose ``name`` is one.
PEOPLE = frozenset(
    [
        "admin",
        "applicant",
        "assignee",
        "author",
        "buyer",
        "client",
        "contact",
        "creator",
        "customer",
        "doctor",
        "driver",
        "employee",
        "guest",
        "host",
        "instructor",
        "lead",
        "manager",
        "member",
        "owner",
        "patient",
        "person",
        "player",
        "profile",
        "recipient",
        "reviewer",
        "seller",
        "sender",
        "speaker",
        "staff",
        "student",
        "teacher",
        "tutor",
        "user",
        "writer",
    ]
)
NAMES: tuple[tuple[str, Maker, str | None], ...] = (
    (
        "company|organi[sz]ation|employer|brand|vendor|supplier|shop|store|restaurant|business|tenant",
        words.company,
        None,
    ),
    ("product|item|article|good", words.product, None),
    ("category|topic|genre|tag|interest|channel", choice("topics"), None),
    ("department|team|group", choice("departments"), None),
    ("country", _place(lambda place: place.country), PLACE),
    ("city|location|place", _place(lambda place: place.city), PLACE),
    ("colou?r", choice("colors"), None),
)
