"""The MFA checks before the first write, and what callbacks may return."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import masking
from seedctl.aws.credentials import Credentials
from seedctl.cognito.challenges import CHALLENGES, Challenge, enroll_totp
from seedctl.cognito.identity import Tokens
from seedctl.cognito.mfa import code_callback, code_of
from seedctl.cognito.new_user import CheckedUser
from seedctl.cognito.pool import UserPool
from seedctl.cognito.sign_in import SignIn
from seedctl.cognito.types import AuthSession, ChallengeResponse, NewUser, TOTPSetup
from seedctl.cognito.user_list import StoredUser
from seedctl.errors import (
    CognitoError,
    InvalidParameterException,
    MFANotConfiguredError,
    MFAPreferenceNotAvailableError,
    MFARequiredError,
    MissingTOTPChallengeError,
    NoMFAPreferenceSpecifiedError,
)
from seedctl.srp import ClientExchange
from tests.aws.recorder import Recorder
from tests.cognito.fake_cognito import SECRET_CODE, KnownAuth, section

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cognito.fake_cognito import AuthHarness

PASSWORD = "Passw0rd!"
EMAIL_USER = "ann@example.com"
PHONE_USER = "+15551234567"


def enroll(_: object) -> str:
    return "123456"


def answer() -> str:
    return "123456"


def other_answer() -> str:
    return "654321"


async def answer_later(*_: object) -> str:
    return "123456"


class AsyncObject:
    async def __call__(self, *_: object) -> str:
        return "123456"


def create(harness: AuthHarness, username: str = EMAIL_USER, **options: Any) -> None:
    harness.auth.create_user(username, PASSWORD, **{"sign_in_flow": "MFA", **options})


def pool(*methods: str, mode: str | None = "REQUIRED", **settings: Any) -> dict[str, Any]:
    return {"mfa_configuration": mode, "mfa_methods": methods, **settings}


BY_PHONE: dict[str, Any] = {"username_attributes": ("phone_number",)}


@pytest.mark.parametrize(
    ("settings", "username", "options", "error", "words"),
    [
        pytest.param(
            pool(mode="NONE"), EMAIL_USER, {}, MFANotConfiguredError, "MFA off", id="MFA off"
        ),
        pytest.param(
            pool(mode="NONE"),
            EMAIL_USER,
            {"mfa_preference": "TOTP", "totp_sign_up_challenge": enroll},
            MFANotConfiguredError,
            "MFA off",
            id="MFA off, method chosen",
        ),
        pytest.param(
            pool("TOTP"),
            EMAIL_USER,
            {"mfa_preference": "EMAIL"},
            MFAPreferenceNotAvailableError,
            "It offers TOTP",
            id="method not offered",
        ),
        pytest.param(
            pool("TOTP", mode="OPTIONAL"),
            EMAIL_USER,
            {"mfa_preference": "SMS"},
            MFAPreferenceNotAvailableError,
            "It offers TOTP",
            id="method not offered, OPTIONAL",
        ),
        pytest.param(
            pool("TOTP"),
            EMAIL_USER,
            {"mfa_preference": "TOTP"},
            MissingTOTPChallengeError,
            "totp_sign_up_challenge",
            id="TOTP without callback",
        ),
        pytest.param(
            pool("TOTP"),
            EMAIL_USER,
            {},
            MissingTOTPChallengeError,
            "totp_sign_up_challenge",
            id="the only method is TOTP, without callback",
        ),
        pytest.param(
            pool("SMS", "TOTP"),
            EMAIL_USER,
            {"mfa_preference": "SMS"},
            InvalidParameterException,
            "needs the attribute phone_number",
            id="SMS without phone number",
        ),
        pytest.param(
            pool("EMAIL", "TOTP", **BY_PHONE),
            PHONE_USER,
            {"mfa_preference": "EMAIL"},
            InvalidParameterException,
            "needs the attribute email",
            id="e-mail without address",
        ),
        pytest.param(
            pool("SMS"),
            EMAIL_USER,
            {},
            InvalidParameterException,
            "SMS as MFA needs the attribute phone_number",
            id="the only method is SMS, without phone number",
        ),
        pytest.param(
            pool("EMAIL", **BY_PHONE),
            PHONE_USER,
            {},
            InvalidParameterException,
            "EMAIL as MFA needs the attribute email",
            id="the only method is e-mail, without address",
        ),
        pytest.param(
            pool("SMS", "EMAIL"),
            EMAIL_USER,
            {"user_attributes": {"phone_number": PHONE_USER}},
            NoMFAPreferenceSpecifiedError,
            "SMS or EMAIL",
            id="several usable, none chosen",
        ),
        pytest.param(
            pool("TOTP", "EMAIL", **BY_PHONE),
            PHONE_USER,
            {"totp_sign_up_challenge": enroll},
            NoMFAPreferenceSpecifiedError,
            "TOTP or EMAIL",
            id="several to set up, none chosen",
        ),
        pytest.param(
            pool("TOTP"),
            EMAIL_USER,
            {"mfa_preference": "totp"},
            InvalidParameterException,
            "mfa_preference is 'totp'",
            id="wrong preference",
        ),
        pytest.param(
            pool("TOTP"),
            EMAIL_USER,
            {"sign_in_flow": "Password"},
            MFARequiredError,
            "requires MFA",
            id="password flow",
        ),
        pytest.param(
            pool("EMAIL"),
            EMAIL_USER,
            {"email_sign_up_challenge": "123456"},
            InvalidParameterException,
            "email_sign_up_challenge is not a function",
            id="a code in place of a callback",
        ),
        *(
            pytest.param(
                pool("EMAIL", "SMS", "TOTP", mode="OPTIONAL"),
                EMAIL_USER,
                {name: callback},
                InvalidParameterException,
                f"{name} is a coroutine function",
                id=f"{name}: {kind}",
            )
            for name in (
                "email_sign_up_challenge",
                "sms_sign_up_challenge",
                "totp_sign_up_challenge",
            )
            for kind, callback in {
                "coroutine function": answer_later,
                "partial": functools.partial(answer_later, 1),
                "object": AsyncObject(),
            }.items()
        ),
    ],
)
def test_impossible_options_are_refused_before_the_first_write(
    make_harness: Callable[..., AuthHarness],
    settings: dict[str, Any],
    username: str,
    options: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    """After a failed check no user is created, no target is announced and no marker is left."""
    harness = make_harness(**settings)
    with pytest.raises(error, match=words) as caught:
        create(harness, username, **options)
    assert type(caught.value) is error
    assert harness.cognito.requests == []
    assert harness.announced == 0
    assert harness.markers() == []


@pytest.mark.parametrize(
    ("settings", "username", "options"),
    [
        pytest.param(pool("EMAIL"), EMAIL_USER, {}, id="one method"),
        pytest.param(pool("SMS", "EMAIL", "TOTP"), EMAIL_USER, {}, id="one usable of three"),
        pytest.param(
            pool("SMS", "EMAIL"),
            EMAIL_USER,
            {"mfa_preference": "EMAIL", "user_attributes": {"phone_number": PHONE_USER}},
            id="one chosen of two",
        ),
        pytest.param(
            pool("SMS", **BY_PHONE), PHONE_USER, {"mfa_preference": "SMS"}, id="phone as user name"
        ),
        pytest.param(
            pool("EMAIL", **BY_PHONE),
            PHONE_USER,
            {"mfa_preference": "EMAIL", "user_attributes": {"email": EMAIL_USER}},
            id="address as attribute",
        ),
        pytest.param(pool("TOTP"), EMAIL_USER, {"totp_sign_up_challenge": enroll}, id="TOTP"),
        pytest.param(pool("SMS", "TOTP", mode="OPTIONAL"), EMAIL_USER, {}, id="OPTIONAL"),
        pytest.param(
            pool("SMS", "TOTP", mode="OPTIONAL"),
            EMAIL_USER,
            {"mfa_preference": "TOTP"},
            id="OPTIONAL, TOTP without callback",
        ),
        pytest.param(
            pool("SMS", mode="OPTIONAL"),
            EMAIL_USER,
            {"mfa_preference": "SMS"},
            id="OPTIONAL, SMS without phone number",
        ),
        pytest.param(
            pool("SMS", mode="OPTIONAL"), EMAIL_USER, {"sign_in_flow": "Password"}, id="password"
        ),
        pytest.param(
            {"mfa_configuration": None, "mfa_methods": None}, EMAIL_USER, {}, id="nothing said"
        ),
        pytest.param(
            {"mfa_configuration": "REQUIRED", "mfa_methods": None},
            EMAIL_USER,
            {},
            id="methods not said",
        ),
        pytest.param(
            pool("SMS", can_list_email_mfa=False),
            EMAIL_USER,
            {"mfa_preference": "EMAIL"},
            id="file cannot name EMAIL",
        ),
        pytest.param(
            pool(mode="NONE", can_list_email_mfa=False),
            EMAIL_USER,
            {"mfa_preference": "EMAIL"},
            id="file cannot name EMAIL and says NONE",
        ),
        pytest.param(
            pool("SMS", can_list_email_mfa=False),
            EMAIL_USER,
            {},
            id="file cannot name EMAIL, none chosen",
        ),
    ],
)
def test_possible_options_are_accepted(
    make_harness: Callable[..., AuthHarness],
    settings: dict[str, Any],
    username: str,
    options: dict[str, Any],
) -> None:
    """An OPTIONAL pool requires no code, and what an old file does not state is left to Cognito."""
    harness = make_harness(**settings)
    create(harness, username, **options)
    assert harness.states() == ["created"]
    assert harness.markers() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"mfa_preference": "Sms"}, "mfa_preference is 'Sms'", id="preference"),
        pytest.param({"sign_in_challenge": answer_later}, "is a coroutine function", id="code"),
        pytest.param({"sign_in_challenge": 123456}, "is not a function", id="no function"),
        pytest.param({"totp_sign_up_challenge": answer_later}, "coroutine function", id="set-up"),
    ],
)
def test_a_sign_in_is_checked_too(
    make_harness: Callable[..., AuthHarness], options: dict[str, Any], words: str
) -> None:
    """An unusable callback or preference is refused before any request."""
    harness = make_harness(**pool("TOTP"))
    with pytest.raises(InvalidParameterException, match=words):
        harness.auth.sign_in(EMAIL_USER, PASSWORD, sign_in_flow="MFA", **options)
    assert harness.cognito.requests == []


def test_the_callback_of_a_method() -> None:
    """sign_in_challenge serves every method; the sign-up callbacks only their own, and none TOTP."""
    own = NewUser(
        "ann", PASSWORD, email_sign_up_challenge=answer, sms_sign_up_challenge=other_answer
    )
    assert code_callback(own, "EMAIL") is answer
    assert code_callback(own, "SMS") is other_answer
    assert code_callback(own, "TOTP") is None
    assert code_callback(NewUser("ann", PASSWORD, sign_in_challenge=answer), "TOTP") is answer
    both = NewUser("ann", PASSWORD, sign_in_challenge=answer, email_sign_up_challenge=other_answer)
    assert code_callback(both, "EMAIL") is other_answer
    assert "function" not in repr(own)


# --- what a callback returned ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("123456", id="text"),
        pytest.param(" 123456\n", id="text with white space"),
        pytest.param(ChallengeResponse("123456"), id="ChallengeResponse"),
    ],
)
def test_a_code(given: object) -> None:
    """Both text and ChallengeResponse are accepted; surrounding whitespace is removed."""
    assert code_of(given, "sign_in_challenge") == "123456"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        pytest.param("", "nothing", id="empty"),
        pytest.param(None, "nothing", id="None"),
        pytest.param(" \n", "a str", id="white space"),
        pytest.param(ChallengeResponse(""), "nothing", id="empty ChallengeResponse"),
        pytest.param(123456, "a int", id="number"),
        pytest.param({"challengeResponse": "123456"}, "a dict", id="the JavaScript shape"),
    ],
)
def test_no_code(given: object, what: str) -> None:
    """Other return values are refused; the error names the callback and what to return."""
    with pytest.raises(InvalidParameterException) as caught:
        code_of(given, "sign_in_challenge")
    assert caught.value.message == f"sign_in_challenge returned {what} where a code belongs."
    assert "123456" in (caught.value.resolution or "")


def test_a_coroutine_is_refused_without_a_warning() -> None:
    """A lambda that returns a coroutine is refused when it is called, and the coroutine is closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidParameterException, match="returned a coroutine"):
            code_of(answer_later(), "sign_in_challenge")


def test_a_failed_callback_leaves_the_user_to_the_next_run(
    make_harness: Callable[..., AuthHarness],
) -> None:
    """A user whose callback returned no code stays in the journal, and the next run finishes it."""
    harness = make_harness(**pool("EMAIL"))
    harness.cognito.after_new_password = [("EMAIL_OTP", {})]
    with pytest.raises(InvalidParameterException, match="returned nothing"):
        create(harness, email_sign_up_challenge=lambda: None)
    assert len(harness.markers()) == 1
    harness.cognito.sign_in_challenge = "EMAIL_OTP"
    create(harness, email_sign_up_challenge=lambda: "86420975")
    assert harness.markers() == []
    assert masking.mask("86420975") == "***"


@pytest.mark.parametrize("status", ["SUCCESS", "ERROR", "PENDING"])
def test_each_call_of_a_set_up_uses_the_session_of_the_one_before(status: str) -> None:
    """Cognito gives a new session with each response, and only SUCCESS means that TOTP is set up."""
    code = "987123"
    aws = Recorder(
        {"SecretCode": SECRET_CODE, "Session": "second"}, {"Status": status, "Session": "third"}
    )
    user = NewUser("ann", "Passw0rd!", totp_sign_up_challenge=lambda _: code)
    sign_in = SignIn(UserPool(aws, KnownAuth(section())), user, "Passw0rd!")
    if status == "SUCCESS":
        offered = {"MFAS_CAN_SETUP": '["SOFTWARE_TOKEN_MFA"]'}
        assert CHALLENGES["MFA_SETUP"](sign_in, Challenge("MFA_SETUP", offered, "first")) == {}
        assert (sign_in.session, sign_in.method) == ("third", "TOTP")
    else:
        with pytest.raises(CognitoError, match=f"the status is {status}"):
            enroll_totp(sign_in, {"Session": "first"})
    assert [call.parameters for call in aws.calls] == [
        {"Session": "first"},
        {"UserCode": code, "Session": "second"},
    ]
    for secret in (SECRET_CODE, code):
        assert secret not in masking.mask(f"It is {secret}.")


def test_no_repr_shows_a_secret() -> None:
    """What a debugger, a log or a failed assertion shows has names and states only."""
    user = NewUser(
        "ann",
        "hidden",
        temporary_password="hidden",
        user_attributes={"name": "hidden"},
    )
    attributes = [{"Name": "name", "Value": "hidden"}]
    pool = UserPool(Recorder(), KnownAuth(section()))
    sign_in = SignIn(pool, user, "hidden", "hidden", attributes=attributes)
    sign_in.session = "hidden"
    sign_in.exchange = ClientExchange.start()
    each: list[object] = [
        user,
        sign_in,
        CheckedUser("ann", "hidden", if_exists="error", attributes=attributes, email=None),
        Challenge("SMS_MFA", {"SECRET_BLOCK": "hidden"}, "hidden"),
        ChallengeResponse("hidden"),
        TOTPSetup("hidden", "ann"),
        Tokens("hidden", "hidden", "hidden", 0.0),
        AuthSession("hidden", "hidden", "sub", "id", Credentials("key", "hidden", "hidden")),
        StoredUser("ann", {"name": "hidden"}, (), "CONFIRMED", is_enabled=True),
    ]
    for shown in map(repr, each):
        assert "hidden" not in shown
        assert "ClientExchange" not in shown
