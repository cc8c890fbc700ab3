"""The text of the first seed script, formatted as formatters of Python code do it."""

from __future__ import annotations

import json
import keyword
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from seedctl.first_script.files import TEXT
from seedctl.first_script.records import USER_ID
from seedctl.masking import mask
from seedctl.outputs.path_rules import IDENTITY

if TYPE_CHECKING:
    from seedctl.first_script.files import FirstFile
    from seedctl.first_script.records import FirstRecord
    from seedctl.first_script.trial import FirstScript
    from seedctl.first_script.users import FirstUser

PASSWORD_SECRET = "seed-user-password"  # noqa: S105 - the name of a secret
TOTP_SECRET = "seed-user-totp"  # noqa: S105 - the name of a secret
_WIDTH = 88  # what formatters allow by default
_ENROLL = f"""\
def enroll(setup: TOTPSetup) -> str:
    # Stored before the code is sent, so that later runs can sign in.
    set_secret("{TOTP_SECRET}", setup.shared_secret)
    return Authenticator(setup.shared_secret).code()


def code() -> str:
    authenticator = Authenticator(get_secret("{TOTP_SECRET}"))
    authenticator.code()  # Each works once, and an earlier run may have used this one.
    return authenticator.code()
"""


_NOTHING = """\
# This backend has no users, and without a user no record or file can be written here.
# Add some in amplify/auth/resource.ts, delete this file and run seedctl init again.
"""


class _Code(str):
    """A Python expression, which is written without quotes."""

    __slots__ = ()


def script_text(script: FirstScript) -> str:
    """Return the text of the seed script that does what *script* says."""
    user, record, file = script.user, script.record, script.file
    has_totp = user is not None and user.mfa == "TOTP"
    statements: list[str] = []
    if user is not None:
        needs_user = record is not None and USER_ID in _flat(record.fields)
        statements.append(_user_text(user, is_named=needs_user))
    if record is not None:
        statements.append(_record_text(record))
    if file is not None:
        statements.append(_file_text(file))
    if user is not None:
        statements.append("auth.sign_out()\n")
    if not statements:
        return f"{_docstring(script)}\n{_NOTHING}"
    # Two empty lines are around functions, one follows imports.
    functions = f"\n\n{_ENROLL}\n" if has_totp else ""
    return "\n".join([_docstring(script), f"{_imports(script)}{functions}", *statements])


def summary(script: FirstScript) -> str:
    """Return what *script* creates, as a list in words; empty if it creates nothing."""
    parts = []
    if script.user is not None:
        parts.append(f"the user {mask(script.user.username)}")
    if script.record is not None:
        parts.append(f"a record of {script.record.model}")
    if script.file is not None:
        parts.append(f"the file {script.file.path.replace(IDENTITY, '{identity_id}')}")
    return _listed(parts)


def _docstring(script: FirstScript) -> str:
    kinds = {"user": script.user, "record": script.record, "file": script.file}
    what = _listed([kind for kind, part in kinds.items() if part is not None])
    title = f"Create a first {what}" if what else "Create the first data of this backend"
    return f'"""{title}.\n\nRun it with seedctl seed --local, as often as you like.\n"""\n'


def _listed(words: list[str]) -> str:
    """Return *words* as a list in a sentence."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _imports(script: FirstScript) -> str:
    names = set()
    if script.user is not None:
        names |= {"auth", "create_and_sign_up_user", "get_secret"}
        if script.user.mfa == "TOTP":
            names |= {"Authenticator", "TOTPSetup", "set_secret"}
    if script.record is not None:
        names.add("data")
    if script.file is not None:
        names.add("storage")
    # Classes come first, as import sorters order them.
    ordered = sorted(names, key=lambda name: (name[0].islower(), name))
    line = f"from seedctl import {', '.join(ordered)}\n"
    if len(line) - 1 <= _WIDTH:
        return line
    return "from seedctl import (\n" + "".join(f"    {name},\n" for name in ordered) + ")\n"


def _user_text(user: FirstUser, *, is_named: bool) -> str:
    arguments: dict[str, Any] = {
        "username": user.username,
        "password": _Code(f'get_secret("{PASSWORD_SECRET}")'),
        "sign_in_after_creation": True,
    }
    if user.mfa is not None:
        arguments |= {"sign_in_flow": "MFA", "mfa_preference": user.mfa}
    if user.mfa == "TOTP":
        arguments |= {"totp_sign_up_challenge": _Code("enroll"), "sign_in_challenge": _Code("code")}
    if user.attributes:
        arguments["user_attributes"] = user.attributes
    if user.group is not None:
        arguments["groups"] = [user.group]
    # An existing user is signed in, so that the script can run again.
    arguments["if_exists"] = "sign_in"
    lines = "".join(f"    {name}={_value(value, 1)},\n" for name, value in arguments.items())
    return f"{'user = ' if is_named else ''}create_and_sign_up_user(\n{lines})\n"


def _record_text(record: FirstRecord) -> str:
    name = record.model
    is_plain = name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")
    model = f".{name}" if is_plain else f"[{_value(name, 0)}]"
    method = "upsert" if record.form == "upsert" else "create"
    arguments = f"    {_value(record.fields, 1)},\n"
    if record.form == "skip":
        arguments += '    if_exists="skip",\n'
    arguments += f'    auth_mode="{record.auth_mode}",\n'
    if record.selection is not None:
        arguments += f"    selection_set={_value(list(record.selection), 1)},\n"
    comment = ""
    if record.form == "create":
        comment = "# The rules of its fields allow no id here: each run creates another record.\n"
    return (
        f"client = data.generate_client()\n{comment}client.models{model}.{method}(\n{arguments})\n"
    )


def _file_text(file: FirstFile) -> str:
    path = _value(file.path, 1)
    if file.has_identity:
        escaped = file.path.replace("{", "{{").replace("}", "}}")
        place = IDENTITY.replace("{", "{{").replace("}", "}}")
        path = f"lambda identity_id: f{_value(escaped, 1).replace(place, '{identity_id}')}"
    arguments = [path, _value(TEXT, 1)]
    if file.bucket is not None:
        arguments.append(f"bucket={_value(file.bucket, 1)}")
    line = f"storage.upload_data({', '.join(arguments)})\n"
    if len(line) - 1 <= _WIDTH:
        return line
    inner = f"    {', '.join(arguments)}\n"
    if len(inner) - 1 <= _WIDTH:
        return f"storage.upload_data(\n{inner})\n"
    return "storage.upload_data(\n" + "".join(f"    {each},\n" for each in arguments) + ")\n"


def _value(value: Any, depth: int) -> str:
    """Return the expression of *value* in a line that is indented *depth* times.

    Each item of a mapping has its own line, and a comma: formatters then leave it so.
    """
    if value is USER_ID:
        return "user.user_id"
    if isinstance(value, _Code):
        return value
    if isinstance(value, Mapping):
        indent = "    " * (depth + 1)
        items = (
            f"{indent}{_text(key)}: {_value(each, depth + 1)},\n" for key, each in value.items()
        )
        return "{\n" + "".join(items) + "    " * depth + "}" if value else "{}"
    if isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
        indent = "    " * (depth + 1)
        lines = "".join(f"{indent}{_value(each, depth + 1)},\n" for each in value)
        return f"[\n{lines}{'    ' * depth}]"
    if isinstance(value, list):
        return f"[{', '.join(_value(each, depth) for each in value)}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    """Return the string literal of *value*, in double quotes unless it contains some."""
    plain = value.isprintable() and '"' not in value
    return json.dumps(value, ensure_ascii=False) if plain else repr(value)


def _flat(value: Any) -> Iterator[Any]:
    """Yield the values in *value*, at any depth."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _flat(each)
    elif isinstance(value, list):
        for each in value:
            yield from _flat(each)
    else:
        yield value
