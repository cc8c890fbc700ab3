"""Turns on every log, to stderr and a file, and does what handles secrets; notes their values."""

import json
import logging
import os
from pathlib import Path

import pyotp

from seedctl import auth, create_and_sign_up_user, get_secret, set_secret, storage

root = logging.getLogger()
root.setLevel(logging.DEBUG)
root.addHandler(logging.StreamHandler())
root.addHandler(logging.FileHandler("debug.log", encoding="utf-8"))

password = get_secret("password")
values = {"password": password}


def enroll(setup):
    values["totp"] = setup.shared_secret
    values["code"] = pyotp.TOTP(setup.shared_secret).now()
    return values["code"]


set_secret("copy", f"{password}, copied")
create_and_sign_up_user(
    username="ann@example.com",
    password=password,
    user_attributes={"phone_number": "+15555550123", "given_name": "Ann"},
    sign_in_flow="MFA",
    mfa_preference="TOTP",
    sign_in_after_creation=True,
    totp_sign_up_challenge=enroll,
)
session = auth.fetch_auth_session()
values["access token"], values["id token"] = session.access_token, session.id_token
values["key"] = session.credentials.secret_access_key
values["session token"] = session.credentials.session_token
storage.upload_data("public/a.txt", b"hello")
url = storage.get_url("public/a.txt").url
values["signature"] = url.partition("X-Amz-Signature=")[2].partition("&")[0]
renewed = auth.fetch_auth_session(force_refresh=True)
values["next access token"] = renewed.access_token
values["next key"] = renewed.credentials.secret_access_key
Path(os.environ["SEED_VALUES"]).write_text(json.dumps(values), encoding="utf-8")
