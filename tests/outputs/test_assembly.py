"""What is read from a cloud assembly: stack outputs, and the document for the local sandbox."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs import parse_outputs
from seedctl.outputs.assembly import Assembly, local_document, stack_outputs
from seedctl.outputs.auth import PasswordPolicy, UserGroup
from seedctl.outputs.details import UserAttribute
from seedctl.outputs.from_stack import outputs_document
from seedctl.outputs.local_ids import with_local_ids
from seedctl.outputs.made_up_attributes import MadeUpAttributes
from seedctl.outputs.templates import REF, Deployment, Stack
from tests.outputs.backends import (
    BACKENDS,
    SYNTHESIZED,
    introspection_of,
    read,
    stack_of,
    write_assembly,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.outputs.details import UserPoolDetails
    from seedctl.outputs.templates import Resource

AUTH = ["userPoolId", "webClientId", "authRegion"]
CDK_HASH = re.compile(r"(?<=[a-z])[0-9A-F]{8}(?![0-9A-Za-z])")


def _pool(folder: Path) -> UserPoolDetails:
    pool = parse_outputs(local_document(folder), folder).details.user_pool
    assert pool is not None
    return pool


def _of_parts(*parts: str) -> dict[str, Any]:
    """Return the metadata of a root stack with those *parts*, each with all outputs."""
    outputs = [*AUTH, "groups", "customOutputs", "storageRegion", "bucketName", "buckets"]
    return {f"AWS::Amplify::{part}": {"version": "1", "stackOutputs": outputs} for part in parts}


@pytest.mark.parametrize("name", SYNTHESIZED)
def test_outputs_and_document_equal_the_deployed_ones(name: str) -> None:
    """With the ids of a deployment, outputs and file are what CloudFormation and Amplify gave."""
    ids = read(name, "made_up_ids.json")["values"]

    def attribute_of(resource: Resource, attribute: str) -> str:
        value: str = ids[resource.path if attribute == REF else f"{resource.path}.{attribute}"]
        return value

    assembly = Assembly(BACKENDS / name / "synth")
    stack = assembly.stack(attribute_of, region=read(name, "stack.json")["region"])
    outputs = stack_outputs(stack)
    expected, metadata = stack_of(name)
    assert list(outputs.items()) == list(expected.items())
    assert assembly.metadata == metadata
    document = outputs_document(outputs, assembly.metadata, assembly.model_introspection())
    golden = (BACKENDS / name / "amplify_outputs.json").read_text(encoding="utf-8")
    assert written(document) == golden


@pytest.mark.parametrize("name", SYNTHESIZED)
def test_the_local_document_differs_in_ids_only(name: str) -> None:
    """The local file has what Amplify's has, with local ids; each is parsed without an error."""
    document = local_document(BACKENDS / name / "synth", region=read(name, "stack.json")["region"])
    assert document["custom"].pop("seedctl")["format"] == 1
    if not document["custom"]:
        del document["custom"]
    parse_outputs(document, BACKENDS)
    assert written(document) == written(with_local_ids(read(name, "amplify_outputs.json")))


@pytest.mark.parametrize("name", ["two-buckets", "data-shapes"])
def test_names_and_hashes_make_no_difference(name: str, tmp_path: Path) -> None:
    """Another identifier, or other hashes in logical ids, change no byte of the local document."""
    for path in sorted((BACKENDS / name / "synth").iterdir()):
        text = CDK_HASH.sub("0123ABCD", path.read_text(encoding="utf-8"))
        other = CDK_HASH.sub("0123ABCD", path.name).replace("sandbox", "sandbox0")
        (tmp_path / other).write_text(text.replace("devsandbox", "devsandbox0"), encoding="utf-8")
    one = local_document(BACKENDS / name / "synth")
    assert written(local_document(tmp_path)) == written(one)
    assert written(local_document(BACKENDS / name / "synth")) == written(one)


def test_the_region_is_in_the_ids() -> None:
    """Ids are of us-east-1, or of the region that is asked for."""
    auth = local_document(BACKENDS / "mfa-optional-all" / "synth")["auth"]
    assert (auth["aws_region"], auth["user_pool_id"]) == ("us-east-1", "us-east-1_Local00001")
    auth = local_document(BACKENDS / "guide-basic" / "synth", region="eu-west-3")["auth"]
    assert (auth["aws_region"], auth["user_pool_id"]) == ("eu-west-3", "eu-west-3_Local00001")


def test_custom_attributes_have_their_limits() -> None:
    """Custom attributes have their prefix, and limits as numbers; groups the template's precedence."""
    pool = _pool(BACKENDS / "custom-attributes" / "synth")
    assert pool.attributes is not None
    assert pool.attributes[3:] == (
        UserAttribute("family_name", "String", True, False, None, None, None, None),
        UserAttribute("birthdate", "String", False, True, None, None, None, None),
        UserAttribute("preferred_username", "String", True, True, None, None, None, None),
        UserAttribute("custom:plan", "String", False, True, 2, 10, None, None),
        UserAttribute("custom:level", "Number", False, True, None, None, 1, 99),
        UserAttribute("custom:beta", "Boolean", False, False, None, None, None, None),
        UserAttribute("custom:joined_at", "DateTime", False, True, None, None, None, None),
        UserAttribute("custom:note", "String", False, True, None, None, None, None),
    )
    assert pool.groups is not None
    assert UserGroup("auditors", 0) in pool.groups
    assert pool.password_policy == PasswordPolicy(12, True, True, False, False)
    assert (pool.temporary_password_days, pool.allows_sign_up) == (3, True)
    assert pool.recovery_attributes == ("email",)


def test_the_details_are_the_templates() -> None:
    """Where template and outputs disagree, the file says what the outputs say, the details the rest."""
    folder = BACKENDS / "raw-override" / "synth"
    auth = local_document(folder)["auth"]
    assert (auth["mfa_configuration"], auth["password_policy"]["min_length"]) == ("NONE", 8)
    pool = _pool(folder)
    assert (pool.mfa_configuration, pool.mfa_methods) == ("OPTIONAL", ("TOTP",))
    assert pool.password_policy == PasswordPolicy(16, True, True, True, False)
    assert pool.auth_flows is not None
    assert "ALLOW_USER_PASSWORD_AUTH" in pool.auth_flows
    times = (pool.access_token_seconds, pool.id_token_seconds, pool.refresh_token_seconds)
    assert times == (1800, None, None)


@pytest.mark.parametrize("name", ["data-shapes", "guide-basic"])
def test_the_model_schema_is_the_source(name: str) -> None:
    """The GraphQL source of the models is in the details, character for character."""
    details = parse_outputs(local_document(BACKENDS / name / "synth"), BACKENDS).details
    source = (BACKENDS / name / "synth" / "model-schema.graphql").read_text(encoding="utf-8")
    assert details.model_schema == source


def test_assets_may_be_in_folders(tmp_path: Path) -> None:
    """In the CDK's own folder, models are in a folder of each asset, and the asset list has a name."""
    synth = BACKENDS / "data-shapes" / "synth"
    root = next(synth.glob("*[0-9a-f].template.json")).name.removesuffix(".template.json")
    for path in synth.iterdir():
        folder = tmp_path if path.suffix == ".json" else tmp_path / f"asset.{'c' * 64}"
        if path.stem == "modelIntrospectionSchema":
            folder = tmp_path / f"asset.{'d' * 64}"
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder / (f"{root}.assets.json" if path.stem == "assets" else path.name))
    document = local_document(tmp_path)
    assert document == local_document(synth)
    assert document["data"]["model_introspection"] == introspection_of("data-shapes")


def test_the_schema_of_the_outputs_is_taken(tmp_path: Path) -> None:
    """Of several GraphQL APIs, the schema is that of the one in the outputs."""
    resources: dict[str, Any] = {}
    files = {}
    for digit in "ab":
        folder = tmp_path / f"asset.{digit * 64}"
        folder.mkdir()
        (folder / "model-schema.graphql").write_text(
            f"type {digit.upper()} @model", encoding="utf-8"
        )
        files[digit * 64] = {"source": {"path": folder.name}}
        resources[f"Bucket{digit}"] = {"Type": "AWS::S3::Bucket"}
        resources[f"Copy{digit}"] = {
            "Type": "Custom::CDKBucketDeployment",
            "Properties": {
                "DestinationBucketName": {"Ref": f"Bucket{digit}"},
                "SourceObjectKeys": [f"{digit * 64}.zip"],
            },
        }
    properties = {**resources["Copyb"]["Properties"], "SourceObjectKeys": ["c.zip"]}
    resources["Other"] = {"Type": "Custom::Other", "Properties": properties}
    names = ["amplifyApiModelSchemaS3Uri", "awsAppsyncApiEndpoint", "awsAppsyncRegion"]
    names.append("awsAppsyncAuthenticationType")
    arn = {"Fn::GetAtt": ["Copyb", "DestinationBucketArn"]}
    bucket = {"Fn::Select": [5, {"Fn::Split": [":", arn]}]}
    write_assembly(
        tmp_path,
        {
            "Metadata": {
                **_of_parts("Platform"),
                "AWS::Amplify::GraphQL": {"version": "1", "stackOutputs": names},
            },
            "Resources": resources,
            "Outputs": {
                **{name: {"Value": "x"} for name in names},
                names[0]: {"Value": {"Fn::Join": ["", ["s3://", bucket, "/model-schema.graphql"]]}},
            },
        },
    )
    assets = {"files": files}
    (tmp_path / "amplify-app-me-sandbox-0123456789.assets.json").write_text(json.dumps(assets))
    assert local_document(tmp_path)["custom"]["seedctl"]["model_schema"] == "type B @model"


POOL = {"Type": "AWS::Cognito::UserPool"}


def _group(pool: str, **properties: object) -> dict[str, Any]:
    return {
        "Type": "AWS::Cognito::UserPoolGroup",
        "Properties": {"UserPoolId": {"Ref": pool}, **properties},
    }


def _with_two_pools(tmp_path: Path, custom: dict[str, Any], **properties: object) -> Path:
    """Write an assembly whose second pool, with those *properties*, is the one of the outputs."""
    parts = json.dumps(custom).split('"@')
    texts: list[object] = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition('"')
        logical_id, _, attribute = name.partition(".")
        value = {"Fn::GetAtt": [logical_id, attribute]} if attribute else {"Ref": logical_id}
        texts += ['"', value, '"' + rest]
    client = {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Main"}}}
    return write_assembly(
        tmp_path,
        {
            "Metadata": _of_parts("Platform", "Auth", "Custom"),
            "Resources": {
                "First": POOL,
                "Main": {**POOL, "Properties": properties},
                "OtherClient": client,
                "Client": {
                    **client,
                    "Properties": {
                        "IdTokenValidity": "15",
                        "AccessTokenValidity": 2,
                        "RefreshTokenValidity": 0,
                        "TokenValidityUnits": {"IdToken": "minutes"},
                        "ExplicitAuthFlows": ["ALLOW_USER_AUTH"],
                    },
                },
                "OfFirst": _group("First", GroupName="first"),
                "OfMain": _group("Main", GroupName="main", Precedence="3"),
                "Nested": {
                    "Type": "AWS::CloudFormation::Stack",
                    "Properties": {
                        "Parameters": {"Pool": {"Ref": "Main"}},
                        "TemplateURL": f"https://example.com/{'a' * 64}.json",
                    },
                },
                "Bucket": {"Type": "AWS::S3::Bucket"},
                "Topic": {"Type": "AWS::SNS::Topic"},
                "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/my/name"}},
                "Role": {"Type": "AWS::IAM::Role"},
            },
            "Outputs": {
                "userPoolId": {"Value": {"Ref": "Main"}},
                "webClientId": {"Value": {"Ref": "Client"}},
                "authRegion": {"Value": {"Ref": "AWS::Region"}},
                "customOutputs": {"Value": {"Fn::Join": ["", texts]}},
            },
        },
        {
            "a": {
                "Parameters": {"Pool": {"Type": "String"}},
                "Resources": {"Late": _group("Pool"), "Named": _group("Pool", GroupName="late")},
            }
        },
    )


def test_the_pool_of_the_outputs_counts(tmp_path: Path) -> None:
    """Of several pools, details and groups are those of the pool and client in the outputs."""
    pool = _pool(_with_two_pools(tmp_path, {}, UsernameConfiguration={"CaseSensitive": "true"}))
    assert pool.groups is not None
    assert [group.precedence for group in pool.groups] == [3, None, None]
    assert (pool.groups[0].name, pool.groups[2].name) == ("main", "late")
    assert (pool.auth_flows, pool.is_case_sensitive) == (("ALLOW_USER_AUTH",), True)
    times = (pool.access_token_seconds, pool.id_token_seconds, pool.refresh_token_seconds)
    assert times == (7200, 900, None)


def test_a_refresh_token_lasts_days(tmp_path: Path) -> None:
    """Without a unit, refresh tokens last days and the others hours, as in Cognito."""
    folder = _with_two_pools(tmp_path, {})
    path = next(folder.glob("*.template.json"))
    template = json.loads(path.read_text(encoding="utf-8"))
    properties = template["Resources"]["Client"]["Properties"]
    properties.update({"RefreshTokenValidity": 5, "TokenValidityUnits": {"AccessToken": "seconds"}})
    path.write_text(json.dumps(template), encoding="utf-8")
    pool = _pool(folder)
    times = (pool.refresh_token_seconds, pool.id_token_seconds, pool.access_token_seconds)
    assert times == (5 * 86400, 15 * 3600, 2)


def test_a_bare_pool_has_cognitos_defaults(tmp_path: Path) -> None:
    """What a template leaves out and Cognito has no doubt about is in the details; the rest is not."""
    pool = _pool(_with_two_pools(tmp_path, {}))
    assert (pool.attributes, pool.username_attributes, pool.verify_before_update) == ((), (), ())
    assert (pool.mfa_configuration, pool.mfa_methods) == ("NONE", ())
    assert (pool.password_policy, pool.is_case_sensitive) == (None, None)
    assert (pool.temporary_password_days, pool.allows_sign_up) == (None, None)
    assert pool.recovery_attributes is None


def test_recovery_and_sign_up_are_read(tmp_path: Path) -> None:
    """Reset codes go to the attributes of the template by priority; sign-up may be administrators'."""
    mechanisms = [
        {"Name": "admin_only", "Priority": 3},
        {"Name": "verified_email", "Priority": 2},
        {"Name": "verified_phone_number", "Priority": 1},
    ]
    pool = _pool(
        _with_two_pools(
            tmp_path,
            {},
            AccountRecoverySetting={"RecoveryMechanisms": mechanisms},
            AdminCreateUserConfig={"AllowAdminCreateUserOnly": "true"},
        )
    )
    assert pool.recovery_attributes == ("phone_number", "email")
    assert pool.allows_sign_up is False


def test_properties_may_be_texts_or_left_out(tmp_path: Path) -> None:
    """CloudFormation takes numbers and flags as texts too; a policy without a minimum has 8."""
    pool = _pool(
        _with_two_pools(
            tmp_path,
            {},
            Policies={"PasswordPolicy": {"RequireNumbers": "true", "RequireSymbols": "false"}},
            MfaConfiguration="ON",
            EnabledMfas=["EMAIL_OTP", "SOMETHING_NEW", "SMS_MFA", "SOFTWARE_TOKEN_MFA"],
            AutoVerifiedAttributes=["email"],
            UsernameAttributes=["phone_number"],
            UserAttributeUpdateSettings={"AttributesRequireVerificationBeforeUpdate": ["email"]},
            Schema=[
                {"Name": "updated_at"},
                {"Name": "email_verified", "Mutable": "false"},
                {"Name": "n", "AttributeDataType": "Number", "Required": "true"},
            ],
        )
    )
    assert pool.password_policy == PasswordPolicy(8, True, False, False, False)
    assert (pool.mfa_configuration, pool.mfa_methods) == ("REQUIRED", ("EMAIL", "SMS", "TOTP"))
    assert (pool.auto_verified_attributes, pool.username_attributes, pool.verify_before_update) == (
        ("email",),
        ("phone_number",),
        ("email",),
    )
    assert pool.attributes == (
        UserAttribute("updated_at", "Number", False, True, None, None, None, None),
        UserAttribute("email_verified", "Boolean", False, False, None, None, None, None),
        UserAttribute("custom:n", "Number", True, True, None, None, None, None),
    )


def test_each_resource_has_an_id_of_its_own(tmp_path: Path) -> None:
    """Custom outputs have made-up values: other ones for other resources, the same ones for the same."""
    custom = {
        "custom": {
            "pool": "@Main",
            "arn": "@Main.Arn",
            "first": "@First",
            "client": "@OtherClient",
            "topic": "@Topic",
            "name": "@Topic.TopicName",
            "parameter": "@Parameter",
            "value": "@Parameter.Value",
            "role": "@Role.Arn",
            "url": "@Role.FunctionUrl",
            "bucket": "@Bucket.RegionalDomainName",
        }
    }
    document = local_document(_with_two_pools(tmp_path, custom))
    del document["custom"]["seedctl"]
    assert document["custom"] == {
        "pool": "us-east-1_Local00001",
        "arn": "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_Local00001",
        "first": "us-east-1_Pool00002",
        "client": "0madeupclient0000000000002",
        "topic": "arn:aws:sns:us-east-1:000000000000:made-up-topic-00001",
        "name": "made-up-topic-00001-topicname",
        "parameter": "/my/name",
        "value": "made-up-parameter-00001-value",
        "role": "arn:aws:iam:us-east-1:000000000000:made-up-role-00001",
        "url": "https://made-up-role-00001.us-east-1.amazonaws.com/",
        "bucket": "made-up-bucket-00001.s3.us-east-1.amazonaws.com",
    }


def test_made_up_attributes_have_the_form_of_real_ones() -> None:
    """What a project does with an attribute, such as taking a part of it, works with the made-up one."""
    pool, bucket, api = "eu-west-1_Pool00001", "made-up-bucket-00001", f"madeupapi{1:017}"
    issuer = f"cognito-idp.eu-west-1.amazonaws.com/{pool}"
    of_account = "eu-west-1:000000000000"
    expected = {
        ("AWS::Cognito::UserPool", "UserPoolId"): pool,
        ("AWS::Cognito::UserPool", "ProviderName"): issuer,
        ("AWS::Cognito::UserPool", "ProviderURL"): f"https://{issuer}",
        ("AWS::Cognito::UserPoolClient", "ClientId"): f"0madeupclient{1:013}",
        ("AWS::Cognito::IdentityPool", "Id"): f"eu-west-1:00000000-0000-4000-9000-{1:012}",
        ("AWS::Cognito::UserPoolDomain", REF): "my-domain",
        ("AWS::Cognito::UserPoolGroup", REF): "my-group",
        ("AWS::SSM::Parameter", "Value"): "my-value",
        ("AWS::S3::Bucket", REF): bucket,
        ("AWS::S3::Bucket", "Arn"): f"arn:aws:s3:::{bucket}",
        ("AWS::S3::Bucket", "DomainName"): f"{bucket}.s3.amazonaws.com",
        ("AWS::AppSync::GraphQLApi", REF): f"arn:aws:appsync:{of_account}:apis/{api}",
        ("AWS::AppSync::GraphQLApi", "Arn"): f"arn:aws:appsync:{of_account}:apis/{api}",
        ("AWS::AppSync::GraphQLApi", "ApiId"): api,
        ("AWS::AppSync::GraphQLApi", "GraphQLUrl"): f"https://{api}.appsync-api.eu-west-1.amazonaws.com/graphql",
        ("AWS::AppSync::GraphQLApi", "RealtimeUrl"): f"wss://{api}.appsync-realtime-api.eu-west-1.amazonaws.com/graphql",
        ("AWS::AppSync::Api", "Dns.Http"): f"madeupevents{1:014}.appsync-api.eu-west-1.amazonaws.com",
        ("AWS::AppSync::ApiKey", "ApiKey"): f"da2-madeup{1:020}",
        ("AWS::SQS::Queue", REF): "https://sqs.eu-west-1.amazonaws.com/000000000000/made-up-queue-00001",
    }  # fmt: skip
    given = {"Domain": "my-domain", "GroupName": "my-group", "Value": "my-value"}
    resources = {type_: {"Type": type_, "Properties": given} for type_, _ in expected}
    made_up = MadeUpAttributes("eu-west-1")
    stack = Stack({"Resources": resources}, Deployment("s", "eu-west-1", made_up, lambda _: None))
    assert {key: stack.attribute(key[0], key[1]) for key in expected} == expected


def test_an_existing_pool_has_local_ids(tmp_path: Path) -> None:
    """The ids of an existing pool are in the source; the file has local ones, and the groups."""
    existing = {
        "Type": "Custom::AmplifyRefAuth",
        "Properties": {"groups": {"admins": "arn:aws:iam::123456789012:role/admins"}},
    }
    ids = {"userPoolId": "us-west-2_Real00001", "webClientId": "6realclient", "groups": None}
    write_assembly(
        tmp_path,
        {
            "Metadata": _of_parts("Platform", "Auth"),
            "Resources": {"Existing": existing},
            "Outputs": {
                "authRegion": {"Value": {"Ref": "AWS::Region"}},
                **{
                    name: {"Value": value or {"Fn::GetAtt": ["Existing", name]}}
                    for name, value in ids.items()
                },
            },
        },
    )
    document = local_document(tmp_path)
    assert document["auth"] == {
        "user_pool_id": "us-west-2_Local00001",
        "aws_region": "us-east-1",
        "user_pool_client_id": "0localclient00000000000001",
    }
    assert _pool(tmp_path).groups == (UserGroup("admins", None),)
    assert "real" not in json.dumps(document).lower()


def test_a_backend_may_have_nothing(tmp_path: Path) -> None:
    """A backend without auth, data and storage has no such sections, and nothing in the details."""
    write_assembly(tmp_path, {"Metadata": _of_parts("Platform")})
    assert local_document(tmp_path) == {"version": "1.4", "custom": {"seedctl": {"format": 1}}}


@pytest.mark.parametrize("custom", [{"custom": {"seedctl": 1}}, {"custom": ["a list"]}])
def test_the_key_of_the_details_must_be_free(tmp_path: Path, custom: dict[str, Any]) -> None:
    """A project's own custom.seedctl is not overwritten."""
    with pytest.raises(InvalidAmplifyOutputsError, match=r"own output custom"):
        local_document(_with_two_pools(tmp_path, custom))


def test_a_folder_without_a_backend_is_refused(tmp_path: Path) -> None:
    """A folder with no template, or none of an Amplify backend, is named."""
    write_assembly(tmp_path, {"Resources": {}})
    with pytest.raises(InvalidAmplifyOutputsError, match=r"no template of an Amplify backend"):
        local_document(tmp_path)


def test_broken_files_are_named(tmp_path: Path) -> None:
    """A file that is no JSON, or is missing, is named with the reason."""
    write_assembly(tmp_path, {"Metadata": _of_parts("Platform")})
    assets = tmp_path / "amplify-app-me-sandbox-0123456789.assets.json"
    assets.write_text("{", encoding="utf-8")
    with pytest.raises(InvalidAmplifyOutputsError, match=re.escape(assets.name)):
        local_document(tmp_path)
    assets.unlink()
    with pytest.raises(
        InvalidAmplifyOutputsError, match=r"assets\.json is not what.* No such file"
    ):
        local_document(tmp_path)
