"""Parameter Store: limits and special cases of the calls that secrets use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.local.ssm import stored_names
from tests.cases import case

if TYPE_CHECKING:
    from pathlib import Path

NAME = "/amplify/app/ann-sandbox-0123456789/token"


def _put(client: Any, name: str = NAME, value: str = "s3cret", **given: Any) -> Any:
    options = {"Type": "SecureString", "Overwrite": True, **given}
    return client.ssm("PutParameter", Name=name, Value=value, **options)["Version"]


def _value(client: Any, name: str = NAME) -> str:
    reply = client.ssm("GetParameter", Name=name, WithDecryption=True)
    value: str = reply["Parameter"]["Value"]
    return value


def test_round_trip(client: Any) -> None:
    """A stored value is returned, decrypted only if requested."""
    assert _put(client, Description="Amplify Secret") == 1
    parameter = client.ssm("GetParameter", Name=NAME, WithDecryption=True)["Parameter"]
    assert parameter == {
        "ARN": f"arn:aws:ssm:eu-west-1:000000000000:parameter{NAME}",
        "DataType": "text",
        "LastModifiedDate": client.clock(),
        "Name": NAME,
        "Type": "SecureString",
        "Value": "s3cret",
        "Version": 1,
    }
    sealed = client.ssm("GetParameter", Name=NAME)["Parameter"]["Value"]
    assert "s3cret" not in sealed
    assert len(sealed) > 100
    _put(client)
    assert client.ssm("GetParameter", Name=NAME)["Parameter"]["Value"] != sealed


def test_plain_string_needs_no_decryption(client: Any) -> None:
    """Only a SecureString is hidden."""
    _put(client, Type="String")
    assert client.ssm("GetParameter", Name=NAME)["Parameter"]["Value"] == "s3cret"


def test_overwriting(client: Any) -> None:
    """Overwriting needs the option, keeps the type, and increments the version."""
    given = {"Name": NAME, "Value": "one"}
    refusal = client.ssm_refusal("PutParameter", **given)
    assert refusal.startswith("ValidationException: A parameter type is required")
    client.ssm("PutParameter", **given, Type="SecureString")
    refusal = client.ssm_refusal("PutParameter", **given, Type="SecureString")
    assert refusal.startswith("ParameterAlreadyExists: ")
    assert client.ssm("PutParameter", **given, Overwrite=True)["Version"] == 2
    assert client.ssm("GetParameter", Name=NAME)["Parameter"]["Type"] == "SecureString"


def test_versions(client: Any) -> None:
    """Old versions can be read by number; the last hundred are stored."""
    for number in range(1, 103):
        assert _put(client, value=f"value {number}") == number
    assert _value(client) == "value 102"
    assert _value(client, f"{NAME}:3") == "value 3"
    reply = client.ssm("GetParameter", Name=f"{NAME}:101", WithDecryption=True)["Parameter"]
    assert (reply["Selector"], reply["Name"], reply["Version"]) == (":101", NAME, 101)
    for selector in ("1", "2", "103", "003", "3.0", "latest", ""):
        refusal = client.ssm_refusal("GetParameter", Name=f"{NAME}:{selector}")
        assert refusal.startswith("ParameterVersionNotFound: ")
    client.ssm("DeleteParameter", Name=NAME)
    assert _put(client) == 1
    assert client.ssm_refusal("GetParameter", Name=f"{NAME}:3").startswith("ParameterVersion")


def test_missing_parameter(client: Any) -> None:
    """The error for a missing parameter has no message, as on AWS."""
    for name in (
        NAME,
        f"{NAME}:1",
        "ü",
    ):
        for operation in (
            "GetParameter",
            "DeleteParameter",
        ):
            with case(name, operation):
                assert client.ssm_refusal(operation, Name=name) == "ParameterNotFound: "
    _, _, body = client.post("AmazonSSM.GetParameter", b'{"Name": "x"}', service="ssm")
    assert json.loads(body) == {"__type": "ParameterNotFound"}


def test_refused_parameters(client: Any) -> None:
    """Names and values that AWS refuses are refused."""
    for given, refusal in (
        ({"Value": ""}, "ValidationException: Value must be"),
        ({"Value": None}, "ValidationException: Missing required parameter Value"),
        ({"Value": "x" * 4097}, "ValidationException: Standard tier parameters"),
        ({"Value": "ü" * 2049}, "ValidationException: Standard tier parameters"),
        ({"Value": 1}, "SerializationException: "),
        ({"Type": "Secret"}, "ValidationException: Type must be one of"),
        ({"Tier": "Advanced"}, "ValidationException: Tier must be one of"),
        ({"Name": "a b"}, "ValidationException: Parameter name: only"),
        ({"Name": "a:1"}, "ValidationException: Parameter name: only"),
        ({"Name": "/amplify/@acme/x"}, "ValidationException: Parameter name: only"),
        ({"Name": "a/b"}, "ValidationException: Parameter name: a name with levels"),
        ({"Name": "/a//b"}, "ValidationException: Parameter name: a level may not"),
        ({"Name": "/a/"}, "ValidationException: Parameter name: a level may not"),
        ({"Name": "/"}, "ValidationException: Parameter name: a level may not"),
        ({"Name": "x" * 1012}, "ValidationException: Parameter name: a name has at most"),
        ({"Name": "/ssm/x"}, "ValidationException: Parameter name: can't be prefixed"),
        ({"Name": "SSMname"}, "ValidationException: Parameter name: can't be prefixed"),
        ({"Name": "AWSname"}, "AccessDeniedException: Parameter name: no access"),
        ({"Name": "/x" * 16}, "HierarchyLevelLimitExceededException: "),
    ):
        with case(given, refusal):
            call = {"Name": NAME, "Value": "x", "Type": "String", **given}
            assert client.ssm_refusal("PutParameter", **call).startswith(refusal)


def test_longest_name(client: Any, state_folder: Path) -> None:
    """A name has up to 1011 characters; of stored names, those directly below a path are found."""
    for name in ("/p/q/deep", "/p/near", "/pp/other", "/p/" + "x" * 1008):
        client.ssm("PutParameter", Name=name, Value="v", Type="String")
    assert stored_names(state_folder, "/p") == ["near", "x" * 1008]


def test_no_state(tmp_path: Path) -> None:
    """Without a state there are no stored names, and reading them creates no state."""
    assert stored_names(tmp_path / "nothing", "/p") == []
    assert list(tmp_path.iterdir()) == []


def test_accepted_values(client: Any) -> None:
    """A value of up to 4096 bytes is stored unchanged."""
    for value in (
        "x" * 4096,
        "ü" * 2048,
        "line\nbreak\n",
        " ",
        "\x00\x1f",
    ):
        with case(value):
            _put(client, value=value)
            assert _value(client) == value


@pytest.mark.parametrize("name", ["plain", "/x" * 15, "/a.b-c_d/E"])
def test_accepted_names(client: Any, name: str) -> None:
    """Names with and without levels are case-sensitive."""
    _put(client, name)
    assert _value(client, name) == "s3cret"
    assert client.ssm_refusal("GetParameter", Name=name.swapcase()) == "ParameterNotFound: "


def test_several(client: Any) -> None:
    """GetParameters and DeleteParameters list the names they did not find."""
    for name in ("/a/1", "/a/2"):
        _put(client, name)
    reply = client.ssm("GetParameters", Names=["/a/1", "/a/x", "/a/2:1"], WithDecryption=True)
    assert [parameter["Name"] for parameter in reply["Parameters"]] == ["/a/1", "/a/2"]
    assert reply["InvalidParameters"] == ["/a/x"]
    reply = client.ssm("DeleteParameters", Names=["/a/1", "/a/x", "/a/1"])
    assert reply == {"DeletedParameters": ["/a/1"], "InvalidParameters": ["/a/x"]}
    assert client.ssm_refusal("GetParameter", Name="/a/1") == "ParameterNotFound: "


def test_several_means_one_to_ten(client: Any) -> None:
    """These calls accept one to ten names."""
    for count in (
        0,
        11,
    ):
        for operation in (
            "GetParameters",
            "DeleteParameters",
        ):
            with case(count, operation):
                names = [f"/a/{number}" for number in range(count)]
                refusal = client.ssm_refusal(operation, Names=names)
                assert refusal == "ValidationException: Names must hold 1 to 10 names."
    ten = [f"/a/{number}" for number in range(10)]
    for accepted in (ten, ten[:1]):
        assert client.ssm("GetParameters", Names=accepted)["InvalidParameters"] == accepted


def test_by_path(client: Any) -> None:
    """A path returns the parameters directly or recursively below it, ordered by name."""
    for name in ("/a/b/2", "/a/b/1", "/a/b/c/3", "/a/bc/4", "/a/5", "plain"):
        _put(client, name)

    def names(**given: Any) -> list[str]:
        reply = client.ssm("GetParametersByPath", **given)
        return [parameter["Name"] for parameter in reply["Parameters"]]

    assert names(Path="/a/b") == names(Path="/a/b/") == ["/a/b/1", "/a/b/2"]
    assert names(Path="/a/b", Recursive=True) == ["/a/b/1", "/a/b/2", "/a/b/c/3"]
    assert names(Path="/", Recursive=True) == ["/a/5", "/a/b/1", "/a/b/2", "/a/b/c/3", "/a/bc/4"]
    assert names(Path="/nothing") == []


def test_pages(client: Any) -> None:
    """A page has ten items unless fewer are requested; all pages hold each item once."""
    for number in range(23):
        _put(client, f"/a/{number:02}", value=f"value {number}")
    found: list[str] = []
    token: dict[str, Any] = {}
    for expected in (10, 10, 3):
        reply = client.ssm("GetParametersByPath", Path="/a", WithDecryption=True, **token)
        found += [parameter["Value"] for parameter in reply["Parameters"]]
        assert len(reply["Parameters"]) == expected
        token = {"NextToken": reply.get("NextToken")}
    assert token == {"NextToken": None}
    assert found == [f"value {number}" for number in range(23)]
    reply = client.ssm("GetParametersByPath", Path="/a", MaxResults=1)
    assert len(reply["Parameters"]) == 1


def test_refused_paths(client: Any) -> None:
    """A path starts with a slash, a page has one to ten items, and tokens are checked."""
    for given, refusal in (
        ({"Path": "a"}, "ValidationException: The parameter path"),
        ({"Path": "/a b"}, "ValidationException: The parameter path"),
        ({"Path": None}, "ValidationException: Missing required parameter Path"),
        ({"MaxResults": 0}, "ValidationException: MaxResults must be 1 to 10."),
        ({"MaxResults": 11}, "ValidationException: MaxResults must be 1 to 10."),
        ({"NextToken": "x"}, "InvalidNextToken: "),
        ({"ParameterFilters": [{}]}, "ValidationException: Filters are not available"),
        ({"Recursive": "yes"}, "SerializationException: "),
    ):
        with case(given, refusal):
            call: dict[str, Any] = {"Path": "/a", **given}
            assert client.ssm_refusal("GetParametersByPath", **call).startswith(refusal)


def test_token_belongs_to_its_question(client: Any) -> None:
    """A token of one path is invalid for another."""
    for name in ("/a/1", "/a/2", "/b/1"):
        _put(client, name)
    token = client.ssm("GetParametersByPath", Path="/a", MaxResults=1)["NextToken"]
    for other in ({"Path": "/b"}, {"Path": "/a", "Recursive": True}):
        refusal = client.ssm_refusal("GetParametersByPath", NextToken=token, **other)
        assert refusal.startswith("InvalidNextToken: ")


def test_describing(client: Any) -> None:
    """DescribeParameters returns everything except the values."""
    _put(client, "/a/1", Description="why")
    _put(client, "/a/2", Type="String")
    first = client.ssm("DescribeParameters", MaxResults=1)
    second = client.ssm("DescribeParameters", NextToken=first["NextToken"])
    assert first["Parameters"][0]["Description"] == "why"
    assert [entry["Name"] for entry in second["Parameters"]] == ["/a/2"]
    assert second["Parameters"][0] == {
        "DataType": "text",
        "LastModifiedDate": client.clock(),
        "LastModifiedUser": "arn:aws:sts::000000000000:assumed-role/seedctl-local/developer",
        "Name": "/a/2",
        "Policies": [],
        "Tier": "Standard",
        "Type": "String",
        "Version": 1,
    }
    assert "s3cret" not in str((first, second))
    for size in (2, 50):  # a page that holds all that is left has no token
        reply = client.ssm("DescribeParameters", MaxResults=size)
        assert (len(reply["Parameters"]), "NextToken" in reply) == (2, False)
    for given, expected in (
        ({"ParameterFilters": [{"Key": "Name"}]}, "Filters are not available"),
        ({"Filters": [{"Key": "Name", "Values": ["a"]}]}, "Filters are not available"),
        ({"MaxResults": 51}, "MaxResults must be 1 to 50."),
    ):
        with case(given):
            refusal = client.ssm_refusal("DescribeParameters", **given)
            assert refusal.startswith(f"ValidationException: {expected}")


def test_parameters_outlive_the_server(client: Any, start: Any) -> None:
    """Another command finds a stored parameter."""
    _put(client)
    client.sandbox.stop()
    assert _value(start()) == "s3cret"
