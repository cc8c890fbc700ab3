"""Create two readers and an editor, each in a group; as the editor, a todo and a picture."""

from seedctl import (
    add_to_user_group,
    auth,
    create_and_sign_up_user,
    data,
    get_secret,
    sign_in_user,
    storage,
)

USERS = [
    ("ann@example.com", "READERS"),
    ("bob@example.com", "READERS"),
    ("eve@example.com", "EDITORS"),
]

password = get_secret("seed-user-password")

for username, group in USERS:
    # if_exists="sign_in" lets the script run any number of times.
    user = create_and_sign_up_user(
        username=username,
        password=password,
        user_attributes={"locale": "en"},
        if_exists="sign_in",
    )
    add_to_user_group(user, group)

sign_in_user(username="eve@example.com", password=password)

client = data.generate_client()
# upsert with a fixed id: a second run updates the same todo.
todo = client.models.Todo.upsert(
    {"id": "first-todo", "content": "My first todo", "isDone": False},
    auth_mode="userPool",
)
editor = auth.get_current_user().login_id
print(f"{editor} has the todo {todo.content!r}")

storage.upload_data("pictures/first.txt", f"My first content created by {editor}")
for item in storage.list("pictures/", page_size=1000).items:
    print(f"{item.path} is there, {item.size} bytes")

auth.sign_out()
