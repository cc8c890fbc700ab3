"""Whether the main thread waits for other threads to end, which may take for ever."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

# Functions in which the main thread, or asyncio in another one, waits for threads.
_IN_MAIN = (("threading.py", "join"), ("s3transfer/manager.py", "_shutdown"))
_ENVIRONMENT_EXIT_CODES = (("asyncio/base_events.py", "_do_shutdown"),)


def waits_for_threads() -> bool:
    """Whether the main thread waits for other threads to end."""
    main = threading.main_thread().ident
    for identifier, innermost in sys._current_frames().items():  # noqa: SLF001 - as faulthandler
        waits = _IN_MAIN if identifier == main else _ENVIRONMENT_EXIT_CODES
        frame: FrameType | None = innermost
        while frame is not None:
            code = frame.f_code
            if any(
                code.co_filename.endswith(file) and code.co_name == name for file, name in waits
            ):
                return True
            frame = frame.f_back
    return False
