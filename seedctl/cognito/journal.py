"""Which users a run has begun and not finished: a marker file each, in the state folder.

A marker is written before the user is created and removed when the user has its final password. In
between it notes that Cognito has confirmed the creation: until then the user may be somebody else's.
It holds no name and no secret; its own name is a digest. Files rather than one list, so that two runs
at once, or a kill in the middle, leave nothing half-written.

The run that creates a user holds a lock on the marker: the claim. The operating system takes it back
when the process ends, however it ends.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from seedctl.errors import UsernameExistsError
from seedctl.masking import mask
from seedctl.project.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    JournalState = Literal["new", "started", "created"]
    """What was noted of a user before: nothing; that it was about to be created; that it was."""

_FOLDER = "unfinished"
# Of one length: a marker is never half-written, whenever the process is killed.
_STARTED, _CREATED = b"started", b"created"

_PAUSES = (0.01, 0.25)  # between two looks at a claim that another run holds, growing
_WARN_SECONDS = 5.0
_PATIENCE_SECONDS = 200.0  # a sign-in with codes typed by hand may take three minutes


class Claim:
    """The right to create one user, which one run on this machine has at a time."""

    def __init__(
        self,
        marker: Path,
        lock: FileLock | None,
        warn: Callable[[OSError], None],
        *,
        was_waited_for: bool,
    ) -> None:
        """*lock* is None where the folder cannot be written: then nothing is noted."""
        self.was_waited_for = was_waited_for
        """Whether another run was creating the user when this one came."""
        self.state: JournalState = "new"
        self._marker = marker
        self._lock = lock
        self._warn = warn
        noted = lock.read(len(_CREATED)) if lock is not None else b""
        if noted == _CREATED:
            self.state = "created"
        elif noted:
            self.state = "started"
        else:
            self._note(_STARTED)

    def mark_created(self) -> None:
        """Note that it was this run that created the user."""
        self._note(_CREATED)

    def clear(self) -> None:
        """Note that the user has its final password, or is none of this run's.

        Another run may have the user from then on, before :meth:`release` too.
        """
        if self._lock is not None:
            try:
                self._marker.unlink(missing_ok=True)
            except OSError as error:
                self._warn(error)

    def release(self) -> None:
        """Let another run have the user. A second call does nothing."""
        if self._lock is not None:
            self._lock.release()

    def _note(self, what: bytes) -> None:
        if self._lock is not None:
            try:
                self._lock.write(what)
            except OSError as error:
                self._warn(error)


class Journal:
    """The unfinished users of one project; *warn* hears when the folder cannot be written."""

    def __init__(self, state_folder: Path, warn: Callable[[str], None]) -> None:
        self._state_folder = state_folder
        self._warn = warn
        self._warned = False

    @contextmanager
    def claim(self, user_pool_id: str, username: str) -> Iterator[Claim]:
        """Have the user to oneself for the block, waiting for another run on this machine.

        Raises UsernameExistsError when the other run is still at it after 200 seconds.
        """
        marker = self._marker(user_pool_id, username)
        began = time.monotonic()
        pause, longest = _PAUSES
        has_warned = False
        while True:
            try:
                marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._state_folder.chmod(0o700)  # mkdir gives parents the umask's mode
                lock = FileLock.take(marker, seconds=0)
            except OSError as error:
                # The run is more useful than the journal; only healing by itself is lost.
                self._warn_unwritable(error)
                claim = Claim(marker, None, self._warn_unwritable, was_waited_for=False)
                break
            waited = time.monotonic() - began
            if lock is not None:
                claim = Claim(
                    marker, lock, self._warn_unwritable, was_waited_for=pause > _PAUSES[0]
                )
                break
            if waited > _PATIENCE_SECONDS:
                raise UsernameExistsError(
                    f"Another run on this machine has been creating {mask(username)} for "
                    f"{_PATIENCE_SECONDS:.0f} s.",
                    resolution="Wait until that run ends, or end it, and run again.",
                )
            if waited > _WARN_SECONDS and not has_warned:
                has_warned = True
                self._warn(f"Waiting for another run that is creating {mask(username)}.")
            time.sleep(pause)
            pause = min(pause * 1.5, longest)
        try:
            yield claim
        finally:
            claim.release()

    def is_unfinished(self, user_pool_id: str, username: str) -> bool:
        """Whether an earlier run left this user unfinished, or another one is creating it."""
        try:
            return self._marker(user_pool_id, username).exists()
        except OSError:
            return False

    def clear(self, user_pool_id: str, username: str) -> None:
        """Note that the user has its final password, unless another run is creating it."""
        try:
            marker = self._marker(user_pool_id, username)
            lock = FileLock.take(marker, seconds=0) if marker.exists() else None
            if lock is not None:
                marker.unlink(missing_ok=True)
                lock.release()
        except OSError as error:
            self._warn_unwritable(error)

    def _warn_unwritable(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            self._warn(
                f"{self._state_folder} cannot be written ({error.strerror}): if this run is "
                'stopped, finish its users with if_exists="sign_in".'
            )

    def _marker(self, user_pool_id: str, username: str) -> Path:
        source = f"{user_pool_id}\0{username}".encode("utf-8", "surrogatepass")
        return self._state_folder / _FOLDER / hashlib.sha256(source).hexdigest()
