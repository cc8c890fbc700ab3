"""Somebody presses Ctrl-C while a user is signed in, inside an `except Exception`."""

from seedctl import create_and_sign_up_user

create_and_sign_up_user(
    username="ann@example.com", password="Password123!", sign_in_after_creation=True
)
try:
    raise KeyboardInterrupt
except Exception:
    print("swallowed")
