"""A headless Chromium that opens a page and says what became of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--virtual-time-budget=5000",  # lets scripts run for this many milliseconds, without waiting for them
)


@dataclass(frozen=True)
class Opened:
    """A page after its scripts ran.

    Attributes
    ----------
    dom : str
        The document as HTML.
    console : list of str
        What the page wrote to the console, errors of scripts and of the content security policy included.
    """

    dom: str
    console: list[str]


Open = Callable[..., Opened]


def chromium(*arguments: str, timezone: str = "UTC") -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(
            ["chromium", *FLAGS, f"--user-data-dir={profile}", *arguments],
            env={**os.environ, "TZ": timezone},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )


@pytest.fixture
def open_page(tmp_path: Path) -> Open:
    """Open HTML text as a file, with an optional fragment, size and time zone."""
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed; deploy/install-servers.sh chromium installs it")

    def opened(html: str, fragment: str = "", *, size: str = "1280,900", timezone: str = "UTC") -> Opened:
        page = tmp_path / "page with a space.html"
        page.write_text(html, encoding="utf-8")
        done = chromium("--dump-dom", f"--window-size={size}", page.as_uri() + fragment, timezone=timezone)
        return Opened(done.stdout, re.findall(r"CONSOLE.*", done.stderr))

    return opened
