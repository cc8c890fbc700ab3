"""The password exchange, against values computed by the JavaScript client."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import locale
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedctl import srp
from seedctl.errors import SRPError
from seedctl.srp import ClientExchange

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "srp.json").read_text(encoding="utf-8"))
VECTORS = [pytest.param(vector, id=vector["id"]) for vector in GOLDEN["vectors"]]
BASIC = GOLDEN["vectors"][0]


@pytest.fixture(params=["gmpy2", "pow"])
def powers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Compute powers with gmpy2, then with Python alone."""
    gmpy2 = pytest.importorskip("gmpy2") if request.param == "gmpy2" else None
    monkeypatch.setitem(sys.modules, "gmpy2", gmpy2)
    for cached in (srp._arithmetic, srp._powers_of):
        cached.cache_clear()
    assert srp._arithmetic()[1] is (gmpy2.powmod if gmpy2 else pow)
    yield str(request.param)
    for cached in (srp._arithmetic, srp._powers_of):
        cached.cache_clear()


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def _challenge(vector: dict[str, Any], **changed: str) -> dict[str, str]:
    given = vector["input"]
    challenge = {
        "pool_name": given["pool_name"],
        "user_id": given["user_id_for_srp"],
        "password": given["password"],
        "salt": given["salt_hex"],
        "srp_b": given["srp_b_hex"],
        "secret_block": given["secret_block"],
        "timestamp": vector["expect"]["timestamp"],
    }
    return {**challenge, **changed}


# --- the golden file -----------------------------------------------------------------------------


def test_every_golden_row_is_tested() -> None:
    """Every row of the JavaScript client's values is tested."""
    sections = ("vectors", "padded_hex", "timestamps", "secret_hash", "errors")
    assert [len(GOLDEN[section]) for section in sections] == [22, 16, 13, 2, 4]


def test_constants() -> None:
    """The group, the multiplier and the derivation are Cognito's."""
    constants = GOLDEN["constants"]
    assert f"{srp.N:x}" == constants["N_hex"]
    assert srp.N.bit_length() == constants["N_bits"]
    assert srp.g == constants["g"]
    assert f"{srp.k:x}" == constants["k_hex"]
    assert srp._HKDF_INFO.hex() == constants["hkdf_info_with_counter_hex"]
    assert constants["hkdf_key_bytes"] == srp._KEY_BYTES


@pytest.mark.parametrize("vector", VECTORS)
def test_every_step_of_a_vector(vector: dict[str, Any]) -> None:
    """Each intermediate number equals the JavaScript client's, so a difference shows where it arises."""
    given, expect = vector["input"], vector["expect"]
    exchange = ClientExchange.start(int(given["private_a_hex"], 16))
    salt, public_b = int(given["salt_hex"], 16), int(given["srp_b_hex"], 16)

    assert exchange.srp_a == expect["srp_a_hex"]
    assert srp.pad(exchange.public_a).hex() == expect["srp_a_padded_hex"]
    assert srp.pad(public_b).hex() == expect["srp_b_padded_hex"]
    assert srp.pad(salt).hex() == expect["salt_padded_hex"]

    assert given["password"].encode().hex() == given["password_utf8_hex"]
    x = srp.private_key(given["pool_name"], given["user_id_for_srp"], given["password"], salt)
    assert f"{x:x}" == expect["x_hex"].lstrip("0")

    u, shared = exchange.shared_secret(x, public_b)
    assert u == int(expect["u_hex"], 16)
    assert srp.pad(u).hex() == expect["u_padded_hex"]
    assert shared == int(expect["s_hex"], 16)
    assert srp.pad(shared).hex() == expect["s_padded_hex"]

    key = srp.session_key(u, shared)
    assert key.hex() == expect["hkdf_key_hex"]

    timestamp = srp.format_timestamp(_utc(given["instant_utc"]))
    assert timestamp == expect["timestamp"]
    signature = srp.claim_signature(
        key, given["pool_name"], given["user_id_for_srp"], given["secret_block"], timestamp
    )
    assert signature == expect["signature_base64"]
    assert base64.b64decode(signature).hex() == expect["signature_hex"]


@pytest.mark.parametrize("vector", VECTORS)
def test_a_vector_in_one_call(vector: dict[str, Any]) -> None:
    """sign() answers the challenge as the JavaScript client does."""
    exchange = ClientExchange.start(int(vector["input"]["private_a_hex"], 16))
    assert exchange.sign(**_challenge(vector)) == vector["expect"]["signature_base64"]


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(vector, id=vector["id"])
        for vector in GOLDEN["vectors"]
        if "server_private_b_hex" in vector["input"]
    ],
)
def test_the_server_arrives_at_the_same_secret(vector: dict[str, Any]) -> None:
    """The server's side of SRP-6a computes the same S."""
    given, expect = vector["input"], vector["expect"]
    private_b = int(given["server_private_b_hex"], 16)
    verifier = int(given["server_verifier_hex"], 16)
    x = int(expect["x_hex"], 16)
    assert srp.power(srp.g, x) == verifier
    assert (srp.k * verifier + srp.power(srp.g, private_b)) % srp.N == int(given["srp_b_hex"], 16)
    u = int(expect["u_hex"], 16)
    base = int(expect["srp_a_hex"], 16) * srp.power(verifier, u) % srp.N
    assert srp.power(base, private_b) == int(expect["s_hex"], 16)


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("password", "Passw0rd?"),
        ("password", " Passw0rd!"),
        ("user_id", "0F4A1C9E-70B1-4D2E-9C55-3F1F7F1A2B3C"),
        ("pool_name", "us-east-1_AbCdEfGhI"),
        ("salt", "3bba480f064d6029b302b0cf7ebc62ae"),
        ("timestamp", "Tue Mar 17 14:05:10 UTC 2026"),
        ("secret_block", base64.b64encode(b"another").decode()),
    ],
)
def test_any_other_input_gives_another_signature(changed: str, value: str) -> None:
    """The signature depends on each of its inputs."""
    exchange = ClientExchange.start(int(BASIC["input"]["private_a_hex"], 16))
    signature = exchange.sign(**_challenge(BASIC, **{changed: value}))
    assert signature != BASIC["expect"]["signature_base64"]


def test_padding() -> None:
    """Numbers are hashed as their shortest bytes, with 00 in front where the top bit is set."""
    padded = {row["number_hex"]: row["padded_hex"] for row in GOLDEN["padded_hex"]}
    assert {number: srp.pad(int(number, 16)).hex() for number in padded} == padded


@given(number=st.integers(min_value=0, max_value=1 << 3100))
def test_padding_is_twos_complement(number: int) -> None:
    """The bytes are the shortest two's complement of the number."""
    padded = srp.pad(number)
    assert int.from_bytes(padded, "big", signed=True) == number
    assert len(padded) == 1 or padded[0] != 0 or padded[1] >= 0x80


# --- timestamps ----------------------------------------------------------------------------------

TIMESTAMPS = {row["instant"]: row["timestamp"] for row in GOLDEN["timestamps"]}


def test_timestamps() -> None:
    """Days are not padded, times are, names are English, and the zone is always UTC."""
    assert {each: srp.format_timestamp(_utc(each)) for each in TIMESTAMPS} == TIMESTAMPS


def test_every_day_and_month_has_its_name() -> None:
    """The names are those of mail headers, on each day of a year."""
    for number in range(365):
        instant = datetime(2026, 1, 1, 9, 8, 7, tzinfo=timezone.utc) + timedelta(days=number)
        name, day, month, year, clock, _ = format_datetime(instant).split()
        timestamp = f"{name[:-1]} {month} {int(day)} {clock} UTC {year}"
        assert srp.format_timestamp(instant) == timestamp


class _Foreign(datetime):
    """A datetime whose strftime uses another language and pads days."""

    def __format__(self, spec: str) -> str:
        for directive in ("%a", "%A", "%b", "%B", "%c", "%x", "%X", "%p", "%d", "%e"):
            spec = spec.replace(directive, "märz.")
        return super().strftime(spec)


def test_timestamps_do_not_ask_for_names() -> None:
    """Names of days and months never come from strftime, which follows the locale."""
    for instant, timestamp in TIMESTAMPS.items():
        foreign = _Foreign.fromtimestamp(_utc(instant).timestamp(), tz=timezone.utc)
        assert f"{foreign:%a %d}" == "märz. märz."
        assert srp.format_timestamp(foreign) == timestamp


def test_timestamps_under_another_locale() -> None:
    """Timestamps are English under another locale too, if this machine has one."""
    before = locale.setlocale(locale.LC_TIME)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "ja_JP.UTF-8", "es_ES.UTF-8", "de_DE", "fr_FR"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            break
        else:
            pytest.skip("no other locale is installed")
        assert {each: srp.format_timestamp(_utc(each)) for each in TIMESTAMPS} == TIMESTAMPS
    finally:
        locale.setlocale(locale.LC_TIME, before)


# --- SECRET_HASH, devices ------------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN["secret_hash"], ids=lambda row: row["username"])
def test_secret_hash(row: dict[str, str]) -> None:
    """SECRET_HASH covers the name in the same request and the client's id, in this order."""
    computed = srp.secret_hash(row["client_id"], row["client_secret"], row["username"])
    assert computed == row["secret_hash_base64"]


def test_a_device_verifier_from_the_primitives(powers: str) -> None:
    """A device is a user whose pool is its group: the same x, the same padding."""
    row = GOLDEN["device_verifier"]
    salt = int(row["salt_padded_hex"], 16)
    x = srp.private_key(row["device_group_key"], row["device_key"], row["random_password"], salt)
    verifier = srp.power(srp.g, x)
    assert srp.pad(verifier).hex() == row["verifier_padded_hex"]
    assert base64.b64encode(srp.pad(salt)).decode() == row["ConfirmDevice_Salt_base64"]
    sent = base64.b64encode(srp.pad(verifier)).decode()
    assert sent == row["ConfirmDevice_PasswordVerifier_base64"]


# --- what no honest server sends -----------------------------------------------------------------


@pytest.mark.parametrize(
    "row", [pytest.param(r, id=r["id"]) for r in GOLDEN["errors"] if "srp_b_hex" in r]
)
def test_b_must_not_be_zero(row: dict[str, str], powers: str) -> None:
    """B = 0 mod N, which would make the password irrelevant, is refused."""
    with pytest.raises(SRPError, match="B is zero") as caught:
        ClientExchange.start(7).sign(**_challenge(BASIC, srp_b=row["srp_b_hex"]))
    assert caught.value.exit_code == 4


def test_a_must_not_be_zero(monkeypatch: pytest.MonkeyPatch, powers: str) -> None:
    """A = 0 mod N, which the golden file makes by putting N in place of g, is refused."""
    assert GOLDEN["errors"][-1]["id"] == "A-zero (g replaced by N)"
    monkeypatch.setattr(srp, "g", srp.N)
    with pytest.raises(SRPError, match="A is zero"):
        ClientExchange.start()


def test_u_must_not_be_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash of zero, which would take the password out of the exchange, is refused."""
    monkeypatch.setattr(srp, "hash_number", lambda *parts: 0)
    with pytest.raises(SRPError, match="hash of both public values is zero"):
        ClientExchange.start(7).shared_secret(x=1, public_b=5)


@pytest.mark.parametrize("value", ["", "xyz", "-5", "0x12", "1_2", " 12 ", "12\n", "\u0661\u0662"])
@pytest.mark.parametrize("name", ["salt", "srp_b"])
def test_numbers_must_be_hex(name: str, value: str) -> None:
    """Only plain hexadecimal is accepted; int() alone would accept signs and underscores."""
    with pytest.raises(SRPError, match="SALT or SRP_B is not a hex number"):
        ClientExchange.start(7).sign(**_challenge(BASIC, **{name: value}))


def test_hex_of_either_case_is_the_same_number() -> None:
    """Hexadecimal digits may be lower or upper case."""
    exchange = ClientExchange.start(7)
    challenge = _challenge(BASIC)
    raised = {name: challenge[name].upper() for name in ("salt", "srp_b")}
    assert exchange.sign(**{**challenge, **raised}) == exchange.sign(**challenge)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("+/+/AA==", id="standard"),
        pytest.param("-_-_AA==", id="URL-safe"),
        pytest.param("+/+/AA", id="without padding"),
        pytest.param("-_+/AA=", id="mixed, half padded"),
    ],
)
def test_spellings_of_the_secret_block(block: str) -> None:
    """SECRET_BLOCK may use either alphabet, with or without padding."""
    assert srp.decode_secret_block(block) == base64.b64decode("+/+/AA==")


@pytest.mark.parametrize("block", ["!!!!", "AAAAA", "AA AA", "é"])
def test_a_secret_block_that_is_not_base64(block: str) -> None:
    """A malformed SECRET_BLOCK is refused, not silently shortened."""
    with pytest.raises(SRPError, match="SECRET_BLOCK is not base64"):
        ClientExchange.start(7).sign(**_challenge(BASIC, secret_block=block))


# --- secrets -------------------------------------------------------------------------------------


def test_the_private_value_is_fresh_and_long() -> None:
    """Each exchange has its own private value of 256 bits, with the top bit set."""
    privates = [ClientExchange.start().private_a for _ in range(20)]
    assert len(set(privates)) == 20
    assert {value.bit_length() for value in privates} == {256}


def test_the_repr_shows_nothing_secret() -> None:
    """The repr of an exchange does not contain the private value, in decimal or hexadecimal."""
    exchange = ClientExchange.start()
    shown = repr(exchange)
    assert str(exchange.private_a) not in shown
    assert f"{exchange.private_a:x}" not in shown
    assert "private" not in shown


def test_errors_show_nothing_secret() -> None:
    """A failed exchange does not repeat the password or the private value."""
    exchange = ClientExchange.start()
    with pytest.raises(SRPError) as caught:
        exchange.sign(**_challenge(BASIC, salt="zz", password="Hidden-Passw0rd"))
    assert "Hidden-Passw0rd" not in f"{caught.value!r} {caught.value.__cause__!r}"


# --- with and without gmpy2 ----------------------------------------------------------------------


def test_gmpy2_is_an_extra(powers: str) -> None:
    """With gmpy2 and without it the signature is the same, and powers are Python's own integers."""
    exchange = srp.ClientExchange.start(int(BASIC["input"]["private_a_hex"], 16))
    assert exchange.sign(**_challenge(BASIC)) == BASIC["expect"]["signature_base64"]
    assert type(srp.power(3, 5)) is int
    assert type(srp._power_by_table(2, 5)) is int


@settings(max_examples=30)
@given(data=st.data())
def test_both_ways_agree(data: st.DataObject) -> None:
    """gmpy2 and pow compute the same power for any base and exponent."""
    powmod = pytest.importorskip("gmpy2").powmod
    base = data.draw(st.integers(0, 1 << 3072))
    exponent = data.draw(st.integers(0, 1 << 64))
    assert int(powmod(base, exponent, srp.N)) == pow(base, exponent, srp.N)


def test_the_inner_hash_has_32_bytes() -> None:
    """The inner hash of x is used as 32 bytes, also when it begins with zeros."""
    user = next(
        str(number)
        for number in range(100_000)
        if hashlib.sha256(f"pool{number}:pw".encode()).digest()[0] == 0
    )
    inner = hashlib.sha256(f"pool{user}:pw".encode()).digest()
    expected = hashlib.sha256(b"\x05" + inner).hexdigest()
    assert srp.private_key("pool", user, "pw", 5) == int(expected, 16)


def test_powers_are_the_same_from_the_table(powers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator's powers come from a table after the first ones, and are those that pow gives."""
    monkeypatch.setattr(srp, "_powers_of_g", itertools.count())
    exponents = [0, 1, 15, 16, 0x5A17, 2**255, 2**256 - 1, 2**256, 2**300 + 1]
    assert len(exponents) > srp._POWERS_BEFORE_TABLE
    found = {each: srp.power(srp.g, each) for each in exponents}
    assert srp.power(5, 2**255) == pow(5, 2**255, srp.N)  # not of the generator, so without a table
    assert srp._powers_of.cache_info().currsize == 1
    assert found == {each: pow(srp.g, each, srp.N) for each in exponents}
    for base in (srp.g, 5):
        in_table = {each: srp._power_by_table(base, each) for each in exponents if each < 2**256}
        assert in_table == {each: pow(base, each, srp.N) for each in in_table}
