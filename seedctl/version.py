"""The version of seedctl."""

__version__ = "0.1.0"
