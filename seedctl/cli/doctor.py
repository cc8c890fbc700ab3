"""``seedctl doctor``: a line for each thing that seeding needs."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedctl.cli.connection import identifier_of, is_local, project_of, refuse_contradictions
from seedctl.cli.console import Console, print_json, print_rows
from seedctl.cli.options import Command, Settings, format_option, options
from seedctl.masking import mask_message
from seedctl.prompter import can_prompt

if TYPE_CHECKING:
    from seedctl.doctor.findings import Finding

_MARKS = {"ok": "✔", "note": "!", "problem": "✘", "skipped": "-"}
_SET_UP_IS_WRONG = 3


@click.command(cls=Command)
@format_option
@options(
    "identifier",
    "app_id",
    "branch",
    "stack",
    "profile",
    "region",
    "endpoint_url",
    "project_dir",
    "outputs",
    "local",
)
def doctor(settings: Settings, form: str) -> int:
    """Check everything that seeding needs, and show the fixes.

    ✔ is right, ✘ prevents seeding, ! is worth knowing, - was not checked. The exit code is 3 if
    something prevents seeding. Nothing is changed, and no input is asked for.
    """
    refuse_contradictions(settings)
    findings = _findings(settings)
    problems = [name for name, finding in findings if finding.status == "problem"]
    if form == "json":
        checks = [
            {
                "name": name,
                "status": each.status,
                "text": mask_message(each.text),
                "fix": None if each.fix is None else mask_message(each.fix),
            }
            for name, each in findings
        ]
        print_json({"ok": not problems, "checks": checks})
    else:
        shown = findings if not settings.quiet else [f for f in findings if f[1].status != "ok"]
        if shown:
            print_rows([_MARKS[each.status], name, _line(each)] for name, each in shown)
        _sum_up(Console(settings), problems)
    return _SET_UP_IS_WRONG if problems else 0


def _sum_up(console: Console, problems: list[str]) -> None:
    if problems:
        console.failure(f"Problems that prevent seeding: {', '.join(problems)}.")
    else:
        console.success("Nothing prevents seeding.")


def _findings(settings: Settings) -> list[tuple[str, Finding]]:
    # They load botocore, which is slow.
    from seedctl.doctor.check_context import CheckContext  # noqa: PLC0415
    from seedctl.doctor.table import run_checks  # noqa: PLC0415

    context = CheckContext(
        lambda: project_of(settings),
        lambda: identifier_of(settings),
        profile=settings.profile,
        region=settings.region,
        endpoint_url=settings.endpoint_url,
        outputs_option=Path(settings.outputs) if settings.outputs else None,
        is_local=is_local(settings),
        may_ask=can_prompt(),
    )
    # The replacement is no terminal, so neither seedctl nor botocore asks for anything.
    with redirect_stderr(io.StringIO()):
        return list(run_checks(context))


def _line(finding: Finding) -> str:
    """Return the text of *finding* and its fix, with secrets masked."""
    fix = "" if finding.fix is None else f" → {finding.fix}"
    return mask_message(f"{finding.text}{fix}")
