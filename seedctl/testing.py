"""Tests with seeded data: run a seed script once, and restore the seeded state before each test.

The fixtures of the pytest plugin use this module. Tests in other test runners use it directly.
"""

from __future__ import annotations

import contextvars
import secrets as random
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl.backend import Backend, active_backends
from seedctl.cognito.totp import save_used_codes
from seedctl.cognito.types import AnyUser, SignInOptions, username_of
from seedctl.connection import Connection, ConnectionOptions
from seedctl.errors import (
    InvalidCommandInputError,
    InvalidParameterException,
    LocalSandboxError,
    SeedctlError,
    SeedingFailedError,
)
from seedctl.masking import mask
from seedctl.nearest import module_getattr
from seedctl.project import BackendChoice, find_script
from seedctl.project.root import SCRIPT
from seedctl.runner.script import run_script, shadowed_modules

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from seedctl.users.session import UserSession

__all__ = ["SeededSandbox", "run_seed"]

_IDENTIFIER = "tests"
_EMPTY, _SEEDED = "empty", "seeded"
_PASSWORD_LENGTH = 24


def run_seed(
    backend: Backend, *, script: str | Path | None = None, arguments: Sequence[str] = ()
) -> None:
    """Run a seed script in this process, as ``seedctl seed`` does, and restore the process afterwards.

    Nobody is signed in when the script starts. Sessions that it leaves open are signed out. The
    current user of the caller stays signed in.

    Args:
        backend: The backend to seed.
        script: The script. Default: ``amplify/seed/seed.py`` of the backend's project.
        arguments: The script's ``sys.argv[1:]``.

    Raises:
        SeedingFailedError: The script raised an exception, which is the cause of this error, or ended
            with an exit code other than 0.
        SeedctlError: The script did not catch an error of seedctl.
        SeedScriptNotFoundError: There is no such script.
    """
    path = find_script(backend.project, explicit=Path(script) if script is not None else None)
    backend.check_outputs()
    for name in shadowed_modules(path):
        text = (
            f"{name} beside {path.name} has the name of a module that is loaded already and is imported "
            "instead."
        )
        warnings.warn(text, stacklevel=2)
    before = backend.auth.open_sessions()
    try:
        # In a new context nobody is signed in, and a sign-in of the script stays in it.
        contextvars.Context().run(run_script, path, backend, arguments)
    except SystemExit as end:
        if end.code not in (None, 0):  # it may be any object
            raise SeedingFailedError(
                f"The seed script {path.name} ended with sys.exit({mask(repr(end.code))}).",
                resolution="Let the script run to its end, or exit with 0.",
            ) from None
    finally:
        backend.auth.close(but=before)


class _SharedBackend(Backend):
    """A backend for many tests: the end of a ``with`` block does not close it."""

    def __exit__(self, *_: object) -> None:
        self._blocks.pop().__exit__(None, None, None)


class SeededSandbox:
    """A local sandbox for tests, in this process: seeded once, and restored before each test.

    It never uses the project's own local sandbox. As a context manager, it closes at the end of the
    block. Not thread-safe: run one test after the other.

    Attributes:
        backend: The backend. The module-level functions act on it in a ``with sandbox.backend:``
            block, which does not close it.
    """

    def __init__(
        self,
        state: str | Path | None = None,
        *,
        project_dir: str | Path | None = None,
        outputs: str | Path | None = None,
        script: str | Path | None = None,
        arguments: Sequence[str] = (),
        secrets: Mapping[str, str] | None = None,
        origins: Sequence[str] = (),
    ) -> None:
        """Start the sandbox. It contains *secrets*, and no other data.

        Args:
            state: An empty folder for the state; created if needed. Default: a temporary one, which
                ``close`` removes.
            project_dir: The project's folder. Default: the nearest one at or above the working
                directory.
            outputs: The outputs file. Default: the project's.
            script: The seed script. Default: ``amplify/seed/seed.py`` of the project.
            arguments: The script's ``sys.argv[1:]``.
            secrets: The values of secrets, by name. Other secrets that the script reads get made-up
                values: an e-mail address if the name ends in "username" or "email", otherwise a password
                that meets the password policy.
            origins: The origins of web pages that may call the sandbox, such as
                ``http://localhost:3000``.

        Raises:
            InvalidCommandInputError: The folder *state* is not empty.
            ProjectNotFoundError: There is no Amplify project.
            LocalSandboxError: The state cannot be used.
        """
        self._script = Path(script).absolute() if script is not None else None
        self._arguments = tuple(arguments)
        self._passwords: dict[str, str] = {}
        self._seeded_passwords: dict[str, str] = {}
        self._made_up: list[str] = []
        self._is_seeding = self._is_seeded = self._is_closed = False
        self._failure: str | None = None
        self._reset_codes: Callable[[], None] = lambda: None
        with ExitStack() as opened:
            options = ConnectionOptions(
                project_dir=project_dir,
                choice=BackendChoice(_IDENTIFIER),
                outputs=outputs,
                local=True,
                target="none",
                state=_empty_folder(state, opened),
                origins=origins,
                missing_secret=self._make_up,
                on_password=self._note_password,
            )
            self.backend = self._connect(options, secrets or {}, opened)
            self._opened = opened.pop_all()

    def _connect(
        self, options: ConnectionOptions, secrets: Mapping[str, str], opened: ExitStack
    ) -> Backend:
        active_backends().count_explicit_connection()
        backend = _SharedBackend(Connection(options))
        opened.callback(backend.close)
        for name, value in secrets.items():
            backend.secrets.set(name, value)
        backend.save_state(_EMPTY)
        return backend

    @property
    def script(self) -> Path:
        """The seed script, which may not exist."""
        return self._script or self.backend.project.root / SCRIPT

    @property
    def has_failed(self) -> bool:
        """Whether seeding has failed. It is not attempted again."""
        return self._failure is not None

    def __enter__(self) -> SeededSandbox:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def restore(self) -> Backend:
        """End every open session, and restore the state after seeding; the first call seeds.

        Returns:
            The backend.

        Raises:
            SeedctlError: As ``run_seed`` raises it, at the first call. Later calls raise a
                SeedingFailedError that only names the first error.
            LocalSandboxError: The sandbox is closed, or its state cannot be used.
        """
        if self._is_closed:
            raise LocalSandboxError(
                "This sandbox is closed.", resolution="Make another one with SeededSandbox()."
            )
        if self._failure is not None:
            raise SeedingFailedError(
                f"Seeding has failed before: {self._failure}",
                resolution="See the first test that used the seeded data.",
            )
        if not self._is_seeded:
            self._seed()
        else:
            self.backend.restore_state(_SEEDED)
            self._reset_codes()
        self._passwords = dict(self._seeded_passwords)
        return self.backend

    def sign_in(
        self, user: AnyUser, password: str | None = None, **options: Unpack[SignInOptions]
    ) -> UserSession:
        """Sign a user in, and return the session; ``restore`` and ``close`` sign it out.

        Args:
            user: The user's name, or an object that has it, such as AuthOutputs.
            password: The password. Default: the one with which seedctl created the user, in the seed
                script or since the last ``restore``.
            options: As for ``sign_in_user``, such as ``sign_in_flow="MFA"``.

        Raises:
            InvalidParameterException: The password is not known.
            NotAuthorizedException: Wrong password.
        """
        name = username_of(user)
        if password is None:
            password = self._passwords.get(name)
        if password is None:
            raise InvalidParameterException(
                f"The password of {mask(name)} is not known: seedctl did not create this user here.",
                resolution="Give the user's name as in the seed script, or pass password=.",
            )
        return self.backend.auth.sign_in(name, password, **options)

    def close(self) -> None:
        """Sign out every open session, stop the sandbox, and remove a temporary state."""
        self._is_closed = True
        self._opened.close()

    def _seed(self) -> None:
        self.backend.restore_state(_EMPTY)  # tests may have used the backend before
        self._is_seeding = True
        try:
            run_seed(self.backend, script=self._script, arguments=self._arguments)
            self.backend.save_state(_SEEDED)
        except SeedctlError as error:
            self._failure = f"[{error.name}] {error.message}"
            if self._made_up:
                error.resolution = " ".join(filter(None, [error.resolution, self._advice()]))
            raise
        finally:
            self._is_seeding = False
        self._reset_codes = save_used_codes()
        self._seeded_passwords = self._passwords
        self._is_seeded = True

    def _advice(self) -> str:
        return (
            f"No value was given for the secrets {', '.join(self._made_up)}, so seedctl made values "
            "up. If they do not fit, give values: with the fixture seedctl_secrets in pytest, "
            "otherwise with secrets=."
        )

    def _make_up(self, name: str) -> str | None:
        """Return a value for a secret that the seed script reads; None if it is not seeding."""
        if not self._is_seeding:
            return None
        self._made_up.append(name)
        if name.lower().endswith(("username", "email")):
            return f"{random.token_hex(8)}@example.com"
        auth = self.backend.outputs.auth
        policy = auth.password_policy if auth is not None else None
        length = max(_PASSWORD_LENGTH, policy.min_length if policy is not None else 0)
        return "Aa1!" + random.token_hex(length)[: length - 4]

    def _note_password(self, username: str, password: str) -> None:
        self._passwords[username] = password


def _empty_folder(folder: str | Path | None, opened: ExitStack) -> str | Path:
    """Return *folder*, or a temporary one until *opened* is closed. Raises InvalidCommandInputError."""
    if folder is None:
        return opened.enter_context(tempfile.TemporaryDirectory())
    if Path(folder).is_dir() and any(Path(folder).iterdir()):
        raise InvalidCommandInputError(
            f"The folder {folder} for the state of tests is not empty.",
            resolution="Name an empty or a new folder, or leave state out.",
        )
    return folder


__getattr__ = module_getattr(__name__, __all__)
