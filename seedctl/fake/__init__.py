"""Rows made from the schema: realistic values that depend on the seed, the model, the row and the field.

Nothing here knows a service: from the models of the outputs file come mappings for ``create_many``,
and from its auth section user names with attributes.
"""

from __future__ import annotations

from seedctl.fake.plan import FakeRow as FakeRow
from seedctl.fake.rows import FakeRows as FakeRows
from seedctl.fake.rows import fake_rows as fake_rows
from seedctl.fake.users import FakeUser as FakeUser
from seedctl.fake.users import fake_users as fake_users
