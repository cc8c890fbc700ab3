"""Random documents and variables cause no internal error: each is executed or rejected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_SETTINGS = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_WORDS = [
    "\n",
    "#c",
    *r"""
    query mutation subscription fragment on { } { } ( ) [ ] : ! = ... $ $i $t @skip @include if
    true false null 1 -2.5 1e400 99999999999 "x" "\ud83d" "S" ASC BOOK
    id sku name items nextToken stocks price amount input filter limit sortDirection warehouseShelf
    listProducts getProduct createProduct updateProduct deleteProduct productsByCategory
    createScalars listScalars category between eq ne size contains and or not
    aJson aFloat aDateTime aTimestamp __typename __schema types Product CreateProductInput Int String
    ping echo adjustPrice
    """.split(),  # noqa: SIM905 - one word a line would fill the page
]
_DOCUMENTS = st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join)
_ODD = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=10),
        st.sampled_from(["S", "W", "2025-01-01", "BOOK", "", "{}", "é#1", 10**400, 2**31]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["eq", "and", "x", "sku", "between"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_PRODUCT = st.fixed_dictionaries(
    {
        "sku": st.text(max_size=5),
        "warehouse": st.text(max_size=5),
        "shelf": st.integers(-3, 3),
        "name": st.text(max_size=5),
        "price": st.just({"amount": 1, "currency": "EUR"}),
    },
    optional={
        "rank": st.none() | st.integers(0, 5),
        "launchDate": st.none() | st.just("2025-01-01"),
        "manufacturer": st.none() | st.text(max_size=3),
        "category": st.none() | st.sampled_from(["BOOK", "GAME", "x"]),
        "discontinued": st.booleans() | st.none(),
    },
)
_TEXT_FILTER = st.dictionaries(
    st.sampled_from(
        ["eq", "ne", "lt", "ge", "between", "contains", "notContains", "beginsWith", "size"]
    ),
    st.none() | st.text(max_size=3) | st.lists(st.text(max_size=2), max_size=3),
    max_size=2,
) | st.fixed_dictionaries({"size": st.dictionaries(st.sampled_from(["gt", "eq"]), st.integers())})
_NUMBER_FILTER = st.dictionaries(
    st.sampled_from(["eq", "ne", "lt", "between"]),
    st.none() | st.integers(-3, 3) | st.lists(st.integers(0, 3) | st.none(), max_size=3),
    max_size=2,
)
_FILTER = st.recursive(
    st.fixed_dictionaries(
        {}, optional={"name": _TEXT_FILTER, "rank": _NUMBER_FILTER, "sku": _TEXT_FILTER}
    ),
    lambda inner: st.fixed_dictionaries(
        {}, optional={"and": st.lists(inner, max_size=2), "or": st.lists(inner), "not": inner}
    ),
    max_leaves=4,
)
_KEY = st.dictionaries(
    st.sampled_from(["eq", "lt", "between", "beginsWith"]),
    st.none() | _ODD | st.fixed_dictionaries({}, optional={"warehouse": st.text(max_size=3)}),
    max_size=2,
)
_LIST = (
    "query ($sku: ID, $key: ModelProductPrimaryCompositeKeyConditionInput, $limit: Int,"
    " $filter: ModelProductFilterInput, $token: String, $direction: ModelSortDirection) {"
    " listProducts(sku: $sku, warehouseShelf: $key, filter: $filter, limit: $limit,"
    " nextToken: $token, sortDirection: $direction) { items { sku name } nextToken } }"
)
_WRITE = (
    "mutation ($c: CreateProductInput!, $u: UpdateProductInput!, $d: DeleteProductInput!,"
    " $if: ModelProductConditionInput) { createProduct(input: $c) { sku rank }"
    " updateProduct(input: $u, condition: $if) { sku name } deleteProduct(input: $d) { sku } }"
)


def _check(api: Any, query: Any, variables: Any) -> None:
    body = json.dumps({"query": query, "variables": variables}).encode()
    status, _, document = api.post("/graphql", body, api.developer)
    assert status in {200, 400}, document
    assert api.sandbox.handler_errors == []
    assert isinstance(document, dict)


@_SETTINGS
@given(document=_DOCUMENTS | st.text(max_size=50), variables=_ODD)
def test_documents(store: Any, document: str, variables: Any) -> None:
    """Any document is rejected or executed."""
    _check(store, document, variables)


@_SETTINGS
@given(product=_PRODUCT, change=_PRODUCT, odd=_ODD, condition=_FILTER)
def test_writes(store: Any, product: Any, change: Any, odd: Any, condition: Any) -> None:
    """Any input is rejected or stored."""
    key = {name: product[name] for name in ("sku", "warehouse", "shelf")}
    variables = {"c": product, "u": {**change, **key}, "d": key, "if": condition}
    _check(store, _WRITE, variables)
    _check(store, _WRITE, {**variables, "u": odd})


@_SETTINGS
@given(
    sku=st.none() | st.text(max_size=3),
    key=st.none() | _KEY,
    limit=st.none() | st.integers(-1, 3) | st.just(2**31 - 1),
    wanted=st.none() | _FILTER,
    token=st.none() | st.text(max_size=8),
    direction=st.sampled_from([None, "ASC", "DESC", "x"]),
)
def test_reads(
    store: Any, sku: Any, key: Any, limit: Any, wanted: Any, token: Any, direction: Any
) -> None:
    """Any list arguments are rejected or executed."""
    create = "mutation ($i: CreateProductInput!) { createProduct(input: $i) { sku } }"
    price = {"amount": 1, "currency": "EUR"}
    product = {"sku": sku or "S", "warehouse": "W", "shelf": 1, "name": "n", "price": price}
    _check(store, create, {"i": product})
    variables = {"sku": sku, "key": key, "limit": limit, "filter": wanted}
    _check(store, _LIST, {**variables, "token": token, "direction": direction})


@pytest.mark.parametrize("depth", [50, 400, 3000])
def test_depth(people: Any, depth: int) -> None:
    """A document of any depth is rejected or executed."""
    people.data(
        people.key,
        'mutation { createPerson(input: {id: "a", bossId: "a"}) { id } }',
    )
    query = '{ getPerson(id: "a") ' + "{ boss " * depth + "{ id }" + " }" * (depth + 1)
    status, _, document = people.send(people.key, query)
    assert status in {200, 400}
    assert isinstance(document, dict)


@_SETTINGS
@given(
    scalars=st.dictionaries(
        st.sampled_from(["aJson", "aInt", "aFloat", "jsons", "aUrl", "aIp"]), _ODD
    )
)
def test_scalars(store: Any, scalars: Any) -> None:
    """Any value of a scalar is rejected or stored."""
    document = "mutation ($i: CreateScalarsInput!) { createScalars(input: $i) { aJson aFloat } }"
    _check(store, document, {"i": {**scalars, "arrReq": []}})
