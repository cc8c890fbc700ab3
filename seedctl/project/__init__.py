"""The Amplify project on disk: where it is, which sandbox it means, what its outputs say.

Nothing here talks to AWS or changes a file.
"""

from __future__ import annotations

from seedctl.project.identifier import (
    BackendIdentifier,
    check_identifier_option,
    os_account_name,
)
from seedctl.project.outputs import (
    STANDARD_ATTRIBUTES,
    AmplifyOutputs,
    AuthSection,
    Group,
    PasswordPolicy,
    load_outputs,
    parse_outputs,
)
from seedctl.project.pyproject import tool_table
from seedctl.project.root import (
    Project,
    chosen_identifier,
    find_outputs,
    find_project,
    find_script,
    namespace_of,
)

__all__ = [
    "STANDARD_ATTRIBUTES",
    "AmplifyOutputs",
    "AuthSection",
    "BackendIdentifier",
    "Group",
    "PasswordPolicy",
    "Project",
    "check_identifier_option",
    "chosen_identifier",
    "find_outputs",
    "find_project",
    "find_script",
    "load_outputs",
    "namespace_of",
    "os_account_name",
    "parse_outputs",
    "tool_table",
]
