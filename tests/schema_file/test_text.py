"""The text of the file: the same for the same models, and valid for any of them."""

from __future__ import annotations

import ast
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import InvalidAmplifyOutputsError, NoEndpoint
from seedctl.outputs import AmplifyOutputs, load_outputs, parse_outputs
from seedctl.outputs.introspection import parse_introspection
from seedctl.schema_file.stored import is_stale, models_digest
from seedctl.schema_file.text import file_text, schema_text
from tests.schema_file.odd_names import ODD_SCHEMA, field, model, named, relation

OUTPUTS = Path(__file__).parents[1] / "data" / "outputs"
STORE = json.loads((OUTPUTS / "store_userpool.json").read_text(encoding="utf-8"))


def shuffled(value: Any, order: random.Random) -> Any:
    """Return *value* with the keys of each object in another order."""
    if isinstance(value, list):
        return [shuffled(item, order) for item in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    order.shuffle(keys)
    return {key: shuffled(value[key], order) for key in keys}


def outputs_of(document: Any) -> AmplifyOutputs:
    return parse_outputs(document, Path("amplify_outputs.json"))


def class_of(text: str, name: str) -> list[str]:
    """Return the annotations in the class *name*, each as a line."""
    found = [node for node in ast.walk(ast.parse(text)) if getattr(node, "name", None) == name]
    assert len(found) == 1, name
    assert isinstance(found[0], ast.ClassDef)
    return [ast.unparse(node) for node in found[0].body if isinstance(node, ast.AnnAssign)]


def text_of(*models: dict[str, Any], **more: Any) -> str:
    return schema_text(parse_introspection({"models": named(models), **more}, Path("x")))


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_the_outputs_file_has_no_effect(seed: int) -> None:
    """The same models give the same bytes, in whatever order their file has them."""
    other = shuffled(STORE, random.Random(seed))
    assert file_text(outputs_of(other)) == file_text(outputs_of(STORE))


def test_another_schema_has_another_digest() -> None:
    """The digest depends on the models, and on nothing else in the outputs file."""
    digest = models_digest(outputs_of(STORE))
    assert digest is not None
    assert f"\n# seedctl types: models {digest}\n" in file_text(outputs_of(STORE))
    other_key = json.loads(json.dumps(STORE))
    other_key["data"]["api_key"] = "da2-other"
    assert models_digest(outputs_of(other_key)) == digest
    other_enum = json.loads(json.dumps(STORE))
    other_enum["data"]["model_introspection"]["enums"]["OrderState"]["values"].append("LOST")
    assert models_digest(outputs_of(other_enum)) != digest


def test_a_file_is_stale_if_the_models_are_gone(tmp_path: Path) -> None:
    """The file of a backend that no longer has models describes others than there are."""
    path = tmp_path / "schema.py"
    path.write_text(file_text(outputs_of(STORE)), encoding="utf-8")
    assert not is_stale(path, outputs_of(STORE))
    assert is_stale(path, load_outputs(OUTPUTS / "storage_only_multi_bucket.json"))


@pytest.mark.parametrize("path", sorted(OUTPUTS.glob("*.json")), ids=lambda path: path.stem)
def test_the_file_imports_one_class_at_run_time(path: Path) -> None:
    """For any backend the file is valid Python, and runs without anything but its base class."""
    outputs = load_outputs(path)
    if outputs.data is None or outputs.data.schema is None:
        with pytest.raises((NoEndpoint, InvalidAmplifyOutputsError)):
            file_text(outputs)
        return
    names: dict[str, Any] = {"__name__": "schema"}
    exec(compile(file_text(outputs), "schema.py", "exec", dont_inherit=True), names)
    imported = {"annotations", "TYPE_CHECKING", "BaseDataClient"}
    assert {name for name in names if not name.startswith("__")} == {"Schema"} | imported


def test_no_name_is_defined_twice() -> None:
    """Classes whose names would be equal get different ones; the schema's own names come first."""
    tree = ast.parse(schema_text(parse_introspection(ODD_SCHEMA, Path("x"))))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    names = [
        node.name if isinstance(node, ast.ClassDef) else ast.unparse(node.targets[0])
        for node in [*block.body, *tree.body]
        if isinstance(node, ast.ClassDef | ast.Assign)
    ]
    assert len(names) == len(set(names))
    assert {"PostCreate", "PostCreate_", "Schema_", "class_", "Any", "str_"} <= set(names)


def test_the_types_of_what_is_read() -> None:
    """Numbers and Booleans are read as such, every other scalar as text, and lists may have nulls."""
    lines = class_of(file_text(load_outputs(OUTPUTS / "store_userpool.json")), "Scalars")
    assert lines[:3] == ["aBool: bool | None", "aDate: str | None", "aDateTime: str | None"]
    assert {
        "aTimestamp: int | None",
        "aInt: int | None",
        "aFloat: float | None",
        "aIds: list[str | None] | None",
        "id: str",
    } <= {*lines}


def test_required_fields_are_required() -> None:
    """create requires what the client does: not an id, nor what the API or a relation sets."""
    text = file_text(load_outputs(OUTPUTS / "blog_apikey.json"))
    assert [line for line in class_of(text, "PostCreate") if "Required" in line] == [
        "labels: _t.Required[_t.List[_t.String]]",
        "title: _t.Required[_t.String]",
    ]
    assert [line for line in class_of(text, "PostUpdate") if "Required" in line] == [
        "id: _t.Required[_t.ID]"
    ]


def test_a_required_relation_is_given_by_its_key_or_a_record() -> None:
    """There is a class for each way; of too many relations, or shared keys, nothing is required."""
    text = file_text(load_outputs(OUTPUTS / "blog_apikey.json"))
    assert "    CommentCreate = CommentCreateWithPostId | CommentCreateWithPost\n" in text
    assert class_of(text, "CommentCreateWithPostId") == [
        "id: _t.ID",
        "postId: _t.Required[_t.ID]",
        "text: _t.Required[_t.String]",
        "post: Post | PostKey | None",
    ]
    assert class_of(text, "CommentCreateWithPost")[1::2] == [
        "postId: _t.ID",
        "post: _t.Required[Post | PostKey]",
    ]
    assert len(re.findall("class PostTagCreateWith", text)) == 4
    keys = [field(f"{name}Id", "ID", required=True) for name in "abc"]
    parents = [relation(name, "Item", "BELONGS_TO", [f"{name}Id"]) for name in "abc"]
    assert "Required" not in "".join(
        class_of(text_of(model("Item", *keys, *parents)), "ItemCreate")
    )
    shared = [relation(name, "Item", "BELONGS_TO", ["aId"]) for name in "xy"]
    text = text_of(model("Item", keys[0], *shared))
    assert "aId: _t.ID" in class_of(text, "ItemCreate")


def test_fields_that_the_api_sets_can_only_be_read() -> None:
    """Generated timestamps and the implied owner are attributes of records, and never given."""
    text = file_text(load_outputs(OUTPUTS / "blog_apikey.json"))
    read, given = class_of(text, "Comment"), class_of(text, "CommentUpdate")
    assert {"owner: str | None", "createdAt: str | None"} <= set(read)
    assert not any(line.startswith(("owner", "createdAt")) for line in given)


def test_nulls_are_typed_by_list_and_element() -> None:
    """A list may be null, its elements may be, or neither, as in the schema."""
    text = file_text(outputs_of(STORE))
    assert {"aIds: list[str | None] | None", "arrReq: list[int | None]"} <= set(
        class_of(text, "Scalars")
    )
    assert "reqArr: _t.List[_t.Int] | None" in class_of(text, "ScalarsUpdate")


def test_operands_have_the_types_that_the_api_compares() -> None:
    """A time stamp is compared as a number, an enum as text, a composite key by its parts."""
    text = text_of(
        model(
            "Item",
            field("kind", {"enum": "Kind"}),
            field("at", "AWSTimestamp"),
            field("on", "AWSDate"),
            indexes=(
                ("byOn", ["on"]),
                ("byOnKind", ["on", "kind"]),
                ("byKindAt", ["kind", "at"]),
                ("byAll", ["on", "kind", "at"]),
            ),
        ),
        enums={"Kind": {"values": ["A"]}},
    )
    assert class_of(text, "ByOnKeys") == ["on: _t.AWSDate"]
    assert class_of(text, "ByOnKindKeys")[1] == "kind: _t.Condition[str | _t.Enum] | None"
    assert class_of(text, "ByKindAtKeys") == [
        "kind: _t.Required[Kind | _t.Enum]",
        "at: _t.Condition[_t.Int] | None",
    ]
    assert class_of(text, "ByAllKeys")[1] == "kindAt: _t.Condition[ByAllKeysSort] | None"
    assert class_of(text, "ByAllKeysSort") == ["kind: str | _t.Enum", "at: _t.Int"]


def test_names_that_cannot_follow_a_dot_are_left_to_subscripts() -> None:
    """A record has no attribute for a keyword, a private name, or a method of mappings."""
    text = schema_text(parse_introspection(ODD_SCHEMA, Path("x")))
    attributes = {line.partition(":")[0] for line in class_of(text, "Schema_")}
    assert {"self", "type", "print", "copy"} <= attributes
    assert attributes.isdisjoint({"class", "_x", "items", "keys", "get", "to_dict"})
    assert "class" not in {line.partition(":")[0] for line in class_of(text, "Models")}
    assert [line.partition(":")[0] for line in class_of(text, "AnyModel")] == ["anyByKindAndN"]
