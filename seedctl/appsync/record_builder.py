"""From the data of an answer to records, with relations that load when options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from seedctl.appsync.records import Page, Record
from seedctl.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.appsync.auth_modes import Options
    from seedctl.outputs.models import ConnectionType, Field, Introspection, Model, TypeName


class ModelReader(Protocol):
    """A model's client, as far as relations are loaded with it."""

    @property
    def get(self) -> Callable[..., Record | None]: ...

    @property
    def list(self) -> Callable[..., Page]: ...


class RecordBuilder:
    """Makes records for one client; *client_of* has the other models, for relations."""

    def __init__(self, schema: Introspection, client_of: Callable[[str], ModelReader]) -> None:
        self._schema = schema
        self._client_of = client_of

    def record(
        self, model: Model, values: Any, call: Options, *, has_loaders: bool
    ) -> Record | None:
        """Return the record in *values*. Relations load with the auth mode and token of *call*."""
        if values is None:
            return None
        loaders = self._loaders(model, values, call) if has_loaders else None
        return Record(model.name, self._nested(model.fields, values), loaders)

    def page(self, model: Model, values: Any, call: Options, *, has_loaders: bool) -> Page:
        values = values or {}
        items = values.get("items") or []
        return Page(
            [self.record(model, item, call, has_loaders=has_loaders) for item in items],
            values.get("nextToken"),
        )

    def value(self, type_name: TypeName, value: Any, call: Options) -> Any:
        """Return what a custom operation answered: records, custom-type values or scalars."""
        if isinstance(value, list):
            return [self.value(type_name, item, call) for item in value if item is not None]
        if type_name.kind == "model" and value is not None:
            model = self._schema.models[type_name.name]
            return self.record(model, value, call, has_loaders=True)
        return self._typed(type_name, value)

    def _nested(self, fields: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._typed(fields[name].type, value) if name in fields else value
            for name, value in values.items()
        }

    def _typed(self, type_name: TypeName, value: Any) -> Any:
        if type_name.kind not in {"model", "nonModel"}:
            return value
        if type_name.kind == "model" and isinstance(value, dict) and "items" in value:
            # The list of a relation: the same shape as any other list to who reads it.
            related = self._schema.models[type_name.name]
            if "items" not in related.fields:
                value = value["items"]
        if isinstance(value, list):
            return [self._typed(type_name, item) for item in value]
        if not isinstance(value, dict):
            return value
        if type_name.kind == "model":
            fields = self._schema.models[type_name.name].fields
        else:
            fields = self._schema.fields_of(type_name)
        return Record(type_name.name, self._nested(fields, value))

    def _loaders(
        self, model: Model, values: Mapping[str, Any], call: Options
    ) -> dict[str, Callable[..., Any]]:
        loaders: dict[str, Callable[..., Any]] = {}
        for field in model.fields.values():
            if field.association is None:
                continue
            related = self._schema.models[field.type.name]
            acts_as = {"auth_mode": call.auth_mode, "auth_token": call.auth_token}
            if field.association.connection_type == "BELONGS_TO":
                if "get" in related.disabled:
                    continue
                names = field.association.target_names
                key = dict(
                    zip(related.primary_key, (values.get(name) for name in names), strict=False)
                )
                loaders[field.name] = _Loader(self._belongs_to, field, related, key, acts_as)
            elif "list" not in related.disabled:
                key = self._child_key(model, field, related, values)
                is_many = field.association.connection_type == "HAS_MANY"
                load = self._has_many if is_many else self._has_one
                loaders[field.name] = _Loader(load, field, related, key, acts_as)
        return loaders

    def _child_key(
        self, model: Model, field: Field, related: Model, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the foreign key by which *related* records name the one of *values*."""
        assert field.association is not None
        names = field.association.associated_with
        # The first generation of Amplify named the child's relation, which has the key.
        back = related.fields.get(names[0]) if names else None
        if back is not None and back.association is not None:
            names = back.association.target_names
        return dict(zip(names, (values.get(name) for name in model.primary_key), strict=False))

    def _belongs_to(self, related: Model, key: Mapping[str, Any], **options: Any) -> Record | None:
        if any(part is None for part in key.values()):
            return None
        return self._client_of(related.name).get(key, **options)

    def _has_many(self, related: Model, key: Mapping[str, Any], **options: Any) -> Page:
        if any(part is None for part in key.values()):
            raise InvalidInputError(
                f"The {related.name} records cannot be loaded: this record came without its key.",
                resolution="Select the key fields as well, or get the record first.",
            )
        return self._client_of(related.name).list(
            filter={"and": [{name: {"eq": value}} for name, value in key.items()]}, **options
        )

    def _has_one(self, related: Model, key: Mapping[str, Any], **options: Any) -> Record | None:
        token = None
        while True:
            page = self._has_many(related, key, **{**options, "next_token": token})
            first = next(iter(page), None)
            token = page.next_token
            # A filtered page may be empty with the record on a later one.
            if first is not None or token is None:
                return first


_PAGING: Mapping[ConnectionType, tuple[str, ...]] = {
    "HAS_MANY": ("limit", "next_token"),
    "HAS_ONE": ("limit",),
    "BELONGS_TO": (),
}


class _Loader:
    """Loads one relation of one record. The options are those of the JavaScript client."""

    def __init__(
        self,
        load: Callable[..., Any],
        field: Field,
        related: Model,
        key: Mapping[str, Any],
        acts_as: Mapping[str, Any],
    ) -> None:
        """*acts_as* has the auth mode and token of the call that the record came by."""
        self._load = load
        self._field = field
        self._related = related
        self._key = key
        self._acts_as = acts_as

    def __call__(self, *positional: object, **options: Any) -> Any:
        """Return the related record or None, or a page of records."""
        assert self._field.association is not None
        paging = _PAGING[self._field.association.connection_type]
        allowed = [*self._acts_as, *paging]
        wrong = [name for name in options if name not in allowed]
        if wrong or positional:
            raise self._refused(wrong[0] if wrong else None, allowed)
        given = {name: value for name, value in options.items() if value is not None}
        return self._load(self._related, self._key, **{**self._acts_as, **given})

    def _refused(self, wrong: str | None, allowed: list[str]) -> InvalidInputError:
        related = self._related.name
        what = f"the option {wrong}" if wrong is not None else "a value without a name"
        advice = f"Write {self._field.name}({allowed[-1]}=...)."
        if wrong is not None and self._field.is_array:
            key = ", ".join(f'{{"{name}": {{"eq": ...}}}}' for name in self._key)
            advice = (
                f"To narrow them, list the {related} records themselves, with the key in the "
                f'filter: client.models.{related}.list(filter={{"and": [{key}, ...]}}).'
            )
        elif wrong is not None:
            advice = f"It loads one {related}, which client.models.{related} can do with more."
        return InvalidInputError(
            f"The relation {self._field.name} does not take {what}. It takes {', '.join(allowed)}.",
            resolution=advice,
        )
