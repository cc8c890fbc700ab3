"""Why a backend's source could not be read: what happened, in which file and line, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedctl.errors import BackendSourceError
from seedctl.masking import mask, mask_line
from seedctl.source.places import (
    Place,
    defining_call,
    file_in_text,
    line_of_import,
    place_in_stack,
    place_of_await,
    place_of_look_up,
    place_of_throw,
    place_of_wait,
)
from seedctl.source.toolchain import install_command

_AGAIN = "run seedctl local init again"
_MOST_LINES = 40
"""How many lines of the output are shown: the last ones."""
_LONGEST_LINE = 1000
"""How many characters of each of them are shown."""

_NOT_FOUND = re.compile(
    r"Cannot find (?:module|package) '(?P<name>[^']+)'(?: imported from (?P<file>/.*))?"
)
_REQUIRED_BY = re.compile(r"^- (?P<file>/.*)$", re.MULTILINE)
_LOOK_UP = re.compile(
    r"context provider [\w:-]+|ContextProvider|CredentialsProviderError|Could not load credentials"
    r"|Region is missing"
)
# What precedes the compiler's message; the file and line are shown separately.
_TRANSFORM = re.compile(r"^Transform failed with \d+ errors?: \S+?:\d+:\d+: (?:ERROR: )?")
_DISK_FULL = re.compile(r"\b(?:ENOSPC|EDQUOT)\b")
_OUT_OF_MEMORY = re.compile(r"(?<=FATAL ERROR: ).*out of memory")
_DUMP = "<--- Last few GCs --->"
_FACTORY = re.compile(r"\bat (?:new )?(?:Amplify)?(\w+)Factory\.getInstance\b")
_DISK_FULL_FIX = "The disk is full. Free some space, or set TMPDIR to a folder on another disk."
_LOOK_UP_FIX = (
    "The local sandbox has no AWS to look it up in. Give the value in the code or in an environment "
    "variable instead; or, where the backend is deployed, use seedctl local init --from outputs."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the synthesis ended."""

    root: Path
    """The project's folder."""
    entry: Path
    """The file that was loaded first."""
    seconds: float
    """The time limit in seconds."""
    status: int | None
    """The exit status; None if the process was killed at the time limit."""
    result: Mapping[str, Any]
    """What ``synth.mjs`` wrote; empty if it did not complete."""
    manifest: Mapping[str, Any]
    """The manifest of the cloud assembly; empty if there is none."""
    output: str
    """What Node and the project's code printed."""


def failure(outcome: Outcome) -> BackendSourceError | None:
    """Return the error that *outcome* shows, or None if the backend was synthesized."""
    entry = outcome.entry.relative_to(outcome.root).as_posix()
    result = outcome.result
    if "late" in result or outcome.status is None:
        return _too_late(outcome, entry)
    if "error" in result:
        return _failed(outcome, entry, result["error"])
    if "ended" in result or outcome.status != 0:
        return _ended(outcome, entry)
    if not outcome.manifest:
        return _error(
            outcome,
            f"{entry} defines no backend.",
            (outcome.entry, None),
            "Call defineBackend in it, with the resources of the backend.",
        )
    missing = [each.get("provider", "?") for each in outcome.manifest.get("missing", ())]
    if missing:
        return _error(
            outcome,
            f"{entry} needs a look-up in an AWS account: {', '.join(sorted(set(missing)))}.",
            place_of_look_up(outcome.root) or (outcome.entry, None),
            _LOOK_UP_FIX,
        )
    return None


def _failed(outcome: Outcome, entry: str, error: Mapping[str, Any]) -> BackendSourceError:
    """Return the error for an exception that the project's code or a package threw."""
    chain = list(_chain(error))
    full = any(_DISK_FULL.search(each["message"]) for each in chain)
    place = (outcome.entry, None) if full else _place(outcome, chain)
    name, message = chain[0]["name"], chain[0]["message"].partition("\nRequire stack:")[0]
    message = _TRANSFORM.sub("", mask_line(message))
    shown = message if name == "Error" or message.startswith(name) else f"{name}: {message}"
    problem = _error(
        outcome,
        f"{entry} cannot be loaded: {shown}",
        place,
        _DISK_FULL_FIX if full else _resolution(outcome.root, chain),
    )
    others = [each for each in chain[1:] if " ".join(each["message"].split()) not in shown]
    if others:
        problem.service_code = others[-1]["name"]
        problem.service_message = mask(others[-1]["message"])
    return problem


def _too_late(outcome: Outcome, entry: str) -> BackendSourceError:
    place = place_in_stack(outcome.root, outcome.result.get("late", ""))
    return _error(
        outcome,
        f"{entry} was not loaded within {outcome.seconds:.0f} s.",
        place
        or place_of_await(outcome.root)
        or place_of_wait(outcome.root)
        or (outcome.entry, None),
        "Look there for an endless loop, or for code that waits for a server; the backend's source "
        f"must not wait. If it only is slow, give it more time with --timeout and {_AGAIN}.",
    )


def _ended(outcome: Outcome, entry: str) -> BackendSourceError:
    """Return the error for a process that ended without a result."""
    status = outcome.status or 0
    if status == 13:
        return _error(
            outcome,
            f"{entry} waits, at an await outside of functions, for something that never happens.",
            place_of_await(outcome.root) or (outcome.entry, None),
            f"Remove the await, or resolve the promise that it waits for, and {_AGAIN}.",
        )
    memory = _OUT_OF_MEMORY.search(outcome.output)
    if memory is not None:
        return _error(
            outcome,
            f"Node.js ran out of memory while it loaded {entry}: {memory[0]}.",
            (outcome.entry, None),
            "Look for a loop that creates more and more; or allow more memory: "
            f'export NODE_OPTIONS="--max-old-space-size=4096", and {_AGAIN}.',
        )
    if status < 0:
        return _error(
            outcome,
            f"Node.js was ended by signal {-status} while it loaded {entry}.",
            (outcome.entry, None),
            f"If the machine is short of memory, free some, and {_AGAIN}.",
        )
    if "ended" in outcome.result:
        return _error(
            outcome,
            f"{entry} ended the process, with exit code {status}, before the backend was complete.",
            place_in_stack(outcome.root, outcome.result["ended"]) or (outcome.entry, None),
            f"Remove the call of process.exit, and {_AGAIN}.",
        )
    return _error(
        outcome,
        f"Node.js ended with exit code {status} while it loaded {entry}.",
        (outcome.entry, None),
        f"See what it printed. If its packages are incomplete, install them again, and {_AGAIN}.",
    )


def _place(outcome: Outcome, chain: Sequence[Mapping[str, Any]]) -> Place:
    """Return the file and line in the project that the errors of *chain* are about."""
    root = outcome.root
    for each in chain:
        missing = _NOT_FOUND.search(each["message"])
        if missing is not None:
            by = missing["file"] or next(
                (found["file"] for found in _REQUIRED_BY.finditer(each["message"])), None
            )
            if by is not None and "node_modules" not in by:
                return Path(by), line_of_import(Path(by), Path(missing["name"]).stem)
    stacks = [f"{each['message']}\n{each['stack']}" for each in chain]
    place = next(filter(None, (place_in_stack(root, stack) for stack in stacks)), None)
    if place is None or place[0] == outcome.entry:
        # Amplify creates all resources in defineBackend, so a line there does not help.
        factory = _FACTORY.search("\n".join(stacks))
        place = (factory and defining_call(root, f"define{factory[1]}")) or place
    if place is None and chain[0]["name"] == "thrown value":  # it is no error object
        place = place_of_throw(root)
    return place or file_in_text(root, chain[0]["message"]) or (outcome.entry, None)


def _resolution(root: Path, chain: Sequence[Mapping[str, Any]]) -> str:
    resolutions = [each["resolution"] for each in chain if each.get("resolution")]
    own = next((each for each in resolutions if "underlying error" not in each), None)
    missing = _NOT_FOUND.search(chain[0]["message"])
    if missing is not None and "node_modules" in (missing["file"] or ""):
        install = install_command(root)
        return f"The installed packages are incomplete: delete node_modules, run {install}, and {_AGAIN}."
    if missing is not None and not missing["name"].startswith((".", "/")):
        name = "/".join(missing["name"].split("/")[: 2 if missing["name"].startswith("@") else 1])
        return (
            f"Install it in the project: npm install --save-dev {name}. If it is an alias, define it "
            "in the tsconfig.json beside amplify/."
        )
    if missing is not None:
        return f"Correct the path of the import, and {_AGAIN}."
    if any(_LOOK_UP.search(f"{each['name']} {each['message']}") for each in chain):
        return _LOOK_UP_FIX
    return own or f"Correct it there, and {_AGAIN}."


def _chain(error: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield *error* and its causes, each with name, message, stack and resolution."""
    link: Any = error
    while isinstance(link, dict):
        yield {"name": "Error", "message": "", "stack": "", **link}
        link = link.get("cause")


def _error(outcome: Outcome, message: str, place: Place, resolution: str) -> BackendSourceError:
    lines = outcome.output.partition(_DUMP)[0].rstrip().splitlines()[-_MOST_LINES:]
    return BackendSourceError(
        mask(message),
        resolution=mask(resolution),
        place=place,
        output="\n".join(mask(line)[:_LONGEST_LINE] for line in lines),
    )
