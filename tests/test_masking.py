"""Every value that seedctl has used as a secret is masked in everything it shows."""

from __future__ import annotations

import base64
import json
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedctl import masking, process_state
from seedctl.cognito.new_user import derive_temporary_password
from seedctl.masking import MASK, mask, register

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = "S3cr3t/Pass+word=?&%"
APOSTROPHE = "it's sö\n"  # a repr of it has other quotes around, and leaves its own as it is
AWKWARD = "pä\"ss'w\\o\trd 密码 🔑/"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhYmMtMTIzIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"

# Without the surrounding quotes, which are not part of the secret.
FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": lambda value: quote(value, safe=""),
    "url path": quote,
    "form": quote_plus,
    "json": lambda value: json.dumps(value)[1:-1],
    "json, unescaped": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "repr": lambda value: repr(value)[1:-1],
    "ascii": lambda value: ascii(value)[1:-1],
    "bytes": lambda value: repr(value.encode())[2:-1],
    "bytes between both quotes": lambda value: repr(value.encode() + b"\"'")[2:-4],
    "JSON in bytes": lambda value: repr(json.dumps({"v": value}).encode())[9:-3],
    "JSON in JSON": lambda value: json.dumps(json.dumps(value))[3:-3],
    "JSON, unescaped, in JSON": lambda value: json.dumps(json.dumps(value, ensure_ascii=False))[
        3:-3
    ],
    "repr in JSON": lambda value: json.dumps(repr(value)[1:-1])[1:-1],
    "JSON in a URL": lambda value: quote(json.dumps(value)[1:-1]),
    "hex": lambda value: value.encode().hex(),
}


def base64_digits(before: bytes, value: bytes, after: bytes, *, url_safe: bool = False) -> str:
    """Return the base64 digits of *value* between other bytes that do not depend on those bytes."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    first = -(-len(before) * 8 // 6)
    last = (len(before) + len(value)) * 8 // 6
    return encode(before + value + after).decode()[first:last]


@pytest.mark.parametrize(
    "secret", [PLAIN, AWKWARD, APOSTROPHE], ids=["ascii", "unicode", "apostrophe"]
)
def test_each_spelling_is_masked(secret: str) -> None:
    """A secret is masked in each of its spellings: URL, JSON, repr, hex."""
    for name, form in FORMS.items():
        with process_state.fresh():
            register(secret)
            assert mask(f"before '{form(secret)}' after") == "before '***' after", name


@pytest.mark.parametrize("secret", [PLAIN, AWKWARD, "abcd"], ids=["ascii", "unicode", "shortest"])
@pytest.mark.parametrize("url_safe", [False, True], ids=["standard", "url-safe"])
def test_base64_is_masked_at_every_alignment(url_safe: bool, secret: str) -> None:
    """A secret is masked inside base64, wherever it starts in the encoded bytes."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    after = b"@host"
    for length in range(13):
        before = b"u:u:u:u:u:u:"[:length]
        with process_state.fresh():
            register(secret)
            text = encode(before + secret.encode() + after).decode()
            digits = base64_digits(before, secret.encode(), after, url_safe=url_safe)
            assert digits in text
            assert digits not in mask(text), before


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("line one is long\nand so is line two\nabc", id="as it is"),
        pytest.param(">>> line one is long", id="first line"),
        pytest.param("  and so is line two  ", id="a later line"),
        pytest.param("line one is long\\nand so is line two\\nabc", id="escaped"),
    ],
)
def test_the_lines_of_a_secret_are_masked(text: str) -> None:
    """Each line of a key or certificate is masked by itself too."""
    register("line one is long\n  and so is line two  \nabc")
    register("line one is long\nand so is line two\nabc")
    masked = mask(text)
    assert "line one" not in masked
    assert "line two" not in masked


def test_short_lines_of_a_secret_are_not_masked_alone() -> None:
    """A brace or a short word on a line of its own is not masked."""
    register('{\n"key": "0123456789abcdef"\n}')
    assert mask("def f(): {}") == "def f(): {}"
    assert "0123456789abcdef" not in mask('  "key": "0123456789abcdef"')
    register("eight-ch\nseven-c")
    assert mask("eight-ch and seven-c") == "*** and seven-c"
    assert mask("seven-c\neight-ch") == "seven-c\n***"


@pytest.mark.parametrize(
    ("margin", "line_break"),
    [
        pytest.param("E       ", "\n", id="pytest"),
        pytest.param("  | ", "\n", id="a group of exceptions"),
        pytest.param("    ", "\r\n", id="indented"),
    ],
)
@pytest.mark.parametrize("secret", ["ab-12\ncd-34", " ab-12 \r\n\n  cd-34\r\nwith a long line\n"])
def test_short_lines_of_a_secret_are_masked_together(
    secret: str, margin: str, line_break: str
) -> None:
    """All lines of a secret are masked where they follow each other, with a margin before each."""
    register(secret)
    shown = "".join(f"{margin}{line}{line_break}" for line in f"pin: {secret.strip()}".splitlines())
    assert mask(f"{shown}ab-12") == f"{margin}pin: ***{line_break}ab-12"


def test_a_few_letters_on_several_lines_are_masked_only_as_words() -> None:
    """The end of one word and the beginning of the next are no secret."""
    register("a\nb")
    assert mask("data\n  begin") == "data\n  begin"
    assert mask("  a\n  b") == "  ***"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("the code is 42", "the code is ***", id="alone"),
        pytest.param("code=42;", "code=***;", id="between signs"),
        pytest.param("4242 and 42x and x42", "4242 and 42x and x42", id="inside words"),
    ],
)
def test_a_short_secret_is_masked_only_as_a_word(text: str, expected: str) -> None:
    """A secret shorter than four characters is masked only as a separate word."""
    register("42")
    assert mask(text) == expected


@pytest.mark.parametrize("secret", ["", " ", "\n\t "], ids=["empty", "space", "white space"])
def test_blank_values_mask_nothing(secret: str) -> None:
    """An empty or blank value is not a secret: masking it would mask everything."""
    register(secret)
    assert mask("a b\n\t c") == "a b\n\t c"


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_bytes_are_masked(kind: type[bytes]) -> None:
    """If a script passes bytes instead of text, they are masked too."""
    register(kind(PLAIN.encode()))
    assert mask(f"<{PLAIN}>") == "<***>"
    assert mask(repr(PLAIN.encode())) == "b'***'"


def test_undecodable_bytes() -> None:
    """The readable part of undecodable bytes is masked, and nothing is raised."""
    register(b"hunter\xff-two")
    assert mask("hunter\ufffd-two") == "***"


@pytest.mark.parametrize(
    "value", [None, 7, pytest.param(object(), id="object"), ["hunter-two"], b"", b" "], ids=repr
)
def test_other_types_mask_nothing(value: object) -> None:
    """A value that is neither text nor bytes is ignored."""
    register(value)
    assert mask("None 7 hunter-two") == "None 7 hunter-two"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"PASSWORD_CLAIM_SIGNATURE": "%s"}', id="JSON"),
        pytest.param("{'PASSWORD_CLAIM_SIGNATURE': '%s'}", id="repr"),
        pytest.param('b\'{"PASSWORD_CLAIM_SIGNATURE": "%s"}\'', id="bytes"),
    ],
)
def test_the_signature_of_a_sign_in_is_recognised(text: str) -> None:
    """The signature of a sign-in is masked, although it was not registered."""
    proof = base64.b64encode(bytes(range(32))).decode()
    assert mask(text % proof) == text % MASK


SESSION = "AYABe" + "Zm9vYmFy-_" * 90
BLOCK = base64.b64encode(bytes(range(256)) * 5).decode()


@pytest.mark.parametrize(
    ("members", "secret"),
    [
        pytest.param({"ChallengeName": "X", "Session": SESSION}, SESSION, id="session"),
        pytest.param({"SECRET_BLOCK": BLOCK, "SALT": "5a17"}, BLOCK, id="secret block"),
        pytest.param({"PASSWORD_CLAIM_SECRET_BLOCK": BLOCK}, BLOCK, id="secret block, answered"),
        pytest.param({"SRP_A": "9f" * 384}, "9f" * 384, id="SRP_A"),
        pytest.param({"SRP_B": "0b" * 384, "USERNAME": "ann"}, "0b" * 384, id="SRP_B"),
    ],
)
def test_the_values_of_a_sign_in_are_recognised(members: dict[str, str], secret: str) -> None:
    """The values that Cognito and a client exchange are masked; text beside them is not."""
    as_json = json.dumps(members)
    for shown in (as_json, repr(members), repr(as_json.encode()), json.dumps(as_json)):
        assert mask(shown) == shown.replace(secret, MASK)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("/home/ann/Projects2026/" + "App1/node_modules/" * 20, id="path"),
        pytest.param("uploads/2026/" + "A1b2/" * 90, id="key of short names"),
        pytest.param("word" * 100, id="words"),
        pytest.param(f'  File "/{"Deep1/" * 60}seed.py", line 7, in <module>', id="trace"),
        pytest.param(f"Session: /{'Deep1/' * 60}", id="path after a name"),
    ],
)
def test_a_long_text_is_no_secret(text: str) -> None:
    """Long file paths and object keys are shown."""
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"https://b/k?X-Amz-Expires=9&X-Amz-Signature={'0af1' * 16}&x=1",
            "https://b/k?X-Amz-Expires=9&X-Amz-Signature=***&x=1",
            id="presigned",
        ),
        pytest.param(
            "GET /k?X-Amz-Security-Token=IQoJb3JpZ2luX2Vj%2F%2F%2B%3D HTTP/1.1",
            "GET /k?X-Amz-Security-Token=*** HTTP/1.1",
            id="token of a presigned address",
        ),
        pytest.param(
            f"AWS4-HMAC-SHA256 Credential=AKIA/s3, SignedHeaders=host, Signature={'0af1' * 16}",
            "AWS4-HMAC-SHA256 Credential=AKIA/s3, SignedHeaders=host, Signature=***",
            id="header",
        ),
    ],
)
def test_signatures_are_recognised(text: str, expected: str) -> None:
    """The signature of a signed URL is masked; the rest of the URL is shown."""
    assert mask(text) == expected


@pytest.mark.parametrize(
    ("secrets", "text", "expected"),
    [
        pytest.param(["hunter", "hunter-two"], "hunter-two", "***", id="one begins the other"),
        pytest.param(["hunter-two", "two"], "hunter-two", "***", id="one ends the other"),
        pytest.param(["abcd", "bcdefgh"], "abcdefgh", "***", id="they overlap"),
        pytest.param(["abcdef", "cd"], "x abcdef x", "x *** x", id="one holds the other"),
        pytest.param(
            ["alpha-hunter2-omega", "hunter2"],
            "alpha-hunter2-omega!",
            "***!",
            id="inside the other",
        ),
        pytest.param(
            ["hunter2", "alpha-hunter2-omega"], "alpha-hunter2-omega!", "***!", id="known before"
        ),
        pytest.param(["hunter", "hunter"], "hunter hunter", "*** ***", id="the same twice"),
        pytest.param([f"{JWT}/rest-of-it"], f"{JWT}/rest-of-it", "***", id="begins as a token"),
        pytest.param(["eyJhb"], JWT, "***", id="a token begins with it"),
        pytest.param(["hunter"], "hunterhunter", "******", id="side by side"),
        pytest.param(["a.b", "b.c"], "a.b.c", "***", id="two short ones share a word"),
    ],
)
def test_overlapping_secrets_are_all_masked(secrets: list[str], text: str, expected: str) -> None:
    """If secrets overlap, all of their characters are masked."""
    for secret in secrets:
        register(secret)
    assert mask(text) == expected


@pytest.mark.parametrize(
    "secret", [".*+?", "a|b|c", "[0-9]{4}", "(?i)x", "\\d\\d\\d"], ids=["1", "2", "3", "4", "5"]
)
def test_a_secret_is_not_a_pattern(secret: str) -> None:
    """A secret that looks like a regular expression is masked as literal text."""
    register(secret)
    assert mask(f"a {secret} b 1234 X") == "a *** b 1234 X"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"Bearer {JWT}.", "Bearer ***", id="signed"),
        pytest.param(f'{{"IdToken": "{JWT}"}}', '{"IdToken": "***"}', id="in JSON"),
        pytest.param("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d", "***", id="encrypted, five parts"),
        pytest.param("eyJhbGciOiJSU0EtT0FFUCJ9..b", "***", id="detached"),
        pytest.param("eyJh.a.b", "eyJh.a.b", id="too short to be one"),
        pytest.param("module.name.attribute", "module.name.attribute", id="dotted name"),
    ],
)
def test_tokens_are_recognised(text: str, expected: str) -> None:
    """A JWT is masked, although it was not registered."""
    assert mask(text) == expected


def test_temporary_passwords_are_recognised() -> None:
    """A derived temporary password is masked, although it was not registered."""
    password = derive_temporary_password("x", user_pool_id="us-east-1_A", username="ann")
    assert mask(f"TemporaryPassword={password}!") == f"TemporaryPassword={MASK}!"
    assert mask("Tmp1!short") == "Tmp1!short"


def test_masking_twice_changes_nothing() -> None:
    """Masking a text twice gives the same result as masking it once."""
    register(PLAIN)
    once = mask(f"a {PLAIN} b {JWT}")
    assert mask(once) == once == "a *** b ***"


def test_a_later_secret_is_masked_too() -> None:
    """A secret that is registered later is masked too."""
    register("first-one")
    assert mask("first-one second-one") == "*** second-one"
    register("second-one")
    assert mask("first-one second-one") == "*** ***"
    with process_state.fresh():
        assert mask("first-one second-one") == "first-one second-one"


def test_half_surrogate_pairs() -> None:
    """A value with half of a surrogate pair, as from undecodable input, is masked too."""
    register("half\ud83dpair")
    assert mask("x half\ud83dpair x") == "x *** x"
    assert "half" not in mask(repr("half\ud83dpair"))


# Not with *, since a secret made of asterisks could appear around the mask itself.
_SECRETS = st.text(min_size=4, max_size=40).filter(lambda text: text.strip() and "*" not in text)


@given(secret=_SECRETS, before=st.text(max_size=12), after=st.text(max_size=12))
@example(secret="0000", before="0", after="0")
@example(secret='000"', before="", after="")
@example(secret="a\nb\nc", before="a\n", after="c")
def test_no_spelling_of_a_secret_remains(secret: str, before: str, after: str) -> None:
    """For any secret and any text around it, no spelling of the secret remains."""
    with process_state.fresh():
        register(secret)
        for form in FORMS.values():
            spelled = form(secret)
            assert spelled not in mask(before + spelled + after)
        around = before.encode(), secret.encode(), after.encode()
        for url_safe in (False, True):
            encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
            digits = base64_digits(*around, url_safe=url_safe)
            assert digits not in mask(encode(b"".join(around)).decode())


@settings(max_examples=50)
@given(secrets=st.lists(_SECRETS, min_size=2, max_size=5))
def test_none_of_many_secrets_remains(secrets: list[str]) -> None:
    """If several secrets follow each other directly, none of them remains."""
    with process_state.fresh():
        for secret in secrets:
            register(secret)
        masked = mask("".join(secrets))
        assert masked == mask("".join(secrets))
    assert all(secret not in masked for secret in secrets)


def test_threads_may_register_and_mask_at_once() -> None:
    """A secret that one thread has registered is masked in every other thread."""
    failures: list[str] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for round_ in range(8):
            secret = f"secret-{number}-{round_}-end"
            register(secret)
            shown = mask(f"<{secret}>")
            if shown != "<***>":
                failures.append(shown)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    everything = " ".join(f"secret-{n}-{r}-end" for n in range(8) for r in range(8))
    assert mask(everything) == " ".join([MASK] * 64)


def test_thousands_of_similar_secrets() -> None:
    """Values with the same beginning or the same length are all masked."""
    secrets = [f"Passw0rd-{number}" for number in range(3000)]
    for secret in secrets:
        register(secret)
    assert mask(" ".join(secrets)) == " ".join([MASK] * len(secrets))
    assert mask("Passw0rd-x Passw0rd-2999x") == "Passw0rd-x ***x"


# --- messages of seedctl -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        pytest.param("user", "2 users created. The user exists.", id="a word"),
        pytest.param("created", "2 users created", id="a state"),
        pytest.param("reat", "2 users created", id="part of a word"),
        pytest.param("already there", "user  ann  already there", id="words"),
        pytest.param("1", "Seeded in 1.1 s: 1 user created, line 1", id="a digit"),
        pytest.param("404", "404 records created", id="a number"),
        pytest.param("·", "Target: /app · sandbox dev1", id="a sign"),
        pytest.param("S3", "S3 denied it", id="a short word"),
        pytest.param("sign_in", 'Give if_exists="sign_in".', id="a name in code"),
    ],
)
def test_a_message_keeps_seedctls_own_words(secret: str, message: str) -> None:
    """A word or number of a message is not masked, even if it equals a secret."""
    register(secret)
    assert mask(message) != message
    assert masking.mask_message(message) == message


@pytest.mark.parametrize("secret", ["x7Q", "4711", "hunter", "us3r", "Hunter-two", "users!", "ämt"])
def test_a_message_shows_no_other_secret(secret: str) -> None:
    """Any other secret is masked in messages too, however short it is."""
    register(secret)
    assert masking.mask_message(f"The user {secret} exists.") == "The user *** exists."


def test_a_message_shows_no_secret_that_contains_its_words() -> None:
    """A word of seedctl is masked if it is part of a longer secret."""
    register("user")
    register("the-user-of-all")
    assert masking.mask_message("no user the-user-of-all") == "no user ***"


def test_without_its_source_seedctl_masks_every_word(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Without the source there are no known words of its own, so every secret is masked."""
    monkeypatch.setattr(masking, "_own_source", str)
    masking._is_own_word.cache_clear()
    request.addfinalizer(masking._is_own_word.cache_clear)
    register("user")
    register("S3")
    assert masking.mask_message("The user of S3") == "The *** of ***"
