"""The Amplify project on disk: where it is, and which backend it selects.

Nothing here calls AWS or changes a project file.
"""

from __future__ import annotations

from seedctl.project.identifier import (
    BackendIdentifier,
    check_identifier_option,
    os_account_name,
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
    "BackendIdentifier",
    "Project",
    "check_identifier_option",
    "chosen_identifier",
    "find_outputs",
    "find_project",
    "find_script",
    "namespace_of",
    "os_account_name",
    "tool_table",
]
