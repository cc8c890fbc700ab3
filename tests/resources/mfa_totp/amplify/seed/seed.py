"""The guide's TOTP script: sign up with a code, then sign in with the next one."""

from seedctl import Authenticator, auth, create_and_sign_up_user, get_secret, sign_in_user

username = get_secret("username")
password = get_secret("password")
authenticator = Authenticator()

user = create_and_sign_up_user(
    username=username,
    password=password,
    sign_in_after_creation=False,
    sign_in_flow="MFA",
    mfa_preference="TOTP",
    totp_sign_up_challenge=authenticator.enroll,
)
print("User was created")

# No sleep: the authenticator waits until it has a code that was not used yet.
signed_in = sign_in_user(
    username=username,
    password=password,
    sign_in_flow="MFA",
    sign_in_challenge=authenticator.code,
)
print(f"User was signed in: {bool(signed_in)}")

auth.sign_out()
