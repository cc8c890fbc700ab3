"""Make 100,000 rows of eight fields from a schema, and measure CPU time and memory.

`make bench`, or `python benchmarks/fake.py`. Nothing is sent.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
ROWS, FIRST = 100_000, 10_000
FIELDS = {
    "name": "String",
    "email": "AWSEmail",
    "city": "String",
    "title": "String",
    "price": "Float",
    "quantity": "Int",
    "createdOn": "AWSDateTime",
}


def main() -> None:
    from seedctl.fake import fake_rows
    from seedctl.outputs.introspection import parse_introspection

    fields = {
        name: {"name": name, "type": kind, "isArray": False, "isRequired": True}
        for name, kind in {"id": "ID", **FIELDS}.items()
    }
    document = {
        "models": {
            "Order": {
                "name": "Order",
                "pluralName": "Orders",
                "fields": fields,
                "primaryKeyInfo": {"primaryKeyFieldName": "id", "sortKeyFieldNames": []},
            }
        }
    }
    schema = parse_introspection(document, Path("amplify_outputs.json"))
    rows = fake_rows(schema, {}, schema.models["Order"], ROWS, {}, seed=7)
    started = time.process_time()
    for number, _ in enumerate(rows, start=1):
        if number in (FIRST, ROWS):
            seconds = time.process_time() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{number:>7} rows of {len(fields)} fields: {number / seconds:7.0f} rows/s of CPU, "
                f"peak memory {peak:.1f} MB"
            )


if __name__ == "__main__":
    main()
