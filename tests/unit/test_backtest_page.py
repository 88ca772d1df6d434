"""The report's HTML: whole, safe with hostile labels, and saying what the report says."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from exporter.backtests.report import Anomaly, BacktestReport, Curves, LeadError, Ribbon, SeriesResult
from exporter.pages import render_backtest
from series import Reason, SeriesKey

HOSTILE = "</script><script>alert(1)</script>\"'&<img src=x onerror=alert(2)> {{7*7}} ‮\u2028 🔥"


class Elements(HTMLParser):
    """Start tags, and the text inside script and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {}
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag = self.tags[-1][0] if self.tags else ""
        if tag in ("script", "style") and self.cdata_elem:
            self.inside.setdefault(tag, []).append(data)
        else:
            self.texts.append(data)


def result(key: SeriesKey, *, drawn: bool = True, anomalies: int = 1) -> SeriesResult:
    line = np.sin(np.arange(100.0))
    ribbon = Ribbon(line, line - 1, line + 1)
    marks = tuple(
        Anomaly(60.0 * n, 60.0 * n + 120, 60.0 * n, 2.0 + n, 1234.5, 10.0, 9.0, 11.0) for n in range(anomalies)
    )
    shown = Curves(line, abs(line), ribbon, ribbon, ribbon) if drawn else None
    return SeriesResult(key, 0.0, 100, anomalies, 0, marks, 0.87, 0.94, shown)


def report(*results: SeriesResult) -> BacktestReport:
    leads = (LeadError(0.0, 3600.0, 500, 0.61, 1.07, 0.93), LeadError(3600.0, 86_400.0, 900, math.nan, math.nan, 0.97))
    times = np.arange(0.0, 6000.0, 60.0)
    return BacktestReport("rate(x[5m])", times, 60.0, results, leads, 0.95, (1800.0,), {Reason.DUPLICATE: 4})


def page(*results: SeriesResult) -> str:
    return render_backtest(report(*results), command="forethought backtest x", settings="step: 1m\n", made_at=1.8e9)


def data_of(html: str) -> dict[str, object]:
    text = html.split('<script type="application/json" id="data">', 1)[1].split("</script>", 1)[0]
    loaded = json.loads(text)
    assert isinstance(loaded, dict)
    return loaded


def test_hostile_labels_stay_text() -> None:
    html = page(
        result(SeriesKey({"__name__": "up", "job": HOSTILE})), result(SeriesKey({"__name__": "up", "job": "b"}))
    )
    elements = Elements(html)
    assert "<img" not in html
    assert [tag for tag, _ in elements.tags].count("script") == 2
    assert any("alert(1)" in text for text in elements.texts), "it is shown as it is"
    assert "{{7*7}}" in html, "a value is no template"
    assert len(data_of(html)["series"]) == 2  # type: ignore[arg-type]


def test_hostile_query_command_and_settings_stay_text() -> None:
    hostile = report(result(SeriesKey.named("up")))
    object.__setattr__(hostile, "query", HOSTILE)
    html = render_backtest(hostile, command=HOSTILE, settings=HOSTILE, made_at=0.0)
    assert [tag for tag, _ in Elements(html).tags].count("script") == 2
    assert "<img" not in html


def test_nothing_is_loaded_and_nothing_else_may_run() -> None:
    elements = Elements(page(result(SeriesKey.named("up"))))
    for tag, attributes in elements.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], f"inline {tag}"
        address = attributes.get("src") or (attributes.get("href") if tag == "link" else None) or ""
        assert address.startswith("data:") or not address
    policy = next(a["content"] for tag, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        digest = base64.b64encode(hashlib.sha256(elements.inside[tag][-1].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_rows_say_what_the_report_says() -> None:
    html = page(result(SeriesKey({"job": "a"}), anomalies=3), result(SeriesKey({"job": "b"}), drawn=False))
    rows = re.findall(r"<tr data-series.*?</tr>", html, re.S)
    assert len(rows) == 4 + 2
    first = re.sub(r"<[^>]+>|\s+", " ", rows[0])
    for said in ("1970-01-01 00:02", "3 min", "job = a", "1,234", "10 [9, 11]", "4.00"):
        assert re.sub(r"\s+", " ", said) in re.sub(r"\s+", " ", first)
    assert "4 series left out: duplicate" in html
    assert "87" not in html.split("<main", 1)[0]


def test_only_drawn_series_are_linked() -> None:
    html = page(result(SeriesKey({"job": "a"})), result(SeriesKey({"job": "b"}), drawn=False))
    assert 'href="#series-1"' in html
    assert 'href="#series-2"' not in html
    assert html.count('<article class="card"') == 1
    assert html.count('href="#anomaly-') == 1


def test_passwords_in_addresses_stay_out() -> None:
    html = render_backtest(
        report(), command="x --source.url 'http://me:p@ss@host:9090'", settings="url: https://me@host/a", made_at=0.0
    )
    assert "http://***@host:9090" in html
    assert "https://***@host/a" in html
    assert "p@ss" not in html


def test_the_plot_library_brings_its_licence() -> None:
    html = page(result(SeriesKey({"job": "a"})))
    assert "uPlot" in html
    assert "Permission is hereby granted, free of charge" in html


def test_every_link_inside_the_page_leads_somewhere() -> None:
    elements = Elements(page(*(result(SeriesKey({"job": name})) for name in "abc")))
    ids = [attributes["id"] for _, attributes in elements.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in elements.tags:
        target = attributes.get("href") or ""
        if tag == "a" and target.startswith("#"):
            assert target[1:].replace("anomaly-", "row-") in ids


def test_common_labels_are_said_once() -> None:
    html = page(*(result(SeriesKey({"__name__": "up", "zone": "eu-9", "job": name}), drawn=False) for name in "ab"))
    assert html.count("eu-9") == 1


@pytest.mark.parametrize("results", [(), (result(SeriesKey(), drawn=False, anomalies=0),)])
def test_a_report_without_anomalies_or_series_is_a_page(results: tuple[SeriesResult, ...]) -> None:
    html = page(*results)
    assert "Nothing was strange" in html
    assert "nan" not in re.sub(r'data-value="nan"|<script.*?</script>', "", html, flags=re.S)


def test_a_thousand_series_with_many_anomalies_make_a_bounded_page() -> None:
    results = [result(SeriesKey({"job": f"job-{n}"}), drawn=n < 20, anomalies=40) for n in range(1_000)]
    html = page(*results)
    assert "The 500 strangest of 40000." in html
    assert len(html) < 3_000_000
