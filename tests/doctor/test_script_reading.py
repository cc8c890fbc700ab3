"""What a script needs, as its source tells without being run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seedctl.doctor.script_reading import read_needs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("source", "secrets"),
    [
        pytest.param('from seedctl import get_secret\nget_secret("a")', ("a",), id="function"),
        pytest.param('from seedctl import get_secret as g\ng("a")\ng("a")', ("a",), id="alias"),
        pytest.param('from seedctl import *\nget_secret(name="a")', ("a",), id="star, keyword"),
        pytest.param('import seedctl\nseedctl.get_secret("a")', ("a",), id="module"),
        pytest.param('backend.secrets.get("a"); b.secrets.read("b")', ("a", "b"), id="object"),
        pytest.param('from seedctl import get_secret\nget_secret(x + "a")', (), id="computed"),
        pytest.param("from seedctl import get_secret\nget_secret()", (), id="no name"),
        pytest.param('from other import get_secret\nget_secret("a")', (), id="not seedctl's"),
        pytest.param('{}.get("a"); get_secret("b"); f()("c")', (), id="other calls"),
        pytest.param(
            'from seedctl import get_secret, set_secret\nset_secret("a", x)\nget_secret("a")',
            (),
            id="set by the script",
        ),
    ],
)
def test_the_secrets_that_a_script_reads(
    source: str, secrets: tuple[str, ...], tmp_path: Path
) -> None:
    """Names are found wherever they are literal; those that the script sets itself are left out."""
    script = tmp_path / "seed.py"
    script.write_text(source, encoding="utf-8")
    assert read_needs(script).secrets == secrets


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        pytest.param("import no_such_a, no_such_b.c", ("no_such_a", "no_such_b"), id="import"),
        pytest.param("from no_such_a.b import c", ("no_such_a",), id="from"),
        pytest.param("def f():\n    import no_such_a", ("no_such_a",), id="in a function"),
        pytest.param("import json, seedctl, helper, folder.part", (), id="there"),
        pytest.param("from . import x", (), id="relative"),
        pytest.param("try:\n    import no_such_a\nexcept ImportError:\n    pass", (), id="guarded"),
        pytest.param("try:\n    import no_such_a\nexcept:\n    pass", (), id="guarded from all"),
        pytest.param(
            "try:\n    import no_such_a\nexcept (KeyError, ModuleNotFoundError):\n    pass",
            (),
            id="guarded by one of several",
        ),
        pytest.param(
            "try:\n    import no_such_a\nexcept KeyError:\n    pass",
            ("no_such_a",),
            id="other guard",
        ),
        pytest.param("if typing.TYPE_CHECKING:\n    import no_such_a", (), id="for types"),
        pytest.param("if x:\n    import no_such_a", ("no_such_a",), id="condition"),
        pytest.param("with suppress(OSError, ImportError):\n    import a_b", (), id="suppressed"),
        pytest.param("with suppress(OSError), x:\n    import a_b", ("a_b",), id="other block"),
        pytest.param("import winreg", (), id="of another system"),
        pytest.param("import helper, reader", ("no_such_c",), id="of a helper"),
    ],
)
def test_the_modules_that_are_missing(
    source: str, missing: tuple[str, ...], tmp_path: Path
) -> None:
    """A missing module is one that neither Python nor the script's folder has, unless it is optional."""
    script = tmp_path / "seed.py"
    script.write_text(source, encoding="utf-8")
    (tmp_path / "helper.py").write_text("import seed, json", encoding="utf-8")
    (tmp_path / "reader.py").write_text("import no_such_c", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    assert read_needs(script).missing_modules == missing


def test_secrets_of_helpers_count(tmp_path: Path) -> None:
    """Modules beside the script that it imports are read too, packages included."""
    (tmp_path / "seed.py").write_text("import people", encoding="utf-8")
    (tmp_path / "people").mkdir()
    text = 'from seedctl import get_secret\nget_secret("a")'
    (tmp_path / "people" / "__init__.py").write_text(text, encoding="utf-8")
    assert read_needs(tmp_path / "seed.py").secrets == ("a",)
