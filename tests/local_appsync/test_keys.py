"""Keys of tables and indexes: the effect of null, empty and missing parts in each kind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_appsync.builders import guest_of, model, outputs

SHOP = model(
    "Shop",
    {"chain": "ID!", "place": "String!", "floor": "Float!"},
    key=("chain", "place", "floor"),
    relations={
        "wares": ("HAS_MANY", "Ware", ("chain", "place", "floor")),
        "first": ("HAS_ONE", "Ware", ("chain", "place", "floor")),
    },
)
WARE = model(
    "Ware",
    {
        "chain": "ID",
        "place": "String",
        "floor": "Float",
        "kind": "String",
        "rank": "Int",
        "tag": "ID",
    },
    indexes={
        "wareByKind": ("kind", "rank"),
        "wareByChain": ("chain", "kind", "rank"),
        "-": ("tag",),
    },
    relations={"shop": ("BELONGS_TO", "Shop", ("chain", "place", "floor"))},
)
PAIR = model(
    "Pair",
    {"name": "String!", "at": "AWSTimestamp!"},
    key=("name", "at"),
    relations={
        "parts": ("HAS_MANY", "Part", ("pairName", "pairAt")),
        "main": ("HAS_ONE", "Part", ("pairName", "pairAt")),
    },
)
PART = model(
    "Part",
    {"pairName": "String", "pairAt": "AWSTimestamp"},
    relations={"pair": ("BELONGS_TO", "Pair", ("pairName", "pairAt"))},
)
# The type declares createdAt and updatedAt, so every input has them.
STAMPED = model(
    "Stamped",
    {"name": "String", "status": "String", "createdAt": "AWSDateTime", "updatedAt": "AWSDateTime"},
    indexes={"stampedByName": ("name", "status", "createdAt")},
)
WARES = "chain place floor kind rank"
TYPE = "One or more parameter values were invalid: Type mismatch for"
EMPTY = "The AttributeValue for a key attribute cannot contain an empty string value."
NOT_SUPPORTED = (
    "One or more parameter values are not valid. A value specified for a secondary index key is "
    f"not supported. {EMPTY}"
)
NOT_UPDATED = (
    "One or more parameter values are not valid. The update expression attempted to update a "
    f"secondary index key to a value that is not supported. {EMPTY}"
)
DYNAMODB = "DynamoDB:DynamoDbException"


@pytest.fixture
def api(start: Any) -> Any:
    return start(outputs(SHOP, WARE, PAIR, PART, STAMPED))


def _ask(api: Any, text: str) -> Any:
    return api.execute(api.developer, text)


def _create(api: Any, name: str, fields: str, selection: str = "id") -> Any:
    return _ask(api, f"mutation {{ create{name}(input: {{{fields}}}) {{ {selection} }} }}")


def _update(api: Any, name: str, fields: str, selection: str = "id") -> Any:
    return _ask(api, f"mutation {{ update{name}(input: {{{fields}}}) {{ {selection} }} }}")


def _refusal(answer: Any) -> tuple[str, str | None]:
    (error,) = answer["errors"]
    assert error["data"] is None
    assert error["errorInfo"] is None
    return error["message"].partition(" (Service:")[0], error["errorType"]


def _ids(api: Any, query: str) -> str:
    answer = _ask(api, f"{{ {query} {{ items {{ id }} }} }}")
    assert "errors" not in answer, answer
    (page,) = answer["data"].values()
    return " ".join(item["id"] for item in page["items"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            'kind: "k", rank: null',
            f"{TYPE} Index Key rank Expected: N Actual: NULL IndexName: bykindrank",
            id="null in a single sort key",
        ),
        pytest.param(
            'kind: "", rank: 1',
            f"{NOT_SUPPORTED} IndexName: bykindrank, IndexKey: kind",
            id="@index",
        ),
        pytest.param(
            'tag: ""',
            f"{NOT_SUPPORTED} IndexName: bytag, IndexKey: tag",
            id="no query",
        ),
    ],
)
def test_refused_index_keys(api: Any, fields: str, message: str) -> None:
    """An item with null in a sort key, or an empty string in any key, is rejected."""
    assert _refusal(_create(api, "Ware", fields)) == (message, DYNAMODB)


@pytest.mark.parametrize("fields", ["kind: null, rank: 1", "kind: null, rank: 2, tag: null"])
def test_null_partition_keys(api: Any, fields: str) -> None:
    """A null in the partition key of an @index is not stored: the item is not in the index."""
    answer = _create(api, "Ware", f'id: "w", {fields}', "kind")
    assert answer == {"data": {"createWare": {"kind": None}}}
    found = "{ listWares(filter: {kind: {attributeExists: true}}) { items { id } } }"
    assert _ask(api, found)["data"]["listWares"]["items"] == []


def test_foreign_keys(start: Any) -> None:
    """A null in a foreign key is stored; the index of the relation rejects it, naming itself."""
    parent = model("Box", {}, relations={"nuts": ("HAS_MANY", "Nut", ("boxId",))})
    child = model("Nut", {"boxId": "ID"}, relations={"box": ("BELONGS_TO", "Box", ("boxId",))})
    api = start(outputs(parent, child))
    assert _refusal(_create(api, "Nut", "boxId: null")) == (
        f"{TYPE} Index Key boxId Expected: S Actual: NULL IndexName: gsi-Box.nuts",
        DYNAMODB,
    )
    assert _refusal(_create(api, "Nut", 'boxId: ""')) == (
        f"{NOT_SUPPORTED} IndexName: gsi-Box.nuts, IndexKey: boxId",
        DYNAMODB,
    )
    assert _create(api, "Nut", 'id: "n"') == {"data": {"createNut": {"id": "n"}}}
    assert _refusal(_update(api, "Nut", 'id: "n", boxId: ""')) == (NOT_UPDATED, DYNAMODB)
    assert "errors" not in _update(api, "Nut", 'id: "n", boxId: null')


@pytest.mark.parametrize(
    ("fields", "index", "missing"),
    [
        ('place: "p"', "global secondary index 'gsi-Shop.wares'", "floor"),
        ('chain: "c", floor: null', "global secondary index 'gsi-Shop.wares'", "place"),
        ("rank: 1", "@index 'bychainkindrank'", "kind"),
        ('kind: "k"', "@index 'bychainkindrank'", "rank"),
    ],
)
@pytest.mark.parametrize("doing", ["creating", "updating"])
def test_parts_of_composite_keys(
    api: Any, doing: str, fields: str, index: str, missing: str
) -> None:
    """A composite index key needs all of its parts or none; null counts as a part."""
    change = _create if doing == "creating" else _update
    assert _refusal(change(api, "Ware", f'id: "w", {fields}')) == (
        (
            f"When {doing} any part of the composite sort key for {index}, you must provide all "
            f"fields for the key. Missing key: '{missing}'."
        ),
        None,
    )


def test_composite_keys_of_nulls(api: Any) -> None:
    """A composite key with null or empty parts is a string, so the item is in the index."""
    for fields in (
        'id: "w1", chain: "c", place: "p", floor: null',
        'id: "w2", chain: "c", place: "", floor: 1',
        'id: "w3", chain: "c", place: "p", floor: 1.5',
        'id: "w4", chain: "c"',
    ):
        assert "errors" not in _create(api, "Ware", fields), fields
    shop = _create(api, "Shop", 'chain: "c", place: "", floor: 1.0', "first { id }")
    assert shop == {"data": {"createShop": {"first": {"id": "w2"}}}}
    update = _update(api, "Ware", 'id: "w3", place: null, floor: null', WARES)
    assert update["data"]["updateWare"]["place"] is None
    stored = "{ listWares(filter: {place: {attributeExists: true}}) { items { id } } }"
    assert sorted(item["id"] for item in _ask(api, stored)["data"]["listWares"]["items"]) == [
        "w1",
        "w2",
    ]


def test_index_with_nulls_in_its_sort_key(api: Any) -> None:
    """Items with nulls in a composite sort key are found by the index, also after an update."""
    _create(api, "Ware", 'id: "w1", chain: "c", kind: "k", rank: 3')
    _create(api, "Ware", 'id: "w2", chain: "c", kind: "j", rank: 10')
    _create(api, "Ware", 'id: "w3", chain: "c"')
    assert _ids(api, 'wareByChain(chain: "c")') == "w2 w1"
    _update(api, "Ware", 'id: "w2", kind: null, rank: null')
    assert _ids(api, 'wareByChain(chain: "c")') == "w1 w2"
    assert _ids(api, 'wareByKind(kind: "k")') == "w1"
    _update(api, "Ware", 'id: "w1", chain: null')
    assert _ids(api, 'wareByChain(chain: "c")') == "w2"


def test_composite_key_of_a_table(api: Any) -> None:
    """The joined string of a composite sort key identifies an item, with numbers as printed."""
    assert "errors" not in _create(api, "Shop", 'chain: "c", place: "a#1", floor: 2', "chain")
    for fields in ('chain: "c", place: "a#1", floor: 2.0', 'chain: "c", place: "a", floor: 1'):
        answer = _create(api, "Shop", fields, "chain")
        assert ("errors" in answer) == ("a#1" in fields)
    assert _refusal(_create(api, "Shop", 'chain: "", place: "", floor: 1', "chain")) == (
        f"One or more parameter values are not valid. {EMPTY} Key: chain",
        DYNAMODB,
    )
    found = _ask(api, '{ getShop(chain: "c", place: "a#1", floor: 2) { place } }')
    assert found["data"]["getShop"] == {"place": "a#1"}


def test_declared_timestamps_are_parts(api: Any) -> None:
    """A timestamp in a composite sort key is always set, so the other parts are required."""
    assert _refusal(_create(api, "Stamped", 'name: "n"'))[0].endswith("Missing key: 'status'.")
    assert "errors" not in _create(api, "Stamped", 'id: "s", name: "n", status: "x"')
    assert "errors" not in _update(api, "Stamped", 'id: "s", name: "m"')
    assert (
        _ids(api, 'stampedByName(name: "m", statusCreatedAt: {beginsWith: {status: "x"}})') == "s"
    )


def test_order_of_refusals(api: Any) -> None:
    """The order of checks: parts of composite keys, rules, errors of DynamoDB, conditions."""
    guest = guest_of(api)
    for verb, fields, message in (
        ("create", "rank: 1", "When creating any part of the composite sort key"),
        ("update", 'id: "w", rank: 1', "When updating any part of the composite sort key"),
        ("update", 'id: ""', "One or more parameter values are not valid."),
        ("create", 'kind: "", rank: 1', "Not Authorized to access createWare on type Mutation"),
        ("delete", 'id: ""', "Not Authorized to access deleteWare on type Mutation"),
    ):
        error = api.error(guest, f"mutation {{ {verb}Ware(input: {{{fields}}}) {{ id }} }}")
        assert error["message"].startswith(message)
    assert _refusal(_update(api, "Ware", 'id: "none", kind: "", rank: 1')) == (
        NOT_UPDATED,
        DYNAMODB,
    )
    missing = _update(api, "Ware", 'id: "none", kind: "k", rank: 1')
    assert _refusal(missing)[1] == "DynamoDB:ConditionalCheckFailedException"
    delete = 'mutation { deleteWare(input: {id: ""}) { id } }'
    assert _refusal(_ask(api, delete))[0].endswith("Key: id")


def test_provider_before_arguments(store: Any) -> None:
    """A caller whose provider no rule names is rejected before any argument is checked."""
    create = (
        'mutation { createProduct(input: {sku: "s", warehouse: "w", shelf: 1, name: "n", rank: 1, '
        'price: {amount: 1, currency: "E"}}) { sku } }'
    )
    assert store.error(store.key, create)["errorType"] == "Unauthorized"
    error = store.error(store.key, '{ listOrders(placedAt: {eq: "x"}) { items { orderId } } }')
    assert error["errorType"] == "Unauthorized"
    by_shelf = '{ listProducts(warehouseShelf: {eq: {warehouse: "w"}}) { items { sku } } }'
    assert store.error(guest_of(store), by_shelf)["errorType"] == "InvalidArgumentsError"


def test_numeric_sort_key_of_a_relation(api: Any) -> None:
    """The deployed list of related items compares a number with text; a single item is found."""
    _create(api, "Part", 'id: "p1", pairName: "n", pairAt: 5')
    assert _refusal(_create(api, "Part", 'pairName: "n", pairAt: null')) == (
        f"{TYPE} Index Key pairAt Expected: N Actual: NULL IndexName: gsi-Pair.parts",
        DYNAMODB,
    )
    answer = _create(
        api, "Pair", 'name: "n", at: 5', "main { id pair { at } } parts { items { id } }"
    )
    assert answer["data"]["createPair"] == {"main": {"id": "p1", "pair": {"at": 5}}, "parts": None}
    assert _refusal(answer) == (
        (
            "One or more parameter values were invalid: Condition parameter type does not match "
            "schema type"
        ),
        DYNAMODB,
    )


def test_composite_index_added_later(start: Any) -> None:
    """A composite index of a later deployment finds an item after an update sets its parts."""
    fields = {"name": "String", "day": "String", "rank": "Int"}
    old = start(outputs(model("Row", fields)))
    _create(old, "Row", 'id: "r", name: "n", day: "d", rank: 1')
    new = start(outputs(model("Row", fields, indexes={"rowByName": ("name", "day", "rank")})))
    assert _ids(new, 'rowByName(name: "n")') == ""
    _update(new, "Row", 'id: "r", day: "d", rank: 1')
    assert _ids(new, 'rowByName(name: "n")') == "r"
