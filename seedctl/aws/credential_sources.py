"""Control how botocore gets the developer's credentials: it asks for MFA codes and runs programs.

By default botocore asks for a code even if stdin is not a terminal, may show what is typed, and
waits for a program without a time limit.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.credentials import AssumeRoleProvider, ProcessProvider
from botocore.exceptions import CredentialRetrievalError

from seedctl import masking
from seedctl.errors import InvalidCredentialError, PromptUnavailableError
from seedctl.prompter import TerminalPrompter, can_prompt

if TYPE_CHECKING:
    from botocore.credentials import CredentialResolver
    from botocore.session import Session

PROCESS_SECONDS = 60.0
"""How long a credential_process may run."""


def watch_credential_sources(session: Session, profile: str) -> None:
    """Have *session* ask for MFA codes like seedctl, and end programs that take too long."""
    make: Any = session._create_credential_resolver  # noqa: SLF001 - botocore has no public way

    # Register lazily, like botocore: the resolver needs the region of the first client.
    session.lazy_register_component("credential_provider", lambda: _watched(make(), profile))


def _watched(resolver: CredentialResolver, profile: str) -> CredentialResolver:
    for provider in resolver.providers:
        if isinstance(provider, ProcessProvider):
            provider._popen = CredentialProcess  # noqa: SLF001
        elif isinstance(provider, AssumeRoleProvider):
            provider._prompter = partial(_ask_mfa_code, profile)  # noqa: SLF001
            # The source profiles of a role have their own providers.
            builder = provider._profile_provider_builder  # noqa: SLF001
            load_config = provider._load_config  # noqa: SLF001
            builder._create_process_provider = partial(  # noqa: SLF001
                ProcessProvider, load_config=load_config, popen=CredentialProcess
            )
    return resolver


def _ask_mfa_code(profile: str, prompt: str) -> str:
    question = prompt.strip().rstrip(":")
    try:
        code = TerminalPrompter().ask(question)
    except PromptUnavailableError as error:
        raise InvalidCredentialError(
            f'The AWS profile "{profile}" needs an {question.removeprefix("Enter ")}, and there is no '
            "terminal to ask on.",
            resolution="Run in a terminal, without CI set in the environment; or get temporary "
            "credentials first (aws sts assume-role) and name a profile that has them.",
        ) from error
    masking.register(code)
    return code


class CredentialProcess:
    """A running ``credential_process``, in place of botocore's Popen, with a limit of 60 seconds.

    The program has access to the terminal only if seedctl itself may ask the user.
    """

    def __init__(self, words: Sequence[str], *, stdout: int, stderr: int) -> None:
        """Start the program *words*. Raises CredentialRetrievalError if it cannot be started."""
        self._name = words[0] if words else ""
        self._has_terminal = can_prompt()
        if not words:
            raise self._failed("is not named in credential_process")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                words,
                stdin=None if self._has_terminal else subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=not self._has_terminal,
            )
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise self._failed(f"cannot be run: {reason}") from error
        self.returncode = 0

    def communicate(self) -> tuple[bytes, bytes]:
        """Wait for the program, and return its output, which has credentials.

        Raises CredentialRetrievalError if it fails, takes too long or prints no credentials.
        """
        try:
            output, errors = self._process.communicate(timeout=PROCESS_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            # "from None", since the error shows the complete command line.
            raise self._failed(f"took longer than {PROCESS_SECONDS:.0f} s") from None
        except BaseException:
            self._kill()
            raise
        finally:
            for stream in (self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()
            self._process.wait()
        self.returncode = self._process.returncode
        if self.returncode:
            text = errors.decode("utf-8", "replace").strip() or "It printed no error message."
            raise self._failed(f"ended with exit status {self.returncode}: {text}")
        if not _are_credentials(output):
            raise self._failed("did not print credentials")
        return output, errors

    def _failed(self, what: str) -> CredentialRetrievalError:
        return CredentialRetrievalError(
            provider=ProcessProvider.METHOD, error_msg=f"The program {self._name!r} {what}"
        )

    def _kill(self) -> None:
        """Kill the program and its child processes."""
        if os.name == "nt":  # pragma: no cover - the tests run on POSIX
            self._process.kill()
        elif self._has_terminal:
            # It runs in our process group, since others cannot read from the terminal.
            for pid in _process_tree(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _are_credentials(output: bytes) -> bool:
    """Whether *output* looks like credentials in JSON; botocore checks the details."""
    try:
        document = json.loads(output)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and all(
        isinstance(document.get(name, ""), str) for name in ("AccessKeyId", "SecretAccessKey")
    )


def _process_tree(root: int) -> list[int]:
    """Return the ids of the process *root* and its descendants."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607 - every POSIX system has ps
        capture_output=True,
        text=True,
        check=False,
    )
    children: dict[int, list[int]] = {}
    for line in listed.stdout.splitlines():
        pid, parent = map(int, line.split())
        children.setdefault(parent, []).append(pid)
    found = [root]
    for pid in found:  # the list grows during the loop
        found += children.get(pid, [])
    return found
