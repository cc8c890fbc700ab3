"""Write the classes of the file, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from seedctl.schema_file.names import are_plain


class Key(NamedTuple):
    """One key of a TypedDict."""

    name: str
    annotation: str
    is_required: bool


def typed_dict(name: str, keys: Sequence[Key], text: str) -> Iterator[str]:
    """Yield the lines of a TypedDict. *text* says what it is for."""
    is_total = all(key.is_required for key in keys)
    annotations = {
        key.name: f"_t.Required[{key.annotation}]"
        if key.is_required and not is_total
        else key.annotation
        for key in keys
    }
    total = "" if is_total else ", total=False"
    if are_plain(annotations, [*annotations.values(), name]):
        yield from class_("_t.TypedDict" + total, name, annotations, text)
        return
    # In this notation, the names of keys may be reserved words, and hide no types.
    yield f"# {text}"
    yield f"{name} = _t.TypedDict("
    yield f'    "{name}",'
    yield "    {"
    yield from (f'        "{key}": "{annotation}",' for key, annotation in annotations.items())
    yield "    },"
    if total:
        yield "    total=False,"
    yield ")"
    yield ""


def class_(bases: str, name: str, attributes: Mapping[str, str], text: str) -> Iterator[str]:
    """Yield the lines of a class with annotated *attributes* and the docstring *text*."""
    yield f"class {name}({bases}):"
    yield f'    """{text}"""'
    if attributes:
        yield ""
    yield from (f"    {attribute}: {annotation}" for attribute, annotation in attributes.items())
    yield ""


def literal(values: Sequence[str]) -> str:
    """Return the type of an enum's *values*."""
    quoted = ", ".join(f'"{value}"' for value in values)
    return f"_t.Literal[{quoted}]"
