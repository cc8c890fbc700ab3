"""The guide's first script: a user from two secrets, in the group admin."""

from seedctl import add_to_user_group, create_and_sign_up_user, get_secret

username = get_secret("username")
password = get_secret("password")

user = create_and_sign_up_user(
    username=username,
    password=password,
    sign_in_after_creation=False,
    sign_in_flow="Password",
    user_attributes={"locale": "en"},
)

add_to_user_group(user, "admin")
