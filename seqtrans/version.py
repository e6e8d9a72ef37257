"""The version of this package, in its only place: pyproject.toml reads it here."""

__version__ = "0.1.0"
