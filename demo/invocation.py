"""How a command of the demo is typed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def python() -> str:
    """The interpreter that runs, for a shell: by its path from the current folder where it lies below that."""
    path = Path(sys.executable)
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
