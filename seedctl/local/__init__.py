"""The local sandbox: Cognito, AppSync, S3, Parameter Store and STS on loopback, no AWS account.

Clients meet it by URL only; the module ``blueprint`` makes the outputs file it is started from.
``LocalSandbox.start`` is part of many commands' start-up, so nothing here loads a socket, a
database or cryptography before it is used.
"""

from __future__ import annotations

from seedctl.local.inbox import InboxMessage, read_inbox
from seedctl.local.sandbox import LocalSandbox, reset_state

__all__ = ["InboxMessage", "LocalSandbox", "read_inbox", "reset_state"]
