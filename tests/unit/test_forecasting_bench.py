"""Scores of the forecasting bench, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.forecasting_cases import cases, windows
from benchmarks.forecasting_scores import naive_error, scores


def test_scores_of_a_small_forecast() -> None:
    history = np.array([0.0, 2.0, 0.0, 2.0])  # repeating the last value errs by 2
    forecast = np.array([[4.0, 4.0], [3.0, 3.0], [6.0, 6.0]])
    told = scores(history, np.array([5.0, 8.0]), forecast, season=1, coverage=0.8)
    assert told["mase"] == pytest.approx((1 + 4) / 2 / 2)
    assert told["smape"] == pytest.approx((2 * 1 / 9 + 2 * 4 / 12) / 2)
    assert told["coverage"] == 0.5
    assert told["msis"] == pytest.approx((3 + 3 + 2 / 0.2 * 2) / 2 / 2)
    lower, median, upper = 2 * 0.1 * (2 + 5), 1 + 4, 2 * (0.1 * 1 + 0.9 * 2)
    assert told["weighted_quantile_loss"] == pytest.approx((lower + median + upper) / 3 / 13)


def test_what_was_not_measured_counts_nowhere() -> None:
    history, forecast = np.array([0.0, 1.0, 0.0]), np.array([[1.0, 9.0], [0.0, 9.0], [2.0, 9.0]])
    told = scores(history, np.array([1.0, np.nan]), forecast, season=1, coverage=0.9)
    assert told["mase"] == 0
    assert told["coverage"] == 1


def test_a_constant_history_has_no_scale() -> None:
    assert np.isnan(naive_error(np.full(9, 0.1), 1))
    assert naive_error(np.array([1.0, np.nan, 2.0, 4.0]), 1) == 2


def test_cases_are_put_onto_an_even_grid_and_keep_the_rows_of_their_targets() -> None:
    minutes = [0, 1, 3, 4, 6]
    table = pd.DataFrame(
        {
            "series": "a",
            "timestamp": pd.Timestamp("2026-01-05") + pd.to_timedelta(minutes, unit="min"),
            "value": [0.0, 1.0, 3.0, 4.0, 6.0],
            "split": ["history"] * 4 + ["target"],
        }
    )
    (case,) = cases(table)
    np.testing.assert_array_equal(case.history, [0, 1, np.nan, 3, 4])
    np.testing.assert_array_equal(case.leads, [2])
    np.testing.assert_array_equal(case.rows, [4])
    assert case.season == 1
    ((group, window),) = windows([case])
    assert group == [case]
    assert window.times[-1] == pd.Timestamp("2026-01-05 00:04").timestamp()
