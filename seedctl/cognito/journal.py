"""The journal of unfinished users: one marker file for each, in the state folder.

A run writes the marker before it creates the user, and removes it when the user has its final
password. In between it records in the marker that Cognito confirmed the creation: without that
confirmation, a user that exists may have been created by something else. A marker contains no name
and no secret; its file name is a hash. One file for each user, not one list, so that concurrent or
killed runs leave no half-written file.

While a run creates a user, it holds a lock on the marker: the claim. The operating system releases
the lock when the process ends, for whatever reason.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal

from seedctl.errors import UsernameExistsError
from seedctl.masking import mask
from seedctl.project.lock import FileLock

JournalState = Literal["new", "started", "created"]
"""What an earlier run recorded about a user: "new", nothing; "started", that it was about to
create the user; "created", that Cognito confirmed the creation."""

_FOLDER = "unfinished"
# Both have the same length, so overwriting one with the other leaves no mixture if it is interrupted.
_STARTED, _CREATED = b"started", b"created"

_MIN_PAUSE, _MAX_PAUSE = 0.01, 0.25  # seconds between two attempts to get the lock
_WARN_SECONDS = 5.0
_TIMEOUT_SECONDS = 200.0  # a sign-in with codes typed by hand may take three minutes


class Claim:
    """The exclusive right to create one user. One run on this machine holds it at a time."""

    def __init__(
        self,
        marker: Path,
        lock: FileLock | None,
        warning_of_errors: Callable[[], AbstractContextManager[None]],
        *,
        was_waited_for: bool,
    ) -> None:
        """*lock* is None if the folder cannot be written; then nothing is recorded."""
        self.was_waited_for = was_waited_for
        """Whether another run held the claim when this run asked for it."""
        self._marker = marker
        self._lock = lock
        self._warning_of_errors = warning_of_errors
        content = lock.read(len(_CREATED)) if lock is not None else b""
        states: dict[bytes, JournalState] = {b"": "new", _CREATED: "created"}
        self.state = states.get(content, "started")
        """What an earlier run recorded, before this one."""
        if self.state == "new":
            self._write(_STARTED)

    def mark_created(self) -> None:
        """Record that Cognito confirmed the creation of the user."""
        self._write(_CREATED)

    def clear(self) -> None:
        """Remove the marker: no later run has to finish this user.

        Another run may claim the user from then on, before the end of the block too.
        """
        if self._lock is not None:
            with self._warning_of_errors():
                self._marker.unlink(missing_ok=True)

    def _write(self, content: bytes) -> None:
        if self._lock is not None:
            with self._warning_of_errors():
                self._lock.write(content)


class Journal:
    """The unfinished users of one project."""

    def __init__(self, state_folder: Path, warn: Callable[[str], None]) -> None:
        """*warn* is called, at most once, if the folder cannot be written."""
        self._state_folder = state_folder
        self._warn = warn
        self._warned = False

    @contextmanager
    def claim(self, user_pool_id: str, username: str) -> Iterator[Claim]:
        """Hold the claim on the user for the block; wait while another run holds it.

        Raises UsernameExistsError if another run still holds it after 200 seconds.
        """
        marker = self._marker(user_pool_id, username)
        lock, was_waited_for = None, False
        # After an error go on without a journal: if this run is stopped, the next cannot finish its
        # users.
        with self._warning_of_errors():
            marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._state_folder.chmod(0o700)  # mkdir applies its mode to the last folder only
            lock, was_waited_for = self._lock(marker, username)
        try:
            yield Claim(marker, lock, self._warning_of_errors, was_waited_for=was_waited_for)
        finally:
            if lock is not None:
                lock.release()

    def _lock(self, marker: Path, username: str) -> tuple[FileLock, bool]:
        """Return the lock on *marker*, and whether another run held it."""
        started_at = time.monotonic()
        pause = _MIN_PAUSE
        has_warned = False
        while (lock := FileLock.take(marker, seconds=0)) is None:
            waited = time.monotonic() - started_at
            if waited > _TIMEOUT_SECONDS:
                raise UsernameExistsError(
                    f"Another run on this machine has been creating {mask(username)} for "
                    f"{_TIMEOUT_SECONDS:.0f} s.",
                    resolution="Wait until that run ends, or end it, and run again.",
                )
            if waited > _WARN_SECONDS and not has_warned:
                has_warned = True
                self._warn(f"Waiting for another run that is creating {mask(username)}.")
            time.sleep(pause)
            pause = min(pause * 1.5, _MAX_PAUSE)
        return lock, pause > _MIN_PAUSE

    def is_unfinished(self, user_pool_id: str, username: str) -> bool:
        """Whether an earlier run left this user unfinished, or another run is creating it."""
        try:
            return self._marker(user_pool_id, username).exists()
        except OSError:
            return False

    def clear(self, user_pool_id: str, username: str) -> None:
        """Remove the user's marker, unless another run is creating the user."""
        with self._warning_of_errors():
            self._remove(self._marker(user_pool_id, username))

    def clear_all(self) -> None:
        """Remove the markers of all users, except those that another run is creating."""
        with self._warning_of_errors():
            folder = self._state_folder / _FOLDER
            for marker in folder.iterdir() if folder.is_dir() else ():
                self._remove(marker)

    def _remove(self, marker: Path) -> None:
        lock = FileLock.take(marker, seconds=0) if marker.exists() else None
        if lock is not None:
            marker.unlink(missing_ok=True)
            lock.release()

    @contextmanager
    def _warning_of_errors(self) -> Iterator[None]:
        """Warn, instead of raising, if the block cannot read or write the folder."""
        try:
            yield
        except OSError as error:
            if not self._warned:
                self._warned = True
                self._warn(
                    f"{self._state_folder} cannot be written ({error.strerror}): if this run is "
                    'stopped, finish its users with if_exists="sign_in".'
                )

    def _marker(self, user_pool_id: str, username: str) -> Path:
        source = f"{user_pool_id}\0{username}".encode("utf-8", "surrogatepass")
        return self._state_folder / _FOLDER / hashlib.sha256(source).hexdigest()
