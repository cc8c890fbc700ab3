"""The events of a run, and the line that names its target."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import SecretError
from seedctl.masking import register
from seedctl.report import Event, PlainReport, Report, Target, failure

ROOT = Path("/home/ann/app")


def _target(**changed: Any) -> Target:
    target = Target(
        project=ROOT,
        name="alice",
        outputs=ROOT / "amplify_outputs.json",
        outputs_age=7200.0,
        user_pool="us-east-1_AbCdEfGhI",
        account="123456789012",
        check="outputs checked",
    )
    return dataclasses.replace(target, **changed)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        pytest.param(
            {},
            "Target: /home/ann/app · sandbox alice · amplify_outputs.json (2 hours old) · "
            "user pool us-east-1_AbCdEfGhI · account 123456789012 · outputs checked",
            id="all that is known",
        ),
        pytest.param(
            {"account": "LOCAL", "check": ""},
            "Target: /home/ann/app · sandbox alice · amplify_outputs.json (2 hours old) · "
            "user pool us-east-1_AbCdEfGhI · LOCAL",
            id="local",
        ),
        pytest.param(
            {
                "outputs": None,
                "outputs_age": None,
                "user_pool": None,
                "account": "unknown",
                "check": "",
            },
            "Target: /home/ann/app · sandbox alice · account unknown",
            id="secrets only",
        ),
        pytest.param(
            {"outputs": Path("/elsewhere/mine.json"), "outputs_age": None},
            "Target: /home/ann/app · sandbox alice · /elsewhere/mine.json · "
            "user pool us-east-1_AbCdEfGhI · account 123456789012 · outputs checked",
            id="an outputs file elsewhere",
        ),
    ],
)
def test_the_line_of_the_target(changed: dict[str, Any], line: str) -> None:
    """One line names what is about to be changed: project, sandbox, file, pool, account, check."""
    assert _target(**changed).line() == line


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0, "under a minute"),
        (59.9, "under a minute"),
        (60, "1 minute"),
        (119, "1 minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (7200, "2 hours"),
        (86399, "23 hours"),
        (86400, "1 day"),
        (400 * 86400, "400 days"),
    ],
)
def test_ages_are_in_the_largest_unit(seconds: float, age: str) -> None:
    """The age of the outputs file is rounded down to one unit."""
    assert f"amplify_outputs.json ({age} old)" in _target(outputs_age=seconds).line()


def test_a_report_collects() -> None:
    """Events, warnings and notes are stored in the order in which they arrive."""
    report = Report()
    target = _target()
    events = [
        Event("user", "ann", "created"),
        Event("group membership", "ann", "set", "admin"),
        Event("secret", "password", "read"),
    ]
    report.on_target(target)
    for event in events:
        report.on_event(event)
    report.on_warning("one")
    report.on_note("three")
    report.on_warning("two")
    assert (report.target, report.events) == (target, events)
    assert (report.warnings, report.notes) == (["one", "two"], ["three"])


def test_a_report_measures_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The duration is measured with the monotonic clock, from the start of the report."""
    monkeypatch.setattr(time, "monotonic", lambda: 102.5)
    assert Report(started=100.0).seconds == 2.5


def test_a_report_starts_when_it_is_created() -> None:
    """A report starts when it is created, unless another start is given."""
    before = time.monotonic()
    assert before <= Report().started <= time.monotonic()


def test_reports_share_nothing() -> None:
    """Two reports in one process share no list."""
    one, other = Report(), Report()
    one.on_event(Event("user", "ann", "created"))
    one.on_warning("w")
    assert (other.events, other.warnings) == ([], [])


class _SlowCounter(Counter[Event]):
    """Lets other threads run before a number that was read is increased."""

    def __getitem__(self, event: Event) -> int:
        count = super().__getitem__(event)
        time.sleep(0)
        return count


def test_many_threads_report() -> None:
    """No event is lost when many threads report at the same time, and each is counted."""
    report = Report(records=_SlowCounter())
    record = Event("record", "Todo", "created")
    start = threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        for round_ in range(30):
            report.on_event(Event("user", f"{number}-{round_}", "created"))
            report.on_event(record)
            report.on_warning(f"{number}-{round_}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({event.name for event in report.events}) == len(report.events) == 180
    assert report.records[record] == 180
    assert len(report.warnings) == 180


def test_events_are_counted_by_one_thread_at_a_time() -> None:
    """The counts of records would be wrong otherwise."""
    held: list[bool] = []

    class Watched(Report):
        def _add(self, event: Event, now: float) -> None:
            held.append(self._lock.locked())
            super()._add(event, now)

    report = Watched()
    report.on_event(Event("record", "Todo", "created"))
    assert held == [True]


def _failed(name: str, message: str, *, kind: Any = "user", row: str = "") -> Event:
    return failure(kind, name, SecretError(message, resolution="Do so."), row=row)


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        pytest.param(
            _failed("ann", "The name 'ann' is wrong."),
            _failed("bob", "The name 'bob' is wrong."),
            True,
            id="the name alone differs",
        ),
        pytest.param(
            _failed("a", "No (Request ID: 4Q2X)."),
            _failed("b", "No (Request ID: 77ZZ)."),
            True,
            id="an id of a request",
        ),
        pytest.param(
            _failed("a", "It is 'A1'."), _failed("b", "It is 'A2'."), False, id="another value"
        ),
        pytest.param(_failed("a", "No."), _failed("b", "Never."), False, id="another reason"),
        pytest.param(
            _failed("Todo", "No.", kind="record", row="rows[1]"),
            _failed("Todo", "No.", kind="record", row="rows[2]"),
            True,
            id="rows of one model",
        ),
        pytest.param(
            _failed("Todo", "No.", kind="record", row="rows[1]"),
            _failed("Post", "No.", kind="record", row="rows[1]"),
            False,
            id="models",
        ),
    ],
)
def test_failures_of_one_reason_are_one_group(first: Event, second: Event, is_same: bool) -> None:
    """Failures that differ only in the row have one group; a different reason makes another one."""
    report = Report()
    report.on_event(first)
    report.on_event(second)
    groups = list(report.copy().failure_groups.values())
    assert [group.count for group in groups] == ([2] if is_same else [1, 1])
    assert groups[0].first.resolution == "Do so."
    assert groups[0].first.reason.startswith("SecretError: ")


def test_groups_are_bounded() -> None:
    """Only a hundred groups are stored, so that thousands of reasons do not fill the memory."""
    report = Report()
    for number in range(150):
        report.on_event(_failed(f"user-{number}", f"It is 'A{number}'."))
    assert len(report.failure_groups) == len(report.failures) == 100
    assert report.failed == 150


def test_a_plain_report_prints_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """For a script run as plain Python, the target and warnings go to stderr, nothing to stdout."""
    report = PlainReport()
    report.on_target(_target())
    report.on_event(Event("user", "ann", "created"))
    report.on_warning("the journal cannot be written")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"{_target().line()}\nWarning: the journal cannot be written\n"
    assert report.target == _target()
    assert report.warnings == ["the journal cannot be written"]


def test_a_plain_report_masks(capsys: pytest.CaptureFixture[str]) -> None:
    """A plain report masks what it prints, but not its own words."""
    for secret in ("hunter2-secret", "user", "sandbox", "2", "Target", "Warning"):
        register(secret)
    report = PlainReport()
    report.on_target(_target(outputs=ROOT / "hunter2-secret", check="the user pool's"))
    report.on_warning("2 of the user hunter2-secret")
    assert capsys.readouterr().err == (
        "Target: /home/ann/app · sandbox alice · *** (2 hours old) · user pool us-east-1_AbCdEfGhI "
        "· account 123456789012 · the user pool's\nWarning: 2 of the user ***\n"
    )


def test_names_in_messages_are_masked_when_they_are_composed() -> None:
    """A name that is also a word of the message is masked; the word itself is not."""
    register("user")
    register("sandbox")
    named = _target(name="sandbox", project=Path("/user/app"), outputs=None)
    assert named.line().startswith("Target: /***/app · sandbox *** · user pool ")
    failed = failure("file", "bucket", SecretError("The user."), row="user")
    assert failed.detail == "***: SecretError: The user."


def test_a_copy_does_not_change_any_more() -> None:
    """Threads that outlive the run still report failures; the copy for the report file stays."""
    report = Report()
    report.on_event(_failed("ann", "No."))
    copied = report.copy()
    report.on_event(_failed("eve", "No."))
    assert [group.count for group in copied.failure_groups.values()] == [1]
    assert len(copied.failures) == 1
    assert copied.failed == 1


def test_the_first_and_the_last_time_of_counted_events() -> None:
    """The report says when the first record of a model was written, and when the last one was."""
    report = Report()
    event = Event("record", "Todo", "created")
    report.on_event(event)
    report.started -= 1000  # as if so many seconds had passed
    report.on_event(event)
    first, last = report.spans[event]
    assert first < 1000 <= last
