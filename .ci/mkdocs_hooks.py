"""Prepare the pages in docs/ for mkdocs."""

from __future__ import annotations

import re


def on_page_markdown(markdown: str, **_: object) -> str:
    """Remove what follows the language of a code block, such as ``python fragment``.

    It is for the tests. Python-Markdown would not take such a line for the beginning of a code block.
    """
    return re.sub(r"^( *```\w+) .*$", r"\1", markdown, flags=re.MULTILINE)
