"""The results of a client: records, pages, relations; and seeds that can be run again."""

from __future__ import annotations

import copy
import json
import pickle
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.appsync.auth_modes import AuthOptions
from seedctl.appsync.model_client import ModelClient
from seedctl.appsync.records import Page, Record
from tests.appsync.appsync import ClientHarness
from tests.appsync.table import with_table
from tests.cases import case
from tests.local_appsync.builders import model, outputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


def _post(blog: ClientHarness, **changed: Any) -> Any:
    blog.answer({"data": {"getPost": {**POST, **changed}}})
    return blog.models.Post.get({"id": "p-1"})


def test_a_record_is_a_mapping_with_attributes(blog: ClientHarness) -> None:
    """Fields are read as attributes or by subscript; an unknown name gets a suggestion."""
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


def test_a_record_can_be_copied_and_saved(blog: ClientHarness) -> None:
    """Records work with copy, pickle and json; a pickled copy cannot load relations."""
    post = _post(blog)
    assert copy.deepcopy(post) == post
    assert pickle.loads(pickle.dumps(post)) == post
    assert json.loads(json.dumps(post.to_dict())) == POST
    nested = Record("A", {"b": Record("B", {"c": 1}), "d": [Record("D", {})]})
    assert json.dumps(nested.to_dict()) == '{"b": {"c": 1}, "d": [{}]}'


def test_custom_types_are_records_too(store: ClientHarness) -> None:
    """Nested values are records, too."""
    store.answer({"data": {"getProduct": {"sku": "S", "price": {"amount": 1, "currency": "EUR"}}}})
    product: Any = store.models.Product.get({"sku": "S", "warehouse": "W", "shelf": 1})
    assert product.price.currency == "EUR"
    assert product.price == {"amount": 1, "currency": "EUR"}


def test_relations_load_with_the_auth_of_their_record(blog: ClientHarness) -> None:
    """A relation is loaded with its record's auth mode and token, unless the call has others."""
    blog.answer({"data": {"getPost": POST}})
    post: Any = blog.models.Post.get({"id": "p-1"}, auth_mode="lambda", auth_token="mine")
    post.comments(limit=3, next_token="t")
    assert blog.requests[-1].headers["authorization"] == "mine"
    assert blog.sent["limit"] == 3
    post.author(auth_mode="apiKey")
    assert "x-api-key" in blog.requests[-1].headers


def test_a_relation_refuses_other_options(blog: ClientHarness) -> None:
    """The error names the options it takes and another way: a filter belongs to list()."""
    call: Any
    for case_name, call, message, advice in (
        (
            "a filter",
            lambda post: post.comments(filter={"text": {"eq": "x"}}),
            r"comments does not take the option filter\. It takes .*limit, next_token\.",
            'client.models.Comment.list(filter={"and": [{"postId": {"eq": ...}}, ...]})',
        ),
        (
            "options as in JavaScript",
            lambda post: post.comments({"limit": 3}),
            "does not take positional arguments",
            "Write comments(next_token=...)",
        ),
        (
            "a limit of one record",
            lambda post: post.author(limit=1),
            r"author does not take the option limit\. It takes auth_mode, auth_token\.",
            "client.models.Author",
        ),
        (
            "a page of one record",
            lambda post: post.meta(next_token="t"),
            "does not take the option next_token",
            "client.models.PostMeta",
        ),
    ):
        with case(case_name):
            post = _post(blog)
            sent = len(blog.requests)
            with pytest.raises(errors.InvalidInputError, match=message) as caught:
                call(post)
            assert advice in str(caught.value.resolution)
            assert len(blog.requests) == sent


def test_any_name_can_be_a_subscript(store: ClientHarness) -> None:
    """A subscript reaches any model, operation, enum or index query, also by a reserved name."""
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


def test_a_relation_without_its_key(blog: ClientHarness) -> None:
    """Children of a record without its key cannot be loaded; a null foreign key gives None."""
    assert _post(blog, authorId=None).author() is None
    with pytest.raises(errors.InvalidInputError, match="came without its key"):
        _post(blog, id=None).comments()


def test_a_relation_loads_as_its_record_did(blog: ClientHarness) -> None:
    """A relation is loaded with the auth mode and the token of the call that loaded the record."""
    blog.answer({"data": {"getPost": POST}})
    post: Any = blog.models.Post.get({"id": "p-1"}, auth_mode="none", auth_token="mine")
    post.comments()
    assert [request.headers.get("x-api-key") for request in blog.requests] == [None, None]
    assert [request.headers["authorization"] for request in blog.requests] == ["mine", "mine"]
    post.author(auth_mode="apiKey")
    assert "x-api-key" in blog.requests[-1].headers


def test_a_relation_as_amplify_gen_1_describes_it(tmp_path: Path) -> None:
    """A hasMany that names the child's relation finds the children by the child's foreign key."""
    path = tmp_path / "amplify_outputs.json"
    document = outputs(
        model("Old", {}, relations={"news": ("HAS_MANY", "New", ("old",))}),
        model("New", {"oldId": "ID"}, relations={"old": ("BELONGS_TO", "Old", ("oldId",))}),
    )
    path.write_text(json.dumps(document), encoding="utf-8")
    harness = ClientHarness(str(path))
    harness.answer({"data": {"getOld": {"id": "o"}}})
    old: Any = harness.models.Old.get({"id": "o"})
    old.news()
    assert harness.sent["filter"] == {"and": [{"oldId": {"eq": "o"}}]}


def test_has_one_reads_past_an_empty_page(blog: ClientHarness) -> None:
    """A filtered page may be empty although the record is on the next one."""
    post = _post(blog)
    blog.answer(
        {"data": {"listPostMetas": {"items": [], "nextToken": "t2"}}},
        {"data": {"listPostMetas": {"items": [{"id": "m"}], "nextToken": None}}},
    )
    assert post.meta() == {"id": "m"}
    assert blog.sent["nextToken"] == "t2"


def test_composite_foreign_keys_match_by_position(store: ClientHarness) -> None:
    """The child's foreign key is read in the order of the parent's key, whatever the names."""
    move = store.schema.models["StockMove"]
    (name,) = [each.name for each in move.fields.values() if each.association is not None]
    association = move.fields[name].association
    assert association is not None
    key = dict(zip(association.target_names, ["S", "W", 3], strict=True))
    store.answer({"data": {"getStockMove": {"id": "m", **key}}})
    moved: Any = store.models.StockMove.get({"id": "m"})
    getattr(moved, name)()
    assert store.sent == {"sku": "S", "warehouse": "W", "shelf": 3}
    store.answer({"data": {"getStockMove": {"id": "m", **key, association.target_names[1]: None}}})
    moved = store.models.StockMove.get({"id": "m"})
    assert getattr(moved, name)() is None
    assert len(store.requests) == 3


def test_a_selection_has_no_loaders_and_flat_lists(blog: ClientHarness) -> None:
    """With selection_set the record has exactly the selected fields."""
    blog.answer({"data": {"getPost": {"comments": {"items": [{"text": "hi"}]}}}})
    post: Any = blog.models.Post.get({"id": "p"}, selection_set=["comments.text"])
    assert [each.text for each in post.comments] == ["hi"]
    assert not hasattr(post, "author")


def test_a_wrong_selection_is_refused(blog: ClientHarness) -> None:
    """An invalid selection set raises before anything is sent."""
    for case_name, paths, message in (
        ("empty", [], "is empty"),
        ("text", "id", "not a list"),
        ("star", ["*"], r"\* is not a field of model Post"),
        ("relation", ["author"], "must declare a wildcard"),
        ("custom type", ["author.address"], r"field of custom type AuthorAddress"),
        ("inside it", ["author.address.x"], "x is not a field of custom type"),
        ("below a scalar", ["title.x"], "has no fields to select"),
    ):
        with case(case_name):
            with pytest.raises(errors.InvalidSelectionSetError, match=message):
                blog.models.Post.list(selection_set=paths)
            assert blog.requests == []


def test_an_implied_owner_has_no_fields(blog: ClientHarness) -> None:
    """The owner field that the API adds can be selected, but nothing below it."""
    blog.models.Post.get({"id": "p"}, selection_set=["owner"])
    with pytest.raises(errors.InvalidSelectionSetError, match="owner is not a field of model Post"):
        blog.models.Post.get({"id": "p"}, selection_set=["owner.name"])


def test_a_page_skips_what_may_not_be_read(todo: ClientHarness) -> None:
    """Items are as AppSync returned them; iterating yields the records that may be read."""
    todo.answer({"data": {"listTodos": {"items": [{"id": "1"}, None], "nextToken": "t"}}})
    page = todo.models.Todo.list()
    first, second = page.items
    assert (first and first.to_dict(), second, page.next_token) == ({"id": "1"}, None, "t")
    assert [record.id for record in page] == ["1"]


def test_list_all_follows_the_token(todo: ClientHarness) -> None:
    """An empty page is not the end of the list; a missing token is."""
    for items, token in (([{"id": "1"}], "a"), ([], "b"), ([{"id": "2"}], None)):
        todo.answer({"data": {"listTodos": {"items": items, "nextToken": token}}})
    assert [each.id for each in todo.models.Todo.list_all(limit=1)] == ["1", "2"]
    assert [request.variables.get("nextToken") for request in todo.requests] == [None, "a", "b"]


def test_upsert_creates_or_updates(todo: ClientHarness) -> None:
    """A second run of a seed updates the record that the first has created."""
    todo.answer({"data": {"createTodo": {"id": "1"}}})
    todo.models.Todo.upsert({"id": "1", "content": "x"})
    todo.answer(CONDITIONAL, {"data": {"updateTodo": {"content": "x"}}})
    updated = todo.models.Todo.upsert({"id": "1", "content": "x"}, selection_set=["content"])
    assert updated.to_dict() == {"content": "x"}
    assert all("isDone" not in request.query for request in todo.requests[1:])
    assert "updateTodo" in todo.requests[-1].query
    assert {(event.name, event.state): n for event, n in todo.report.records.items()} == {
        ("Todo", "created"): 1,
        ("Todo", "updated"): 1,
    }
    with pytest.raises(
        errors.InvalidInputError, match="The primary key of Todo is id; missing: id"
    ):
        todo.models.Todo.upsert({"content": "x"})


def test_a_create_whose_response_was_lost(todo: ClientHarness) -> None:
    """A repeated create that is refused as a duplicate returns what its first attempt stored."""
    stored = {"id": "1", "content": "x", "isDone": None}
    todo.answer({"networkError": True}, CONDITIONAL, {"data": {"getTodo": stored}})
    created = todo.models.Todo.create({"id": "1", "content": "x"})
    assert created is not None
    assert created.to_dict() == stored
    todo.answer({"networkError": True}, CONDITIONAL, {"data": {"getTodo": stored}})
    with pytest.raises(errors.ConditionalCheckFailedError):
        todo.models.Todo.create({"id": "1", "content": "somebody else's"})
    todo.answer({"networkError": True}, CONDITIONAL, {"data": {"getTodo": None}})
    with pytest.raises(errors.ConditionalCheckFailedError):
        todo.models.Todo.create({"id": "1", "content": "may not be read"})


def test_what_to_do_about_a_key_that_is_there_or_not(todo: ClientHarness) -> None:
    """The advice for a duplicate is about if_exists; for a missing record, about creating it."""
    for call, expected in (("create", "if_exists="), ("update", "create it, or use upsert")):
        todo.answer(CONDITIONAL)
        with pytest.raises(errors.ConditionalCheckFailedError) as caught:
            getattr(todo.models.Todo, call)({"id": "1", "content": "x"})
        assert expected in (caught.value.resolution or "")


def test_a_lost_create_returns_what_was_selected(todo: ClientHarness) -> None:
    """All fields of the stored record are compared, and only the selected ones are returned."""
    stored = {"id": "1", "content": "x"}
    todo.answer({"networkError": True}, CONDITIONAL, {"data": {"getTodo": stored}})
    todo.answer({"data": {"getTodo": {"id": "1"}}})
    created = todo.models.Todo.create(stored, selection_set=["id"])
    assert created.to_dict() == {"id": "1"}
    assert ["content" in request.query for request in todo.requests[2:]] == [True, False]


def test_a_lost_create_of_a_model_without_get(todo: ClientHarness) -> None:
    """Where the schema disables get, the record cannot be compared: the refusal is raised."""
    requests = todo.models.Todo._requests
    client = ModelClient(
        replace(requests, model=replace(requests.model, disabled=frozenset({"get"})))
    )
    todo.answer({"networkError": True}, CONDITIONAL)
    with pytest.raises(errors.ConditionalCheckFailedError):
        client.create({"id": "1"})
    with pytest.raises(errors.UnknownOperationError, match="disables get"):
        client.get({"id": "1"})
    assert len(todo.requests) == 2


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_change_is_sent_once(todo: ClientHarness, verb: str) -> None:
    """Without an answer, an update or delete is not repeated: it may have been executed."""
    todo.answer({"networkError": True})
    with pytest.raises(errors.EndpointUnreachableError, match="may have been carried out"):
        getattr(todo.models.Todo, verb)({"id": "1"})
    assert len(todo.requests) == 1


def test_a_custom_operation_may_fail(store: ClientHarness) -> None:
    """A custom mutation is sent once, a query again; errors are raised with the partial result."""
    store.answer({"networkError": True})
    with pytest.raises(errors.EndpointUnreachableError):
        store.client.mutations.bulkTag({"tags": ["a"]})
    assert len(store.requests) == 1
    store.answer({"networkError": True}, {"data": {"echo": "hi"}})
    assert store.client.queries.echo({"message": "hi"}) == "hi"
    store.answer({"data": {"echo": "part"}, "errors": [{"path": ["echo"], "message": "m"}]})
    with pytest.raises(errors.GraphQLError, match="echo: m") as caught:
        store.client.queries.echo({"message": "hi"})
    assert caught.value.data == "part"


def test_values_that_cannot_be_encoded(store: ClientHarness) -> None:
    """Text that is not valid Unicode is refused; with validate=False, AppSync decides on a key."""
    with pytest.raises(errors.InvalidInputError, match="not valid Unicode text"):
        store.models.AuditEntry.create({"note": "\ud800"})
    assert store.requests == []
    store.models.Product.delete({"sku": 5}, validate=False)
    assert store.sent == {"input": {"sku": 5}}


def test_each_request_of_a_call_has_its_token(harness_of: Callable[..., ClientHarness]) -> None:
    """All requests of one call authenticate with the token of the call, not that of the client."""
    harness = harness_of("store_userpool.json", options=AuthOptions(auth_token="of the client"))
    table = with_table(harness)
    table.key = ("sku", "warehouse", "shelf")
    row = {"sku": "S", "warehouse": "W", "shelf": 1, "name": "x", "rank": 4}
    row["price"] = {"amount": 1, "currency": "EUR"}
    stored = {**row, "launchDate": "2025-01-31"}
    product = harness.models.Product
    call: Any
    options: dict[str, Any]
    for call, options in (
        (product.create, {}),
        (product.create, {"if_exists": "skip"}),
        (product.upsert, {}),
        (product.update, {}),
        (lambda row, **more: product.create_many([row], **more), {}),
        (lambda row, **more: product.create_many([row], **more), {"if_exists": "update"}),
    ):
        table.records = {table.text(row): stored}
        is_create = not options and call != product.update
        table.faults = ["cut"] if is_create else []
        with suppress(errors.ConditionalCheckFailedError):
            call(row, auth_token="of the call", **options)
    assert len(table.requests) == 15
    assert {each.headers["authorization"] for each in table.requests} == {"of the call"}


def test_a_record_that_cannot_be_read_first_is_left_to_appsync(store: ClientHarness) -> None:
    """upsert tries to create a record that it cannot look for."""
    row = {"sku": "S", "warehouse": "W", "shelf": 1, "name": "x", "rank": 4}
    row["price"] = {"amount": 1, "currency": "EUR"}
    store.answer(*[{"networkError": True}] * 3, {"data": {"createProduct": row}})
    assert store.models.Product.upsert(row).to_dict()["rank"] == 4


def test_a_create_without_an_id_is_not_repeated(todo: ClientHarness) -> None:
    """A create without an id is sent once: repeating it could create two records."""
    todo.answer({"networkError": True})
    with pytest.raises(errors.EndpointUnreachableError):
        todo.models.Todo.create({"content": "x"})
    assert len(todo.requests) == 1


def test_the_report_counts_records(todo: ClientHarness) -> None:
    """Records are counted by model and state; the target is announced before each write."""
    for _ in range(3):
        todo.models.Todo.create({"content": "x"})
    todo.models.Todo.delete({"id": "1"})
    todo.models.Todo.list()
    counts = {(each.name, each.state): n for each, n in todo.report.records.items()}
    assert counts == {("Todo", "created"): 3, ("Todo", "deleted"): 1}
    assert todo.report.events == []
    assert todo.announced == 4


def test_unknown_names_get_a_suggestion(blog: ClientHarness, store: ClientHarness) -> None:
    """Unknown models, operations and enums raise with the nearest name; hasattr and dir work."""
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


def test_lists_of_custom_operations_are_records(store: ClientHarness) -> None:
    """Records that a custom operation returns load relations; null elements are left out."""
    store.answer({"data": {"topProducts": [{"sku": "S", "warehouse": "W", "shelf": 1}, None]}})
    (product,) = store.client.queries.topProducts({"limit": 1})
    assert product.sku == "S"
    assert isinstance(product.stocks(), Page)


def test_a_raw_document_is_a_write_when_it_says_mutation(todo: ClientHarness) -> None:
    """Documents with a mutation are not repeated; the word in a string or comment does not count."""
    todo.client.graphql('query { a(b: "mutation \\" x") } # mutation')
    assert todo.announced == 0
    todo.answer({"status": 503, "body": {}})
    with pytest.raises(errors.ServiceFailedError):
        todo.client.graphql("mutation M { a }", {"x": 1})
    assert todo.announced == 1


def test_each_failure_has_its_class(todo: ClientHarness) -> None:
    """AppSync's error types and statuses decide the error class; the message is AppSync's."""
    for reply, kind in (
        ({"errors": [{"errorType": "Unauthorized", "message": "m"}]}, errors.UnauthorizedError),
        (
            {"errors": [{"errorType": "InvalidArgumentsError", "message": "m"}]},
            errors.InvalidArgumentsError,
        ),
        (
            {"errors": [{"errorType": "DynamoDB:DynamoDbException", "message": "m"}]},
            errors.DynamoDBError,
        ),
        ({"errors": [{"path": None, "message": "m"}]}, errors.GraphQLValidationError),
        (
            {"errors": [{"errorType": "ValidationError", "path": None, "message": "m"}]},
            errors.GraphQLValidationError,
        ),
        ({"errors": [{"errorType": "", "path": ["x"], "message": "m"}]}, errors.GraphQLError),
        ({"errors": [{"errorType": "Lambda:Unhandled", "message": "m"}, {}]}, errors.GraphQLError),
        ({"status": 403, "body": {"message": "m"}}, errors.UnauthorizedError),
        (
            {
                "status": 400,
                "body": {
                    "errors": [{"errorType": "MalformedHttpRequestException", "message": "m"}]
                },
            },
            errors.GraphQLError,
        ),
        ({"status": 429, "body": {"message": "m"}}, errors.ThrottledError),
        ({"status": 500, "body": b"<html>"}, errors.ServiceFailedError),
        ({"status": 200, "body": b"<html>"}, errors.InvalidResponseError),
        ({"status": 200, "body": {"hello": 1}}, errors.InvalidResponseError),
        ({"status": 200, "body": {"data": [1]}}, errors.InvalidResponseError),
        ({"status": 200, "body": {"data": {}, "errors": {}}}, errors.InvalidResponseError),
        ({"status": 200, "body": b"[" * 200_000}, errors.InvalidResponseError),
    ):
        with case(reply, kind):
            todo.pool.replies.clear()
            todo.answer(*([reply] * 3))
            with pytest.raises(kind) as caught:
                todo.models.Todo.list()
            assert type(caught.value) is kind
            if isinstance(caught.value, errors.GraphQLError):
                assert "listTodos: m" in caught.value.message


def test_a_refused_value_comes_with_advice(todo: ClientHarness) -> None:
    """An error of a validator is its message alone; the resolution says where it comes from."""
    todo.answer({"errors": [{"path": ["createTodo"], "errorType": None, "message": "too short"}]})
    with pytest.raises(errors.GraphQLError, match="createTodo: too short") as caught:
        todo.models.Todo.create({"content": "x"})
    assert "a validator in amplify/data/resource.ts" in (caught.value.resolution or "")


def test_partial_data_comes_with_the_error(harness_of: Callable[..., ClientHarness]) -> None:
    """The error holds what could be read, as the records that would have been returned."""
    blog = harness_of("blog_apikey.json")
    blog.answer({"data": {"getPost": POST}, "errors": [{"path": ["getPost"], "message": "m"}]})
    with pytest.raises(errors.GraphQLError) as caught:
        blog.models.Post.get({"id": "p-1"})
    assert caught.value.data.title == "Hello"
    assert (caught.value.auth_mode, caught.value.auth_mode_source) == ("apiKey", "default")


def test_a_response_without_a_record_is_an_error(todo: ClientHarness) -> None:
    """A record that is not in the response is not reported as written."""
    answer: Any
    for answer in (
        None,
        {},
        {"ROOT": None},
        {"ROOT": 5},
        {"ROOT": [{}]},
    ):
        for verb in (
            "create",
            "update",
            "delete",
            "upsert",
        ):
            with case(answer, verb):
                root = "createTodo" if verb == "upsert" else f"{verb}Todo"
                data = {root: answer["ROOT"]} if answer else answer
                todo.answer({"data": data})
                with pytest.raises(errors.InvalidResponseError):
                    getattr(todo.models.Todo, verb)({"id": "1", "content": "x"})
                assert not todo.report.records


def test_a_record_that_does_not_exist_is_none(todo: ClientHarness) -> None:
    """Null for the record means that it does not exist; a response without it is an error."""
    todo.answer({"data": {"getTodo": None}}, {"data": {}})
    assert todo.models.Todo.get({"id": "1"}) is None
    with pytest.raises(errors.InvalidResponseError):
        todo.models.Todo.get({"id": "1"})


def test_a_lost_response_whose_record_exists_is_present(todo: ClientHarness) -> None:
    """It is reported as "present": this attempt or an earlier run has stored it."""
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
def test_a_record_that_exists(
    todo: ClientHarness, if_exists: Any, answers: list[Any], state: str
) -> None:
    """create takes the if_exists of create_many: "skip" returns the record, "update" changes it."""
    todo.answer(CONDITIONAL, *answers)
    record = todo.models.Todo.create({"id": "1", "content": "new"}, if_exists=if_exists)
    assert record.content == ("old" if if_exists == "skip" else "new")
    assert [event.state for event in todo.report.records] == [state]


def test_an_existing_record_that_cannot_be_read(todo: ClientHarness) -> None:
    """With if_exists="skip", a record that cannot be read raises: there is nothing to return."""
    todo.answer(CONDITIONAL, {"data": {"getTodo": None}})
    with pytest.raises(errors.ConditionalCheckFailedError, match="cannot be read"):
        todo.models.Todo.create({"id": "1"}, if_exists="skip")


def test_an_unknown_if_exists_is_refused(todo: ClientHarness) -> None:
    """Nothing is sent for an unknown if_exists."""
    if_exists: Any
    for if_exists in (
        "overwrite",
        "sign_in",
        "",
        None,
    ):
        with case(if_exists):
            with pytest.raises(errors.InvalidInputError, match="if_exists"):
                todo.models.Todo.create({"id": "1"}, if_exists=if_exists)
            assert todo.requests == []
