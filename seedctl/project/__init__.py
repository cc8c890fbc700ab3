"""The Amplify project on disk: where it is, and which backend it selects.

Nothing here calls AWS or changes a project file.
"""

from __future__ import annotations

from seedctl.project.choice import BackendChoice as BackendChoice
from seedctl.project.choice import chosen_identifier as chosen_identifier
from seedctl.project.choice import identifier_of_stack as identifier_of_stack
from seedctl.project.choice import is_own_sandbox as is_own_sandbox
from seedctl.project.identifier import BackendIdentifier as BackendIdentifier
from seedctl.project.identifier import OtherStack as OtherStack
from seedctl.project.identifier import check_identifier_option as check_identifier_option
from seedctl.project.identifier import os_account_name as os_account_name
from seedctl.project.root import Project as Project
from seedctl.project.root import find_outputs as find_outputs
from seedctl.project.root import find_project as find_project
from seedctl.project.root import find_script as find_script
from seedctl.project.root import namespace_of as namespace_of
from seedctl.project.root import tool_table as tool_table
