"""Outputs files with small schemas, written in the style of the schema's directives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.local_appsync.conftest import example

if TYPE_CHECKING:
    from collections.abc import Mapping

OWNER = {
    "allow": "owner",
    "provider": "userPools",
    "ownerField": "owner",
    "identityClaim": "cognito:username",
}
PRIVATE = {"allow": "private"}


def model(
    name: str,
    fields: dict[str, str],
    *,
    key: tuple[str, ...] = ("id",),
    indexes: dict[str, tuple[str, ...]] | None = None,
    relations: Mapping[str, tuple[str, str, tuple[str, ...]]] | None = None,
    rules: tuple[dict[str, Any], ...] = (PRIVATE,),
) -> dict[str, Any]:
    """Return a model's introspection; *fields* are types, with ``!`` if they are required.

    *indexes* are fields by query field, or by ``-name`` for an index without a query. *relations*
    are connection type, model and foreign key.
    """
    declared = {each: _field(each, kind) for each, kind in fields.items()}
    for each, (connection, related, keys) in (relations or {}).items():
        side = "targetNames" if connection == "BELONGS_TO" else "associatedWith"
        declared[each] = {
            **_field(each, {"model": related}),
            "isArray": connection == "HAS_MANY",
            "association": {"connectionType": connection, side: list(keys)},
        }
    implied = {} if key != ("id",) or "id" in fields else {"id": _field("id", "ID!")}
    stamps = {
        each: {**_field(each, "AWSDateTime"), "isReadOnly": True}
        for each in ("createdAt", "updatedAt")
        if each not in fields
    }
    keyed = [] if implied else [{"type": "key", "properties": {"fields": list(key)}}]
    for query, names in (indexes or {}).items():
        properties = {"name": f"by{''.join(names)}", "fields": list(names)}
        if not query.startswith("-"):
            properties["queryField"] = query
        keyed.append({"type": "key", "properties": properties})
    return {
        "name": name,
        "pluralName": f"{name}s",
        "syncable": True,
        "fields": {**implied, **declared, **stamps},
        "attributes": [
            {"type": "model", "properties": {}},
            *keyed,
            {"type": "auth", "properties": {"rules": list(rules)}},
        ],
        "primaryKeyInfo": {
            "isCustomPrimaryKey": not implied,
            "primaryKeyFieldName": key[0],
            "sortKeyFieldNames": list(key[1:]),
        },
    }


def outputs(*models: dict[str, Any]) -> dict[str, Any]:
    """Return the document of an outputs file with *models*."""
    document = {**example("todo_userpool.json").document}
    document["data"] = {
        **document["data"],
        "model_introspection": {
            "version": 1,
            "models": {each["name"]: each for each in models},
            "enums": {},
            "nonModels": {},
        },
    }
    return document


def guest_of(api: Any) -> dict[str, str]:
    """Return the headers of a guest of the API's identity pool."""

    def call(operation: str, **given: Any) -> Any:
        headers = {
            "X-Amz-Target": f"AWSCognitoIdentityService.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        status, _, document = api.post("/", json.dumps(given).encode(), headers)
        assert status == 200, document
        return document

    identity = call("GetId", IdentityPoolId=api.outputs.auth.identity_pool_id)["IdentityId"]
    keys = call("GetCredentialsForIdentity", IdentityId=identity)["Credentials"]
    signed: dict[str, str] = api.signed(keys["AccessKeyId"])
    return signed


def _field(name: str, kind: Any) -> dict[str, Any]:
    is_required = isinstance(kind, str) and kind.endswith("!")
    kind = kind.rstrip("!") if isinstance(kind, str) else kind
    return {
        "name": name,
        "isArray": False,
        "type": kind,
        "isRequired": is_required,
        "attributes": [],
    }
