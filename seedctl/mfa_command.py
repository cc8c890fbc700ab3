"""One-time codes from a command of the user's: ``--mfa-command`` or SEEDCTL_MFA_COMMAND."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Callable

from seedctl import interruption, masking
from seedctl.errors import MFACodeUnavailableError
from seedctl.prompter import CodeRequest
from seedctl.uninterrupted import run_in_thread

_LONGEST_OUTPUT = 8192  # bytes; only the first line is used
_COMMAND_SECONDS = 120  # shorter than the three minutes that Cognito's session lasts


class CommandCodes:
    """Runs the user's command, without a shell, and returns the first line that it prints."""

    can_repeat = False

    def __init__(self, command: str, *, seconds: float = _COMMAND_SECONDS) -> None:
        """*seconds* is how long the command may run."""
        self._command = command
        self._seconds = seconds

    def code(self, request: CodeRequest) -> str:
        environment = {
            **os.environ,
            "SEEDCTL_MFA_USERNAME": request.username,
            "SEEDCTL_MFA_METHOD": request.method,
            "SEEDCTL_MFA_DESTINATION": request.destination,
        }
        try:
            arguments = shlex.split(self._command)
            if not arguments:
                raise self._failed(request, "is empty")
            line, status = run_in_thread(
                lambda must_stop: self._run(arguments, environment, must_stop)
            )
        except (OSError, ValueError) as error:
            raise self._failed(request, f"cannot be run: {error}") from error
        if status is None:
            raise self._failed(request, f"took longer than {self._seconds:.0f} s")
        if status:
            raise self._failed(request, f"ended with exit status {status}")
        code = line.decode("utf-8", "replace").strip()
        if not code:
            raise self._failed(request, "printed no code")
        masking.register(code)
        return code

    def _run(
        self, arguments: list[str], environment: dict[str, str], must_stop: Callable[[], bool]
    ) -> tuple[bytes, int | None]:
        """Return the first line printed and the exit status, which is None after a timeout."""
        if must_stop():
            return b"", None
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        with interruption.cleaned_up(lambda: _kill(process)):
            line = self._first_line(process, must_stop)
            status = process.poll()
        assert process.stdout is not None
        process.stdout.close()
        process.wait()
        return line, status

    def _first_line(self, process: subprocess.Popen[bytes], must_stop: Callable[[], bool]) -> bytes:
        """Return the first line *process* prints; wait until it ends, but not for its children."""
        assert process.stdout is not None
        descriptor, output = process.stdout.fileno(), b""
        end = time.monotonic() + self._seconds
        is_open = True
        while process.poll() is None and time.monotonic() < end and not must_stop():
            if is_open and select.select([descriptor], [], [], 0.05)[0]:
                data = os.read(descriptor, 4096)
                is_open = bool(data)
                output = (output + data)[:_LONGEST_OUTPUT]
            elif not is_open:
                time.sleep(0.01)
        if is_open and select.select([descriptor], [], [], 0)[0]:
            output += os.read(descriptor, 4096)
        return output.partition(b"\n")[0]

    def _failed(self, request: CodeRequest, what: str) -> MFACodeUnavailableError:
        return MFACodeUnavailableError(
            f"The MFA command for {masking.mask(request.username)} ({request.method}) {what}.",
            resolution="The command must print the code as its first line, within "
            f"{self._seconds:.0f} s, and end with 0. It gets SEEDCTL_MFA_USERNAME, "
            "SEEDCTL_MFA_METHOD and SEEDCTL_MFA_DESTINATION.",
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill *process* and its children, if it is still running."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
