"""Values that obey the validators of their field."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from seedctl.fake import words
from seedctl.fake.draws import Draw, RowDraws
from seedctl.fake.patterns import Language, UnsupportedSyntaxError, language
from seedctl.fake.tables import Maker, Numbers
from seedctl.outputs.java_patterns import UnsupportedPatternError
from seedctl.outputs.validators import Validator

_ATTEMPTS = 50
# How many more repetitions than required a made text has. The first that gives valid texts is used.
_EXTRAS = (7, 3, 1, 0, 15, 50, 250)
_INT = (-(2**31), 2**31 - 1)
_FLOAT = (-1e15, 1e15)
_LONGEST = 350_000  # DynamoDB stores 400 KB in an item
_STEPS = 1_000_000
_PLENTY = 1_000_000  # rows in one call, or more than anyone makes
_PROBES = 5
_SHORT = 12
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class CannotMakeError(Exception):
    """There is no way to make a value. The message says why, as the end of a sentence."""


def obeying(make: Maker, scalar: str, validators: Sequence[Validator]) -> Maker:
    """Return what makes values like those of *make* that all *validators* accept.

    Raises CannotMakeError if no value is found, and so does the result.
    """
    if not validators:
        return make
    is_number = scalar in ("Int", "Float")
    other = _bounded(make, scalar, validators) if is_number else _Texts(validators).of(make)

    def make_valid(draw: Draw) -> Any:
        value = make(draw)
        return value if _is_valid(value, validators, is_whole=True) else other(draw)

    return make_valid


def numbered(make: Maker, validators: Sequence[Validator], draws: RowDraws) -> Maker:
    """Return what makes texts of which no two rows have the same, like those of *make*."""
    texts = _Texts(validators)
    listed = texts.listed(draws) if texts.patterns else None
    return listed or texts.of(make, is_unique=True)


def bounds(scalar: str, validators: Sequence[Validator]) -> tuple[float, float]:
    """Return the lowest and highest number of an Int or Float field; for Float they may be excluded.

    Raises CannotMakeError if there is none.
    """
    low, high = _INT if scalar == "Int" else _FLOAT
    is_whole = scalar == "Int"
    for each in validators:
        number = each.number
        if each.kind in ("gt", "gte"):
            low = max(low, _next(number, each.kind == "gt", 1) if is_whole else number)
        else:
            high = min(high, _next(number, each.kind == "lt", -1) if is_whole else number)
    if low > high:
        raise CannotMakeError(f"no {scalar} is within the limits of its validators")
    return low, high


def _next(number: float, is_excluded: bool, step: int) -> int:
    """Return the nearest whole number at or beyond *number*, in the direction of *step*."""
    whole = math.ceil(number) if step > 0 else math.floor(number)
    return whole + step if is_excluded and whole == number else whole


def _bounded(make: Maker, scalar: str, validators: Sequence[Validator]) -> Maker:
    low, high = bounds(scalar, validators)
    usual = make if isinstance(make, Numbers) else Numbers(0, 100)
    span = usual.high - usual.low
    if low <= usual.high and usual.low <= high:
        low, high = max(low, usual.low), min(high, usual.high)
    elif low > usual.high:
        high = min(high, low + span)
    else:
        low = max(low, high - span)
    if scalar == "Int":
        return Numbers(int(low), int(high))

    def make_float(draw: Draw) -> float:
        # Neither limit itself, which may be excluded.
        exact = low + (high - low) * (1 + draw.below(_STEPS)) / (_STEPS + 1)
        for value in (round(exact, 2), exact):
            if _is_valid(value, validators):
                return value
        raise CannotMakeError("no Float between the limits of its validators was found")

    return make_float


def _is_valid(value: Any, validators: Sequence[Validator], *, is_whole: bool = False) -> bool:
    """Whether all *validators* accept *value*; a pattern with *is_whole* must match all of it."""
    try:
        return all(
            each.accepts(value)
            and (not is_whole or each.kind != "matches" or each.pattern.fullmatch(value))
            for each in validators
        )
    except UnsupportedPatternError as error:
        raise CannotMakeError(f"only Java can apply the pattern {error}") from error


@dataclass(frozen=True, slots=True)
class _Texts:
    """Makes texts that obey validators."""

    validators: Sequence[Validator]

    def _of_kind(self, kind: str) -> list[Validator]:
        return [each for each in self.validators if each.kind == kind]

    @property
    def patterns(self) -> list[Validator]:
        return self._of_kind("matches")

    def _longest(self, kind: str) -> str:
        return max((each.value for each in self._of_kind(kind)), key=len, default="")

    def of(self, make: Maker, *, is_unique: bool = False) -> Maker:
        """Return what makes valid texts like those of *make*; with the row's number if *is_unique*."""
        least = max((each.number for each in self._of_kind("minLength")), default=1)
        most = min((each.number for each in self._of_kind("maxLength")), default=_LONGEST)
        if math.ceil(least) > most:
            raise CannotMakeError("no text is as long as its validators require")
        shape = self._shape(math.ceil(least), int(most), is_unique=is_unique)

        def make_text(draw: Draw) -> str:
            for value in self._candidates(make, shape, draw):
                if _is_valid(value, self.validators):
                    return value
            kinds = ", ".join(f"{each.kind} {each.value!r}" for each in self.validators)
            raise CannotMakeError(f"no text was found that its validators accept ({kinds})")

        return make_text

    def _candidates(
        self, make: Maker, shape: Callable[[str, Draw], str], draw: Draw
    ) -> Iterator[str]:
        languages = list(self._languages())
        for number in range(_ATTEMPTS):
            part = draw.part(number)
            yield from (each.text(part.below(each.size)) for each in languages)
            yield shape(str(make(part)), part)

    def _languages(self) -> Iterator[Language]:
        for pattern in self.patterns[:1]:
            for extra in _EXTRAS:
                try:
                    yield language(pattern.value, extra)
                except (UnsupportedSyntaxError, UnsupportedPatternError):
                    return

    def _shape(self, least: int, most: int, *, is_unique: bool) -> Callable[[str, Draw], str]:
        """Return what cuts or extends a text, and puts the required beginning and end around it."""
        begin, end = self._longest("startsWith"), self._longest("endsWith")

        def shape(body: str, draw: Draw) -> str:
            tag = _number_text(draw.row + 1, most) if is_unique else ""
            fixed = len(begin) + len(end) + len(tag)
            if fixed > most and not tag:
                return _overlapped(begin, end)
            missing, space = max(0, least - fixed), max(0, most - fixed)
            while len(body) < missing:
                body += f" {words.paragraph(draw)}"
            if len(body) > space:
                body = body[:space].rstrip().ljust(missing, "x")
            return f"{begin}{body}{tag if body else tag[1:]}{end}"

        return shape

    def listed(self, draws: RowDraws) -> Maker | None:
        """Return what makes the texts of the first pattern one after the other; None if it cannot."""
        best: tuple[int, Callable[[Draw], str | None]] = (0, lambda _draw: None)
        for texts in self._languages():
            # Of many texts a row has some to choose from, as not all may be valid.
            choices = _ATTEMPTS if texts.size > _ATTEMPTS * _PLENTY else 1
            make = self._listed(texts, choices, draws)
            if texts.size > best[0] and all(
                make(Draw(b"", row)) is not None for row in range(min(_PROBES, texts.size))
            ):
                best = texts.size, make
            if best[0] >= _PLENTY:
                break
        return self._required(best[1]) if best[0] else None

    def _listed(
        self, texts: Language, choices: int, draws: RowDraws
    ) -> Callable[[Draw], str | None]:
        def make(draw: Draw) -> str | None:
            first = draw.row * choices
            if first >= texts.size:
                return None
            numbers = (draws.permuted(first + each, texts.size) for each in range(choices))
            found = map(texts.text, numbers)
            return next((each for each in found if _is_valid(each, self.validators)), None)

        return make

    def _required(self, make: Callable[[Draw], str | None]) -> Maker:
        def make_required(draw: Draw) -> str:
            value = make(draw)
            if value is None:
                pattern = self.patterns[0].value
                raise CannotMakeError(f"its pattern {pattern!r} has no text for row {draw.row}")
            return value

        return make_required


def _number_text(number: int, most: int) -> str:
    """Return *number* as the end of a text, in few characters if at most *most* are allowed."""
    if most >= _SHORT:
        return f"-{number}"
    text = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return f"-{text}"


def _overlapped(begin: str, end: str) -> str:
    """Return the shortest text with this beginning and end."""
    most = min(len(begin), len(end))
    shared = next(count for count in range(most, -1, -1) if begin.endswith(end[:count]))
    return begin + end[shared:]
