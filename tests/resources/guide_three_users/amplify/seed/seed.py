"""The guide's session sequence: who is signed in after each of three creations."""

from seedctl import auth, create_and_sign_up_user
from seedctl.errors import UserUnAuthenticatedException


def who() -> str:
    try:
        return auth.get_current_user().login_id
    except UserUnAuthenticatedException:
        return "nobody"


create_and_sign_up_user(
    username="user1@example.com", password="Password123!", sign_in_after_creation=True
)
print(who())
create_and_sign_up_user(
    username="user2@example.com", password="Password123!", sign_in_after_creation=True
)
print(who())
create_and_sign_up_user(
    username="user3@example.com", password="Password123!", sign_in_after_creation=False
)
print(who())
