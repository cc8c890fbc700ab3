"""An API whose outputs file has the source of its models, called in this process."""

from __future__ import annotations

import shutil
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync.callers import API_KEY, IAM, IDENTITY_POOL, USER_POOL, Caller
from seedctl.local.appsync.engine import Engine
from seedctl.local.state_folder import prepare
from seedctl.local.store import Store
from seedctl.outputs.details import BackendDetails
from tests.local_appsync.conftest import DATA, example

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _user(name: str, *groups: str) -> Caller:
    return Caller(USER_POOL, {"sub": name, "username": name, "cognito:groups": list(groups)})


CALLERS = {
    "ann": _user("ann"),
    "bob": _user("bob", "Admins"),
    "cid": _user("cid", "Editors"),
    "dan": _user("dan", "Red"),
    "eve": _user("eve"),
    "ann with an id token": Caller(USER_POOL, {"sub": "ann", "cognito:username": "ann"}),
    "key": Caller(API_KEY),
    "iam": Caller(IAM),
    "guest": Caller(IDENTITY_POOL, is_guest=True),
}
ANN, EVE = "ann::ann", "eve::eve"


def source_of(name: str) -> str:
    return (DATA / "schemas" / f"{name}.model.graphql").read_text(encoding="utf-8")


def with_source(outputs: str, name: str) -> Any:
    """Return the outputs of the file *outputs* with the source *name* of their models."""
    return replace(example(outputs), details=BackendDetails(model_schema=source_of(name)))


def _text(message: str) -> str:
    """Return *message* with the names in it in order: the deployed order is arbitrary."""
    start, bracket, names = message.rstrip("]").partition("Unauthorized on [")
    return message if start or not bracket else f"Unauthorized on {sorted(names.split(', '))}"


class SourceAPI:
    """Executes requests; an answer is the data of the only root field and the errors."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def call(self, who: str, query: str, **variables: Any) -> tuple[Any, list[str]]:
        """Return the value of the root field, and the errors as ``type path message``."""
        document = self._engine.execute(query, variables, None, CALLERS[who])
        errors = [
            f"{error['errorType']} {'.'.join(map(str, error['path']))}: {_text(error['message'])}"
            for error in document.get("errors", [])
        ]
        (value,) = document["data"].values()
        return value, errors

    def write(
        self,
        who: str,
        operation: str,
        model: str,
        given: dict[str, Any],
        fields: str = "__typename",
    ) -> tuple[Any, list[str]]:
        """Send a mutation, *operation* is create, update or delete, with the input *given*."""
        verb = operation.capitalize()
        return self.call(
            who,
            f"mutation ($i: {verb}{model}Input!) "
            f"{{ {operation}{model}(input: $i) {{ {fields} }} }}",
            i=given,
        )

    def create(
        self, who: str, model: str, given: dict[str, Any], fields: str = "__typename"
    ) -> tuple[Any, list[str]]:
        return self.write(who, "create", model, given, fields)

    def get(self, who: str, model: str, key: str, fields: str) -> tuple[Any, list[str]]:
        return self.call(who, f'{{ get{model}(id: "{key}") {{ {fields} }} }}')


@contextmanager
def api_of(folder: Path, outputs: str, name: str) -> Iterator[SourceAPI]:
    """Yield the API of *outputs* with the source *name*, with its state in *folder*."""
    described = with_source(outputs, name)
    with closing(Store.open(prepare(folder))) as store:
        engine = Engine(
            described.data.schema,
            described.model_sources(),
            api=described.data.url,
            store=store,
            clock=time.time,
        )
        yield SourceAPI(engine)
    shutil.rmtree(folder)


def denied(operation: str, *names: str) -> list[str]:
    """Return the errors of a mutation that names fields the caller may not write."""
    return [f"Unauthorized {operation}: Unauthorized on {sorted(names)}"]


def refused(path: str, where: str) -> str:
    """Return the error of a field, *where* is its type."""
    return (
        f"Unauthorized {path}: Not Authorized to access {path.rpartition('.')[2]} on type {where}"
    )
