"""A terminal of any width that shows what a user would see."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECES = re.compile(r"\x1b\[\??([\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class Screen(io.StringIO):
    """Interprets what is written, as a terminal does, into lines and a cursor."""

    def __init__(self, attach: Callable[[], None]) -> None:
        super().__init__()
        self.attach = attach
        self.raw = ""
        self._lines = [""]
        self._row = self._column = 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.raw += text
        for number, command, control, plain in _PIECES.findall(text):
            if plain:
                line = self._lines[self._row].ljust(self._column)
                end = self._column + len(plain)
                self._lines[self._row] = line[: self._column] + plain + line[end:]
                self._column = end
            elif control:
                self._column = 0
                if control == "\n":
                    self._row += 1
                    self._lines += [""] * (self._row + 1 - len(self._lines))
            elif command == "A":
                self._row -= int(number or 1)
            elif command == "K":
                self._lines[self._row] = ""
            else:
                assert command in "mhl", command  # colours, and the cursor shown or not
        return len(text)

    @property
    def lines(self) -> list[str]:
        lines = [line.rstrip() for line in self._lines]
        while lines and not lines[-1]:
            lines.pop()
        return lines
