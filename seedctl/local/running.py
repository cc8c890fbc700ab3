"""Find and stop the server that keeps running between commands.

The server writes an address file into the state folder. Two checks detect a stale file: the server
holds a lock, which the system releases when the process ends, and it answers with the file's nonce.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from seedctl.errors import LocalSandboxError
from seedctl.local.state_folder import ADDRESS, FOLDER, LOCK, translate_errors
from seedctl.outputs import AmplifyOutputs
from seedctl.project.lock import is_held

PROBE_PATH = "/_seedctl/server"
"""Where a running server publishes its nonce."""
STATISTICS_PATH = "/_seedctl/statistics"
SNAPSHOTS_PATH = "/_seedctl/snapshots"
"""Where a running server takes the commands to save and to load a snapshot."""
_PROBE_SECONDS = 5.0
_COMMAND_SECONDS = 3600.0  # copying large files may take long
_STOP_PROBE_SECONDS = 1.0
_MAX_REPLY = 16 * 1024 * 1024
_PIECE = 64 * 1024
_PAUSE = 0.02
_APPEAR_SECONDS = 3.0
_END_SECONDS = 10.0

_Probe = Literal["answers", "silent", "absent"]


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server of the local sandbox, as described by its address file."""

    pid: int
    port: int
    started_at: float
    """Epoch seconds."""
    outputs: str | None
    """The path of the outputs file it serves; None if it serves none."""
    digest: str
    """The ``digest_of`` the file's content when the server started."""
    nonce: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


def find_server(state_folder: Path) -> RunningServer | None:
    """Return the project's running server, None if there is none.

    If no server was ever started, this only checks for a file. Raises LocalSandboxError.
    """
    found = locate_server(state_folder)
    if found is None:
        return None
    server, answers = found
    if not answers:
        raise LocalSandboxError(
            f"The local sandbox at {server.url} (process {server.pid}) does not answer.",
            resolution="Resume it if it is suspended, or stop it with seedctl local stop.",
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
            "to run it in the background.",
        )
    return server


def refuse_second(state_folder: Path) -> LocalSandboxError:
    """Return the error for starting a second server; it names the first one."""
    server = None
    for _ in _attempts(_APPEAR_SECONDS):
        if server is not None or not _is_locked(state_folder):
            break
        # It may be starting, and not have written its address yet.
        server = find_server(state_folder)
    where = f", at {server.url} (process {server.pid})" if server is not None else ""
    return LocalSandboxError(
        f"A local sandbox is already running for this project{where}.",
        resolution="All --local commands use it. To start another, stop it with seedctl local "
        "stop.",
    )


def read_address(state_folder: Path) -> RunningServer | None:
    """Return the content of the address file, which may be stale."""
    path = state_folder / FOLDER / ADDRESS
    with translate_errors(path):
        try:
            content = json.loads(path.read_bytes())
            known = {each.name for each in fields(RunningServer)}
            # Ignore unknown fields: the server may be of another version.
            server = RunningServer(**{name: content[name] for name in known & content.keys()})
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None  # not a valid address file
    return server if _is_valid(server) else None


def digest_of(outputs: AmplifyOutputs | None) -> str:
    """Return a hash of the content of *outputs*; empty without outputs."""
    if outputs is None:
        return ""
    return hashlib.sha256(json.dumps(outputs.document, sort_keys=True).encode()).hexdigest()


def check_deployed(server: RunningServer, outputs: AmplifyOutputs | None) -> None:
    """Raise LocalSandboxError unless *server* serves the same content as *outputs*."""
    if server.digest == digest_of(outputs):
        return
    fix = "Run seedctl local stop, then seedctl local start to serve the file as it is now"
    if outputs is None:
        problem = f"serves {server.outputs}, but this project no longer has an outputs file"
    elif server.outputs is None:
        problem = f"was started without an outputs file, but this command uses {outputs.path}"
    elif server.outputs == str(outputs.path):
        problem = f"serves an older version of {outputs.path}: the file has changed since"
    else:
        problem = f"serves {server.outputs}, but this command uses {outputs.path}"
        fix = (
            f"Add --outputs {server.outputs}, or run seedctl local stop and then seedctl local "
            "start with the other file"
        )
    raise LocalSandboxError(f"The local sandbox at {server.url} {problem}.", resolution=f"{fix}.")


def read_statistics(server: RunningServer) -> dict[str, Any] | None:
    """Return the statistics of *server*; None without fault settings or without an answer."""
    try:
        body = _fetch(server, STATISTICS_PATH, _PROBE_SECONDS)
        statistics = json.loads(body) if body is not None else None
    except (OSError, ValueError):
        return None
    return statistics if isinstance(statistics, dict) else None


def send_command(server: RunningServer, path: str, command: dict[str, Any]) -> None:
    """Let *server* carry out *command* at *path*, and wait until it is done.

    Raises LocalSandboxError: the server refused the command, or did not answer.
    """
    resolution = "Restart it with seedctl local stop and seedctl local start, then run again."
    try:
        body = _fetch(server, path, _COMMAND_SECONDS, {**command, "nonce": server.nonce})
        if body is None:
            raise LocalSandboxError(
                f"The local sandbox at {server.url} does not know this command: another version of "
                "seedctl started it.",
                resolution=resolution,
            )
        error = json.loads(body)["error"]
    except (OSError, ValueError) as failure:
        raise LocalSandboxError(
            f"The local sandbox at {server.url} (process {server.pid}) ended before it answered.",
            resolution=resolution,
        ) from failure
    if error is not None:
        message, resolution = error
        raise LocalSandboxError(message, resolution=resolution)


def stop_server(
    state_folder: Path, *, seconds: float = _END_SECONDS
) -> tuple[RunningServer, bool] | None:
    """Stop the project's server.

    Args:
        state_folder: The project's ``.amplify/seedctl`` folder.
        seconds: How long to wait after SIGTERM before killing the process.

    Returns:
        The server and whether it stopped without being killed; None if no server was running.

    Raises:
        LocalSandboxError: The server cannot be reached or stopped.
    """
    server = _find_stoppable(state_folder)
    if server is None:
        return None
    for name in ("SIGTERM", "SIGCONT"):  # the second for a server that was suspended
        _signal(server.pid, name)
    gracefully = _wait_until_gone(state_folder, seconds)
    if not gracefully:
        _signal(server.pid, "SIGKILL")
        if not _wait_until_gone(state_folder, seconds):
            raise LocalSandboxError(
                f"The local sandbox at {server.url} (process {server.pid}) cannot be stopped.",
                resolution="End the process with the tools of the operating system.",
            )
    return server, gracefully


def _find_stoppable(state_folder: Path) -> RunningServer | None:
    """Return the server once a probe has confirmed its process id; None if none is running."""
    for _ in _attempts(_APPEAR_SECONDS):
        if not _is_locked(state_folder):
            return None
        server = read_address(state_folder)
        if server is not None and _probe(server, _STOP_PROBE_SECONDS) != "absent":
            return server
        # It may be starting or stopping: try again.
    raise LocalSandboxError(
        "A local sandbox is running for this project, but it cannot be reached.",
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
    """Yield immediately, then again after each short pause, until *seconds* have passed."""
    end = time.monotonic() + seconds
    yield
    while time.monotonic() < end:
        time.sleep(_PAUSE)
        yield


def _is_locked(state_folder: Path) -> bool:
    path = state_folder / FOLDER / LOCK
    with translate_errors(path):
        return is_held(path)


def _is_valid(server: RunningServer) -> bool:
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
    """Check who answers at *server*'s port. Another program there counts as ``absent``."""
    try:
        body = _fetch(server, PROBE_PATH, seconds)
    except TimeoutError:
        return "silent"
    except OSError:
        return "absent"
    return "answers" if body is not None and server.nonce.encode() in body else "absent"


def _fetch(
    server: RunningServer, path: str, seconds: float, document: dict[str, Any] | None = None
) -> bytes | None:
    """Return what *server* answers at *path*, to a GET or a POST of *document*.

    Returns None for any status but 200. Raises OSError if the connection fails, TimeoutError after
    *seconds*. It does not use http.client, which takes longer to load than everything else this
    module needs.
    """
    host = f"127.0.0.1:{server.port}"
    sent = b"" if document is None else json.dumps(document).encode()
    request = f"{'GET' if document is None else 'POST'} {path} HTTP/1.1\r\nHost: {host}\r\n"
    request += f"Content-Length: {len(sent)}\r\nConnection: close\r\n\r\n"
    reply = b""
    end = time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", server.port), seconds) as connection:
        connection.sendall(request.encode() + sent)
        while len(reply) < _MAX_REPLY and time.monotonic() < end:
            chunk = connection.recv(_PIECE)
            if not chunk:
                break
            reply += chunk
    if not reply:
        raise ConnectionError("The server closed the connection without an answer.")
    head, _, body = reply.partition(b"\r\n\r\n")
    return body if head.startswith(b"HTTP/1.1 200 ") else None
