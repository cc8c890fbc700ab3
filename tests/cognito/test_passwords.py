"""The temporary password that can be derived again, and the policy check before any call."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedctl.cognito.new_user import check_password, derive_temporary_password
from seedctl.errors import InvalidPasswordException
from seedctl.masking import mask
from seedctl.outputs import PasswordPolicy

POOL = "us-east-1_AbCdEfGhI"
# From Cognito's documentation of password policies.
SYMBOLS = list("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-")

POLICIES = st.builds(
    PasswordPolicy, st.integers(6, 99), st.booleans(), st.booleans(), st.booleans(), st.booleans()
)


def _policy(**rules: Any) -> PasswordPolicy:
    """Return a policy of six characters, with *rules* such as ``symbols=True``."""
    return PasswordPolicy(
        min_length=rules.get("length", 6),
        require_numbers=rules.get("numbers", False),
        require_lowercase=rules.get("lowercase", False),
        require_uppercase=rules.get("uppercase", False),
        require_symbols=rules.get("symbols", False),
    )


def _derive(password: str = "Passw0rd!", pool: str = POOL, username: str = "ann") -> str:
    return derive_temporary_password(password, user_pool_id=pool, username=username)


# --- the temporary password ----------------------------------------------------------------------


@settings(max_examples=50)
@given(policy=POLICIES, password=st.text(), username=st.text())
def test_the_temporary_password_fits_every_policy(
    policy: PasswordPolicy, password: str, username: str
) -> None:
    """The temporary password satisfies every possible policy."""
    derived = _derive(password, username=username)
    check_password(derived, policy)
    # The same in Cognito's words, without check_password.
    assert len(derived) == 100 > policy.min_length
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SYMBOLS)
    assert all(any(character in kind for character in derived) for kind in kinds)
    assert derived.isascii()
    assert derived.isprintable()
    assert " " not in derived


def test_the_temporary_password_never_changes() -> None:
    """The derivation never changes, so a later version of seedctl can finish users of an earlier one."""
    assert _derive() == (
        "Tmp1!w9PQS3ZngHGaMD6K2S9u0mXvOKXbNT8wpwJhKAFBpUVVa9clfKQrjEfsE7Kk2hKXIhMPP8LlZ1rihT1V37p"
        "hWkQfb305qMD"
    )


@pytest.mark.parametrize("username", ["Ann@Example.com", "ANN@EXAMPLE.COM", "ann@example.com"])
def test_the_case_of_the_user_name_does_not_matter(username: str) -> None:
    """Cognito's user names ignore case, so another spelling derives the same password."""
    assert _derive(username=username) == _derive(username="ann@example.com")


def test_names_are_case_folded() -> None:
    """Unicode case folding is used, not only lower case."""
    assert _derive(username="STRASSE") == _derive(username="straße")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"password": "Passw0rd?"}, id="password"),
        pytest.param({"pool": "us-east-1_Another"}, id="pool"),
        pytest.param({"username": "bob"}, id="user"),
        pytest.param({"pool": f"{POOL}\0ann", "username": ""}, id="parts run together"),
    ],
)
def test_each_user_has_a_password_of_their_own(changed: dict[str, str]) -> None:
    """Another password, pool or user gives an unrelated temporary password."""
    one, other = _derive(), _derive(**changed)
    same = sum(a == b for a, b in zip(one[5:], other[5:], strict=True))
    assert same < 15  # 95 characters of 62 kinds agree in one or two places by chance


def test_the_temporary_password_reveals_nothing() -> None:
    """It does not reveal the final password, and masking recognizes it."""
    assert "secret-part" not in _derive("secret-part")
    assert mask(f"<{_derive()}>") == "<***>"


# HMAC pads its key with zero bytes, and no password may hold one.
@settings(max_examples=50)
@given(
    passwords=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        min_size=2,
        max_size=20,
        unique=True,
    )
)
def test_different_passwords_give_different_ones(passwords: list[str]) -> None:
    """Different final passwords give different temporary passwords."""
    assert len({_derive(password) for password in passwords}) == len(passwords)


# --- the policy ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "policy", "needs"),
    [
        pytest.param("abcde", _policy(), "6 characters or more", id="short"),
        pytest.param("a" * 98, _policy(length=99), "99 characters or more", id="one too short"),
        pytest.param("ABC123!", _policy(lowercase=True), "a lower-case letter", id="lower"),
        pytest.param("abc123!", _policy(uppercase=True), "an upper-case letter", id="upper"),
        pytest.param("abcDEF!", _policy(numbers=True), "a digit", id="digit"),
        pytest.param("abcDEF1", _policy(symbols=True), "a symbol", id="symbol"),
        pytest.param("éàüöß1", _policy(lowercase=True), "a lower-case letter", id="not ASCII"),
        pytest.param("ÉÀÜÖÄ1", _policy(uppercase=True), "an upper-case letter", id="nor capital"),
        pytest.param("abcdef\u0661", _policy(numbers=True), "a digit", id="digit elsewhere"),
        pytest.param("abcdef\u00a7\u20ac", _policy(symbols=True), "a symbol", id="not a symbol"),
        pytest.param(
            " abcdef", _policy(symbols=True), "a symbol, no space at its ends", id="space in front"
        ),
        pytest.param("abcdef ", _policy(), "no space at its ends", id="space at the end"),
        pytest.param("abcdef\n", _policy(), "no space at its ends", id="a line's end"),
        pytest.param("a" * 257, _policy(), "256 characters or fewer", id="one too long"),
        pytest.param(
            "abcde\ud83d", _policy(), "characters that are valid Unicode", id="half a character"
        ),
        pytest.param("", _policy(), "at least one character", id="empty"),
    ],
)
def test_each_violated_rule_is_named(password: str, policy: PasswordPolicy, needs: str) -> None:
    """The message names the violated rule, and never contains the password."""
    with pytest.raises(InvalidPasswordException) as caught:
        check_password(password, policy)
    assert caught.value.message == (
        f"The password does not meet the user pool's policy: it needs {needs}."
    )
    assert caught.value.exit_code == 1
    assert caught.value.name == "InvalidPasswordException"
    assert "amplify/auth/resource.ts" in (caught.value.resolution or "")
    shown = f"{caught.value!r} {caught.value.resolution}"
    assert not password.strip() or password.strip() not in shown


def test_all_violated_rules_are_named_at_once() -> None:
    """All violated rules are named at once."""
    policy = PasswordPolicy(8, True, True, True, True)
    with pytest.raises(InvalidPasswordException) as caught:
        check_password("\u00fc", policy)
    assert caught.value.message.endswith(
        "it needs 8 characters or more, a lower-case letter, an upper-case letter, a digit, "
        "a symbol."
    )


def test_cognitos_symbols() -> None:
    """Each of the 32 characters that Cognito counts as a symbol is one, and a space between others."""
    assert len(set(SYMBOLS)) == 32
    for symbol in SYMBOLS:
        check_password(f"abcDEF1{symbol}", _policy(symbols=True))
    check_password("abc def", _policy(symbols=True))


@pytest.mark.parametrize("policy", [None, _policy(length=6)], ids=["unknown", "lax"])
def test_a_password_that_violates_no_rule_is_accepted(policy: PasswordPolicy | None) -> None:
    """Without a policy in the outputs file, or with a weak one, Cognito decides."""
    check_password("aaaaaa", policy)
    check_password("密码密码密码", policy)
    check_password("a b" * 85 + "a", policy)  # 256 characters


@pytest.mark.parametrize("policy", [None, _policy()], ids=["unknown", "known"])
@pytest.mark.parametrize(
    ("password", "needs"),
    [
        pytest.param("", "at least one character", id="empty"),
        pytest.param("x" * 257, "256 characters or fewer", id="too long"),
        pytest.param("   abcdef", "no space at its ends", id="space in front"),
        pytest.param("abcdef\t", "no space at its ends", id="space at the end"),
        pytest.param("abcdef\udc80", "characters that are valid Unicode", id="undecodable"),
    ],
)
def test_passwords_that_every_pool_refuses(
    password: str, needs: str, policy: PasswordPolicy | None
) -> None:
    """What every pool refuses is refused without a policy too."""
    with pytest.raises(InvalidPasswordException, match=f"it needs {needs}\\.$"):
        check_password(password, policy)


@pytest.mark.parametrize("policy", [None, _policy()], ids=["unknown", "known"])
@pytest.mark.parametrize("password", [None, 123456, b"hidden-word", ["hidden-word"]], ids=repr)
def test_a_password_is_text(password: Any, policy: PasswordPolicy | None) -> None:
    """The error names a wrong type and not the value."""
    with pytest.raises(InvalidPasswordException) as caught:
        check_password(password, policy)
    kind = type(password).__name__
    assert caught.value.message == f"The password is a {kind}, not text."
    assert "get_secret" in (caught.value.resolution or "")
    assert caught.value.exit_code == 1


# Half of them of few characters, of which many passwords break no rule.
PASSWORDS = st.text(min_size=1, max_size=110) | st.text("abXY01!- é", min_size=90, max_size=110)


@settings(max_examples=50)
@given(policy=POLICIES, password=PASSWORDS)
@example(policy=PasswordPolicy(8, True, True, True, True), password="Passw0rd!")
@example(policy=PasswordPolicy(8, True, True, True, True), password="Passw0r")
def test_the_check_agrees_with_the_rules(policy: PasswordPolicy, password: str) -> None:
    """A password is refused exactly when it breaks a rule, and a refusal never repeats it."""
    inner = password[1:-1]
    fits = (
        len(password) >= policy.min_length
        and (not policy.require_numbers or bool(set(password) & set(string.digits)))
        and (not policy.require_lowercase or bool(set(password) & set(string.ascii_lowercase)))
        and (not policy.require_uppercase or bool(set(password) & set(string.ascii_uppercase)))
        and (not policy.require_symbols or bool(set(password) & set(SYMBOLS)) or " " in inner)
        and password == password.strip()
    )
    if fits:
        check_password(password, policy)
    else:
        with pytest.raises(InvalidPasswordException):
            check_password(password, policy)
