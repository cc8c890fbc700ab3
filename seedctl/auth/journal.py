"""Which users a run has begun and not finished: a marker file each, in the state folder.

A marker is written before the user is created and removed when the user has its final password. In
between it notes that Cognito has confirmed the creation: until then the user may be somebody else's.
It holds no name and no secret; its own name is a digest. Files rather than one list, so that two runs
at once, or a kill in the middle, leave nothing half-written.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Note = Literal["new", "begun", "created"]
    """What was noted of a user before: nothing; that it was about to be created; that it was."""

_FOLDER = "unfinished"
_CREATED = "created"


class Journal:
    """The unfinished users of one project; *warn* hears when the folder cannot be written."""

    def __init__(self, state_folder: Path, warn: Callable[[str], None]) -> None:
        self._state_folder = state_folder
        self._warn = warn
        self._warned = False

    def begin(self, user_pool_id: str, username: str) -> Note:
        """Note that the user is about to be created; return what was noted before.

        That is another run's, which has not finished: one before this, or one at the same time.
        """
        marker = self._marker(user_pool_id, username)
        try:
            marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._state_folder.chmod(0o700)  # mkdir gives parents the umask's mode
            if marker.exists():
                return self._note(marker)
            marker.touch(mode=0o600, exist_ok=False)
        except OSError as error:
            if self.names(user_pool_id, username):
                return self._note(marker)  # another run was quicker
            # The run is more useful than the journal; only healing by itself is lost.
            self._warn_once(
                f"{self._state_folder} cannot be written ({error.strerror}): if this run is "
                'stopped, finish its users with if_exists="sign_in".'
            )
        return "new"

    def confirm(self, user_pool_id: str, username: str) -> None:
        """Note that it was us who created the user."""
        marker = self._marker(user_pool_id, username)
        try:
            if marker.exists():  # it may be one that could not be written
                marker.write_text(_CREATED, encoding="utf-8")
        except OSError as error:
            self._warn_once(f"{self._state_folder} cannot be written: {error.strerror}.")

    @staticmethod
    def _note(marker: Path) -> Note:
        try:
            return "created" if marker.read_text(encoding="utf-8") == _CREATED else "begun"
        except FileNotFoundError:  # a run beside this one has just finished it
            return "begun"

    def names(self, user_pool_id: str, username: str) -> bool:
        """Whether an earlier run left this user unfinished."""
        try:
            return self._marker(user_pool_id, username).exists()
        except OSError:
            return False

    def finish(self, user_pool_id: str, username: str) -> None:
        """Note that the user has its final password, or was never created."""
        try:
            self._marker(user_pool_id, username).unlink(missing_ok=True)
        except OSError as error:
            self._warn_once(f"{self._state_folder} cannot be written: {error.strerror}.")

    def _warn_once(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(text)

    def _marker(self, user_pool_id: str, username: str) -> Path:
        source = f"{user_pool_id}\0{username.casefold()}".encode("utf-8", "surrogatepass")
        return self._state_folder / _FOLDER / hashlib.sha256(source).hexdigest()
