"""The backtest's page in a real browser, opened from a file."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

from detectors.seasonal import SeasonalBaseline
from exporter.backtests.backtest import Backtest
from exporter.pages import render_backtest
from forecasting.harmonic import HarmonicRegression
from series import SeriesKey, Window
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser
HOSTILE = "</script><script>document.title='owned'</script>\"'&<img src=x onerror=document.title='owned'> 🔥"


@pytest.fixture(scope="module")
def page() -> str:
    """Three series over ten days at 5 min; the first has an incident of an hour, the second a hostile label."""
    rng = np.random.default_rng(2)
    times = np.arange(1_782_864_000.0, 1_782_864_000.0 + 300 * 2_880, 300.0)
    values = 20 + 5 * np.sin(2 * np.pi * times / 86_400) + rng.normal(scale=0.3, size=(3, times.size))
    values[0, 2_400:2_412] += 30
    values[1, 1_000:1_100] = np.nan
    keys = tuple(SeriesKey({"__name__": "runs", "tenant": "a", "job": job}) for job in ("build", HOSTILE, "test"))
    test = Backtest(detector=SeasonalBaseline, forecaster=HarmonicRegression, horizons=(3_600, 86_400), refit=86_400)
    report = test.run(Window(keys, times, values), query=f'sum(runs{{x="{HOSTILE}"}})')
    return render_backtest(report, command="forethought backtest", settings="step: 5m\n", made_at=1.8e9)


def test_plots_are_drawn_with_their_legends_and_without_errors(page: str, open_page: Open) -> None:
    opened = open_page(page)
    assert opened.console == []
    assert len(re.findall(r'<div class="uplot', opened.dom)) == 3
    assert len(re.findall(r'<canvas width="\d{4}" height="\d{3}"', opened.dom)) == 3
    for name in ("Sample", "Expected", "Anomaly", "Past forecast", "Forecast"):
        assert len(re.findall(rf"</svg>{name}<output>", opened.dom)) == 3
    assert "data-needs-script" in opened.dom
    assert not re.search(r'data-needs-script=""[^>]* hidden', opened.dom)


def test_hostile_labels_are_shown_as_text(page: str, open_page: Open) -> None:
    opened = open_page(page)
    assert "owned</title>" not in opened.dom
    assert "<img" not in opened.dom
    assert html.escape(HOSTILE, quote=False) in opened.dom


def test_a_script_that_got_in_would_not_run(page: str, open_page: Open) -> None:
    opened = open_page(page.replace("<main", "<script>document.title = 'owned'</script><main", 1))
    assert "owned</title>" not in opened.dom
    assert len(opened.console) == 1
    assert "Content Security Policy" in opened.console[0]


def test_the_incident_is_in_the_table_and_its_address_zooms_all_plots(page: str, open_page: Open) -> None:
    opened = open_page(page, "#anomaly-1")
    row = re.search(r'<tr data-series="1" class="chosen">.*?</tr>', opened.dom, re.S)
    assert row is not None
    assert "build" in row[0]
    assert "2026-07-09 08:00" in row[0]
    assert re.search(r'<article class="card chosen" id="series-1"', opened.dom)
    assert '<button type="button" id="reset" data-needs-script="">' in opened.dom, "there is a zoom to reset"
    assert "disabled" in re.findall(r'<button[^>]*id="reset"[^>]*>', open_page(page).dom)[0]


def test_local_time_follows_the_browser_and_utc_stays(page: str, open_page: Open) -> None:
    utc = open_page(page, timezone="Asia/Tokyo").dom
    local = open_page(page, "#anomaly-1&local", timezone="Asia/Tokyo").dom
    assert ">2026-07-09 08:00</time>" in utc
    assert ">2026-07-09 17:00</time>" in local
    assert '<span data-zone-name="">Asia/Tokyo</span>' in local


def test_a_narrow_screen_gets_narrow_plots(page: str, open_page: Open) -> None:
    dom = open_page(page, size="500,900").dom
    widths = [int(width) for width in re.findall(r'<canvas width="(\d+)"', dom)]
    assert len(widths) == 3
    assert all(width < 500 for width in widths)
