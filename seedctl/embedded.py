"""The local sandbox from a backend's point of view: its address, and the codes that it sends."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl import process_state
from seedctl.errors import InvalidCommandInputError, MFACodeUnavailableError
from seedctl.masking import mask
from seedctl.outputs import OutputsSource
from seedctl.prompter import CodeRequest, TerminalCodes

if TYPE_CHECKING:
    from seedctl.local import LocalSandbox
    from seedctl.report import Observer


def local_from_environment() -> bool:
    """Whether SEEDCTL_LOCAL selects the local sandbox.

    Raises InvalidCommandInputError for any word but those for yes and no: to treat another word as
    no would write to the real AWS.
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
def local_endpoint(
    state_folder: Path, source: OutputsSource, origins: Sequence[str] = ()
) -> Iterator[str]:
    """Yield the URL of the local sandbox that is running with this state, or start one for the block.

    Web pages of *origins* may call the one that is started.
    """
    from seedctl.local.running import check_deployed, find_server  # noqa: PLC0415

    outputs = source.if_any()  # secrets work without an outputs file
    running = find_server(state_folder)
    if running is not None:
        check_deployed(running, outputs)
        yield running.url
        return
    from seedctl.local import LocalSandbox  # noqa: PLC0415 - slow to load, and often not needed

    with LocalSandbox.start(state_folder=state_folder, outputs=outputs, origins=origins) as sandbox:
        embedded = process_state.instance(EmbeddedSandboxes)
        embedded[sandbox.url] = sandbox
        try:
            yield sandbox.url
        finally:
            del embedded[sandbox.url]


class EmbeddedSandboxes(dict[str, "LocalSandbox"]):
    """The local sandboxes that run inside this process, by their URLs."""


def save_state(url: str | None, state_folder: Path, source: OutputsSource, name: str) -> None:
    """Save the state of the local sandbox at *url* as the snapshot *name*; replace an older one.

    Raises InvalidCommandInputError, LocalSandboxError.
    """
    sandbox = process_state.instance(EmbeddedSandboxes).get(url or "")
    if sandbox is not None:
        sandbox.save(name, is_replacing=True)
        return
    from seedctl.local.snapshots import save_snapshot  # noqa: PLC0415 - slow to load

    save_snapshot(state_folder, source.if_any, name, is_replacing=True)


def restore_state(url: str | None, state_folder: Path, source: OutputsSource, name: str) -> None:
    """Replace the state of the local sandbox at *url* by the snapshot *name*.

    Raises InvalidCommandInputError, LocalSandboxError.
    """
    sandbox = process_state.instance(EmbeddedSandboxes).get(url or "")
    if sandbox is not None:
        sandbox.restore(name)
        return
    from seedctl.local.snapshots import load_snapshot  # noqa: PLC0415 - slow to load

    load_snapshot(state_folder, source.if_any, name)


class InboxCodes:
    """Reads e-mail and SMS codes from the local inbox, and asks for other codes on the terminal."""

    can_repeat = True  # a person may have mistyped a TOTP code, or a newer message may have arrived

    def __init__(self, state_folder: Path, observer: Observer) -> None:
        self._state_folder = state_folder
        self._observer = observer

    def code(self, request: CodeRequest) -> str:
        if request.method not in {"EMAIL", "SMS"}:
            return TerminalCodes().code(request)
        from seedctl.local.inbox import MFA, read_inbox  # noqa: PLC0415 - only --local needs it

        for message in read_inbox(self._state_folder):
            # Allow one second: the inbox and the sign-in may round the time differently.
            is_new = message.sent_at >= request.since - 1
            is_asked_for = (message.purpose, message.method) == (MFA, request.method)
            if message.is_for(request.username) and is_new and is_asked_for:
                self._observer.on_note(
                    f"{request.method} code for {mask(request.username)}: read from the local "
                    "inbox (seedctl local inbox)."
                )
                return message.code
        raise MFACodeUnavailableError(
            f"The local inbox has no {request.method} code for {mask(request.username)}.",
            resolution="Another run may have cleared it: run again.",
        )
