"""How to install a package beside seedctl, which depends on how seedctl itself was installed."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import sys
import sysconfig
from pathlib import Path


def how_to_install(package: str) -> str:
    """Return the command that adds *package* to seedctl's environment.

    The environments that pipx and uv create have no pip. If no command is known to work, the text
    names the environment instead.
    """
    environment = Path(sys.prefix)
    quoted = shlex.quote(package)
    if (environment / "pipx_metadata.json").is_file():
        return f"pipx inject {_name_in_pipx(environment)} {quoted}"
    receipt = environment / "uv-receipt.toml"
    if receipt.is_file():
        # uv recreates the environment, so the command must name the packages added before too.
        others = "".join(f"--with {shlex.quote(each)} " for each in _extras_of_uv(receipt))
        return f"uv tool install {others}--with {quoted} seedctl"
    python = shlex.quote(sys.executable)
    if re.search(r"^uv\s*=", _text(environment / "pyvenv.cfg"), re.MULTILINE):  # uv made it
        return f"uv pip install --python {python} {quoted}"
    if importlib.util.find_spec("pip") is not None and not _is_managed_by_system(environment):
        return f"{python} -m pip install {quoted}"
    return f"add {package} to the environment of {sys.executable}, with the tool that made it"


def _name_in_pipx(environment: Path) -> str:
    """Return the name that pipx has for *environment*: its main package with its suffix."""
    try:
        main = json.loads(_text(environment / "pipx_metadata.json"))["main_package"]
        return f"{main['package']}{main.get('suffix') or ''}"
    except (ValueError, KeyError, TypeError):
        return "seedctl"


def _extras_of_uv(receipt: Path) -> list[str]:
    """Return the packages that were installed together with seedctl."""
    pattern = r"^requirements\s*=\s*\[(.*?)\]\s*$"
    found = re.search(pattern, _text(receipt), re.MULTILINE | re.DOTALL)
    names = re.findall(r'\bname\s*=\s*"([^"]+)"', found.group(1)) if found else []
    return [name for name in names if name != "seedctl"]


def _text(path: Path) -> str:
    """Return the text of *path*, or "" if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _is_managed_by_system(environment: Path) -> bool:
    """Whether pip refuses to install, as for the Python that an operating system manages."""
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    return str(environment) == sys.base_prefix and marker.is_file()
