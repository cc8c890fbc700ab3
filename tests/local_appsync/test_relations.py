"""Relations: read in queries, hidden in the responses of mutations."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.local_appsync.builders import OWNER, model, outputs


def _make(api: Any, headers: Any, model: str, **fields: Any) -> str:
    document = f"mutation ($i: Create{model}Input!) {{ create{model}(input: $i) {{ id }} }}"
    item: dict[str, str] = api.data(headers, document, {"i": fields})
    return item["id"]


@pytest.fixture
def written(blog: Any) -> Any:
    make = partial(_make, blog, blog.developer)
    make("Author", id="a1", name="Ann", address={"city": "Ulm", "geo": {"lat": 1, "lon": 2}})
    make("Post", id="p1", title="One", labels=[], authorId="a1")
    make("Post", id="p2", title="Two", labels=[])
    for number in range(3):
        make("Comment", id=f"c{number}", text=f"t{number}", postId="p1")
    make("Comment", id="lost", text="t", postId="nowhere")
    make("PostMeta", id="m1", postId="p1", seoTitle="seo")
    make("Tag", id="t1", name="red")
    make("PostTag", id="j1", postId="p1", tagId="t1")
    return blog


def test_all_kinds(written: Any) -> None:
    """Children, parent, a single item and the join model are found by their foreign keys."""
    document = (
        '{ getPost(id: "p1") { author { name address { city geo { lat } } } meta { seoTitle }'
        " comments { items { text } nextToken } postTags { items { tag { name } } } } }"
    )
    post = written.data(written.key, document)
    post["comments"]["items"].sort(key=lambda item: item["text"])
    assert post == {
        "author": {"name": "Ann", "address": {"city": "Ulm", "geo": {"lat": 1.0}}},
        "meta": {"seoTitle": "seo"},
        "comments": {"items": [{"text": f"t{n}"} for n in range(3)], "nextToken": None},
        "postTags": {"items": [{"tag": {"name": "red"}}]},
    }


def test_missing_foreign_keys(written: Any) -> None:
    """A missing or dangling foreign key gives null or an empty list."""
    document = '{ getPost(id: "p2") { author { id } meta { id } comments { items { id } } } }'
    assert written.data(written.key, document) == {
        "author": None,
        "meta": None,
        "comments": {"items": []},
    }
    document = '{ getComment(id: "lost") { post { id } } }'
    assert written.data(written.key, document) == {"post": None}


def test_related_list_arguments(written: Any) -> None:
    """A related list has its own filter, limit and tokens."""
    document = (
        'query ($t: String) { getPost(id: "p1") { comments(limit: 2, nextToken: $t,'
        ' filter: {text: {ne: "t1"}}) { items { text } nextToken } } }'
    )
    first = written.data(written.key, document)["comments"]
    second = written.data(written.key, document, {"t": first["nextToken"]})["comments"]
    found = [item["text"] for item in first["items"] + second["items"]]
    assert sorted(found) == ["t0", "t2"]


def test_related_rules(store: Any) -> None:
    """A relation to a model that the caller may not read is an error; the rest is returned."""
    key = {"sku": "S", "warehouse": "W", "shelf": 1}
    product = {**key, "name": "n", "price": {"amount": 1, "currency": "EUR"}}
    document = "mutation ($i: CreateProductInput!) { createProduct(input: $i) { sku } }"
    store.data(store.developer, document, {"i": product})
    _make(store, store.developer, "StockMove", **key, delta=1)
    _make(store, store.developer, "StockMove", **{**key, "shelf": 2}, delta=2)
    document = "{ listProducts { items { sku stocks { items { delta product { name } } } } } }"
    answer = store.execute(store.key, document)
    assert answer["data"] == {"listProducts": {"items": [{"sku": "S", "stocks": None}]}}
    assert answer["errors"][0]["message"] == "Not Authorized to access stocks on type Product"
    (item,) = store.data(store.developer, document)["items"]
    assert item["stocks"] == {"items": [{"delta": 1, "product": {"name": "n"}}]}


def test_self_relation(people: Any) -> None:
    """A model may have a relation to itself, and two relations to one model are separate."""
    for fields in ({"id": "boss"}, {"id": "ann", "bossId": "boss"}):
        _make(people, people.key, "Person", **fields)
    _make(people, people.key, "Msg", id="m1", fromId="ann", toId="boss")
    document = (
        '{ getPerson(id: "boss") { reports { items { id boss { id } } }'
        " sentA { items { id } } sentB { items { id from { id } } } } }"
    )
    assert people.data(people.key, document) == {
        "reports": {"items": [{"id": "ann", "boss": {"id": "boss"}}]},
        "sentA": {"items": []},
        "sentB": {"items": [{"id": "m1", "from": {"id": "ann"}}]},
    }


def test_hidden_relations(written: Any) -> None:
    """A mutation's response shows no relation if the rules for reading are dynamic or different."""
    post = (
        'mutation { updatePost(input: {id: "p1"}) { author { name } comments { items { text } } } }'
    )
    assert written.data(written.key, post) == {"author": None, "comments": {"items": []}}


def test_shown_relations(written: Any) -> None:
    """A mutation shows relations between models with the same static rules for reading."""
    document = 'mutation { updatePostTag(input: {id: "j1"}) { tag { name } post { title } } }'
    assert written.data(written.key, document) == {"tag": {"name": "red"}, "post": None}


def test_rules_before_hiding(written: Any) -> None:
    """In mutations too, a relation that the caller may not read is an error; others are hidden."""
    ann = written.user("ann@example.com")
    relations = "author { name } meta { id } postTags { items { id } } comments { items { id } }"
    create = 'mutation { createPost(input: {title: "t", labels: [], authorId: "a1"}) { %s } }'
    answer = written.execute(ann, create % relations)
    assert answer["data"]["createPost"] == {
        "author": None,
        "meta": None,
        "postTags": None,
        "comments": {"items": []},
    }
    refused = [(error["path"], error["errorType"]) for error in answer["errors"]]
    assert refused == [
        (["createPost", name], "Unauthorized") for name in ("author", "meta", "postTags")
    ]


def test_rules_before_foreign_keys(written: Any) -> None:
    """Access to the related model is checked before the foreign key."""
    written.data(written.developer, 'mutation { updatePost(input: {id: "p2", title: "x"}) { id } }')
    ann = written.user("ann@example.com", "Editors")
    answer = written.execute(ann, '{ getPost(id: "p2") { id author { id } } }')
    assert answer["data"]["getPost"] == {"id": "p2", "author": None}
    assert answer["errors"][0]["path"] == ["getPost", "author"]


@pytest.mark.parametrize("connection", ["BELONGS_TO", "HAS_ONE"])
def test_related_item_of_another_owner(start: Any, connection: str) -> None:
    """A single related item is an error if the rules hide it, and null if it does not exist."""
    keys = ("otherId",) if connection == "BELONGS_TO" else ("hubId",)
    hub = model("Hub", {"otherId": "ID"}, relations={"other": (connection, "Other", keys)})
    other = model("Other", {"hubId": "ID", "owner": "String"}, rules=(OWNER,))
    api = start(outputs(hub, other))
    ann, eve = api.user("ann@example.com"), api.user("eve@example.com")
    for name in ("full", "none"):
        fields = f'id: "{name}", otherId: "{name}"'
        api.data(api.developer, f"mutation {{ createHub(input: {{{fields}}}) {{ id }} }}")
    api.data(ann, 'mutation { createOther(input: {id: "full", hubId: "full"}) { id } }')
    document = '{ getHub(id: "%s") { other { id } } }'
    assert api.data(ann, document % "full") == {"other": {"id": "full"}}
    assert api.data(eve, document % "none") == {"other": None}
    answer = api.execute(eve, document % "full")
    assert answer["data"] == {"getHub": {"other": None}}
    assert answer["errors"][0]["errorType"] == "Unauthorized"
    # Owner rules hide relations in mutations.
    update = 'mutation { updateHub(input: {id: "full"}) { other { id } } }'
    assert api.data(ann, update) == {"other": None}
