"""What is asked for: from the words of the command line, or as values from a test."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from seedctl.errors import InvalidCommandInputError
from seedctl.project.quotas import DEFAULT_QUOTAS, RESPOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT = "default"
_MAX_LATENCY = 60_000
_MAX_QUOTA = 1_000_000
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_LATENCY = re.compile(rf"({_NUMBER.pattern})(?:-({_NUMBER.pattern}))?")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds by which each answer comes later: evenly spread over the range."""

    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum <= _MAX_LATENCY:
            _refuse("latency", str(self))

    @classmethod
    def parse(cls, text: str) -> Latency:
        """Read ``100`` or ``50-150``. Raises InvalidCommandInputError."""
        match = _LATENCY.fullmatch(text)
        if match is None:
            _refuse("latency", text)
        return cls(float(match[1]), float(match[2] or match[1]))

    def __str__(self) -> str:
        ends = dict.fromkeys((self.minimum, self.maximum))
        return "-".join(f"{end:g}" for end in ends)


@dataclass(frozen=True, slots=True)
class Faults:
    """Percent of the requests that go wrong in each way; the rest is answered as ever."""

    fail: float = 0.0
    """Answered with the service's internal error, nothing done."""
    fail_after: float = 0.0
    """The same, but everything was done."""
    throttle: float = 0.0
    """Answered as the service throttles, nothing done."""
    cut: float = 0.0
    """The connection ends with no answer, nothing done."""
    cut_after: float = 0.0
    """The same, but everything was done."""

    def __post_init__(self) -> None:
        _check_shares([share for _, share in self.shares()], str(self))

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Read ``5`` or ``fail=2.5,cut-after=1``. Raises InvalidCommandInputError."""
        shares: dict[str, float] = {}
        if _NUMBER.fullmatch(text):
            shares = {"fail": float(text) / 2, "fail_after": float(text) / 2}
        else:
            for name, value in _pairs(text):
                field_name = name.replace("-", "_")
                if name not in _FAULT_NAMES:
                    _refuse("faults", text, f": {name!r} is none of their names")
                if field_name in shares:
                    _refuse("faults", text, f": {name} is there twice")
                if not _NUMBER.fullmatch(value):
                    _refuse("faults", text, f": {name} is no percentage")
                shares[field_name] = float(value)
        _check_shares(list(shares.values()), text)
        return cls(**shares)

    def shares(self) -> Iterator[tuple[str, float]]:
        """Yield each way of going wrong, as the command line names it, and its percentage."""
        for entry in fields(self):
            yield entry.name.replace("_", "-"), getattr(self, entry.name)

    def __str__(self) -> str:
        return ",".join(f"{name}={share:g}" for name, share in self.shares() if share) or "0"


_FAULT_NAMES = tuple(entry.name.replace("_", "-") for entry in fields(Faults))


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a sandbox is to be like. Raises InvalidCommandInputError for what cannot be."""

    latency: Latency | None = None
    quotas: Mapping[str, int] | None = None
    """Quotas other than :data:`DEFAULT_QUOTAS`, which hold too; None for no quotas at all."""
    faults: Faults | None = None
    fault_seed: int | None = None
    """The same seed and order of requests make the same faults."""

    def __post_init__(self) -> None:
        for name, limit in (self.quotas or {}).items():
            if name not in DEFAULT_QUOTAS or not 1 <= limit <= _MAX_QUOTA:
                _refuse("quotas", f"{name}={limit}")
        if self.quotas is not None:
            object.__setattr__(self, "quotas", MappingProxyType(dict(self.quotas)))
        if self.fault_seed is not None and self.faults is None:
            raise InvalidCommandInputError(
                "A fault seed was given, but no faults.",
                resolution="Add --faults, such as --faults 5, or leave out --fault-seed.",
            )

    @classmethod
    def parse(
        cls,
        *,
        latency: str | None = None,
        quotas: str | None = None,
        faults: str | None = None,
        fault_seed: int | None = None,
    ) -> Conditions | None:
        """Return what the options ask for, None if nothing. Raises InvalidCommandInputError."""
        conditions = cls(
            latency=Latency.parse(latency) if latency is not None else None,
            quotas=_parse_quotas(quotas) if quotas is not None else None,
            faults=Faults.parse(faults) if faults is not None else None,
            fault_seed=fault_seed,
        )
        return None if conditions == cls() else conditions

    def limits(self) -> dict[str, int] | None:
        """Return every quota, None if they are not kept."""
        if self.quotas is None:
            return None
        limits = {**DEFAULT_QUOTAS, **self.quotas}
        if RESPOND not in self.quotas:
            limits[RESPOND] = 3 * limits["UserAuthentication"]
        return limits

    def __str__(self) -> str:
        parts = []
        if self.latency is not None:
            parts.append(f"latency {self.latency} ms")
        if self.quotas is not None:
            changed = ",".join(f"{name}={limit}" for name, limit in self.quotas.items())
            parts.append(f"quotas {changed or DEFAULT}")
        if self.faults is not None:
            parts.append(f"faults {self.faults}")
        return "; ".join(parts)


def _parse_quotas(text: str) -> dict[str, int]:
    if text == DEFAULT:
        return {}
    quotas: dict[str, int] = {}
    for name, value in _pairs(text):
        if name in quotas or not re.fullmatch(r"[0-9]{1,9}", value):
            _refuse("quotas", text)
        quotas[name] = int(value)
    return quotas


def _check_shares(shares: list[float], text: str) -> None:
    """Refuse *shares* that cannot be, as *text*, which is how they were asked for."""
    if not all(share >= 0 for share in shares):  # nor is what is not a number
        _refuse("faults", text, ": a percentage is not below 0")
    if sum(shares) > 100:
        _refuse("faults", text, f": that is {sum(shares):g} % of the requests")


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, _, value = part.partition("=")
        yield name.strip(), value.strip()


_ALLOWED = {
    "latency": f"Give milliseconds up to {_MAX_LATENCY}, such as 100, or from-to as in 50-150.",
    "quotas": f"Give NAME=N, several with commas, with N from 1 to {_MAX_QUOTA} and a NAME of "
    f"{', '.join(DEFAULT_QUOTAS)}; or nothing for AWS's defaults.",
    "faults": "Give a percentage of all requests, such as 5, or NAME=PERCENT, several with "
    f"commas, 100 at most together, with a NAME of {', '.join(_FAULT_NAMES)}.",
}


def _refuse(option: str, text: str, reason: str = "") -> NoReturn:
    raise InvalidCommandInputError(
        f"The {option} {text!r} will not do{reason}.", resolution=_ALLOWED[option]
    )
