"""The two backends of the contract suite: the local sandbox, and moto as the reference."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from joserfc import jwk
from moto.server import ThreadedMotoServer

from seedctl.local import LocalSandbox, blueprint
from seedctl.outputs import parse_outputs
from tests.boto3_clients import client_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.outputs import AmplifyOutputs

GROUPS = ("admin", "READERS")
BUCKET = "contract-bucket"


class Clients:
    """The boto3 clients of one server; making them takes longer than most tests."""

    def __init__(self, url: str, session: boto3.Session) -> None:
        self.cognito, self.ssm, self.sts, self.s3 = (
            client_of(session, service, url, key="AKIDEXAMPLE", secret="example")
            for service in ("cognito-idp", "ssm", "sts", "s3")
        )

    def close(self) -> None:
        for client in (self.cognito, self.ssm, self.sts, self.s3):
            client.close()


@dataclass
class Server:
    """A server with one user pool, which all tests of a module use one after another."""

    name: str
    clients: Clients
    deploy: Callable[[], tuple[str, str]]

    @cached_property
    def ids(self) -> tuple[str, str]:
        # Created at the first use: many tests need no pool, and moto is slow to create one.
        return self.deploy()


class Service:
    """A user pool with two groups and no users, and a separate path of parameters."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._uses_pool = False
        self.name = server.name
        self.path = f"/contract/{uuid.uuid4().hex}"
        self.cognito: Any = server.clients.cognito
        self.ssm: Any = server.clients.ssm
        self.sts: Any = server.clients.sts
        self.s3: Any = server.clients.s3
        self.bucket = BUCKET

    @property
    def pool_id(self) -> str:
        self._uses_pool = True
        return self._server.ids[0]

    @property
    def client_id(self) -> str:
        self._uses_pool = True
        return self._server.ids[1]

    def delete_users(self) -> None:
        """Empty the pool for the next test, which takes less time than to create another one."""
        if self._uses_pool:
            for user in self.cognito.list_users(UserPoolId=self.pool_id)["Users"]:
                name = user["Username"]
                self.cognito.admin_delete_user(UserPoolId=self.pool_id, Username=name)


@pytest.fixture(scope="session")
def _quick_pools() -> Iterator[None]:
    """Let moto work out its signing key once; every pool has the same one."""
    import_key = jwk.RSAKey.import_key
    keys: dict[str, Any] = {}

    def import_once(value: Any) -> Any:
        text = json.dumps(value)
        if text not in keys:
            keys[text] = import_key(value)
        return keys[text]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jwk.RSAKey, "import_key", import_once)
        yield


# Not for the whole session: moto loses its state when another module mocks AWS.
@pytest.fixture(scope="module")
def _moto(_session: boto3.Session, _quick_pools: None) -> Iterator[Server]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    clients = Clients(f"http://{host}:{port}", _session)
    clients.s3.create_bucket(Bucket=BUCKET)
    yield Server("moto", clients, partial(_deploy_to_moto, clients.cognito))
    clients.close()
    server.stop()


@pytest.fixture(scope="session")
def _session() -> boto3.Session:
    # One for all tests: it reads the description of each service once.
    return boto3.Session()


def _deploy_to_moto(cognito: Any) -> tuple[str, str]:
    """Create the pool that Amplify deploys for sign-in by e-mail, with optional MFA."""
    pool = cognito.create_user_pool(
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
    pool_id = pool["UserPool"]["Id"]
    cognito.set_user_pool_mfa_config(
        UserPoolId=pool_id,
        MfaConfiguration="OPTIONAL",
        SoftwareTokenMfaConfiguration={"Enabled": True},
        SmsMfaConfiguration={
            "SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms"}
        },
    )
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="contract",
        ExplicitAuthFlows=[
            "ALLOW_CUSTOM_AUTH",
            "ALLOW_REFRESH_TOKEN_AUTH",
            "ALLOW_USER_SRP_AUTH",
        ],
    )
    for precedence, group in enumerate(GROUPS):
        cognito.create_group(UserPoolId=pool_id, GroupName=group, Precedence=precedence)
    return pool_id, client["UserPoolClient"]["ClientId"]


def _outputs() -> AmplifyOutputs:
    document = blueprint.from_options(
        groups=GROUPS, mfa_configuration="OPTIONAL", mfa_methods=("SMS", "TOTP")
    )
    document["storage"] = {"bucket_name": BUCKET, "aws_region": "us-east-1"}
    return parse_outputs(document, Path("local_outputs.json"))


@pytest.fixture(scope="module")
def _local(tmp_path_factory: pytest.TempPathFactory, _session: boto3.Session) -> Iterator[Server]:
    outputs = _outputs()
    assert outputs.auth is not None
    ids = (outputs.auth.user_pool_id, outputs.auth.user_pool_client_id)
    folder = tmp_path_factory.mktemp("contract") / "state"
    with LocalSandbox.start(state_folder=folder, outputs=outputs) as sandbox:
        clients = Clients(sandbox.url, _session)
        yield Server("local", clients, lambda: ids)
        clients.close()
    assert sandbox.handler_errors == []


@pytest.fixture(params=["local", "moto"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """The same backend, served by the sandbox and by moto.

    A test is skipped for moto if its name is in the table MOTO_DIFFERS of its module.
    """
    name = request.node.name.replace("moto-", "").replace("[moto]", "")
    if request.param == "moto" and name in request.module.MOTO_DIFFERS:
        pytest.skip(f"moto: {request.module.MOTO_DIFFERS[name]}")
    service = Service(request.getfixturevalue(f"_{request.param}"))
    yield service
    service.delete_users()
