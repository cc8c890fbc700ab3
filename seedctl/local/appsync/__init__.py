"""AppSync: the GraphQL API of the outputs' ``data`` section, with its models stored locally.

``service`` answers ``POST /graphql``; the schema is made from ``model_introspection`` at the first
request, and only then is graphql-core loaded.
"""

from __future__ import annotations

from seedctl.local.appsync.service import GraphQLService

__all__ = ["GraphQLService"]
