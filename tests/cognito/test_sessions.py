"""Sessions: how they end, what they contain, and which user is current where."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import interruption, masking
from seedctl.cognito.types import NewUser
from seedctl.errors import (
    EndpointUnreachableError,
    InvalidParameterException,
    NotAuthorizedException,
    UserExistsError,
    UsernameExistsError,
    UserUnAuthenticatedException,
)
from seedctl.users.signed_in import AmbientAuth, AmbientIdentity, GuestIdentity
from tests.cognito.fake_cognito import INTERNAL, no_identities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.users.session import UserSession
    from tests.cognito.fake_cognito import AuthHarness

USER, PASSWORD = "ann@example.com", "Final-passw0rd"
WAIT = 60.0


@pytest.fixture
def session(harness: AuthHarness) -> UserSession:
    harness.auth.create_user(USER, PASSWORD)
    harness.cognito.requests.clear()
    return harness.auth.sign_in(USER, PASSWORD)


@pytest.fixture
def auth(harness: AuthHarness) -> AmbientAuth:
    harness.cognito.password = PASSWORD
    return AmbientAuth(harness.auth, no_identities())


def test_the_repr_of_a_session_shows_no_token(session: UserSession) -> None:
    """A session's repr contains no secret, and a session is truthy as in Amplify's guide."""
    assert session
    assert session.current_user().username == INTERNAL
    assert session.current_user().login_id == USER
    tokens = session.fetch_auth_session()
    assert tokens.user_sub == INTERNAL
    assert tokens.access_token is not None
    shown = repr(session) + repr(tokens)
    assert tokens.access_token not in shown
    assert "eyJ" not in shown


def test_a_user_name_that_is_a_secret_is_masked(session: UserSession) -> None:
    """A name may come from get_secret."""
    masking.register(USER)
    assert USER not in repr(session)


def test_a_refresh_names_the_internal_user(
    harness: AuthHarness, session: UserSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client with a secret proves it with the pool's own name; the refresh token stays the same."""
    calls: list[tuple[Any, ...]] = []
    refresh = harness.pool.refresh

    def record(*given: Any) -> dict[str, Any]:
        calls.append(given)
        return refresh(*given)

    monkeypatch.setattr(harness.pool, "refresh", record)
    first = session.tokens().refresh
    for _ in range(2):
        session.tokens(force_refresh=True)
    assert calls == [(first, INTERNAL, None)] * 2


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (NotAuthorizedException("Refresh Token has expired"), UserUnAuthenticatedException),
        (EndpointUnreachableError("cut"), EndpointUnreachableError),
    ],
)
def test_a_refresh_that_fails(
    harness: AuthHarness, session: UserSession, failure: Exception, raised: type[Exception]
) -> None:
    """Only Cognito's refusal ends the session; after another failure a later call may succeed."""
    harness.cognito.faults[("InitiateAuth", 1)] = failure
    with pytest.raises(raised):
        session.tokens(force_refresh=True)
    assert session.tokens(force_refresh=True)


def test_tokens_that_cannot_be_refreshed(session: UserSession) -> None:
    """Without a refresh token the user has to sign in again."""
    assert session._tokens is not None
    session._tokens = replace(session._tokens, refresh=None)
    with pytest.raises(UserUnAuthenticatedException, match="have expired"):
        session.tokens(force_refresh=True)


def test_a_new_user_replaces_the_current_one(auth: AmbientAuth, harness: AuthHarness) -> None:
    """Signed in only if that is asked for; after a failure nobody is signed in."""
    auth.sign_in(USER, PASSWORD)
    harness.cognito.password = None
    user = NewUser("bob@example.com", PASSWORD)
    auth.create_user(user, if_exists="error", sign_in_after_creation=False)
    assert auth.signed_in() is None
    assert harness.auth.open_sessions() == frozenset()
    auth.create_user(user, if_exists="sign_in", sign_in_after_creation=True)
    assert auth.session().username == "bob@example.com"
    events = [(each.name, each.state) for each in harness.report.events if each.kind == "session"]
    assert events == [(USER, "signed in"), ("bob@example.com", "signed in")]
    before = len(harness.cognito.requests)
    with pytest.raises(InvalidParameterException, match="could not be signed in"):
        auth.create_user(user, if_exists="skip", sign_in_after_creation=True)
    assert len(harness.cognito.requests) == before
    with pytest.raises(UsernameExistsError):
        auth.create_user(user, if_exists="error", sign_in_after_creation=False)
    assert auth.signed_in() is None


def test_two_backends_have_a_current_user_each(auth: AmbientAuth, harness: AuthHarness) -> None:
    """What is asked of one backend neither shows nor ends the session of the other."""
    other = AmbientAuth(harness.auth, no_identities())
    session = auth.sign_in(USER, PASSWORD)
    other.sign_out()
    assert other.signed_in() is None
    assert auth.session() is session
    session.sign_out()
    assert auth.signed_in() is None


def test_a_worker_thread_is_not_a_guest_by_mistake(auth: AmbientAuth) -> None:
    """One that never signed in or out raises while another is signed in, and only then."""
    identity = AmbientIdentity(auth, no_identities())
    with ThreadPoolExecutor(1) as pool, auth.sign_in(USER, PASSWORD):
        with pytest.raises(UserUnAuthenticatedException, match="Nobody is signed in here"):
            pool.submit(identity.bind).result()

        def sign_in_and_out() -> None:
            auth.sign_in(USER, PASSWORD)
            auth.sign_out()
            assert isinstance(identity.bind(), GuestIdentity)

        pool.submit(sign_in_and_out).result()
    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(identity.bind).result(), GuestIdentity)


def test_a_user_that_does_not_exist(harness: AuthHarness) -> None:
    """Some pools say so; the advice is to create it."""
    harness.cognito.password = PASSWORD
    with pytest.raises(UserExistsError, match="There is no user nobody"):
        harness.auth.sign_in("nobody@example.com", PASSWORD)


def test_some_sessions_may_stay_open(harness: AuthHarness, session: UserSession) -> None:
    """close() ends all but those that are named, in threads that do not keep the process alive."""
    threads: list[threading.Thread] = []
    call = harness.cognito.call

    def record(*given: Any, **options: Any) -> dict[str, Any]:
        threads.append(threading.current_thread())
        return call(*given, **options)

    other = harness.auth.sign_in(USER, PASSWORD)
    harness.cognito.call = record  # type: ignore[method-assign]
    harness.auth.close(but=[session])
    assert (session.is_signed_in, other.is_signed_in) == (True, False)
    assert [each.daemon for each in threads] == [True]
    assert harness.auth.open_sessions() == {session}


def test_leaving_the_block_revokes_once(harness: AuthHarness, session: UserSession) -> None:
    """A second sign-out sends nothing, and a signed-out session gives no tokens."""
    with session:
        assert session.is_signed_in
    session.sign_out()
    assert harness.cognito.operations().count("RevokeToken") == 1
    assert "signed out" in repr(session)
    assert session
    with pytest.raises(UserUnAuthenticatedException):
        session.fetch_auth_session()
    with pytest.raises(UserUnAuthenticatedException):
        session.current_user()


def test_no_revocation_where_the_pool_has_none(harness: AuthHarness) -> None:
    """No revocation is sent if the token has no origin_jti: Cognito would refuse it."""
    harness.cognito.revocation = False
    harness.auth.create_user(USER, PASSWORD)
    assert "RevokeToken" not in harness.cognito.operations()


def test_a_failed_revocation_is_a_warning(harness: AuthHarness, session: UserSession) -> None:
    """If the revocation fails, the session ends anyway, with a warning."""
    harness.cognito.faults[("RevokeToken", 0)] = EndpointUnreachableError("cut")
    session.sign_out()
    assert not session.is_signed_in
    assert any("could not be revoked" in text for text in harness.report.warnings)


def test_tokens_are_refreshed_when_asked_for(harness: AuthHarness, session: UserSession) -> None:
    """The refresh token stays in use if a refresh returns no new one."""
    session.fetch_auth_session(force_refresh=True)
    assert harness.cognito.requests[-1][1] == {
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": "opaque-refresh-token-0123456789"},
        "ClientId": "client123",
    }
    session.sign_out()
    assert harness.cognito.requests[-1][0] == "RevokeToken"


def test_threads_refresh_expired_tokens_once(
    harness: AuthHarness, session: UserSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that use a session at the same time after its tokens expired share one refresh."""
    initiate, start = harness.cognito._InitiateAuth, threading.Barrier(4)

    def initiate_slowly(parameters: Any) -> dict[str, Any]:
        time.sleep(0.01)
        return initiate(parameters)

    def use(_: int) -> str:
        start.wait(WAIT)
        return session.tokens().access

    monkeypatch.setattr(harness.cognito, "_InitiateAuth", initiate_slowly)
    session._tokens = replace(session.tokens(), expires_at=0.0)
    harness.cognito.requests.clear()
    with ThreadPoolExecutor(4) as pool:
        assert len({*pool.map(use, range(4))}) == 1
    assert harness.cognito.operations() == ["InitiateAuth"]


def test_a_refused_refresh_says_to_sign_in_again(
    harness: AuthHarness, session: UserSession
) -> None:
    """If Cognito refuses the refresh token, the error says to sign in again."""
    calls = harness.cognito.operations().count("InitiateAuth")
    harness.cognito.faults[("InitiateAuth", calls)] = NotAuthorizedException("revoked")
    with pytest.raises(UserUnAuthenticatedException, match="revoked"):
        session.fetch_auth_session(force_refresh=True)


def test_closing_signs_out_all_users(harness: AuthHarness) -> None:
    """Closing the backend ends all open sessions."""
    harness.cognito.password = PASSWORD
    sessions = [harness.auth.sign_in(USER, PASSWORD) for _ in range(3)]
    harness.auth.close()
    assert not any(session.is_signed_in for session in sessions)
    assert harness.cognito.operations().count("RevokeToken") == 3


def _sessions(harness: AuthHarness, count: int) -> list[UserSession]:
    harness.cognito.password = PASSWORD
    return [harness.auth.sign_in(USER, PASSWORD) for _ in range(count)]


def test_sessions_are_ended_many_at_once(
    harness: AuthHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 sign-outs run at the same time."""
    sessions = _sessions(harness, 64)
    together = threading.Barrier(64, timeout=WAIT)

    def revoke(_: Any) -> dict[str, Any]:
        together.wait()
        return {}

    monkeypatch.setattr(harness.cognito, "_RevokeToken", revoke)
    harness.auth.close()
    assert not any(session.is_signed_in for session in sessions)
    assert harness.report.warnings == []


@pytest.fixture
def hanging(harness: AuthHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let all revocations but each fourth hang; return an event that is set when one starts."""
    monkeypatch.setattr(interruption, "GRACE_SECONDS", 1.0)
    begun, release = threading.Event(), threading.Event()
    numbers = itertools.count()

    def revoke(_: Any) -> dict[str, Any]:
        if next(numbers) % 4:
            begun.set()
            release.wait(WAIT)
        return {}

    monkeypatch.setattr(harness.cognito, "_RevokeToken", revoke)
    yield begun
    release.set()


def test_an_ended_run_leaves_sessions_that_cannot_be_ended_in_time(
    harness: AuthHarness, hanging: threading.Event
) -> None:
    """After a signal all sign-outs together have two seconds; a warning says how many are left."""
    sessions = _sessions(harness, 8)
    interruption.set_requested(True)
    harness.auth.close()
    assert harness.report.warnings == [
        "6 sessions were left signed in: the sign-out took longer than 1 s."
    ]
    assert len(sessions) == 8


def test_ctrl_c_during_the_sign_outs(harness: AuthHarness, hanging: threading.Event) -> None:
    """Ctrl-C during the sign-outs is raised to the caller after the same two seconds."""
    _sessions(harness, 2)

    def interrupt() -> None:
        assert hanging.wait(WAIT)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        harness.auth.close()
    thread.join()
    assert harness.report.warnings == [
        "1 session was left signed in: the sign-out took longer than 1 s."
    ]


def test_sign_outs_while_python_starts_no_threads(
    harness: AuthHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the interpreter starts no more threads, sessions are ended one after another."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    sessions = _sessions(harness, 3)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    harness.auth.close()
    assert not any(session.is_signed_in for session in sessions)


def test_an_unexpected_exception_is_raised(harness: AuthHarness) -> None:
    """An unexpected exception is raised by close(), after the other sign-outs."""
    _sessions(harness, 3)
    harness.cognito.faults[("RevokeToken", 0)] = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        harness.auth.close()
    assert harness.cognito.operations().count("RevokeToken") == 3


def test_an_interrupted_sign_out_is_tried_again_at_the_end(harness: AuthHarness) -> None:
    """After Ctrl-C during a revocation the session is still open, and close() tries again."""
    (session,) = _sessions(harness, 1)
    harness.cognito.faults[("RevokeToken", 0)] = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        session.sign_out()
    assert session.is_signed_in
    harness.auth.close()
    assert not session.is_signed_in
    assert harness.cognito.operations().count("RevokeToken") == 2


def test_an_ended_run_signs_out_at_its_end(harness: AuthHarness) -> None:
    """After a signal sign_out leaves sessions to close(), except with everywhere=True."""
    first, second = _sessions(harness, 2)
    interruption.set_requested(True)
    with first:
        second.sign_out(everywhere=True)
    assert (first.is_signed_in, second.is_signed_in) == (True, False)
    harness.auth.close()
    assert not first.is_signed_in
    assert harness.cognito.operations()[-2:] == ["GlobalSignOut", "RevokeToken"]


def test_only_one_user_is_signed_in_at_a_time(harness: AuthHarness, auth: AmbientAuth) -> None:
    """A second sign_in_user ends the session of the first."""
    first = auth.sign_in(USER, PASSWORD, sign_in_flow="Password")
    second = auth.sign_in(USER, PASSWORD, sign_in_flow="Password")
    assert not first.is_signed_in
    assert auth.session() is second
    auth.sign_out()
    with pytest.raises(UserUnAuthenticatedException, match="Nobody"):
        auth.session().current_user()
    assert auth.fetch_auth_session(force_refresh=False).access_token is None
    auth.sign_out()


def test_a_failed_sign_in_leaves_nobody_signed_in(auth: AmbientAuth) -> None:
    """As in Amplify's guide, the previous user is signed out first."""
    auth.sign_in(USER, PASSWORD, sign_in_flow="Password")
    with pytest.raises(NotAuthorizedException):
        auth.sign_in(USER, "wrong", sign_in_flow="Password")
    with pytest.raises(UserUnAuthenticatedException):
        auth.session()


def test_a_task_uses_an_inherited_sign_in_and_never_ends_it(auth: AmbientAuth) -> None:
    """asyncio.to_thread and tasks copy the context: they may act as the user, not sign it out."""
    session = auth.sign_in(USER, PASSWORD, sign_in_flow="Password")

    def in_thread() -> str:
        name = auth.session().current_user().login_id
        auth.sign_out()
        with pytest.raises(UserUnAuthenticatedException):
            auth.session()
        return name

    async def run() -> tuple[str, str]:
        async def in_task() -> str:
            return in_thread()

        return await asyncio.to_thread(in_thread), await asyncio.create_task(in_task())

    assert asyncio.run(run()) == (USER, USER)
    assert session.is_signed_in
    assert auth.session() is session
    auth.sign_out()


def test_a_task_signs_out_only_its_own_user(auth: AmbientAuth) -> None:
    """Two concurrent tasks sign in, and each signs out its own user."""

    async def one() -> UserSession:
        session = auth.sign_in(USER, PASSWORD, sign_in_flow="Password")
        await asyncio.sleep(0)
        assert auth.session() is session
        auth.sign_out()
        return session

    async def run() -> list[UserSession]:
        return list(await asyncio.gather(one(), one()))

    sessions = asyncio.run(run())
    assert not any(session.is_signed_in for session in sessions)


def test_a_pool_thread_without_a_sign_in_raises_with_help(auth: AmbientAuth) -> None:
    """Threads of a pool do not inherit the current user."""
    session = auth.sign_in(USER, PASSWORD, sign_in_flow="Password")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(auth.session)
        with pytest.raises(UserUnAuthenticatedException) as caught:
            future.result()
    assert "current_backend().auth.sign_in" in (caught.value.resolution or "")
    session.sign_out()


def test_sign_ins_of_threads_stay_apart(auth: AmbientAuth) -> None:
    """Each thread signs out only its own user."""
    seen: list[bool] = []
    mine = auth.sign_in(USER, PASSWORD, sign_in_flow="Password")

    def other() -> None:
        theirs = auth.sign_in(USER, PASSWORD, sign_in_flow="Password")
        seen.append(auth.session() is theirs)
        auth.sign_out()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [True]
    assert mine.is_signed_in
    auth.sign_out()
    assert not mine.is_signed_in


def test_a_thread_that_comes_after_does_not_own_the_sign_in(auth: AmbientAuth) -> None:
    """Python reuses thread ids, so the owner of a session is the thread object itself."""
    context = contextvars.copy_context()

    def in_thread(within: contextvars.Context, use: Callable[[], Any]) -> tuple[int, Any]:
        found: list[tuple[int, Any]] = []
        thread = threading.Thread(
            target=lambda: found.append((threading.get_ident(), within.run(use)))
        )
        thread.start()
        thread.join()
        return found[0]

    first, session = in_thread(context, lambda: auth.sign_in(USER, PASSWORD))
    gc.collect()
    for _ in range(50):
        later, _ = in_thread(context.copy(), auth.sign_out)
        assert session.is_signed_in
        if later == first:
            break
    else:
        pytest.skip("no thread got the number of the first")
    session.sign_out()
