"""Seed AWS Amplify Gen 2 backends from Python.

This module exports what most scripts need; the rest is in ``seedctl.auth``,
``seedctl.data``, ``seedctl.storage``, ``seedctl.testing`` and ``seedctl.errors``. Each name is imported on first
use, so that importing seedctl does no I/O and loads no heavy library.
"""

from __future__ import annotations

import importlib

from seedctl.version import __version__ as __version__

TYPE_CHECKING = False  # type checkers know the name; importing typing would take time
if TYPE_CHECKING:
    from seedctl import auth, data, errors, storage, testing
    from seedctl.auth import *
    from seedctl.backend import *
    from seedctl.errors import *
    from seedctl.secrets import *

__all__ = [
    "AuthOutputs",
    "AuthSignUp",
    "AuthUser",
    "Authenticator",
    "Backend",
    "ChallengeResponse",
    "NewUser",
    "SeedctlError",
    "StandardUserAttributes",
    "TOTPSetup",
    "UsernameExistsError",
    "add_to_user_group",
    "auth",
    "connect",
    "create_and_sign_up_user",
    "create_users",
    "current_backend",
    "data",
    "errors",
    "get_secret",
    "set_secret",
    "sign_in_user",
    "sign_out",
    "storage",
    "testing",
]

_MODULES = ("auth", "data", "errors", "storage", "testing")
_SEARCHED = ("errors", "secrets", "backend", "auth")
"""The modules that define the other names of ``__all__``, the quickest to load first."""


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise importlib.import_module(f"{__name__}.nearest").no_public_name(
            __name__, name, __all__, _MODULES
        )
    for searched in _SEARCHED:
        module = importlib.import_module(f"{__name__}.{searched}")
        if name in vars(module):
            return getattr(module, name)
    raise AssertionError(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
