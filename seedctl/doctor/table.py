"""The table of the checks, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from seedctl.doctor import aws_checks as aws
from seedctl.doctor import local_checks as local
from seedctl.doctor import project_checks as project
from seedctl.doctor.check_context import CheckContext
from seedctl.doctor.findings import Finding, failure
from seedctl.errors import SeedctlError


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    run: Callable[[CheckContext], Finding]
    """Returns what it found. A SeedctlError that it raises is a problem, or a note if it is optional."""
    needs: tuple[str, ...] = ()
    """The names of the checks that must succeed before this one can run."""
    target: Literal["any", "aws", "local"] = "any"
    is_optional: bool = False
    """Whether seeding works without what this check looks at."""


CHECKS = (
    Check("project", project.check_project),
    Check("backend", project.check_identifier, ("project",)),
    Check("settings", project.check_settings, ("project",)),
    Check("script", project.check_script, ("project",)),
    Check("imports", project.check_imports, ("script",)),
    Check("outputs", project.check_outputs, ("project",)),
    Check("local file", project.check_local_outputs, ("project",), is_optional=True),
    Check("Node.js", project.check_node, ("project",), is_optional=True),
    Check("npm packages", project.check_packages, ("project",), is_optional=True),
    Check("AWS profile", aws.check_profile, ("project",), "aws"),
    Check("region", aws.check_region, ("AWS profile",), "aws"),
    Check("endpoints", aws.check_endpoints, ("AWS profile",), "aws"),
    Check("credentials", aws.check_credentials, ("region", "endpoints"), "aws"),
    Check("stack", aws.check_stack, ("backend", "outputs", "credentials"), "aws"),
    Check("app client", aws.check_app_client, ("outputs", "credentials"), "aws"),
    Check("secrets", aws.check_secrets, ("backend", "script", "credentials"), "aws"),
    Check("state folder", project.check_state_folder, ("project",)),
    Check("local server", local.check_server, ("state folder", "outputs"), "local"),
    Check("local state", local.check_local_state, ("state folder",), "local"),
    Check("app client", local.check_local_app_client, ("outputs",), "local"),
    Check("secrets", local.check_local_secrets, ("backend", "script", "local state"), "local"),
    Check("git", project.check_gitignore, ("project",), is_optional=True),
    Check("gmpy2", project.check_gmpy2, is_optional=True),
)


def run_checks(context: CheckContext) -> Iterator[tuple[str, Finding]]:
    """Yield the name and the finding of each check for the chosen target."""
    target = "local" if context.is_local else "aws"
    failed: dict[str, list[str]] = {}
    """The checks that failed or were skipped, each with the failed checks that caused it."""
    for check in CHECKS:
        if check.target not in ("any", target):
            continue
        finding = _run(check, context, failed)
        if finding.status == "problem":
            failed[check.name] = [check.name]
        elif finding.status == "skipped":
            failed[check.name] = _causes(check, failed) or [check.name]
        yield check.name, finding


def _run(check: Check, context: CheckContext, failed: Mapping[str, list[str]]) -> Finding:
    causes = _causes(check, failed)
    if causes:
        return Finding(f"not checked, because of: {', '.join(causes)}", status="skipped")
    try:
        return check.run(context)
    except SeedctlError as error:
        return failure(error, "note" if check.is_optional else "problem")


def _causes(check: Check, failed: Mapping[str, list[str]]) -> list[str]:
    """Return the failed checks because of which *check* cannot run."""
    return list(dict.fromkeys(cause for name in check.needs for cause in failed.get(name, ())))
