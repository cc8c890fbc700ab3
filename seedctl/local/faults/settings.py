"""The fault settings: parsed from command line options, or constructed by a test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import NoReturn

from seedctl.errors import InvalidCommandInputError
from seedctl.project.quotas import DEFAULT_QUOTAS, RESPOND

DEFAULT = "default"
_MAX_LATENCY = 60_000
_MAX_QUOTA = 1_000_000
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_LATENCY = re.compile(rf"({_NUMBER.pattern})(?:-({_NUMBER.pattern}))?")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds added to each response: random, uniformly distributed over the range."""

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
    """The percentage of requests that fail in each way; all others are answered normally."""

    fail: float = 0.0
    """The service's internal error, without executing the call."""
    fail_after: float = 0.0
    """The service's internal error, after executing the call."""
    throttle: float = 0.0
    """The service's throttling error, without executing the call."""
    cut: float = 0.0
    """The connection is closed without a response and without executing the call."""
    cut_after: float = 0.0
    """The connection is closed without a response, after executing the call."""

    def __post_init__(self) -> None:
        _check_percentages([percentage for _, percentage in self.percentages()], str(self))

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Read ``5`` or ``fail=2.5,cut-after=1``. Raises InvalidCommandInputError."""
        percentages: dict[str, float] = {}
        if _NUMBER.fullmatch(text):
            percentages = {"fail": float(text) / 2, "fail_after": float(text) / 2}
        else:
            for name, value in _pairs(text):
                field_name = name.replace("-", "_")
                if name not in _FAULT_NAMES:
                    _refuse("faults", text, f": {name!r} is not a kind of fault")
                if field_name in percentages:
                    _refuse("faults", text, f": {name} is given twice")
                if not _NUMBER.fullmatch(value):
                    _refuse("faults", text, f": {name} is not a percentage")
                percentages[field_name] = float(value)
        _check_percentages(list(percentages.values()), text)
        return cls(**percentages)

    def percentages(self) -> Iterator[tuple[str, float]]:
        """Yield the name of each kind of fault, as on the command line, and its percentage."""
        for entry in fields(self):
            yield entry.name.replace("_", "-"), getattr(self, entry.name)

    def __str__(self) -> str:
        return ",".join(f"{name}={value:g}" for name, value in self.percentages() if value) or "0"


_FAULT_NAMES = tuple(entry.name.replace("_", "-") for entry in fields(Faults))


@dataclass(frozen=True, slots=True)
class FaultSettings:
    """Latency, quotas and faults of a sandbox. Invalid values raise InvalidCommandInputError."""

    latency: Latency | None = None
    quotas: Mapping[str, int] | None = None
    """Quotas that differ from ``DEFAULT_QUOTAS``; None turns all quotas off."""
    faults: Faults | None = None
    fault_seed: int | None = None
    """With the same seed and the same order of requests, the same requests fail."""

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
    ) -> FaultSettings | None:
        """Parse the options; return None if none is given. Raises InvalidCommandInputError."""
        settings = cls(
            latency=Latency.parse(latency) if latency is not None else None,
            quotas=_parse_quotas(quotas) if quotas is not None else None,
            faults=Faults.parse(faults) if faults is not None else None,
            fault_seed=fault_seed,
        )
        return None if settings == cls() else settings

    def limits(self) -> dict[str, int] | None:
        """Return the quota of every category, or None if quotas are off."""
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


def _check_percentages(percentages: list[float], text: str) -> None:
    """Raise InvalidCommandInputError, which quotes *text*, if *percentages* are impossible."""
    if not all(percentage >= 0 for percentage in percentages):  # false for NaN too
        _refuse("faults", text, ": a percentage cannot be negative")
    if sum(percentages) > 100:
        _refuse("faults", text, f": the sum is {sum(percentages):g} % of the requests")


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, _, value = part.partition("=")
        yield name.strip(), value.strip()


_ALLOWED = {
    "latency": f"Give milliseconds up to {_MAX_LATENCY}, such as 100, or a range such as 50-150.",
    "quotas": f"Give NAME=N, separated by commas, with N from 1 to {_MAX_QUOTA} and NAME one of "
    f"{', '.join(DEFAULT_QUOTAS)}; or no value for AWS's defaults.",
    "faults": "Give a percentage of all requests, such as 5, or NAME=PERCENT, separated "
    f"by commas, 100 at most in total, with NAME one of {', '.join(_FAULT_NAMES)}.",
}


def _refuse(option: str, text: str, reason: str = "") -> NoReturn:
    raise InvalidCommandInputError(
        f"The value {text!r} for {option} is invalid{reason}.", resolution=_ALLOWED[option]
    )
