"""The local sandbox gives the same responses as moto, the reference.

moto checks no password, so nothing here signs in: that is proven in ``tests/local``.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.boto3_clients import error_code as _code

ANN = "ann@example.com"
TEMPORARY = "Temp-123-word"

# Where moto is known to differ from AWS: test name and case -> what moto does instead.
MOTO_DIFFERS = {
    "test_password_flow_is_not_enabled": "signs in by any flow, whatever the client allows",
    "test_refused_parameters[blank]": "accepts any characters in a name",
    "test_refused_parameters[bytes]": "has no limit on a value's size",
    "test_refused_parameters[large]": "has no limit on a value's size",
    "test_refused_parameters[levels]": "has no limit on levels",
    "test_refused_parameters[relative]": "accepts levels without a leading slash",
    "test_refused_parameters[type]": "accepts any type",
    "test_selector": "leaves the selector out",
    "test_temporary_password_meets_the_policy": "does not check a temporary password",
    "test_user_exists_in_any_case": "compares addresses by case",
}


# --- Parameter Store ----------------------------------------------------------------------------


def _put(service: Any, name: str, value: str = "value", **given: Any) -> int:
    options = {"Type": "SecureString", "Overwrite": True, **given}
    reply = service.ssm.put_parameter(Name=f"{service.path}/{name}", Value=value, **options)
    version: int = reply["Version"]
    return version


def test_parameter_round_trip(service: Any) -> None:
    """A secret is read by name and by version, with the fields that clients show."""
    assert [_put(service, "a", value) for value in ("one", "two")] == [1, 2]
    name = f"{service.path}/a"
    current = service.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (current["Value"], current["Version"], current["Type"]) == ("two", 2, "SecureString")
    assert current["Name"] == name
    assert current["LastModifiedDate"].tzinfo is not None
    first = service.ssm.get_parameter(Name=f"{name}:1", WithDecryption=True)["Parameter"]
    assert (first["Value"], first["Version"], first["Name"]) == ("one", 1, name)


def test_selector(service: Any) -> None:
    """The response to reading by version names the selector."""
    _put(service, "a")
    found = service.ssm.get_parameter(Name=f"{service.path}/a:1")["Parameter"]
    assert found["Selector"] == ":1"


def test_secret_is_hidden(service: Any) -> None:
    """Without decryption a SecureString is not readable, but a String is."""
    _put(service, "a", "hidden")
    _put(service, "b", "shown", Type="String")
    values = [
        service.ssm.get_parameter(Name=f"{service.path}/{name}")["Parameter"]["Value"]
        for name in ("a", "b")
    ]
    assert values[0] != "hidden"
    assert values[1] == "shown"


def test_parameter_errors(service: Any) -> None:
    """Missing parameters, missing versions and a second creation have their error codes."""
    missing = f"{service.path}/missing"
    assert _code(service.ssm.get_parameter, Name=missing) == "ParameterNotFound"
    assert _code(service.ssm.delete_parameter, Name=missing) == "ParameterNotFound"
    _put(service, "a")
    name = f"{service.path}/a"
    assert _code(service.ssm.get_parameter, Name=f"{name}:9") == "ParameterVersionNotFound"
    given = {"Name": name, "Value": "x", "Type": "String"}
    assert _code(service.ssm.put_parameter, **given) == "ParameterAlreadyExists"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param({"Value": "x" * 4097}, "ValidationException", id="large"),
        pytest.param({"Value": "ü" * 2049}, "ValidationException", id="bytes"),
        pytest.param({"Name": "two words"}, "ValidationException", id="blank"),
        pytest.param({"Name": "no/slash"}, "ValidationException", id="relative"),
        pytest.param({"Name": "/x" * 16}, "HierarchyLevelLimitExceededException", id="levels"),
        pytest.param({"Name": "/ssm/x"}, "ValidationException", id="ssm"),
        pytest.param({"Name": "/aws/x"}, "AccessDeniedException", id="aws"),
        pytest.param({"Type": "Secret"}, "ValidationException", id="type"),
    ],
)
def test_refused_parameters(service: Any, given: Any, code: str) -> None:
    """Names and values outside the limits have the same error codes."""
    call = {"Name": "/a", "Value": "x", "Type": "String", "Overwrite": True, **given}
    assert _code(service.ssm.put_parameter, **call) == code


def test_parameters_by_path(service: Any) -> None:
    """A path lists its direct children in pages of ten, or recursively all below."""
    for number in range(12):
        _put(service, f"{number:02}")
    _put(service, "deep/er")

    def names(**given: Any) -> list[str]:
        pages = service.ssm.get_paginator("get_parameters_by_path").paginate(**given)
        return [entry["Name"].rpartition("/")[2] for page in pages for entry in page["Parameters"]]

    flat = [f"{number:02}" for number in range(12)]
    assert sorted(names(Path=service.path)) == flat
    assert sorted(names(Path=f"{service.path}/")) == flat
    assert sorted(names(Path=service.path, Recursive=True)) == [*flat, "er"]
    first = service.ssm.get_parameters_by_path(Path=service.path)
    assert len(first["Parameters"]) == 10
    assert first["NextToken"]
    empty = service.ssm.get_parameters_by_path(Path=f"{service.path}/nothing")
    assert (empty["Parameters"], empty.get("NextToken")) == ([], None)


def test_several_parameters(service: Any) -> None:
    """Reading or deleting several parameters reports the names that were not found."""
    for name in ("a", "b"):
        _put(service, name)
    names = [f"{service.path}/{name}" for name in ("a", "b", "missing")]
    reply = service.ssm.get_parameters(Names=names)
    assert sorted(entry["Name"] for entry in reply["Parameters"]) == names[:2]
    assert reply["InvalidParameters"] == names[2:]
    reply = service.ssm.delete_parameters(Names=names)
    assert sorted(reply["DeletedParameters"]) == names[:2]
    assert reply["InvalidParameters"] == names[2:]
    assert _code(service.ssm.get_parameter, Name=names[0]) == "ParameterNotFound"


def test_version_counter_starts_again(service: Any) -> None:
    """A deleted parameter that is created again has version 1."""
    _put(service, "a")
    _put(service, "a")
    service.ssm.delete_parameter(Name=f"{service.path}/a")
    assert _put(service, "a") == 1


# --- STS ----------------------------------------------------------------------------------------


def test_caller_identity(service: Any) -> None:
    """The caller identity has an account and an ARN in the partition aws."""
    caller = service.sts.get_caller_identity()
    assert len(caller["Account"]) == 12
    assert caller["Arn"].startswith(f"arn:aws:sts::{caller['Account']}:")
    assert caller["UserId"]


# --- users --------------------------------------------------------------------------------------


def _create(service: Any, name: str = ANN, **attributes: str) -> Any:
    return service.cognito.admin_create_user(
        UserPoolId=service.pool_id,
        Username=name,
        TemporaryPassword=TEMPORARY,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
    )["User"]


def _user(service: Any, name: str = ANN) -> Any:
    return service.cognito.admin_get_user(UserPoolId=service.pool_id, Username=name)


def _attributes(user: Any) -> dict[str, str]:
    listed = user.get("UserAttributes") or user["Attributes"]
    return {item["Name"]: item["Value"] for item in listed}


def test_created_user(service: Any) -> None:
    """The user name in a pool with e-mail sign-in is a UUID, the same as the sub."""
    user = _create(service, family_name="Lee")
    attributes = _attributes(user)
    assert attributes["sub"] == user["Username"] != ANN
    assert (attributes["email"], attributes["family_name"]) == (ANN, "Lee")
    assert (user["Enabled"], user["UserStatus"]) == (True, "FORCE_CHANGE_PASSWORD")
    assert user["UserCreateDate"] == user["UserLastModifiedDate"]
    for name in (ANN, user["Username"]):
        found = _user(service, name)
        assert found["Username"] == user["Username"]
        assert _attributes(found) == attributes


def test_user_exists(service: Any) -> None:
    """The same address again is UsernameExistsException."""
    _create(service)
    given = {"UserPoolId": service.pool_id, "Username": ANN}
    assert _code(service.cognito.admin_create_user, **given) == "UsernameExistsException"


def test_user_exists_in_any_case(service: Any) -> None:
    """E-mail addresses are case-insensitive."""
    _create(service)
    given = {"UserPoolId": service.pool_id, "Username": ANN.upper()}
    assert _code(service.cognito.admin_create_user, **given) == "UsernameExistsException"
    assert _user(service, ANN.upper())


def test_user_name_must_be_an_address(service: Any) -> None:
    """A user name that is not an address fails with InvalidParameterException."""
    given = {"UserPoolId": service.pool_id, "Username": "ann"}
    assert _code(service.cognito.admin_create_user, **given) == "InvalidParameterException"


def test_temporary_password_meets_the_policy(service: Any) -> None:
    """A weak temporary password is rejected."""
    given = {"UserPoolId": service.pool_id, "Username": ANN, "TemporaryPassword": "weak"}
    assert _code(service.cognito.admin_create_user, **given) == "InvalidPasswordException"


def test_password_meets_the_policy(service: Any) -> None:
    """A password set by an administrator must match the policy too."""
    _create(service)
    given = {"UserPoolId": service.pool_id, "Username": ANN, "Permanent": True}
    for password in ("weak", "nouppercase1!", "NOLOWER-123", "NoDigits-!", "No5ymbols"):
        code = _code(service.cognito.admin_set_user_password, **given, Password=password)
        assert code == "InvalidPasswordException", password


@pytest.mark.parametrize("permanent", [True, False])
def test_set_password(service: Any, permanent: bool) -> None:
    """A permanent password confirms the user."""
    _create(service)
    service.cognito.admin_set_user_password(
        UserPoolId=service.pool_id, Username=ANN, Password="Final-456-word", Permanent=permanent
    )
    expected = "CONFIRMED" if permanent else "FORCE_CHANGE_PASSWORD"
    assert _user(service)["UserStatus"] == expected


def test_disabling(service: Any) -> None:
    """A user can be disabled and enabled again."""
    _create(service)
    given = {"UserPoolId": service.pool_id, "Username": ANN}
    service.cognito.admin_disable_user(**given)
    assert _user(service)["Enabled"] is False
    service.cognito.admin_enable_user(**given)
    assert _user(service)["Enabled"] is True


def test_changing_attributes(service: Any) -> None:
    """Attributes are set and deleted one by one."""
    _create(service, locale="en", nickname="annie")
    given = {"UserPoolId": service.pool_id, "Username": ANN}
    service.cognito.admin_update_user_attributes(
        **given, UserAttributes=[{"Name": "locale", "Value": "fr"}]
    )
    service.cognito.admin_delete_user_attributes(**given, UserAttributeNames=["nickname"])
    attributes = _attributes(_user(service))
    assert attributes["locale"] == "fr"
    assert "nickname" not in attributes


def test_taking_an_address(service: Any) -> None:
    """A user cannot take the address of another user."""
    _create(service)
    _create(service, "eve@example.com")
    code = _code(
        service.cognito.admin_update_user_attributes,
        UserPoolId=service.pool_id,
        Username="eve@example.com",
        UserAttributes=[{"Name": "email", "Value": ANN}],
    )
    assert code == "AliasExistsException"


def test_resetting_a_password(service: Any) -> None:
    """A password reset sets the user's status, and needs an address for the code."""
    _create(service)
    given = {"UserPoolId": service.pool_id, "Username": ANN}
    assert _code(service.cognito.admin_reset_user_password, **given) == "NotAuthorizedException"
    service.cognito.admin_set_user_password(**given, Password="Final-456-word", Permanent=True)
    code = _code(service.cognito.admin_reset_user_password, **given)
    assert code == "InvalidParameterException"
    verified = [{"Name": "email_verified", "Value": "true"}]
    service.cognito.admin_update_user_attributes(**given, UserAttributes=verified)
    service.cognito.admin_reset_user_password(**given)
    assert _user(service)["UserStatus"] == "RESET_REQUIRED"


def test_deleted_user(service: Any) -> None:
    """A deleted user is gone."""
    _create(service)
    given = {"UserPoolId": service.pool_id, "Username": ANN}
    service.cognito.admin_delete_user(**given)
    assert _code(service.cognito.admin_get_user, **given) == "UserNotFoundException"


def test_unknown_user(service: Any) -> None:
    """Operations of administrators report a missing user."""
    operations = (
        "admin_delete_user",
        "admin_disable_user",
        "admin_enable_user",
        "admin_get_user",
        "admin_list_groups_for_user",
        "admin_reset_user_password",
        "admin_user_global_sign_out",
    )
    given = {"UserPoolId": service.pool_id, "Username": "nobody@example.com"}
    codes = {each: _code(getattr(service.cognito, each), **given) for each in operations}
    assert codes == dict.fromkeys(operations, "UserNotFoundException")


def test_unknown_pool(service: Any) -> None:
    """A pool that does not exist is ResourceNotFoundException."""
    given = {"UserPoolId": "us-east-1_Nowhere00", "Username": ANN}
    for operation in (service.cognito.admin_create_user, service.cognito.admin_get_user):
        assert _code(operation, **given) == "ResourceNotFoundException"


def test_unknown_client(service: Any) -> None:
    """A client that does not exist is ResourceNotFoundException."""
    code = _code(
        service.cognito.initiate_auth,
        ClientId="unknownclient",
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": ANN, "SRP_A": "abc"},
    )
    assert code == "ResourceNotFoundException"


def test_password_flow_is_not_enabled(service: Any) -> None:
    """The app client does not allow sign-in with a plain password."""
    _create(service)
    code = _code(
        service.cognito.initiate_auth,
        ClientId=service.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": ANN, "PASSWORD": TEMPORARY},
    )
    assert code == "InvalidParameterException"


def test_listing_users(service: Any) -> None:
    """Filters find users by equality and by prefix, in pages."""
    for name in ("ann@example.com", "anton@example.com", "bob@example.com"):
        _create(service, name)

    def emails(**given: Any) -> list[str]:
        pages = service.cognito.get_paginator("list_users").paginate(
            UserPoolId=service.pool_id, **given
        )
        return sorted(_attributes(user)["email"] for page in pages for user in page["Users"])

    everybody = ["ann@example.com", "anton@example.com", "bob@example.com"]
    assert emails() == emails(PaginationConfig={"PageSize": 2}) == everybody
    assert emails(Filter='email = "bob@example.com"') == ["bob@example.com"]
    assert emails(Filter='email ^= "an"') == everybody[:2]
    assert emails(Filter='email = "bob"') == []
    assert len(emails(Filter='cognito:user_status = "FORCE_CHANGE_PASSWORD"')) == 3


# --- groups -------------------------------------------------------------------------------------


def _groups_of(service: Any, name: str = ANN) -> list[str]:
    reply = service.cognito.admin_list_groups_for_user(UserPoolId=service.pool_id, Username=name)
    return sorted(group["GroupName"] for group in reply["Groups"])


def test_groups(service: Any) -> None:
    """Deployed groups exist, with their precedence."""
    reply = service.cognito.list_groups(UserPoolId=service.pool_id)
    assert {group["GroupName"]: group["Precedence"] for group in reply["Groups"]} == {
        "admin": 0,
        "READERS": 1,
    }


def test_membership(service: Any) -> None:
    """Adding a user twice is harmless, by alias or by user name."""
    user = _create(service)
    given = {"UserPoolId": service.pool_id, "GroupName": "admin"}
    for name in (ANN, user["Username"]):
        service.cognito.admin_add_user_to_group(**given, Username=name)
    service.cognito.admin_add_user_to_group(**{**given, "GroupName": "READERS"}, Username=ANN)
    assert _groups_of(service) == ["READERS", "admin"]
    members = service.cognito.list_users_in_group(**given)["Users"]
    assert [member["Username"] for member in members] == [user["Username"]]
    for _ in range(2):
        service.cognito.admin_remove_user_from_group(**given, Username=ANN)
    assert _groups_of(service) == ["READERS"]


def test_unknown_group(service: Any) -> None:
    """A missing group is ResourceNotFoundException; group names are case-sensitive."""
    _create(service)
    given = {"UserPoolId": service.pool_id, "Username": ANN}
    for name in ("nobody", "ADMIN"):
        code = _code(service.cognito.admin_add_user_to_group, **given, GroupName=name)
        assert code == "ResourceNotFoundException"


def test_unknown_member(service: Any) -> None:
    """A user who does not exist cannot be added."""
    code = _code(
        service.cognito.admin_add_user_to_group,
        UserPoolId=service.pool_id,
        Username="nobody@example.com",
        GroupName="admin",
    )
    assert code == "UserNotFoundException"


def test_making_and_deleting_groups(service: Any) -> None:
    """A group cannot be created twice; deleting it removes its members' membership."""
    _create(service)
    given = {"UserPoolId": service.pool_id, "GroupName": "testers"}
    group = service.cognito.create_group(**given, Description="try things", Precedence=5)["Group"]
    assert (group["Description"], group["Precedence"]) == ("try things", 5)
    assert _code(service.cognito.create_group, **given) == "GroupExistsException"
    service.cognito.admin_add_user_to_group(**given, Username=ANN)
    assert service.cognito.get_group(**given)["Group"]["GroupName"] == "testers"
    service.cognito.delete_group(**given)
    assert _code(service.cognito.get_group, **given) == "ResourceNotFoundException"
    assert _groups_of(service) == []


def test_membership_ends_with_the_user(service: Any) -> None:
    """A user who is deleted and created again is in no group."""
    _create(service)
    service.cognito.admin_add_user_to_group(
        UserPoolId=service.pool_id, Username=ANN, GroupName="admin"
    )
    service.cognito.admin_delete_user(UserPoolId=service.pool_id, Username=ANN)
    _create(service)
    assert _groups_of(service) == []
