"""The server that stays up between commands: how it is found, and how it is ended.

It is told by an address file in the state folder, and proven by two things that a stale file does
not have: a lock that dies with the server, and an answer with the file's own nonce.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from seedctl.errors import LocalSandboxError
from seedctl.local.sandbox import PROBE_PATH
from seedctl.local.state_folder import ADDRESS, FOLDER, LOCK, translate_errors
from seedctl.project.lock import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedctl.outputs import AmplifyOutputs

_PROBE_SECONDS = 5.0
_STOP_PROBE_SECONDS = 1.0
_MAX_REPLY = 16 * 1024 * 1024
_PIECE = 64 * 1024
_PAUSE = 0.02
_APPEAR_SECONDS = 3.0
_END_SECONDS = 10.0

_Probe = Literal["answers", "silent", "absent"]


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server of the local sandbox, as its address file describes it."""

    pid: int
    port: int
    started_at: float
    """Epoch seconds."""
    outputs: str | None
    """The outputs file that it deployed; None where there was none."""
    digest: str
    """That file's content at the time, by ``digest_of``."""
    nonce: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


def find_server(state_folder: Path) -> RunningServer | None:
    """Return the project's running server, None if there is none. Raises LocalSandboxError.

    Costs one look for a file where no server was ever started.
    """
    found = locate_server(state_folder)
    if found is None:
        return None
    server, answers = found
    if not answers:
        raise LocalSandboxError(
            f"The local sandbox at {server.url} (process {server.pid}) does not answer.",
            resolution="Let it go on if it was suspended, or end it with seedctl local stop.",
        )
    return server


def locate_server(state_folder: Path) -> tuple[RunningServer, bool] | None:
    """Return the project's server and whether it answers. Raises LocalSandboxError."""
    server = read_address(state_folder)
    if server is None or not _is_locked(state_folder):
        return None
    found = _probe(server, _PROBE_SECONDS)
    return None if found == "absent" else (server, found == "answers")


def require_server(state_folder: Path) -> RunningServer:
    """Return the project's running server. Raises LocalSandboxError if there is none."""
    server = find_server(state_folder)
    if server is None:
        raise LocalSandboxError(
            "No local sandbox is running for this project.",
            resolution="Start one with seedctl local start, or with seedctl local start --detach "
            "to have the terminal back.",
        )
    return server


def refuse_second(state_folder: Path) -> LocalSandboxError:
    """Return the error for a second server, which names the first one."""
    server = None
    for _ in _attempts(_APPEAR_SECONDS):
        if server is not None or not _is_locked(state_folder):
            break
        # It may be about to start, with its address not written yet.
        server = find_server(state_folder)
    where = f", at {server.url} (process {server.pid})" if server is not None else ""
    return LocalSandboxError(
        f"A local sandbox is running for this project already{where}.",
        resolution="Every --local command uses it as it is. End it with seedctl local stop to "
        "start another.",
    )


def read_address(state_folder: Path) -> RunningServer | None:
    """Return what the address file says, whether it is still true or not."""
    path = state_folder / FOLDER / ADDRESS
    with translate_errors(path):
        try:
            content = json.loads(path.read_bytes())
            known = {each.name for each in fields(RunningServer)}
            # Another version's server is one too, whatever else its file says.
            server = RunningServer(**{name: content[name] for name in known & content.keys()})
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None  # not written by this version: nothing that could be trusted
    return server if _is_sound(server) else None


def digest_of(outputs: AmplifyOutputs | None) -> str:
    """Return what tells the content of *outputs* from another's; empty without outputs."""
    if outputs is None:
        return ""
    from hashlib import sha256  # noqa: PLC0415 - only where a server runs

    return sha256(json.dumps(outputs.document, sort_keys=True).encode()).hexdigest()


def check_deployed(server: RunningServer, outputs: AmplifyOutputs | None) -> None:
    """Raise LocalSandboxError unless *server* deployed just these *outputs*."""
    if server.digest == digest_of(outputs):
        return
    fix = "Run seedctl local stop, then seedctl local start to serve the file as it is now"
    if outputs is None:
        problem = f"serves {server.outputs}, but this project has no outputs file any more"
    elif server.outputs is None:
        problem = f"was started without an outputs file, but this command uses {outputs.path}"
    elif server.outputs == str(outputs.path):
        problem = f"serves {outputs.path} as it was before: the file has changed since"
    else:
        problem = f"serves {server.outputs}, but this command uses {outputs.path}"
        fix = (
            f"Add --outputs {server.outputs}, or run seedctl local stop and then seedctl local "
            "start with the other file"
        )
    raise LocalSandboxError(f"The local sandbox at {server.url} {problem}.", resolution=f"{fix}.")


def read_statistics(server: RunningServer) -> dict[str, Any] | None:
    """Return what was asked of *server* so far; None if it has no conditions, or no answer."""
    from seedctl.local.faults.answers import STATISTICS_PATH  # noqa: PLC0415 - for one command only

    try:
        body = _get(server, STATISTICS_PATH, _PROBE_SECONDS)
        statistics = json.loads(body) if body is not None else None
    except (OSError, ValueError):
        return None
    return statistics if isinstance(statistics, dict) else None


def stop_server(
    state_folder: Path, *, seconds: float = _END_SECONDS
) -> tuple[RunningServer, bool] | None:
    """End the project's server; return it, and whether it ended by itself, None if there was none.

    One that has not ended after *seconds* is killed. Raises LocalSandboxError.
    """
    server = _stoppable(state_folder)
    if server is None:
        return None
    for name in ("SIGTERM", "SIGCONT"):  # the second for a server that was suspended
        _signal(server.pid, name)
    gracefully = _wait_until_gone(state_folder, seconds)
    if not gracefully:
        _signal(server.pid, "SIGKILL")
        if not _wait_until_gone(state_folder, seconds):
            raise LocalSandboxError(
                f"The local sandbox at {server.url} (process {server.pid}) cannot be ended.",
                resolution="End the process by the means of the operating system.",
            )
    return server, gracefully


def _stoppable(state_folder: Path) -> RunningServer | None:
    """Return the server, once it is certain that its process id is really its own."""
    for _ in _attempts(_APPEAR_SECONDS):
        if not _is_locked(state_folder):
            return None
        server = read_address(state_folder)
        if server is not None and _probe(server, _STOP_PROBE_SECONDS) != "absent":
            return server
        # About to start or to end: one of them shows soon.
    raise LocalSandboxError(
        "A local sandbox is running for this project, but not within reach.",
        resolution="Stop it where it was started, such as in its container.",
    )


def _signal(pid: int, name: str) -> None:
    number = getattr(signal, name, getattr(signal, "SIGTERM", None))  # Windows has SIGTERM only
    if number is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _wait_until_gone(state_folder: Path, seconds: float) -> bool:
    return any(not _is_locked(state_folder) for _ in _attempts(seconds))


def _attempts(seconds: float) -> Iterator[None]:
    """Yield at once, and again after short pauses until *seconds* are over."""
    end = time.monotonic() + seconds
    yield
    while time.monotonic() < end:
        time.sleep(_PAUSE)
        yield


def _is_locked(state_folder: Path) -> bool:
    path = state_folder / FOLDER / LOCK
    with translate_errors(path):
        return is_held(path)


def _is_sound(server: Any) -> bool:
    return (
        all(type(value) is int and value > 0 for value in (server.pid, server.port))
        and server.port < 65536
        and isinstance(server.started_at, int | float)
        and (server.outputs is None or isinstance(server.outputs, str))
        and isinstance(server.digest, str)
        and isinstance(server.nonce, str)
        and len(server.nonce) >= 16
    )


def _probe(server: RunningServer, seconds: float) -> _Probe:
    """Ask who is at *server*'s port; another program that has the port now counts as absent."""
    try:
        body = _get(server, PROBE_PATH, seconds)
    except TimeoutError:
        return "silent"
    except OSError:
        return "absent"
    return "answers" if body is not None and server.nonce.encode() in body else "absent"


def _get(server: RunningServer, path: str, seconds: float) -> bytes | None:
    """Return what is at *path* of *server*; None if it does not answer with success.

    Raises OSError where the connection fails, TimeoutError after *seconds*. Without http.client,
    which takes longer to load than all else that this module needs.
    """
    import socket  # noqa: PLC0415 - only where a server runs

    host = f"127.0.0.1:{server.port}"
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    reply = b""
    end = time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", server.port), seconds) as connection:
        connection.sendall(request.encode())
        while len(reply) < _MAX_REPLY and time.monotonic() < end:
            chunk = connection.recv(_PIECE)
            if not chunk:
                break
            reply += chunk
    head, _, body = reply.partition(b"\r\n\r\n")
    return body if head.startswith(b"HTTP/1.1 200 ") else None
