"""Sort a schema by name, so that the order in the outputs file has no effect on the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from seedctl.outputs.models import CustomType, Introspection, OperationSignature

_Entry = TypeVar("_Entry")


def in_order(schema: Introspection) -> Introspection:
    """Return *schema* with its types, operations, fields and arguments sorted by name."""
    return Introspection(
        models=_sorted(schema.models, lambda each: replace(each, fields=_sorted(each.fields))),
        enums=_sorted(schema.enums),
        custom_types=_sorted(schema.custom_types, _custom_type_in_order),
        inputs=_sorted(schema.inputs, _custom_type_in_order),
        queries=_sorted(schema.queries, _operation_in_order),
        mutations=_sorted(schema.mutations, _operation_in_order),
    )


def _custom_type_in_order(custom: CustomType) -> CustomType:
    return replace(custom, fields=_sorted(custom.fields))


def _operation_in_order(operation: OperationSignature) -> OperationSignature:
    return replace(operation, arguments=_sorted(operation.arguments))


def _sorted(
    entries: Mapping[str, _Entry], convert: Callable[[_Entry], _Entry] = lambda entry: entry
) -> dict[str, _Entry]:
    return {name: convert(entry) for name, entry in sorted(entries.items())}
