"""Made-up values for the attributes of resources that only AWS knows, the same in each run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seedctl.outputs.local_ids import ACCOUNT
from seedctl.outputs.templates import REF

if TYPE_CHECKING:
    from seedctl.outputs.templates import Resource

BUCKET_DEPLOYMENT = "Custom::CDKBucketDeployment"
"""The type of the CDK's resource that writes files into a bucket."""

EXISTING_AUTH = "Custom::AmplifyRefAuth"
"""The type of Amplify's resource that, when deployed, reads the properties of an existing user pool."""

# In each form, number counts the resources of the same type.
_POOL = "{region}_Pool{number:05}"
_POOL_PROVIDER = "cognito-idp.{region}.amazonaws.com/" + _POOL
_API = "madeupapi{number:017}"
_BUCKET = "made-up-bucket-{number:05}"
_FORMS = {
    ("AWS::Cognito::UserPool", REF): _POOL,
    ("AWS::Cognito::UserPool", "UserPoolId"): _POOL,
    ("AWS::Cognito::UserPool", "Arn"): "arn:aws:cognito-idp:{region}:{account}:userpool/" + _POOL,
    ("AWS::Cognito::UserPool", "ProviderName"): _POOL_PROVIDER,
    ("AWS::Cognito::UserPool", "ProviderURL"): "https://" + _POOL_PROVIDER,
    ("AWS::Cognito::UserPoolClient", REF): "0madeupclient{number:013}",
    ("AWS::Cognito::UserPoolClient", "ClientId"): "0madeupclient{number:013}",
    ("AWS::Cognito::IdentityPool", REF): "{region}:00000000-0000-4000-9000-{number:012}",
    ("AWS::Cognito::IdentityPool", "Id"): "{region}:00000000-0000-4000-9000-{number:012}",
    ("AWS::S3::Bucket", REF): _BUCKET,
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::" + _BUCKET,
    ("AWS::S3::Bucket", "DomainName"): _BUCKET + ".s3.amazonaws.com",
    ("AWS::S3::Bucket", "RegionalDomainName"): _BUCKET + ".s3.{region}.amazonaws.com",
    ("AWS::AppSync::GraphQLApi", REF): "arn:aws:appsync:{region}:{account}:apis/" + _API,
    ("AWS::AppSync::GraphQLApi", "Arn"): "arn:aws:appsync:{region}:{account}:apis/" + _API,
    ("AWS::AppSync::GraphQLApi", "ApiId"): _API,
    ("AWS::AppSync::GraphQLApi", "GraphQLUrl"): "https://"
    + _API
    + ".appsync-api.{region}.amazonaws.com/graphql",
    ("AWS::AppSync::GraphQLApi", "RealtimeUrl"): "wss://"
    + _API
    + ".appsync-realtime-api.{region}.amazonaws.com/graphql",
    (
        "AWS::AppSync::Api",
        "Dns.Http",
    ): "madeupevents{number:014}.appsync-api.{region}.amazonaws.com",
    ("AWS::SNS::Topic", REF): "arn:aws:sns:{region}:{account}:made-up-topic-{number:05}",
    (
        "AWS::SQS::Queue",
        REF,
    ): "https://sqs.{region}.amazonaws.com/{account}/made-up-queue-{number:05}",
    ("AWS::AppSync::ApiKey", "ApiKey"): "da2-madeup{number:020}",
}
# The property of the template that an attribute returns.
_PROPERTIES = {
    ("AWS::Cognito::UserPoolDomain", REF): "Domain",
    ("AWS::Cognito::UserPoolGroup", REF): "GroupName",
    ("AWS::SSM::Parameter", REF): "Name",
    ("AWS::SSM::Parameter", "Value"): "Value",
}
_ANY_REF = "made-up-{kind}-{number:05}"
_ANY_ARN = "arn:aws:{service}:{region}:{account}:" + _ANY_REF
_ANY_URL = "https://" + _ANY_REF + ".{region}.amazonaws.com/"
_ANY_ATTRIBUTE = _ANY_REF + "-{attribute}"


class MadeUpAttributes:
    """Makes up the attributes of resources. It numbers the resources of each type in their order of use."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._numbers: dict[str, dict[str, int]] = {}
        self._resources: dict[str, Resource] = {}

    def __call__(self, resource: Resource, attribute: str) -> str:
        """Return *attribute* of *resource*; its id for *REF*."""
        given = _PROPERTIES.get((resource.type, attribute))
        if given is not None and (value := resource.property(given)) is not None:
            return str(value)
        if resource.type == EXISTING_AUTH:
            return ""  # like a missing output; the outputs file then lacks the value
        if resource.type == BUCKET_DEPLOYMENT and attribute == "DestinationBucketArn":
            return f"arn:aws:s3:::{resource.property('DestinationBucketName')}"
        numbers = self._numbers.setdefault(resource.type, {})
        parts = re.findall(r"[A-Za-z0-9]+", resource.type)
        text = (_FORMS.get((resource.type, attribute)) or _any_form(attribute)).format(
            number=numbers.setdefault(resource.path, len(numbers) + 1),
            region=self._region,
            account=ACCOUNT,
            service=parts[-2].lower(),
            kind=parts[-1].lower(),
            attribute=attribute.lower().replace(".", "-"),
        )
        self._resources[text] = resource
        return text

    def resource(self, text: Any) -> Resource | None:
        """Return the resource for which the attribute *text* was made up; None if there is none."""
        return self._resources.get(text)


def _any_form(attribute: str) -> str:
    if attribute == REF:
        return _ANY_REF
    if attribute.endswith("Arn"):
        return _ANY_ARN
    return _ANY_URL if attribute.lower().endswith("url") else _ANY_ATTRIBUTE
