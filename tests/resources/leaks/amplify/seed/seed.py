"""Does its best to get a secret printed, then fails with it in hand."""

import base64
import json
from urllib.parse import quote, quote_plus

from seedctl import add_to_user_group, create_and_sign_up_user, get_secret, set_secret, sign_in_user

password = get_secret("password")
set_secret("copy", password)
user = create_and_sign_up_user(username="ann@example.com", password=password)
add_to_user_group(user, "admin")
session = sign_in_user(username="ann@example.com", password=password)
tokens = session.fetch_auth_session()
raise ValueError(
    password,
    quote(password),
    quote_plus(password),
    json.dumps({"password": password}),
    base64.b64encode(b"user:" + password.encode()),
    password.encode().hex(),
    session,
    tokens,
    tokens.access_token,
    tokens.id_token,
    session._tokens.refresh,
)
