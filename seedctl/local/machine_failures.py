"""A failure of the machine that the sandbox runs on, answered as no service of AWS would.

A full disk, a folder that may not be written, a state of another version: asking again does not help.
So the status is one that no client repeats (507), and a header tells seedctl's client what happened.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seedctl.errors import LocalSandboxError
from seedctl.local.bodies import ConnectionEndedError
from seedctl.local.state_folder import unusable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seedctl.local.http1 import Request, Response


def telling_machine_failures(
    answer: Callable[[Request], Response], folder: Path
) -> Callable[[Request], Response]:
    """Return *answer* with the machine's failures as answers; *folder* is where the state is."""

    def answer_or_tell(request: Request) -> Response:
        try:
            return answer(request)
        except ConnectionEndedError:
            raise
        except LocalSandboxError as error:
            return _told(request, error)
        except OSError as error:
            return _told(request, unusable(folder, error))

    return answer_or_tell


def _told(request: Request, error: LocalSandboxError) -> Response:
    from seedctl.local.faults.calls import call_of  # noqa: PLC0415 - when something is wrong
    from seedctl.local.faults.refusals import machine_failed  # noqa: PLC0415

    call = call_of(request)
    text = f"{error.message} {error.resolution or ''}".strip()
    response = machine_failed(request, call.service if call is not None else None, text)
    return replace(response, headers=(*response.headers, error.to_header()))
