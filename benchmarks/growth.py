"""What calls of the local sandbox cost as its state grows: ratios of CPU time to those at 1,000.

`make bench`, or `python benchmarks/growth.py [--sizes 1000 20000 100000] [--only WORDS]`. Each state is filled in
one go by the code that the calls use. Client and server share the process; the rounds of all sizes
take turns, and the medians are compared. With --many ROWS, what `create_many` of so many rows
adds to the memory of client and server is told too.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
OUTPUTS = ROOT / "tests" / "data" / "outputs"
PASSWORD = "Sample-passw0rd"
ROUNDS, CALLS = 15, 20
SIGNED = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{}/aws4_request, Signature=00"
INDEX = (
    "query ($t: String) { productsByCategory(category: BOOK, limit: 100, nextToken: $t)"
    " { items { sku rank } nextToken } }"
)
LIST = "query ($t: String) { listProducts(limit: 100, nextToken: $t) { items { sku } nextToken } }"
GET = 'query ($k: ID!) { getProduct(sku: $k, warehouse: "W", shelf: 1) { sku name } }'


class Sandbox:
    """A sandbox on a state of *size* rows, users and objects."""

    def __init__(self, size: int) -> None:
        from seedctl.local import LocalSandbox
        from seedctl.outputs import load_outputs, parse_outputs

        document = dict(load_outputs(OUTPUTS / "store_userpool.json").document)
        bucket = {"name": "files", "bucket_name": "files", "aws_region": "us-east-1"}
        document["storage"] = {**bucket, "buckets": [bucket]}
        self.outputs = parse_outputs(document, Path("amplify_outputs.json"))
        self.size = size
        self._folder = tempfile.TemporaryDirectory(prefix="seedctl-bench-")
        self._fill(Path(self._folder.name))
        self.sandbox = LocalSandbox.start(
            state_folder=Path(self._folder.name), outputs=self.outputs
        )
        self._connection = http.client.HTTPConnection("127.0.0.1", self.sandbox.port)

    def close(self) -> None:
        self._connection.close()
        self.sandbox.stop()
        self._folder.cleanup()

    def _fill(self, folder: Path) -> None:
        from seedctl.local.appsync.introspection import deployed_models
        from seedctl.local.appsync.keys import with_composite_keys
        from seedctl.local.appsync.rows import Rows, prepare
        from seedctl.local.cognito.passwords import Verifier
        from seedctl.local.cognito.pool import UserPool
        from seedctl.local.cognito.users import CONFIRMED, User, UserRecords
        from seedctl.local.s3 import index
        from seedctl.local.state_folder import prepare as prepare_folder
        from seedctl.local.store import Store

        assert self.outputs.auth is not None
        pool = UserPool.deployed(self.outputs.auth)
        data = self.outputs.data
        assert data is not None
        assert data.schema is not None
        models = deployed_models(data.schema)
        model = models["Product"]
        store = Store.open(prepare_folder(folder))
        tables = prepare(store, data.url, models)
        with store.transaction() as view:
            rows, users = Rows(view, tables["Product"], model), UserRecords(view, pool, 0.0)
            for number in range(self.size):
                item = {
                    "sku": f"s{number}",
                    "warehouse": "W",
                    "shelf": 1,
                    "name": f"n{number}",
                    "category": "BOOK",
                    "rank": number * 7919 % self.size,
                    "launchDate": "2025-01-01",
                    "price": {"amount": 1, "currency": "EUR"},
                }
                rows.put(with_composite_keys(model, item, "creating"))
                name = f"{number:08}-0000-4000-8000-000000000000"
                address = {"email": f"user{number}@example.com", "email_verified": "true"}
                user = User(name, name, address, float(number), float(number), CONFIRMED)
                if number == self.size // 2:
                    user.verifier = Verifier.of(PASSWORD, pool_name=pool.name, username=name)
                users.insert(user)
                key = f"public/{number % 97}/{number}"
                index.put(view, index.StoredObject("files", key, "f", 1, "e", 0.0))
        store.close()

    def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, json.dumps(body) if body else None, headers)
        response = self._connection.getresponse()
        content = response.read()
        assert response.status == 200, content
        return content

    def ask(self, query: str, **variables: Any) -> Any:
        headers = {"Authorization": SIGNED.format("appsync")}
        body = {"query": query, "variables": variables}
        answer = json.loads(self.send("POST", "/graphql", body, headers))
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    def cognito(self, operation: str, **given: Any) -> Any:
        target = f"AWSCognitoIdentityProviderService.{operation}"
        headers = {"X-Amz-Target": target, "Authorization": SIGNED.format("cognito-idp")}
        return json.loads(self.send("POST", "/", given, headers))

    def middle(self, query: str) -> Callable[[], Any]:
        """Return a call for the page in the middle of *query*."""
        token = None
        for _ in range(self.size // 200):
            token = self.ask(query, t=token)["nextToken"]
        return lambda: self.ask(query, t=token)

    def sign_in(self) -> None:
        from seedctl.srp import ClientExchange, format_timestamp

        auth = self.outputs.auth
        assert auth is not None
        exchange = ClientExchange.start()
        given = {"USERNAME": f"user{self.size // 2}@example.com", "SRP_A": exchange.srp_a}
        asked = self.cognito(
            "InitiateAuth",
            ClientId=auth.user_pool_client_id,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters=given,
        )["ChallengeParameters"]
        stamp = format_timestamp(datetime.now(timezone.utc))
        signature = exchange.sign(
            pool_name=auth.user_pool_name,
            user_id=asked["USER_ID_FOR_SRP"],
            password=PASSWORD,
            salt=asked["SALT"],
            srp_b=asked["SRP_B"],
            secret_block=asked["SECRET_BLOCK"],
            timestamp=stamp,
        )
        answers = {
            "USERNAME": asked["USER_ID_FOR_SRP"],
            "PASSWORD_CLAIM_SECRET_BLOCK": asked["SECRET_BLOCK"],
            "TIMESTAMP": stamp,
            "PASSWORD_CLAIM_SIGNATURE": signature,
        }
        self.cognito(
            "RespondToAuthChallenge",
            ClientId=auth.user_pool_client_id,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=answers,
        )

    def list_objects(self, **parameters: str) -> None:
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        request = AWSRequest(
            "GET",
            f"{self.sandbox.url}/files",
            params={"list-type": "2", "max-keys": "100", **parameters},
        )
        S3SigV4QueryAuth(Credentials("local", "local"), "s3", "us-east-1").add_auth(request)
        self.send("GET", request.prepare().url.partition(str(self.sandbox.port))[2], None, {})

    def calls(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        half = self.size // 2
        yield "get", lambda: self.ask(GET, k=f"s{half}")
        yield "list, first page", lambda: self.ask(LIST)
        yield "list, middle page", self.middle(LIST)
        yield "index, first page", lambda: self.ask(INDEX)
        yield "index, middle page", self.middle(INDEX)
        yield "sign-in", self.sign_in
        pool = {"UserPoolId": self.outputs.document["auth"]["user_pool_id"]}
        yield "users, first page", lambda: self.cognito("ListUsers", **pool)
        name = f'email = "user{half}@example.com"'
        yield "user by address", lambda: self.cognito("ListUsers", **pool, Filter=name)
        after = {"start-after": f"public/{half % 97}/{half}"}
        yield "objects, middle page", lambda: self.list_objects(**after)
        yield "folders", lambda: self.list_objects(prefix="public/", delimiter="/")


def measure(sizes: list[int], only: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        # Client and server are threads: on two processors each hand-over costs more by chance.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sandboxes = [Sandbox(size) for size in sizes]
    print(f"{'':<22}" + "".join(f"{size:>16,}" for size in sizes))
    for rows in zip(*(sandbox.calls() for sandbox in sandboxes), strict=True):
        if only not in rows[0][0]:
            continue
        costs: list[list[float]] = [[] for _ in sizes]
        for number in range(-1, ROUNDS):  # one to warm up
            for cost, (_, call) in zip(costs, rows, strict=True):
                started = time.process_time()
                for _ in range(CALLS):
                    call()
                if number >= 0:
                    cost.append((time.process_time() - started) / CALLS)
        medians = [statistics.median(cost) for cost in costs]
        figures = (f"{each * 1e3:8.2f} ms {each / medians[0]:4.2f}x" for each in medians)
        print(f"{rows[0][0]:<22}" + "".join(f"{figure:>16}" for figure in figures))
    for sandbox in sandboxes:
        sandbox.close()


def measure_memory(count: int) -> None:
    """Print how the memory of client and server, apart, grows over *count* rows."""
    from served import served

    from seedctl import connect
    from seedctl.report import Report

    def resident(process: int | str) -> float:
        text = Path(f"/proc/{process}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    with (
        served() as here,
        connect(here.work, endpoint_url=here.url, observer=Report(), target="none") as backend,
    ):
        user = backend.auth.create_user("ann@example.com", PASSWORD)
        marks: list[tuple[float, float]] = []

        def rows() -> Iterator[dict[str, Any]]:
            for number in range(count):
                if number in (10_000, count - 1):
                    marks.append((resident("self"), resident(here.pid)))
                yield {"content": f"todo {number}"}

        with backend.auth.sign_in(user, PASSWORD) as session:
            session.data.models.Todo.create_many(rows())
    (client, server), (client_end, server_end) = marks
    print(f"create_many of {count:,}: client +{client_end - client:.1f} MB", end=", ")
    print(f"server +{server_end - server:.1f} MB from row 10,000 to the last")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 20_000, 100_000])
    parser.add_argument("--only", default="", help="only the calls with this in their names")
    parser.add_argument("--many", type=int, default=0, metavar="ROWS")
    options = parser.parse_args()
    if options.many:
        measure_memory(options.many)
    else:
        measure(options.sizes, options.only)


if __name__ == "__main__":
    main()
