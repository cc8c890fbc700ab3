"""The authenticator returns correct codes, each once, and waits at most to the next time step."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from seedctl import Authenticator, TOTPSetup, masking
from seedctl.cognito.totp import save_used_codes
from seedctl.errors import InvalidParameterException
from tests.cases import case
from tests.test_prompter import Terminal

# "12345678901234567890", the key of RFC 6238's appendix B.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class FakeTime:
    """A clock that advances only by waiting."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.waited: list[tuple[float, str]] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float, what: str) -> None:
        with self._lock:
            self.waited.append((seconds, what))
            self.now += seconds

    def authenticator(self, secret: str | None = SECRET) -> Authenticator:
        return Authenticator(secret, clock=self.clock, wait=self.wait)


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_vectors_of_rfc_6238(now: int, code: str) -> None:
    """Codes are the last six of the RFC's eight digits, with SHA-1."""
    assert FakeTime(now).authenticator(RFC_SECRET).code() == code


def test_a_code_is_given_once() -> None:
    """The second call waits exactly until the next time step, and gives the reason."""
    fake = FakeTime(1012.25)
    authenticator = fake.authenticator()
    expected = [pyotp.TOTP(SECRET).at(second) for second in (1012, 1020, 1050)]
    assert [authenticator.code() for _ in range(3)] == expected
    assert fake.waited == [(7.75, "the next TOTP code"), (30.0, "the next TOTP code")]


@pytest.mark.parametrize(
    ("now", "waits"),
    [pytest.param(1020.0, 30.0, id="at the boundary"), pytest.param(1049.5, 0.5, id="before it")],
)
def test_the_wait_ends_at_the_boundary(now: float, waits: float) -> None:
    """The wait depends on the time left in the step."""
    fake = FakeTime(now)
    authenticator = fake.authenticator()
    authenticator.code()
    authenticator.code()
    assert [seconds for seconds, _ in fake.waited] == [waits]


def test_a_wait_that_ends_early_goes_on() -> None:
    """If a sleep ends early, the code of the same step is not returned again."""
    now = [1015.0]
    waits: list[float] = []

    def wait(seconds: float, _: str) -> None:
        waits.append(seconds)
        now[0] += min(seconds, 4.0)

    authenticator = Authenticator(SECRET, clock=lambda: now[0], wait=wait)
    authenticator.code()
    assert authenticator.code() == pyotp.TOTP(SECRET).at(1020)
    assert waits == [5.0, 1.0]


def test_a_clock_that_is_set_back_gives_no_code_again() -> None:
    """If the clock is set back, used codes stay used, and the wait is at most one step."""
    fake = FakeTime(1050.0)
    first = fake.authenticator().code()
    fake.now = 1000.0
    assert fake.authenticator().code() == pyotp.TOTP(SECRET).at(1000) != first
    assert fake.waited == []
    fake.now = 1050.0
    assert fake.authenticator().code() == pyotp.TOTP(SECRET).at(1080)


def test_two_objects_with_one_secret_share_the_codes() -> None:
    """Two authenticators with the same secret never return the same code."""
    fake = FakeTime(1000.0)
    enrolled = fake.authenticator(None)
    codes = [enrolled.enroll(TOTPSetup(SECRET, "ann")), fake.authenticator(SECRET.lower()).code()]
    assert codes == [pyotp.TOTP(SECRET).at(1000), pyotp.TOTP(SECRET).at(1020)]


def test_two_secrets_do_not_wait_for_each_other() -> None:
    """Authenticators with different secrets do not wait for each other."""
    fake = FakeTime(1000.0)
    fake.authenticator(SECRET).code()
    fake.authenticator(RFC_SECRET).code()
    assert fake.waited == []


class _SlowDeque(deque[int]):
    """Lets other threads run after a look for a step, before the step is added."""

    def __contains__(self, step: object) -> bool:
        is_used = super().__contains__(step)
        time.sleep(0.001)
        return is_used


def test_threads_with_one_secret_get_different_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads never get the code of the same step."""
    monkeypatch.setattr("seedctl.cognito.totp.deque", _SlowDeque)
    fake = FakeTime(1000.0)
    # All that could come up, so that an accident of six digits cannot fail the test.
    possible = [pyotp.TOTP(SECRET).at(1000 + 30 * step) for step in range(300)]
    assert len(set(possible[:100])) == 100
    start = threading.Barrier(8)

    def take(_: int) -> str:
        authenticator = fake.authenticator()
        start.wait()
        return authenticator.code()

    with ThreadPoolExecutor(max_workers=8) as pool:
        codes = list(pool.map(take, range(8)))
    assert len(set(codes)) == 8
    assert set(codes) <= set(possible)


def test_enrolling_keeps_the_secret() -> None:
    """The secret can be stored and used by another authenticator; secret and code are masked."""
    authenticator = FakeTime(1000.0).authenticator(None)
    code = authenticator.enroll(TOTPSetup(SECRET, "ann"))
    assert authenticator.secret == SECRET
    assert FakeTime(1030.0).authenticator(authenticator.secret).secret == SECRET
    assert masking.mask(f"{SECRET} {code}") == "*** ***"


def test_every_spelling_of_a_secret_is_masked() -> None:
    """Apps show a secret in small letters and in groups of four: those are masked too."""
    FakeTime(1000.0).authenticator(SECRET)
    groups = [SECRET[start : start + 4] for start in range(0, len(SECRET), 4)]
    for spelling in (SECRET, " ".join(groups), "-".join(groups)):
        for each in (spelling, spelling.lower()):
            with case(each):
                assert masking.mask(f"<{each}>") == "<***>"


def test_the_codes_of_a_restored_user_pool_are_valid_again() -> None:
    """Codes returned since the pool's state was saved can be used again, after every restoring."""
    fake = FakeTime(1000.0)
    fake.authenticator().code()
    restore = save_used_codes()
    for _ in range(2):
        fake.now = 1030.0
        assert fake.authenticator().code() == pyotp.TOTP(SECRET).at(1030)
        assert fake.waited == []
        restore()
    fake.now = 1000.0
    assert fake.authenticator().code() == pyotp.TOTP(SECRET).at(1020)


def test_enrolling_again_replaces_the_secret() -> None:
    """An authenticator belongs to the user that enrolled last."""
    authenticator = FakeTime(1000.0).authenticator(SECRET)
    authenticator.enroll(TOTPSetup(RFC_SECRET, "bob"))
    assert authenticator.secret == RFC_SECRET


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(SECRET.lower(), id="lower case"),
        pytest.param(f" {SECRET[:8]} {SECRET[8:]}\n", id="white space"),
        pytest.param(f"{SECRET}====", id="padding"),
    ],
)
def test_a_secret_may_be_written_in_other_ways(given: str) -> None:
    """Secrets are accepted in groups of lower-case letters, as apps show them."""
    authenticator = Authenticator(given, clock=lambda: 1000.0)
    assert authenticator.secret == SECRET
    assert authenticator.code() == pyotp.TOTP(SECRET).at(1000)


@pytest.mark.parametrize("given", ["", "  ", "====", "not base32!", "A", "0189", "ÄÖÜ"])
def test_an_invalid_secret_is_refused(given: str) -> None:
    """A wrong secret is refused at once, and the message does not contain it."""
    with pytest.raises(InvalidParameterException) as caught:
        Authenticator(given)
    assert caught.value.message == "The TOTP secret is not base32 text, or is too short."
    with pytest.raises(InvalidParameterException):
        Authenticator().enroll(TOTPSetup(given, "ann"))


@pytest.mark.parametrize("use", [lambda a: a.secret, lambda a: a.code()])
def test_without_a_secret_there_is_no_code(use: object) -> None:
    """Without a secret, the error says how to get one."""
    with pytest.raises(InvalidParameterException, match="no secret yet") as caught:
        use(Authenticator())  # type: ignore[operator]
    assert "totp_sign_up_challenge=authenticator.enroll" in (caught.value.resolution or "")


def test_nothing_secret_is_in_a_repr() -> None:
    """No repr contains the secret, of the authenticator or of the TOTP set-up."""
    setup = TOTPSetup(SECRET, "ann")
    assert repr(Authenticator(SECRET)) == "<Authenticator enrolled>"
    assert repr(Authenticator()) == "<Authenticator empty>"
    assert SECRET not in repr(setup)
    assert setup.get_setup_uri("My App", "ann@example.com") == (
        f"otpauth://totp/My%20App:ann%40example.com?secret={SECRET}&issuer=My%20App"
    )
    assert setup.get_setup_uri("App") == f"otpauth://totp/App:ann?secret={SECRET}&issuer=App"


# --- who watches ----------------------------------------------------------------------------------

# The second code is three seconds away, which a slow machine has not used up before the wait.
TWO_CODES = f"""
import time
from seedctl import Authenticator
offset = 27.0 - time.time() % 30
authenticator = Authenticator({SECRET!r}, clock=lambda: time.time() + offset)
print((True, "one code" if authenticator.code() == authenticator.code() else "two codes"))
"""


def test_a_wait_is_shown_on_a_terminal() -> None:
    """On a terminal a countdown shows the reason of the wait; it contains no code and is removed."""
    terminal = Terminal(TWO_CODES)
    try:
        assert terminal.result() == (True, "two codes")
    finally:
        terminal.close()
    assert "s for the next TOTP code" in terminal.shown
    assert terminal.shown.endswith("\r\x1b[K")


@pytest.mark.parametrize("is_ci", [False, True], ids=["no terminal", "CI"])
def test_a_wait_that_nobody_watches_is_silent(
    is_ci: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe or a file gets no countdown, and in CI a terminal gets none either."""
    if is_ci:
        monkeypatch.setenv("CI", "true")
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    offset = 29.7 - time.time() % 30
    authenticator = Authenticator(SECRET, clock=lambda: time.time() + offset)
    assert authenticator.code() != authenticator.code()
    assert capsys.readouterr() == ("", "")
