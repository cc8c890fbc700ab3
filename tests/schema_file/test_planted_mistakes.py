"""A type checker finds mistakes in a script that uses the file, and nothing wrong in a correct one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from seedctl.outputs import load_outputs
from seedctl.outputs.introspection import parse_introspection
from seedctl.schema_file.text import file_text, schema_text
from tests.schema_file.odd_names import ODD_SCHEMA

DATA = Path(__file__).parents[1] / "data" / "outputs"
DOCS = Path(__file__).parents[2] / "docs"

_START = """\
from schema import Schema
from seedctl import data

client = data.generate_client(Schema)
models = client.models
"""


# Libraries and the local sandbox have no part in the types of the file, and take long to check.
_SETTINGS = """\
[mypy]
[mypy-click.*,cryptography.*,dotenv.*,graphql.*,pyotp.*,rich.*,seedctl.local.*,urllib3.*]
follow_imports = skip
"""


class Mistake(NamedTuple):
    line: str
    message: str


MISTAKES = (
    Mistake("models.Prodcut.list()", '"Models" has no attribute "Prodcut"'),
    Mistake(
        'models.Customer.create({"email": "a@b.c", "nmae": "x"})',
        'Extra key "nmae" for TypedDict "CustomerCreate"',
    ),
    Mistake('models.Customer.create({"region": "x"})', 'Missing key "email" for TypedDict'),
    Mistake(
        'models.Order.create({"orderId": "1", "placedAt": "2026-01-01T00:00:00Z", "state": "SENT"})',
        "Literal['SENT']",
    ),
    Mistake('models.AuditEntry.get({"key": "1"})', 'expected "AuditEntryKey | AuditEntry"'),
    Mistake(
        'print(models.AuditEntry.create({"note": "x"}).notes)',
        '"AuditEntry" has no attribute "notes"',
    ),
    Mistake(
        'models.Product.productsByCategory({"kind": "BOOK"})',
        'Missing key "category" for TypedDict "ProductsByCategoryKeys"',
    ),
    Mistake(
        'models.Product.productsByCategory({"category": "BOOK", "rank": {"above": 5}})',
        'TypedDict item "rank" has type "Condition',
    ),
    Mistake('client.queries.echo({"text": "x"})', 'Missing key "message"'),
    Mistake("client.queries.echo()", "Missing positional argument"),
    Mistake('client.mutations.adjustPrice({"sku": "1", "price": 5})', 'expression has type "int"'),
    Mistake("client.queries.ecco", '"Queries" has no attribute "ecco"'),
    Mistake('models.Scalars.create({"arrReq": [1], "aInt": "5"})', 'expression has type "str"'),
    Mistake('models.Scalars.create({"arrReq": "12"})', 'expression has type "str"'),
    Mistake('models.Scalars.create({"arrReq": ["1"]})', 'List item 0 has incompatible type "str"'),
    Mistake('models.AuditEntry.update({"note": "x"})', 'Missing key "id" for TypedDict'),
    Mistake('models.AuditEntry.insert({"note": "x"})', 'has no attribute "insert"'),
    Mistake(
        'models.Order.update({"orderId": "1", "placedAt": "x", "total": {"amount": "5"}})',
        'TypedDict item "total" has type "MoneyDict | Money | None"',
    ),
    Mistake('models.AuditEntry.create_many([{"nots": "x"}])', 'Extra key "nots"'),
    Mistake(
        'models.StockMove.create({"delta": 1})',
        'expected "StockMoveCreateWithSkuAndWarehouseAndShelf | StockMoveCreateWithProduct"',
    ),
    Mistake('models.AuditEntry.delete({"id": "1"})', 'has no attribute "delete"'),
    Mistake("models.AuditEntry.list(limt=5)", 'Unexpected keyword argument "limt"'),
    Mistake("client.enums.OrderStates.values()", 'has no attribute "OrderStates"'),
    Mistake('data.generate_client("apiKey")', "No overload variant"),
)

_CORRECT = """\
from __future__ import annotations

import enum
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from schema import Schema
from seedctl import current_backend, data

if TYPE_CHECKING:
    from schema import CustomerCreate, Product, ProductModel

client = data.generate_client(Schema, auth_mode="userPool")
models = client.models


class State(enum.Enum):
    PAID = "PAID"


now = datetime.now(timezone.utc)
order = models.Order.create(
    {"orderId": uuid4(), "placedAt": now, "state": State.PAID, "total": {"amount": 5, "currency": "x"}},
    if_exists="skip",
)
models.Order.update({"orderId": order.orderId, "placedAt": order.placedAt, "total": order.total})
models.Order.update({"orderId": order.orderId, "placedAt": order.placedAt, "total": None})
numbers = [1, 2]
scalars = models.Scalars.create(
    {
        "arrReq": numbers,
        "reqArr": (1, 2),
        "aFloat": Decimal("1.5"),
        "aTimestamp": now,
        "aDate": date(2026, 1, 31),
        "aJson": {"any": [1, None]},
        "aIds": ["1", None, uuid4()],
    }
)
print((scalars.aInt or 0) + 1, scalars["aDate"], dict(scalars), scalars.to_dict())
rows: list[CustomerCreate] = [{"email": "a@b.c"}]
models.Customer.create_many(rows, if_exists="update")
models.Customer.create_many(({"email": f"{n}@b.c"} for n in range(5)), concurrency=2)
models.Customer.delete_many(models.Customer.list_all(filter={"region": {"eq": "x"}}))
models.Customer.upsert({"email": "a@b.c", "region": None}, validate=False)
for state in client.enums.OrderState.values():
    models.Order.create({"orderId": "2", "placedAt": now, "state": state})
page = models.Product.list({"sku": "1", "warehouseShelf": {"eq": {"warehouse": "W", "shelf": 3}}})
for product in page:
    print(product.price.amount + 1, product.stocks(limit=5).next_token)
by_date = models.Product.listProductByManufacturerAndLaunchDateAndRank
print(by_date({"manufacturer": "x", "launchDateRank": {"beginsWith": {"launchDate": "2026-01-01"}}}))
found = models.Product.get(
    {"sku": "1", "warehouse": "W", "shelf": 3}, selection_set=["name", "stocks.delta"]
)
if found is not None:
    models.StockMove.create({"delta": 1, "product": found})
    change = sum(move.delta for move in found.stocks)
    models.StockMove.create({"delta": change, "sku": "1", "warehouse": "W", "shelf": 3})
    models.Product.delete(found)
for move in models.StockMove.list(limit=5, selection_set=["product.name"]):
    print(move.product.name)
for move in models.StockMove.list():
    parent = move.product()
    print(parent.name if parent is not None else "")
print(client.queries.echo({"message": "x"}), client.queries.ping(), client.queries.currentState())
for best in client.queries.topProducts({"limit": 5}) or []:
    print(best.name)
client.mutations.adjustPrice({"sku": "1", "price": {"amount": 1.5, "currency": "x"}}, auth_mode="iam")
print([models[name].list() for name in models], client.graphql("{ ping }"))


def first(model: ProductModel) -> Product | None:
    return next(iter(model.list()), None)


with current_backend().auth.sign_in("ann@example.com", "x") as session:
    session.data.with_schema(Schema).models.AuditEntry.create({"note": "x"})
data.generate_client().models.Anything.create({"any": "field"})
"""

_ODD = """\
from odd_schema import Schema
from seedctl import data

client = data.generate_client(Schema)
odd = client.models.Schema.create(
    {"class": "x", "str": "a", "int": 3, "list": ["a"], "items": "i", "_x": "y", "parent": {"id": "a"}}
)
print(odd.str, (odd.int or 0) + 1, odd.list, odd["class"], odd["items"], odd.self, odd.parent())
holder = client.models.Models.create({"Record": [{"a": "x", "inner": {"lambda": 3}}]})
print(holder.Record[0].a)
print(client.models.Any.list({"on": "2026-01-01", "when": {"gt": 5}}), client.models["class"].list())
client.models.Any.anyByKindAndN({"kind": "A", "nOn": {"eq": {"n": 5, "on": "x"}}})
print(client.models.PostModel.create({"b": "x"}).b, client.models.PostCreate.create({"a": "x"}).a)
for each in client.queries.echo({"message": "x", "rec": {"a": {"if": {"lambda": 1}}}}) or []:
    print(each.Record[0])
print(client.queries.Echo().upper(), client.mutations.echo({"class": "x"}), client.queries["import"]())
print(client.enums.int.values(), client.enums.Literal)
"""


def _documented_scripts() -> list[str]:
    """Return the scripts of the documentation that use the file."""
    blocks = re.findall(
        r"^```python fragment\n(.*?)^```", (DOCS / "types.md").read_text(), re.DOTALL | re.MULTILINE
    )
    return [block for block in blocks if "Schema" in block]


def test_mistakes_are_found_and_correct_scripts_pass(tmp_path: Path) -> None:
    """mypy --strict reports each planted mistake by its line, and nothing else.

    This is the only run of mypy: it checks all scripts together, since most of its time is for seedctl.
    """
    (tmp_path / "schema.py").write_text(file_text(load_outputs(DATA / "store_userpool.json")))
    (tmp_path / "odd_schema.py").write_text(schema_text(parse_introspection(ODD_SCHEMA, tmp_path)))
    (tmp_path / "blog_schema.py").write_text(file_text(load_outputs(DATA / "blog_apikey.json")))
    mistakes = _START + "".join(f"{each.line}\n" for each in MISTAKES)
    scripts = {"mistakes.py": mistakes, "correct.py": _CORRECT, "odd.py": _ODD}
    documented = [each.replace("from schema", "from blog_schema") for each in _documented_scripts()]
    assert documented
    scripts |= {f"documented_{number}.py": each for number, each in enumerate(documented)}
    for name, text in scripts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(_SETTINGS, encoding="utf-8")
    options = ["--strict", "--python-version=3.10", f"--cache-dir={os.devnull}"]
    files = [*sorted(scripts), "schema.py", "odd_schema.py", "blog_schema.py"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    first = _START.count("\n") + 1
    assert {line.partition(": ")[0] for line in errors} == {
        f"mistakes.py:{first + number}" for number in range(len(MISTAKES))
    }, done.stdout
    for number, mistake in enumerate(MISTAKES, start=first):
        assert any(
            line.startswith(f"mistakes.py:{number}: ") and mistake.message in line
            for line in errors
        ), f"{mistake}: {done.stdout}"
