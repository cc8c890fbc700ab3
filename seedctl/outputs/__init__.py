"""``amplify_outputs.json`` as one typed model, which the client and the local sandbox both use.

Nothing here calls AWS or changes a file.
"""

from __future__ import annotations

from seedctl.outputs.auth import STANDARD_ATTRIBUTES as STANDARD_ATTRIBUTES
from seedctl.outputs.auth import AuthSection as AuthSection
from seedctl.outputs.auth import PasswordPolicy as PasswordPolicy
from seedctl.outputs.auth import StandardUserAttributes as StandardUserAttributes
from seedctl.outputs.auth import UserGroup as UserGroup
from seedctl.outputs.document import AmplifyOutputs as AmplifyOutputs
from seedctl.outputs.document import OutputsSource as OutputsSource
from seedctl.outputs.document import load_outputs as load_outputs
from seedctl.outputs.document import parse_outputs as parse_outputs
