"""The names in the file: those of the schema's types, of the classes derived from them, and of aliases."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterable
from keyword import iskeyword

# The names that the file itself uses; "_t" is the module seedctl.appsync.typed.
_USED = (
    *("BaseDataClient", "TYPE_CHECKING", "_t", "annotations"),
    *("Schema", "Models", "Queries", "Mutations", "Enums"),
)
# In a TypedDict whose keys are text, mypy takes these names for Python's built-ins. The result must not
# depend on the version of Python: the first set exists only in an interpreter that loaded the module
# site, and the names in the last set were added after Python 3.10.
_BUILTINS = (
    {"copyright", "credits", "exit", "help", "license", "quit"}
    | {name for name in dir(builtins) if not name.startswith("_")}
) - {"BaseExceptionGroup", "ExceptionGroup", "PythonFinalizationError"}
_IDENTIFIER = re.compile(r'(?<![\w."])[A-Za-z_]\w*')


class UniqueNames:
    """Gives each class and alias of one file a unique name."""

    def __init__(self) -> None:
        self._taken = {*_USED, *_BUILTINS}
        self.aliases: dict[str, str] = {}
        """Other names of types, by the name of the type: see ``unshadowed``."""

    def new(self, wanted: str) -> str:
        """Return *wanted*, with underscores at its end if the name is reserved or taken."""
        name = wanted
        while name in self._taken or iskeyword(name):
            name += "_"
        self._taken.add(name)
        return name

    def unshadowed(self, annotation: str, attributes: Collection[str]) -> str:
        """Return *annotation* for use in a class that has these *attributes*.

        If the class has an attribute ``str``, for example, ``str`` would mean that and not the type. Then
        the annotation gets an alias of the type.
        """

        def alias(found: re.Match[str]) -> str:
            name = found[0]
            if name not in attributes:
                return name
            if name not in self.aliases:
                self.aliases[name] = self.new(f"_{name}")
            return self.aliases[name]

        return _IDENTIFIER.sub(alias, annotation)


def are_plain(names: Iterable[str], annotations: Iterable[str]) -> bool:
    """Whether a class with these *annotations* can have attributes of these *names*."""
    used = {found for each in annotations for found in _IDENTIFIER.findall(each)}
    return not any(iskeyword(name) or name in used for name in names)


def is_attribute(name: str, owner: type) -> bool:
    """Whether *name* can be read as an attribute of an object of the class *owner*.

    Otherwise only a subscript reads it: Python reserves the name, or the class itself uses it.
    """
    return not (iskeyword(name) or name.startswith("_") or hasattr(owner, name))


def capital(text: str) -> str:
    """Return *text* with a capital first letter."""
    return text[:1].upper() + text[1:]
