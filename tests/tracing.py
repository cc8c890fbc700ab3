"""Coverage is measured while tests and fixtures run, and not in between.

Until Python 3.14 coverage traces each line that Python runs, pytest's own and those of all
libraries too, which takes about half as long again as to run them. So tracing pauses where none of
seedctl's code runs: in the process that only distributes the tests, while tests are collected, and
between them. And it pauses for tests that run whole programs or repeat much: each line counts only
if a test of its own area runs it.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import seedctl

if TYPE_CHECKING:
    from collections.abc import Iterator

# Whole programs, moto beside the sandbox, recorded and random input, and many users or records.
_NOT_TRACED = (
    "tests/appsync/test_bulk_local.py",
    "tests/aws/test_response_checks.py",
    "tests/cli/test_faults.py",
    "tests/contract/",
    "tests/fake/test_accepted.py",
    "tests/first_script/test_init.py::test_the_script_",
    "tests/local/test_fuzz.py",
    "tests/local_appsync/test_fuzz.py",
    "tests/local_appsync/test_odd_outputs.py",
    "tests/local_appsync/test_schema.py",
    "tests/local_appsync/test_tables.py",
    "tests/rows/test_round_trip.py",
    "tests/test_doc_blocks.py",
    "tests/test_docs.py",
    "tests/test_errors_doc.py",
    "tests/test_layers.py",
    "tests/test_masking.py",
    "tests/test_other_programs.py",
    "tests/test_processes.py",
    "tests/test_secrecy.py",
    "tests/test_signals.py",
)

# What seedctl and most tests import, so that only seedctl's own modules are traced on import.
_LIBRARIES = (
    "boto3",
    "botocore.session",
    "click.testing",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.x509",
    "graphql",
    "hypothesis",
    "rich.console",
    "s3transfer.manager",
)


_ROOT = Path(__file__).parents[1]


def pause(config: pytest.Config) -> None:
    """Pause the tracer from here on, but for the functions of tests and fixtures."""
    tracer = sys.gettrace()
    if type(tracer).__name__ != "CTracer":
        return  # no coverage, one that does not trace, or a debugger
    sys.settrace(None)
    if config.getoption("numprocesses", None):
        return  # this process runs no test
    assert [each for each in _NOT_TRACED if not (_ROOT / each.split("::")[0]).exists()] == []
    for name in _LIBRARIES:
        importlib.import_module(name)
    traced = _Traced(tracer)
    with traced.tracing():
        for module in pkgutil.walk_packages(seedctl.__path__, "seedctl."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    config.pluginmanager.register(traced)


class _Traced:
    """The plugin that traces the functions of tests and fixtures, as far as they run in this thread."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer
        self._is_on = True

    @contextmanager
    def tracing(self) -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(self._tracer if self._is_on else None)
        try:
            yield
        finally:
            sys.settrace(before)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        self._is_on = not item.nodeid.startswith(_NOT_TRACED)
        new_threads = threading.gettrace()
        if not self._is_on:
            threading.settrace(None)
        try:
            return (yield)
        finally:
            threading.settrace(new_threads)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[Any]:
        if fixturedef.func.__module__.startswith("_pytest."):
            return (yield)
        with self.tracing():
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_pyfunc_call(self) -> Iterator[Any]:
        with self.tracing():
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Iterator[Any]:
        with self.tracing():
            return (yield)
