"""``seedctl local start``: the sandbox as a server, in this process or a detached one.

Another process runs seedctl again: a server that outlives this one, or a seed beside a server.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from seedctl.cli.connection import outputs_source, project_of, warn_if_stale
from seedctl.cli.console import Console
from seedctl.cli.local import aligned, served_outputs
from seedctl.cli.options import Command, Settings, options
from seedctl.errors import LocalSandboxError
from seedctl.local.cors import checked_origin
from seedctl.local.faults import FaultSettings, table
from seedctl.local.hosting import host_sandbox
from seedctl.local.running import RunningServer, find_server, refuse_second
from seedctl.local.state_folder import LOG, prepare, unfinished_name, unusable
from seedctl.outputs import AmplifyOutputs
from seedctl.project import find_script
from seedctl.runner.started import send_signal

_START_SECONDS = 60.0
_ROOT = Path(__file__).resolve().parents[2]
# Not -m, which would import a user's module from the working directory in the place of another.
_PROGRAM = (
    "import sys; sys.path = [*filter(None, sys.path), sys.argv.pop(1)]; "
    "from seedctl.__main__ import main; sys.exit(main())"
)


@click.command(cls=Command)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port to listen on  [default: any free one].",
)
@click.option("--seed", "with_seed", is_flag=True, help="Run the seed script once it is up.")
@click.option("--detach", is_flag=True, help="Run it in the background.")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Let web pages of ORIGIN call it, such as http://localhost:3000; repeatable, * for all.",
)
@click.option(
    "--latency",
    metavar="MS",
    help="Delay each response by so many milliseconds, such as 100, or 50-150.",
)
@click.option(
    "--quotas",
    is_flag=False,
    flag_value="default",
    metavar="[NAME=N,...]",
    help="Throttle calls above AWS's quotas of requests per second; UserCreation=80 changes one.",
)
@click.option(
    "--faults",
    metavar="PERCENT|NAME=PERCENT,...",
    help="Make a percentage of requests fail: fail, fail-after, throttle, cut, cut-after.",
)
@click.option(
    "--fault-seed",
    type=int,
    metavar="N",
    help="Repeat the same faults in the same order in each run.",
)
@click.option("--in-background", is_flag=True, hidden=True)
@options("identifier", "region", "project_dir", "outputs", "verbose")
def start(
    settings: Settings,
    /,
    *,
    port: int | None,
    with_seed: bool,
    detach: bool,
    origins: tuple[str, ...],
    in_background: bool,
    **condition_options: Any,
) -> int:
    """Start the local sandbox as a server that stays up.

    Every --local command of the project uses it until it ends, by Ctrl-C or seedctl local stop.
    What it stores remains. If the script of --seed fails, the server stays up; with --detach the
    exit code is the seed's.
    """
    settings.local = True  # with or without --local
    origins = tuple(checked_origin(origin) for origin in origins)
    fault_settings = FaultSettings.parse(**condition_options)
    outputs = outputs_source(settings).if_any()
    if not in_background:  # the process that started it has warned
        warn_if_stale(settings, outputs)
    if with_seed:
        find_script(project_of(settings))
    startup = _Startup(Console(settings), outputs, fault_settings, with_seed)
    if detach:
        return startup.detach(_arguments(port, origins, condition_options))
    startup.host(port or 0, origins, in_background=in_background)
    return 0


@dataclass(frozen=True)
class _Startup:
    """Starts the server in one of the two ways, with what the command line asks for."""

    console: Console
    outputs: AmplifyOutputs | None
    fault_settings: FaultSettings | None
    with_seed: bool

    def detach(self, arguments: list[str]) -> int:
        """Start a server with *arguments* that outlives this process; return the exit code."""
        server = _start_server(self.console.settings, arguments)
        self._show(server)
        self.console.status("seedctl local stop ends it.")
        if not self.with_seed:
            return 0
        with self.console.settings.signals.wait_mode():
            return _seed(self.console.settings)

    def host(self, port: int, origins: Sequence[str], *, in_background: bool) -> None:
        """Serve in this process until a signal ends it."""
        console, signals = self.console, self.console.settings.signals
        statistics: list[dict[str, Any]] = []
        with signals.wait_mode():
            with host_sandbox(
                project_of(self.console.settings).state_folder,
                self.outputs,
                port=port,
                origins=tuple(origins),
                fault_settings=self.fault_settings,
                at_end=statistics.append,
            ) as server:
                self._show(server)
                if (
                    self.with_seed
                    and (code := _seed(self.console.settings))
                    and not signals.wait(0)
                ):
                    console.warning(f"The seed ended with exit code {code}. The server stays up.")
                if not in_background and not signals.wait(0):
                    console.status("Ctrl-C stops it.")
                signals.wait()
            for document in statistics:
                for line in table(document):
                    console.status(line)
            console.status("Stopped. Users, secrets, records and files remain stored.")

    def _show(self, server: RunningServer) -> None:
        """Say where *server* is and what it serves."""
        rows = {}
        if self.outputs is not None and self.outputs.data is not None:
            rows["GraphQL"] = f"{server.url}/graphql"
        rows["Outputs"] = served_outputs(self.console.settings, server)
        if self.fault_settings is not None:
            rows["Conditions"] = str(self.fault_settings)
        self.console.success(f"The local sandbox is up at {server.url}")
        for line in aligned(rows):
            self.console.status(f"  {line}")
        self.console.status(
            "--local commands of this project use it. For others: seedctl local outputs"
        )


def _seed(settings: Settings) -> int:
    """Run the seed script in a process of its own and return its exit code."""
    process = subprocess.Popen(_command_line(settings, "seed"))  # noqa: S603 - our own command
    while process.poll() is None:
        if number := settings.signals.wait(0.05):
            send_signal(number, [process.pid])
            _end(process, patience=3.0)
    return _exit_code_of(process)


def _arguments(
    port: int | None, origins: tuple[str, ...], condition_options: Mapping[str, Any]
) -> list[str]:
    """Return the arguments that start the same server in another process."""
    values = [("port", port), *(("allow-origin", origin) for origin in origins)]
    values += condition_options.items()
    given = [f"--{name.replace('_', '-')}={value}" for name, value in values if value is not None]
    return ["local", "start", "--in-background", *given]


def _start_server(settings: Settings, arguments: list[str]) -> RunningServer:
    """Start a server that outlives this process, and return it once it answers."""
    state_folder = project_of(settings).state_folder
    if find_server(state_folder) is not None:
        raise refuse_second(state_folder)
    log = prepare(state_folder) / LOG
    # Until the server is up its log has a unique name: two that start at once do not share it.
    unfinished = unfinished_name(log)
    process = None
    try:
        with settings.signals.held():  # otherwise a signal could leave a process that is not known
            try:
                process = _start_detached(_command_line(settings, *arguments), log=unfinished)
            except OSError as error:
                raise unusable(log.parent, error) from error
        server = _wait_until_up(process, lambda: find_server(state_folder))
    except BaseException:
        if process is not None:
            process.kill()
            process.wait()
            _show_log(unfinished)
        raise
    if server is None:
        _show_log(unfinished)
        raise click.exceptions.Exit(process.returncode or 1)
    process.returncode = 0  # Python warns of a process that outlives it without a code
    with contextlib.suppress(PermissionError):  # Windows does not rename an open file
        unfinished.replace(log)
    return server


def _wait_until_up(
    process: subprocess.Popen[bytes], find: Callable[[], RunningServer | None]
) -> RunningServer | None:
    """Return the server that *process* runs, or None if it ended before the server was up."""
    limit = time.monotonic() + _START_SECONDS
    while process.poll() is None:
        server = find()
        # On Windows the interpreter of a virtual environment runs another process.
        if server is not None and (server.pid == process.pid or os.name == "nt"):
            return server
        if time.monotonic() > limit:
            raise LocalSandboxError(
                f"The local sandbox did not come up within {_START_SECONDS:.0f} s.",
                resolution="Start it without --detach to see what it does.",
            )
        time.sleep(0.02)
    return None


def _show_log(log: Path) -> None:
    text = log.read_text(encoding="utf-8", errors="replace")
    log.unlink()
    click.echo(text, err=True, nl=False)


def _command_line(settings: Settings, *arguments: str) -> list[str]:
    """Return the command that runs seedctl with *arguments* for the same project."""
    words = [sys.executable, "-c", _PROGRAM, str(_ROOT), *arguments, "--local"]
    words += ["-C", str(project_of(settings).root)]
    if settings.outputs:
        words += ["--outputs", str(Path(settings.outputs).resolve())]
    for option, value in (("--identifier", settings.identifier), ("--region", settings.region)):
        if value:
            words += [option, value]
    for flag in ("quiet", "verbose", "debug"):
        if getattr(settings, flag):
            words.append(f"--{flag}")
    return words


def _start_detached(command: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start *command* in a session of its own; its output goes to the new file *log*."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env={**os.environ, "PYTHONUTF8": "1"},  # the log is read as UTF-8
        )
    finally:
        os.close(descriptor)


def _end(process: subprocess.Popen[bytes], *, patience: float) -> None:
    """Wait *patience* seconds for *process* to end, then terminate it, then kill it."""
    for then in (process.terminate, process.kill):
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            then()
    process.wait()


def _exit_code_of(process: subprocess.Popen[bytes]) -> int:
    """Wait for *process* and return its exit code as a shell does: 128 + the signal's number."""
    code = process.wait()
    return 128 - code if code < 0 else code
