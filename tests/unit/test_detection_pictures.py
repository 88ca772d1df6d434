"""Which incidents and weeks are drawn, and that no spike is lost in drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.detection_pictures import BINS, draw, extremes, incidents, judged, quiet_weeks, spans, steps
from benchmarks.groups import Group, group

A_DAY, DAYS = 24, 24


def hourly() -> Group:
    """Labelled on day 10, and from day 22 on."""
    hours = np.arange(DAYS * A_DAY)
    label = ((hours >= 10 * A_DAY) & (hours < 10 * A_DAY + 6)) | (hours >= 22 * A_DAY)
    values = 10 + np.sin(2 * np.pi * hours / A_DAY) + np.random.default_rng(0).normal(0, 0.1, len(hours)) + 20 * label
    times = pd.Timestamp("2026-01-05") + pd.to_timedelta(hours, unit="h")
    rows = {"series": "one", "metric": "value", "timestamp": times, "value": values, "label": label.astype(int)}
    return group("one", pd.DataFrame(rows).assign(scored=hours >= 8 * A_DAY))


def test_an_incident_is_shown_with_a_day_on_each_side() -> None:
    assert [(first, stop) for _, first, stop in incidents([hourly()])] == [(9 * A_DAY, 11 * A_DAY + 6)]


def test_a_quiet_week_is_the_first_judged_one_without_a_label() -> None:
    assert [(first, stop) for _, first, stop in quiet_weeks([hourly()])] == [(10 * A_DAY + 6, 17 * A_DAY + 6)]


def test_the_picture_shows_value_band_and_alarm(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    shown = judged(*incidents([hourly()])[0])
    assert shown.alarm[A_DAY : A_DAY + 6].any()
    assert shown.bands.shape == (3, 1, len(shown.alarm))
    draw(shown, tmp_path / "one.svg")
    draw(shown, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert 5_000 < (tmp_path / "one.svg").stat().st_size < 150_000


def test_no_spike_is_lost_in_many_samples() -> None:
    values = np.zeros(5_000)
    values[1_234], values[4_321] = 7.0, -3.0
    at, drawn = extremes(np.arange(5_000.0), values)
    assert (drawn.max(), drawn.min(), len(drawn)) == (7.0, -3.0, 2 * BINS)
    assert abs(at[drawn.argmax()] - 1_234) < 5_000 / BINS
    assert steps(np.arange(5_000.0), values != 0)[1].sum() == 4


def test_runs_of_a_state() -> None:
    assert spans(np.array([True, False, True, True])) == [(0, 1), (2, 4)]
    assert spans(np.zeros(3, dtype=np.bool_)) == []
