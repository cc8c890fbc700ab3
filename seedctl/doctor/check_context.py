"""What the checks look at. Each part is looked up once, when the first check needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl.aws.settings import AWSSettings
from seedctl.doctor.script_reading import ScriptNeeds, read_needs
from seedctl.outputs import OutputsSource
from seedctl.parameter_store import Secrets
from seedctl.project import find_script
from seedctl.report import Report

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS
    from seedctl.outputs import AmplifyOutputs
    from seedctl.project import BackendIdentifier, Project

CALL_SECONDS = 4.0
"""How long connecting to AWS, and waiting for a response, may take in each call."""


@dataclass
class CheckContext:
    """The project and the backend that the options select. Reading an attribute may raise SeedctlError."""

    find_project: Callable[[], Project]
    find_identifier: Callable[[], BackendIdentifier]
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    outputs_option: Path | None = None
    is_local: bool = False
    may_ask: bool = False
    """Whether a seed could ask for something on the terminal. The doctor asks nothing."""

    @cached_property
    def project(self) -> Project:
        return self.find_project()

    @cached_property
    def identifier(self) -> BackendIdentifier:
        return self.find_identifier()

    @cached_property
    def script(self) -> Path:
        return find_script(self.project)

    @cached_property
    def script_needs(self) -> ScriptNeeds:
        """What the script needs. Raises SyntaxError and OSError."""
        return read_needs(self.script)

    @cached_property
    def source(self) -> OutputsSource:
        return OutputsSource(self.project, explicit=self.outputs_option, is_local=self.is_local)

    @property
    def outputs(self) -> AmplifyOutputs:
        return self.source.outputs

    @cached_property
    def aws(self) -> AWS:
        """Makes each call once, with a short timeout."""
        from seedctl.aws.calls import AWS  # noqa: PLC0415 - botocore is slow

        settings = AWSSettings(
            self.profile,
            self.region,
            self.endpoint_url,
            is_paced=False,
            timeout_seconds=CALL_SECONDS,
        )
        return AWS(settings, fallback_region=self.source.region)

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.aws, self.identifier, Report(), lambda: None)

    def display(self, path: Path) -> str:
        """Return *path* relative to the project's root if it is inside."""
        root = self.project.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
