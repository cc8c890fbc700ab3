"""ListUsers: filters and the selection of attributes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases import case


@pytest.fixture
def crowd(client: Any) -> Any:
    """Ann is confirmed, Bob is disabled, Eve has a quote in her name."""
    client.tokens("ann@example.com", given_name="Ann", phone_number="+4915112345678")
    client.clock.advance(1)
    client.create("bob@example.org", given_name="Bob")
    client.cognito("AdminDisableUser", Username="bob@example.org")
    client.clock.advance(1)
    client.create("eve@example.com", given_name='Eve "E"')
    return client


def _emails(reply: dict[str, Any]) -> list[str]:
    return [
        item["Value"]
        for user in reply["Users"]
        for item in user["Attributes"]
        if item["Name"] == "email"
    ]


def test_filter(crowd: Any) -> None:
    """A filter compares one attribute with a value or with a prefix."""
    for text, found in (
        ("", "ann bob eve"),
        (" ", "ann bob eve"),
        ('email = "ann@example.com"', "ann"),
        ('email = "ANN@example.com"', "ann"),
        ('email="ann@example"', ""),
        ('email ^= "a"', "ann"),
        ('"email" ^= ""', "ann bob eve"),
        ('cognito:user_status = "CONFIRMED"', "ann"),
        ('cognito:user_status ^= "FORCE"', "bob eve"),
        ('status = "Disabled"', "bob"),
        ('status = "enabled"', "ann eve"),
        ('given_name = "Eve \\"E\\""', "eve"),
        ('phone_number ^= "+49"', "ann"),
        ('family_name ^= ""', ""),
    ):
        with case(text, found):
            names = [
                email.partition("@")[0]
                for email in _emails(crowd.cognito("ListUsers", Filter=text))
            ]
            assert names == found.split()


@pytest.mark.parametrize("key", ["username", "sub"])
def test_filter_by_internal_name(crowd: Any, key: str) -> None:
    """The user name and sub are searchable too."""
    username = crowd.cognito("AdminGetUser", Username="bob@example.org")["Username"]
    reply = crowd.cognito("ListUsers", Filter=f'{key} = "{username}"')
    assert _emails(reply) == ["bob@example.org"]


def test_refused_filter(crowd: Any) -> None:
    """Any other filter is refused, also one by a custom attribute."""
    for text in (
        "email",
        "email = ann",
        "email != 'x'",
        'custom:plan = "x"',
        'a = "b" and c = "d"',
        "x" * 257,
    ):
        with case(text):
            refusal = crowd.cognito_refusal("ListUsers", Filter=text)
            assert refusal.startswith("InvalidParameterException: ")


def test_attributes_to_get(crowd: Any) -> None:
    """Only the requested attributes are returned."""
    users = crowd.cognito("ListUsers", AttributesToGet=["given_name"])["Users"]
    assert users[0]["Attributes"] == [{"Name": "given_name", "Value": "Ann"}]
    assert users[0]["UserStatus"] == "CONFIRMED"
