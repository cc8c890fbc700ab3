"""Checks of the project on disk and of this machine, which need no AWS."""

from __future__ import annotations

import importlib.util
import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl.doctor.findings import Finding, note, problem
from seedctl.installation import how_to_install
from seedctl.outputs import load_outputs
from seedctl.project import namespace_of
from seedctl.project.gitignore import ENTRY, NAME, ignores_state
from seedctl.project.quotas import chosen_quotas
from seedctl.project.root import is_there
from seedctl.report import age_in_words
from seedctl.source.digests import stale_warning
from seedctl.source.toolchain import find_backend, find_node, find_tsx

if TYPE_CHECKING:
    from seedctl.doctor.check_context import CheckContext


def check_project(context: CheckContext) -> Finding:
    """The project's folder, and its name in package.json."""
    return Finding(f"{namespace_of(context.project)} in {context.project.root}")


def check_identifier(context: CheckContext) -> Finding:
    """Which backend the options and the environment select."""
    identifier = context.identifier
    return Finding(f"{identifier.kind} {identifier.title}")


def check_settings(context: CheckContext) -> Finding:
    """The project's settings for seedctl."""
    count = len(chosen_quotas(context.project))
    return Finding(f"{count} quotas of your own" if count else "none: the defaults apply")


def check_script(context: CheckContext) -> Finding:
    """Whether the seed script is there and is Python."""
    name = context.display(context.script)
    try:
        _ = context.script_needs
    except SyntaxError as error:
        place = context.display(Path(error.filename or name))
        line = f", line {error.lineno}," if error.lineno else ""  # not for a NUL
        return problem(f"{place}{line} is not Python: {error.msg}.", f"Correct {place}.")
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        # A helper that cannot be read, a NUL in older versions of Python, a very deep expression.
        reason = str(error) or type(error).__name__
        return problem(f"{name} cannot be read: {reason}.", "Make it a file of Python source.")
    return Finding(name)


def check_imports(context: CheckContext) -> Finding:
    """Whether the packages that the script imports are installed beside seedctl."""
    missing = context.script_needs.missing_modules
    if not missing:
        return Finding("all installed")
    # A package often, not always, has the name of its module, so the command is only a suggestion.
    fixes = "; ".join(how_to_install(name) for name in missing)
    return problem(
        f"The script imports {', '.join(missing)}, but that is not installed here.", f"{fixes}."
    )


def check_outputs(context: CheckContext) -> Finding:
    """The outputs file: its age, and the resources in it."""
    outputs = context.outputs
    sections = {"auth": outputs.auth, "data": outputs.data, "storage": outputs.storage}
    found = ", ".join(name for name, section in sections.items() if section is not None)
    age = age_in_words(max(0.0, time.time() - outputs.path.stat().st_mtime))
    return Finding(f"{context.display(outputs.path)} ({age} old): {found or 'no resources'}")


def check_local_outputs(context: CheckContext) -> Finding:
    """Whether the file that seedctl local init made still fits the source."""
    path = context.project.local_outputs
    if not is_there(path):
        return Finding("none")
    outputs = load_outputs(path)
    stale = stale_warning(context.project.root, outputs)
    if stale is not None:
        message, _, fix = stale.rpartition(". ")
        return note(f"{message}.", fix)
    return Finding(f"{context.display(path)} is up to date" if outputs.details.sources else "there")


def check_node(context: CheckContext) -> Finding:
    """Node.js, which only seedctl local init needs."""
    if find_backend(context.project) is None:
        return Finding("not needed: there is no amplify/backend.ts")
    path, version = find_node()
    return Finding(f"{version} at {path}")


def check_packages(context: CheckContext) -> Finding:
    """The project's npm packages, which only seedctl local init needs."""
    if find_backend(context.project) is None:
        return Finding("not needed: there is no amplify/backend.ts")
    find_tsx(context.project.root)
    return Finding("@aws-amplify/backend and backend-cli are installed")


def check_state_folder(context: CheckContext) -> Finding:
    """Whether the folder of seedctl's own state can be used."""
    folder = context.project.state_folder
    name = context.display(folder)
    existing = next(each for each in (folder, *folder.parents) if is_there(each))
    if not existing.is_dir():
        return problem(
            f"{existing} is not a folder.", f"mv {_quoted(existing)} {_quoted(existing)}.old"
        )
    if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        return problem(
            f"{existing} cannot be written by this account.", f"chmod u+rwx {_quoted(existing)}"
        )
    return Finding(f"{name} is usable" if existing == folder else f"{name} will be created")


def check_gitignore(context: CheckContext) -> Finding:
    """Whether git ignores seedctl's state."""
    root = context.project.root
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return Finding("no git repository")
    if ignores_state(root):
        return Finding(f"{ENTRY} is ignored")
    return note(
        f"git does not ignore {ENTRY}, which holds local data.",
        f"echo {ENTRY} >> {_quoted(root / NAME)}",
    )


def check_gmpy2(_: CheckContext) -> Finding:
    """The optional package that makes sign-ins faster."""
    if importlib.util.find_spec("gmpy2") is not None:
        return Finding("gmpy2 is installed")
    return note(
        "gmpy2 is not installed: without it, signing in many users is slower.",
        how_to_install("gmpy2"),
    )


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
