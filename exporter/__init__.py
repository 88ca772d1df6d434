"""The process: results go out."""

__version__ = "0.1.0"
