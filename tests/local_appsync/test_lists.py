"""Lists and index queries: keys, order, limits, tokens and filters."""

from __future__ import annotations

from typing import Any

import pytest

from seedctl.local.appsync.filters import matches
from tests.cases import case

LIST = (
    "query ($limit: Int, $token: String, $filter: ModelPostFilterInput) {"
    " listPosts(limit: $limit, nextToken: $token, filter: $filter) { items { id } nextToken } }"
)
ROWS = [
    {"id": "p1", "title": "Alpha", "rating": 1.5, "views": 10, "tags": ["a", "b"], "labels": []},
    {"id": "p2", "title": "Beta", "body": None, "views": 9, "labels": ["x"], "status": "DRAFT"},
    {"id": "p3", "title": "beta two", "body": "text", "labels": ["y"], "status": "PUBLISHED"},
]


@pytest.fixture(scope="module")
def posts(start_shared: Any) -> Any:
    blog = start_shared("blog_apikey.json")
    for row in ROWS:
        document = "mutation ($i: CreatePostInput!) { createPost(input: $i) { id } }"
        blog.data(blog.key, document, {"i": row})
    return blog


def _ids(page: Any) -> list[str]:
    return sorted(item["id"] for item in page["items"])


def test_filters(posts: Any) -> None:
    """Filters compare as DynamoDB does."""
    for case_name, wanted, found in (
        ("nothing", {}, "p1 p2 p3"),
        ("eq", {"title": {"eq": "Beta"}}, "p2"),
        ("ne", {"title": {"ne": "Beta"}}, "p1 p3"),
        ("ne of what is missing", {"body": {"ne": "text"}}, "p1 p2"),
        ("null is stored", {"body": {"eq": None}}, "p2"),
        ("does not exist", {"body": {"attributeExists": False}}, "p1"),
        ("null exists", {"body": {"attributeExists": True}}, "p2 p3"),
        ("type null", {"body": {"attributeType": "_null"}}, "p2"),
        ("lt", {"title": {"lt": "Beta"}}, "p1"),
        ("le", {"title": {"le": "Beta"}}, "p1 p2"),
        ("gt of numbers", {"views": {"gt": 9}}, "p1"),
        ("ge", {"views": {"ge": 9}}, "p1 p2"),
        ("between", {"views": {"between": [9, 10]}}, "p1 p2"),
        ("above the lower end", {"views": {"between": [10, 11]}}, "p1"),
        ("below the upper end", {"views": {"between": [8, 9]}}, "p2"),
        ("beginsWith", {"title": {"beginsWith": "B"}}, "p2"),
        ("contains", {"title": {"contains": "eta"}}, "p2 p3"),
        ("notContains", {"title": {"notContains": "eta"}}, "p1"),
        ("member of a list", {"tags": {"contains": "a"}}, "p1"),
        ("no member of a list", {"tags": {"notContains": "z"}}, "p1 p2 p3"),
        ("size", {"title": {"size": {"gt": 5}}}, "p3"),
        ("enum", {"status": {"eq": "DRAFT"}}, "p2"),
        ("two operators", {"views": {"gt": 9, "lt": 11}}, "p1"),
        ("two fields", {"views": {"gt": 8}, "title": {"eq": "Beta"}}, "p2"),
        ("or", {"or": [{"id": {"eq": "p1"}}, {"id": {"eq": "p3"}}]}, "p1 p3"),
        ("and", {"and": [{"id": {"ge": "p2"}}, {"id": {"le": "p2"}}]}, "p2"),
        ("not", {"not": {"id": {"eq": "p1"}}}, "p2 p3"),
        ("or without alternatives", {"or": [], "title": {"eq": "Beta"}}, "p2"),
        ("nested", {"not": {"or": [{"not": {"id": {"ne": "p1"}}}]}}, "p2 p3"),
    ):
        with case(case_name):
            assert _ids(posts.data(posts.key, LIST, {"filter": wanted})) == found.split()


def test_a_boolean_is_no_number() -> None:
    """Stored items may be older than a change of the field's type."""
    assert not matches({"done": {"eq": True}}, {"done": 1})
    assert not matches({"done": {"eq": 0}}, {"done": False})
    assert matches({"done": {"eq": True}}, {"done": True})


def test_sizes_of_what_has_none() -> None:
    """Numbers and missing values have no size; a null in place of a comparison asks for nothing."""
    for item in ({"a": 5}, {"a": None}, {}):
        assert not matches({"a": {"size": {"ge": 0}}}, item)
    assert matches({"a": {"size": None}}, {"a": "text"})
    assert matches({"a": {"size": {"eq": 1}}}, {"a": ["text"]})


def test_the_size_of_a_text_is_its_number_of_bytes() -> None:
    """Letters beyond ASCII count as the bytes of their UTF-8."""
    assert matches({"title": {"size": {"eq": 10}}}, {"title": "ßüßüß"})
    assert not matches({"title": {"size": {"eq": 5}}}, {"title": "ßüßüß"})


@pytest.mark.parametrize("wanted", [{"title": {}}, {"and": []}, {"views": {"between": [1]}}])
def test_filter_without_comparisons(posts: Any, wanted: Any) -> None:
    """A filter without comparisons is rejected."""
    error = posts.error(posts.key, LIST, {"filter": wanted})
    assert error["errorType"] == "Unrecognized Filter"
    assert error["message"] == "Unable to process the filter expression"


def test_pages(posts: Any) -> None:
    """Pages have no gaps; if the last page is full, it has a token for an empty page."""
    seen, token, sizes = [], None, []
    while True:
        page = posts.data(posts.key, LIST, {"limit": 1, "token": token})
        seen += _ids(page)
        sizes.append(len(page["items"]))
        token = page["nextToken"]
        if token is None:
            break
    assert sorted(seen) == ["p1", "p2", "p3"]
    assert sizes == [1, 1, 1, 0]


def test_limit_before_filter(posts: Any) -> None:
    """A limit counts the items that are read, so that a page may be empty and have a token."""
    pages: list[list[str]] = []
    token = None
    while not pages or token is not None:
        variables = {"limit": 1, "token": token, "filter": {"id": {"eq": "p2"}}}
        page = posts.data(posts.key, LIST, variables)
        pages.append(_ids(page))
        token = page["nextToken"]
    assert sorted(pages) == [[], [], [], ["p2"]]


def test_default_limit(todo: Any) -> None:
    """Without a limit a page has 100 items."""
    document = "mutation { createTodo(input: {}) { id } }"
    for _ in range(101):
        todo.data(todo.developer, document)
    page = todo.data(todo.developer, "{ listTodos { items { id } nextToken } }")
    assert len(page["items"]) == 100
    assert page["nextToken"] is not None


def test_large_items_end_a_page(todo: Any) -> None:
    """A page also ends after a megabyte has been read."""
    document = "mutation ($i: CreateTodoInput!) { createTodo(input: $i) { id } }"
    for _ in range(4):
        todo.data(todo.developer, document, {"i": {"content": "x" * 350_000}})
    page = todo.data(todo.developer, "{ listTodos { items { id } nextToken } }")
    assert len(page["items"]) == 3
    rest = todo.data(
        todo.developer,
        "query ($t: String) { listTodos(nextToken: $t) { items { id } nextToken } }",
        {"t": page["nextToken"]},
    )
    assert len(rest["items"]) == 1
    assert rest["nextToken"] is None


def test_token_of_another_list(posts: Any) -> None:
    """A token that was not issued for this list is rejected."""
    for token in (
        "x",
        "eA==",
        "",
        "é",
    ):
        with case(token):
            error = posts.error(posts.key, LIST, {"token": token})
            assert error["message"] == "Invalid pagination token given."


def test_bad_limit(posts: Any) -> None:
    """DynamoDB rejects a limit below one."""
    assert posts.error(posts.key, LIST, {"limit": 0})["errorType"] == "DynamoDB:DynamoDbException"


@pytest.fixture(scope="module")
def products(start_shared: Any) -> Any:
    return _with_products(start_shared("store_userpool.json"))


def _with_products(store: Any) -> Any:
    document = "mutation ($i: CreateProductInput!) { createProduct(input: $i) { sku } }"
    for number, (warehouse, shelf) in enumerate([("A", 1), ("A", 2), ("A", 10), ("B", 1)]):
        product = {
            "sku": "S",
            "warehouse": warehouse,
            "shelf": shelf,
            "name": f"n{number}",
            "price": {"amount": 1, "currency": "EUR"},
            "category": "BOOK",
            "rank": [3, 20, 1, 4][number],
            "manufacturer": "M",
            "launchDate": f"2025-01-0{number + 1}",
        }
        store.data(store.developer, document, {"i": product})
    return store


def _places(page: Any) -> str:
    return " ".join(f"{item['warehouse']}{item['shelf']}" for item in page["items"])


def _list(arguments: str) -> str:
    return f"{{ listProducts({arguments}) {{ items {{ warehouse shelf }} nextToken }} }}"


def test_composite_sort_key(products: Any) -> None:
    """A list with its partition key is a query, in the order of the sort key."""
    for arguments, found in (
        # Composite keys sort as text: 10 comes before 2.
        ('sku: "S"', "A1 A10 A2 B1"),
        ('sku: "S", sortDirection: DESC', "B1 A2 A10 A1"),
        ('sku: "none"', ""),
        ('sku: "S", warehouseShelf: {beginsWith: {warehouse: "A"}}', "A1 A10 A2"),
        ('sku: "S", warehouseShelf: {eq: {warehouse: "A", shelf: 2}}', "A2"),
        ('sku: "S", warehouseShelf: {gt: {warehouse: "A", shelf: 2}}', "B1"),
        (
            'sku: "S", warehouseShelf: {between: [{warehouse: "A", shelf: 10}, {warehouse: "B"}]}',
            "A10 A2",
        ),
    ):
        with case(arguments, found):
            assert _places(products.data(products.developer, _list(arguments))) == found


def test_index(products: Any) -> None:
    """An index sorts by its own keys: numbers by their value."""
    for arguments, found in (
        ("category: BOOK", "A10 A1 B1 A2"),
        ("category: BOOK, sortDirection: DESC", "A2 B1 A1 A10"),
        ("category: BOOK, rank: {ge: 4}", "B1 A2"),
        ("category: BOOK, rank: {between: [3, 4]}", "A1 B1"),
        ("category: GAME", ""),
    ):
        with case(arguments, found):
            document = f"{{ productsByCategory({arguments}) {{ items {{ warehouse shelf }} }} }}"
            assert _places(products.data(products.developer, document)) == found


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_index_pages(products: Any, direction: str) -> None:
    """The pages of a query continue the order, in either direction."""
    document = (
        "query ($t: String) { productsByCategory(category: BOOK, limit: 3, nextToken: $t,"
        f" sortDirection: {direction}) {{ items {{ warehouse shelf }} nextToken }} }}"
    )
    first = products.data(products.developer, document)
    second = products.data(products.developer, document, {"t": first["nextToken"]})
    places = f"{_places(first)} {_places(second)}".split()
    expected = ["A10", "A1", "B1", "A2"]
    assert places == (expected if direction == "ASC" else expected[::-1])
    assert second["nextToken"] is None


def test_item_leaves_an_index(store: Any) -> None:
    """An item is found by its new index key after a change, and not after a removal."""
    products = _with_products(store)
    key = '{sku: "S", warehouse: "A", shelf: 1'
    change = "mutation { updateProduct(input: %s, category: %s}) { sku } }"
    books = "{ productsByCategory(category: BOOK) { items { warehouse shelf } } }"
    games = books.replace("BOOK", "GAME")
    products.data(products.developer, change % (key, "GAME"))
    assert _places(products.data(products.developer, games)) == "A1"
    products.data(products.developer, change % (key, "null"))
    assert _places(products.data(products.developer, games)) == ""
    products.data(
        products.developer,
        'mutation { deleteProduct(input: {sku: "S", warehouse: "A", shelf: 2}) { sku } }',
    )
    assert _places(products.data(products.developer, books)) == "A10 B1"
