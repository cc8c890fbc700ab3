"""The guide's Storage script, and the path rules, against the local sandbox."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from seedctl import connect
from tests.running import DATA, PASSWORD, make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import CommandLine, Result

HEAD = (
    "from seedctl import *\n"
    "from seedctl import auth, storage\n"
    "def sign_in(name):\n"
    "    return sign_in_user(f'{name}@example.com', 'Password123!')\n"
)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a local sandbox with two users."""
    root = make_project(tmp_path_factory.mktemp("users") / "project", outputs=None)
    shutil.copy(DATA / "outputs" / "store_userpool.json", root / "amplify_outputs.json")
    with connect(root, local=True, target="none") as backend:
        for name in ("ann", "bob"):
            backend.auth.create_user(f"{name}@example.com", PASSWORD)
    return root / ".amplify"


@pytest.fixture
def run(project: Callable[..., Path], seedctl: CommandLine, state: Path) -> Callable[[str], Result]:
    """Return what runs a script over two users and the buckets of the examples."""
    root = project("secrets_only")
    shutil.copy(DATA / "outputs" / "store_userpool.json", root / "amplify_outputs.json")
    shutil.copytree(state, root / ".amplify")

    def run(text: str) -> Result:
        (root / "amplify" / "seed" / "seed.py").write_text(HEAD + text, encoding="utf-8")
        return seedctl("seed", "--local")

    return run


def test_the_guides_storage_script(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """A picture is stored and listed as the signed-in user, and counted in the summary."""
    root = project("guide_storage")
    shutil.copy(DATA / "outputs" / "todo_userpool.json", root / "amplify_outputs.json")
    for name, value in {"username": "ann@example.com", "password": PASSWORD}.items():
        seedctl("--local", "secret", "set", name, stdin=value.encode())
    script = root / "amplify" / "seed" / "seed.py"
    text = script.read_text(encoding="utf-8")
    script.write_text(
        f"from seedctl import *\ncreate_and_sign_up_user(get_secret('username'), "
        f"get_secret('password'), if_exists='sign_in')\n{text}",
        encoding="utf-8",
    )
    for run in (1, 2):
        result = seedctl("seed", "--local")
        assert result.code == 0, result.err
        assert len(re.findall(r"path='pictures/0\.\d+'", result.out)) == run
        assert "1 file uploaded" in result.err


DENIED = [
    pytest.param(
        "storage.upload_data('public/x', 'x')",
        "public/* for signed-in users",
        id="a guest writes",
    ),
    pytest.param(
        "with sign_in('bob') as bob:\n"
        "    theirs = bob.fetch_auth_session().identity_id\n"
        "sign_in('ann')\n"
        "storage.download_data(f'private/{theirs}/x')",
        "for the user whose identity id is in the path",
        id="another user's private path",
    ),
    pytest.param(
        "sign_in('ann')\nstorage.upload_data('elsewhere/x', 'x')",
        "allows anybody to write 'elsewhere/x'",
        id="a path outside the rules",
    ),
    pytest.param(
        "sign_in('ann')\nadd_to_user_group('ann@example.com', 'Editors')\nsign_in('ann')\n"
        "storage.upload_data('public/x', 'x')",
        'add allow.groups(["Editors"])',
        id="a member of a group",
    ),
    pytest.param(
        "sign_in('ann')\nstorage.list('pictures')",
        "List 'pictures/', with the slash at the end",
        id="a list without the slash",
    ),
    pytest.param(
        "sign_in('ann')\nstorage.upload_data('logs/x', 'x', bucket='archive')",
        "logs/* for the group Admins",
        id="the bucket of a group",
    ),
]


@pytest.mark.parametrize(("text", "says"), DENIED)
def test_the_rules_are_enforced(run: Callable[[str], Result], text: str, says: str) -> None:
    """A user without access is denied, and the error shows which rule would allow it."""
    result = run(text)
    assert result.code == 1
    assert "[AccessDenied] " in result.err
    assert says in result.err


def test_users_with_access_are_allowed(run: Callable[[str], Result]) -> None:
    """Owners, guests and members of the right group have access."""
    result = run(
        "admin = create_and_sign_up_user('eve@example.com', 'Password123!', if_exists='sign_in')\n"
        "add_to_user_group(admin, 'Admins')\n"
        "sign_in('ann')\n"
        "storage.upload_data(lambda me: f'private/{me}/note.txt', 'mine')\n"
        "print(storage.download_data(lambda me: f'private/{me}/note.txt').text())\n"
        "storage.upload_data('public/a.txt', 'for all', metadata={'by': 'ann'})\n"
        "storage.copy('public/a.txt', 'public/b.txt')\n"
        "auth.sign_out()\n"
        "print(storage.download_data('public/b.txt').text(),\n"
        "      storage.get_properties('public/b.txt').metadata,\n"
        "      [item.path for item in storage.list_all('public/')])\n"
        "sign_in('eve')\n"
        "storage.upload_data('logs/x', b'x' * 6_000_000, bucket='archive')\n"
        "print(storage.get_properties('logs/x', bucket='archive').size)\n"
        "print(storage.remove('logs/', bucket='archive').count)\n"
    )
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        "mine",
        "for all {'by': 'ann'} ['public/a.txt', 'public/b.txt']",
        "6000000",
        "1",
    ]
    assert "1 file copied" in result.err


def test_a_presigned_url_opens_the_object(run: Callable[[str], Result]) -> None:
    """Anybody can read the object by its URL, and nobody by a changed URL."""
    result = run(
        "import urllib.request, urllib.error\n"
        "sign_in('ann')\n"
        "storage.upload_data('public/ü b.txt', 'hello')\n"
        "url = storage.get_url('public/ü b.txt', content_type='text/html').url\n"
        "with urllib.request.urlopen(url) as answer:\n"
        "    print(answer.read(), answer.headers['content-type'])\n"
        "try:\n"
        "    urllib.request.urlopen(url.replace('%20b', '%20c'))\n"
        "except urllib.error.HTTPError as error:\n"
        "    print(error.code)\n"
    )
    assert result.code == 0, result.err
    assert result.out.splitlines() == ["b'hello' text/html", "403"]


def test_the_session_has_an_identity(run: Callable[[str], Result]) -> None:
    """fetch_auth_session returns the identity id and credentials, for users and guests."""
    result = run(
        "guest = auth.fetch_auth_session()\n"
        "sign_in('ann')\n"
        "user = auth.fetch_auth_session()\n"
        "import json\n"
        "print(json.dumps([guest.access_token, guest.identity_id != user.identity_id,\n"
        "    bool(guest.credentials.session_token), user.credentials.expiration is not None]))\n"
    )
    assert result.code == 0, result.err
    assert json.loads(result.out) == [None, True, True, True]


def test_parallel_sessions_are_separate(run: Callable[[str], Result]) -> None:
    """Four users at once store and read their own files, each as itself."""
    result = run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "backend = current_backend()\n"
        "names = [f'user{n}@example.com' for n in range(4)]\n"
        "def work(name):\n"
        "    backend.auth.create_user(name, 'Password123!', if_exists='sign_in')\n"
        "    with backend.auth.sign_in(name, 'Password123!') as session:\n"
        "        path = lambda me: f'private/{me}/name.txt'\n"
        "        session.storage.upload_data(path, name)\n"
        "        return session.storage.download_data(path).text()\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    print(list(pool.map(work, names)) == names)\n"
    )
    assert result.code == 0, result.err
    assert result.out == "True\n"


def test_worker_threads_are_not_guests(run: Callable[[str], Result]) -> None:
    """A thread without a sign-in gets an error; a copy names the side that was denied."""
    result = run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "sign_in('ann')\n"
        "def work(_):\n"
        "    try:\n"
        "        storage.list('public/')\n"
        "    except errors.UserUnAuthenticatedException as error:\n"
        "        return error.resolution\n"
        "with ThreadPoolExecutor(1) as pool:\n"
        "    print(*pool.map(work, [1]))\n"
        "listed = storage.list_all('public/')\n"
        "try:\n"
        "    storage.copy('nope/x', 'public/x')\n"
        "except errors.AccessDenied as error:\n"
        "    print(error.resolution)\n"
        "auth.sign_out()\n"
        "storage.list('public/')\n"
    )
    assert result.code == 0, result.err
    threads, copied = result.out.splitlines()
    assert "Threads of a pool do not inherit a sign-in" in threads
    assert "allows anybody to get 'nope/x'" in copied


def test_the_sign_in_of_threads(run: Callable[[str], Result]) -> None:
    """As docs/storage.md says: some threads inherit the sign-in, others have their own."""
    result = run(
        "import asyncio\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def me():\n"
        "    found = []\n"
        "    def path(identity_id):\n"
        "        found.append(identity_id)\n"
        "        return 'public/x'\n"
        "    storage.get_url(path)\n"
        "    return found[0]\n"
        "def as_bob():\n"
        "    sign_in('bob')\n"
        "    return me()\n"
        "guest = me()\n"
        "sign_in('ann')\n"
        "ann = me()\n"
        "print('inherited', asyncio.run(asyncio.to_thread(me)) == ann)\n"
        "async def task():\n"
        "    return me()\n"
        "print('task', asyncio.run(task()) == ann)\n"
        "seen = []\n"
        "paths = [lambda i, n=n: seen.append(i) or f'private/{i}/{n}' for n in range(4)]\n"
        "storage.upload_many([(path, 'x') for path in paths])\n"
        "print('many', set(seen) == {ann})\n"
        "with ThreadPoolExecutor(1) as pool:\n"
        "    bob = pool.submit(as_bob).result()\n"
        "    print('own', bob not in (ann, guest), me() == ann)\n"
        "    pool.submit(auth.sign_out).result()\n"
        "    print('signed out', pool.submit(me).result() not in (ann, bob), me() == ann)\n"
        "auth.sign_out()\n"
        "with ThreadPoolExecutor(1) as pool:\n"
        "    print('nobody', pool.submit(me).result() not in (ann, bob))\n"
    )
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        "inherited True",
        "task True",
        "many True",
        "own True True",
        "signed out True True",
        "nobody True",
    ]
