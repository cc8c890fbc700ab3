"""The two backends that the contract suite compares: the local sandbox, and moto as the judge."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from seedctl.local import LocalSandbox, blueprint
from seedctl.project import parse_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = ("admin", "READERS")


@dataclass
class Service:
    """A user pool with two groups, and a path of parameters of its own."""

    name: str
    url: str
    session: Any
    pool_id: str = ""
    client_id: str = ""

    def __post_init__(self) -> None:
        self.path = f"/contract/{uuid.uuid4().hex}"
        self.cognito = self._client("cognito-idp")
        self.ssm = self._client("ssm")
        self.sts = self._client("sts")

    def _client(self, service: str) -> Any:
        return self.session.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="example",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def close(self) -> None:
        for client in (self.cognito, self.ssm, self.sts):
            client.close()


@pytest.fixture(scope="session")
def _moto_url() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def _session() -> boto3.Session:
    # One for all: it reads each service's description once.
    return boto3.Session()


def _deploy_to_moto(url: str, session: boto3.Session) -> Service:
    """Make the pool that Amplify deploys for sign-in by e-mail, with optional MFA."""
    service = Service("moto", url, session)
    pool = service.cognito.create_user_pool(
        PoolName="contract",
        UsernameAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
        AutoVerifiedAttributes=["email"],
        Policies={
            "PasswordPolicy": {
                "MinimumLength": 8,
                "RequireLowercase": True,
                "RequireNumbers": True,
                "RequireSymbols": True,
                "RequireUppercase": True,
            }
        },
    )
    service.pool_id = pool["UserPool"]["Id"]
    service.cognito.set_user_pool_mfa_config(
        UserPoolId=service.pool_id,
        MfaConfiguration="OPTIONAL",
        SoftwareTokenMfaConfiguration={"Enabled": True},
        SmsMfaConfiguration={
            "SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}
        },
    )
    client = service.cognito.create_user_pool_client(
        UserPoolId=service.pool_id,
        ClientName="contract",
        ExplicitAuthFlows=[
            "ALLOW_CUSTOM_AUTH",
            "ALLOW_REFRESH_TOKEN_AUTH",
            "ALLOW_USER_SRP_AUTH",
        ],
    )
    service.client_id = client["UserPoolClient"]["ClientId"]
    for precedence, group in enumerate(GROUPS):
        service.cognito.create_group(
            UserPoolId=service.pool_id, GroupName=group, Precedence=precedence
        )
    return service


@pytest.fixture(params=["local", "moto"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, _session: boto3.Session
) -> Iterator[Service]:
    """One and the same backend, served twice."""
    if request.param == "moto":
        deployed = _deploy_to_moto(request.getfixturevalue("_moto_url"), _session)
        yield deployed
        deployed.close()
        return
    document = blueprint.from_options(
        groups=GROUPS, mfa_configuration="OPTIONAL", mfa_methods=("SMS", "TOTP")
    )
    outputs = parse_outputs(document, Path("local_outputs.json"))
    assert outputs.auth is not None
    with LocalSandbox.start(state_folder=tmp_path / "state", outputs=outputs) as sandbox:
        ids = (outputs.auth.user_pool_id, outputs.auth.user_pool_client_id)
        local = Service("local", sandbox.url, _session, *ids)
        yield local
        local.close()
        assert sandbox.faults == []
