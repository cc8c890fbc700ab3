"""The names in the file: those of the schema's types, of what belongs to them, and of aliases."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterable
from keyword import iskeyword

# What the file itself uses; "_t" is the module seedctl.appsync.typed.
_USED = (
    *("BaseDataClient", "TYPE_CHECKING", "_t", "annotations"),
    *("Schema", "Models", "Queries", "Mutations", "Enums"),
)
# In a TypedDict whose keys are text, mypy takes these names for Python's own. The first ones are in
# every interpreter that runs a script, the others were added after Python 3.10: the names must not
# depend on the version.
_BUILTINS = (
    {"copyright", "credits", "exit", "help", "license", "quit"}
    | {name for name in dir(builtins) if not name.startswith("_")}
) - {"BaseExceptionGroup", "ExceptionGroup", "PythonFinalizationError"}
_IDENTIFIER = re.compile(r'(?<![\w."])[A-Za-z_]\w*')


class UniqueNames:
    """Gives every class and alias of one file a name of its own."""

    def __init__(self) -> None:
        self._taken = {*_USED, *_BUILTINS}
        self.aliases: dict[str, str] = {}
        """Other names of types, by the name of the type: see ``unshadowed``."""

    def new(self, wanted: str) -> str:
        """Return *wanted*, with as many underscores at its end as make it usable."""
        name = wanted
        while name in self._taken or iskeyword(name):
            name += "_"
        self._taken.add(name)
        return name

    def unshadowed(self, annotation: str, attributes: Collection[str]) -> str:
        """Return *annotation* for use in a class that has these *attributes*.

        In such a class ``str`` is the attribute, if there is one of that name, and no longer the type.
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
    """Whether *name* can be written after a dot for an object of the class *owner*.

    Otherwise a subscript reads it: Python reserves the name, or it is one of the class's own.
    """
    return not (iskeyword(name) or name.startswith("_") or hasattr(owner, name))


def capital(text: str) -> str:
    """Return *text* with a capital first letter."""
    return text[:1].upper() + text[1:]
