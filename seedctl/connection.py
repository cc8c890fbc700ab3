"""Connect to a backend: what was asked for, or what the running script's project says."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl import masking
from seedctl.auth.refusals import APP_CLIENT_SECRET
from seedctl.backend import Backend, active_backends
from seedctl.embedded import InboxCodes, is_served_here, local_endpoint
from seedctl.errors import InvalidCommandInputError, NoBackendError, ProjectNotFoundError
from seedctl.hooks import masked_excepthook
from seedctl.project import chosen_identifier, find_project
from seedctl.prompter import CommandCodes
from seedctl.report import PlainReport

if TYPE_CHECKING:
    from seedctl.project import BackendIdentifier, Project
    from seedctl.prompter import CodeSource
    from seedctl.report import Observer
    from seedctl.target import TargetDetail


def current_backend() -> Backend:
    """Return the backend whose ``with`` block this call is in, such as the running script's.

    In a script started as plain ``python amplify/seed/seed.py``, the first call connects, by the
    rules of the command line, and the process's end closes. Raises NoBackendError where there is no
    script to tell the project from, and outside of every block in a process that has connected a
    backend itself: it would be another one than the process has named.
    """
    return active_backends.current(_connect_for_script)


def connect(
    project_dir: str | Path | None = None,
    *,
    identifier: str | BackendIdentifier | None = None,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    outputs: str | Path | None = None,
    local: bool | None = None,
    app_client_secret: str | None = None,
    mfa_command: str | None = None,
    prompt: bool = False,
    observer: Observer | None = None,
    target: TargetDetail = "outputs",
) -> Backend:
    """Connect to a sandbox of the project in *project_dir*, or in or above the working directory.

    Makes no AWS call. Inside of ``with connect(...) as backend:`` the module-level functions act on
    that backend. From this call on, the process never connects to another one by itself: a
    function that is called outside of every block raises NoBackendError.

    With *local* (or SEEDCTL_LOCAL=1) an embedded local sandbox serves everything until the backend
    is closed. *identifier* defaults to AMPLIFY_BACKEND_IDENTIFIER, then SEEDCTL_IDENTIFIER, then the
    name of the operating system's account. An option that is an empty text is refused, since it
    comes from a variable that was never set: InvalidCommandInputError.

    *app_client_secret* (or SEEDCTL_APP_CLIENT_SECRET, but for the local sandbox) is that of an app
    client that has one, which Amplify's own never have.

    One-time codes that no callback gives come from *mfa_command* (or SEEDCTL_MFA_COMMAND), in the
    local sandbox from its outbox unless *prompt* is set, else from whoever sits at the terminal.
    """
    # First, whatever comes of the rest: a failed connect(local=True) must not lead to the real AWS.
    active_backends.connected_on_request()
    given = {
        "project_dir": project_dir,
        "identifier": identifier,
        "profile": profile,
        "region": region,
        "endpoint_url": endpoint_url,
        "outputs": outputs,
    }
    for name, value in given.items():
        if value == "":
            raise InvalidCommandInputError(
                f"{name} is empty.", resolution="Give it a value, or leave it out."
            )
    return _connect(
        find_project(Path(), explicit=Path(project_dir) if project_dir is not None else None),
        identifier=identifier,
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
        outputs_path=Path(outputs) if outputs is not None else None,
        is_local=local_from_environment() if local is None else local,
        app_client_secret=app_client_secret,
        mfa_command=mfa_command,
        prompt=prompt,
        observer=observer,
        target=target,
    )


def _connect(
    project: Project,
    *,
    is_local: bool,
    identifier: str | BackendIdentifier | None = None,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    outputs_path: Path | None = None,
    app_client_secret: str | None = None,
    mfa_command: str | None = None,
    prompt: bool = False,
    observer: Observer | None = None,
    target: TargetDetail = "outputs",
) -> Backend:
    from seedctl.aws import AWS, AWSSettings, chosen_quotas  # noqa: PLC0415 - botocore is slow

    if is_local and endpoint_url is not None:
        raise InvalidCommandInputError(
            "--local and --endpoint-url exclude each other.",
            resolution="Leave one of them out: --local brings its own endpoint.",
        )
    chosen = chosen_identifier(identifier, project)
    quotas = chosen_quotas(project)
    observer = observer or PlainReport()
    mfa_command = mfa_command or os.environ.get("SEEDCTL_MFA_COMMAND")
    if app_client_secret is None and not is_local:  # the sandbox's app client has none
        app_client_secret = os.environ.get(APP_CLIENT_SECRET) or None
    masking.register(app_client_secret)
    codes: CodeSource | None = None
    if mfa_command:
        codes = CommandCodes(mfa_command)
    elif is_local and not prompt:
        codes = InboxCodes(project.state_folder, observer)
    with ExitStack() as resources:
        if is_local:
            endpoint_url = resources.enter_context(local_endpoint(project, outputs_path))
        settings = AWSSettings(
            profile, region, endpoint_url, is_local, is_paced=not is_served_here(endpoint_url)
        )
        backend: Backend

        def fallback_region() -> str | None:
            if is_local:
                return "us-east-1"
            auth = backend.outputs.auth
            return auth.user_pool_region if auth is not None else None

        backend = Backend(
            project=project,
            identifier=chosen,
            aws=AWS(settings, fallback_region=fallback_region, quotas=quotas),
            outputs_path=outputs_path,
            observer=observer,
            app_client_secret=app_client_secret,
            target=target,
            codes=codes,
            resources=resources.pop_all(),
        )
    return backend


def local_from_environment() -> bool:
    """Whether SEEDCTL_LOCAL asks for the local sandbox.

    Raises InvalidCommandInputError for a value that is neither yes nor no: to take it for no would
    lead to the real AWS.
    """
    value = os.environ.get("SEEDCTL_LOCAL", "")
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise InvalidCommandInputError(
        f"SEEDCTL_LOCAL is {value!r}.",
        resolution="Set it to 1 for the local sandbox, to 0 for AWS, or unset it.",
    )


def _connect_for_script() -> Backend:
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is None:
        raise NoBackendError(
            "No backend is connected.",
            resolution="Run the script with seedctl seed or python, or write "
            "with seedctl.connect(...) as backend: around the call.",
        )
    sys.excepthook = masked_excepthook
    try:
        project = find_project(Path(script).absolute().parent)
    except ProjectNotFoundError:  # the script may be a link into a project
        project = find_project(Path(script).resolve().parent)
    backend = _connect(project, is_local=local_from_environment())
    atexit.register(backend.close)
    return backend
