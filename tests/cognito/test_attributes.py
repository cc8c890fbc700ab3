"""User names and attributes are checked before a user is created."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from seedctl.cognito.attributes import (
    check_username,
    sign_in_advice,
    update_warnings,
    wire_attributes,
)
from seedctl.errors import InvalidParameterException
from seedctl.masking import register
from seedctl.outputs import AuthSection, StandardUserAttributes

EMAIL = "ann@example.com"
PHONE = "+15551234567"


def _auth(
    *username_attributes: str, required: tuple[str, ...] | None = None, unknown: bool = False
) -> AuthSection:
    return AuthSection(
        aws_region="us-east-1",
        user_pool_id="us-east-1_A",
        user_pool_client_id="c",
        username_attributes=None if unknown else username_attributes,
        standard_required_attributes=required,
    )


# --- user names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "auth"),
    [
        pytest.param(EMAIL, _auth("email"), id="e-mail"),
        pytest.param("ann+seed@sub.example.co.uk", _auth("email"), id="long e-mail"),
        pytest.param("änn@exämple.com", _auth("email"), id="e-mail beyond ASCII"),
        pytest.param(PHONE, _auth("phone_number"), id="phone number"),
        pytest.param(EMAIL, _auth("email", "phone_number"), id="either, an e-mail"),
        pytest.param(PHONE, _auth("email", "phone_number"), id="either, a number"),
        pytest.param("ann", _auth(), id="a plain name"),
        pytest.param("ann", _auth("username", "email"), id="plain names too"),
        pytest.param("ann", _auth(unknown=True), id="the file does not say"),
        pytest.param("ann", _auth("passkey"), id="a kind of a later version"),
    ],
)
def test_names_that_fit_the_pool(username: str, auth: AuthSection) -> None:
    """A name of an accepted kind passes, and so does any name if the file does not state the kinds."""
    check_username(username, auth)


@pytest.mark.parametrize(
    ("username", "kinds", "wanted"),
    [
        pytest.param(
            "ann", ("email",), "an e-mail address like ann@example.com;", id="a plain name"
        ),
        pytest.param(
            PHONE,
            ("email",),
            "an e-mail address like ann@example.com;",
            id="a number for an e-mail",
        ),
        pytest.param(
            "ann@host", ("email",), "an e-mail address like ann@example.com;", id="no domain"
        ),
        pytest.param(
            "a b@example.com", ("email",), "an e-mail address like ann@example.com;", id="a space"
        ),
        pytest.param(
            "a@b@example.com", ("email",), "an e-mail address like ann@example.com;", id="two signs"
        ),
        pytest.param(
            f"{EMAIL}\n",
            ("email",),
            "an e-mail address like ann@example.com;",
            id="line break at the end",
        ),
        pytest.param("5551234567", ("phone_number",), "a phone number like", id="no plus"),
        pytest.param("+1 555 123", ("phone_number",), "a phone number like", id="blanks"),
        pytest.param("+1234567890123456", ("phone_number",), "a phone number like", id="long"),
        pytest.param(
            "ann",
            ("email", "phone_number"),
            "an e-mail address like ann@example.com or a phone number like +15551234567 ",
            id="neither",
        ),
    ],
)
def test_names_of_another_kind(username: str, kinds: tuple[str, ...], wanted: str) -> None:
    """A name of another kind is refused before any request, and the error says which kinds are accepted."""
    with pytest.raises(InvalidParameterException) as caught:
        check_username(username, _auth(*kinds))
    assert f"sign in with {wanted}" in caught.value.message
    assert repr(username) in caught.value.message
    assert "loginWith" in (caught.value.resolution or "")
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("username", ["", " ", "\n", None, 5], ids=repr)
def test_no_name(username: Any) -> None:
    """An empty or blank name, or one that is not text, is refused for every pool."""
    with pytest.raises(InvalidParameterException, match="user name is empty"):
        check_username(username, _auth())


# --- attributes ----------------------------------------------------------------------------------


def test_attributes_go_in_amplifys_order() -> None:
    """Standard attributes are sent in the order of the JavaScript tool, then the others as given."""
    given = {
        "custom:b": "2",
        "website": "w",
        "updated_at": "1",
        "zoneinfo": "z",
        "address": "a",
        "custom:a": "1",
        "email": EMAIL,
        "name": "n",
    }
    names = [attribute["Name"] for attribute in wire_attributes("ann", given, _auth())]
    assert names == [
        "address",
        "email",
        "name",
        "zoneinfo",
        "updated_at",
        "website",
        "custom:b",
        "custom:a",
    ]


@pytest.mark.parametrize("name", sorted(get_type_hints(StandardUserAttributes)))
def test_every_standard_attribute_is_one(name: str) -> None:
    """Each attribute name of the TypedDict is sent unchanged."""
    value = {"email": EMAIL, "phone_number": PHONE}.get(name, "v")
    assert wire_attributes("ann", {name: value}, _auth()) == [{"Name": name, "Value": value}]


@pytest.mark.parametrize(
    ("name", "value", "example"),
    [
        pytest.param("phone_number", "0555 1234", "+15551234567", id="no country code"),
        pytest.param("phone_number", "+1 555 1234567", "+15551234567", id="blanks"),
        pytest.param("phone_number", 15551234567, "+15551234567", id="a number"),
        pytest.param("phone_number", "", "+15551234567", id="no phone number"),
        pytest.param("email", "ann", "ann@example.com", id="no address"),
        pytest.param("email", "ann@example", "ann@example.com", id="no domain"),
        pytest.param("email", "ann @example.com", "ann@example.com", id="a blank"),
    ],
)
def test_addresses_of_the_wrong_form(name: str, value: object, example: str) -> None:
    """A malformed address is refused before any request, and the error shows a valid example."""
    with pytest.raises(InvalidParameterException, match=name) as caught:
        wire_attributes("ann", {name: value}, _auth())
    assert repr(str(value)) in caught.value.message
    assert example in (caught.value.resolution or "")


@pytest.mark.parametrize(
    ("username", "auth", "hint"),
    [
        pytest.param("0555 1234", _auth("phone_number"), "+15551234567", id="no phone number"),
        pytest.param("ann", _auth("email"), "ann@example.com", id="no e-mail address"),
        pytest.param(PHONE, _auth("phone_number"), None, id="a phone number"),
        pytest.param("ann", _auth(), None, id="plain names"),
    ],
)
def test_advice_for_an_unknown_user(username: str, auth: AuthSection, hint: str | None) -> None:
    """Cognito reports a wrong name like a wrong password; the format of the name may explain it."""
    advice = sign_in_advice(username, auth)
    assert advice.startswith("Check the user name and the password.")
    assert hint is None or hint in advice
    assert ("Users of this pool" in advice) is (hint is not None)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        pytest.param("custom:plan", "pro", "pro", id="custom"),
        pytest.param("dev:custom:plan", "pro", "pro", id="developer-only"),
        pytest.param("email_verified", True, "true", id="yes"),
        pytest.param("phone_number_verified", False, "false", id="no"),
        pytest.param("email_verified", "true", "true", id="yes as text"),
        pytest.param("updated_at", 1700000000, "1700000000", id="number"),
        pytest.param("name", "", "", id="empty text"),
        pytest.param("name", "Zoë 密", "Zoë 密", id="beyond ASCII"),
    ],
)
def test_values_become_cognitos_text(name: str, value: object, text: str) -> None:
    """Cognito stores text: booleans and integers are converted to Cognito's spelling."""
    assert wire_attributes("ann", {name: value}, _auth()) == [{"Name": name, "Value": text}]


@pytest.mark.parametrize(
    "value", [1.5, ["a"], {"a": 1}, b"x", object()], ids=lambda v: str(type(v))
)
def test_other_values_are_refused(value: object) -> None:
    """A value of another type is refused; the error names the type and not the value."""
    with pytest.raises(InvalidParameterException) as caught:
        wire_attributes("ann", {"name": value}, _auth())
    assert f"name is a {type(value).__name__}" in caught.value.message
    assert "str()" in (caught.value.resolution or "")


@pytest.mark.parametrize("attributes", [None, {}, {"name": None}], ids=["none", "empty", "null"])
def test_no_attributes(attributes: dict[str, Any] | None) -> None:
    """None instead of a mapping means no attributes, and an attribute with the value None is left out."""
    assert wire_attributes("ann", attributes, _auth()) == []


@pytest.mark.parametrize("attributes", [["name"], "name", 5], ids=repr)
def test_attributes_must_be_a_mapping(attributes: Any) -> None:
    """A list of pairs or a text is refused."""
    with pytest.raises(InvalidParameterException, match="not a mapping"):
        wire_attributes("ann", attributes, _auth())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("givenName", "Did you mean given_name?", id="JavaScript's spelling"),
        pytest.param("phoneNumber", "Did you mean phone_number?", id="another"),
        pytest.param("preferredUsername", "Did you mean preferred_username?", id="two humps"),
        pytest.param("emailVerified", "Did you mean email_verified?", id="verified"),
        pytest.param("family-name", "Did you mean family_name?", id="a dash"),
        pytest.param("adress", "Did you mean address?", id="a typing mistake"),
        pytest.param("plan", "Did you mean custom:plan?", id="custom without its prefix"),
        pytest.param("sub", "Cognito generates it.", id="sub"),
        pytest.param(7, "Names are text.", id="not text"),
    ],
)
def test_names_that_cognito_does_not_have(name: Any, hint: str) -> None:
    """An unknown attribute name is refused before any request, and the error suggests the right one."""
    with pytest.raises(InvalidParameterException) as caught:
        wire_attributes("ann", {name: "v"}, _auth())
    assert caught.value.message == f"{name!r} is not a user attribute to set."
    assert caught.value.resolution == hint


@pytest.mark.parametrize(
    ("username", "kinds", "required", "given"),
    [
        pytest.param(EMAIL, ("email",), ("email",), {}, id="the name is the e-mail"),
        pytest.param(PHONE, ("phone_number",), ("phone_number",), {}, id="the name is the number"),
        pytest.param("ann", (), ("email",), {"email": EMAIL}, id="given"),
        pytest.param("ann", (), None, {}, id="the file does not say"),
        pytest.param(EMAIL, None, ("email",), {}, id="the file does not say what names are"),
        pytest.param(
            EMAIL, ("email", "phone_number"), ("email", "name"), {"name": "n"}, id="both ways"
        ),
    ],
)
def test_required_attributes_that_are_present(
    username: str,
    kinds: tuple[str, ...] | None,
    required: tuple[str, ...] | None,
    given: dict[str, str],
) -> None:
    """A required attribute may come from the user name, which Cognito copies."""
    auth = _auth(*(kinds or ()), required=required, unknown=kinds is None)
    wire = wire_attributes(username, given, auth)
    assert {attribute["Name"] for attribute in wire} == set(given)


@pytest.mark.parametrize(
    ("username", "kinds", "required", "given", "missing"),
    [
        pytest.param("ann", (), ("email",), {}, ["email"], id="nobody gave it"),
        pytest.param(EMAIL, (), ("email",), {}, ["email"], id="a name is no e-mail here"),
        pytest.param("ann", (), ("name",), {"name": None}, ["name"], id="given as None"),
        pytest.param(
            PHONE,
            ("email", "phone_number"),
            ("email", "phone_number", "name"),
            {},
            ["email", "name"],
            id="the other kind",
        ),
    ],
)
def test_required_attributes_that_are_missing(
    username: str,
    kinds: tuple[str, ...],
    required: tuple[str, ...],
    given: dict[str, Any],
    missing: list[str],
) -> None:
    """A missing required attribute is named before any request."""
    with pytest.raises(InvalidParameterException) as caught:
        wire_attributes(username, given, _auth(*kinds, required=required))
    assert f"requires {', '.join(missing)} for the user {username}" in caught.value.message
    assert all(f'"{name}": …' in (caught.value.resolution or "") for name in missing)


def test_a_secret_in_place_of_an_address_is_masked() -> None:
    """The message about a malformed address masks a secret that was passed by mistake."""
    register("a-secret-not-an-address")
    with pytest.raises(InvalidParameterException) as caught:
        wire_attributes("ann", {"email": "a-secret-not-an-address"}, _auth())
    assert "is '***'" in caught.value.message


def test_a_new_address_to_confirm_is_not_verified() -> None:
    """The flag of the old address does not count for the new one, to which a code was sent."""
    new = "new@example.com"
    warnings = update_warnings(
        "ann",
        given={"email": new, "email_verified": "true"},
        sent=[{"Name": "email", "Value": new}],
        before={"email": "old@example.com", "email_verified": True},
        deliveries=[{"AttributeName": "email", "Destination": "n***@e***"}],
    )
    sent, flag = warnings
    assert "Cognito has sent a code to n***@e***" in sent
    assert flag == "email_verified of ann was not set: only an administrator may set it."
