"""``amplify_outputs.json`` as one typed model, which the client and the local sandbox both use.

Nothing here calls AWS or changes a file.
"""

from __future__ import annotations

from seedctl.outputs.document import (
    STANDARD_ATTRIBUTES,
    AmplifyOutputs,
    AuthSection,
    PasswordPolicy,
    UserGroup,
    load_outputs,
    parse_outputs,
)
from seedctl.outputs.source import OutputsSource

__all__ = [
    "STANDARD_ATTRIBUTES",
    "AmplifyOutputs",
    "AuthSection",
    "OutputsSource",
    "PasswordPolicy",
    "UserGroup",
    "load_outputs",
    "parse_outputs",
]
