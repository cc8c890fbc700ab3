"""The record that the script writes: of the first model of which the user may create one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from seedctl.appsync.field_rules import denied_fields, is_about_result
from seedctl.appsync.input_builder import is_set_by_script
from seedctl.errors import GraphQLError, LocalSandboxError, SeedctlError, UnauthorizedError
from seedctl.first_script.values import NoExampleError, example_id, example_of

if TYPE_CHECKING:
    from seedctl.appsync.auth_modes import AuthMode
    from seedctl.appsync.batch_writers import IfExists
    from seedctl.appsync.client import DataClient
    from seedctl.outputs import AmplifyOutputs
    from seedctl.outputs.model_schema import ModelSources
    from seedctl.outputs.models import Introspection, Model

Form = Literal["upsert", "skip", "create"]
"""How the record is written: with "upsert"; "skip": with a create that skips an existing record;
"create": with a create without an id, so that each run creates another record."""

_IF_EXISTS: Mapping[Form, IfExists] = {"upsert": "update", "skip": "skip", "create": "error"}
_MODES: tuple[AuthMode, ...] = ("userPool", "identityPool", "apiKey")
_MOST_OPTIONAL = 2  # how many optional fields get a value if the model has no required ones


class UserId:
    """Stands for the id of the user, which is known only when the script runs."""


USER_ID = UserId()


@dataclass(frozen=True, slots=True)
class FirstRecord:
    """A record, and how the script writes it."""

    model: str
    fields: Mapping[str, Any]
    """The fields by name; USER_ID stands for the id of the user."""
    form: Form
    auth_mode: AuthMode
    selection: tuple[str, ...] | None = None
    """The fields to read back; None for all."""

    def write(self, client: DataClient, user_id: str) -> None:
        """Write the record with *client* as the user *user_id*. Raises SeedctlError."""
        fields = {name: _with_user(value, user_id) for name, value in self.fields.items()}
        client.models[self.model].create(
            fields,
            if_exists=_IF_EXISTS[self.form],
            auth_mode=self.auth_mode,
            selection_set=self.selection,
        )


class Refusal(Enum):
    """Why a record could not be written twice."""

    CREATE = "the rules do not allow to create it"
    OTHER = "another reason"


Refusals = dict[str, Refusal]
"""The models of which a user without a group can write no record; CREATE if nothing was created."""


def find_record(
    client: DataClient,
    outputs: AmplifyOutputs,
    user_id: str | None,
    group: str | None,
    refusals: Refusals,
) -> FirstRecord | None:
    """Return the first record that *client* can write twice, None if there is none.

    *user_id* is the id of the user who is signed in, None if nobody is; *group* is a group of that
    user. Records that were tried are not deleted. Without a *group*, models that refuse are added to
    *refusals*; with one, those of them to which the group makes no difference are left out.
    """
    data = outputs.data
    if data is None or data.schema is None:
        return None
    modes = [
        mode
        for mode in _MODES
        if (data.api_key is not None if mode == "apiKey" else user_id is not None)
    ]
    default = "apiKey" if data.default_authorization_type == "API_KEY" else "userPool"
    modes.sort(key=lambda mode: mode != default)
    sources = outputs.model_sources()
    for model in data.schema.models.values():
        if group is not None and not may_differ(model, sources, group, refusals):
            continue
        answers: set[Refusal] = set()
        denied: AuthMode | None = None
        for candidate in _candidates(model, data.schema, sources, group, modes):
            if user_id is None and USER_ID in candidate.fields.values():
                continue
            if candidate.form == "skip" and candidate.auth_mode == denied:
                continue  # it begins with the same create
            found = _tried(client, candidate, model, user_id or "")
            if isinstance(found, FirstRecord):
                return found
            answers.add(found)
            denied = candidate.auth_mode if answers == {Refusal.CREATE} else None
        if group is None:
            is_denied = answers == {Refusal.CREATE}
            refusals[model.name] = Refusal.CREATE if is_denied else Refusal.OTHER
    return None


def may_differ(model: Model, sources: ModelSources, group: str, refusals: Refusals) -> bool:
    """Whether a member of *group* may write a record of *model*, although *refusals* contain it.

    Only rules that name the group can make a difference, or rules that read groups from a field.
    """
    refusal = refusals.get(model.name)
    if refusal is None:
        return True
    rules = [*model.rules]
    source = sources.get(model.name)
    if source is not None:
        rules += [*source.rules, *chain.from_iterable(source.field_rules.values())]
    return any(
        rule.allow == "groups"
        and (rule.groups is None or group in rule.groups)
        and (refusal is not Refusal.CREATE or "create" in (rule.operations or ("create",)))
        for rule in rules
    )


def _candidates(
    model: Model,
    schema: Introspection,
    sources: ModelSources,
    group: str | None,
    modes: list[AuthMode],
) -> Iterator[FirstRecord]:
    if "create" in model.disabled:
        return
    try:
        fields = _fields(model, schema, sources, group)
    except NoExampleError:
        return
    without_id = {name: value for name, value in fields.items() if name != "id"}
    for mode in modes:
        yield FirstRecord(model.name, fields, "upsert", mode)
        yield FirstRecord(model.name, fields, "skip", mode)
        if model.primary_key == ("id",):
            yield FirstRecord(model.name, without_id, "create", mode)


def _tried(
    client: DataClient, record: FirstRecord, model: Model, user_id: str
) -> FirstRecord | Refusal:
    """Return *record* if it can be written twice, else why not.

    Optional fields that the user may not write are left out of it. If the user may not read some
    fields, only the key is read back.
    """
    is_created = False
    while True:
        try:
            record.write(client, user_id)
            is_created = True
            record.write(client, user_id)
        except LocalSandboxError:
            raise
        except SeedctlError as error:
            is_written = isinstance(error, GraphQLError) and is_about_result(error)
            if is_written and record.selection is None:
                record = replace(record, selection=model.primary_key)
                is_created = True
                continue
            refused = {
                name
                for name in denied_fields(error)
                if name in record.fields and not model.fields[name].must_be_given
            } - {*model.primary_key}
            if not refused:
                is_denied = isinstance(error, UnauthorizedError) and not is_created
                return Refusal.CREATE if is_denied else Refusal.OTHER
            left = {name: value for name, value in record.fields.items() if name not in refused}
            record = replace(record, fields=left)
        else:
            return record


def _fields(
    model: Model, schema: Introspection, sources: ModelSources, group: str | None
) -> dict[str, Any]:
    """Return the fields of a record with example values. Raises NoExampleError."""
    source = sources.get(model.name)
    validators = source.validators if source is not None else {}
    fields: dict[str, Any] = {}
    for name in _chosen(model, group):
        field = model.fields[name]
        kind = model.owner_fields.get(name)
        if name == "id" and name in model.primary_key:
            fields[name] = example_id(model.name)
        elif kind == "owner":
            fields[name] = [USER_ID] if field.is_array else USER_ID
        elif kind == "group" and group is not None:
            fields[name] = [group] if field.is_array else group
        else:
            fields[name] = example_of(field, schema, validators.get(name, ()))
    return fields


def _chosen(model: Model, group: str | None) -> list[str]:
    """Return the names of the fields to set: the key, then the others in the schema's order."""
    settable = {name: f for name, f in model.fields.items() if is_set_by_script(model, f)}
    chosen = {name for name, field in settable.items() if field.must_be_given}
    if group is not None:
        chosen |= {
            name
            for name, kind in model.owner_fields.items()
            if kind == "group" and name in settable
        }
    if chosen <= {*model.primary_key, *model.owner_fields}:
        optional = [
            name
            for name, field in settable.items()
            if field.is_single_value and field.type.name != "ID" and name not in model.owner_fields
        ]
        chosen |= {*[name for name in optional if name not in chosen][:_MOST_OPTIONAL]}
    _add_index_parts(model, chosen)
    key = [name for name in model.primary_key if name in model.fields]
    return [*key, *(name for name in settable if name in chosen and name not in key)]


def _add_index_parts(model: Model, chosen: set[str]) -> None:
    """Add to *chosen* the fields that the API accepts only together with one of them."""
    for index in model.secondary_indexes:
        sort_fields = index.fields[1:]
        if len(sort_fields) > 1 and chosen.intersection(sort_fields):
            chosen.update(name for name in sort_fields if name in model.fields)


def _with_user(value: Any, user_id: str) -> Any:
    if isinstance(value, list):
        return [_with_user(item, user_id) for item in value]
    return user_id if value is USER_ID else value
