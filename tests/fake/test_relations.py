"""Rows belong to parents, and have children."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.appsync.batches import RowResult
from seedctl.errors import InvalidInputError
from tests.fake.conftest import with_models
from tests.local_appsync.builders import OWNER, model

if TYPE_CHECKING:
    from tests.fake.api import FakeAPI

TENANT = "tenantId"


def shop() -> FakeAPI:
    return with_models(shop_models())


def shop_models() -> dict[str, Any]:
    """Tenants with products, orders and lines: keys of several fields that share the tenant."""
    by_tenant = {"tenant": ("BELONGS_TO", "Tenant", (TENANT,))}
    return {
        "Tenant": model(
            "Tenant",
            {"name": "String"},
            relations={"settings": ("HAS_ONE", "Settings", (TENANT,))},
        ),
        "Settings": model("Settings", {TENANT: "ID!"}, key=(TENANT,), relations=by_tenant),
        "Product": model(
            "Product",
            {TENANT: "ID!", "sku": "String!"},
            key=(TENANT, "sku"),
            relations=by_tenant,
        ),
        "Order": model(
            "Order",
            {TENANT: "ID!", "number": "Int!"},
            key=(TENANT, "number"),
            relations={**by_tenant, "lines": ("HAS_MANY", "Line", (TENANT, "orderNumber"))},
        ),
        "Line": model(
            "Line",
            {TENANT: "ID!", "orderNumber": "Int!", "sku": "String", "amount": "Int"},
            relations={
                **by_tenant,
                "order": ("BELONGS_TO", "Order", (TENANT, "orderNumber")),
                "product": ("BELONGS_TO", "Product", (TENANT, "sku")),
            },
        ),
        "Tagging": model(
            "Tagging",
            {"postId": "ID!", "tagId": "ID!", "kind": "Boolean!"},
            key=("postId", "tagId", "kind"),
            relations={
                "post": ("BELONGS_TO", "Tenant", ("postId",)),
                "tag": ("BELONGS_TO", "Node", ("tagId",)),
            },
        ),
        "Node": model(
            "Node",
            {"parentId": "ID", "title": "String"},
            relations={
                "parent": ("BELONGS_TO", "Node", ("parentId",)),
                "nodes": ("HAS_MANY", "Node", ("parentId",)),
                "taggings": ("HAS_MANY", "Tagging", ("tagId",)),
            },
        ),
        "Loop": model(
            "Loop",
            {"parentId": "ID!"},
            relations={"parent": ("BELONGS_TO", "Loop", ("parentId",))},
        ),
    }


def test_parents_may_be_rows_records_or_results(blog: FakeAPI) -> None:
    """Whatever has the key of a parent can be given, and each parent gets some rows."""
    authors = blog.fake("Author", 5)
    keys = [dict(authors.key(number)) for number in range(5)]
    results = [RowResult(number, key, "created") for number, key in enumerate(keys)]
    for given in (authors, keys, results, iter(keys), authors[:5]):
        rows = blog.fake("Post", 60, author=given)
        assert {row["authorId"] for row in rows} == {key["id"] for key in keys}
    assert {row["authorId"] for row in blog.fake("Post", 9, author=keys[1])} == {keys[1]["id"]}


def test_parents_can_be_made(blog: FakeAPI) -> None:
    """For a number, that many parents are made, and can be created first."""
    rows = blog.fake("Post", 60, author=4)
    assert {row["authorId"] for row in rows} == {row["id"] for row in rows.parents("author")}
    with pytest.raises(InvalidInputError, match="No parents of Post were made for meta"):
        rows.parents("meta")
    with pytest.raises(InvalidInputError, match="No parents of Author"):
        blog.fake("Author", 2).parents("x")
    with pytest.raises(InvalidInputError, match=r"made for Order\.tenantId") as caught:
        shop().fake("Line", 5, order=2)  # the orders need a tenant
    assert "models.Order.fake(2, …)" in (caught.value.resolution or "")


def test_a_parent_by_a_function_or_none(blog: FakeAPI) -> None:
    """A function may choose the parent; None and nothing leave an optional relation out."""
    authors = list(blog.fake("Author", 2))
    row = blog.fake("Comment", 1, post=lambda row: {"id": f"post-{row.number}"})[0]
    assert row["post"] == {"id": "post-0"}
    assert "postId" not in row
    named = blog.fake("Author", 2, id=lambda row: f"author-{row.number}")
    assert {row["authorId"] for row in blog.fake("Post", 20, author=named)} == {
        "author-0",
        "author-1",
    }
    for rows in (blog.fake("Post", 1), blog.fake("Post", 1, author=None)):
        assert "authorId" not in rows[0]
    assert blog.fake("Post", 1, authorId=authors[0]["id"])[0]["authorId"] == authors[0]["id"]


def test_a_required_parent_is_named(blog: FakeAPI) -> None:
    """A row that cannot exist without a parent is not made, and the error says how to give one."""
    with pytest.raises(InvalidInputError) as caught:
        blog.fake("Comment", 5)
    assert str(caught.value).startswith("No value can be made for Comment.postId: it refers to")
    assert "post=…" in (caught.value.resolution or "")
    with pytest.raises(InvalidInputError, match="a bool cannot be a parent"):
        blog.fake("Comment", 5, post=True)
    with pytest.raises(InvalidInputError, match="rows of Tag are given"):
        blog.fake("Comment", 5, post=blog.fake("Tag", 2))
    for parent in ({"name": "x"}, 5):
        with pytest.raises(InvalidInputError, match="number 0 of those given is no Post"):
            list(blog.fake("Comment", 5, post=[parent]))
    with pytest.raises(InvalidInputError, match="The fake rows of Post have no key: id"):
        list(blog.fake("Comment", 5, post=blog.fake("Post", 2, id=None)))


def test_children_by_number_and_by_range(blog: FakeAPI) -> None:
    """Each parent has as many children as was said, and the children take values too."""
    posts = blog.fake("Post", 40, comments=range(6), postTags=2)
    ids = [row["id"] for row in posts]
    comments = Counter(row["postId"] for row in posts.children("comments", text="hi"))
    assert set(comments) <= set(ids)
    assert {comments[key] for key in ids} == {0, 1, 2, 3, 4, 5}
    tags = posts.children("postTags", {"tag": blog.fake("Tag", 5)})
    assert Counter(row["postId"] for row in tags) == dict.fromkeys(ids, 2)
    assert [row["postId"] for row in posts[3:5].children("postTags", tag=3)] == [
        *[ids[3]] * 2,
        *[ids[4]] * 2,
    ]
    other = blog.fake("Post", 40, comments=range(6), postTags=range(6)).children("postTags", tag=3)
    counts = Counter(row["postId"] for row in other)
    assert {comments[key] - counts[key] for key in ids} > {0}  # chosen independently
    assert len(posts.children("meta")) == 40
    assert len(posts[:0].children("comments")) == 0


def test_the_children_of_slices_are_those_of_all_rows(blog: FakeAPI) -> None:
    """Rows may be created in parts: each part has its own children, and no two the same one."""
    posts = blog.fake("Post", 40, comments=range(6))
    expected = list(posts.children("comments"))
    parts = [posts[:7], posts[7:8], posts[8:8], posts[8:]]
    assert [row for part in parts for row in part.children("comments")] == expected
    for some in (posts[::-3], posts[5:20][::2]):
        ids = [row["id"] for row in some]
        found = [row for row in expected if row["postId"] in ids]
        assert list(some.children("comments")) == sorted(
            found, key=lambda row: ids.index(row["postId"])
        )


def test_children_without_a_number(blog: FakeAPI) -> None:
    """The number of children in a hasMany relation is never guessed."""
    posts = blog.fake("Post", 4)
    with pytest.raises(InvalidInputError, match="how many comments each Post has"):
        posts.children("comments")
    with pytest.raises(InvalidInputError, match=r"Comment\.post is given, and these rows"):
        blog.fake("Post", 4, comments=1).children("comments", post=posts)
    with pytest.raises(InvalidInputError, match="Post has no children in a field author"):
        posts.children("author")


def test_one_to_one(blog: FakeAPI) -> None:
    """A parent that has one child at most is given to one row."""
    posts = blog.fake("Post", 30)
    rows = blog.fake("PostMeta", 30, post=posts)
    assert {row["postId"] for row in rows} == {row["id"] for row in posts}
    with pytest.raises(InvalidInputError, match="31 rows cannot belong to 30 parents"):
        blog.fake("PostMeta", 31, post=posts)
    tenants = shop().fake("Tenant", 9)
    for settings in (shop().fake("Settings", 9, tenant=tenants), tenants.children("settings")):
        assert {row[TENANT] for row in settings} == {row["id"] for row in tenants}


def test_relations_to_the_same_model_are_a_forest() -> None:
    """A row is a root or belongs to a row before it; only a required root belongs to itself."""
    rows = list(shop().fake("Node", 200))
    seen: set[Any] = set()
    for row in rows:
        assert row.get("parentId") in {None, *seen}
        seen.add(row["id"])
    assert 10 < sum("parentId" not in row for row in rows) < 100
    loops = list(shop().fake("Loop", 50))
    assert loops[0]["parentId"] == loops[0]["id"]
    assert all("parentId" not in row for row in shop().fake("Node", 9, parent=None))
    assert all("parentId" not in row for row in shop().fake("Node", 9, id=None))


def test_relations_that_share_a_key_agree() -> None:
    """Two parents of a row that both have a tenant have the same one."""
    api = shop()
    tenants = api.fake("Tenant", 3)
    products = list(api.fake("Product", 30, tenant=tenants))
    orders = api.fake("Order", 20, tenant=tenants, lines=range(4))
    known = {(row[TENANT], row["sku"]) for row in products}
    for rows in (
        api.fake("Line", 50, order=orders, product=products),
        orders.children("lines", product=products),
    ):
        assert {(row[TENANT], row["sku"]) for row in rows} <= known
        assert {(row[TENANT], row["orderNumber"]) for row in rows} <= {
            (row[TENANT], row["number"]) for row in orders
        }
        first = [row["sku"] for row in rows if row[TENANT] == tenants[0]["id"]]
        assert len({*first}) > 1  # not always the same one
    alone = [row for row in products if row[TENANT] == tenants[0]["id"]]
    with pytest.raises(InvalidInputError, match=r"has the same tenantId as the other parent"):
        list(api.fake("Line", 50, order=orders, product=alone))


def test_a_shared_key_follows_the_parent_with_the_longest_key() -> None:
    """A tenant without orders is not chosen for a row that belongs to an order."""
    api = shop()
    tenants = list(api.fake("Tenant", 50))
    orders = api.fake("Order", 5, tenant=tenants[:2])
    rows = list(api.fake("Line", 30, tenant=tenants, order=orders))
    assert {row[TENANT] for row in rows} == {row[TENANT] for row in orders}


def test_a_key_of_parents_that_depend_on_each_other_is_named() -> None:
    """Of a key whose parents share the tenant no combinations are made: the caller must help."""
    relations = {
        "order": ("BELONGS_TO", "Order", (TENANT, "number")),
        "product": ("BELONGS_TO", "Product", (TENANT, "sku")),
    }
    fields = {TENANT: "ID!", "number": "Int!", "sku": "String!"}
    link = model("Link", fields, key=(TENANT, "number", "sku"), relations=relations)
    api = with_models({**shop_models(), "Link": link})
    tenants = api.fake("Tenant", 2)
    given = {name: api.fake(name, 5, tenant=tenants) for name in ("Order", "Product")}
    with pytest.raises(InvalidInputError, match="depend on each other"):
        api.fake("Link", 3, order=given["Order"], product=given["Product"])


def test_relations_as_amplify_gen_1_describes_them() -> None:
    """A hasMany that names the child's relation has children; a hasOne with its own key is none."""
    team = model(
        "Team",
        {"name": "String", "teamLeadId": "ID"},
        relations={"members": ("HAS_MANY", "Member", ("team",))},
    )
    team["fields"]["lead"] = {
        **team["fields"]["members"],
        "name": "lead",
        "isArray": False,
        "association": {
            "connectionType": "HAS_ONE",
            "associatedWith": ["id"],
            "targetNames": ["teamLeadId"],
        },
    }
    member = model(
        "Member", {"teamId": "ID!"}, relations={"team": ("BELONGS_TO", "Team", ("teamId",))}
    )
    api = with_models({"Team": team, "Member": member})
    teams = api.fake("Team", 3, members=2)
    assert [row["teamId"] for row in teams.children("members")] == [
        row["id"] for row in teams for _ in range(2)
    ]
    assert all("teamLeadId" not in row for row in teams)
    assert all("id" in row for row in api.fake("Member", 2, team=teams))
    with pytest.raises(InvalidInputError, match="no children in a field lead"):
        teams.children("lead")


def test_a_composite_index_key_is_given_as_a_whole() -> None:
    """A part without a value is null, since the API refuses a key with a part missing."""
    note = model(
        "Note",
        {"kind": "String", "day": "AWSDate", "parentId": "ID", "other": "ID"},
        indexes={"notes": ("kind", "day", "parentId"), "others": ("other", "parentId")},
        relations={"parent": ("BELONGS_TO", "Note", ("parentId",))},
    )
    rows = list(with_models({"Note": note}).fake("Note", 50))
    assert all("parentId" in row for row in rows)
    assert {row["parentId"] is None for row in rows} == {True, False}
    relations: dict[str, Any]
    relations = {name: ("BELONGS_TO", "Other", (f"{name}Id",)) for name in ("one", "two")}
    fields = {"kind": "String", "oneId": "ID", "twoId": "ID", "day": "AWSDate"}
    indexes: dict[str, tuple[str, ...]]
    indexes = {"notes": ("kind", "oneId", "twoId"), "days": ("kind", "day", "createdAt")}
    note = model("Note", fields, indexes=indexes, relations=relations)
    (row,) = with_models({"Note": note, "Other": model("Other", {})}).fake("Note", 1)
    assert {*row} == {"id", "kind", "day"}  # none of two parts; the API sets createdAt


def test_keys_made_of_parents_are_combined() -> None:
    """Of a key of parents and small types each combination is used once, and no more are made."""
    api = shop()
    posts, tags = api.fake("Tenant", 5), api.fake("Node", 4, taggings=range(10))
    rows = api.fake("Tagging", 40, post=posts, tag=tags)
    assert len({tuple(row.values()) for row in rows}) == 40
    assert list(api.fake("Tagging", 10, post=posts, tag=tags)) == list(rows[:10])
    children = tags.children("taggings", post=posts)
    assert len({tuple(row.values()) for row in children}) == len(children)
    firsts = {next(row["postId"] for row in children if row["tagId"] == tag["id"]) for tag in tags}
    assert len(firsts) > 1
    with pytest.raises(InvalidInputError, match=r"has only 40 values, and 41 rows need one"):
        api.fake("Tagging", 41, post=posts, tag=tags)
    with pytest.raises(InvalidInputError, match=r"has only 10 values, and 11 rows need one"):
        api.fake("Node", 4, taggings=11).children("taggings", post=posts)


def test_more_children_than_keys() -> None:
    """The children of all parents together are refused before the first one is made."""
    day = model("Day", {}, relations={"slots": ("HAS_MANY", "Slot", ("dayId",))})
    relations = {"day": ("BELONGS_TO", "Day", ("dayId",))}
    slot = model("Slot", {"at": "AWSTime!", "dayId": "ID!"}, key=("at",), relations=relations)
    days = with_models({"Day": day, "Slot": slot}).fake("Day", 2, slots=43_201)
    with pytest.raises(InvalidInputError, match="there are only 86400 values of AWSTime"):
        days.children("slots")


def test_a_key_with_an_enum() -> None:
    """The values of an enum are combined with the parents, like those of a Boolean."""
    fields: dict[str, Any] = {"postId": "ID!", "state": {"enum": "State"}}
    relations = {"post": ("BELONGS_TO", "Tenant", ("postId",))}
    vote = model("Vote", fields, key=("postId", "state"), relations=relations)
    enums = {"State": {"name": "State", "values": ["UP", "DOWN"]}}
    api = with_models({**shop_models(), "Vote": vote}, enums=enums)
    rows = api.fake("Vote", 10, post=api.fake("Tenant", 5))
    assert len({(row["postId"], row["state"]) for row in rows}) == 10
    assert {row["state"] for row in rows} == {"UP", "DOWN"}


def test_a_key_that_is_a_parent_must_be_given() -> None:
    """It is named even if the schema does not require the field: no row is without a key."""
    relations = {"tenant": ("BELONGS_TO", "Tenant", (TENANT,))}
    odd = model("Odd", {TENANT: "ID"}, key=(TENANT,), relations=relations)
    with pytest.raises(InvalidInputError, match=r"Odd\.tenantId: it refers to another record"):
        with_models({**shop_models(), "Odd": odd}).fake("Odd", 1)


def test_a_key_in_part_given_stays_unique() -> None:
    """When the caller gives one part of a key, another part still tells the rows apart."""
    rows = list(shop().fake("Order", 50, tenantId="acme"))
    assert {row[TENANT] for row in rows} == {"acme"}
    assert len({row["number"] for row in rows}) == 50


def test_an_owner_is_left_to_the_api_or_named() -> None:
    """Owner fields are not made; one that the schema requires must be given."""
    optional = with_models({"Note": model("Note", {"owner": "String"}, rules=(OWNER,))})
    assert all("owner" not in row for row in optional.fake("Note", 5))
    required = with_models({"Note": model("Note", {"owner": "String!"}, rules=(OWNER,))})
    with pytest.raises(InvalidInputError, match=r"Note\.owner: it holds the owner"):
        required.fake("Note", 5)
    assert required.fake("Note", 1, owner="ann")[0]["owner"] == "ann"
    indexed = with_models(
        {
            "Note": model(
                "Note",
                {"owner": "String", "day": "AWSDate", "kind": "String"},
                rules=(OWNER,),
                indexes={"notes": ("kind", "owner", "day")},
            )
        }
    )
    with pytest.raises(InvalidInputError, match=r"Note\.owner: .* is sorted by it"):
        indexed.fake("Note", 5)
    assert indexed.fake("Note", 1, owner="ann")[0]["owner"] == "ann"
