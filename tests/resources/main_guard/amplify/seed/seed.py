"""Guarded, with arguments and the environment of a run."""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    print(
        json.dumps(
            {
                "argv": sys.argv[1:],
                "cwd": Path.cwd().name,
                "identifier": os.environ["AMPLIFY_BACKEND_IDENTIFIER"],
                "first on path": Path(sys.path[0]).name,
            }
        )
    )


if __name__ == "__main__":
    main()
