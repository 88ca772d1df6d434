"""What can go wrong with a folder for state."""

from __future__ import annotations

from pathlib import Path


class StateError(Exception):
    """The folder for state cannot be used."""

    @classmethod
    def not_writable(cls, path: Path, error: OSError) -> StateError:
        """Say that the system refuses the folder, and what can be done."""
        return cls(
            f"{path}: must be a folder that can be written to. Got: {error.strerror or error}. "
            "Name another one with --storage.path."
        )
