"""Fake data: realistic rows and users, generated from the outputs file.

A value depends only on the seed, the model, the row and the field. Nothing here calls a service: the
results are mappings for ``create_many``, and user names with attributes for ``create_users``.
"""

from __future__ import annotations

from seedctl.fake.plan import FakeRow as FakeRow
from seedctl.fake.rows import FakeRows as FakeRows
from seedctl.fake.rows import fake_rows as fake_rows
from seedctl.fake.users import FakeUser as FakeUser
from seedctl.fake.users import fake_users as fake_users
