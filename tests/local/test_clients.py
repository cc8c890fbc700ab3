"""Third-party clients: boto3 and pycognito work with the sandbox as with AWS."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from pycognito import Cognito
from pycognito.aws_srp import AWSSRP
from pycognito.exceptions import (
    ForceChangePasswordException,
    SMSMFAChallengeException,
    SoftwareTokenMFAChallengeException,
)

ANN = "ann@example.com"


@pytest.fixture
def connect(client: Any) -> Any:
    """Make boto3 clients of the sandbox."""
    return partial(_connect, client)


def _connect(client: Any, service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=client.sandbox.url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="example",
    )


def test_boto3(client: Any, connect: Any) -> None:
    """boto3 parses every type of reply, and maps errors to its exception classes."""
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
    """pycognito sets a new password and signs in with it; another password is refused."""
    temporary, final = passwords
    client.clock.now = time.time()  # pycognito signs with the real clock
    client.create(ANN)
    with pytest.raises(ForceChangePasswordException):
        _srp(client, connect, temporary).authenticate_user()
    reply = _srp(client, connect, temporary).set_new_password_challenge(final)
    assert "AccessToken" in reply["AuthenticationResult"]
    assert "AccessToken" in _srp(client, connect, final).authenticate_user()["AuthenticationResult"]
    with pytest.raises(ClientError, match="Incorrect username or password"):
        _srp(client, connect, "Wrong-456-word").authenticate_user()


@pytest.fixture
def mfa(start: Any, passwords: tuple[str, str]) -> Any:
    """A pool that requires MFA, with the user Ann, on the real clock that pycognito uses."""

    def make(method: str) -> Any:
        client = start(mfa_configuration="REQUIRED", mfa_methods=(method,))
        client.clock.now = time.time()
        client.create(ANN, phone_number="+15551234567")
        given = {"Username": ANN, "Password": passwords[1], "Permanent": True}
        client.cognito("AdminSetUserPassword", **given)
        return client

    return make


def _pycognito(client: Any) -> Cognito:
    user = Cognito(client.pool_id, client.client_id, username=ANN)
    # The issuer in the tokens is AWS, so pycognito must not be given another endpoint.
    user.client = _connect(client, "cognito-idp")
    path = f"/{client.pool_id}/.well-known/jwks.json"
    user.pool_jwk = json.loads(client.send("GET", path, None, {})[2])
    return user


def test_pycognito_sms(mfa: Any, passwords: tuple[str, str]) -> None:
    """pycognito signs in with the code in the outbox, not with a wrong or used one."""
    client = mfa("SMS")
    user = _pycognito(client)
    with pytest.raises(SMSMFAChallengeException):
        user.authenticate(passwords[1])
    code = client.sandbox.inbox()[0].code
    with pytest.raises(ClientError, match="CodeMismatchException"):
        user.respond_to_sms_mfa_challenge(f"{(int(code) + 1) % 10**6:06}")
    user.respond_to_sms_mfa_challenge(code)
    assert user.access_claims["username"] == user.id_claims["sub"]
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        user.respond_to_sms_mfa_challenge(code)
    with pytest.raises(SMSMFAChallengeException):
        user.authenticate(passwords[1])
    if client.sandbox.inbox()[0].code != code:
        with pytest.raises(ClientError, match="CodeMismatchException"):
            user.respond_to_sms_mfa_challenge(code)


def test_pycognito_totp(mfa: Any, passwords: tuple[str, str]) -> None:
    """pycognito signs in with a software token's code, not with a wrong or used one."""
    client = mfa("TOTP")
    step = client.sign_in(ANN)
    associated = client.cognito("AssociateSoftwareToken", Session=step["Session"])
    secret = associated["SecretCode"]
    used = client.totp(secret)
    client.cognito("VerifySoftwareToken", Session=associated["Session"], UserCode=used)
    user = _pycognito(client)
    with pytest.raises(SoftwareTokenMFAChallengeException):
        user.authenticate(passwords[1])
    with pytest.raises(ClientError, match="ExpiredCodeException"):
        user.respond_to_software_token_mfa_challenge(used)
    code = client.totp(secret, steps=1)
    with pytest.raises(ClientError, match="CodeMismatchException"):
        user.respond_to_software_token_mfa_challenge(f"{(int(code) + 123457) % 10**6:06}")
    user.respond_to_software_token_mfa_challenge(code)
    assert user.access_claims["username"] == user.id_claims["sub"]
    with pytest.raises(SoftwareTokenMFAChallengeException):
        user.authenticate(passwords[1])
    with pytest.raises(ClientError, match="ExpiredCodeException"):
        user.respond_to_software_token_mfa_challenge(code)
