"""Seed with faults, with and without kills, and compare the data with that of a run without faults.

`python benchmarks/faults.py [--users N] [--records N] [--faults SPEC]`. The local sandbox runs in a
separate process with the given faults. Afterwards it is started without faults, and its data is read
in a canonical form: users with their groups and attributes, parameters, records and objects.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
OUTPUTS = ROOT / "sample_project" / "amplify_outputs.json"
FAULTS = "fail=2.5,fail-after=2.5,throttle=5"
RUNS = ("quiet", "faults", "killed twice")
_urls: dict[Path, str] = {}

SEED = """
import os
import time
from seedctl import NewUser, create_users, current_backend, get_secret, set_secret
from seedctl.storage import NewFile

users, records = int(os.environ["BENCH_USERS"]), int(os.environ["BENCH_RECORDS"])
password = "Sample-passw0rd"
set_secret("seed-note", "a secret of the run")
create_users(
    (
        NewUser(f"user{n}@example.com", password, groups=["READERS"], user_attributes={"locale": "en"})
        for n in range(users)
    ),
    if_exists="sign_in",
)
backend = current_backend()
backend.auth.create_user("eve@example.com", password, if_exists="sign_in")
backend.auth.add_to_group("eve@example.com", "EDITORS")
with backend.auth.sign_in("eve@example.com", password) as session:
    session.data.models.Todo.create_many(
        ({"content": f"todo {n}", "isDone": n % 2 == 0} for n in range(records)),
        key="content",
        if_exists="skip",
    )
    session.storage.upload_many(
        (NewFile(f"pictures/{n}.txt", f"picture {n}") for n in range(records // 20))
    )
if "BENCH_WAITS_TO_BE_KILLED" in os.environ:
    time.sleep(600)
"""


def make_project(folder: Path) -> Path:
    """Create a project whose seed script creates users, records, files and a secret."""
    (folder / "amplify" / "seed").mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "bench"}')
    shutil.copy(OUTPUTS, folder / "amplify_outputs.json")
    (folder / "amplify" / "seed" / "seed.py").write_text(SEED, encoding="utf-8")
    return folder


def environment(users: int, records: int) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    sizes = {"BENCH_USERS": str(users), "BENCH_RECORDS": str(records)}
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**inherited, **sizes, "PYTHONPATH": path, "SEEDCTL_IDENTIFIER": "bench"}


def start(
    folder: Path, *words: str, env: dict[str, str], output: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "seedctl", "-C", str(folder), *words]
    return subprocess.Popen(command, env=env, stdout=output, stderr=output, text=True)


def seedctl(folder: Path, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    with start(folder, *words, env=env) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, out, err)


@contextmanager
def server(folder: Path, env: dict[str, str], *options: str) -> Iterator[None]:
    """Run the project's local sandbox as a server during the block."""
    started = seedctl(folder, "local", "start", "--detach", *options, env=env)
    assert started.returncode == 0, started.stderr
    try:
        yield
    finally:
        seedctl(folder, "local", "stop", env=env)


def dump(folder: Path) -> dict[str, Any]:
    """Return the data of the project's local sandbox, sorted, without ids and times."""
    import boto3

    from seedctl.local import LocalSandbox
    from seedctl.outputs import load_outputs

    outputs = load_outputs(folder / "amplify_outputs.json")
    state = folder / ".amplify" / "seedctl"
    with LocalSandbox.start(state_folder=state, outputs=outputs) as sandbox:
        session = boto3.Session("local", "local", region_name="us-east-1")
        cognito, ssm, s3 = (
            session.client(name, endpoint_url=sandbox.url) for name in ("cognito-idp", "ssm", "s3")
        )
        pool = outputs.document["auth"]["user_pool_id"]
        users = {}
        for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool):
            for user in page["Users"]:
                facts = {each["Name"]: each["Value"] for each in user["Attributes"]}
                del facts["sub"]
                groups = cognito.admin_list_groups_for_user(
                    UserPoolId=pool, Username=user["Username"]
                )["Groups"]
                assert facts["email"] not in users, f"{facts['email']} is there twice"
                users[facts["email"]] = {
                    **facts,
                    "status": user["UserStatus"],
                    "groups": sorted(group["GroupName"] for group in groups),
                }
        parameters = {
            each["Name"]: each["Value"]
            for page in ssm.get_paginator("get_parameters_by_path").paginate(
                Path="/amplify", Recursive=True, WithDecryption=True
            )
            for each in page["Parameters"]
        }
        objects = {}
        for bucket in outputs.document["storage"]["buckets"]:
            name = bucket["bucket_name"]
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
                for each in page.get("Contents", ()):
                    objects[f"{name}/{each['Key']}"] = each["ETag"]
            unfinished = s3.list_multipart_uploads(Bucket=name).get("Uploads", [])
            assert unfinished == [], "an upload was left behind"
        return {
            "users": dict(sorted(users.items())),
            "parameters": dict(sorted(parameters.items())),
            "records": _records(folder, sandbox.url),
            "objects": dict(sorted(objects.items())),
        }


def _records(folder: Path, url: str) -> list[dict[str, Any]]:
    from seedctl import connect
    from seedctl.report import Report

    document = json.loads((folder / "amplify_outputs.json").read_text())
    document["data"]["url"] = f"{url}/graphql"
    path = folder / "dumped_outputs.json"
    path.write_text(json.dumps(document))
    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")
    with connect(
        folder, endpoint_url=url, outputs=path, observer=Report(), target="none"
    ) as backend:
        client = backend.data.generate_client(credentials="caller")
        found = [dict(each) for each in client.models.Todo.list_all(limit=1000)]
    path.unlink()
    for each in found:
        for name in ("createdAt", "updatedAt", "owner"):
            each.pop(name, None)
    return sorted(found, key=lambda each: str(each["id"]))


def run(folder: Path, env: dict[str, str], attempts: int = 6) -> int:
    """Seed until a run succeeds, and return the number of runs."""
    for attempt in range(1, attempts + 1):
        done = seedctl(folder, "seed", "--local", env=env)
        if done.returncode == 0:
            return attempt
        print(f"  run {attempt}: exit {done.returncode}, {_last(done.stderr)}")
    raise SystemExit("no run succeeded")


def killed_run(folder: Path, env: dict[str, str], operation: str, count: int) -> None:
    """Seed, and kill the run after the server received *count* calls of *operation*."""
    waiting = {**env, "BENCH_WAITS_TO_BE_KILLED": "1"}  # so that the run cannot end before the kill
    with start(folder, "seed", "--local", env=waiting, output=subprocess.DEVNULL) as process:
        while process.poll() is None and _calls(folder, env).get(operation, 0) < count:
            time.sleep(0.02)
        process.kill()
    if process.returncode != -signal.SIGKILL:
        raise SystemExit("the run ended before it could be killed")


def _calls(folder: Path, env: dict[str, str]) -> dict[str, int]:
    url = _urls.get(folder)
    if url is None:
        status = seedctl(folder, "local", "status", "--format", "json", env=env).stdout
        url = _urls[folder] = json.loads(status)["url"]
    with urllib.request.urlopen(f"{url}/_seedctl/statistics") as reply:
        operations = json.load(reply)["operations"]
    return {name: each["requests"] for name, each in operations.items()}


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("[")]
    return lines[0][:160] if lines else text[-160:]


def compare(
    users: int, records: int, faults: str, work: Path, runs: Sequence[str] = RUNS, **more: str
) -> bool:
    """Seed without faults, with *faults*, and with *faults* and two kills, or only some of *runs*.

    Returns whether all of them leave the same data.
    """
    env = {**environment(users, records), **more}
    kills = (
        ("cognito-idp:RespondToAuthChallenge", users),
        ("appsync:GraphQL", max(2, records // 50)),
    )
    dumps = {}
    for kind in runs:
        folder = make_project(work / kind.replace(" ", "-"))
        options = [] if kind == "quiet" else ["--faults", faults]
        with server(folder, env, *options):
            started = time.monotonic()
            for kill in kills if kind == "killed twice" else ():
                killed_run(folder, env, *kill)
            attempts = run(folder, env)
            seconds = time.monotonic() - started
        dumps[kind] = dump(folder)
        counts = ", ".join(f"{len(part)} {what}" for what, part in dumps[kind].items())
        same = "the same" if dumps[kind] == dumps["quiet"] else "DIFFERENT"
        print(f"{kind:<20} {seconds:6.1f} s, {attempts} run(s): {counts}: {same}")
    assert len(dumps["quiet"]["users"]) == users + 1
    assert len(dumps["quiet"]["records"]) == records
    return all(each == dumps["quiet"] for each in dumps.values())


def main() -> None:
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--faults", default=FAULTS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seedctl-bench-") as name:
        if not compare(chosen.users, chosen.records, chosen.faults, Path(name)):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
