"""What comes back: records, pages, relations, and repeatable seeds."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.appsync.records import Page, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.appsync.appsync import Stage

POST = {"id": "p-1", "title": "Hello", "authorId": "au-1", "labels": []}
CONDITIONAL = {
    "data": {"createTodo": None},
    "errors": [
        {
            "path": ["createTodo"],
            "errorType": "DynamoDB:ConditionalCheckFailedException",
            "message": "The conditional request failed",
        }
    ],
}


def _post(blog: Stage, **changed: Any) -> Any:
    blog.answer({"data": {"getPost": {**POST, **changed}}})
    return blog.models.Post.get({"id": "p-1"})


def test_a_record_is_a_mapping_with_attributes(blog: Stage) -> None:
    """Fields are read either way; what is not there says what is."""
    post = _post(blog)
    assert (post.title, post["title"], len(post), dict(post)) == ("Hello", "Hello", 4, POST)
    assert post == POST
    assert {"title", "comments"} <= set(dir(post))
    assert repr(post) == "Post(id='p-1', title='Hello', authorId='au-1', labels=[])"
    assert len(repr(Record("Post", {"body": "x" * 1000}))) < 100
    with pytest.raises(AttributeError, match=r"This Post has no titel\. Did you mean title"):
        _ = post.titel
    with pytest.raises(KeyError):
        _ = post["titel"]


def test_a_record_can_be_copied_and_saved(blog: Stage) -> None:
    """copy, pickle and json take records; a copy has no client to load relations with."""
    post = _post(blog)
    assert copy.deepcopy(post) == post
    assert pickle.loads(pickle.dumps(post)) == post
    assert json.loads(json.dumps(post.to_dict())) == POST
    nested = Record("A", {"b": Record("B", {"c": 1}), "d": [Record("D", {})]})
    assert nested.to_dict() == {"b": {"c": 1}, "d": [{}]}


def test_custom_types_are_records_too(store: Stage) -> None:
    """Nested values are read by attribute, in lists as well."""
    store.answer({"data": {"getProduct": {"sku": "S", "price": {"amount": 1, "currency": "EUR"}}}})
    product: Any = store.models.Product.get({"sku": "S", "warehouse": "W", "shelf": 1})
    assert product.price.currency == "EUR"
    assert product.price == {"amount": 1, "currency": "EUR"}


def test_relations_load_with_the_auth_of_their_record(blog: Stage) -> None:
    """A relation is options for as its record was, unless the loader is told otherwise."""
    blog.answer({"data": {"getPost": POST}})
    post: Any = blog.models.Post.get({"id": "p-1"}, auth_mode="lambda", auth_token="mine")
    post.comments(limit=3, next_token="t")
    assert blog.requests[-1].headers["authorization"] == "mine"
    assert blog.sent["limit"] == 3
    post.author(auth_mode="apiKey")
    assert "x-api-key" in blog.requests[-1].headers


@pytest.mark.parametrize(
    ("call", "message", "advice"),
    [
        pytest.param(
            lambda post: post.comments(filter={"text": {"eq": "x"}}),
            r"comments does not take the option filter\. It takes .*limit, next_token\.",
            'client.models.Comment.list(filter={"and": [{"postId": {"eq": ...}}, ...]})',
            id="a filter",
        ),
        pytest.param(
            lambda post: post.comments({"limit": 3}),
            "does not take positional arguments",
            "Write comments(next_token=...)",
            id="options as in JavaScript",
        ),
        pytest.param(
            lambda post: post.author(limit=1),
            r"author does not take the option limit\. It takes auth_mode, auth_token\.",
            "client.models.Author",
            id="a limit of one record",
        ),
        pytest.param(
            lambda post: post.meta(next_token="t"),
            "does not take the option next_token",
            "client.models.PostMeta",
            id="a page of one record",
        ),
    ],
)
def test_a_relation_refuses_what_it_does_not_take(
    blog: Stage, call: Any, message: str, advice: str
) -> None:
    """In words, with another way: a filter belongs to the list of the model."""
    post = _post(blog)
    sent = len(blog.requests)
    with pytest.raises(errors.InvalidInputError, match=message) as caught:
        call(post)
    assert advice in str(caught.value.resolution)
    assert len(blog.requests) == sent


def test_any_name_can_be_a_subscript(store: Stage) -> None:
    """A name that Python reserves is reached so, of models, operations, enums and index queries."""
    assert store.client.queries["ping"] is store.client.queries.ping
    assert store.client.mutations["bulkTag"] is store.client.mutations.bulkTag
    assert repr(store.client.queries["ping"]) == "<CustomOperation ping>"
    assert "NEW" in store.client.enums["OrderState"].values()
    product = store.models["Product"]
    store.answer({"data": {"productsByCategory": {"items": []}}})
    assert list(product["productsByCategory"]({"category": None}, validate=False)) == []
    for names, wrong in (
        (store.client.queries, errors.UnknownOperationError),
        (store.client.enums, errors.UnknownModelError),
        (product, errors.UnknownOperationError),
    ):
        with pytest.raises(wrong, match="nothing"):
            _ = names["nothing"]


def test_a_relation_without_its_key_says_so(blog: Stage) -> None:
    """A record that came without its key has nothing to load by; a null foreign key is no record."""
    assert _post(blog, authorId=None).author() is None
    with pytest.raises(errors.InvalidInputError, match="came without its key"):
        _post(blog, id=None).comments()


def test_has_one_looks_beyond_an_empty_page(blog: Stage) -> None:
    """A filtered page may be empty, and the record on the next."""
    post = _post(blog)
    blog.answer(
        {"data": {"listPostMetas": {"items": [], "nextToken": "t2"}}},
        {"data": {"listPostMetas": {"items": [{"id": "m"}], "nextToken": None}}},
    )
    assert post.meta() == {"id": "m"}
    assert blog.sent["nextToken"] == "t2"


def test_composite_relations_go_by_position(store: Stage) -> None:
    """The child's foreign key is read in the order of the parent's key, whatever the names."""
    move = store.section.schema.models["StockMove"]
    (name,) = [each.name for each in move.fields.values() if each.association is not None]
    association = move.fields[name].association
    assert association is not None
    key = dict(zip(association.target_names, ["S", "W", 3], strict=True))
    store.answer({"data": {"getStockMove": {"id": "m", **key}}})
    moved: Any = store.models.StockMove.get({"id": "m"})
    getattr(moved, name)()
    assert store.sent == {"sku": "S", "warehouse": "W", "shelf": 3}


def test_a_selection_has_no_loaders_and_flat_lists(blog: Stage) -> None:
    """With selection_set the record is what was options for."""
    blog.answer({"data": {"getPost": {"comments": {"items": [{"text": "hi"}]}}}})
    post: Any = blog.models.Post.get({"id": "p"}, selection_set=["comments.text"])
    assert [each.text for each in post.comments] == ["hi"]
    assert not hasattr(post, "author")


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        pytest.param([], "is empty", id="empty"),
        pytest.param("id", "not a list", id="text"),
        pytest.param(["*"], r"\* is not a field of model Post", id="star"),
        pytest.param(["author"], "must declare a wildcard", id="relation"),
        pytest.param(["author.address"], r"field of custom type AuthorAddress", id="custom type"),
        pytest.param(["author.address.x"], "x is not a field of custom type", id="inside it"),
        pytest.param(["title.x"], "has no fields to select", id="below a scalar"),
    ],
)
def test_a_wrong_selection_is_refused(blog: Stage, paths: Any, message: str) -> None:
    """What cannot be selected is said before anything is sent."""
    with pytest.raises(errors.InvalidSelectionSetError, match=message):
        blog.models.Post.list(selection_set=paths)
    assert blog.requests == []


def test_a_page_skips_what_may_not_be_read(todo: Stage) -> None:
    """Items are as AppSync answered; iterating gives the records."""
    todo.answer({"data": {"listTodos": {"items": [{"id": "1"}, None], "nextToken": "t"}}})
    page = todo.models.Todo.list()
    first, second = page.items
    assert (first and first.to_dict(), second, page.next_token) == ({"id": "1"}, None, "t")
    assert [record.id for record in page] == ["1"]


def test_list_all_goes_by_the_token(todo: Stage) -> None:
    """An empty page is not the end; a missing token is."""
    for items, token in (([{"id": "1"}], "a"), ([], "b"), ([{"id": "2"}], None)):
        todo.answer({"data": {"listTodos": {"items": items, "nextToken": token}}})
    assert [each.id for each in todo.models.Todo.list_all(limit=1)] == ["1", "2"]
    assert [request.variables.get("nextToken") for request in todo.requests] == [None, "a", "b"]


def test_upsert_creates_or_updates(todo: Stage) -> None:
    """A second run of a seed changes the record where the first created it."""
    todo.answer({"data": {"createTodo": {"id": "1"}}})
    todo.models.Todo.upsert({"id": "1", "content": "x"})
    todo.answer(CONDITIONAL, {"data": {"updateTodo": {"id": "1", "content": "x"}}})
    updated = todo.models.Todo.upsert({"id": "1", "content": "x"})
    assert updated is not None
    assert updated.content == "x"
    assert "updateTodo" in todo.requests[-1].query
    assert {(event.name, event.state): n for event, n in todo.report.records.items()} == {
        ("Todo", "created"): 1,
        ("Todo", "updated"): 1,
    }
    with pytest.raises(
        errors.InvalidInputError, match="The primary key of Todo is id; missing: id"
    ):
        todo.models.Todo.upsert({"content": "x"})


def test_a_create_whose_answer_was_lost_is_healed(todo: Stage) -> None:
    """Refused as its own duplicate, a repeated create returns what its first attempt stored."""
    stored = {"id": "1", "content": "x", "isDone": None}
    todo.answer({"networkError": True}, CONDITIONAL, {"data": {"getTodo": stored}})
    created = todo.models.Todo.create({"id": "1", "content": "x"})
    assert created is not None
    assert created.to_dict() == stored
    todo.answer({"networkError": True}, CONDITIONAL, {"data": {"getTodo": stored}})
    with pytest.raises(errors.ConditionalCheckFailedError):
        todo.models.Todo.create({"id": "1", "content": "somebody else's"})


def test_a_create_without_an_id_is_made_once(todo: Stage) -> None:
    """Repeated, it could make two records; so it is not."""
    todo.answer({"networkError": True})
    with pytest.raises(errors.EndpointUnreachableError):
        todo.models.Todo.create({"content": "x"})
    assert len(todo.requests) == 1


def test_the_report_counts_records(todo: Stage) -> None:
    """Thousands of records are one row of a model each; the target is told before the first."""
    for _ in range(3):
        todo.models.Todo.create({"content": "x"})
    todo.models.Todo.delete({"id": "1"})
    todo.models.Todo.list()
    counts = {(each.name, each.state): n for each, n in todo.report.records.items()}
    assert counts == {("Todo", "created"): 3, ("Todo", "deleted"): 1}
    assert todo.report.events == []
    assert todo.announced == 4


def test_unknown_names_are_told_with_the_nearest(blog: Stage, store: Stage) -> None:
    """Models, operations and enums are looked up by name, and hasattr works on them."""
    with pytest.raises(errors.UnknownModelError, match="no model Pots") as caught:
        _ = blog.models.Pots
    assert "Post" in (caught.value.resolution or "")
    with pytest.raises(errors.UnknownOperationError, match="Post has no operation lst"):
        blog.models.Post.lst()
    with pytest.raises(errors.UnknownOperationError, match="no custom query ehco"):
        store.client.queries.ehco()
    with pytest.raises(errors.UnknownModelError, match="no enum Stat"):
        _ = blog.client.enums.Stat
    with pytest.raises(errors.UnknownOperationError, match="disables delete for AuditEntry"):
        store.models.AuditEntry.delete({"id": "1"})
    assert not hasattr(blog.models, "Pots")
    assert "Post" in dir(blog.models)
    assert "listPostByStatus" in dir(blog.models.Post)
    assert "PostStatus" in dir(blog.client.enums)
    assert list(blog.client.enums.PostStatus) == ["DRAFT", "PUBLISHED", "ARCHIVED"]
    assert "echo" in dir(store.client.queries)
    copy.copy(blog.models.Post)


def test_lists_of_custom_operations_are_records(store: Stage) -> None:
    """Models that a custom operation returns load relations; null elements are left out."""
    store.answer({"data": {"topProducts": [{"sku": "S", "warehouse": "W", "shelf": 1}, None]}})
    (product,) = store.client.queries.topProducts({"limit": 1})
    assert product.sku == "S"
    assert isinstance(product.stocks(), Page)


def test_a_raw_document_is_a_write_when_it_says_mutation(todo: Stage) -> None:
    """Only documents without a mutation are repeated; the word in a text or comment is none."""
    todo.client.graphql('query { a(b: "mutation \\" x") } # mutation')
    assert todo.announced == 0
    todo.answer({"status": 503, "body": {}})
    with pytest.raises(errors.ServiceFailedError):
        todo.client.graphql("mutation M { a }", {"x": 1})
    assert todo.announced == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"errors": [{"errorType": "Unauthorized", "message": "m"}]}, errors.UnauthorizedError),
        ({"errors": [{"errorType": "InvalidArgumentsError", "message": "m"}]}, errors.InvalidArgumentsError),
        ({"errors": [{"errorType": "DynamoDB:DynamoDbException", "message": "m"}]}, errors.DynamoDBError),
        ({"errors": [{"path": None, "message": "m"}]}, errors.GraphQLValidationError),
        ({"errors": [{"errorType": "Lambda:Unhandled", "message": "m"}, {}]}, errors.GraphQLError),
        ({"status": 403, "body": {"message": "m"}}, errors.UnauthorizedError),
        ({"status": 400, "body": {"errors": [{"errorType": "MalformedHttpRequestException", "message": "m"}]}}, errors.GraphQLError),
        ({"status": 429, "body": {"message": "m"}}, errors.ThrottledError),
        ({"status": 500, "body": b"<html>"}, errors.ServiceFailedError),
        ({"status": 200, "body": b"<html>"}, errors.InvalidResponseError),
        ({"status": 200, "body": {"hello": 1}}, errors.InvalidResponseError),
        ({"status": 200, "body": {"data": [1]}}, errors.InvalidResponseError),
    ],
)  # fmt: skip
def test_each_failure_has_its_class(todo: Stage, reply: Any, kind: type[Exception]) -> None:
    """AppSync's error types and statuses are told apart, and its text is kept."""
    todo.answer(*([reply] * 3))
    with pytest.raises(kind) as caught:
        todo.models.Todo.list()
    assert type(caught.value) is kind
    if isinstance(caught.value, errors.GraphQLError):
        assert "listTodos: m" in caught.value.message


def test_partial_data_comes_with_the_error(stage_of: Callable[..., Stage]) -> None:
    """What could be read is on the error, as the same records that would be returned."""
    blog = stage_of("blog_apikey.json")
    blog.answer({"data": {"getPost": POST}, "errors": [{"path": ["getPost"], "message": "m"}]})
    with pytest.raises(errors.GraphQLError) as caught:
        blog.models.Post.get({"id": "p-1"})
    assert caught.value.data.title == "Hello"
    assert (caught.value.auth_mode, caught.value.auth_mode_source) == ("apiKey", "default")


@pytest.mark.parametrize("verb", ["create", "update", "delete", "upsert"])
@pytest.mark.parametrize("answer", [None, {}, {"ROOT": None}, {"ROOT": 5}, {"ROOT": [{}]}])
def test_an_answer_without_a_record_is_no_success(todo: Stage, verb: str, answer: Any) -> None:
    """Nothing is told as written that the answer does not hold."""
    root = "createTodo" if verb == "upsert" else f"{verb}Todo"
    data = {root: answer["ROOT"]} if answer else answer
    todo.answer({"data": data})
    with pytest.raises(errors.InvalidResponseError):
        getattr(todo.models.Todo, verb)({"id": "1", "content": "x"})
    assert not todo.report.records


def test_a_record_that_is_not_there_is_none(todo: Stage) -> None:
    """Null for the record itself is an answer; nothing at all is none."""
    todo.answer({"data": {"getTodo": None}}, {"data": {}})
    assert todo.models.Todo.get({"id": "1"}) is None
    with pytest.raises(errors.InvalidResponseError):
        todo.models.Todo.get({"id": "1"})


def test_a_lost_answer_whose_record_is_there_is_told_as_present(todo: Stage) -> None:
    """Whether that attempt or another run has stored it is not known."""
    todo.answer(
        {"status": 503, "body": {}},
        {
            "data": {"createTodo": None},
            "errors": [
                {
                    "errorType": "DynamoDB:ConditionalCheckFailedException",
                    "path": ["createTodo"],
                    "message": "m",
                }
            ],
        },
        {"data": {"getTodo": {"id": "1", "content": "x"}}},
    )
    todo.models.Todo.create({"id": "1", "content": "x"}, selection_set=None)
    assert [event.state for event in todo.report.records] == ["present"]


@pytest.mark.parametrize(
    ("if_exists", "answers", "state"),
    [
        ("skip", [{"data": {"getTodo": {"id": "1", "content": "old"}}}], "existed"),
        ("update", [{"data": {"updateTodo": {"id": "1", "content": "new"}}}], "updated"),
    ],
)
def test_a_record_that_is_there(
    todo: Stage, if_exists: Any, answers: list[Any], state: str
) -> None:
    """One vocabulary for one record and for many: what is there is left, or updated."""
    todo.answer(CONDITIONAL, *answers)
    record = todo.models.Todo.create({"id": "1", "content": "new"}, if_exists=if_exists)
    assert record.content == ("old" if if_exists == "skip" else "new")
    assert [event.state for event in todo.report.records] == [state]


def test_a_record_that_is_there_and_cannot_be_read_is_no_success(todo: Stage) -> None:
    """What is returned has to be known."""
    todo.answer(CONDITIONAL, {"data": {"getTodo": None}})
    with pytest.raises(errors.ConditionalCheckFailedError, match="cannot be read"):
        todo.models.Todo.create({"id": "1"}, if_exists="skip")


@pytest.mark.parametrize("if_exists", ["overwrite", "sign_in", "", None])
def test_another_word_for_what_is_there_is_refused(todo: Stage, if_exists: Any) -> None:
    """Nothing is sent for a word that no call knows."""
    with pytest.raises(errors.InvalidInputError, match="if_exists"):
        todo.models.Todo.create({"id": "1"}, if_exists=if_exists)
    assert todo.requests == []
