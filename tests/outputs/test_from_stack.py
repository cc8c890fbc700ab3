"""The mapping of stack outputs to the outputs file, compared with what Amplify's own tool wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs.from_stack import OUTPUTS_VERSIONS, document_text, outputs_document
from tests.outputs.backends import ALL, BACKENDS, introspection_of, stack_of, written

AUTH = {
    "userPoolId": "us-east-1_AbCdEfGhI",
    "webClientId": "1client",
    "authRegion": "us-east-1",
}
DATA = {
    "awsAppsyncApiEndpoint": "https://abc.example.com/graphql",
    "awsAppsyncRegion": "us-east-1",
    "awsAppsyncAuthenticationType": "API_KEY",
}
STORAGE = {"storageRegion": "us-east-1", "bucketName": "files"}


def _document(part: str, outputs: dict[str, str], version: str = "1.4") -> dict[str, Any]:
    metadata = {f"AWS::Amplify::{part}": {"version": "1", "stackOutputs": list(outputs)}}
    return outputs_document(outputs, metadata, None, version=version)


def _auth(version: str = "1.4", **outputs: str) -> dict[str, Any]:
    section: dict[str, Any] = _document("Auth", {**AUTH, **outputs}, version)["auth"]
    return section


def _merged(custom: object, version: str = "1.4") -> dict[str, Any]:
    """Return the document of a backend with storage and *custom* outputs."""
    outputs = {
        **STORAGE,
        "buckets": json.dumps([json.dumps({"name": "files", "bucketName": "files"})]),
        "customOutputs": json.dumps(custom),
    }
    metadata = {
        "AWS::Amplify::Storage": {"version": "1", "stackOutputs": [*STORAGE, "buckets"]},
        "AWS::Amplify::Custom": {"version": "1", "stackOutputs": ["customOutputs"]},
    }
    return outputs_document(outputs, metadata, None, version=version)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=f"{name}-{path.stem.removeprefix('amplify_outputs')}")
        for name in ALL
        for path in sorted((BACKENDS / name).glob("amplify_outputs*.json"))
    ],
)
def test_the_document_equals_amplifys(path: Any) -> None:
    """For each recorded backend, the document is byte for byte what Amplify's tool wrote."""
    expected = path.read_text(encoding="utf-8")
    outputs, metadata = stack_of(path.parent.name)
    version = json.loads(expected)["version"]
    document = outputs_document(
        outputs, metadata, introspection_of(path.parent.name), version=version
    )
    assert written(document) == expected


def test_version_1_5_differs_in_its_number_only() -> None:
    """The newest version of the file has the same content as 1.4."""
    outputs, metadata = stack_of("passwordless")
    newest, one_before = (
        outputs_document(outputs, metadata, None, version=version) for version in ("1.5", "1.4")
    )
    assert newest == {**one_before, "version": "1.5"}
    with pytest.raises(ValueError, match="not in tuple"):
        outputs_document(outputs, metadata, None, version="0")


@pytest.mark.parametrize("name", ALL)
def test_an_empty_output_is_a_missing_one(name: str) -> None:
    """Amplify deploys empty texts for what a backend does not have; they have no effect."""
    outputs, metadata = stack_of(name)
    present = {key: value for key, value in outputs.items() if value}
    assert outputs_document(present, metadata, None) == outputs_document(outputs, metadata, None)


def test_only_outputs_in_the_metadata_count() -> None:
    """Parts of the backend that the file does not have, and outputs of the user's own, are ignored."""
    outputs = {
        **AUTH,
        "groups": "[]",
        "region": "us-east-1",
        "definedConversationHandlers": "no JSON",
        "definedFunctions": "no JSON",
        "buckets": "no JSON",
    }
    metadata: dict[str, Any] = {
        "AWS::Amplify::Auth": {"version": "1", "stackOutputs": list(AUTH)},
        "AWS::Amplify::AI::Conversation": {
            "version": "7",
            "stackOutputs": ["definedConversationHandlers"],
        },
        "AWS::Amplify::Function": {"version": "1", "stackOutputs": ["definedFunctions"]},
        "AWS::Amplify::Storage": {"stackOutputs": ["buckets"]},
        "AWS::Amplify::GraphQL": {"version": "1"},
        "AWS::Amplify::Custom": "of another shape",
        "AWS::CDK::Metadata": {"version": "2"},
    }
    assert outputs_document(outputs, metadata, None) == {
        "auth": {
            "user_pool_id": "us-east-1_AbCdEfGhI",
            "aws_region": "us-east-1",
            "user_pool_client_id": "1client",
        },
        "version": "1.4",
    }
    assert outputs_document({}, {}, None) == {"version": "1.4"}


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        pytest.param({"mfaConfiguration": "ON"}, {"mfa_configuration": "REQUIRED"}, id="MFA on"),
        pytest.param({"mfaConfiguration": "SOMETIMES"}, {}, id="unknown MFA mode"),
        pytest.param({"oauthRedirectSignIn": "https://a"}, {}, id="no sign-out address"),
        pytest.param({"oauthRedirectSignOut": "https://a"}, {}, id="no sign-in address"),
        pytest.param(
            {"oauthRedirectSignIn": "https://a,b://c", "oauthRedirectSignOut": "https://d"},
            {
                "oauth": {
                    "identity_providers": [],
                    "redirect_sign_in_uri": ["https://a", "b://c"],
                    "redirect_sign_out_uri": ["https://d"],
                    "scopes": [],
                    "domain": "",
                }
            },
            id="the least of OAuth",
        ),
        pytest.param(
            {"allowUnauthenticatedIdentities": "True"},
            {"unauthenticated_identities_enabled": False},
            id="only the lower-case true is true",
        ),
        pytest.param(
            {"passwordPolicyRequirements": '["REQUIRES_SYMBOLS", "REQUIRES_MAGIC"]'},
            {
                "password_policy": {
                    "min_length": 8,
                    "require_lowercase": False,
                    "require_numbers": False,
                    "require_symbols": True,
                    "require_uppercase": False,
                }
            },
            id="no minimum length",
        ),
        pytest.param(
            {"passwordlessOptions": '{"emailOtpEnabled": true, "webAuthn": null}'},
            {"passwordless": {"email_otp_enabled": True}},
            id="the least of passwordless",
        ),
        pytest.param(
            {"passwordlessOptions": '{"webAuthn": true, "preferredChallenge": ""}'},
            {"passwordless": {}},
            id="passkeys without settings, and no preference",
        ),
        pytest.param({"identityPoolId": ""}, {}, id="no identity pool"),
    ],
)
def test_parts_of_auth(outputs: dict[str, str], expected: dict[str, Any]) -> None:
    """A part of the auth section is there if the outputs have what it is made of."""
    section = _auth(**outputs)
    assert {key: section[key] for key in list(section)[3:]} == expected


def test_old_versions_lack_groups_and_passwordless() -> None:
    """Groups are in the file since version 1.3, passwordless sign-in since 1.4."""
    outputs = {"groups": '[{"a": {"precedence": 0}}]', "passwordlessOptions": "{}"}
    has = {version: set(_auth(version, **outputs)) for version in OUTPUTS_VERSIONS}
    assert [version for version, keys in has.items() if "groups" in keys] == ["1.3", "1.4", "1.5"]
    assert [version for version, keys in has.items() if "passwordless" in keys] == ["1.4", "1.5"]


def test_old_versions_lack_buckets() -> None:
    """The list of buckets is in the file since version 1.1, their paths since 1.2."""
    bucket = {
        "name": "a",
        "bucketName": "b",
        "storageRegion": "c",
        "paths": {"x/*": {}},
        "other": 1,
    }
    outputs = {**STORAGE, "buckets": json.dumps([json.dumps(bucket)])}
    of = {v: _document("Storage", outputs, v)["storage"] for v in ("1", "1.1", "1.2")}
    assert list(of["1"]) == ["aws_region", "bucket_name"]
    assert of["1.1"]["buckets"] == [{"name": "a", "bucket_name": "b", "aws_region": "c"}]
    assert of["1.2"]["buckets"][0]["paths"] == {"x/*": {}}
    assert _document("Storage", STORAGE)["storage"]["buckets"] == []


def test_numbers_are_written_as_javascript_does() -> None:
    """A number in JSON of an output has 53 bits, and a whole one has no decimal point."""
    numbers = _merged({"custom": [1.0, 2.5, -0.0, 12345678901234567890, 1e300, 7]})["custom"]
    assert json.dumps(numbers) == "[1, 2.5, 0, 12345678901234567000, 1e+300, 7]"
    numbers = _merged({"custom": [1e20, 1e21, -1e21]})["custom"]
    assert json.dumps(numbers) == "[100000000000000000000, 1e+21, -1e+21]"


def test_the_text_is_javascripts() -> None:
    """Letters are written as they are, half of a surrogate pair is escaped, no line break ends it."""
    text = document_text({"a": ["\u00fc", "\ud800", "\U0001f422"]})
    assert text == '{\n  "a": [\n    "\u00fc",\n    "\\ud800",\n    "\U0001f422"\n  ]\n}'


def test_buckets_may_be_objects_instead_of_texts() -> None:
    """Amplify writes each bucket as JSON within JSON; an object is read as well."""
    buckets = [{"name": "a", "bucketName": "b", "storageRegion": "c"}]
    storage = _document("Storage", {**STORAGE, "buckets": json.dumps(buckets)})["storage"]
    assert storage["buckets"] == [{"name": "a", "bucket_name": "b", "aws_region": "c"}]


@pytest.mark.parametrize(
    ("part", "outputs", "expected"),
    [
        pytest.param("Auth", {**AUTH, "groups": "[{"}, "groups is not JSON", id="no JSON"),
        pytest.param("Auth", {**AUTH, "mfaTypes": "[" * 9999}, "mfaTypes is not JSON", id="deep"),
        pytest.param(
            "Auth",
            {**AUTH, "passwordPolicyMinLength": '"long"'},
            'passwordPolicyMinLength has "long"; expected a whole number',
            id="a length that is no number",
        ),
        pytest.param(
            "Auth",
            {**AUTH, "passwordPolicyRequirements": "{}"},
            "passwordPolicyRequirements has {}; expected a list",
            id="an object for a list",
        ),
        pytest.param("Auth", {**AUTH, "webClientId": ""}, "no output webClientId", id="no client"),
        pytest.param(
            "GraphQL", {**DATA, "awsAppsyncRegion": ""}, "awsAppsyncRegion", id="no region"
        ),
        pytest.param("Storage", {"storageRegion": "x"}, "no output bucketName", id="no bucket"),
        pytest.param(
            "Storage",
            {**STORAGE, "buckets": '["[]"]'},
            "buckets has .*object",
            id="a bucket as object",
        ),
        pytest.param(
            "Storage", {**STORAGE, "buckets": '["{"]'}, "buckets is not JSON", id="a broken bucket"
        ),
        pytest.param("Custom", {"customOutputs": "[]"}, "expected an object", id="custom list"),
        pytest.param("Custom", {"customOutputs": ""}, "no output customOutputs", id="no custom"),
    ],
)
def test_wrong_outputs_are_named(part: str, outputs: dict[str, str], expected: str) -> None:
    """An output that is missing, or not what Amplify writes, is named in the error."""
    with pytest.raises(InvalidAmplifyOutputsError, match=expected) as caught:
        _document(part, outputs)
    assert caught.value.resolution


def test_an_unknown_version_of_a_part_is_refused() -> None:
    """Outputs of a later version may mean something else."""
    metadata = {"AWS::Amplify::Auth": {"version": "2", "stackOutputs": []}}
    with pytest.raises(InvalidAmplifyOutputsError, match=r"AWS::Amplify::Auth in version 2"):
        outputs_document({}, metadata, None)


@pytest.mark.parametrize(
    ("custom", "expected"),
    [
        pytest.param({"custom": {"a": {"b": 1}}}, {"custom": {"a": {"b": 1}}}, id="a new key"),
        pytest.param(
            {"storage": {"extra": 1, "buckets": [{"name": "x"}]}},
            {
                "storage": {
                    "aws_region": "us-east-1",
                    "bucket_name": "files",
                    "buckets": [{"name": "files", "bucket_name": "files"}, {"name": "x"}],
                    "extra": 1,
                }
            },
            id="objects are merged and lists joined",
        ),
        pytest.param(
            {"storage": {"buckets": {"name": "x"}}},
            {
                "storage": {
                    "aws_region": "us-east-1",
                    "bucket_name": "files",
                    "buckets": [{"name": "files", "bucket_name": "files"}, {"name": "x"}],
                }
            },
            id="an object is added to a list",
        ),
        pytest.param({"storage": None}, {"storage": None}, id="null in place of an object"),
        pytest.param({"storage": [1]}, {"storage": [1]}, id="a list in place of an object"),
        pytest.param(
            {"b": 1, "10": 1, "9": {"b": 1, "1": 1}, "4294967295": 1, "01": 1},
            {"9": {"1": 1, "b": 1}, "10": 1, "b": 1, "4294967295": 1, "01": 1},
            id="whole numbers first",
        ),
    ],
)
def test_custom_outputs_are_merged(custom: dict[str, Any], expected: dict[str, Any]) -> None:
    """backend.addOutput adds to the objects and lists of the document."""
    document = _merged(custom)
    del document["version"]
    if "storage" in expected:
        assert document == expected
    else:
        assert written({key: document[key] for key in document if key != "storage"}) == written(
            expected
        )


def test_a_missing_value_has_its_place() -> None:
    """A value that only backend.addOutput gives stands where Amplify's own would."""
    outputs = {**DATA, "customOutputs": '{"data": {"api_key": "da2-x", "url": {}}}'}
    metadata = {
        "AWS::Amplify::GraphQL": {"version": "1", "stackOutputs": list(DATA)},
        "AWS::Amplify::Custom": {"version": "1", "stackOutputs": ["customOutputs"]},
    }
    with pytest.raises(InvalidAmplifyOutputsError, match="customOutputs of the stack has url"):
        outputs_document(outputs, metadata, None)
    assert "model_introspection" not in _document("GraphQL", DATA)["data"]
    outputs["customOutputs"] = '{"data": {"api_key": "da2-x"}}'
    keys = list(outputs_document(outputs, metadata, {"version": 1})["data"])
    assert keys == [
        "url",
        "aws_region",
        "api_key",
        "default_authorization_type",
        "model_introspection",
    ]


@pytest.mark.parametrize(
    ("custom", "message"),
    [
        pytest.param({"storage": {"bucket_name": "other"}}, "has bucket_name", id="other value"),
        pytest.param({"storage": {"bucket_name": "files"}}, "has bucket_name", id="same value"),
        pytest.param({"storage": {"bucket_name": {"a": 1}}}, "has bucket_name", id="an object"),
        pytest.param({"storage": {"bucket_name": None}}, "has bucket_name", id="null"),
        pytest.param({"version": "2"}, "version 2, its other outputs 1.4", id="major version"),
        pytest.param({"version": "0.9"}, "version 0.9, its other outputs 1.4", id="lower major"),
    ],
)
def test_a_value_that_is_given_twice_is_refused(custom: dict[str, Any], message: str) -> None:
    """backend.addOutput must not change what Amplify gives."""
    with pytest.raises(InvalidAmplifyOutputsError, match=message):
        _merged(custom)


@pytest.mark.parametrize(
    ("version", "added", "expected"),
    [
        pytest.param("1", "1.4", "1.4", id="higher"),
        pytest.param("1.4", "1.3", "1.4", id="lower"),
        pytest.param("1.4", "v1.10.2-beta", "v1.10.2-beta", id="with letters"),
        pytest.param("1.4", 1, "1.4", id="a number"),
        pytest.param("1.4", "1.4.0", "1.4.0", id="the same in other words"),
        pytest.param("1.4", "one", "one", id="no number in it"),
        pytest.param("1.4", True, True, id="true"),
        pytest.param("1.4", "\u0662", "\u0662", id="another digit two"),
        pytest.param("1.4", "2" * 17, "2" * 17, id="a number that is too long"),
    ],
)
def test_the_higher_version_wins(version: str, added: object, expected: object) -> None:
    """A version that backend.addOutput gives counts if it is the higher one."""
    assert _merged({"version": added}, version)["version"] == expected


def test_falsy_values_may_be_given_again() -> None:
    """As in Amplify's tool, an empty text, 0, false and null do not count as given."""
    outputs = {"allowUnauthenticatedIdentities": "false", "mfaTypes": "null"}
    custom = {"auth": {"unauthenticated_identities_enabled": True, "mfa_methods": {"a": 1}}}
    all_outputs = {**AUTH, **outputs, "customOutputs": json.dumps(custom)}
    metadata = {
        "AWS::Amplify::Auth": {"version": "1", "stackOutputs": [*AUTH, *outputs]},
        "AWS::Amplify::Custom": {"version": "1", "stackOutputs": ["customOutputs"]},
    }
    auth = outputs_document(all_outputs, metadata, None)["auth"]
    assert auth["unauthenticated_identities_enabled"] is True
    assert auth["mfa_methods"] == {"a": 1}
