"""The local API in this process, as a developer with IAM calls it."""

from __future__ import annotations

import shutil
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from seedctl.appsync.input_builder import InputBuilder
from seedctl.fake import FakeRows, fake_rows
from seedctl.local.appsync.callers import IAM, Caller
from seedctl.local.appsync.engine import Engine
from seedctl.local.state_folder import prepare
from seedctl.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedctl.outputs import AmplifyOutputs
    from seedctl.outputs.models import Model


class FakeAPI:
    """Makes rows of one backend's models, and creates records of them."""

    def __init__(self, outputs: AmplifyOutputs, engine: Engine | None = None) -> None:
        assert outputs.data is not None
        assert outputs.data.schema is not None
        self.schema = outputs.data.schema
        self.sources = outputs.model_sources()
        self._engine = engine
        self._inputs = InputBuilder(self.schema)

    def fake(self, model: str, count: int, /, *, seed: int | str = 7, **given: Any) -> FakeRows:
        found = self.schema.models[model]
        return fake_rows(self.schema, self.sources, found, count, given, seed=seed)

    def create(self, rows: FakeRows) -> list[str]:
        """Create a record of each row, and return the errors."""
        model: Model = rows.model
        name = f"{model.name[0].upper()}{model.name[1:]}"
        text = f"mutation ($i: Create{name}Input!) {{ create{name}(input: $i) {{ __typename }} }}"
        errors = []
        assert self._engine is not None
        for row in rows:
            variables = {"i": self._inputs.create(model, row, validate=True)}
            document = self._engine.execute(text, variables, None, Caller(IAM))
            errors += [f"{row}: {error['message']}" for error in document.get("errors", [])]
        return errors

    def check(self, model: Model, row: dict[str, Any]) -> None:
        """Raise InvalidInputError if *row* does not fit *model*, without creating a record."""
        self._inputs.create(model, row, validate=True)

    def ordered(self) -> list[Model]:
        """Return the models, each after those that it needs as parents, as far as possible."""
        found: dict[str, Model] = {}
        rest = dict(self.schema.models)
        while rest:
            ready = [
                each for each in rest.values() if not (needed(each) & rest.keys()) - {each.name}
            ]
            for each in ready or list(rest.values())[:1]:
                found[each.name] = rest.pop(each.name)
        return list(found.values())


def needed(model: Model) -> set[str]:
    """Return the models that *model* belongs to."""
    return {
        each.type.name
        for each in model.fields.values()
        if each.association is not None and each.association.connection_type == "BELONGS_TO"
    }


@contextmanager
def api_of(outputs: AmplifyOutputs, folder: Path) -> Iterator[FakeAPI]:
    """Yield the API of *outputs*, with its state in *folder*."""
    assert outputs.data is not None
    assert outputs.data.schema is not None
    with closing(Store.open(prepare(folder))) as store:
        engine = Engine(
            outputs.data.schema,
            outputs.model_sources(),
            api=outputs.data.url,
            store=store,
            clock=time.time,
        )
        yield FakeAPI(outputs, engine)
    shutil.rmtree(folder)
