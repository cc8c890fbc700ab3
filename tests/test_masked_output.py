"""Python's own output while a script runs is masked: tracebacks, warnings, logs."""

from __future__ import annotations

import io
import logging
import sys
import threading
import traceback
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import interruption
from seedctl.errors import SecretError
from seedctl.masked_output import MaskingFilter, mask_trace, masked_excepthook, masked_output
from seedctl.masking import mask, register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "Pl4nted-s3cret"
LOGGER = logging.getLogger("seed")


@pytest.fixture(autouse=True)
def _secret() -> None:
    register(SECRET)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The output of a handler of the root logger, at level DEBUG."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def _hooks() -> list[object]:
    return [
        sys.excepthook,
        sys.unraisablehook,
        threading.excepthook,
        warnings.showwarning,
        logging.getLogRecordFactory(),
    ]


def _fail(error: BaseException) -> None:
    try:
        raise error
    except type(error) as raised:
        masked_excepthook(type(raised), raised, raised.__traceback__)


# --- tracebacks ----------------------------------------------------------------------------------


def test_an_uncaught_exception_is_shown_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback equals Python's own, except that the secret is masked."""
    _fail(ValueError(f"bad: {SECRET}"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Traceback (most recent call last):\n")
    assert shown.err.endswith("ValueError: bad: ***\n")


def test_the_service_message_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A plain Python run shows the service's message, unless the traceback contains it."""
    error = SecretError("no value")
    error.service_message = f"Denied by {SECRET}"
    _fail(error)
    assert capsys.readouterr().err.endswith("The service said: Denied by ***\n")
    error.service_message = "no value"
    _fail(error)
    assert "The service said" not in capsys.readouterr().err


def test_causes_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The causes in a traceback are masked too."""
    error = ValueError("outer")
    error.__cause__ = KeyError(SECRET)
    _fail(error)
    shown = capsys.readouterr().err
    assert "KeyError: '***'" in shown
    assert "direct cause" in shown
    assert SECRET not in shown


@pytest.mark.parametrize("secret", ["1", "line", "call", "File", "in"])
def test_file_names_and_line_numbers_stay_readable(
    capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    """File names and line numbers stay readable, even if a secret equals one of their words."""
    register(secret)
    trace = f'Traceback (most recent call last):\n  File "{__file__}", line 1, in <module>\n'
    assert mask_trace(f"{trace}ValueError: {secret} {SECRET}\n") == f"{trace}ValueError: *** ***\n"
    _fail(SecretError("no value", resolution=f"Call line 1, not {SECRET}."))
    assert "Resolution: Call line 1, not ***.\n" in capsys.readouterr().err


def test_an_exception_group_stays_readable() -> None:
    """The lines of an exception group begin with extra characters, and stay readable too."""
    register("line")
    trace = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "seed.py", line 3, in <module>\n'
        "  | ExceptionGroup: a *** (1 sub-exception)\n"
    )
    assert mask_trace(trace.replace("a ***", "a line")) == trace


def test_a_trace_shows_no_secret_of_several_lines() -> None:
    """A secret of several lines is masked as one."""
    register("one\ntwo\nthree")
    assert mask_trace("ValueError: one\ntwo\nthree\n") == "ValueError: ***\n"


def test_the_resolution_of_a_seedctl_error_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A script that runs as plain Python shows the resolution of an error below the traceback."""
    _fail(SecretError("no value", resolution=f"Set it, not as {SECRET}."))
    assert capsys.readouterr().err.endswith("no value\nResolution: Set it, not as ***.\n")


def test_a_thread_that_fails_is_shown_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback of a thread names the thread, as Python's does, and is masked."""

    def work() -> None:
        raise ValueError(SECRET)

    with masked_output():
        thread = threading.Thread(target=work, name=f"seeder of {SECRET}")
        thread.start()
        thread.join()
    shown = capsys.readouterr().err
    assert shown.startswith("Exception in thread seeder of ***:\nTraceback")
    assert shown.endswith("ValueError: ***\n")
    assert SECRET not in shown


def test_no_traceback_of_a_thread_after_a_signal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After Ctrl-C, no traceback is printed for threads that fail because of it."""
    interruption.set_requested(True)
    with masked_output():
        thread = threading.Thread(target=interruption.check)
        thread.start()
        thread.join()
    assert capsys.readouterr().err == ""


def test_a_thread_may_call_sys_exit(capsys: pytest.CaptureFixture[str]) -> None:
    """sys.exit() in a thread ends the thread without any output."""
    with masked_output():
        thread = threading.Thread(target=sys.exit, args=(3,))
        thread.start()
        thread.join()
    assert capsys.readouterr().err == ""


def test_an_exception_in_a_destructor_is_shown_masked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A failing ``__del__`` is reported with its traceback, masked."""

    class Leaky:
        def __del__(self) -> None:
            raise ValueError(SECRET)

    with masked_output():
        Leaky()
    shown = capsys.readouterr().err
    assert "Exception ignored" in shown
    assert "ValueError: ***" in shown
    assert SECRET not in shown


def test_an_object_with_a_secret_in_its_repr_is_shown_masked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Python's own message about an exception that it cannot raise stays, and the repr is masked."""
    found: Any = SimpleNamespace(
        err_msg="Exception ignored in thread started by", object=[SECRET], exc_value=None
    )
    with masked_output():
        sys.unraisablehook(found)
    assert capsys.readouterr().err == "Exception ignored in thread started by: ['***']\n"


@pytest.mark.parametrize("stream", ["closed", "none", "none at all", "broken"])
def test_a_hook_never_fails_itself(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    """If there is no usable stderr, the hook prints nothing and does not raise."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    closed = io.StringIO()
    closed.close()
    original = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", None if stream == "none at all" else original)
    replaced = {"closed": closed, "broken": Broken()}.get(stream)
    monkeypatch.setattr(sys, "stderr", replaced)
    _fail(ValueError(SECRET))
    # If only the replaced stream is missing, the text goes to Python's original one.
    assert ("ValueError: ***" in original.getvalue()) is (stream == "none")


# --- warnings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message", [f"mind {SECRET}", UserWarning(f"mind {SECRET}")], ids=["text", "instance"]
)
def test_a_warning_is_shown_masked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, message: str | UserWarning
) -> None:
    """The message of a warning and the source line below it are masked."""
    source = tmp_path / "seed.py"
    source.write_text(f'warn("{SECRET}")\n', encoding="utf-8")
    shown: list[str] = []

    def show(
        text: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        shown.append(warnings.formatwarning(text, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", show)
        with masked_output():
            warnings.warn_explicit(message, UserWarning, str(source), 1)
    assert shown == [f'{source}:1: UserWarning: mind ***\n  warn("***")\n']


# --- logs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "line"),
    [
        pytest.param(lambda: LOGGER.info("a Pl4nted-s3cret"), "seed a ***\n", id="in the message"),
        pytest.param(lambda: LOGGER.info("a %s b", SECRET), "seed a *** b\n", id="argument"),
        pytest.param(
            lambda: LOGGER.info("a %(p)s", {"p": [SECRET]}), "seed a ['***']\n", id="mapping"
        ),
        pytest.param(lambda: LOGGER.info("100 %% of %s", 3), "seed 100 % of 3\n", id="percent"),
        pytest.param(lambda: LOGGER.info("100 %"), "seed 100 %\n", id="percent alone"),
        pytest.param(lambda: LOGGER.info({"p": SECRET}), "seed {'p': '***'}\n", id="no text"),
    ],
)
def test_a_log_line_is_masked(log: io.StringIO, write: Callable[[], None], line: str) -> None:
    """A secret is masked in the message and in each argument; the rest stays unchanged."""
    with masked_output():
        write()
    assert log.getvalue() == line


def test_the_filter_of_a_logger_masks_its_records(log: io.StringIO) -> None:
    """It does so without the block too, and keeps words that are also seedctl's, such as "user"."""
    register("user")
    own_filter = MaskingFilter()
    LOGGER.addFilter(own_filter)
    LOGGER.info("the user %s", SECRET)
    with masked_output():
        LOGGER.info("the user %s", SECRET)
    LOGGER.removeFilter(own_filter)
    assert log.getvalue() == "seed the user ***\n" * 2


def test_a_logged_exception_is_masked(log: io.StringIO) -> None:
    """exc_info and stack_info are masked."""
    with masked_output():
        try:
            raise ValueError(SECRET)
        except ValueError:
            LOGGER.exception("it failed")
        LOGGER.info("here", stack_info=True, exc_info=False)
        LOGGER.info("Pl4nted-s3cret is in this line", stack_info=True)
    shown = log.getvalue()
    assert "seed it failed\nTraceback" in shown
    assert "ValueError: ***" in shown
    assert 'LOGGER.info("*** is in this line", stack_info=True)' in shown
    assert SECRET not in shown


class _Odd:
    def __str__(self) -> str:
        raise AttributeError(SECRET)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("%s and %s", SECRET), id="too few"),
        pytest.param(("words", SECRET), id="too many"),
        pytest.param(("%d", SECRET), id="wrong type"),
        pytest.param(("%(x)s", {"y": SECRET}), id="no such name"),
        pytest.param(("%s", _Odd()), id="no text to be had"),
        pytest.param((_Odd(),), id="no message to be had"),
    ],
)
def test_a_log_call_that_is_wrong_does_not_end_the_script(
    log: io.StringIO, arguments: tuple[object, ...]
) -> None:
    """Like logging itself, masking never raises because of a wrong logging call."""
    with masked_output():
        LOGGER.info(*arguments)
    assert log.getvalue().endswith("(which cannot be formatted)\n")
    assert SECRET not in log.getvalue()


def test_a_record_without_a_secret_stays_unchanged() -> None:
    """A record without a secret keeps its parts, for handlers that read them, such as for JSON."""
    records: list[logging.LogRecord] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Reader()
    LOGGER.addHandler(handler)
    with masked_output():
        try:
            raise ValueError("plain")
        except ValueError:
            LOGGER.exception("a %s", "word")
        try:
            raise ValueError(SECRET)
        except ValueError:
            LOGGER.exception("a %s", SECRET)
    LOGGER.removeHandler(handler)
    plain, secret = records
    assert (plain.msg, plain.args) == ("a %s", ("word",))
    assert plain.exc_info
    assert (secret.msg, secret.args, secret.exc_info) == ("a ***", (), None)
    assert str(secret.exc_text).endswith("ValueError: ***")


# --- the block -----------------------------------------------------------------------------------


def test_all_hooks_are_restored() -> None:
    """After the block, even if it failed, all hooks are the previous ones."""
    before = _hooks()

    def fail() -> None:
        with masked_output():
            assert all(hook is not old for hook, old in zip(_hooks(), before, strict=True))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert all(hook is old for hook, old in zip(_hooks(), before, strict=True))


def test_hooks_of_a_script_are_removed() -> None:
    """Hooks that a script sets inside the block are removed too."""
    before = _hooks()
    with masked_output():
        for module, name in (
            (sys, "excepthook"),
            (sys, "unraisablehook"),
            (threading, "excepthook"),
            (warnings, "showwarning"),
        ):
            setattr(module, name, print)
        logging.setLogRecordFactory(logging.LogRecord)
    assert all(hook is old for hook, old in zip(_hooks(), before, strict=True))


def test_the_trace_is_pythons_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a secret, the text equals Python's own."""
    try:
        raise KeyError("plain")
    except KeyError as error:
        expected = traceback.format_exc()
        masked_excepthook(type(error), error, error.__traceback__)
    assert capsys.readouterr().err == expected == mask(expected)
