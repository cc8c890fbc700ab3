"""Read a file in S3 with the developer's own credentials, such as one that a deployment stored."""

from __future__ import annotations

from seedctl.aws.calls import AWS
from seedctl.aws.credentials import ObjectLocation
from seedctl.aws.identity_client import DeveloperIdentity, IdentityBoundClient


def read_file(aws: AWS, location: ObjectLocation) -> bytes:
    """Return the whole content of the object at *location*, for small ones.

    Its response is not checked to be one of S3: the caller must recognise the content. Raises
    NoSuchKey, AccessDenied, StorageError, and what ``AWS.call`` raises.
    """
    with aws.translating("s3", "GetObject"):
        client = IdentityBoundClient(
            aws.client("s3", location.region), DeveloperIdentity(aws.credentials)
        )
        response = client.call("get_object", Bucket=location.bucket, Key=location.key)
        content: bytes = response["Body"].read()
    return content
