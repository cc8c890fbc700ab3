"""Find a user, a record and a file by trying them on a local sandbox in a temporary folder."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from seedctl.backend import connect
from seedctl.cognito.new_user import derive_temporary_password
from seedctl.cognito.totp import Authenticator
from seedctl.cognito.types import NewUser
from seedctl.errors import LocalSandboxError, SeedctlError
from seedctl.first_script.files import FirstFile, find_file, names_group
from seedctl.first_script.records import FirstRecord, Refusals, find_record, may_differ
from seedctl.first_script.users import FirstUser, group_names, user_candidates
from seedctl.report import Report
from seedctl.source.synthesis import temporary_folder

if TYPE_CHECKING:
    from seedctl.backend import Backend
    from seedctl.outputs import AmplifyOutputs
    from seedctl.outputs.model_schema import ModelSources


@dataclass(frozen=True, slots=True)
class FirstScript:
    """What the script does. A part is None if the backend lacks it, or the user may not do it."""

    user: FirstUser | None = None
    record: FirstRecord | None = None
    file: FirstFile | None = None


def find_first_script(outputs: AmplifyOutputs) -> FirstScript:
    """Return what a script for the backend of *outputs* can do, also when it runs again.

    The user is a member of a group only if the script can write more then. Raises SeedctlError if
    the local sandbox cannot serve the backend.
    """
    groups = (None, *group_names(outputs)) if outputs.auth is not None else (None,)
    best, most = FirstScript(), -1
    refusals: Refusals = {}
    sources = cache(outputs.model_sources)
    for group in groups:
        if group is not None and not _may_write_more(outputs, sources, group, best, refusals):
            continue
        found = _try(outputs, group, refusals)
        worth = _worth(has_record=found.record is not None, has_file=found.file is not None)
        if worth > most:
            best, most = found, worth
        if most == _possible(outputs):
            break
    return best


def _may_write_more(
    outputs: AmplifyOutputs,
    sources: Callable[[], ModelSources],
    group: str,
    best: FirstScript,
    refusals: Refusals,
) -> bool:
    """Whether a member of *group* may write something that the *best* script so far does not.

    The rules tell, and a trial takes long: it needs a sandbox, a user and many requests.
    """
    if best.file is None and names_group(outputs, group):
        return True
    if best.record is not None or outputs.data is None or outputs.data.schema is None:
        return False
    models = outputs.data.schema.models.values()
    return any(may_differ(model, sources(), group, refusals) for model in models)


def _possible(outputs: AmplifyOutputs) -> int:
    """Return the worth of the best possible script: one that writes all that the backend has."""
    schema = outputs.data.schema if outputs.data is not None else None
    return _worth(
        has_record=schema is not None and bool(schema.models), has_file=outputs.storage is not None
    )


def _worth(*, has_record: bool, has_file: bool) -> int:
    """Return what a script is worth: a record counts more than a file."""
    return 2 * has_record + has_file


def _try(outputs: AmplifyOutputs, group: str | None, refusals: Refusals) -> FirstScript:
    with _sandbox(outputs) as backend:
        user, user_id = None, None
        if outputs.auth is not None:
            user, user_id = _create_user(backend, outputs, group)
        record = None
        if outputs.data is not None:
            record = find_record(backend.data.generate_client(), outputs, user_id, group, refusals)
        has_identity = outputs.auth is not None and outputs.auth.identity_pool_id is not None
        file = find_file(backend.storage, outputs) if has_identity else None
        return FirstScript(user, record, file)


def _create_user(
    backend: Backend, outputs: AmplifyOutputs, group: str | None
) -> tuple[FirstUser, str | None]:
    """Create and sign in the first candidate for whom that succeeds; return it and its id."""
    refusal: SeedctlError | None = None
    for number, candidate in enumerate(user_candidates(outputs, group)):
        # This password meets every policy, and is masked in messages.
        password = derive_temporary_password(
            secrets.token_hex(), user_pool_id=str(number), username=candidate.username
        )
        user = NewUser(
            username=candidate.username,
            password=password,
            sign_in_flow="MFA" if candidate.mfa is not None else "Password",
            user_attributes=dict(candidate.attributes),
            groups=() if group is None else (group,),
            mfa_preference=candidate.mfa,
            totp_sign_up_challenge=Authenticator().enroll if candidate.mfa == "TOTP" else None,
        )
        try:
            created = backend.ambient_auth.create_user(
                user, if_exists="error", sign_in_after_creation=True
            )
        except LocalSandboxError:
            raise
        except SeedctlError as error:
            refusal = refusal or error
        else:
            return candidate, created.user_id
    assert refusal is not None  # there is at least one candidate
    raise refusal


@contextmanager
def _sandbox(outputs: AmplifyOutputs) -> Iterator[Backend]:
    """Yield a local sandbox of *outputs* that is removed at the end of the block."""
    with temporary_folder() as root:
        (root / "package.json").write_text('{"name": "first-script"}', encoding="utf-8")
        path = root / "outputs.json"
        path.write_text(json.dumps(outputs.document), encoding="utf-8")
        with connect(
            root, identifier="first", outputs=path, local=True, observer=Report(), target="none"
        ) as backend:
            yield backend
