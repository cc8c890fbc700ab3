"""What a field means: first by its scalar, then by its name, such as ``email``, ``price`` or ``city``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from seedctl.fake import moments, words
from seedctl.fake.draws import Draw

Maker = Callable[[Draw], Any]


class Meaning(NamedTuple):
    """How the values of a field are made."""

    make: Maker
    shared: str | None = None
    """Fields of a row with this in common are made of the same choices: the name and the e-mail
    address of one person, the city and the country of one place. None for fields by themselves."""


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


def _choice(kind: str) -> Maker:
    return lambda draw: draw.choose(words.words(kind))


def _of(values: str) -> Maker:
    chosen = tuple(values.split("|"))
    return lambda draw: draw.choose(chosen)


def _person(text: Callable[[words.Person], str]) -> Maker:
    return lambda draw: text(words.person(draw))


def _place(value: Callable[[words.Place], Any]) -> Maker:
    return lambda draw: value(words.place(draw))


def _shares(percent: int) -> Maker:
    return lambda draw: draw.below(100) < percent


_FULL_NAME = _person(lambda person: person.name)
_DATE = moments.as_date
_PERSON, _PLACE = "person", "place"

# What is made, of which shared choices, by the end of the field's name. The first match counts.
_TEXTS: tuple[tuple[str, Maker, str | None], ...] = (
    ("e_?mail|email_address|mail", words.email, _PERSON),
    ("(given|first|fore)_?name", _person(lambda person: person.given.text), _PERSON),
    ("middle_name", _person(lambda person: person.given.text), None),
    ("(family|last|sur)_?name", _person(lambda person: person.family.text), _PERSON),
    ("full_?name|display_name", _FULL_NAME, _PERSON),
    (
        "preferred_username|user_?name|login|handle|nick_?name|screen_name",
        words.username,
        _PERSON,
    ),
    ("gender|sex", _choice("genders"), None),
    ("phone|phone_number|mobile|tel|telephone|fax", words.phone, None),
    ("country_code", _place(lambda place: place.country_code), _PLACE),
    ("country", _place(lambda place: place.country), _PLACE),
    ("city|town|location", _place(lambda place: place.city), _PLACE),
    ("state|province|region|county", _place(lambda place: place.state), _PLACE),
    ("zip|zip_?code|post(al)?_?code", _place(lambda place: place.postal_code), _PLACE),
    ("street|street_address|(address_)?line_?1|address1", words.street_address, _PLACE),
    ("address|formatted", words.address, _PLACE),
    ("time_?zone|zone_?info|tz", _place(lambda place: place.time_zone), _PLACE),
    ("locale|language|lang", _place(lambda place: place.locale), _PLACE),
    ("currency(_code)?", _place(lambda place: place.currency), _PLACE),
    ("company|organi[sz]ation|employer|brand|vendor|supplier|manufacturer", words.company, None),
    ("job|job_title|occupation|profession|position", _choice("jobs"), None),
    ("department", _choice("departments"), None),
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
    ("category|topic|genre|tags?|interest|hobby|label", _choice("topics"), None),
    ("status", _choice("states"), None),
    ("unit", _choice("units"), None),
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
_TEXT_MOMENTS = (
    ("(\\w+_)?at|timestamp|date_?time", moments.as_datetime),
    ("birth_?da(y|te)|dob|(\\w+_)?(date|day|on)|deadline", _DATE),
)
_NUMBERS: tuple[tuple[str, Maker], ...] = (
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
_COORDINATES: tuple[tuple[str, Maker], ...] = (
    ("lat|latitude", _place(lambda place: place.latitude / 100)),
    ("lng|lon|long|longitude", _place(lambda place: place.longitude / 100)),
)
_BOOLEANS = (
    ("(\\w+_)?(deleted|archived|blocked|banned|hidden|disabled|cancell?ed|suspended|locked)", 10),
    ("(\\w+_)?(active|enabled|verified|published|visible|public|available|in_stock|approved)", 80),
)

# The last word of a field that holds a name, and of a model whose ``name`` is one.
_PEOPLE = frozenset(
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
_NAMES: tuple[tuple[str, Maker, str | None], ...] = (
    (
        "company|organi[sz]ation|employer|brand|vendor|supplier|shop|store|restaurant|business|tenant",
        words.company,
        None,
    ),
    ("product|item|article|good", words.product, None),
    ("category|topic|genre|tag|interest|channel", _choice("topics"), None),
    ("department|team|group", _choice("departments"), None),
    ("country", _place(lambda place: place.country), _PLACE),
    ("city|location|place", _place(lambda place: place.city), _PLACE),
    ("colou?r", _choice("colors"), None),
)
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
        yield Meaning(words.email, _shared(_PERSON, name, "e_?mail|email_address|mail"))
    if scalar == "Boolean":
        yield from (Meaning(_shares(share)) for ends, share in _BOOLEANS if _match(ends, name))
        yield Meaning(_shares(50))
    if scalar in ("Int", "Float"):
        yield from _numbers(scalar, name)
    if scalar == "String":
        yield from _moment_texts(name)
        yield from _names(name, owner)
    yield from (
        Meaning(make, shared and _shared(shared, name, ends))
        for ends, make, shared in _TEXTS
        if _match(ends, name)
    )
    yield Meaning(words.uuid) if scalar == "ID" else _TITLE


def _numbers(scalar: str, name: str) -> Iterator[Meaning]:
    is_whole = scalar == "Int"
    if not is_whole:
        for ends, make in _COORDINATES:
            if _match(ends, name):
                yield Meaning(make, _shared(_PLACE, name, ends))
    for ends, numbers in _NUMBERS:
        if _match(ends, name) and isinstance(numbers, Numbers):
            yield Meaning(Numbers(numbers.low, numbers.high) if is_whole else numbers)
    if is_whole and _match("(\\w+_)?at|timestamp|time", name):
        yield Meaning(moments.moment_maker(name, moments.as_timestamp))
    yield Meaning(Numbers(0, 1000) if is_whole else Numbers(0, 1000, 2))


def _moment_texts(name: str) -> Iterator[Meaning]:
    for ends, form in _TEXT_MOMENTS:
        if _match(ends, name):
            yield Meaning(moments.moment_maker(name, form))


def _names(name: str, owner: str) -> Iterator[Meaning]:
    """Yield what a name or title is of: of what stands before it, or of the model."""
    before, _, last = name.rpartition("_")
    if last in _PEOPLE:
        yield Meaning(_FULL_NAME, f"{_PERSON} {name}")
    if last != "name" and name != "title":
        return
    subject = before or _WORD.sub("_", owner).strip("_").lower()
    is_name = last == "name"
    if is_name and subject.rpartition("_")[2] in _PEOPLE:
        # The name of a model itself is shared with its e-mail address.
        yield Meaning(_FULL_NAME, f"{_PERSON} {before}")
    for ends, make, shared in _NAMES:
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
    "AWSDate": _DATE,
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
