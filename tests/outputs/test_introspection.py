"""model_introspection: optional keys may be missing; what no API can have is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs import load_outputs, parse_outputs
from seedctl.outputs.models import Index, TypeName
from tests.changes import ABSENT, changed

OUTPUTS = Path(__file__).parents[1] / "data" / "outputs"
CORNERS: dict[str, Any] = json.loads((OUTPUTS / "corners.json").read_text(encoding="utf-8"))
HERE = Path("/app/amplify_outputs.json")
SCHEMA = ("data", "model_introspection")
TASK = (*SCHEMA, "models", "Task")
DUE = (*TASK, "attributes", 5, "properties")
RULE = (*TASK, "attributes", 7, "properties", "rules", 0)
A_FIELD: dict[str, Any] = {"isArray": False, "isRequired": False}


def _schema(document: Any = CORNERS) -> Any:
    data = parse_outputs(document, HERE).data
    assert data is not None
    return data.schema


def test_an_index_may_have_no_query() -> None:
    """Indexes without a queryField are known, but have no query."""
    task = _schema().models["Task"]
    assert list(task.indexes) == ["listTaskByDue"]
    assert task.secondary_indexes == (
        Index("tasksByStatus", None, ("status",)),
        Index("tasks-by.title", None, ("title", "due")),
        Index("tasksByDueAndStatusAndRank", None, ("due", "status", "rank")),
        Index("tasksByDue", "listTaskByDue", ("due",)),
    )


def test_a_key_may_be_declared_or_generated() -> None:
    """A declared ``id`` is no custom key, but its list takes key arguments."""
    models = _schema().models
    assert (models["Task"].is_custom_key, models["Task"].is_key_declared) == (False, True)
    assert models["Counter"].primary_key == ("source", "info")
    without = _schema(changed(CORNERS, (*TASK, "attributes"), ABSENT)).models["Task"]
    assert (without.is_key_declared, without.secondary_indexes, without.rules) == (False, (), ())


def test_the_name_of_a_type() -> None:
    """A type's name is its ``name``, not its key in the file; without a ``name`` it is the key."""
    schema = _schema()
    assert schema.enums == {"task_status": ("open", "done")}
    assert schema.models["Task"].fields["status"].type == TypeName("enum", "task_status")
    nameless = _schema(changed(CORNERS, (*TASK, "name"), None))
    assert nameless.models["Task"].name == "Task"


def test_a_missing_list_in_a_rule_is_not_an_empty_list() -> None:
    """A missing list is not an empty one: without operations, a rule allows all."""
    counter = _schema().models["Counter"]
    assert [rule.operations for rule in counter.rules] == [None, ()]
    assert counter.rules[0].provider is None


def test_disabled_operations_are_known() -> None:
    """Null disables all operations of its kind, an object those that it names, whatever the value."""
    at = (*TASK, "attributes", 0)
    properties = {"queries": {"list": None}, "mutations": None, "subscriptions": {"level": "off"}}
    disabled = _schema(changed(CORNERS, at, {"type": "model", "properties": properties}))
    expected = {"list", "create", "update", "delete"}
    assert disabled.models["Task"].disabled == expected
    properties = {"queries": {"get": None}}
    disabled = _schema(changed(CORNERS, at, {"type": "model", "properties": properties}))
    assert disabled.models["Task"].disabled == {"get"}


def test_a_field_must_be_given_if_null_is_refused() -> None:
    """For a list this is about the list itself, which may be null if the file does not say."""
    fields = {
        "one": {**A_FIELD, "isRequired": True, "type": "Int"},
        "free": {**A_FIELD, "type": "Int"},
        "items": {"isArray": True, "isRequired": True, "type": "Int"},
        "list": {"isArray": True, "isRequired": False, "isArrayNullable": False, "type": "Int"},
    }
    schema = _schema(changed(CORNERS, (*SCHEMA, "nonModels", "Note", "fields"), fields))
    found = schema.fields_of(TypeName("nonModel", "Note"))
    assert [name for name, field in found.items() if field.must_be_given] == ["one", "list"]


def test_owner_fields_are_those_of_the_rules() -> None:
    """A rule for owners has a field, which is ``owner`` if it names none; one for groups may."""
    rules = [
        {"allow": "owner"},
        {"allow": "owner", "ownerField": "title"},
        {"allow": "groups", "groupsField": "team"},
        {"allow": "groups", "groups": ["a"]},
        {"allow": "private"},
    ]
    task = _schema(changed(CORNERS, RULE[:-1], rules)).models["Task"]
    assert task.owner_fields == {"owner": "owner", "title": "owner", "team": "group"}
    assert task.implied_fields == ("owner", "team")


def test_an_input_has_its_own_fields() -> None:
    """The fields of an input type and those of a custom type are told apart."""
    schema = _schema()
    assert list(schema.fields_of(TypeName("input", "SummaryFilterInput"))) == ["status"]
    assert schema.fields_of(TypeName("nonModel", "Note")) is schema.custom_types["Note"].fields


def test_no_schema_is_no_error() -> None:
    """A data section may have no model_introspection."""
    assert _schema(changed(CORNERS, SCHEMA, None)) is None


# Where to put a wrong value, the value, and the key path in the message.
SLIPS = [
    ((*TASK, "name"), "Ta}sk", "models.Task.name"),
    ((*TASK, "name"), "__Task", "models.Task.name"),
    ((*TASK, "name"), "Counter", "models.Counter.name"),
    ((*TASK, "name"), "String", "models.String"),
    ((*TASK, "name"), "Mutation", "models.Mutation"),
    ((*TASK, "name"), "Subscription", "models.Subscription"),
    ((*TASK, "fields", "id", "isReadOnly"), True, "models.Task.primaryKeyInfo"),
    ((*TASK, "name"), "Note", "nonModels.Note"),
    ((*TASK, "pluralName"), "two words", "models.Task.pluralName"),
    ((*TASK, "pluralName"), None, "models.Task.pluralName"),
    ((*TASK, "fields"), {}, "models.Task.primaryKeyInfo"),
    ((*TASK, "fields", "rank", "name"), "9th", "models.Task.fields.rank.name"),
    ((*TASK, "fields", "rank", "name"), "title", "models.Task.fields.rank.name"),
    ((*TASK, "fields", "a b"), {**A_FIELD, "type": "Int"}, "models.Task.fields.a key"),
    ((*TASK, "fields", "rank", "type"), ABSENT, "models.Task.fields.rank.type"),
    ((*TASK, "fields", "rank", "type"), "Long", "models.Task.fields.rank.type"),
    ((*TASK, "fields", "rank", "type"), [["x"]], "models.Task.fields.rank.type"),
    ((*TASK, "fields", "rank", "type"), {"union": "X"}, "models.Task.fields.rank.type"),
    ((*TASK, "fields", "rank", "type"), {"enum": "Task"}, "models.Task.fields.rank.type"),
    ((*TASK, "fields", "note", "type"), {"input": "X"}, "models.Task.fields.note.type"),
    ((*TASK, "fields", "id", "isArray"), True, "models.Task.primaryKeyInfo"),
    ((*TASK, "fields", "due", "isArray"), True, "models.Task.attributes[3].properties.fields"),
    ((*TASK, "primaryKeyInfo"), None, "models.Task.primaryKeyInfo"),
    ((*TASK, "primaryKeyInfo", "primaryKeyFieldName"), "ident", "models.Task.primaryKeyInfo"),
    ((*TASK, "primaryKeyInfo", "primaryKeyFieldName"), "note", "models.Task.primaryKeyInfo"),
    ((*TASK, "primaryKeyInfo", "sortKeyFieldNames"), [1], "primaryKeyInfo.sortKeyFieldNames[0]"),
    ((*TASK, "attributes", 1, "properties", "fields"), ["no"], "attributes[1].properties.fields"),
    ((*TASK, "attributes", 4, "properties", "name"), "by-due", "attributes[4].properties.name"),
    ((*TASK, "attributes", 0, "type"), 5, "models.Task.attributes[0].type"),
    ((*TASK, "attributes", 0, "properties"), [], "models.Task.attributes[0].properties"),
    ((*TASK, "attributes", 0, "properties"), {"queries": 1}, "attributes[0].properties.queries"),
    ((*TASK, "attributes", 4, "properties", "queryField"), "x y", "properties.queryField"),
    ((*DUE, "queryField"), "summary", "models.Task: the queryField of tasksByDue"),
    ((*DUE, "queryField"), "listCounterByInfo", "models.Counter: the queryField of countersByInfo"),
    ((*DUE, "fields"), [], "attributes[5].properties.fields"),
    ((*RULE, "allow"), None, "properties.rules[0].allow"),
    ((*RULE, "operations"), "read", "properties.rules[0].operations"),
    ((*RULE, "ownerField"), "own er", "properties.rules[0].ownerField"),
    ((*SCHEMA, "enums", "TaskStatus", "values"), [], "enums.TaskStatus.values"),
    ((*SCHEMA, "enums", "TaskStatus", "values", 0), "a b", "enums.TaskStatus.values[0]"),
    ((*SCHEMA, "enums", "TaskStatus", "values", 0), "true", "enums.TaskStatus.values[0]"),
    ((*SCHEMA, "enums", "TaskStatus", "values", 1), "false", "enums.TaskStatus.values[1]"),
    ((*SCHEMA, "enums", "TaskStatus", "values", 1), "null", "enums.TaskStatus.values[1]"),
    ((*SCHEMA, "enums", "TaskStatus", "name"), "Counter", "enums.Counter"),
    ((*SCHEMA, "inputs", "SummaryFilterInput", "name"), "Counter", "inputs.Counter"),
    ((*SCHEMA, "nonModels", "Note", "fields"), {}, "nonModels.Note.fields"),
    ((*SCHEMA, "queries", "summary", "isArray"), 0, "queries.summary.isArray"),
    ((*SCHEMA, "queries", "summary", "type"), {"input": "X"}, "queries.summary.type"),
    (
        (*SCHEMA, "queries", "summary", "arguments", "filter", "type"),
        {"model": "Task"},
        "queries.summary.arguments.filter.type",
    ),
    (("data", "url"), "a}b", "data.url"),
    (("data", "url"), "http://[", "data.url"),
    (("data", "aws_region"), "us east", "data.aws_region"),
    (("data", "authorization_types"), [["x", "x"]], "data.authorization_types[0]"),
    (("data", "api_key"), "", "data.api_key"),
    (("storage", "bucket_name"), "a}b", "storage.bucket_name"),
    (("storage", "buckets", 1, "name"), "files", "storage.buckets[1].name"),
    (("storage", "buckets", 1, "paths", "kept/*"), "read", "storage.buckets[1].paths.kept/*"),
]


def _id(place: tuple[str | int, ...], value: object, _shown: str) -> str:
    shown = "absent" if value is ABSENT else json.dumps(value)
    return f"{'.'.join(map(str, place[-3:]))} = {shown}"[:60]


@pytest.mark.parametrize(
    ("place", "value", "shown"),
    [pytest.param(*row, id=_id(*row)) for row in SLIPS],
)
def test_an_impossible_value_is_refused(
    place: tuple[str | int, ...], value: object, shown: str
) -> None:
    """Reading the file refuses a value that no API or bucket can have, with its key path."""
    with pytest.raises(InvalidAmplifyOutputsError) as caught:
        parse_outputs(changed(CORNERS, place, value), HERE)
    assert caught.value.message.startswith(f"{HERE}: ")
    assert shown in caught.value.message.partition(" is ")[0]
    assert "npx ampx" in (caught.value.resolution or "")


BLOG: dict[str, Any] = json.loads((OUTPUTS / "blog_apikey.json").read_text(encoding="utf-8"))
MODELS = ("data", "model_introspection", "models")


@pytest.mark.parametrize(
    ("place", "value", "shown"),
    [
        pytest.param(("type",), "String", "is 'String'; expected a model", id="no model"),
        pytest.param(("isArray",), True, "isArray is true or false", id="several"),
        pytest.param(
            ("association", "targetNames"), [], "association.targetNames is a list", id="no key"
        ),
        pytest.param(
            ("association", "targetNames", 0), "a}b", "association.targetNames", id="no name"
        ),
        pytest.param(
            ("association", "connectionType"), "HAS_SOME", "connectionType", id="unknown kind"
        ),
        pytest.param(("association", "connectionType"), None, "connectionType", id="no kind"),
    ],
)
def test_a_relation_leads_to_a_model(place: tuple[str | int, ...], value: Any, shown: str) -> None:
    """A relation with which no record could be found is refused with its key path."""
    at = (*MODELS, "Post", "fields", "author", *place)
    with pytest.raises(InvalidAmplifyOutputsError) as caught:
        parse_outputs(changed(BLOG, at, value), HERE)
    assert "models.Post.fields.author." in caught.value.message
    assert shown in caught.value.message


def test_gen_1_has_a_single_name_instead_of_a_list() -> None:
    """``associatedWith`` may be a single name, as in Amplify Gen 1."""
    at = (*MODELS, "Author", "fields", "posts", "association", "associatedWith")
    (name,) = load_outputs(OUTPUTS / "blog_apikey.json").document["data"]["model_introspection"][
        "models"
    ]["Author"]["fields"]["posts"]["association"]["associatedWith"]
    association = _schema(changed(BLOG, at, name)).models["Author"].fields["posts"].association
    assert association is not None
    assert association.associated_with == (name,)
