"""Two readers and an editor, each in a group, and a todo of the editor's."""

from seedctl import (
    add_to_user_group,
    auth,
    create_and_sign_up_user,
    data,
    get_secret,
    sign_in_user,
)

USERS = [
    ("ann@example.com", "READERS"),
    ("bob@example.com", "READERS"),
    ("eve@example.com", "EDITORS"),
]

password = get_secret("seed-user-password")

for username, group in USERS:
    # if_exists="sign_in": the script may run any number of times.
    user = create_and_sign_up_user(
        username=username,
        password=password,
        user_attributes={"locale": "en"},
        if_exists="sign_in",
    )
    add_to_user_group(user, group)

sign_in_user(username="eve@example.com", password=password)

client = data.generate_client()
# upsert with an id of our own: a second run meets the same todo.
todo = client.models.Todo.upsert(
    {"id": "first-todo", "content": "My first todo", "isDone": False},
    auth_mode="userPool",
)
print(f"{auth.get_current_user().login_id} has the todo {todo.content!r}")

auth.sign_out()
