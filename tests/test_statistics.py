"""A backend's statistics, compared with the requests that the sandbox received."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from seedctl import NewUser, connect
from seedctl.local import LocalSandbox
from seedctl.local.faults import Faults, FaultSettings
from seedctl.outputs import load_outputs
from tests.running import DATA, PASSWORD, make_project

if TYPE_CHECKING:
    from pathlib import Path

# The sandbox's names for them, since it does not parse the requests for its statistics.
_NAMES = {"appsync:GraphQL": "createTodo", "s3:PUT": "PutObject"}


@pytest.mark.parametrize("throttle", [0, 10])
def test_every_call_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, throttle: float
) -> None:
    """All calls are counted: of each service, with retries and throttled calls."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    root = make_project(tmp_path / "app", outputs=None)
    file = root / "amplify_outputs.json"
    shutil.copy(DATA / "outputs" / "todo_userpool.json", file)
    fault_settings = FaultSettings(faults=Faults(throttle=throttle), fault_seed=10)
    with LocalSandbox.start(
        state_folder=tmp_path / "state", outputs=load_outputs(file), fault_settings=fault_settings
    ) as sandbox:
        document = json.loads(file.read_text(encoding="utf-8"))
        document["data"]["url"] = f"{sandbox.url}/graphql"
        file.write_text(json.dumps(document), encoding="utf-8")
        with connect(
            root, identifier="ann", endpoint_url=sandbox.url, region="us-east-1"
        ) as backend:
            backend.secrets.set("password", PASSWORD)
            backend.auth.create_users(
                [NewUser("ann@example.com", PASSWORD)], if_exists="sign_in", on_error="collect"
            )
            with backend.auth.sign_in("ann@example.com", PASSWORD) as session:
                rows = [{"content": f"{number}"} for number in range(30)]
                session.data.models.Todo.create_many(rows, batch_size=5)
                session.storage.upload_many([(f"pictures/{n}.txt", "x") for n in range(10)])
        counted = backend.statistics()
        asked = sandbox.statistics()
    assert asked is not None
    requests = {
        _NAMES.get(name, name.partition(":")[2]): each["requests"]
        for name, each in asked["operations"].items()
    }
    assert {name: each.calls for name, each in counted.items()} == requests
    assert sum(each.throttled for each in counted.values()) == asked["faults"].get("throttle", 0)
    throttled = {name for name, each in counted.items() if each.throttled}
    assert throttled == ({"PutObject", "createTodo"} if throttle else set())
