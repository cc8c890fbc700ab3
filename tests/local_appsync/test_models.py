"""Items created, read, updated and deleted, as AppSync's generated resolvers do it."""

from __future__ import annotations

import re
from typing import Any

import pytest

TODO = "id content isDone createdAt updatedAt"
CREATE = f"mutation ($input: CreateTodoInput!) {{ createTodo(input: $input) {{ {TODO} }} }}"
UPDATE = f"mutation ($input: UpdateTodoInput!) {{ updateTodo(input: $input) {{ {TODO} }} }}"
DELETE = f"mutation ($input: DeleteTodoInput!) {{ deleteTodo(input: $input) {{ {TODO} }} }}"
GET = f"query ($id: ID!) {{ getTodo(id: $id) {{ {TODO} }} }}"
NOW = "2026-09-21T14:13:20.250Z"
CONDITIONAL = re.compile(
    r"The conditional request failed \(Service: DynamoDb, Status Code: 400, "
    r"Request ID: [0-9a-f-]{36}\)"
)
PRODUCT_KEY = {"sku": "S", "warehouse": "W", "shelf": 3}
PRODUCT = {**PRODUCT_KEY, "name": "Bolt", "price": {"amount": 1.5, "currency": "EUR"}}
CREATE_PRODUCT = (
    "mutation ($input: CreateProductInput!) { createProduct(input: $input)"
    " { sku warehouse shelf name price { amount currency } } }"
)


def test_create(todo: Any) -> None:
    """A new item has a random id and one instant in both of its timestamps."""
    ann = todo.user("ann@example.com")
    item = todo.data(ann, CREATE, {"input": {"content": "Milk", "isDone": False}})
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}", item.pop("id"))
    assert item == {"content": "Milk", "isDone": False, "createdAt": NOW, "updatedAt": NOW}


def test_create_twice(todo: Any) -> None:
    """An id that exists is rejected, and the stored item is unchanged."""
    ann = todo.user("ann@example.com")
    todo.data(ann, CREATE, {"input": {"id": "a", "content": "first"}})
    answer = todo.execute(ann, CREATE, {"input": {"id": "a", "content": "second"}})
    assert answer["data"] == {"createTodo": None}
    (error,) = answer["errors"]
    assert CONDITIONAL.fullmatch(error.pop("message"))
    assert error == {
        "path": ["createTodo"],
        "data": None,
        "errorType": "DynamoDB:ConditionalCheckFailedException",
        "errorInfo": None,
        "locations": [{"line": 1, "column": 39, "sourceName": None}],
    }
    assert todo.data(ann, GET, {"id": "a"})["content"] == "first"


def test_get_missing(todo: Any) -> None:
    """A missing item is null, without an error."""
    assert todo.data(todo.user("ann@example.com"), GET, {"id": "none"}) is None


def test_update(todo: Any) -> None:
    """An update sets given values, removes null ones and leaves the rest unchanged."""
    ann = todo.user("ann@example.com")
    todo.data(ann, CREATE, {"input": {"id": "a", "content": "Milk", "isDone": False}})
    todo.clock.advance(1)
    item = todo.data(ann, UPDATE, {"input": {"id": "a", "isDone": True, "content": None}})
    assert item == {
        "id": "a",
        "content": None,
        "isDone": True,
        "createdAt": NOW,
        "updatedAt": "2026-09-21T14:13:21.250Z",
    }
    assert todo.data(ann, GET, {"id": "a"}) == item


@pytest.mark.parametrize("document", [UPDATE, DELETE])
def test_change_missing(todo: Any, document: str) -> None:
    """Changing a missing item fails with the condition that the key exists."""
    ann = todo.user("ann@example.com")
    error = todo.error(ann, document, {"input": {"id": "none"}})
    assert error["errorType"] == "DynamoDB:ConditionalCheckFailedException"


def test_delete(todo: Any) -> None:
    """A deletion returns the item as it was."""
    ann = todo.user("ann@example.com")
    item = todo.data(ann, CREATE, {"input": {"id": "a", "content": "Milk"}})
    assert todo.data(ann, DELETE, {"input": {"id": "a"}}) == item
    assert todo.data(ann, GET, {"id": "a"}) is None


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [({"content": {"eq": "Milk"}}, True), ({"content": {"eq": "Tea"}}, False)],
)
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_condition_argument(todo: Any, verb: str, condition: Any, is_met: bool) -> None:
    """A mutation's condition is evaluated on the stored item."""
    ann = todo.user("ann@example.com")
    todo.data(ann, CREATE, {"input": {"id": "a", "content": "Milk"}})
    kind = verb.capitalize()
    document = (
        f"mutation ($input: {kind}TodoInput!, $condition: ModelTodoConditionInput)"
        f" {{ {verb}Todo(input: $input, condition: $condition) {{ id }} }}"
    )
    answer = todo.execute(ann, document, {"input": {"id": "a"}, "condition": condition})
    assert ("errors" not in answer) == is_met


def test_condition_of_create(todo: Any) -> None:
    """The condition of a create is evaluated on an item without attributes."""
    document = (
        "mutation ($condition: ModelTodoConditionInput)"
        ' { createTodo(input: {id: "a", content: "Milk"}, condition: $condition) { id } }'
    )
    error = todo.error(todo.developer, document, {"condition": {"content": {"eq": "Milk"}}})
    assert error["errorType"] == "DynamoDB:ConditionalCheckFailedException"
    assert todo.data(todo.developer, GET, {"id": "a"}) is None
    given = {"condition": {"content": {"attributeExists": False}}}
    assert todo.data(todo.developer, document, given) == {"id": "a"}


def test_stored_null(todo: Any) -> None:
    """A null of a create is stored; an update of other fields leaves it in the item."""
    todo.data(todo.developer, CREATE, {"input": {"id": "a", "content": None}})
    exists = "{ listTodos(filter: {content: {attributeExists: true}}) { items { id } } }"
    for given, items in (({"isDone": True}, [{"id": "a"}]), ({"content": None}, [])):
        todo.data(todo.developer, UPDATE, {"input": {"id": "a", **given}})
        assert todo.data(todo.developer, exists) == {"items": items}


def test_explicit_null_id(todo: Any) -> None:
    """An id that is given as null is not generated: DynamoDB rejects it."""
    error = todo.error(todo.user("ann@example.com"), CREATE, {"input": {"id": None}})
    assert error["errorType"] == "DynamoDB:DynamoDbException"


def test_state_survives(start: Any) -> None:
    """A created item exists for the next sandbox on the same state."""
    first = start("todo_userpool.json")
    first.data(first.developer, CREATE, {"input": {"id": "a", "content": "Milk"}})
    second = start("todo_userpool.json")
    assert second.data(second.developer, GET, {"id": "a"})["content"] == "Milk"


def test_composite_key(store: Any) -> None:
    """Items may differ in any part of a composite key, and nothing is added to it."""
    ann = store.user("ann@example.com")
    assert store.data(ann, CREATE_PRODUCT, {"input": PRODUCT}) == PRODUCT
    store.data(ann, CREATE_PRODUCT, {"input": {**PRODUCT, "shelf": 4}})
    error = store.error(ann, CREATE_PRODUCT, {"input": PRODUCT})
    assert CONDITIONAL.fullmatch(error["message"])
    get = 'query ($k: Int!) { getProduct(sku: "S", warehouse: "W", shelf: $k) { shelf } }'
    assert [store.data(ann, get, {"k": shelf}) for shelf in (3, 4, 5)] == [
        {"shelf": 3},
        {"shelf": 4},
        None,
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            {"manufacturer": "M", "rank": 1},
            "When creating any part of the composite sort key for @index "
            "'productsByManufacturerAndLaunchDateAndRank', you must provide all fields for the "
            "key. Missing key: 'launchDate'.",
            id="part of a composite key",
        ),
        pytest.param({"manufacturer": ""}, "cannot contain an empty string value", id="empty"),
        pytest.param(
            {"launchDate": "2025-01-01", "rank": None},
            "Type mismatch for Index Key rank Expected: N Actual: NULL",
            id="null sort key",
        ),
    ],
)
def test_index_keys(store: Any, fields: Any, message: str) -> None:
    """An item with a value that an index cannot have is rejected."""
    error = store.error(
        store.user("ann@example.com"), CREATE_PRODUCT, {"input": {**PRODUCT, **fields}}
    )
    assert message in error["message"]


def test_update_composite_index(store: Any) -> None:
    """An update of a composite sort key must give all of its parts."""
    store.data(store.developer, CREATE_PRODUCT, {"input": PRODUCT})
    document = "mutation ($i: UpdateProductInput!) { updateProduct(input: $i) { sku } }"
    error = store.error(
        store.developer, document, {"i": {**PRODUCT_KEY, "launchDate": "2025-01-01"}}
    )
    assert error["message"].startswith("When updating any part of the composite sort key")
    assert error["errorType"] is None


def test_null_partition_key(store: Any) -> None:
    """An item with a null partition key is not in that index, without an error."""
    document = CREATE_PRODUCT.replace("{ sku", "{ manufacturer sku")
    item = store.data(store.developer, document, {"input": {**PRODUCT, "manufacturer": None}})
    assert item["manufacturer"] is None


def test_required_set_to_null(store: Any) -> None:
    """An update may remove a required value; every response with it then has an error."""
    store.data(store.developer, CREATE_PRODUCT, {"input": PRODUCT})
    document = "mutation ($i: UpdateProductInput!) { updateProduct(input: $i) { sku name } }"
    answer = store.execute(store.developer, document, {"i": {**PRODUCT_KEY, "name": None}})
    assert answer["data"] == {"updateProduct": None}
    assert answer["errors"][0]["message"] == (
        "Cannot return null for non-nullable type: 'String' within parent 'Product' "
        "(/updateProduct/name)"
    )
    listed = store.execute(store.developer, "{ listProducts { items { sku name } } }")
    assert listed["data"] == {"listProducts": {"items": [None]}}
    assert listed["errors"][0]["message"].endswith("(/listProducts/items[0]/name)")


def test_declared_timestamps(people: Any) -> None:
    """Timestamps that the schema declares are taken from the input; others are generated."""
    ann = people.user("ann@example.com")
    document = "mutation ($i: CreateEvInput!) { createEv(input: $i) { id createdAt updatedAt tags { x } } }"
    backdated = {"createdAt": "2020-01-01T00:00:00.000Z", "tags": [{"x": "y"}]}
    item = people.data(ann, document, {"i": backdated})
    given = {"id": item.pop("id"), "updatedAt": "2020-01-02T00:00:00.000Z"}
    assert item == {**backdated, "updatedAt": NOW}
    update = "mutation ($i: UpdateEvInput!) { updateEv(input: $i) { id updatedAt } }"
    assert people.data(ann, update, {"i": given}) == given


def test_disabled_operation(store: Any) -> None:
    """Operations that the schema disables do not exist."""
    error = store.error(store.developer, "mutation { deleteAuditEntry(input: {id: 1}) { id } }")
    assert error["message"] == (
        "Validation error of type FieldUndefined: Field 'deleteAuditEntry' in type 'Mutation' is "
        "undefined @ 'deleteAuditEntry'"
    )


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ("{ ping }", "Query.ping"),
        ('{ echo(message: "x") }', "Query.echo"),
        ('mutation { bulkTag(tags: ["a"]) }', "Mutation.bulkTag"),
    ],
)
def test_custom_operations(store: Any, document: str, field: str) -> None:
    """An operation whose handler is the user's own code fails, and says why."""
    error = store.error(store.key, document)
    assert error["errorType"] == "NotAvailableLocally"
    assert error["message"] == (f"{field} is not available locally: its handler is your own code.")


def test_index_added_later(start: Any) -> None:
    """An index of a later deployment finds the existing items."""
    document = start("blog_apikey.json").outputs.document
    without = {**document, "data": {**document["data"]}}
    introspection = {**without["data"]["model_introspection"]}
    post = {**introspection["models"]["Post"]}
    post["attributes"] = [
        entry for entry in post["attributes"] if "queryField" not in entry["properties"]
    ]
    introspection["models"] = {**introspection["models"], "Post": post}
    without["data"]["model_introspection"] = introspection
    old = start(without)
    create = 'mutation { createPost(input: {title: "t", labels: [], status: DRAFT}) { id } }'
    item = old.data(old.key, create)
    new = start("blog_apikey.json")
    found = new.data(new.key, "{ listPostByStatus(status: DRAFT) { items { id } } }")
    assert found == {"items": [item]}
