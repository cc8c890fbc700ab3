"""What the representations of the sandbox's objects show, since logs and tracebacks may have them."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import seedctl.local

_SECRET = {
    "body",
    "claims",
    "code",
    "data",
    "nonce",
    "pending_token",
    "private_b",
    "refresh_token",
    "responses",
    "secret",
    "session",
    "software_token",
    "token",
    "value",
    "verifier",
}

_HIDING = {"Body", "ChunkVerifier | None"}
"""Types whose own representation shows nothing."""


def test_secrets_are_in_no_representation() -> None:
    """Fields that hold secrets, tokens, codes, personal claims or bodies are not in the repr."""
    checked, shown = 0, []
    for found in pkgutil.walk_packages(seedctl.local.__path__, "seedctl.local."):
        module = importlib.import_module(found.name)
        for name, kind in vars(module).items():
            if not dataclasses.is_dataclass(kind) or kind.__module__ != found.name:
                continue
            secret = [
                field
                for field in dataclasses.fields(kind)
                if field.name in _SECRET and field.type not in _HIDING
            ]
            checked += len(secret)
            shown += [f"{name}.{field.name}" for field in secret if field.repr]
    assert shown == []
    assert checked >= 20
