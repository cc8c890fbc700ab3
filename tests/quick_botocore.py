"""botocore's sessions and clients, made from what earlier ones of the process have worked out.

Most tests make a session and a client or two. Without this module that would be a fifth of the
processor time of the suite.
"""

from __future__ import annotations

import copy
import inspect
from contextlib import ExitStack, contextmanager
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any
from unittest import mock

import botocore.client
import botocore.handlers
import botocore.hooks
import botocore.regions
import botocore.session
from botocore.hooks import NodeList, _PrefixTrie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def quick_sessions() -> Iterator[None]:
    """Let sessions and clients share what does not depend on them."""
    with ExitStack() as stack:
        for owner, name, replacement in (*_shared_by_sessions(), *_shared_by_clients()):
            stack.enter_context(mock.patch.object(owner, name, replacement))
        yield


def _shared_by_sessions() -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """Share the models of the services, megabytes of JSON, the errors, and the event handlers.

    Whether a handler takes keyword arguments is read from its code, without a whole signature.
    """
    create_loader = botocore.session.create_loader
    models: dict[str | None, dict[Any, Any]] = {}
    new_emitter = botocore.hooks.EventAliaser.__init__
    events: dict[str, str] = {}
    accepts_kwargs = botocore.hooks.accepts_kwargs
    append_item, remove_item = _PrefixTrie.append_item, _PrefixTrie.remove_item
    register = botocore.session.Session._register_builtin_handlers
    registered: dict[int, Any] = {}
    errors = botocore.session.ClientExceptionsFactory()

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

    def register_once(self: Any, session_events: Any) -> None:
        emitter = session_events._emitter
        count = len(botocore.handlers.BUILTIN_HANDLERS)  # other libraries append their own
        if count not in registered:
            register(self, session_events)
            registered[count] = copy.copy(emitter)
        else:
            emitter.__dict__ = copy.copy(registered[count]).__dict__

    def copy_aliaser(self: Any) -> Any:
        return type(self)(copy.copy(self._emitter))  # with botocore's own aliases

    def copy_tree(self: Any) -> Any:
        tree = object.__new__(type(self))
        tree._root = self._root  # until one of the two changes
        return tree

    def append(self: Any, key: str, *arguments: Any, **options: Any) -> None:
        self._root = _with_own_path(self._root, key.split("."))
        append_item(self, key, *arguments, **options)

    def remove(self: Any, key: str, value: Any) -> None:
        self._root = _with_own_path(self._root, key.split("."))
        remove_item(self, key, value)

    yield botocore.session, "create_loader", create_sharing
    yield botocore.session, "ClientExceptionsFactory", lambda: errors
    yield botocore.session.Session, "_register_builtin_handlers", register_once
    yield botocore.hooks.EventAliaser, "__init__", start_sharing
    yield botocore.hooks.EventAliaser, "__copy__", copy_aliaser
    yield botocore.hooks, "accepts_kwargs", accepts_kwargs_by_code
    yield _PrefixTrie, "__copy__", copy_tree
    yield _PrefixTrie, "append_item", append
    yield _PrefixTrie, "remove_item", remove


def _with_own_path(node: dict[str, Any], parts: list[str]) -> dict[str, Any]:
    """Return a copy of a tree of handlers that shares all but the nodes on the path *parts*."""
    values, children = node["values"], node["children"]
    if parts and parts[0] in children:
        children = {**children, parts[0]: _with_own_path(children[parts[0]], parts[1:])}
    return {
        "chunk": node["chunk"],
        "children": dict(children),
        "values": NodeList(*map(list, values)) if values is not None else None,
    }


def _shared_by_clients() -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """Share the class of a service's clients, its model with what has been read from it, and the
    rules by which its address is found."""
    load_model = botocore.client.ClientCreator._load_service_model
    loaded: dict[tuple[str, str | None], Any] = {}
    new_class = botocore.client.ClientCreator._create_client_class
    classes: dict[tuple[str, int], Any] = {}
    new_provider = botocore.regions.EndpointProvider
    providers: dict[int, Any] = {}

    def load_model_once(self: Any, service_name: str, api_version: str | None = None) -> Any:
        key = (service_name, api_version)
        if key not in loaded:
            loaded[key] = load_model(self, service_name, api_version)
        return loaded[key]

    def create_class_once(self: Any, service_name: str, service_model: Any) -> Any:
        event = f"creating-client-class.{service_model.service_id.hyphenize()}"
        handlers = self._event_emitter._emitter._handlers.prefix_search(event)
        key = (service_name, len(handlers))  # sessions of boto3 have one more, which adds methods
        if key not in classes:
            classes[key] = new_class(self, service_name, service_model)
        return classes[key]

    def create_provider_once(ruleset_data: Any, **others: Any) -> Any:
        # The models are shared and stay, so the identity of the rules stays too.
        if id(ruleset_data) not in providers:
            providers[id(ruleset_data)] = new_provider(ruleset_data=ruleset_data, **others)
        return providers[id(ruleset_data)]

    yield botocore.client.ClientCreator, "_load_service_model", load_model_once
    yield botocore.client.ClientCreator, "_create_client_class", create_class_once
    yield botocore.regions, "EndpointProvider", create_provider_once
