"""Roles of callers: what the rules of a model and its fields give to each."""

from __future__ import annotations

from typing import Any

from seedctl.local.appsync.access import Access, CallerRole, has_same_readers
from seedctl.local.appsync.introspection import deployed_models
from seedctl.outputs.introspection import parse_introspection
from seedctl.outputs.model_schema import parse_model_schema
from tests.cases import case
from tests.local_appsync.builders import model, outputs
from tests.local_appsync.conftest import DATA

_PRIVATE = CallerRole("private", "userPools")
_KEY = CallerRole("public", "apiKey")
_OWNER = CallerRole("owner", "userPools", "sub::username", owner_field="owner")
_ADMINS = CallerRole("groups", "userPools", "cognito:groups", group="Admins")


def _access(rules: str, **fields: str) -> Access:
    """Return the access to a model with the SDL of its *rules*, and of those of its *fields*."""
    model_rules = f"@auth(rules: [{rules}])" if rules else ""
    declared = "\n".join(
        f"{name}: String {f'@auth(rules: [{own}])' if own else ''}" for name, own in fields.items()
    )
    (source,) = parse_model_schema(f"type T @model {model_rules} {{ {declared} }}", DATA).values()
    return Access(
        fields=source.fields,
        key="id",
        composites=[("a", "b")],
        inferred=["aTsId"],
        rules=source.rules,
        field_rules=source.field_rules,
    )


def test_roles() -> None:
    """Each kind of rule is one role; a missing provider or claim has its default."""
    for case_name, rules, role in (
        ("private", "{allow: private}", _PRIVATE),
        ("public", "{allow: public}", _KEY),
        ("owner", "{allow: owner}", _OWNER),
        ("group", '{allow: groups, groups: ["Admins"]}', _ADMINS),
        ("iam", "{allow: private, provider: iam}", CallerRole("private", "identityPool")),
        ("custom", "{allow: custom}", CallerRole("custom", "function")),
        (
            "dynamic group",
            '{allow: groups, groupsField: "team", groupClaim: "roles"}',
            CallerRole("groups", "userPools", "roles", groups_field="team"),
        ),
        (
            "claim",
            '{allow: owner, ownerField: "by", identityClaim: "username", provider: oidc}',
            CallerRole("owner", "oidc", "username", owner_field="by"),
        ),
    ):
        with case(case_name):
            assert _access(rules, a="").by_operation["get"] == (role,)


def test_operations() -> None:
    """A role may do an operation that it may do with any field; to delete, it needs every field."""
    access = _access(
        "{allow: private, operations: [create, delete]}, {allow: public, operations: [list]}",
        a="",
        b='{allow: private, operations: [read]}, {allow: groups, groups: ["Admins"]}',
    )
    found = {name: set(roles) for name, roles in access.by_operation.items()}
    assert found["create"] == {_PRIVATE, _ADMINS}
    assert found["update"] == {_ADMINS}
    assert found["delete"] == set()
    assert found["get"] == {_PRIVATE, _ADMINS}
    assert found["relation"] == {_PRIVATE, _ADMINS, _KEY}
    # Who may delete a field may set it to null.
    assert set(access.writers["update"]) == {_PRIVATE, _ADMINS}
    assert access.unlimited == frozenset()
    # Several rules of one role add up.
    parts = "{allow: private, operations: [create]}, {allow: private, operations: [read]}"
    assert _access(parts, a="").by_operation["create"] == (_PRIVATE,)


def test_attributes() -> None:
    """With all parts of a joined key, a role may send it; the key itself counts in updates."""
    access = _access("{allow: private}", a="", b="", c="{allow: public}")
    assert access.attributes(_PRIVATE, "create") == {"a", "b", "a#b", "aTsId"}
    assert access.attributes(_PRIVATE, "update") == {"a", "b", "a#b", "aTsId", "id"}
    assert access.attributes(_KEY, "create") == {"c", "aTsId"}


def test_guarded_fields() -> None:
    """A field is checked if some role that may get the model may not read the field."""
    for case_name, rules, own, guarded in (
        ("no rules of the field", "{allow: private}", "", {"b": False}),
        ("the same role", "{allow: private}", "{allow: private}", {"b": False}),
        ("another", "{allow: private}", "{allow: public}", {"a": True, "b": True}),
        (
            "a new role: fields without rules need a check",
            "{allow: owner}",
            '{allow: owner}, {allow: groups, groups: ["Admins"]}',
            {"a": True, "b": False},
        ),
        ("private has all users", "{allow: owner}", "{allow: private}", {"a": True, "b": False}),
        (
            "private without all kinds of reading",
            "{allow: private, operations: [get]}, {allow: owner}",
            "{allow: private, operations: [get]}",
            {"a": False, "b": True},
        ),
        ("list only", "{allow: private, operations: [list]}", "{allow: public}", {"a": True}),
        ("no rules", "", "{allow: private}", {"a": True, "b": False, "id": False}),
    ):
        with case(case_name):
            access = _access(rules, a="", b=own)
            assert {name: access.is_guarded(name) for name in guarded} == guarded


def test_same_readers() -> None:
    """Responses of mutations show relations only between models with the same static readers."""
    for case_name, own, related, same in (
        ("same", "{allow: private}", "{allow: private}", True),
        ("depends on the item", "{allow: owner}", "{allow: owner}", False),
        (
            "private has all users",
            '{allow: private}, {allow: groups, groups: ["Admins"]}',
            "{allow: private}",
            True,
        ),
        ("more", "{allow: private}", "{allow: private}, {allow: public}", False),
        ("nobody has both", "{allow: public}", "{allow: private}", True),
        ("users have both", "{allow: private}", '{allow: groups, groups: ["Admins"]}', False),
        ("custom", "{allow: custom}", "{allow: custom}", False),
        ("no rules", "", "{allow: private}", True),
    ):
        with case(case_name):
            assert has_same_readers("a", _access(own, a=""), _access(related, a="")) is same


def test_inferred_foreign_keys() -> None:
    """A foreign key with the name that the deployment would choose can be sent by every role."""
    many = {"kids": ("HAS_MANY", "Kid", ("mumKidsId",)), "pet": ("HAS_ONE", "Kid", ("petId",))}
    back = {"mum": ("BELONGS_TO", "Mum", ("mumKidsId",))}
    document = outputs(
        model("Mum", {"name": "String"}, relations=many),
        model("Kid", {"mumKidsId": "ID", "petId": "ID"}, relations=back),
    )["data"]["model_introspection"]
    models = deployed_models(parse_introspection(document, DATA))
    added: dict[str, Any] = {
        name: found.access.attributes(_PRIVATE, "create") - found.access.fields(_PRIVATE, "create")
        for name, found in models.items()
    }
    assert added == {"Mum": {"mumPetId"}, "Kid": {"kidMumId"}}
