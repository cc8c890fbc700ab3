"""``seedctl local start``: the sandbox as a server, here or in a process of its own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from seedctl.cli.conditions import conditions_options
from seedctl.cli.console import Console
from seedctl.cli.local_server import aligned, local_settings, shown_outputs
from seedctl.cli.options import Command, options
from seedctl.cli.own_command import command_line

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from seedctl.cli.options import Settings
    from seedctl.cli.stop_signals import StopSignals
    from seedctl.local.faults import FaultSettings
    from seedctl.local.running import RunningServer
    from seedctl.outputs import AmplifyOutputs

_START_SECONDS = 60.0


@click.command(cls=Command)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port to listen on  [default: any free one].",
)
@click.option("--seed", "with_seed", is_flag=True, help="Run the seed script once it is up.")
@click.option("--detach", is_flag=True, help="Leave it running and give the terminal back.")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Let web pages of ORIGIN call it, such as http://localhost:3000; repeatable, * for all.",
)
@conditions_options
@click.option("--in-background", is_flag=True, hidden=True)
@options("identifier", "region", "project_dir", "outputs", "verbose")
@click.pass_context
def start(
    context: click.Context,
    /,
    *,
    port: int | None,
    with_seed: bool,
    detach: bool,
    origins: tuple[str, ...],
    in_background: bool,
    **chosen: Any,
) -> None:
    """Start the local sandbox as a server that stays up.

    Every --local command of the project uses it until it ends, by Ctrl-C or seedctl local stop.
    What it stores is kept. If the script of --seed fails, the server stays up; with --detach the
    exit code is the seed's.
    """
    from seedctl.local.cors import checked_origin  # noqa: PLC0415
    from seedctl.local.faults import FaultSettings  # noqa: PLC0415
    from seedctl.project import find_script  # noqa: PLC0415

    settings = local_settings(context)
    console, signals = Console(settings), settings.signals
    origins = tuple(checked_origin(origin) for origin in origins)
    fault_settings = FaultSettings.parse(**chosen)
    outputs = _deployed_outputs(settings)
    if with_seed:
        find_script(settings.project)
    if detach:
        server = _start_detached(settings, signals, _arguments(port, origins, chosen))
        _show(console, settings, server, outputs, fault_settings)
        console.status("seedctl local stop ends it.")
        if with_seed:
            with signals.waited_for():
                context.exit(_seed(settings, signals))
        return
    from seedctl.local.hosting import host_sandbox  # noqa: PLC0415

    state_folder = settings.project.state_folder
    statistics: list[dict[str, Any]] = []
    with signals.waited_for():
        with host_sandbox(
            state_folder,
            outputs,
            port=port or 0,
            origins=origins,
            fault_settings=fault_settings,
            at_end=statistics.append,
        ) as server:
            _show(console, settings, server, outputs, fault_settings)
            if with_seed and (code := _seed(settings, signals)) and not signals.wait(0):
                console.warning(f"The seed ended with exit code {code}. The server stays up.")
            if not in_background and not signals.wait(0):
                console.status("Ctrl-C stops it.")
            signals.wait()
        for document in statistics:
            from seedctl.local.faults import table  # noqa: PLC0415

            for line in table(document):
                console.status(line)
        console.status("Stopped. Users, secrets, records and files are kept.")


def _deployed_outputs(settings: Settings) -> AmplifyOutputs | None:
    """Return what there is to deploy; without any file, secrets can still be served."""
    from pathlib import Path  # noqa: PLC0415

    from seedctl.errors import AmplifyOutputsNotFoundError  # noqa: PLC0415
    from seedctl.outputs import load_outputs  # noqa: PLC0415
    from seedctl.project import find_outputs  # noqa: PLC0415

    explicit = Path(settings.outputs) if settings.outputs else None
    try:
        return load_outputs(find_outputs(settings.project, explicit=explicit, local=True))
    except AmplifyOutputsNotFoundError:
        if explicit is not None:
            raise
        return None


def _show(
    console: Console,
    settings: Settings,
    server: RunningServer,
    outputs: AmplifyOutputs | None,
    fault_settings: FaultSettings | None,
) -> None:
    rows = {}
    if outputs is not None and outputs.data is not None:
        rows["GraphQL"] = f"{server.url}/graphql"
    rows["Outputs"] = shown_outputs(settings, server)
    if fault_settings is not None:
        rows["Conditions"] = str(fault_settings)
    console.success(f"The local sandbox is up at {server.url}")
    for line in aligned(rows):
        console.status(f"  {line}")
    console.status("--local commands of this project use it. For others: seedctl local outputs")


def _seed(settings: Settings, signals: StopSignals) -> int:
    """Run the seed script against the server, in a process of its own; return its exit code."""
    import subprocess  # noqa: PLC0415

    from seedctl.cli.processes import (  # noqa: PLC0415
        end,
        exit_code_of,
        pass_on,
    )

    process = subprocess.Popen(command_line(settings, "seed"))  # noqa: S603 - our own command
    while process.poll() is None:
        if number := signals.wait(0.05):
            pass_on(number, [process.pid])
            end(process, patience=3.0)
    return exit_code_of(process)


def _arguments(port: int | None, origins: tuple[str, ...], chosen: Mapping[str, Any]) -> list[str]:
    """Return the words that start the same server in another process."""
    words = ["local", "start", "--in-background"]
    if port is not None:
        words += ["--port", str(port)]
    for origin in origins:
        words += ["--allow-origin", origin]
    given = ((name, value) for name, value in chosen.items() if value is not None)
    return words + [f"--{name.replace('_', '-')}={value}" for name, value in given]


def _start_detached(
    settings: Settings, signals: StopSignals, arguments: list[str]
) -> RunningServer:
    """Start a server that outlives this process, and return it once it answers."""
    from seedctl.cli.processes import leave_running, start_detached  # noqa: PLC0415
    from seedctl.local.running import find_server, refuse_second  # noqa: PLC0415
    from seedctl.local.state_folder import LOG, prepare, unfinished_name, unusable  # noqa: PLC0415

    state_folder = settings.project.state_folder
    if find_server(state_folder) is not None:
        raise refuse_second(state_folder)
    log = prepare(state_folder) / LOG
    # Under a name of its own until it is up: of two that start at once, each has its own words.
    unfinished = unfinished_name(log)
    process = None
    try:
        with signals.held():  # or the process might run, and nobody knows of it
            try:
                process = start_detached(command_line(settings, *arguments), log=unfinished)
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
    leave_running(process)
    with contextlib.suppress(PermissionError):  # Windows leaves an open file its name
        unfinished.replace(log)
    return server


def _wait_until_up(
    process: subprocess.Popen[bytes], find: Callable[[], RunningServer | None]
) -> RunningServer | None:
    """Return the server that *process* is, None if it ended before it was one."""
    import os  # noqa: PLC0415
    import time  # noqa: PLC0415

    from seedctl.errors import LocalSandboxError  # noqa: PLC0415

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
