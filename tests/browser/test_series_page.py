"""The page of a series in a real browser, from a server: plots, keys, facts that come later, and no error."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from werkzeug.serving import make_server

from exporter.run import series_rooms
from exporter.service import Service
from tests.browser.conftest import chromium
from tests.unit.test_series_page import CONFIG, HOSTILE, NOON, Made

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed; deploy/install-servers.sh chromium installs it")
    file: Path = tmp_path_factory.mktemp("series") / "forethought.yml"
    file.write_text(CONFIG)
    service = Service(file, None, lambda: NOON + 5_400, connect=lambda settings, telemetry: Made())  # type: ignore[arg-type]
    for query in service.config.queries:
        service._add(query)
        service._run(service.queries[query.name])
    app = Flask("test")
    for room in series_rooms(service):
        app.register_blueprint(room)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}/series"
    server.shutdown()
    thread.join()
    server.server_close()


def opened(url: str, size: str = "1280,1400", timezone: str = "UTC", **asked: str) -> str:
    done = chromium("--dump-dom", f"--window-size={size}", f"{url}?{urlencode(asked)}", timezone=timezone)
    assert re.findall(r"CONSOLE.*", done.stderr) == []
    return done.stdout


def test_the_past_and_what_comes_next_are_drawn_and_told(url: str) -> None:
    dom = opened(url, query="rate", series='{job="api"}')
    assert len(re.findall(r'<div class="uplot', dom)) == 2
    assert len(re.findall(r'<canvas width="\d{4}" height="\d{2,3}"', dom)) == 2
    for name in ("Sample", "Expected", "Anomaly", "Forecast"):
        assert len(re.findall(rf"</svg>{name}<output>", dom)) == 1
    assert "Judged again from the samples at hand" in dom
    assert "Forecast with its 95 % interval." in dom
    for name in ("Seasons", "Trend", "Forecast by"):
        assert f"<dt>{name}</dt>" in dom
    alarms = re.search(r'id="alarm-table".*?</table>', dom, re.S)
    assert alarms is not None
    assert ">2026-06-30 12:30</time>" in alarms[0]
    assert "hidden" not in re.findall(r'<div[^>]*id="alarm-table"[^>]*>', dom)[0]


def test_a_limit_is_told_with_the_curve_that_reaches_it(url: str) -> None:
    dom = opened(url, query="disk", series='{disk="a"}')
    assert "Forecast of 1 h peaks" in dom
    assert "Limit full in" in dom


def test_hostile_labels_are_shown_as_text(url: str) -> None:
    for series in ("", '{job=~"</script>.+"}'):
        dom = opened(url, query="rate", series=series)
        assert "owned</title>" not in dom
        assert "<img" not in dom
        assert HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in dom


def test_a_narrow_screen_gets_narrow_plots_and_local_time_follows_the_browser(url: str) -> None:
    dom = opened(url, size="500,900", timezone="Asia/Tokyo", query="rate", series='{job="api"}')
    widths = [int(width) for width in re.findall(r'<canvas width="(\d+)"', dom)]
    assert len(widths) == 2
    assert all(width < 500 for width in widths)
