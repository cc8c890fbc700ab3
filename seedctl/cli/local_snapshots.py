"""``seedctl local save``, ``load`` and ``snapshots``: the state of the local sandbox under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seedctl.cli.connection import outputs_source, project_of
from seedctl.cli.console import Console, print_json, print_rows, utc_time
from seedctl.cli.options import Command, format_option, options
from seedctl.local import Snapshot, list_snapshots, load_snapshot, remove_snapshot, save_snapshot

if TYPE_CHECKING:
    from seedctl.cli.options import Settings
    from seedctl.errors import LocalSandboxError

_UNITS = ("B", "KB", "MB", "GB")


@click.command(cls=Command)
@click.argument("name")
@click.option("--force", is_flag=True, help="Replace the snapshot if it is there.")
@click.option(
    "--portable",
    is_flag=True,
    help="Include the key, for other machines; whoever has the snapshot can then read its secrets.",
)
@options("project_dir", "outputs")
def save(settings: Settings, *, name: str, force: bool, portable: bool) -> None:
    """Save the state of the local sandbox as the snapshot NAME.

    That is users, secrets, records and files; seedctl local load NAME brings them back. The local
    sandbox may be running. Without --portable, only this project on this machine can load it.
    """
    settings.local = True
    snapshot = save_snapshot(
        project_of(settings).state_folder,
        outputs_source(settings).if_any,
        name,
        is_replacing=force,
        is_portable=portable,
    )
    console = Console(settings)
    console.success(f"Saved the local sandbox as {snapshot.name}: {_content(snapshot)}.")
    if portable:
        console.warning(
            "The snapshot contains the key of its secrets, so whoever has the snapshot can read the "
            f"secrets in it. It is in {snapshot.folder}."
        )


@click.command(cls=Command)
@click.argument("name")
@options("project_dir", "outputs")
def load(settings: Settings, *, name: str) -> None:
    """Replace the state of the local sandbox with the snapshot NAME.

    The present state is lost, unless you saved it. The local sandbox may be running: it completes
    the requests in progress first.
    """
    settings.local = True
    source = outputs_source(settings)
    snapshot = load_snapshot(project_of(settings).state_folder, source.if_any, name)
    Console(settings).success(f"Loaded {snapshot.name}: {_content(snapshot)}.")


@click.command(cls=Command)
@click.option(
    "--remove", "removed", multiple=True, metavar="NAME", help="Delete a snapshot; repeatable."
)
@format_option
@options("project_dir")
def snapshots(settings: Settings, *, removed: tuple[str, ...], form: str) -> None:
    """List the snapshots of the local sandbox, or delete some."""
    settings.local = True
    state_folder, console = project_of(settings).state_folder, Console(settings)
    for name in removed:
        remove_snapshot(state_folder, name)
        console.success(f"Removed {name}.")
    if removed:
        return
    found = list_snapshots(state_folder)
    if form == "json":
        print_json([_document(name, each) for name, each in found.items()])
    elif found:
        print_rows([name, *_cells(each)] for name, each in found.items())
    else:
        console.status("There are no snapshots. seedctl local save NAME saves one.")


def _content(snapshot: Snapshot) -> str:
    counted = ((snapshot.users, "user"), (snapshot.records, "record"), (snapshot.files, "file"))
    return ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counted)


def _cells(snapshot: Snapshot | LocalSandboxError) -> list[str]:
    if not isinstance(snapshot, Snapshot):
        return [snapshot.message]
    cells = [utc_time(snapshot.saved_at), _content(snapshot), _size(snapshot.size)]
    return [*cells, "portable"] if snapshot.is_portable else cells


def _document(name: str, snapshot: Snapshot | LocalSandboxError) -> dict[str, object]:
    if not isinstance(snapshot, Snapshot):
        return {"name": name, "error": snapshot.message}
    return {
        "name": name,
        "saved_at": utc_time(snapshot.saved_at),
        "users": snapshot.users,
        "records": snapshot.records,
        "files": snapshot.files,
        "size": snapshot.size,
        "portable": snapshot.is_portable,
        "folder": str(snapshot.folder),
    }


def _size(size: float) -> str:
    """Return *size*, in bytes, in the largest unit that is not larger."""
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
