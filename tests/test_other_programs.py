"""Other programs can use the local sandbox as if it were AWS: boto3, AWS CLI, pycognito, curl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.request import urlopen

import boto3
import pytest
from pycognito import Cognito

from seedctl import connect
from seedctl.local import LocalSandbox
from seedctl.outputs import load_outputs
from seedctl.report import Report
from tests.running import DATA, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

POOL, CLIENT = "us-east-1_EXAMPLE01", "4exampleclientid000000000000"
BUCKET = "amplify-demo-sandbox-mystoragebucket-abc123"
USER = "ann@example.com"


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Serve the store's backend with a user, and return the environment of other programs."""
    root = tmp_path / "my-app"
    root.mkdir()
    (root / "package.json").write_text('{"name": "my-app"}')
    shutil.copy(DATA / "outputs" / "store_userpool.json", root / "amplify_outputs.json")
    with connect(root, local=True, observer=Report()) as backend:
        backend.auth.create_user(USER, PASSWORD)
    outputs = load_outputs(root / "amplify_outputs.json")
    with LocalSandbox.start(state_folder=root / ".amplify" / "seedctl", outputs=outputs) as sandbox:
        yield {
            "AWS_ENDPOINT_URL": sandbox.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        assert sandbox.handler_errors == []


def _run(command: list[str], variables: Mapping[str, str]) -> str:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    done = subprocess.run(
        command,
        env={**environment, **nowhere, "AWS_PAGER": "", "PYTHONUTF8": "1", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _installed(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def test_boto3(variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 reaches every service with the environment variables alone."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", raising=False)
    session = boto3.Session()
    users = session.client("cognito-idp").list_users(UserPoolId=POOL)["Users"]
    assert [user["UserStatus"] for user in users] == ["CONFIRMED"]
    ssm = session.client("ssm")
    ssm.put_parameter(Name="/a/b", Value="v", Type="SecureString")
    found = ssm.get_parameter(Name="/a/b", WithDecryption=True)
    assert found["Parameter"]["Value"] == "v"
    assert session.client("sts").get_caller_identity()["Account"] == "000000000000"
    s3 = session.resource("s3").Bucket(BUCKET)
    s3.put_object(Key="ü b.txt", Body=b"hello")
    assert [each.key for each in s3.objects.all()] == ["ü b.txt"]


def test_the_aws_cli(variables: Mapping[str, str], tmp_path: Path) -> None:
    """Users, and files up and down, in one request and in parts; for secrets it is like boto3."""
    aws = _installed("aws")
    listed = _run([aws, "cognito-idp", "list-users", "--user-pool-id", POOL], variables)
    assert len(json.loads(listed)["Users"]) == 1
    folder = tmp_path / "up"
    folder.mkdir()
    (folder / "small.txt").write_text("hello")
    (folder / "large.bin").write_bytes(os.urandom(9_000_000))
    _run([aws, "s3", "sync", str(folder), f"s3://{BUCKET}/a/", "--no-progress"], variables)
    back = tmp_path / "down"
    _run([aws, "s3", "cp", f"s3://{BUCKET}/a/", str(back), "--recursive"], variables)
    assert sorted(each.name for each in back.iterdir()) == ["large.bin", "small.txt"]
    for name in ("small.txt", "large.bin"):
        assert (back / name).read_bytes() == (folder / name).read_bytes()


def test_pycognito(variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Another SRP implementation signs in and accepts the tokens; a wrong password is refused."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    user = Cognito(POOL, CLIENT, username=USER)
    with urlopen(f"{variables['AWS_ENDPOINT_URL']}/{POOL}/.well-known/jwks.json") as answer:
        user.pool_jwk = json.load(answer)
    user.authenticate(password=PASSWORD)
    assert user.id_token
    with pytest.raises(Exception, match="Incorrect username or password"):
        user.authenticate(password="Wrong-passw0rd")


def test_curl(variables: Mapping[str, str], tmp_path: Path) -> None:
    """Published keys, records with a token, and signed files."""
    curl = _installed("curl")
    if "--aws-sigv4" not in _run([curl, "--help", "all"], {}):
        pytest.skip("this curl does not sign")
    url = variables["AWS_ENDPOINT_URL"]
    keys = json.loads(_run([curl, "-sS", f"{url}/{POOL}/.well-known/jwks.json"], {}))
    assert keys["keys"][0]["kty"] == "RSA"
    refused = _run([curl, "-sS", f"{url}/graphql", "-d", '{"query": "{ ping }"}'], {})
    assert "UnauthorizedException" in refused
    signed = [curl, "-sS", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", "local:local"]
    signed += ["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", f"{url}/{BUCKET}/pictures/x.txt"]
    (tmp_path / "x.txt").write_text("by curl")
    _run([*signed, "-f", "-T", str(tmp_path / "x.txt")], {})
    assert _run(signed, {}) == "by curl"
    unsigned = _run([curl, "-sS", f"{url}/{BUCKET}/pictures/x.txt"], {})
    assert "<Code>AccessDenied</Code>" in unsigned
