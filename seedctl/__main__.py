"""The program: ``seedctl`` and ``python -m seedctl``.

Ctrl-C must not show a Python traceback, not even while modules are loaded. So this one loads none
before its own handlers are set.
"""

import os
import sys


def main() -> int:
    """Run the command line and return its exit code."""
    codes: list[int] = []

    def end(number: int, _frame: object) -> None:
        """End at once: nothing has begun yet, or all is done."""
        if not codes and sys.stderr is not None:
            try:  # noqa: SIM105 - contextlib takes a while to load
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
    from seedctl.cli.main import main as run  # noqa: PLC0415

    codes.append(run())
    import threading  # noqa: PLC0415

    # Python would wait for threads that were left behind, and ends by a SIGINT of its own where an
    # interrupt has passed through exec().
    if codes[0] > 128 or threading.active_count() > 1:
        _leave(codes[0])
    return codes[0]


def _leave(code: int) -> None:
    """End the process at once, but for what Python itself does last."""
    import atexit  # noqa: PLC0415
    import threading  # noqa: PLC0415

    threading.excepthook = lambda _: None  # of threads that are cut off
    atexit._run_exitfuncs()  # noqa: SLF001 - what a script has registered
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads it any more
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
