"""AppSync: the GraphQL API of the outputs' ``data`` section, with its models stored locally.

``service`` answers ``POST /graphql``. The first request loads graphql-core and builds the schema
from ``model_introspection``.
"""

from __future__ import annotations

from seedctl.local.appsync.service import GraphQLService

__all__ = ["GraphQLService"]
