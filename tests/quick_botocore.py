"""botocore's sessions and clients, made from what earlier ones of the process have worked out."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any
from unittest import mock

import botocore.hooks
import botocore.session

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quick_sessions() -> Iterator[None]:
    """Let sessions share what does not depend on them; most tests make one or more.

    That is the models of the services, megabytes of JSON, and the names of the events. And whether
    a handler takes keyword arguments is read from its code, without a whole signature.
    """
    create_loader = botocore.session.create_loader
    models: dict[str | None, dict[Any, Any]] = {}
    events: dict[str, str] = {}
    new_emitter = botocore.hooks.EventAliaser.__init__
    accepts_kwargs = botocore.hooks.accepts_kwargs

    def create_sharing(search_path_string: str | None = None) -> Any:
        loader = create_loader(search_path_string)
        loader._cache = models.setdefault(search_path_string, loader._cache)
        return loader

    def start_sharing(self: Any, event_emitter: Any, event_aliases: Any = None) -> None:
        new_emitter(self, event_emitter, event_aliases)
        if event_aliases is None:
            self._alias_name_cache = events

    def accepts_kwargs_by_code(function: object) -> Any:
        plain = function.__func__ if isinstance(function, MethodType) else function
        if isinstance(plain, FunctionType):
            return bool(plain.__code__.co_flags & inspect.CO_VARKEYWORDS)
        return accepts_kwargs(function)

    with (
        mock.patch.object(botocore.session, "create_loader", create_sharing),
        mock.patch.object(botocore.hooks.EventAliaser, "__init__", start_sharing),
        mock.patch.object(botocore.hooks, "accepts_kwargs", accepts_kwargs_by_code),
    ):
        yield
