"""What is exported from one backend and imported into another is the same there."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.report import Report
from seedctl.rows.exporting import export_models, schema_of
from seedctl.rows.folder import ExportFolder
from seedctl.rows.importing import files_to_import, import_files
from seedctl.rows.masked_fields import MaskedFields
from seedctl.rows.pseudonyms import Pseudonyms
from tests.rows.conftest import records
from tests.rows.schemas import introspection_of, outputs_of, rows_of
from tests.running import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seedctl import Backend
    from seedctl.data import DataClient
    from seedctl.rows.writers import FileFormat

SCHEMAS = (4, 6, 7, 9)
"""One for each shape that introspection_of distinguishes: even or odd, divisible by 3 or not."""
IMPORTED_AGAIN = ("store_userpool", "people_apikey")
"""Schemas with many kinds of keys and fields, of which existing records are imported again."""


def _fill(client: DataClient, rng: Random, count: int) -> None:
    for name, rows in rows_of(schema_of(client), rng, count).items():
        client.models[name].create_many(rows, batch_size=100)


def _export(
    client: DataClient, folder: Path, masked: tuple[str, ...] = (), form: FileFormat = "jsonl"
) -> dict[str, int]:
    fields = MaskedFields(schema_of(client), masked, Pseudonyms(b"key"))
    target = ExportFolder(folder)
    written = export_models(client, (), target, fields, Report(), form=form)
    target.finish(fields.names())
    return written


def _import(client: DataClient, folder: Path, **options: Any) -> int:
    outcome = import_files(
        client, files_to_import(client, folder, (), Report()), Report(), **options
    )
    assert outcome.first_failure is None
    return outcome.rows


def test_generated_schemas(backend_of: Callable[..., Backend], tmp_path: Path) -> None:
    """Rows, ids and relations of some schemas are the same after an export and an import, in JSON Lines
    and in CSV: simple and composite identifiers, all scalars, lists, enums, custom types, circles
    and self-relations."""
    rng = Random(3)  # with which all scalars and kinds of keys occur
    document = outputs_of(*(introspection_of(number, rng) for number in SCHEMAS))
    client = backend_of(document).data.generate_client()
    _fill(client, rng, 4)
    written = _export(client, tmp_path / "out")
    assert set(written.values()) == {4}
    assert len(written) == 4 * len(SCHEMAS)
    again = backend_of(document).data.generate_client()
    assert _import(again, tmp_path / "out") == 16 * len(SCHEMAS)
    before = records(client)
    assert records(again) == before
    _export(client, tmp_path / "csv", form="csv")
    third = backend_of(document).data.generate_client()
    _import(third, tmp_path / "csv")
    assert records(third) == before
    assert sum(map(len, before.values())) == 16 * len(SCHEMAS)
    copies = again.models["Copy7"]
    assert all(copy.place() is not None for copy in copies.list_all())
    books = [book for book in again.models["Book7"].list_all() if book.partOfId is not None]
    assert all(book.author().id == book.authorId7 for book in books)


@pytest.mark.parametrize(
    "name", ["blog_apikey", "store_userpool", "people_apikey", "auth_rules", "guest_iam", "corners"]
)
def test_schemas_of_amplify(name: str, backend_of: Callable[..., Backend], tmp_path: Path) -> None:
    """The same for schemas that Amplify's own generator wrote, with the developer's credentials."""
    document = json.loads((DATA / "outputs" / f"{name}.json").read_text(encoding="utf-8"))
    client = backend_of(document).data.generate_client(credentials="caller")
    _fill(client, Random(1), 4)
    assert sum(_export(client, tmp_path / "out").values()) > 0
    again = backend_of(document).data.generate_client(credentials="caller")
    _import(again, tmp_path / "out")
    before = records(client)
    assert records(again) == before
    for if_exists in ("skip", "update") if name in IMPORTED_AGAIN else ():
        _import(again, tmp_path / "out", if_exists=if_exists)
        assert records(again) == before


def test_masked_keys_keep_their_relations(
    backend_of: Callable[..., Backend], tmp_path: Path
) -> None:
    """With every key masked, each record has the same related records as before, and the masked
    rows are accepted by the API."""
    rng = Random(3)
    document = outputs_of(introspection_of(7, rng))
    client = backend_of(document).data.generate_client()
    _fill(client, rng, 6)
    masked = ("Author7.id", "Book7.id", "Place7.house", "row", "address", "tags", "sizes", "kind")
    _export(client, tmp_path / "out", masked)
    again = backend_of(document).data.generate_client()
    _import(again, tmp_path / "out")
    before, after = records(client), records(again)
    for model, parent in (("Book7", "authorId7"), ("Book7", "partOfId"), ("Copy7", "house")):
        values = [row[parent] for row in before[model] if row.get(parent) is not None]
        masked_values = [row[parent] for row in after[model] if row.get(parent) is not None]
        assert len(set(values)) == len(set(masked_values)) > 1
        assert set(values).isdisjoint(masked_values)
    assert all(copy.place() is not None for copy in again.models["Copy7"].list_all())
    places = [row["address"] for row in after["Place7"] if row.get("address")]
    assert all(place["street"].startswith("masked-") for place in places)
