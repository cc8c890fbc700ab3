"""The first record: which model, which fields, which call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.first_script.records import FirstRecord, Refusal, may_differ
from seedctl.first_script.text import script_text
from seedctl.first_script.trial import find_first_script
from seedctl.outputs import parse_outputs
from seedctl.outputs.model_schema import parse_model_schema
from tests.cases import case
from tests.first_script.conftest import document_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def _script(document: dict[str, Any], folder: Path) -> str:
    return script_text(find_first_script(parse_outputs(document, folder / "outputs.json")))


def _guide(
    *rules: Mapping[str, Any], fields: Mapping[str, Any] | None = None, **auth: Any
) -> dict[str, Any]:
    """Return the guide's backend with these *rules* and further *fields* of its model."""
    document = document_of("deployed guide-basic")
    del document["storage"]
    document["auth"] |= auth
    model = document["data"]["model_introspection"]["models"]["Todo"]
    for attribute in model["attributes"]:
        if attribute["type"] == "auth" and rules:
            attribute["properties"]["rules"] = list(rules)
    model["fields"] |= fields or {}
    return document


def _text_field(name: str, *, required: bool) -> dict[str, Any]:
    return {
        name: {
            "name": name,
            "isArray": False,
            "type": "String",
            "isRequired": required,
            "attributes": [],
        }
    }


def _owner(*operations: str, field: str = "owner") -> dict[str, Any]:
    return {
        "allow": "owner",
        "provider": "userPools",
        "ownerField": field,
        "identityClaim": "cognito:username",
        "operations": list(operations),
    }


@pytest.mark.parametrize(
    ("operations", "call", "has_id"),
    [
        pytest.param(("create", "update", "read"), "upsert(", True, id="all"),
        pytest.param(("create", "update"), "upsert(", True, id="no reading"),
        pytest.param(("create", "read"), "create(", True, id="no update"),
        pytest.param(("create",), "create(", False, id="create alone"),
    ],
)
def test_the_call_is_one_that_the_rules_allow_twice(
    operations: tuple[str, ...], call: str, *, has_id: bool, tmp_path: Path
) -> None:
    """The script updates what is there, or skips it, or makes another record, as the rules allow."""
    text = _script(_guide(_owner(*operations)), tmp_path)
    assert f"client.models.Todo.{call}\n" in text
    assert ('"id": "first-todo",' in text) == has_id
    assert ('if_exists="skip",\n    auth_mode' in text) == (operations == ("create", "read"))
    assert ("each run creates another record" in text) == (not has_id)


def test_a_required_owner_is_the_user(tmp_path: Path) -> None:
    """A required owner field has the id of the user whom the script creates."""
    document = _guide(
        _owner("create", "read", "update", field="userId"),
        fields=_text_field("userId", required=True),
    )
    text = _script(document, tmp_path)
    assert "\nuser = create_and_sign_up_user(\n" in text
    assert '        "userId": user.user_id,\n' in text


def test_a_group_in_a_field_is_one_of_the_users(tmp_path: Path) -> None:
    """Where rules compare a field with the caller's groups, the field names the user's group."""
    rule = {
        "allow": "groups",
        "provider": "userPools",
        "groupsField": "team",
        "groupField": "groups",
        "groupClaim": "cognito:groups",
        "operations": ["create", "read", "update"],
    }
    text = _script(_guide(rule, fields=_text_field("team", required=False)), tmp_path)
    assert '    groups=["admin"],\n' in text
    assert '        "team": "admin",\n' in text


def test_a_model_that_nobody_may_create_is_left_out(tmp_path: Path) -> None:
    """Without a model of which the user may create a record, the script has none."""
    rule = {"allow": "public", "provider": "iam", "operations": ["create", "read"]}
    text = _script(_guide(rule), tmp_path)
    assert "data" not in text
    assert "create_and_sign_up_user" in text


def test_only_groups_that_may_write_more_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group is tried if rules of a model or a bucket name it; then only the models that they are of."""
    document = document_of("deployed guide-basic")
    document["auth"]["groups"] = [{name: {"precedence": 1}} for name in ("none", "reads", "makes")]
    models = document["data"]["model_introspection"]["models"]
    todo = json.dumps(models.pop("Todo"))
    groups = {"Closed": [], "Read": ["reads"], "Made": ["makes"]}
    for name, named in groups.items():
        operations = ["create", "read"] if name == "Made" else ["read"]
        rule = {"allow": "groups", "groups": named or ["other"], "operations": operations}
        models[name] = {**json.loads(todo), "name": name, "pluralName": f"{name}s"}
        models[name]["attributes"][-1]["properties"] = {"rules": [rule]}
    document["storage"]["buckets"][0]["paths"] = {"public/*": {"guest": ["write"]}}
    tried: list[tuple[str | None, str]] = []
    write = FirstRecord.write

    def counting(self: FirstRecord, client: Any, user_id: str) -> None:
        tried.append((self.model, self.form))
        write(self, client, user_id)

    monkeypatch.setattr(FirstRecord, "write", counting)
    found = find_first_script(parse_outputs(document, tmp_path / "outputs.json"))
    assert found.user is not None
    assert found.user.group == "makes"
    # Each model once with an id and once without, in each auth mode; then the one that may differ.
    modes = 2
    without_group = [(name, form) for name in groups for form in ("upsert", "create") * modes]
    assert tried[: len(without_group)] == without_group
    assert {name for name, _ in tried[len(without_group) :]} == {"Made"}
    assert found.record is not None
    assert (found.record.model, found.record.form) == ("Made", "skip")


def test_which_groups_may_make_a_difference() -> None:
    """Only groups that a rule names, or any group if groups are read from a field; and if nothing was
    created, only rules that allow to create."""
    static = {"allow": "groups", "groups": ["a"]}
    dynamic = {"allow": "groups", "groupsField": "team"}
    for rules, refusal, expected in (
        ([static], None, {"a", "b"}),
        ([static], Refusal.CREATE, {"a"}),
        ([{**static, "operations": ["read"]}], Refusal.CREATE, set()),
        ([{**static, "operations": ["read"]}], Refusal.OTHER, {"a"}),
        ([{**static, "operations": ["read", "create"]}], Refusal.CREATE, {"a"}),
        ([dynamic], Refusal.CREATE, {"a", "b"}),
        ([{"allow": "private"}], Refusal.OTHER, set()),
    ):
        with case(rules, refusal):
            data = parse_outputs(_guide(*rules), Path("amplify_outputs.json")).data
            assert data is not None
            assert data.schema is not None
            (todo,) = data.schema.models.values()
            known = {} if refusal is None else {"Todo": refusal}
            assert {each for each in "ab" if may_differ(todo, {}, each, known)} == expected
    field = 'type Todo @model { content: String @auth(rules: [{allow: groups, groups: ["a"]}]) }'
    sources = parse_model_schema(field, Path("amplify_outputs.json"))
    assert may_differ(todo, sources, "a", {"Todo": Refusal.CREATE})
    assert not may_differ(todo, sources, "b", {"Todo": Refusal.CREATE})


def test_a_group_that_may_upload_a_file(tmp_path: Path) -> None:
    """A group is tried for a file alone, if a path rule names it and the record needs no group."""
    document = document_of("deployed guide-basic")
    document["storage"]["buckets"][0]["paths"] = {"shared/*": {"groupsadmin": ["write"]}}
    found = find_first_script(parse_outputs(document, tmp_path / "outputs.json"))
    assert found.user is not None
    assert found.user.group == "admin"
    assert found.record is not None
    assert found.file is not None
    assert found.file.path == "shared/first.txt"


def test_a_group_that_may_only_read_helps_to_write_twice(tmp_path: Path) -> None:
    """A user who may create a record with a given key, and not look for it, cannot run the script again."""
    document = _guide(
        {"allow": "private", "operations": ["create"]},
        {"allow": "groups", "groups": ["admin"], "operations": ["read"]},
    )
    model = document["data"]["model_introspection"]["models"]["Todo"]
    model["primaryKeyInfo"] = {
        "isCustomPrimaryKey": True,
        "primaryKeyFieldName": "content",
        "sortKeyFieldNames": [],
    }
    model["fields"]["content"]["isRequired"] = True
    del model["fields"]["id"]
    model["attributes"].append({"type": "key", "properties": {"fields": ["content"]}})
    found = find_first_script(parse_outputs(document, tmp_path / "outputs.json"))
    assert found.user is not None
    assert found.record is not None
    assert (found.user.group, found.record.form) == ("admin", "skip")


def test_parts_of_an_index_key_go_together(tmp_path: Path) -> None:
    """The optional part of a composite sort key gets a value if a required one has."""
    fields = {**_text_field("kind", required=False), **_text_field("city", required=True)}
    document = _guide(fields={**fields, **_text_field("street", required=False)})
    model = document["data"]["model_introspection"]["models"]["Todo"]
    index = {"name": "byKind", "queryField": "listByKind", "fields": ["kind", "city", "street"]}
    model["attributes"].append({"type": "key", "properties": index})
    text = _script(document, tmp_path)
    assert '        "city": ' in text
    assert '        "street": ' in text
    assert '"kind"' not in text


def test_a_create_that_is_disabled(tmp_path: Path) -> None:
    """A model without a create mutation is left out."""
    document = _guide()
    model = document["data"]["model_introspection"]["models"]["Todo"]
    for attribute in model["attributes"]:
        if attribute["type"] == "model":
            attribute["properties"]["mutations"] = {"create": None}
    assert "client.models" not in _script(document, tmp_path)


def test_a_field_whose_rules_deny_it_is_left_out(tmp_path: Path) -> None:
    """An optional field that the user may not create is left out; then AppSync accepts no id."""
    document = document_of("source guide-basic")
    details = document["custom"]["seedctl"]
    rule = '@auth(rules: [{allow: groups, groups: ["nobody"]}])'
    details["model_schema"] = details["model_schema"].replace(
        "content: String", f"content: String {rule}"
    )
    assert rule in details["model_schema"]
    text = _script(document, tmp_path)
    assert '"isDone": False,' in text
    assert '"content"' not in text
    assert '"id":' not in text
    assert 'selection_set=["id"],' in text


def test_an_api_key_needs_no_user(tmp_path: Path) -> None:
    """A backend without users gets a record that the API key may create, and nothing else."""
    document = document_of("deployed data-shapes")
    del document["auth"]
    text = _script(document, tmp_path)
    assert "from seedctl import data\n" in text
    assert 'auth_mode="apiKey",' in text
    assert "auth." not in text


def test_the_default_of_the_api_comes_first(tmp_path: Path) -> None:
    """The record is written with the API's default auth mode if that may write it."""
    document = _guide({"allow": "private"}, {"allow": "public", "provider": "apiKey"})
    assert 'auth_mode="userPool",' in _script(document, tmp_path)
    document["data"] |= {"default_authorization_type": "API_KEY", "api_key": "da2-x"}
    document["data"]["authorization_types"] = ["AMAZON_COGNITO_USER_POOLS", "AWS_IAM"]
    assert 'auth_mode="apiKey",' in _script(document, tmp_path)


def test_a_required_owner_needs_a_user(tmp_path: Path) -> None:
    """Without users, a model whose records must have an owner is left out."""
    rules = (_owner("create", "read"), {"allow": "public", "provider": "apiKey"})
    document = _guide(*rules, fields=_text_field("owner", required=True))
    document["data"] |= {"default_authorization_type": "API_KEY", "api_key": "da2-x"}
    del document["auth"]
    assert "client.models" not in _script(document, tmp_path)


def test_a_backend_in_which_nothing_can_be_written(tmp_path: Path) -> None:
    """The script says what is missing."""
    text = _script(document_of("deployed storage-only"), tmp_path)
    assert "# This backend has no users" in text
    assert "import" not in text
