"""The page of a series: time of each request it makes, and from opening it until all is drawn.

    python -m benchmarks.pages [--url http://127.0.0.1:9815 --query pipeline_queue_length]

Without an address a service of its own is asked, of series with two weeks of minutes, with all defaults. Each series
is opened for the first time, and again at once. Times are those of the wall clock, in ms; the browser is a headless
Chromium, left out where there is none. Prints one JSON object as its last line.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import click
import numpy as np
import orjson
import requests

from benchmarks.answers import answering
from benchmarks.browser import Browser, browsing
from benchmarks.startup import ended, free_port

QUERY = "requests"
CONFIG = "source: {{url: '{url}'}}\nqueries: [{{name: requests, query: requests}}]\n"
DRAWN = '/Judged again.*Forecast|Forecast.*Judged again/s.test(document.getElementById("under")?.textContent ?? "")'
Times = dict[str, list[float]]


@click.command()
@click.option("--series", default=24, show_default=True, help="Series of the service that is started.")
@click.option(
    "--opened", default=12, show_default=True, help="Series that are opened by requests, and as many in a browser."
)
@click.option("--url", default="", help="A service that runs.")
@click.option("--query", default=QUERY, show_default=True, help="Query of it.")
def main(series: int, opened: int, url: str, query: str) -> None:
    """Measure and print."""
    times: Times = defaultdict(list)
    with _service(series) if not url else contextlib.nullcontext(url) as address:
        pages = _pages(address, query)[: 2 * opened]
        _request(address, pages[-1], {})  # imports and templates are no part of any other visit
        for page in pages[:opened]:
            for visit in ("first", "again"):
                for name, seconds in _request(address, page, times).items():
                    times[f"{visit}: {name}"].append(seconds)
        if shutil.which("chromium"):
            with browsing() as browser:
                _browse(browser, address, [*pages[-2:-1], *pages[opened : 2 * opened - 2]], times)
    figures = {name: _summary(seconds) for name, seconds in times.items()}
    for name, row in figures.items():
        print(f"{name:>24}: p50 {row['p50_ms']:6.1f} ms, p95 {row['p95_ms']:6.1f} ms, {row['times']} times")
    print(orjson.dumps({"bench": "pages", "figures": figures}).decode())


def _pages(address: str, query: str) -> list[str]:
    listed = requests.get(f"{address}/series?{urlencode({'query': query})}", timeout=60).text
    return [unescape(link) for link in dict.fromkeys(re.findall(r'<td><a href="(series\?[^"]+)"', listed))]


def _request(address: str, page: str, times: Times) -> dict[str, float]:
    """Seconds of the page, of what it asks for then, at once, and of all."""
    started = time.perf_counter()
    html = requests.get(f"{address}/{page}", timeout=60).text
    data = orjson.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])  # type: ignore[index]
    seconds = {"page": time.perf_counter() - started}
    asked = [f"{address}/api/v1/{name}?{urlencode(data[name])}" for name in ("history", "forecast")]
    with ThreadPoolExecutor(2) as threads:
        seconds["history"], seconds["forecast"] = threads.map(_timed, asked)
    return seconds | {"page and answers": time.perf_counter() - started}


def _timed(url: str) -> float:
    started = time.perf_counter()
    while requests.get(url, timeout=60).status_code == 503:
        time.sleep(0.5)
    return time.perf_counter() - started


def _browse(browser: Browser, address: str, pages: list[str], times: Times) -> None:
    browser.drawn_after(f"{address}/{pages[0]}", DRAWN)
    for page in pages[1:]:
        for visit in ("first", "again"):
            times[f"{visit}: drawn in a browser"].append(browser.drawn_after(f"{address}/{page}", DRAWN))


def _summary(seconds: list[float]) -> dict[str, float]:
    low, high = np.percentile(np.array(seconds) * 1000, (50, 95)).round(1).tolist()
    return {"p50_ms": low, "p95_ms": high, "times": len(seconds)}


@contextlib.contextmanager
def _service(series: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, answering(series) as source:
        config, port = Path(folder) / "forethought.yml", free_port()
        config.write_text(CONFIG.format(url=source))
        flags = [f"--config.file={config}", "--storage.path=", f"--web.listen-address=127.0.0.1:{port}"]
        process = subprocess.Popen([sys.executable, "-m", "exporter", "run", *flags], stderr=subprocess.DEVNULL)
        with ended(process):
            address = f"http://127.0.0.1:{port}"
            _until_listed(address, series)
            yield address


def _until_listed(address: str, series: int) -> None:
    for _ in range(1_200):
        with contextlib.suppress(requests.ConnectionError):
            metrics = requests.get(f"{address}/metrics", timeout=60).text
            if f'forethought_series{{query="{QUERY}"}} {series}' in metrics and "forethought_forecast{" in metrics:
                return
        time.sleep(0.1)
    raise SystemExit("the service gave no forecasts within two minutes.")


if __name__ == "__main__":
    main()
