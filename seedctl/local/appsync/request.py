"""The state that the resolvers of one request share, and how internal errors are recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import OperationType

from seedctl.local.appsync.callers import Caller
from seedctl.local.appsync.errors import FieldError
from seedctl.local.appsync.introspection import Model
from seedctl.local.appsync.rows import Rows
from seedctl.local.store import Store, View

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

Resolver = Callable[..., Any]
Info: TypeAlias = "GraphQLResolveInfo[Any]"


@dataclass(slots=True)
class GraphQLRequest:
    """The ``context`` of every resolver."""

    caller: Caller
    store: Store
    api: str
    clock: Callable[[], float]
    tables: Mapping[str, int]
    """The ids of the models' tables in the state."""
    internal_errors: list[Exception] = field(default_factory=list)
    """Bugs and lost state, which graphql-core would report as errors of the field."""

    def rows(self, view: View, model: Model) -> Rows:
        return Rows(view, self.tables[model.name], model)


def record_internal_errors(resolve: Resolver) -> Resolver:
    """Return *resolve*, recording in the request what it raises unexpectedly.

    Resolvers take source and info by position only: GraphQL arguments may have these names.
    """

    @wraps(resolve)
    def call(source: object, info: Info, /, **arguments: object) -> Any:
        try:
            return resolve(source, info, **arguments)
        except (FieldError, RecursionError):
            raise
        except Exception as error:
            info.context.internal_errors.append(error)
            raise

    return call


def is_in_mutation(info: Info) -> bool:
    return info.operation.operation is OperationType.MUTATION


def path_text(path: list[str | int]) -> str:
    """Write *path* as AppSync's messages do: ``/listTodos/items[0]/content``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f"/{part}" for part in path)
