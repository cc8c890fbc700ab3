"""Turn the data of a response into records, whose relations are loaded on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from seedctl.appsync.records import Page, Record
from seedctl.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.appsync.auth_modes import AuthOptions
    from seedctl.outputs.models import ConnectionType, Field, Introspection, Model, TypeName


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
        self, model: Model, values: Any, auth: AuthOptions, *, has_loaders: bool
    ) -> Record | None:
        """Return the record in *values*. Its relations load with the auth mode and token of *auth*."""
        if values is None:
            return None
        loaders = self._loaders(model, values, auth) if has_loaders else None
        return Record(model.name, self._convert_fields(model.fields, values), loaders)

    def page(self, model: Model, values: Any, auth: AuthOptions, *, has_loaders: bool) -> Page:
        values = values or {}
        items = values.get("items") or []
        return Page(
            [self.record(model, item, auth, has_loaders=has_loaders) for item in items],
            values.get("nextToken"),
        )

    def value(self, type_name: TypeName, value: Any, auth: AuthOptions) -> Any:
        """Return the result of a custom operation: records, custom-type values or scalars."""
        if isinstance(value, list):
            return [self.value(type_name, item, auth) for item in value if item is not None]
        if type_name.kind == "model" and value is not None:
            model = self._schema.models[type_name.name]
            return self.record(model, value, auth, has_loaders=True)
        return self._convert(type_name, value)

    def _convert_fields(
        self, fields: Mapping[str, Field], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            name: self._convert(fields[name].type, value) if name in fields else value
            for name, value in values.items()
        }

    def _convert(self, type_name: TypeName, value: Any) -> Any:
        """Return *value* with each object of the schema's types as a Record."""
        if type_name.kind not in {"model", "nonModel"}:
            return value
        if type_name.kind == "model" and isinstance(value, dict) and "items" in value:
            # Show the list of a relation as a plain list, unless "items" is a field of the model.
            related = self._schema.models[type_name.name]
            if "items" not in related.fields:
                value = value["items"]
        if isinstance(value, list):
            return [self._convert(type_name, item) for item in value]
        if not isinstance(value, dict):
            return value
        if type_name.kind == "model":
            fields = self._schema.models[type_name.name].fields
        else:
            fields = self._schema.fields_of(type_name)
        return Record(type_name.name, self._convert_fields(fields, value))

    def _loaders(
        self, model: Model, values: Mapping[str, Any], auth: AuthOptions
    ) -> dict[str, Callable[..., Any]]:
        loaders: dict[str, Callable[..., Any]] = {}
        defaults = {"auth_mode": auth.auth_mode, "auth_token": auth.auth_token}
        for field in model.fields.values():
            if field.association is None:
                continue
            related = self._schema.models[field.type.name]
            load: Callable[..., Any]
            if field.association.connection_type == "BELONGS_TO":
                if "get" in related.disabled:
                    continue
                names = field.association.target_names
                key = dict(
                    zip(related.primary_key, (values.get(name) for name in names), strict=False)
                )
                load = self._load_parent
            elif "list" in related.disabled:
                continue
            else:
                key = self._foreign_key(model, field, related, values)
                is_many = field.association.connection_type == "HAS_MANY"
                load = self._load_children if is_many else self._load_child
            loaders[field.name] = _Loader(load, field, related, key, defaults)
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

    def _load_parent(self, related: Model, key: Mapping[str, Any], **options: Any) -> Record | None:
        if any(part is None for part in key.values()):
            return None
        return self._client_of(related.name).get(key, **options)

    def _load_children(self, related: Model, key: Mapping[str, Any], **options: Any) -> Page:
        if any(part is None for part in key.values()):
            raise InvalidInputError(
                f"The {related.name} records cannot be loaded: this record came without its key.",
                resolution="Select the key fields as well, or get the record first.",
            )
        return self._client_of(related.name).list(
            filter={"and": [{name: {"eq": value}} for name, value in key.items()]}, **options
        )

    def _load_child(self, related: Model, key: Mapping[str, Any], **options: Any) -> Record | None:
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


class _Loader:
    """Loads one relation of one record. It takes the options of the JavaScript client."""

    def __init__(
        self,
        load: Callable[..., Any],
        field: Field,
        related: Model,
        key: Mapping[str, Any],
        defaults: Mapping[str, Any],
    ) -> None:
        """*defaults* are the auth mode and token with which the record itself was loaded."""
        self._load = load
        self._field = field
        self._related = related
        self._key = key
        self._defaults = defaults

    def __call__(self, *positional: object, **options: Any) -> Any:
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
