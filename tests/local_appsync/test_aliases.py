"""Several mutations in one request: executed in order, each succeeds or fails separately."""

from __future__ import annotations

from typing import Any

import pytest


def _document(*fields: tuple[str, str]) -> str:
    """Return a request with one aliased mutation for each of *fields*, a model and its input."""
    body = " ".join(
        f"a{n}: create{model}(input: {{{given}}}) {{ id }}"
        for n, (model, given) in enumerate(fields)
    )
    return f"mutation {{ {body} }}"


def test_each_alias_succeeds_or_fails_alone(ruled: Any) -> None:
    """An error names the alias of its mutation; the others are executed."""
    ann = ruled.user("ann@example.com")
    answer = ruled.execute(
        ann,
        _document(
            ("Note", 'id: "one", content: "x"'),
            ("AdminThing", 'id: "two", content: "x"'),
            ("Note", 'id: "one", content: "again"'),
            ("Note", 'id: "three", content: "x"'),
        ),
    )
    assert answer["data"] == {"a0": {"id": "one"}, "a1": None, "a2": None, "a3": {"id": "three"}}
    assert [(error["path"], error["errorType"]) for error in answer["errors"]] == [
        (["a1"], "Unauthorized"),
        (["a2"], "DynamoDB:ConditionalCheckFailedException"),
    ]
    items = ruled.data(ann, "{ listNotes { items { id content } } }")["items"]
    assert {item["id"]: item["content"] for item in items} == {"one": "x", "three": "x"}


def test_aliases_run_in_their_order(ruled: Any) -> None:
    """A mutation sees the changes of earlier ones in the same request."""
    ann = ruled.user("ann@example.com")
    document = (
        'mutation { a0: createNote(input: {id: "n", content: "1"}) { content }'
        ' a1: updateNote(input: {id: "n", content: "2"}) { content }'
        ' a2: deleteNote(input: {id: "n"}) { content }'
        ' a3: createNote(input: {id: "n", content: "3"}) { content } }'
    )
    answer = ruled.execute(ann, document)
    assert [answer["data"][f"a{n}"]["content"] for n in range(4)] == ["1", "2", "2", "3"]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"content": 5}, id="wrong kind"),
        pytest.param({"content": "x", "bogus": 1}, id="unknown field"),
    ],
)
def test_one_wrong_variable_rejects_all(ruled: Any, wrong: dict[str, Any]) -> None:
    """A request that is not valid for the schema is rejected before any mutation is executed."""
    ann = ruled.user("ann@example.com")
    document = (
        "mutation ($a0: CreateNoteInput!, $a1: CreateNoteInput!)"
        " { a0: createNote(input: $a0) { id } a1: createNote(input: $a1) { id } }"
    )
    answer = ruled.execute(ann, document, {"a0": {"content": "x"}, "a1": wrong})
    assert answer["data"] is None
    (error,) = answer["errors"]
    assert error["path"] is None
    assert ruled.data(ann, "{ listNotes { items { id } } }")["items"] == []
