"""Read and store the sandbox secrets of the current backend."""

from __future__ import annotations

from seedctl.backend import current_backend
from seedctl.nearest import module_getattr

__all__ = ["get_secret", "set_secret"]


def get_secret(name: str) -> str:
    """Return the value of a sandbox secret. Nothing is cached: each call sends a request.

    Args:
        name: The name, as in ``seedctl secret set NAME`` or ``ampx sandbox secret set NAME``.

    Raises:
        SSMParameterNotFoundError: The secret was never set.
        InvalidSecretNameError: *name* has other characters than letters, digits, ``_``, ``.``, ``-``.
    """
    return current_backend().secrets.get(name)


def set_secret(name: str, value: str) -> str:
    """Store a sandbox secret, replacing any existing value, and return its name.

    Args:
        name: The name: letters, digits, ``_``, ``.`` and ``-``.
        value: Text of 1 to 4096 bytes in UTF-8, without NUL characters.

    Raises:
        InvalidSecretNameError: *name* has other characters.
        InvalidSecretValueError: *value* is empty, too long or not text.
    """
    return current_backend().secrets.set(name, value).name


__getattr__ = module_getattr(__name__, __all__)
