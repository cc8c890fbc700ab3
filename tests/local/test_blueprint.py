"""local_outputs.json: every document parses, and none contains an id of a real backend."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import InvalidCommandInputError
from seedctl.local import blueprint
from seedctl.outputs import UserGroup, parse_outputs
from tests.cases import case

PATH = Path("local_outputs.json")
DEPLOYED: dict[str, Any] = {
    "$schema": "https://example.com/schema.json",
    "auth": {
        "user_pool_id": "eu-west-1_ZyXwVuTsR",
        "aws_region": "eu-west-1",
        "user_pool_client_id": "6r2exampleclientid7654321",
        "identity_pool_id": "eu-central-1:99999999-8888-7777-6666-555555555555",
        "mfa_methods": ["SMS", "TOTP"],
        "username_attributes": ["email"],
        "groups": [{"admin": {"precedence": 0}}],
        "mfa_configuration": "OPTIONAL",
        "oauth": {"domain": "abc123example.auth.eu-west-1.amazoncognito.com", "scopes": ["phone"]},
    },
    "data": {
        "url": "https://zyxwvutsrqponmlkjihgfedcba.appsync-api.eu-west-1.amazonaws.com/graphql",
        "aws_region": "eu-west-1",
        "api_key": "da2-exampleexampleexampleexam",
        "model_introspection": {"version": 1, "enums": {"Kind": {"name": "Kind", "values": ["A"]}}},
    },
    "storage": {
        "aws_region": "eu-west-1",
        "bucket_name": "app-files",
        "buckets": [
            {"name": "files", "bucket_name": "app-files", "aws_region": "eu-west-1"},
            {"name": "old", "bucket_name": "app-files-old", "aws_region": "eu-west-1"},
        ],
    },
    "analytics": {"amazon_pinpoint": {"aws_region": "eu-west-1", "app_id": "1234567890abcdef"}},
    "notifications": {"amazon_pinpoint_app_id": "fedcba0987654321"},
    "custom": {
        "events": {"url": "https://eventseventsevents.appsync-api.x.com/event", "api_key": "da2-e"},
        "report": "s3://app-files-old/report",
        "name": "app-files",
        "poolArn": "arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_ZyXwVuTsR",
        "numbers": [1, None, True],
    },
    "version": "1.3",
}


def test_ids_become_local() -> None:
    """Every id is replaced wherever it occurs, and everything else stays."""
    before = copy.deepcopy(DEPLOYED)
    local = blueprint.from_outputs(DEPLOYED)
    assert before == DEPLOYED
    text = blueprint.to_text(local)
    for real in ("ZyXwVuTsR", "6r2example", "99999999-", "abc123", "zyxwvu", "da2-ex", "app-files"):
        assert real not in text
    for real in ("1234567890abcdef", "fedcba0987654321", "eventsevents", "da2-e"):
        assert real not in text
    auth = local["auth"]
    assert auth["user_pool_id"] == "eu-west-1_Local00001"
    assert auth["identity_pool_id"].startswith("eu-central-1:00000000-")
    assert auth["oauth"]["domain"] == "localsandbox.auth.eu-west-1.amazoncognito.com"
    assert local["data"]["url"].endswith(".appsync-api.eu-west-1.amazonaws.com/graphql")
    assert local["data"]["api_key"].startswith("da2-local")
    assert local["storage"]["bucket_name"] == "local-sandbox-bucket-1"
    assert [bucket["bucket_name"] for bucket in local["storage"]["buckets"][:2]] == [
        "local-sandbox-bucket-1",
        "local-sandbox-bucket-2",
    ]
    assert local["custom"]["report"] == "s3://local-sandbox-bucket-2/report"
    assert local["custom"]["poolArn"].endswith("userpool/eu-west-1_Local00001")
    for key in ("$schema", "version"):
        assert local[key] == DEPLOYED[key]
    assert local["custom"]["numbers"] == [1, None, True]
    assert auth["groups"] == DEPLOYED["auth"]["groups"]
    assert local["data"]["model_introspection"] == DEPLOYED["data"]["model_introspection"]
    assert parse_outputs(local, PATH).auth is not None


def test_names_that_equal_a_bucket_stay() -> None:
    """The fixed name of a bucket may be a word of the project: only the bucket gets a local name."""
    models = {"models": {"Todo": {"fields": {"media": {"name": "media"}}}}}
    bucket = {"name": "media", "bucket_name": "media", "paths": {"media/*": {"guest": ["get"]}}}
    document = {
        "data": {"model_introspection": models},
        "storage": {"bucket_name": "media", "buckets": [bucket]},
        "custom": {"arn": "arn:aws:s3:::media/*", "site": "https://multimedia.example"},
    }
    local = blueprint.from_outputs(document)
    assert local["data"] == document["data"]
    assert local["storage"]["buckets"] == [{**bucket, "bucket_name": "local-sandbox-bucket-1"}]
    assert local["custom"] == {
        "arn": "arn:aws:s3:::local-sandbox-bucket-1/*",
        "site": "https://multimedia.example",
    }


def test_localising_twice_changes_nothing() -> None:
    """A document with local ids stays unchanged."""
    local = blueprint.from_outputs(DEPLOYED)
    assert blueprint.from_outputs(local) == local


def test_sparse_documents() -> None:
    """Missing and malformed sections are left unchanged."""
    document: dict[str, Any]
    for document in (
        {},
        {"version": "1"},
        {"auth": None, "data": []},
        {"auth": {"user_pool_id": "odd"}},
        {"custom": {"text": "a - b", "empty": ""}},
    ):
        with case(document):
            assert blueprint.from_outputs(document) == document


def test_from_options() -> None:
    """The document of a few options parses as an outputs file of version 1.4."""
    document = blueprint.from_options(
        username_attributes=("email", "phone_number"),
        groups=("admin", "READERS"),
        required_attributes=("given_name", "email"),
        mfa_configuration="REQUIRED",
        mfa_methods=("TOTP", "SMS"),
        region="eu-west-1",
    )
    outputs = parse_outputs(document, PATH)
    auth = outputs.auth
    assert auth is not None
    assert outputs.version == "1.4"
    assert auth.user_pool_id == "eu-west-1_Local00001"
    assert auth.user_pool_region == auth.aws_region == "eu-west-1"
    assert auth.groups == (UserGroup("admin", 0), UserGroup("READERS", 1))
    assert auth.standard_required_attributes == ("email", "phone_number", "given_name")
    assert auth.mfa_methods == ("SMS", "TOTP")
    assert auth.password_policy is not None
    assert auth.password_policy.min_length == 8


def test_the_least_of_options() -> None:
    """Without options, the backend is the one that Amplify's own example deploys."""
    assert blueprint.from_options(username_attributes=("phone_number",), region="eu-west-1") == {
        "auth": {
            "user_pool_id": "eu-west-1_Local00001",
            "aws_region": "eu-west-1",
            "user_pool_client_id": "0localclient00000000000001",
            "identity_pool_id": "eu-west-1:00000000-0000-4000-8000-000000000001",
            "mfa_methods": [],
            "standard_required_attributes": ["phone_number"],
            "username_attributes": ["phone_number"],
            "user_verification_types": ["phone_number"],
            "groups": [],
            "mfa_configuration": "NONE",
            "password_policy": {
                "min_length": 8,
                "require_lowercase": True,
                "require_numbers": True,
                "require_symbols": True,
                "require_uppercase": True,
            },
            "unauthenticated_identities_enabled": True,
        },
        "version": "1.4",
    }
    auth = blueprint.from_options()["auth"]
    assert (auth["aws_region"], auth["username_attributes"]) == ("us-east-1", ["email"])


def test_text() -> None:
    """The file is JSON with an indent of two, a final newline and no escapes."""
    text = blueprint.to_text(blueprint.from_options(groups=("Größe",)))
    assert text.startswith('{\n  "auth": {\n    "user_pool_id"')
    assert text.endswith("}\n")
    assert "Größe" in text
    assert json.loads(text)["version"] == "1.4"


def test_groups_have_names_of_up_to_128_characters() -> None:
    """Letters, marks, symbols, digits and punctuation of any language may be in a group's name."""
    names = ("x" * 128, "é\u0301+1_", "x")
    auth = parse_outputs(blueprint.from_options(groups=names), PATH).auth
    assert auth is not None
    assert auth.groups == tuple(UserGroup(name, index) for index, name in enumerate(names))


def test_refused_options() -> None:
    """A value that no backend can have is a usage error that names it."""
    for options, match in (
        ({"region": "Frankfurt"}, "region"),
        ({"username_attributes": ()}, "username attributes"),
        ({"username_attributes": ("username",)}, "username attribute"),
        ({"username_attributes": ("email", "email")}, "each of them once"),
        ({"required_attributes": ("shoe_size",)}, "required attribute"),
        ({"mfa_configuration": "ON"}, "MFA configuration"),
        ({"mfa_configuration": "OPTIONAL"}, "at least one of"),
        ({"mfa_methods": ("TOTP",)}, "OPTIONAL or REQUIRED"),
        ({"mfa_configuration": "OPTIONAL", "mfa_methods": ("PIGEON",)}, "MFA method"),
        (
            {
                "mfa_configuration": "OPTIONAL",
                "mfa_methods": ("TOTP",),
                "username_attributes": ("phone_number",),
            },
            "SMS too, for sign-in by phone",
        ),
        ({"groups": ("two words",)}, "group name"),
        ({"groups": ("",)}, "group name"),
        ({"groups": ("x" * 129,)}, "group name 'x{128}' is invalid"),
        ({"region": "eu-west-1x"}, "region"),
        ({"mfa_methods": ("SMS", "SMS")}, "each of them once"),
        ({"groups": ("a", "a")}, "each of them once"),
    ):
        with case(options, match), pytest.raises(InvalidCommandInputError, match=match):
            blueprint.from_options(**options)
