"""What happens where no script can be found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import LocalSandboxError, SeedctlError
from seedctl.first_script.files import find_file
from seedctl.first_script.trial import find_first_script
from seedctl.outputs import parse_outputs
from tests.first_script.conftest import document_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _find(document: dict[str, Any], folder: Path) -> None:
    find_first_script(parse_outputs(document, folder / "outputs.json"))


def test_a_pool_in_which_nobody_can_sign_in(tmp_path: Path) -> None:
    """The first refusal is raised: it says what is wrong with the likeliest user."""
    document = document_of("source guide-basic")
    document["custom"]["seedctl"]["user_pool"]["auth_flows"] = ["ALLOW_CUSTOM_AUTH"]
    with pytest.raises(SeedctlError, match="not enabled") as caught:
        _find(document, tmp_path)
    assert "ALLOW_USER_SRP_AUTH" in str(caught.value.resolution)


def test_models_that_cannot_be_served(tmp_path: Path) -> None:
    """A schema that is none is the user's to correct, and no reason to leave the record out."""
    document = document_of("outputs corners")
    schema = document["data"]["model_introspection"]
    field = {"name": "x", "isArray": False, "isRequired": True, "type": {"input": "Endless"}}
    schema["inputs"]["Endless"] = {"name": "Endless", "attributes": {"x": field}}
    schema["queries"]["summary"]["arguments"]["x"] = {**field, "isRequired": False}
    with pytest.raises(LocalSandboxError, match="no valid GraphQL schema"):
        _find(document, tmp_path)


def test_no_file_without_an_identity_pool(tmp_path: Path) -> None:
    """Files are written with the credentials of an identity pool; without one there are none."""
    document = document_of("deployed guide-basic")
    del document["auth"]["identity_pool_id"]
    found = find_first_script(parse_outputs(document, tmp_path / "outputs.json"))
    assert found.file is None
    assert found.record is not None


def test_after_a_refused_file_the_next_path_is_tried(tmp_path: Path) -> None:
    """A path that the outputs file allows and S3 does not is left out."""
    tried: list[str] = []

    class Refusing:
        def upload_data(self, path: Callable[[str], str], data: str, *, bucket: str | None) -> None:
            tried.append(path("us-east-1:1"))
            if len(tried) == 1:
                raise SeedctlError("denied")

    storage: Any = Refusing()
    found = find_file(
        storage, parse_outputs(document_of("outputs store_userpool"), tmp_path / "o.json")
    )
    assert found is not None
    assert tried[1:] == [found.path]
