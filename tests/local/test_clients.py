"""Other people's clients: boto3 and pycognito work against the sandbox as they do against AWS."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from pycognito.aws_srp import AWSSRP
from pycognito.exceptions import ForceChangePasswordException

ANN = "ann@example.com"


@pytest.fixture
def connect(client: Any) -> Any:
    """Make boto3 clients of the sandbox, with the real clock for those that sign by it."""

    def make(service: str) -> Any:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=client.sandbox.url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="example",
        )

    return make


def test_boto3(client: Any, connect: Any) -> None:
    """boto3 reads every kind of reply, and finds its own exception classes for refusals."""
    cognito, ssm, sts = connect("cognito-idp"), connect("ssm"), connect("sts")
    assert sts.get_caller_identity()["Account"] == "000000000000"
    ssm.put_parameter(Name="/a", Value="x", Type="SecureString")
    reply = ssm.get_parameter(Name="/a", WithDecryption=True)
    assert reply["Parameter"]["LastModifiedDate"].timestamp() == client.clock()
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/b")
    user = cognito.admin_create_user(UserPoolId=client.pool_id, Username=ANN)["User"]
    assert user["UserCreateDate"].timestamp() == client.clock()
    with pytest.raises(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(UserPoolId=client.pool_id, Username=ANN)
    with pytest.raises(ClientError, match="not available on the local sandbox"):
        cognito.list_user_pools(MaxResults=1)
    assert cognito.describe_user_pool(UserPoolId=client.pool_id)["UserPool"]["Id"] == client.pool_id


def _srp(client: Any, connect: Any, password: str) -> AWSSRP:
    return AWSSRP(
        username=ANN,
        password=password,
        pool_id=client.pool_id,
        client_id=client.client_id,
        client=connect("cognito-idp"),
    )


def test_pycognito(client: Any, connect: Any, passwords: tuple[str, str]) -> None:
    """pycognito sets a new password, signs in with it, and is refused with another."""
    import time

    temporary, final = passwords
    client.clock.now = time.time()  # pycognito signs with the real time
    client.create(ANN)
    with pytest.raises(ForceChangePasswordException):
        _srp(client, connect, temporary).authenticate_user()
    reply = _srp(client, connect, temporary).set_new_password_challenge(final)
    assert "AccessToken" in reply["AuthenticationResult"]
    assert "AccessToken" in _srp(client, connect, final).authenticate_user()["AuthenticationResult"]
    with pytest.raises(ClientError, match="Incorrect username or password"):
        _srp(client, connect, "Wrong-456-word").authenticate_user()
