"""The results of a client: records, whose relations are loaded on request, and pages of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from seedctl.appsync.auth_modes import AuthOptions
from seedctl.appsync.documents import fields_of
from seedctl.errors import InvalidInputError
from seedctl.nearest import advice, no_attribute
from seedctl.outputs.models import ConnectionType, Field, Introspection, Model, TypeName

_MAX_REPR = 60  # characters of one value


class Record(Mapping[str, Any]):
    """One record or custom-type value: a mapping whose keys are also attributes.

    A relation of a record is a method that loads it: ``post.comments(limit=10)`` returns a page,
    ``comment.post()`` a record or None. A field that is named like a method of mappings
    (``items``, ``keys``, ``values``, ``get``) is read by subscript only: ``record["items"]``.
    """

    __slots__ = ("_loaders", "_type_name", "_values")

    def __init__(
        self,
        type_name: str,
        values: Mapping[str, Any],
        loaders: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        """Create a record; scripts get theirs from a client.

        Args:
            type_name: The model or custom type in the schema.
            values: The fields, by name.
            loaders: The relations, by field name: functions that load them.
        """
        self._type_name = type_name
        self._values = dict(values)
        self._loaders = dict(loaders or {})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        # copy and pickle look for private names before _values exists.
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._values:
            return self._values[name]
        if name in self._loaders:
            return self._loaders[name]
        known = [*self._values, *self._loaders]
        raise no_attribute(f"This {self._type_name} has no {name}. {advice(name, known)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._values, *self._loaders})

    def __repr__(self) -> str:
        shown = (f"{name}={_short(value)}" for name, value in self.items() if value is not None)
        return f"{self._type_name}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy in another process has no client to load relations with.
        return (Record, (self._type_name, self._values))

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain dicts and lists, which json.dumps accepts."""
        return {name: _plain(value) for name, value in self._values.items()}


def type_name_of(record: Record) -> str:
    """Return the model or custom type of *record*. No attribute: a field may have any name."""
    return record._type_name  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. Iterating it yields its records.

    AppSync applies the limit before the filter: a page may be short or empty and still have a
    *next_token*. ``list_all`` reads all pages.
    """

    items: list[Record | None] = field(default_factory=list)
    """The records as AppSync returned them. None stands for one that the user may not read."""
    next_token: str | None = None
    """Pass it to the same call to get the next page. None on the last page."""

    def __iter__(self) -> Iterator[Record]:
        return (record for record in self.items if record is not None)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_REPR else f"{text[:_MAX_REPR]}…"


def _plain(value: object) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, list) else value


class RelatedModel(Protocol):
    """The methods of a model's client that load relations."""

    @property
    def get(self) -> Callable[..., Record | None]: ...

    @property
    def list(self) -> Callable[..., Page]: ...


class RecordBuilder:
    """Creates the records of one client. *client_of* returns a model's client, for relations."""

    def __init__(self, schema: Introspection, client_of: Callable[[str], RelatedModel]) -> None:
        self._schema = schema
        self._client_of = client_of

    def record(
        self, model: Model, values: Mapping[str, Any] | None, auth: AuthOptions | None
    ) -> Record | None:
        """Return the record in *values*. Its relations load with the auth mode and token of *auth*.

        Without *auth* it has no relations.
        """
        if values is None:
            return None
        loaders = self._loaders(model, values, auth) if auth is not None else None
        return Record(model.name, self._convert_fields(model.fields, values), loaders)

    def page(
        self, model: Model, values: Mapping[str, Any] | None, auth: AuthOptions | None
    ) -> Page:
        values = values or {}
        items = [self.record(model, item, auth) for item in values.get("items") or []]
        return Page(items, values.get("nextToken"))

    def value(self, type_name: TypeName, value: Any, auth: AuthOptions) -> Any:
        """Return the result of a custom operation: records, custom-type values or scalars."""
        if isinstance(value, list):
            return [self.value(type_name, item, auth) for item in value if item is not None]
        if type_name.kind == "model" and value is not None:
            model = self._schema.models[type_name.name]
            return self.record(model, value, auth)
        return self._convert(type_name, value)

    def _convert_fields(
        self, fields: Mapping[str, Field], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            name: self._convert(fields[name].type, value) if name in fields else value
            for name, value in values.items()
        }

    def _convert(self, type_name: TypeName, value: object) -> Any:
        """Return *value* with each object of the schema's types as a Record."""
        if type_name.kind not in {"model", "nonModel"}:
            return value
        is_model = type_name.kind == "model"
        fields = fields_of(self._schema, type_name)
        if is_model and isinstance(value, dict) and "items" in value and "items" not in fields:
            value = value["items"]  # the list of a relation is shown as a plain list
        if isinstance(value, list):
            return [self._convert(type_name, item) for item in value]
        if not isinstance(value, dict):
            return value
        return Record(type_name.name, self._convert_fields(fields, value))

    def _loaders(
        self, model: Model, values: Mapping[str, Any], auth: AuthOptions
    ) -> dict[str, Callable[..., Any]]:
        loaders: dict[str, Callable[..., Any]] = {}
        load: Callable[..., Any]
        defaults = {"auth_mode": auth.auth_mode, "auth_token": auth.auth_token}
        for relation in model.fields.values():
            if relation.association is None:
                continue
            related = self._schema.models[relation.type.name]
            if relation.association.connection_type == "BELONGS_TO":
                if "get" in related.disabled:
                    continue
                names = relation.association.target_names
                key = dict(
                    zip(related.primary_key, (values.get(name) for name in names), strict=False)
                )
                load = self._load_parent
            elif "list" in related.disabled:
                continue
            else:
                key = self._foreign_key(model, relation, related, values)
                is_many = relation.association.connection_type == "HAS_MANY"
                load = self._load_children if is_many else self._load_child
            loaders[relation.name] = _Loader(load, relation, related, key, defaults)
        return loaders

    def _foreign_key(
        self, model: Model, field: Field, related: Model, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the foreign key that *related* records have if they belong to *values*."""
        assert field.association is not None
        names = field.association.associated_with
        # Amplify Gen 1 names the child's relation here, which has the foreign key.
        back = related.fields.get(names[0]) if names else None
        if back is not None and back.association is not None:
            names = back.association.target_names
        return dict(zip(names, (values.get(name) for name in model.primary_key), strict=False))

    def _load_parent(
        self, related: Model, key: Mapping[str, Any], **options: object
    ) -> Record | None:
        if any(part is None for part in key.values()):
            return None
        return self._client_of(related.name).get(key, **options)

    def _load_children(self, related: Model, key: Mapping[str, Any], **options: object) -> Page:
        if any(part is None for part in key.values()):
            raise InvalidInputError(
                f"The {related.name} records cannot be loaded: this record came without its key.",
                resolution="Select the key fields as well, or get the record first.",
            )
        return self._client_of(related.name).list(
            filter={"and": [{name: {"eq": value}} for name, value in key.items()]}, **options
        )

    def _load_child(
        self, related: Model, key: Mapping[str, Any], **options: object
    ) -> Record | None:
        token = None
        while True:
            page = self._load_children(related, key, **{**options, "next_token": token})
            first = next(iter(page), None)
            token = page.next_token
            # A filtered page may be empty although the record is on a later one.
            if first is not None or token is None:
                return first


_PAGING_OPTIONS: Mapping[ConnectionType, tuple[str, ...]] = {
    "HAS_MANY": ("limit", "next_token"),
    "HAS_ONE": ("limit",),
    "BELONGS_TO": (),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Loader:
    """Loads one relation of one record. It takes the options of the JavaScript client."""

    _load: Callable[..., Any]
    _field: Field
    _related: Model
    _key: Mapping[str, Any]
    _defaults: Mapping[str, Any]
    """The auth mode and token with which the record itself was loaded."""

    def __call__(self, *positional: object, **options: object) -> Any:
        """Return the related record or None, or a page of records."""
        assert self._field.association is not None
        paging = _PAGING_OPTIONS[self._field.association.connection_type]
        allowed = [*self._defaults, *paging]
        wrong = [name for name in options if name not in allowed]
        if wrong or positional:
            raise self._wrong_option(wrong[0] if wrong else None, allowed)
        given = {name: value for name, value in options.items() if value is not None}
        return self._load(self._related, self._key, **{**self._defaults, **given})

    def _wrong_option(self, wrong: str | None, allowed: list[str]) -> InvalidInputError:
        related = self._related.name
        what = f"the option {wrong}" if wrong is not None else "positional arguments"
        advice = f"Write {self._field.name}({allowed[-1]}=...)."
        if wrong is not None and self._field.is_array:
            key = ", ".join(f'{{"{name}": {{"eq": ...}}}}' for name in self._key)
            advice = (
                f"To filter them, list the {related} records themselves, with the key in the "
                f'filter: client.models.{related}.list(filter={{"and": [{key}, ...]}}).'
            )
        elif wrong is not None:
            advice = f"To use other options, load the record with client.models.{related}."
        return InvalidInputError(
            f"The relation {self._field.name} does not take {what}. It takes {', '.join(allowed)}.",
            resolution=advice,
        )
