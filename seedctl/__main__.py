"""``python -m seedctl``."""

from __future__ import annotations

from seedctl.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
