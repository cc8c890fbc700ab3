"""Read all records of the models, page after page, for the files of an export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from seedctl.appsync.auth_modes import AuthMode
from seedctl.appsync.client import DataClient
from seedctl.appsync.model_client import ModelClient
from seedctl.appsync.model_queries import requests_of
from seedctl.bulk.engine import Tally
from seedctl.cognito.user_list import StoredUser
from seedctl.errors import GraphQLError
from seedctl.outputs.models import Field, Introspection
from seedctl.report import Observer
from seedctl.rows.folder import USERS_FILE, ExportFolder
from seedctl.rows.masked_fields import MaskedFields
from seedctl.rows.relations import parents_first
from seedctl.rows.writers import CSVWriter, FileFormat, JSONLineWriter

_PAGE = 1000  # the most that AppSync returns at once


def export_models(
    client: DataClient,
    names: Sequence[str],
    folder: ExportFolder,
    fields: MaskedFields,
    observer: Observer,
    *,
    auth_mode: AuthMode | None = None,
    form: FileFormat = "jsonl",
) -> dict[str, int]:
    """Write a file for each of the models *names*, parents first, and return the numbers of rows.

    Without *names* all models are exported whose records can be listed.
    """
    schema = schema_of(client)
    written = {}
    for name in parents_first(schema):
        model = client.models[name]
        if names and name not in names:
            continue
        if not names and "list" in schema.models[name].disabled:
            observer.on_warning(
                f"{name} is not exported: the schema disables the list of its records."
            )
            continue
        for path in _endless_fields(schema, schema.models[name].fields, (name,)):
            observer.on_warning(
                f"{path} is not exported: its type contains itself, so no request can select all of it."
            )
        with Tally(observer, f"{name} records") as tally:
            records = _records(model, name, auth_mode)
            rows = (fields.record(name, each) for each in _counted(records, tally))
            entry = {"model": name, "key": list(schema.models[name].primary_key)}
            writer = CSVWriter(schema.models[name]) if form == "csv" else JSONLineWriter()
            written[name] = folder.write(f"{name}.{form}", entry, rows, writer)
    return written


def export_users(
    users: Iterable[StoredUser], folder: ExportFolder, fields: MaskedFields, observer: Observer
) -> int:
    """Write the file of the users, and return their number."""
    with Tally(observer, "users") as tally:
        rows = (_user_row(each, fields) for each in _counted(users, tally))
        return folder.write(USERS_FILE, {}, rows, JSONLineWriter())


def schema_of(client: DataClient) -> Introspection:
    """Return the schema of the models of *client*; without models, an empty one."""
    for name in client.models:
        return requests_of(client.models[name]).api.schema
    return Introspection({}, {}, {}, {}, {}, {})


def _records(model: ModelClient, name: str, auth_mode: AuthMode | None) -> Iterator[dict[str, Any]]:
    token = None
    while True:
        page = model.list(limit=_PAGE, next_token=token, auth_mode=auth_mode)
        for record in page.items:
            if record is None:
                raise GraphQLError(
                    f"AppSync returned null in place of a {name} record: not all could be read.",
                    resolution="Export as a user who may read all of them, or with --caller.",
                )
            # A null is left out: AppSync refuses some of them in the input of a create.
            yield {key: value for key, value in record.to_dict().items() if value is not None}
        token = page.next_token
        if token is None:
            return


def _endless_fields(
    schema: Introspection,
    fields: Mapping[str, Field],
    path: tuple[str, ...],
    outer: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Yield the paths of the fields that requests do not select, since their type contains itself."""
    for field in fields.values():
        if field.type.kind != "nonModel":
            continue
        inner = (*path, field.name)
        if field.type.name in outer:
            yield ".".join(inner)
        else:
            below = schema.fields_of(field.type)
            yield from _endless_fields(schema, below, inner, outer | {field.type.name})


def _user_row(user: StoredUser, fields: MaskedFields) -> dict[str, Any]:
    username, attributes = fields.user(user.username, user.attributes)
    return {
        "username": username,
        "attributes": attributes,
        "groups": list(user.groups),
        "status": user.status,
        "enabled": user.is_enabled,
    }


def _counted(items: Iterable[Any], tally: Tally) -> Iterator[Any]:
    for item in items:
        yield item
        tally.add(1)
