"""Cognito: creating users, signing them in, their sessions and groups.

A script's ``from seedctl import auth`` gets the three calls that the guide makes on ``auth``; the
rest is reached through :class:`seedctl.Backend`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.functions import fetch_auth_session, get_current_user, sign_out

__all__ = ["fetch_auth_session", "get_current_user", "sign_out"]


def __getattr__(name: str) -> object:
    # The one import that points up: the room's name is also the namespace scripts import.
    if name in __all__:
        from seedctl import functions  # noqa: PLC0415

        return getattr(functions, name)
    from seedctl.nearest import no_such_name  # noqa: PLC0415 - for a mistake only

    raise no_such_name(__name__, name, __all__)
