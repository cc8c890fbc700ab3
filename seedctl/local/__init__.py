"""The local sandbox: Cognito, AppSync, S3, Parameter Store and STS on loopback, no AWS account.

Clients reach it by URL only. The module ``blueprint`` writes the outputs file it starts from.
The names below load on first use: most commands need one of them, and the server, SQLite and
cryptography are slow to load.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seedctl.local.inbox import InboxMessage, read_inbox
    from seedctl.local.sandbox import LocalSandbox
    from seedctl.local.snapshot_folder import Snapshot, list_snapshots, remove_snapshot
    from seedctl.local.snapshots import load_snapshot, save_snapshot
    from seedctl.local.state_folder import reset_state

__all__ = [
    "InboxMessage",
    "LocalSandbox",
    "Snapshot",
    "list_snapshots",
    "load_snapshot",
    "read_inbox",
    "remove_snapshot",
    "reset_state",
    "save_snapshot",
]

_MODULES = {
    "InboxMessage": "inbox",
    "LocalSandbox": "sandbox",
    "Snapshot": "snapshot_folder",
    "list_snapshots": "snapshot_folder",
    "load_snapshot": "snapshots",
    "read_inbox": "inbox",
    "remove_snapshot": "snapshot_folder",
    "reset_state": "state_folder",
    "save_snapshot": "snapshots",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
