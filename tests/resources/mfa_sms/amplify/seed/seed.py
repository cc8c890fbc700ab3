"""The guide's SMS script: as by e-mail, with another preference and a phone number."""

from seedctl import auth, create_and_sign_up_user, get_secret, sign_in_user

username = get_secret("username")
password = get_secret("password")

user = create_and_sign_up_user(
    username=username,
    password=password,
    sign_in_after_creation=False,
    sign_in_flow="MFA",
    mfa_preference="SMS",
    user_attributes={"phone_number": "+15551234567"},
)

sign_in_user(username=username, password=password, sign_in_flow="MFA")
print("signed in")

auth.sign_out()
