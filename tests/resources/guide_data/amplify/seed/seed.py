"""The guide's Data script: a todo, created as the signed-in user."""

from seedctl import auth, create_and_sign_up_user, data, get_secret, sign_in_user

client = data.generate_client()

username = get_secret("username")
password = get_secret("password")

create_and_sign_up_user(username=username, password=password, if_exists="sign_in")
sign_in_user(username=username, password=password, sign_in_flow="Password")

todo = client.models.Todo.create(
    {"content": "My first todo", "isDone": False},
    auth_mode="userPool",
)
print(todo.content, todo.isDone)

auth.sign_out()
