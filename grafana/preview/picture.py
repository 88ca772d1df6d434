"""A page of panels as a picture, by headless Chromium."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BUNDLE = Path(__file__).parent / "build"
_ROW, _HEADER = 38, 56
"""Pixels of one row of Grafana's grid, its gap included; and of what stands above the panels."""
_FLAGS = (
    "--headless",
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--virtual-time-budget=20000",  # lets scripts run for this many milliseconds, without waiting for them
)
_HTML = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="{folder}/draw.css"><div id="page"></div>
<script>window.shown = {shown}</script><script src="{folder}/draw.js"></script>
"""


class NotDrawn(Exception):
    """There is no bundle, or Chromium did not write the picture."""


def draw(shown: Mapping[str, Any], picture: Path) -> list[str]:
    """Write what `page` returned as a PNG, and beside it the page itself; return what is missing in it, a line each.

    Raises
    ------
    NotDrawn
        Where no picture came of it.
    """
    if not (_BUNDLE / "draw.js").exists():
        raise NotDrawn("The panels must be bundled first. Run: make dashboard-pictures")
    picture.parent.mkdir(parents=True, exist_ok=True)
    html = picture.with_suffix(".html")
    data = json.dumps(shown).replace("<", "\\u003c")
    html.write_text(_HTML.format(folder=_BUNDLE.as_uri(), shown=data), encoding="utf-8")
    rows = max((panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in shown["panels"]), default=0)
    size = f"--window-size={shown['width']},{rows * _ROW + _HEADER}"
    picture.unlink(missing_ok=True)
    said = _chromium(size, f"--screenshot={picture}", html.as_uri())
    if not picture.exists():
        raise NotDrawn(f"Chromium must write {picture}. It said: {said[-300:]}")
    return [line for line in re.findall(r'CONSOLE.*?\] "(.*)", source', said) if re.match("missing: |Uncaught", line)]


def _chromium(*arguments: str) -> str:
    with tempfile.TemporaryDirectory() as profile:
        command = ["chromium", *_FLAGS, f"--user-data-dir={profile}", *arguments]
        utc = {**os.environ, "TZ": "UTC"}
        try:
            done = subprocess.run(command, env=utc, capture_output=True, text=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotDrawn(f"Chromium must run. Got {type(error).__name__}.") from error
    return done.stderr
