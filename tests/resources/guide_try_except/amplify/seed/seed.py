"""The guide's pattern for many runs: create, or sign in where the user exists."""

from seedctl import UsernameExistsError, create_and_sign_up_user, get_secret, sign_in_user

username = get_secret("username")
password = get_secret("password")

try:
    user = create_and_sign_up_user(
        username=username,
        password=password,
        sign_in_flow="Password",
        sign_in_after_creation=True,
    )
    print("created")
except UsernameExistsError:
    sign_in_user(username=username, password=password, sign_in_flow="Password")
    print("signed in")
