"""Tables and indexes: the order of items, pages, and the effects of a new deployment."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from tests.local_appsync.conftest import example

PRODUCT = {"sku": "S", "warehouse": "W", "shelf": 1, "name": "n"}
PRICE = {"amount": 1, "currency": "EUR"}
CREATE = "mutation ($i: CreateProductInput!) { createProduct(input: $i) { sku } }"
UPDATE = "mutation ($i: UpdateProductInput!) { updateProduct(input: $i) { sku } }"


def _field(name: str, kind: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "isArray": False,
        "type": kind,
        "isRequired": required,
        "attributes": [],
    }


def _key(*fields: str, name: str | None = None) -> dict[str, Any]:
    named = {} if name is None else {"name": name, "queryField": name}
    return {"type": "key", "properties": {**named, "fields": list(fields)}}


def _outputs(fields: dict[str, str], *keys: dict[str, Any]) -> dict[str, Any]:
    """Return outputs with one model, ``Thing``, of an id and other *fields*."""
    document: dict[str, Any] = copy.deepcopy(example("todo_userpool.json").document)
    primary = next(
        (key["properties"]["fields"] for key in keys if "name" not in key["properties"]), None
    )
    introspection = document["data"]["model_introspection"]
    introspection["models"] = {
        "Thing": {
            "name": "Thing",
            "pluralName": "Things",
            "syncable": True,
            "fields": {
                name: _field(name, kind, required=name in (primary or ["id"]))
                for name, kind in {"id": "ID", **fields}.items()
            },
            "attributes": [{"type": "model", "properties": {}}, *keys],
            "primaryKeyInfo": {
                "isCustomPrimaryKey": primary is not None,
                "primaryKeyFieldName": (primary or ["id"])[0],
                "sortKeyFieldNames": (primary or ["id"])[1:],
            },
        }
    }
    for name in ("queries", "mutations", "nonModels", "enums", "inputs"):
        introspection[name] = {}
    return document


def _create(api: Any, **fields: Any) -> None:
    document = "mutation ($i: CreateThingInput!) { createThing(input: $i) { id } }"
    api.data(api.developer, document, {"i": fields})


def _pages(api: Any, query: str, *, limit: int, arguments: str = "") -> list[Any]:
    """Return the ids of all pages of *query*, a field with its *arguments*."""
    document = (
        f"query ($t: String) {{ {query}({arguments} limit: {limit}, nextToken: $t)"
        " { items { id } nextToken } }"
    )
    found, token = [], None
    while True:
        page = api.data(api.developer, document, {"t": token})
        assert len(page["items"]) <= limit
        found += [item["id"] for item in page["items"]]
        token = page["nextToken"]
        if token is None:
            return found


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        # Code units of UTF-16 would sort the fourth before the third.
        pytest.param("String", ["", "a", "a\uffff", "a\U0001f600", "ä"], id="texts"),
        pytest.param("Int", [-5, -1, 0, 2, 10], id="numbers"),
        pytest.param("Float", [-1e300 / 1e200, -0.5, 0, 9.5, 1e100], id="floats"),
        pytest.param("AWSTimestamp", [-(2**31), -1, 0, 2**31 - 2, 2**31 - 1], id="timestamps"),
    ],
)
def test_order(start: Any, kind: str, values: list[Any]) -> None:
    """Strings sort by their UTF-8 bytes and numbers by value, across pages."""
    api = start(_outputs({"part": "String", "sort": kind}, _key("part", "sort", name="byPart")))
    order = [2, 0, 4, 1, 3]
    for number in order:
        if values[number] != "":  # DynamoDB has no empty keys
            _create(api, id=str(number), part="p", sort=values[number])
    expected = [str(number) for number, value in enumerate(values) if value != ""]
    for direction, limit in itertools.product(("ASC", "DESC"), (1, 2, 10)):
        arguments = f'part: "p", sortDirection: {direction}'
        found = _pages(api, "byPart", limit=limit, arguments=arguments)
        assert found == (expected if direction == "ASC" else expected[::-1]), (direction, limit)


def test_pages_of_a_condition(start: Any) -> None:
    """The pages of a key condition together are all matching items, also with equal sort keys."""
    api = start(_outputs({"part": "String", "sort": "Int"}, _key("part", "sort", name="byPart")))
    for name, sort in zip("abcdefg", [2, 0, 2, 4, 1, 2, 3], strict=True):
        _create(api, id=f"{sort}{name}", part="p", sort=sort)
    conditions = {
        "{eq: 2}": [2, 2, 2],
        "{lt: 2}": [0, 1],
        "{le: 2}": [0, 1, 2, 2, 2],
        "{gt: 2}": [3, 4],
        "{ge: 2}": [2, 2, 2, 3, 4],
        "{between: [1, 3]}": [1, 2, 2, 2, 3],
        "{between: [2, 2]}": [2, 2, 2],
    }
    cases = itertools.product(conditions.items(), ("ASC", "DESC"), (1, 2, 100))
    for (condition, expected), direction, limit in cases:
        arguments = f'part: "p", sort: {condition}, sortDirection: {direction}'
        found = [int(each[0]) for each in _pages(api, "byPart", limit=limit, arguments=arguments)]
        assert found == (expected if direction == "ASC" else expected[::-1]), (arguments, limit)


def test_begins_with(start: Any) -> None:
    """beginsWith finds all keys with the prefix, even with the highest character after it."""
    api = start(_outputs({"part": "String", "sort": "String"}, _key("part", "sort", name="byPart")))
    for text in ("a", "ab", "ab\U0010ffff", "ac", "b"):
        _create(api, id=text, part="p", sort=text)
    assert _pages(api, "byPart", limit=1, arguments='part: "p", sort: {beginsWith: "ab"}') == [
        "ab",
        "ab\U0010ffff",
    ]


def test_begins_with_nothing(start: Any) -> None:
    """beginsWith on a composite key without any field matches all items."""
    fields = {"part": "String", "sort": "String", "number": "Int"}
    api = start(_outputs(fields, _key("part", "sort", "number", name="byPart")))
    for text in ("a", "\U0010ffff"):
        _create(api, id=text, part="p", sort=text, number=1)
    arguments = 'part: "p", sortNumber: {beginsWith: {}}'
    assert _pages(api, "byPart", limit=1, arguments=arguments) == ["a", "\U0010ffff"]
    arguments = 'part: "p", sortNumber: {beginsWith: {sort: "\U0010ffff"}}'
    assert _pages(api, "byPart", limit=1, arguments=arguments) == ["\U0010ffff"]


def test_token_of_another_query(start: Any) -> None:
    """A token is valid for the same index, partition, condition and direction only."""
    api = start(_outputs({"part": "String", "sort": "Int"}, _key("part", "sort", name="byPart")))
    for number in range(3):
        _create(api, id=str(number), part="p", sort=number)
    document = (
        "query ($p: String!, $s: ModelIntKeyConditionInput, $t: String, $d: ModelSortDirection)"
        " { byPart(part: $p, sort: $s, limit: 1, nextToken: $t, sortDirection: $d) { nextToken } }"
    )
    arguments = {"p": "p", "s": {"ge": 0}, "d": "ASC"}
    token = api.data(api.developer, document, arguments)["nextToken"]
    assert api.data(api.developer, document, {**arguments, "t": token})["nextToken"]
    for other in ({"p": "q"}, {"s": {"ge": 1}}, {"s": None}, {"d": "DESC"}):
        error = api.error(api.developer, document, {**arguments, **other, "t": token})
        assert error["message"] == "Invalid pagination token given."


def test_one_number_in_two_forms(start: Any) -> None:
    """1 and 1.0 are the same key, in a table and in an index."""
    api = start(
        _outputs({"number": "Float"}, _key("number", "id"), _key("number", name="byNumber"))
    )
    _create(api, number=1.0, id="a")
    get = 'query ($n: Float!) { getThing(number: $n, id: "a") { id } }'
    assert api.data(api.developer, get, {"n": 1}) == {"id": "a"}
    assert _pages(api, "byNumber", limit=5, arguments="number: 1,") == ["a"]


def test_composite_texts_that_are_equal(store: Any) -> None:
    """A composite sort key is one string: parts that join to the same string are the same item."""
    first = {**PRODUCT, "price": PRICE, "warehouse": "a#1", "shelf": 2}
    store.data(store.developer, CREATE, {"i": first})
    get = 'query { getProduct(sku: "S", warehouse: "a#1", shelf: 2) { name } }'
    assert store.data(store.developer, get) == {"name": "n"}
    store.data(store.developer, CREATE, {"i": {**first, "warehouse": "", "sku": "E"}})
    listed = '{ listProducts(sku: "E") { items { warehouse shelf } } }'
    assert store.data(store.developer, listed) == {"items": [{"warehouse": "", "shelf": 2}]}


def test_nulls_in_a_composite_index_key(store: Any) -> None:
    """The string of a composite key includes null parts, and the item is in the index."""
    arguments = {**PRODUCT, "price": PRICE, "manufacturer": "M", "launchDate": None, "rank": 1}
    store.data(store.developer, CREATE, {"i": arguments})
    query = '{ listProductByManufacturerAndLaunchDateAndRank(manufacturer: "M") { items { sku } } }'
    assert store.data(store.developer, query) == {"items": [{"sku": "S"}]}
    key = {name: PRODUCT[name] for name in ("sku", "warehouse", "shelf")}
    store.data(store.developer, UPDATE, {"i": {**key, "launchDate": None, "rank": None}})
    assert store.data(store.developer, query) == {"items": [{"sku": "S"}]}
    store.data(store.developer, UPDATE, {"i": {**key, "manufacturer": None}})
    assert store.data(store.developer, query) == {"items": []}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "null",
            (
                "One or more parameter values were invalid: Type mismatch for Index Key postId "
                "Expected: S Actual: NULL IndexName: gsi-Post.meta"
            ),
        ),
        ('""', "IndexName: gsi-Post.meta, IndexKey: postId"),
    ],
)
def test_foreign_keys(blog: Any, value: str, message: str) -> None:
    """A foreign key is the key of the relation's own index, which rejects null and empty strings."""
    document = f'mutation {{ createPostMeta(input: {{id: "m", postId: {value}}}) {{ id }} }}'
    error = blog.error(blog.developer, document)
    assert message in error["message"]
    assert error["errorType"] == "DynamoDB:DynamoDbException"


def test_parts_of_a_composite_key_are_no_keys(store: Any) -> None:
    """A filter may name the fields of a composite sort key."""
    store.data(store.developer, CREATE, {"i": {**PRODUCT, "price": PRICE}})
    query = '{ listProducts(sku: "S", filter: {warehouse: {eq: "W"}}) { items { sku } } }'
    assert store.data(store.developer, query) == {"items": [{"sku": "S"}]}


def test_pages_of_a_composite_relation(store: Any) -> None:
    """The items of a relation by several fields have one sort key, and pages."""
    store.data(store.developer, CREATE, {"i": {**PRODUCT, "price": PRICE}})
    move = "mutation ($i: CreateStockMoveInput!) { createStockMove(input: $i) { id } }"
    for number in range(5):
        given = {"id": str(number), "sku": "S", "warehouse": "W", "shelf": 1, "delta": number}
        store.data(store.developer, move, {"i": given})
    store.data(store.developer, move, {"i": {"sku": "S", "warehouse": "W", "shelf": 2, "delta": 9}})
    document = (
        'query ($t: String) { getProduct(sku: "S", warehouse: "W", shelf: 1)'
        " { stocks(limit: 2, nextToken: $t) { items { delta } nextToken } } }"
    )
    found, token = [], None
    for _ in range(3):
        page = store.data(store.developer, document, {"t": token})["stocks"]
        found += [item["delta"] for item in page["items"]]
        token = page["nextToken"]
    assert (sorted(found), token) == ([0, 1, 2, 3, 4], None)


# --- after another deployment ----------------------------------------------------------------


def test_removed_and_restored_field(start: Any) -> None:
    """A removed field stays in its items, and is shown again when it is added again."""
    full, short = _outputs({"a": "String", "b": "String"}), _outputs({"a": "String"})
    _create(start(full), id="x", a="1", b="2")
    api = start(short)
    document = 'mutation { updateThing(input: {id: "x", a: "3"}) { id a } }'
    assert api.data(api.developer, document) == {"id": "x", "a": "3"}
    api = start(full)
    assert api.data(api.developer, '{ getThing(id: "x") { a b } }') == {"a": "3", "b": "2"}


def test_a_field_of_another_type(start: Any) -> None:
    """A value of the old type stays, gives an error when read, and is in no index of the new type."""
    index = _key("part", "sort", name="byPart")
    api = start(_outputs({"part": "String", "sort": "String"}, index))
    _create(api, id="old", part="p", sort="text")
    api = start(_outputs({"part": "String", "sort": "Int"}, _key("part", "sort", name="byOther")))
    assert _pages(api, "byOther", limit=5, arguments='part: "p"') == []
    error = api.error(api.developer, '{ getThing(id: "old") { sort } }')
    assert "sort" in str(error["path"])
    api.data(api.developer, 'mutation { updateThing(input: {id: "old", sort: 1}) { id } }')
    assert _pages(api, "byOther", limit=5, arguments='part: "p"') == ["old"]


def test_a_key_of_another_type(start: Any) -> None:
    """An index whose key changes its type is rebuilt: no item is in it twice."""
    index = _key("part", "sort", name="byPart")
    api = start(_outputs({"part": "String", "sort": "Int"}, index))
    _create(api, id="x", part="p", sort=1)
    api = start(_outputs({"part": "String", "sort": "String"}, index))
    assert _pages(api, "byPart", limit=5, arguments='part: "p"') == []
    api.data(api.developer, 'mutation { updateThing(input: {id: "x", sort: "1"}) { id } }')
    assert _pages(api, "byPart", limit=5, arguments='part: "p"') == ["x"]


@pytest.mark.parametrize("value", ["[1]", "true", "1", "99999999999999999999", '{\\"a\\": 1}'])
def test_a_value_that_is_no_key(start: Any, value: str) -> None:
    """A query by a partition key of AWSJSON accepts any value, but only strings find items."""
    api = start(_outputs({"part": "AWSJSON"}, _key("part", name="byPart")))
    _create(api, id="x", part='"1"')
    assert _pages(api, "byPart", limit=5, arguments=f'part: "{value}"') == []
    assert _pages(api, "byPart", limit=5, arguments='part: "\\"1\\""') == ["x"]


def test_another_key_is_another_table(start: Any) -> None:
    """A model whose key changes is empty, as on AWS; with the old key the items exist again."""
    old, new = _outputs({"name": "String"}), _outputs({"name": "String"}, _key("name"))
    _create(start(old), id="x", name="n")
    api = start(new)
    assert _pages(api, "listThings", limit=5) == []
    _create(api, id="y", name="n")
    assert _pages(start(old), "listThings", limit=5) == ["x"]
    assert _pages(start(new), "listThings", limit=5) == ["y"]


def test_another_api_has_other_items(start: Any) -> None:
    """Two APIs that use the same state have separate items."""
    document = _outputs({})
    _create(start(document), id="a")
    other = copy.deepcopy(document)
    other["data"]["url"] = document["data"]["url"].replace("https://", "https://other")
    assert _pages(start(other), "listThings", limit=9) == []
    assert _pages(start(document), "listThings", limit=9) == ["a"]


def test_removed_and_restored_model(start: Any) -> None:
    """The items of a removed model stay in the state, and exist when it is added again."""
    document = _outputs({})
    _create(start(document), id="x")
    start("todo_userpool.json")
    assert _pages(start(document), "listThings", limit=5) == ["x"]


def test_scan_order_is_arbitrary(start: Any) -> None:
    """A list is neither in the order of creation nor in that of the keys."""
    api = start(_outputs({}))
    ids = [f"{number:03}" for number in range(20)]
    for each in ids:
        _create(api, id=each)
    found = _pages(api, "listThings", limit=7)
    assert sorted(found) == ids
    assert not all(first < second for first, second in itertools.pairwise(found))
