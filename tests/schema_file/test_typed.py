"""typed.pyi describes the client as it is: its methods, their options, and the values it accepts."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Sequence
from datetime import date, datetime, time, timezone
from decimal import Decimal
from ipaddress import ip_address, ip_interface
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

import seedctl
from seedctl.appsync.client import CustomOperation, EnumValues
from seedctl.appsync.model_client import ModelClient
from seedctl.appsync.records import _PAGING_OPTIONS, Page, Record
from seedctl.appsync.values import _SCALARS, WrongValueError, convert_scalar
from seedctl.fake.rows import FakeRows
from tests.appsync.appsync import ClientHarness

if TYPE_CHECKING:
    from collections.abc import Callable

_SOURCE = Path(seedctl.__file__).parent / "appsync" / "typed.pyi"
_TREE = ast.parse(_SOURCE.read_text(encoding="utf-8"))
CLASSES = {node.name: node for node in _TREE.body if isinstance(node, ast.ClassDef)}
ALIASES = {
    ast.unparse(node.target): set(ast.unparse(node.value).split(" | "))
    for node in _TREE.body
    if isinstance(node, ast.AnnAssign) and node.value is not None
}

_TEXTS = {
    "AWSDate": "2026-01-31",
    "AWSTime": "12:30:00",
    "AWSDateTime": "2026-01-31T12:30:00Z",
    "AWSEmail": "ann@example.com",
    "AWSJSON": "{}",
    "AWSPhone": "+14255550123",
    "AWSURL": "https://example.com",
    "AWSIPAddress": "192.0.2.1",
}
_VALUES: dict[str, Any] = {
    "int": 5,
    "float": 2.5,
    "bool": True,
    "Decimal": Decimal(2),
    "UUID": UUID(int=1),
    "date": date(2026, 1, 31),
    "time": time(12, 30),
    "datetime": datetime(2026, 1, 31, tzinfo=timezone.utc),
    "IPv4Address": ip_address("192.0.2.1"),
    "IPv6Address": ip_address("::1"),
    "IPv4Interface": ip_interface("192.0.2.1/24"),
    "IPv6Interface": ip_interface("::1/64"),
}
# A type checker accepts a bool as an int, an int as a float, and a datetime as a date.
_SUBTYPES = {"int": {"bool"}, "float": {"int", "bool"}, "date": {"datetime"}}


def methods(name: str) -> dict[str, ast.FunctionDef]:
    """Return the public methods of the described class *name*, and its ``__call__``."""
    bases = [ast.unparse(base).partition("[")[0] for base in CLASSES[name].bases]
    inherited = [methods(base) for base in bases if base in CLASSES]
    found = [node for node in CLASSES[name].body if isinstance(node, ast.FunctionDef)]
    return dict(chain(*(each.items() for each in inherited))) | {
        node.name: node
        for node in found
        if not node.name.startswith("_") or node.name == "__call__"
    }


def described(function: ast.FunctionDef) -> set[str]:
    """Return the names of the parameters of *function*, with the keys of its options."""
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    names = {each.arg for each in listed} - {"self"}
    if arguments.kwarg is not None:
        options = arguments.kwarg.annotation
        if isinstance(options, ast.Subscript):  # Unpack of the names
            names |= _keys(ast.unparse(options.slice))
        else:
            names.add(arguments.kwarg.arg)
    return names


def _keys(name: str) -> set[str]:
    if name not in CLASSES:
        return set()
    own = {
        ast.unparse(node.target) for node in CLASSES[name].body if isinstance(node, ast.AnnAssign)
    }
    return own.union(*(_keys(ast.unparse(base)) for base in CLASSES[name].bases))


def parameters(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}


def public(owner: type) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def test_the_methods_of_models_are_described() -> None:
    """Each method of a model's client has a typed counterpart, with the same parameters."""
    found = methods("TypedModel")
    assert set(found) == public(ModelClient)
    for name, function in found.items():
        assert described(function) == parameters(getattr(ModelClient, name)), name


def test_the_queries_and_operations_are_described() -> None:
    """Index queries and custom operations take the same parameters with types."""
    query = ClientHarness("store_userpool.json").client.models.Product.productsByCategory
    assert described(methods("IndexQuery")["__call__"]) == parameters(query)
    for name in ("Operation", "OperationWithoutRequired"):
        assert described(methods(name)["__call__"]) == parameters(CustomOperation.__call__)


def test_the_results_are_described() -> None:
    """Records, pages, enums and relations have the attributes and options that they have with types."""
    assert set(methods("TypedRecord")) == public(Record) - public(dict)
    assert set(methods("TypedFakeRows")) == public(FakeRows) - public(Sequence) - {"model"}
    assert set(methods("TypedPage")) == {each.name for each in dataclasses.fields(Page)}
    assert set(methods("TypedEnum")) == public(EnumValues)
    auth = {"auth_mode", "auth_token"}
    many, one = (methods(name)["__call__"] for name in ("RelatedRecords", "RelatedRecord"))
    assert described(many) == {*auth, *_PAGING_OPTIONS["HAS_MANY"]}
    assert described(one) == {*auth, *_PAGING_OPTIONS["BELONGS_TO"]}


@pytest.mark.parametrize("scalar", sorted(_SCALARS))
def test_each_scalar_accepts_what_its_type_says(scalar: str) -> None:
    """The converter accepts a value of each type that is named, and refuses the other types."""
    accepted = ALIASES[scalar]
    if accepted == {"Any"}:
        return
    values = {"str": _TEXTS.get(scalar, "text"), **_VALUES}
    assert accepted <= set(values)
    for kind in accepted:
        convert_scalar(scalar, values[kind])
    unclear = set().union(*(_SUBTYPES.get(kind, set()) for kind in accepted))
    for kind in set(values) - accepted - unclear:
        with pytest.raises(WrongValueError):
            convert_scalar(scalar, values[kind])
