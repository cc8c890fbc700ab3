"""The program: ``seedctl`` and ``python -m seedctl``.

Ctrl-C must not show a Python traceback, not even while modules are loaded. So this module imports
nothing but built-in modules before its signal handlers are set.
"""

import atexit
import os
import sys


def main() -> int:
    """Run the command line and return its exit code."""
    codes: list[int] = []

    def end(number: int, _frame: object) -> None:
        """End the process: the command line has not started yet, or has finished already."""
        if not codes and sys.stderr is not None:
            try:  # noqa: SIM105 - contextlib is slow to load
                os.write(2, b"Interrupted.\n")
            except OSError:
                pass
        os._exit(codes[0] if codes else 128 + number)

    try:
        import signal  # noqa: PLC0415

        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                signal.signal(number, end)
    except KeyboardInterrupt:
        end(2, None)
    from seedctl.cli.main import ProcessEnd  # noqa: PLC0415
    from seedctl.cli.main import main as run  # noqa: PLC0415
    from seedctl.process_state import instance  # noqa: PLC0415

    codes.append(run())
    _end(codes[0], is_quick=instance(ProcessEnd).is_quick)
    return codes[0]


def _end(code: int, *, is_quick: bool) -> None:
    """End the process at once where a normal exit would take long, or change the exit code.

    A normal exit frees all memory, which is a fifth of the work of a short command; those with
    *is_quick* go without. It waits for threads that were left running. And after a signal, where an
    interrupt is still pending, the interpreter ends with a SIGINT of its own.
    """
    import threading  # noqa: PLC0415

    if not is_quick and code <= 128 and threading.active_count() == 1:
        return
    threading.excepthook = lambda _: None  # the threads end in the middle of their work
    atexit._run_exitfuncs()  # noqa: SLF001 - what a script has registered
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass  # the reader is gone
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
