"""The local sandbox as a backend of this process meets it: an address, and the codes it sends."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedctl.errors import InvalidCommandInputError, MFACodeUnavailableError
from seedctl.masking import mask
from seedctl.prompter import TerminalCodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedctl.outputs import OutputsSource
    from seedctl.project import Project
    from seedctl.prompter import CodeRequest
    from seedctl.report import Observer


def local_from_environment() -> bool:
    """Whether SEEDCTL_LOCAL asks for the local sandbox.

    Raises InvalidCommandInputError for a value that is neither yes nor no: to take it for no would
    lead to the real AWS.
    """
    value = os.environ.get("SEEDCTL_LOCAL", "")
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise InvalidCommandInputError(
        f"SEEDCTL_LOCAL is {value!r}.",
        resolution="Set it to 1 for the local sandbox, to 0 for AWS, or unset it.",
    )


@contextmanager
def local_endpoint(project: Project, source: OutputsSource) -> Iterator[str]:
    """Give the address of the project's running local sandbox, else serve one for the block."""
    from seedctl.local.running import check_deployed, find_server  # noqa: PLC0415

    outputs = source.if_any()  # secrets need none
    running = find_server(project.state_folder)
    if running is not None:
        check_deployed(running, outputs)
        yield running.url
        return
    from seedctl.local import LocalSandbox  # noqa: PLC0415 - slow to load, and often not needed

    with LocalSandbox.start(state_folder=project.state_folder, outputs=outputs) as sandbox:
        _served_here.add(sandbox.url)
        try:
            yield sandbox.url
        finally:
            _served_here.discard(sandbox.url)


def is_served_here(url: str | None) -> bool:
    """Whether a local sandbox of this very process answers at *url*; it has no quotas."""
    return url in _served_here


_served_here: set[str] = set()


class InboxCodes:
    """Takes e-mail and SMS codes from the local outbox; what is not sent is asked for."""

    can_repeat = True  # TOTP codes are typed, and a newer message may have come

    def __init__(self, state_folder: Path, observer: Observer) -> None:
        self._state_folder = state_folder
        self._observer = observer

    def code(self, request: CodeRequest) -> str:
        if request.method not in {"EMAIL", "SMS"}:
            return TerminalCodes().code(request)
        from seedctl.local import read_inbox  # noqa: PLC0415
        from seedctl.local.inbox import MFA  # noqa: PLC0415

        for message in read_inbox(self._state_folder):
            # A second of grace: the outbox and the sign-in may round their clocks differently.
            is_new = message.sent_at >= request.since - 1
            is_asked_for = (message.purpose, message.method) == (MFA, request.method)
            if message.is_for(request.username) and is_new and is_asked_for:
                self._observer.on_note(
                    f"{request.method} code for {mask(request.username)}: read from the local "
                    "outbox."
                )
                return message.code
        raise MFACodeUnavailableError(
            f"The local outbox holds no {request.method} code for {mask(request.username)}.",
            resolution="Another run may have cleared it: run again.",
        )
