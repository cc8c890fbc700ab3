"""The public surface as a seed.py uses it: checked by mypy, never run.

A line that stops type-checking here stops type-checking in somebody's seed script.
"""

from __future__ import annotations

from pathlib import Path

from seedctl import (
    Authenticator,
    AuthOutputs,
    AuthSignUp,
    AuthUser,
    Backend,
    ChallengeResponse,
    NewUser,
    SeedctlError,
    StandardUserAttributes,
    TOTPSetup,
    UsernameExistsError,
    add_to_user_group,
    auth,
    connect,
    create_and_sign_up_user,
    create_users,
    current_backend,
    data,
    errors,
    get_secret,
    set_secret,
    sign_in_user,
    sign_out,
    storage,
    testing,
)
from seedctl.auth import (
    AuthSession,
    CurrentUser,
    UserResult,
    UserSession,
    fetch_auth_session,
    get_current_user,
)
from seedctl.data import (
    BaseDataClient,
    DataClient,
    Page,
    Record,
    RowResult,
    generate_client,
    read_rows,
)
from seedctl.errors import (
    AccessDenied,
    BulkError,
    GraphQLError,
    NotAuthorizedException,
)
from seedctl.fake import FakeRow, FakeRows
from seedctl.storage import (
    BucketInfo,
    CopiedObject,
    DownloadedObject,
    FileResult,
    NewFile,
    ObjectProperties,
    RemovedObject,
    Storage,
    StorageItem,
    StoragePage,
    StorageUrl,
    TransferProgress,
    UploadedObject,
)


def the_common_script() -> None:
    name: str = set_secret("username", "ann@example.com")
    user: AuthOutputs = create_and_sign_up_user(
        username=get_secret(name),
        password=get_secret("password"),
        sign_in_flow="Password",
        sign_in_after_creation=False,
        user_attributes={"locale": "en", "custom:plan": "pro"},
    )
    add_to_user_group(user, "admin")
    add_to_user_group(user.username, "admin")
    print(user.user_id, user.sign_in_flow)


def by_position() -> None:
    user = create_and_sign_up_user("ann@example.com", "Passw0rd!", if_exists="sign_in")
    session: UserSession = sign_in_user(user, "Passw0rd!")
    if session:
        sign_out()


def values_made_ahead() -> None:
    attributes: StandardUserAttributes = {"given_name": "Ann", "family_name": "Lee"}
    sign_up: AuthSignUp = {
        "username": "ann@example.com",
        "password": "Passw0rd!",
        "sign_in_flow": "Password",
        "if_exists": "error",
    }
    user: AuthUser = {"username": "ann@example.com", "password": "Passw0rd!"}
    create_and_sign_up_user("ann@example.com", "Passw0rd!", user_attributes=attributes)
    create_and_sign_up_user(sign_up["username"], sign_up["password"])
    add_to_user_group(user, "admin")


def who_is_signed_in() -> None:
    sign_in_user("ann@example.com", "Passw0rd!", sign_in_flow="Password")
    who: CurrentUser = get_current_user()
    tokens: AuthSession = fetch_auth_session(force_refresh=True)
    login_id: str = auth.get_current_user().login_id
    sub: str | None = auth.fetch_auth_session().user_sub
    print(who.username, who.user_id, login_id, sub, tokens.access_token, tokens.id_token)
    auth.sign_out()
    sign_out(everywhere=True)


def many_users_at_once() -> None:
    backend: Backend = current_backend()
    password: str = backend.secrets.get("seed-user-password")
    user = backend.auth.create_user("ann@example.com", password)
    with backend.auth.sign_in(user, password) as session:
        print(session.username)
    backend.auth.add_to_group(user, "admin")


def users_by_the_thousand() -> None:
    rows = (NewUser(f"u{n}@example.com", "Passw0rd!", groups=["admin"]) for n in range(1000))
    results: list[UserResult] = create_users(rows, if_exists="skip", on_error="collect")
    create_users(auth.fake_users(50, "Passw0rd!", seed="x", groups={"admin": 1}))
    for each in results:
        print(each.index, each.username, each.user_id, each.state, each.error)
    one = NewUser("ann@example.com", "Passw0rd!", sign_in_flow="MFA", mfa_preference="TOTP")
    current_backend().auth.create_users([one], concurrency=8, if_exists="update")


def data_of_the_signed_in_user() -> None:
    client: DataClient = data.generate_client(auth_mode="userPool", headers={"x-run": "1"})
    created: Record = client.models.Todo.create({"content": "x"}, selection_set=["id"])
    print(created.content, client.models["Todo"].upsert({"id": "1"}).content)
    todo: Record | None = client.models.Todo.get({"id": "1"})
    page: Page = client.models.Post.listPostByStatus(
        {"status": "DRAFT"}, sort_direction="DESC", limit=10, filter={"title": {"eq": "x"}}
    )
    for post in page:
        print(post.title, post["title"], post.comments(limit=5).next_token)
    for each in client.models.Todo.list_all(filter={"isDone": {"eq": False}}):
        client.models.Todo.update({"id": each.id, "isDone": True}, auth_mode="apiKey")
    client.models.Todo.upsert({"id": "1", "content": "x"}, validate=False)
    print(client.models["Todo"].get({"id": "1"}), client.models.Todo.delete({"id": "1"}), todo)
    print(client.queries.echo({"message": "x"}), client.mutations.adjustPrice({"sku": "1"}))
    print(client.queries["import"]({}), client.mutations["class"]({}))
    print(client.enums["PostStatus"].values())
    print(client.enums.PostStatus.values(), client.graphql("{ ping }", {"x": 1})["ping"])
    generate_client(credentials="caller", api_key=None)
    current_backend().data.generate_client(auth_mode="apiKey", auth_token="x")


class Schema(BaseDataClient):
    """The class that seedctl types writes has more in it; see tests/schema_file."""


def data_with_types() -> None:
    client: Schema = data.generate_client(Schema, auth_mode="userPool", headers={"x-run": "1"})
    typed: Schema = data.generate_client().with_schema(Schema)
    other: Schema = current_backend().data.generate_client(Schema)
    print(client.graphql("{ ping }"), typed, other)


def files(session: UserSession) -> None:
    uploaded: UploadedObject = storage.upload_data(
        "public/banner.png", Path("assets/banner.png"), metadata={"made-by": "seed"}
    )
    mine = storage.upload_data(
        lambda identity_id: f"private/{identity_id}/note.txt",
        "hello",
        content_disposition={"type": "attachment", "filename": "note.txt"},
        prevent_overwrite=True,
        on_progress=progress,
        bucket=BucketInfo("other-bucket", "eu-west-1"),
    )
    storage.upload_data("x", (piece for piece in [b"a", b"b"]), checksum_algorithm="crc-32")
    stored: list[FileResult] = storage.upload_directory("pictures/", Path("a"), bucket="archive")
    for result in storage.upload_many(
        [("a.txt", "a"), NewFile("b.txt", b"b", content_type="text/plain")],
        concurrency=4,
        if_exists="skip",
        on_error="collect",
    ):
        print(result.index, result.path, result.state, result.error, stored)
    page: StoragePage = storage.list("pictures/", page_size=1000)
    again = storage.list("pictures/", next_token=page.next_token)
    items: list[StorageItem] = [*page.items, *again.items, *storage.list_all("pictures/")]
    url: StorageUrl = storage.get_url(items[0].path, expires_in=60)
    read: DownloadedObject = storage.download_data(uploaded.path, bytes_range=(0, 3))
    storage.download_data("x", Path("copy.png"))
    known: ObjectProperties = storage.get_properties(mine.path)
    copied: CopiedObject = storage.copy("a", {"path": "b"})
    removed: RemovedObject = storage.remove("pictures/")
    print(url.url, read.text(), read.json(), known.size, copied.path, removed.count)
    own: Storage = session.storage
    own.upload_data("x", b"y")
    try:
        with Path("x").open("wb") as file:
            current_backend().storage.download_data("x", file)
    except AccessDenied as error:
        print(error.code, error.http_status, error.request_id)
    except errors.StorageError as error:
        print(error.name)
    found = fetch_auth_session()
    print(found.identity_id, found.credentials and found.credentials.expiration)


def progress(state: TransferProgress) -> None:
    print(state.transferred_bytes, state.total_bytes)


def many_records() -> None:
    todos = generate_client().models.Todo
    rows = ({"content": f"todo {number}"} for number in range(1000))
    results: list[RowResult] = todos.create_many(rows, key="content", if_exists="skip")
    todos.create_many([{"content": "x"}], key=lambda row: (row["content"], 1), concurrency=2)
    todos.create_many(read_rows("todos.csv", todos), if_exists="skip")
    for row in read_rows(Path("todos.jsonl"), generate_client().models["Todo"]):
        print(row["content"])
    todos.create_many([], key=["content", "isDone"], if_exists="update", batch_size=50)
    made: FakeRows = todos.fake(200, {"class": "A"}, seed=7, isDone=[True, False], owner=None)
    first: FakeRow = made[0]
    print(first.number, first["content"], made.parents("list"), made[1:].children("parts", size=3))
    try:
        todos.delete_many((result.key for result in results), on_error="raise")
        todos.delete_many(todos.list_all(), on_error="collect", auth_mode="apiKey")
    except BulkError as error:
        print([(each.index, each.key, each.state, each.error) for each in error.results])


def errors_of_data(session: UserSession) -> None:
    try:
        session.data.models.Todo.list(next_token="x")
    except GraphQLError as error:
        print(error.errors, error.data, error.auth_mode, error.auth_mode_source)


def anywhere_else() -> None:
    with connect(Path("app"), identifier="alice", local=True) as backend, backend.activate():
        print(get_secret("username"))
    branch: Backend = connect(app_id="d1a2b3", branch="main", allow_target="main")
    stack: Backend = connect(stack="amplify-myapp-alice-sandbox-617b6b058d")
    print(branch.identifier.stack_name, stack.identifier.title)


def in_a_test() -> None:
    with connect(local=True, state=Path("state")) as backend:
        testing.run_seed(backend, script="seed.py", arguments=["--small"])
        backend.save_state("seeded")
        backend.restore_state("seeded")
        print(backend.front_end_outputs()["data"])
    with testing.SeededSandbox(secrets={"a": "b"}, origins=["http://localhost:3000"]) as sandbox:
        session: UserSession = sandbox.sign_in("ann@example.com", sign_in_flow="MFA")
        backend = sandbox.restore()
        print(session, backend.secrets.list())


def callbacks(setup: TOTPSetup) -> ChallengeResponse:
    print(setup.get_setup_uri("my app"), setup.get_setup_uri("my app", "ann"))
    return ChallengeResponse(setup.shared_secret)


def with_mfa() -> None:
    phone = Authenticator()
    create_and_sign_up_user(
        "ann@example.com",
        "Passw0rd!",
        sign_in_flow="MFA",
        sign_in_after_creation=True,
        mfa_preference="TOTP",
        totp_sign_up_challenge=phone.enroll,
        sms_sign_up_challenge=lambda: "123456",
        email_sign_up_challenge=lambda: ChallengeResponse("123456"),
    )
    set_secret("ann-totp", phone.secret)
    again = Authenticator(secret=get_secret("ann-totp"))
    sign_in_user(
        "ann@example.com",
        "Passw0rd!",
        sign_in_flow="MFA",
        sign_in_challenge=again.code,
        mfa_preference="TOTP",
        totp_sign_up_challenge=callbacks,
    )


def failures() -> None:
    try:
        sign_in_user("ann@example.com", "wrong")
    except NotAuthorizedException as error:
        print(error.code, error.message)
    except UsernameExistsError as error:
        print(error.name, error.resolution)
    except SeedctlError as error:
        raise SystemExit(error.exit_code) from error
